//! How values are written on the command line: durations, rates, limits. Each refusal says what to write.

use crate::journal::Keep;
use std::time::Duration;
use wb_core::run::FailureLimit;

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

/// `250ms`, `30s`, `5m`, `2h`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits
        .parse()
        .map_err(|_| "write 250ms, 30s, 5m or 2h".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        "d" => number * 86400.0,
        unit => return Err(format!("\"{unit}\" is no unit; write 250ms, 30s, 5m or 2h")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| "must not be negative or that large".into())
}

/// A duration that leaves time for something.
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be more than nothing, e.g. 30s".into()),
        time => Ok(time),
    }
}

/// A limit with its unit: a bare number is refused.
pub fn patience(text: &str) -> Result<Duration, String> {
    match limit(text) {
        Ok(_) if !text.ends_with(char::is_alphabetic) => {
            Err(format!("write the unit: {text}s or {text}m"))
        }
        other => other,
    }
}

/// `2GB`, `512MB`, `1.5GiB`; `none` is no limit.
pub fn size(text: &str) -> Result<u64, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(u64::MAX);
    }
    let wrong = || "write a size such as 2GB or 512MB, or none".to_owned();
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits.trim_end().parse().map_err(|_| wrong())?;
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "TB" | "T" => 1e12,
        "MIB" => 1024.0 * 1024.0,
        "GIB" => 1024.0 * 1024.0 * 1024.0,
        "" => return Err(format!("write the unit: {text}GB or {text}MB, or none")),
        _ => return Err(wrong()),
    };
    let bytes = number * unit;
    if !(1e6..=1e18).contains(&bytes) {
        return Err("must be at least 1MB; to lift the limit: none".into());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range, as just seen
    Ok(bytes as u64)
}

/// `20` operations, or `30d`.
pub(super) fn keep(text: &str) -> Result<Keep, String> {
    let wrong = || "write how many are kept, e.g. 20, or their age, e.g. 30d or 12h".to_owned();
    if let Ok(n) = text.parse() {
        return Ok(Keep::Newest(n));
    }
    let bare = !text.ends_with(char::is_alphabetic);
    match duration(text) {
        Ok(age) if !bare => Ok(Keep::Within(age)),
        _ => Err(wrong()),
    }
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
    fn sizes_and_limits_want_their_unit() {
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert_eq!(size("1.5 GiB"), Ok(1_610_612_736));
        assert_eq!(size("512m"), Ok(512_000_000));
        assert_eq!(size("none"), Ok(u64::MAX));
        for text in [
            "2", "", "GB", "-1GB", "nan GB", "1e30GB", "10kB", "0GB", "2 apples",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(patience("5m"), Ok(Duration::from_secs(300)));
        assert!(patience("30").unwrap_err().contains("30s"));
        assert!(patience("0s").is_err());
    }

    #[test]
    fn durations_have_units_and_limits() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(limit("0").is_err() && limit("1ms").is_ok());
        assert_eq!(keep("20"), Ok(Keep::Newest(20)));
        let days = Duration::from_secs(30 * 86400);
        assert_eq!(keep("30d"), Ok(Keep::Within(days)));
        assert!(keep("1.5").is_err() && keep("-1").is_err() && keep("soon").is_err());
        assert!(duration("2 weeks").is_err() && duration("-1s").is_err());
    }
}
