//! Spans of time in milliseconds, as a person writes and reads them: `500ms`, `30s`, `5m`, `1h30m`.

use std::fmt::Write as _;

/// Units from the largest to the smallest, with their milliseconds.
const UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// The longest span that is read: some centuries.
const MOST: f64 = 1e13;

/// Reads numbers with units, one or several: `90s`, `1.5h`, `1h30m`.
///
/// # Errors
/// What to write instead.
pub fn read(text: &str) -> Result<u64, String> {
    const FORM: &str = "write a number with a unit: 500ms, 30s, 5m, 2h, 1d or 1h30m";
    let mut rest = text.trim();
    if !rest.is_empty() && rest.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0) {
        return Err(format!("\"{rest}\" has no unit; did you mean {rest}s?"));
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, after) = rest.split_at(number_ends.unwrap_or(rest.len()));
        let unit_ends = after.find(|c: char| !c.is_alphabetic());
        let (unit, after) = after.split_at(unit_ends.unwrap_or(after.len()));
        let number: f64 = number.parse().map_err(|_| FORM.to_owned())?;
        let name = if unit == "min" { "m" } else { unit };
        let known = UNITS.iter().find(|(known, _)| *known == name);
        let Some((_, ms)) = known else {
            return Err(format!("\"{unit}\" is not a unit; {FORM}"));
        };
        #[allow(clippy::cast_precision_loss)] // a week has far fewer milliseconds than 2^52
        let factor = *ms as f64;
        sum += number * factor;
        rest = after.trim_start();
    }
    if text.trim().is_empty() {
        return Err(FORM.to_owned());
    }
    if sum > MOST {
        return Err("that is too long".to_owned());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to MOST
    Ok(sum.ceil() as u64)
}

/// The same span, exact to the millisecond, as [`read`] takes it.
#[must_use]
pub fn spell(mut ms: u64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in UNITS {
        if ms >= size {
            let _ = write!(text, "{}{unit}", ms / size);
            ms %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelled_is_read_again() {
        for ms in [1, 250, 1500, 30_000, 90_000, 600_000, 5_400_000, 90_061_001] {
            assert_eq!(read(&spell(ms)), Ok(ms), "{}", spell(ms));
        }
        assert_eq!(spell(600_000), "10m");
        assert_eq!(spell(90_500), "1m30s500ms");
        assert_eq!(read("1.5h"), Ok(5_400_000));
        assert_eq!(read(" 2min "), Ok(120_000));
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_the_nearest_that_has_one() {
        let refused = |text: &str| read(text).unwrap_err();
        assert_eq!(refused("30"), "\"30\" has no unit; did you mean 30s?");
        assert!(refused("1h30").contains("500ms, 30s"));
        for text in [
            "",
            "soon",
            "-1s",
            "1e9",
            "s",
            "2 fortnights",
            "1..2s",
            "nan",
            "1e300w",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
