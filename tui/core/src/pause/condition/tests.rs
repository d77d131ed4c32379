//! Conditions by table: what holds, what cannot be read, and what cannot be compared.

use super::*;
use serde_json::json;

fn facts() -> Value {
    json!({
        "title": "cam3_night_01.jpg", "kind": "checkpoint", "name": "detections", "ms": 620.5,
        "route": null, "error": null, "priority": 0.25, "labels": {"added": 3, "changed": 0, "removed": 1},
    })
}

fn boxes() -> Value {
    json!([
        {"class": "car", "score": 0.93, "at": {"x": 0.1}},
        {"class": "ped", "score": 0.4, "at": {"x": 0.7}},
        {"class": "ped", "score": 0.64, "at": {"x": 0.8}, "late": true},
    ])
}

fn holds(text: &str, value: &Value) -> Result<bool, String> {
    let condition = Condition::parse(text).map_err(|error| error.to_string())?;
    let facts = facts();
    condition.holds(Scene::new(value, &facts))
}

#[test]
fn conditions_hold_or_do_not() {
    let list = boxes();
    let object = json!({"boxes": boxes(), "threshold": 0.5, "title": "own", "none": [], "big": 12_345_678_901_u64});
    let plain = json!(41.5);
    for (text, value, expected) in [
        ("count(score > 0.5) < 5", &list, true),
        ("count(score > 0.5) == 2", &list, true),
        ("count > 2", &list, true),
        ("score < 0.5 && count > 3", &list, false),
        ("score < 0.5 && count == 3", &list, true),
        ("score > 0.95", &list, false),
        ("all(score > 0.3)", &list, true),
        ("any(class == \"car\" && score < 0.9)", &list, false),
        ("max(score) > 0.9 && min(score) >= 0.4", &list, true),
        ("sum(score) > 1.9 && sum(score) < 2", &list, true),
        ("at.x == 0.7", &list, true),
        ("any(late)", &list, true),
        ("count(!late) == 2", &list, true),
        ("value[0].class == 'car'", &list, true),
        ("class != \"car\"", &list, true),
        ("boxes.count(score > threshold) == 2", &object, true),
        ("boxes.count(score > 0.5) == 2", &object, true),
        ("boxes[1].score == 0.4", &object, true),
        ("len(boxes) == 3 && boxes.len() == 3", &object, true),
        ("title == \"own\"", &object, true),
        ("threshold * 2 == 1", &object, true),
        ("big == 12345678901", &object, true),
        ("none", &object, false),
        ("missing > 1 || missing < 1 || missing == 1", &object, false),
        ("missing == null", &object, true),
        ("value > 40 && value < 42", &plain, true),
        ("-value < -41", &plain, true),
        ("value / 0 > 1", &plain, false),
        ("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9", &plain, true),
        ("ms > 500", &plain, true),
        ("ms > 1_000", &plain, false),
        ("error", &plain, false),
        ("!error", &plain, true),
        ("route == \"skip\"", &plain, false),
        ("labels.removed > 0", &plain, true),
        ("priority < 0.3", &plain, true),
        ("contains(title, \"night\")", &plain, true),
        ("title.contains(\"day\")", &plain, false),
        ("contains(value, \"a\")", &plain, false),
    ] {
        assert_eq!(holds(text, value), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_what_to_write() {
    for (text, expected) in [
        ("", "a condition is missing, e.g. ms > 500 (at character 1)"),
        (
            "ms = 5",
            "unknown operator \"=\"; use \"==\" (at character 4)",
        ),
        (
            "ms > 5 and error",
            "use \"&&\" instead of \"and\" (at character 8)",
        ),
        (
            "ms > 5 & error",
            "unknown operator \"&\"; use \"&&\" (at character 8)",
        ),
        ("not error", "use \"!\" instead of \"not\" (at character 1)"),
        ("ms >", "it ends here; a value is missing (at character 5)"),
        ("(ms > 5", "it ends here; \")\" is missing (at character 8)"),
        (
            "ms > 5)",
            "expected an operator or the end, found \")\" (at character 7)",
        ),
        (
            "route == \"skip",
            "this text has no closing quote (at character 10)",
        ),
        (
            "cuont(score > 1) > 2",
            "unknown function \"cuont\"; did you mean count? (at character 1)",
        ),
        (
            "max() > 2",
            "max takes one condition or value (at character 1)",
        ),
        ("ms > 5s", "\"5s\" is not a number (at character 6)"),
        (
            "1 < ms < 5",
            "compare two values at a time: put \"&&\" between < and this (at character 8)",
        ),
        (
            "boxes[x]",
            "expected a number, counted from 0, found x (at character 7)",
        ),
        ("ms > .4", "expected a value, found \".\" (at character 6)"),
        (
            "ms > ä#",
            "\"#\" means nothing in a condition (at character 7)",
        ),
    ] {
        let error = Condition::parse(text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
    let deep = "(".repeat(5000);
    assert!(
        Condition::parse(&deep)
            .unwrap_err()
            .why
            .contains("nested too deeply")
    );
    assert!(Condition::parse(&"!".repeat(5000)).is_err());
}

#[test]
fn what_cannot_be_compared_is_an_error_and_not_a_no() {
    let list = boxes();
    assert_eq!(
        holds("class > 0.5", &list).unwrap_err(),
        "\"car\" and 0.5 cannot be compared by size"
    );
    assert_eq!(
        holds("title * 2 > 1", &list).unwrap_err(),
        "\"cam3_night_01.jpg\" is not a number"
    );
}
