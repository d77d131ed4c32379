//! The digits of numbers. Encord's documents hold integers beyond 2^64 and decimals such as 1.10; here they are
//! kept as they are written, but most agents read numbers as `f64` and give back what is left of them. Where
//! that is all that changed, the digits are put back.

use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// Digits that an `f64` is written with at most.
const F64_DIGITS: usize = 17;

/// A number in the one form that all ways to write it share: `1`, `1.0` and `10e-1` are `1e0`.
#[must_use]
pub fn canonical(number: &Number) -> String {
    let text = number.to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{part}");
    let digits = all.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    let Ok(exponent) = exponent.parse::<i64>() else {
        return text;
    };
    if kept.is_empty() {
        return "0e0".to_owned();
    }
    let dropped = i64::try_from(digits.len() - kept.len()).unwrap_or(0);
    let behind = i64::try_from(part.len()).unwrap_or(0);
    let exponent = exponent.saturating_add(dropped).saturating_sub(behind);
    format!("{sign}{kept}e{exponent}")
}

/// Whether two numbers are the same to a program that reads them as `f64`.
#[must_use]
pub fn same_f64(one: &Number, other: &Number) -> bool {
    one == other || nearest(one) == nearest(other)
}

/// The nearest `f64`; the largest one for what is beyond it.
fn nearest(number: &Number) -> f64 {
    let nearest: f64 = number.to_string().parse().unwrap_or(f64::NAN);
    nearest.clamp(f64::MIN, f64::MAX)
}

/// Whether `after` is what a program gives back that read `before` as an `f64`.
fn lost_digits(before: &Number, after: &Number) -> bool {
    let form = canonical(after);
    if form == canonical(before) {
        return true;
    }
    // Whole numbers of 64 bits are read exactly: another one was meant.
    let whole = |n: &Number| n.is_i64() || n.is_u64();
    let digits = form.trim_start_matches('-').find('e').unwrap_or(0);
    !(whole(before) && whole(after)) && digits <= F64_DIGITS && nearest(before) == nearest(after)
}

/// Writes the numbers of `after` as they stand in `before`, wherever a program that reads numbers as `f64` has
/// only passed them on.
pub fn restore(before: &Value, after: &mut Value) {
    match (before, after) {
        (Value::Number(before), Value::Number(after))
            if before != after && lost_digits(before, after) =>
        {
            after.clone_from(before);
        }
        (Value::Object(before), Value::Object(after)) => restore_map(before, after),
        (Value::Array(before), Value::Array(after)) => restore_list(before, after),
        _ => {}
    }
}

/// As [`restore`], for the entries of an object.
pub fn restore_map(before: &Map<String, Value>, after: &mut Map<String, Value>) {
    for (key, after) in after {
        if let Some(before) = before.get(key) {
            restore(before, after);
        }
    }
}

/// Objects are found by what names them, since others may have been added and taken away between; all else by
/// its place.
fn restore_list(before: &[Value], after: &mut [Value]) {
    let in_place = before.len() == after.len()
        && (before.iter().zip(&*after)).all(|(before, after)| name(before) == name(after));
    if in_place || before.iter().any(|value| name(value).is_none()) {
        for (before, after) in before.iter().zip(after) {
            restore(before, after);
        }
        return;
    }
    let mut by_name: HashMap<&str, Vec<&Value>> = HashMap::new();
    for value in before {
        let same = by_name.entry(name(value).unwrap_or_default());
        same.or_default().push(value);
    }
    for value in after {
        let Some(known) = name(value).and_then(|name| by_name.get_mut(name)) else {
            continue;
        };
        // Where one attribute has several answers: the one that it was, if it is still there.
        let same = |old: &&Value| alike(old, value);
        let at = known.iter().position(same).unwrap_or(0);
        if at < known.len() {
            restore(known.remove(at), value);
        }
    }
}

/// What an object is found by in a list.
fn name(value: &Value) -> Option<&str> {
    const NAMES: [&str; 5] = [
        "objectHash",
        "classificationHash",
        "featureHash",
        "uuid",
        "id",
    ];
    NAMES.iter().find_map(|key| value.get(key)?.as_str())
}

/// Equal but for lost digits.
fn alike(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Number(before), Value::Number(after)) => {
            before == after || lost_digits(before, after)
        }
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(b, a)| alike(b, a))
        }
        (Value::Object(before), Value::Object(after)) => {
            let same = |(key, b): (&String, &Value)| after.get(key).is_some_and(|a| alike(b, a));
            before.len() == after.len() && before.iter().all(same)
        }
        (before, after) => before == after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(before: &str, after: &str) -> String {
        let before: Value = serde_json::from_str(before).unwrap();
        let mut after: Value = serde_json::from_str(after).unwrap();
        restore(&before, &mut after);
        after.to_string()
    }

    #[test]
    fn every_way_to_write_a_number_has_one_form() {
        let form = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        for (text, same) in [
            ("1", "1e0"),
            ("1.0", "1e0"),
            ("10e-1", "1e0"),
            ("-0.0120E+2", "-12e-1"),
            ("0.0", "0e0"),
            ("-0", "0e0"),
            ("18446744073709551616", "18446744073709551616e0"),
            ("1e400", "1e400"),
        ] {
            assert_eq!(form(text), same, "{text}");
        }
    }

    #[test]
    fn digits_that_were_lost_on_the_way_through_f64_come_back() {
        for (before, after) in [
            ("1.10", "1.1"),
            ("18446744073709551616", "1.8446744073709552e19"),
            ("18446744073709551616", "18446744073709552000"),
            ("-99999999999999999999", "-1e20"),
            ("0.1000000000000000055", "0.1"),
            ("1e400", "1.7976931348623157e308"),
            ("-1e400", "-1.7976931348623157e+308"),
            ("-0.0", "0"),
            ("5", "5.0"),
            ("1E2", "100.0"),
        ] {
            // Of an exponent the sign is always written; its digits stay.
            let wanted: Value = serde_json::from_str(before).unwrap();
            assert_eq!(restored(before, after), wanted.to_string(), "{after}");
        }
    }

    #[test]
    fn a_number_that_was_changed_stays_changed() {
        for (before, after) in [
            ("18446744073709551616", "18446744073709551617"),
            ("9007199254740993", "9007199254740992"),
            ("1.10", "1.2"),
            ("1e400", "1.5"),
        ] {
            assert_eq!(restored(before, after), after, "{before}");
        }
    }

    #[test]
    fn objects_are_found_wherever_they_stand_now() {
        let before = r#"[{"objectHash":"a","n":1.10},{"objectHash":"b","n":1.100},{"objectHash":"c","n":1.1000}]"#;
        let after = r#"[{"objectHash":"c","n":1.1},{"objectHash":"new","n":1.1},{"objectHash":"a","n":1.1}]"#;
        let wanted = r#"[{"objectHash":"c","n":1.1000},{"objectHash":"new","n":1.1},{"objectHash":"a","n":1.10}]"#;
        assert_eq!(
            restored(before, after),
            serde_json::from_str::<Value>(wanted).unwrap().to_string()
        );
        let before = r#"[{"featureHash":"s","answers":1.10},{"featureHash":"s","answers":2.10}]"#;
        let after = r#"[{"featureHash":"s","answers":2.1}]"#;
        assert_eq!(
            restored(before, after),
            r#"[{"answers":2.10,"featureHash":"s"}]"#
        );
        assert_eq!(restored("[1.10,2.10]", "[1.1,3]"), "[1.10,3]");
        assert_eq!(
            restored(r#"{"a":{"b":[1.10]}}"#, r#"{"a":{"b":[1.1]},"c":1.1}"#),
            r#"{"a":{"b":[1.10]},"c":1.1}"#
        );
    }

    #[test]
    fn the_same_f64_is_the_same_to_most() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        let same = |one, other| same_f64(&number(one), &number(other));
        assert!(same("0.1", "0.1000000000000000055") && same("1", "1.0"));
        assert!(!same("0.1", "0.10000000000000002"));
    }
}
