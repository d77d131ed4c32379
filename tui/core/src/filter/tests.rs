//! The filter language: what matches, what is refused, what is asked of label rows.

use super::*;
use crate::ids::{BuildId, DataHash, PathwayId, StageId, TaskId};
use crate::work::TaskStatus;
use crate::workflow::{Pathway, Stage, StageKind};
use serde_json::json;
use uuid::Uuid;

fn row(title: &str) -> TaskRow {
    TaskRow {
        id: TaskId(Uuid::nil()),
        data: DataHash(Uuid::nil()),
        created: Millis(0),
        updated: Millis(0),
        title: title.into(),
        assignee: Some("ann@example.test".into()),
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

fn hit(filter: &str, title: &str) -> bool {
    let result = LastResult {
        build: BuildId(42),
        text: "skip".into(),
        failed: false,
        pathway: Some(PathwayId(Uuid::from_u128(7))),
        group: Some(0x1a2b_3c4d),
        labels: (4, 0, 0),
        ms: 1.0,
        at: Millis(0),
    };
    let row = row(title);
    let facts = Facts {
        row: &row,
        now: Millis(3 * 86_400_000),
        result: Some(&result),
        known: None,
    };
    Filter::parse(filter).unwrap().matches(&facts)
}

#[test]
fn bare_words_match_the_title_and_all_must_match() {
    assert!(hit("night CAM3", "cam3_night_000412.jpg"));
    assert!(!hit("night cam4", "cam3_night_000412.jpg"));
    assert!(hit("\"two words\"", "has two words inside"));
    assert!(!hit("\"two words\"", "two other words"));
    assert!(hit("straße", "STRASSE straße"));
}

#[test]
fn fields_compare_negate_and_join() {
    assert!(hit("status:new,reopened age>2d", "x"));
    assert!(!hit("age>4d", "x"));
    assert!(hit("-title~night", "day"));
    assert!(hit("title~night | title~day", "day"));
    assert!(hit(
        "assignee:ann build:42 label>3 route:skip result:ok",
        "x"
    ));
    assert!(!hit("-result:ok", "x"));
    assert!(hit("fault:0,1A2b3c4d", "x") && !hit("fault:0", "x"));
    assert!(
        Filter::parse("fault:none")
            .unwrap_err()
            .contains("1a2b3c4d")
    );
}

#[test]
fn what_stands_in_quotes_is_text_and_no_comma_or_operator_in_it_counts() {
    for (filter, title) in [
        ("title:\"a, b\"", "a, b"),
        ("title:\"a, b\",c", "c"),
        ("title:c,\"a, b\"", "A, B"),
        ("\"result:error\"", "the result:error of today"),
        ("\"status:nonsense\"", "status:nonsense"),
        ("\"a|b\"", "xa|by"),
        ("\"-x\"", "a-x"),
        ("title~\"a>b\"", "if a>b"),
        ("title:\"say \\\"hi\\\"\"", "say \"hi\""),
        ("title:\"back\\\\slash\"", "back\\slash"),
        ("5\"", "a 5\" disk"),
        ("5\" disk", "a 5\" disk"),
        ("title~5\"", "a 5\" disk"),
        ("it's", "it's here"),
        ("\"two wor", "two words"),
        ("-\"result:error\"", "another title"),
    ] {
        assert!(hit(filter, title), "{filter} for {title}");
    }
    for (filter, title) in [
        ("title:\"a, b\"", "a"),
        ("title:\"a,b\"", "b"),
        ("\"result:ok\"", "x"),
        ("-\"result:error\"", "the result:error of today"),
        ("title:\"say hi\"", "say \"hi\""),
    ] {
        assert!(!hit(filter, title), "{filter} for {title}");
    }
    assert!(knows("meta.site:\"x, y\",cam3") && !knows("meta.site:\"cam3,cam4\""));
    assert!(knows("label:\"Car\">3") && !knows("label:\"Car>3\""));
}

#[test]
fn an_unknown_field_is_answered_with_the_nearest() {
    assert_eq!(
        Filter::parse("statsu:new").unwrap_err(),
        "no field \"statsu\"; did you mean status:new?"
    );
    assert!(Filter::parse("age>tomorrow").unwrap_err().contains("1d"));
}

fn knows(filter: &str) -> bool {
    let known = Known {
        priority: Some(0.5),
        metadata:
            json!({"site": "cam3", "n": 7, "tags": ["Night", "wet"], "a": {"b": "c"}, "x.y": true})
                .as_object()
                .cloned(),
        labels: Some(BTreeMap::from([
            ("Car".to_owned(), 4),
            ("Weather".to_owned(), 1),
        ])),
        unreadable: false,
    };
    let row = row("x");
    let facts = Facts {
        row: &row,
        now: Millis(0),
        result: None,
        known: Some(&known),
    };
    Filter::parse(filter).unwrap().matches(&facts)
}

#[test]
fn priority_metadata_and_labels_are_matched_by_what_stands_in_the_row() {
    for holds in [
        "pri>=0.5",
        "priority<0.6",
        "meta.site=cam3",
        "meta.site:CAM3,cam4",
        "meta.site~am",
        "meta.n>6",
        "meta.tags:night",
        "meta.a.b=c",
        "meta.x.y=true",
        "meta.nothing:none",
        "-meta.site=cam4",
        "label:Car>3",
        "label:car",
        "label:Weather=1",
        "-label:Bus",
    ] {
        assert!(knows(holds), "{holds}");
    }
    for fails in [
        "pri>0.5",
        "meta.site=cam",
        "meta.n>7",
        "label:Car>4",
        "label:Bus",
        "meta.site:none",
    ] {
        assert!(!knows(fails), "{fails}");
    }
}

#[test]
fn terms_about_the_row_are_left_to_later_and_the_others_are_decided_at_once() {
    let filter = Filter::parse("night pri>=0.5 title~day | label:Car").unwrap();
    assert_eq!(
        filter.asks(),
        Asks {
            row: true,
            labels: true
        }
    );
    assert_eq!(filter.cheap(), Filter::parse("night").unwrap());
    assert!(!Filter::parse("night age>1d label>3").unwrap().asks().any());
}

#[test]
fn every_form_that_is_shown_is_understood() {
    for (form, _) in FORMS {
        assert!(Filter::parse(form).is_ok(), "{form}");
    }
}

#[test]
fn a_status_that_no_task_can_have_is_refused_instead_of_matching_nothing() {
    let wrong = Filter::parse("status:new,reopend").unwrap_err();
    assert!(
        wrong.contains("\"reopend\"") && wrong.contains("reopened"),
        "{wrong}"
    );
    for status in TaskStatus::ALL {
        assert_eq!(TaskStatus::from_wire(status.wire()), status);
        let begun = &status.wire()[..3];
        assert!(Filter::parse(&format!("status:{begun}")).is_ok(), "{begun}");
    }
}

#[test]
fn half_typed_filters_never_panic() {
    for text in [
        "-",
        "|",
        "\"",
        ":",
        "age>",
        "status:",
        "~",
        "ä",
        "-|-",
        "status:ä",
        "label:",
        "label:>",
        "label:>3",
        "meta.",
        "meta.=",
        "meta..~",
        "pri>",
        "pri:NaN",
    ] {
        if let Ok(filter) = Filter::parse(text) {
            let row = row("é");
            let _ = filter.matches(&Facts {
                row: &row,
                now: Millis(0),
                result: None,
                known: None,
            });
        }
    }
}

#[test]
fn a_term_about_a_row_that_cannot_be_read_holds_neither_way() {
    let (row, known) = (
        row("x"),
        Known {
            unreadable: true,
            ..Known::default()
        },
    );
    let facts = Facts {
        row: &row,
        now: Millis(0),
        result: None,
        known: Some(&known),
    };
    for filter in [
        "label:Car",
        "-label:Car",
        "label:Car<1",
        "pri<2",
        "-pri<2",
        "-meta.site=a",
    ] {
        let filter = Filter::parse(filter).unwrap();
        assert!(filter.asks().answered_by(&known), "it is asked for once");
        assert!(!filter.matches(&facts), "{filter:?}");
    }
    assert!(Filter::parse("x status:new").unwrap().matches(&facts));
}

#[test]
fn an_age_without_a_unit_is_refused_with_one_that_has_it() {
    for filter in ["age>30", "age<1.5", "age:0", "-age>=30"] {
        let refused = Filter::parse(filter).unwrap_err();
        let number = filter.trim_start_matches(|c: char| !c.is_ascii_digit());
        assert!(
            refused.contains(&format!("did you mean {number}s?")),
            "{refused}"
        );
    }
    for (filter, holds) in [
        ("age>1d12h", true),
        ("age>71h", true),
        ("age>4321min", false),
        ("age<500ms", false),
    ] {
        assert_eq!(hit(filter, "x"), holds, "{filter}");
    }
}

#[test]
fn a_route_is_a_pathway_by_its_uuid_or_by_a_name_that_only_one_has() {
    let id = |n| Uuid::from_u128(n).to_string();
    assert!(hit(&format!("route:{}", id(7)), "x") && !hit(&format!("route:{}", id(8)), "x"));
    assert!(hit(&format!("route:{},{}", id(8), id(7)), "x"));
    let pathway = |n, name: &str| Pathway {
        id: PathwayId(Uuid::from_u128(n)),
        name: name.to_owned(),
        to: StageId(Uuid::from_u128(100)),
    };
    let stage = |pathways| Stage {
        id: StageId(Uuid::from_u128(1)),
        title: "pre-label ".to_owned(),
        kind: StageKind::Agent,
        pathways,
    };
    let stages = [
        stage(vec![pathway(6, "once"), pathway(9, "other")]),
        stage(vec![
            pathway(7, "done"),
            pathway(8, "Done"),
            pathway(10, "other"),
        ]),
    ];
    let clear = |filter: &str| Filter::parse(filter).unwrap().is_clear_in(&stages);
    for filter in ["route:done", "-route:done", "status:new | route:once,DONE"] {
        let refused = clear(filter).unwrap_err();
        for part in ["2 pathways", &id(7), &id(8), "UUID", "\"pre-label\\u{20}\""] {
            assert!(refused.contains(part), "{part} is missing in: {refused}");
        }
    }
    for filter in [
        "route:once",
        "route:other",
        "route:stay",
        &format!("route:{}", id(8)),
        "done",
    ] {
        assert_eq!(clear(filter), Ok(()), "{filter}");
    }
}
