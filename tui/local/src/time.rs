//! Instants as milliseconds since 1970, and their formats in the API.

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// ISO 8601 with zone, as in v2: `2026-11-22T07:57:06.478Z`.
pub(crate) fn iso(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or_default()
        .to_string()
}

/// As in label rows: `Sun, 22 Nov 2026 07:57:53 UTC`.
pub(crate) fn long(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S UTC")
        .to_string()
}

/// As in a `Date` header, from seconds: `Sun, 22 Nov 2026 07:57:53 GMT`.
pub(crate) fn http(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// As in legacy projects, in UTC without a zone: `2026-11-22 07:57:53`.
pub(crate) fn plain(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or_default()
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// Whether an instant is in an open interval.
pub(crate) fn is_within(at: i64, after: Option<i64>, before: Option<i64>) -> bool {
    after.is_none_or(|a| at > a) && before.is_none_or(|b| at < b)
}

/// An optional instant in any format that [`parse`] reads.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let wrong = || Error::custom(format_args!("{text:?} is not a date"));
    parse(&text).map(Some).ok_or_else(wrong)
}

/// Parses any format that clients send in filters.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let civil = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%a, %d %b %Y %H:%M:%S UTC",
        "%Y-%m-%d",
    ];
    civil.iter().find_map(|format| {
        let parts = jiff::fmt::strtime::parse(format, text).ok()?;
        let moment = match parts.to_datetime() {
            Ok(moment) => moment,
            Err(_) => parts
                .to_date()
                .ok()?
                .to_datetime(jiff::civil::Time::midnight()),
        };
        Some(
            moment
                .to_zoned_datetime(jiff::tz::TimeZone::UTC)
                .ok()?
                .timestamp()
                .as_millisecond(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_formats_are_parsed() {
        let at = 1_795_334_273_000;
        assert_eq!(long(at), "Sun, 22 Nov 2026 07:57:53 UTC");
        assert_eq!(iso(at), "2026-11-22T07:57:53Z");
        assert_eq!(parse(&long(at)), Some(at));
        assert_eq!(parse(&iso(at)), Some(at));
        assert_eq!(plain(at), "2026-11-22 07:57:53");
        assert_eq!(parse(&plain(at)), Some(at));
        assert_eq!(parse("2026-11-22T07:57:53.000000"), Some(at));
        assert_eq!(parse("2026-11-22"), Some(at - 28_673_000));
        assert_eq!(parse("soon"), None);
    }
}
