//! Times as Encord writes them, in both directions. No clock is read here.

use jiff::Timestamp;
use wb_core::ids::Millis;

/// Reads a time in any of the forms that the platform uses: ISO 8601 with or without a zone
/// (`2026-11-22T07:57:06.478303Z`, `2023-02-09 14:12:03`) and `Thu, 09 Feb 2023 14:12:03 UTC`.
/// Without a zone it is UTC. `None`: not a time.
#[must_use]
pub fn parse_time(text: &str) -> Option<Millis> {
    let text = text.trim();
    let stamp = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| without_zone(text))
        .or_else(|| mail_style(text))?;
    Some(Millis(stamp.as_millisecond()))
}

fn without_zone(text: &str) -> Option<Timestamp> {
    let civil = text.parse().ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

fn mail_style(text: &str) -> Option<Timestamp> {
    let text = match text
        .strip_suffix("UTC")
        .or_else(|| text.strip_suffix("GMT"))
    {
        Some(start) => format!("{start}+0000"),
        None => text.to_owned(),
    };
    jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(&text)
        .ok()
}

/// RFC 3339 in UTC with milliseconds where there are any: `2026-11-22T07:57:06.478Z`.
#[must_use]
pub fn rfc3339(time: Millis) -> String {
    Timestamp::from_millisecond(time.0).map_or_else(
        |_| "1970-01-01T00:00:00Z".to_owned(),
        |stamp| stamp.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_the_platform_uses_is_read() {
        let expected = Some(Millis(1_675_951_923_000));
        for text in [
            "2023-02-09T14:12:03Z",
            "2023-02-09T14:12:03.000000Z",
            "2023-02-09T15:12:03+01:00",
            "2023-02-09 14:12:03",
            "2023-02-09T14:12:03",
            "Thu, 09 Feb 2023 14:12:03 UTC",
            "Thu, 09 Feb 2023 14:12:03 GMT",
            " 2023-02-09T14:12:03Z ",
        ] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
        for text in ["", "yesterday", "2023-02-31T00:00:00Z"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_survive_the_round_trip() {
        let time = parse_time("2026-11-22T07:57:06.478303Z").unwrap();
        assert_eq!(rfc3339(time), "2026-11-22T07:57:06.478Z");
        assert_eq!(parse_time(&rfc3339(time)), Some(time));
    }
}
