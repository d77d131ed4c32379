//! How values are written on the command line: durations, rates, limits. Each refusal suggests what to write.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::time::Duration;
use wb_core::run::FailureLimit;
use wb_core::span;
pub use wb_engine::flags::{log, size, some_time};
use wb_engine::journal::Keep;

/// Words, each with its help and what it means.
pub(super) type Words<T> = &'static [(&'static str, &'static str, T)];

/// One of these words.
pub(super) fn one_of<T: Copy + Send + Sync>(words: Words<T>) -> impl TypedValueParser<Value = T> {
    let shown =
        |(word, help, _): &(&'static str, &'static str, T)| PossibleValue::new(*word).help(*help);
    PossibleValuesParser::new(words.iter().map(shown)).try_map(move |given| {
        let found = words.iter().find(|(word, _, _)| *word == given);
        found.map(|(_, _, value)| *value).ok_or("unknown word")
    })
}

/// `10` or `5%`.
pub(super) fn failures(text: &str) -> Result<FailureLimit, String> {
    let wrong = || "write a number of tasks, at least 1, or a percentage, e.g. 5%".to_owned();
    match text.strip_suffix('%') {
        Some(share) => match share.trim().parse::<f64>() {
            Ok(share) if share > 0.0 && share <= 100.0 => Ok(FailureLimit::Percent(share)),
            _ => Err(wrong()),
        },
        None => match text.parse() {
            Ok(n) if n > 0 => Ok(FailureLimit::Count(n)),
            _ => Err(wrong()),
        },
    }
}

pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("must be a whole number, at least 1".into()),
    }
}

/// `250ms`, `30s`, `5m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    span::read(text).map(Duration::from_millis)
}

/// `20` operations, or `30d`.
pub(super) fn keep(text: &str) -> Result<Keep, String> {
    let wrong = || "write how many are kept, e.g. 20, or their age, e.g. 30d or 12h".to_owned();
    if let Ok(n) = text.parse() {
        return Ok(Keep::Newest(n));
    }
    duration(text).map(Keep::Within).map_err(|_| wrong())
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches("/s");
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(n),
        _ => Err("write requests a second, e.g. 20/s".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_limits() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(some_time("0s").is_err() && some_time("1ms").is_ok());
        assert!(some_time("30").unwrap_err().contains("30s"));
        assert_eq!(keep("20"), Ok(Keep::Newest(20)));
        let days = Duration::from_secs(30 * 86400);
        assert_eq!(keep("30d"), Ok(Keep::Within(days)));
        assert!(keep("1.5").is_err() && keep("-1").is_err() && keep("soon").is_err());
        assert!(duration("2 fortnights").is_err() && duration("-1s").is_err());
    }
}
