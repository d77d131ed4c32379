//! Durations in milliseconds, as they are written in flags, filters and settings: `500ms`, `30s`, `5m`, `1h30m`.

use jiff::fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter};
use jiff::{SignedDuration, Span, SpanRelativeTo, SpanRound, Unit};

/// Days of 24 hours, whatever a time zone does.
const DAYS: SpanRelativeTo<'static> = SpanRelativeTo::days_are_24_hours();

/// Reads a duration of at least zero; less than a millisecond counts as one.
///
/// # Errors
/// What to write instead.
pub fn read(text: &str) -> Result<u64, String> {
    let text = text.trim();
    if text.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0) {
        return Err(format!("\"{text}\" has no unit; did you mean {text}s?"));
    }
    let span = SpanParser::new().parse_span(text);
    let time = span.and_then(|span| span.to_duration(DAYS)).ok();
    let ms = time.and_then(|time| u64::try_from(time.as_nanos()).ok());
    ms.map(|nanos| nanos.div_ceil(1_000_000)).ok_or_else(|| {
        format!("\"{text}\" is not a duration; write e.g. 500ms, 30s, 5m, 2h, 1d, 1w or 1h30m")
    })
}

/// The same duration, exact to the millisecond, as [`read`] reads it.
#[must_use]
pub fn spell(ms: u64) -> String {
    let whole = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let parts = SpanRound::new().largest(Unit::Week).days_are_24_hours();
    let Ok(span) = Span::try_from(whole).and_then(|span| span.round(parts)) else {
        // Centuries.
        return format!("{ms}ms");
    };
    SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None)
        .span_to_string(&span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelled_duration_reads_back_as_itself() {
        for ms in [1, 250, 1500, 30_000, 90_000, 600_000, 5_400_000, 90_061_001] {
            assert_eq!(read(&spell(ms)), Ok(ms), "{}", spell(ms));
        }
        assert_eq!(spell(600_000), "10m");
        assert_eq!(spell(90_500), "1m30s500ms");
        assert_eq!(spell(0), "0s");
        assert_eq!(spell(788_645_006), "1w2d3h4m5s6ms");
        assert_eq!(
            read(&spell(u64::MAX)).ok(),
            None,
            "out of range, and no panic"
        );
    }

    #[test]
    fn durations_are_read_as_in_the_shared_table() {
        let table = include_str!("../../../agent-abi/macros/tests/durations.txt");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (text, ms) = line.split_once('|').unwrap();
            assert_eq!(read(text).ok(), ms.trim().parse().ok(), "{line}");
        }
    }

    #[test]
    fn a_refused_duration_comes_with_a_suggestion() {
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(refused("30"), "\"30\" has no unit; did you mean 30s?");
        assert_eq!(
            refused("1h30"),
            "\"1h30\" is not a duration; write e.g. 500ms, 30s, 5m, 2h, 1d, 1w or 1h30m"
        );
    }
}
