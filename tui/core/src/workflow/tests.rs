//! Stages and pathways by name, nearest names, and edges of a specification.

use super::*;
use serde_json::json;

fn stage(n: u128, title: &str, kind: StageKind) -> Stage {
    Stage {
        id: StageId(Uuid::from_u128(n)),
        title: title.into(),
        kind,
        pathways: vec![],
    }
}

#[test]
fn a_misspelt_stage_finds_the_right_one() {
    let flow = Workflow {
        stages: vec![
            stage(1, "pre-label", StageKind::Agent),
            stage(2, "Review", StageKind::Review),
        ],
        edges: vec![],
    };
    assert_eq!(flow.nearest("prelabel"), ["pre-label"]);
    assert_eq!(flow.nearest("zzzzzz"), Vec::<&str>::new());
}

#[test]
fn two_stages_of_one_title_are_found_by_uuid_only() {
    let flow = Workflow {
        stages: vec![
            stage(1, "A", StageKind::Agent),
            stage(2, "A", StageKind::Agent),
        ],
        edges: vec![],
    };
    assert!(flow.find("A").is_none());
    assert_eq!(
        flow.find(&Uuid::from_u128(2).to_string())
            .map(|s| s.id.0.as_u128()),
        Some(2)
    );
}

#[test]
fn a_name_that_two_pathways_have_is_refused_and_both_uuids_are_shown() {
    let pathway = |n: u128, name: &str| Pathway {
        id: PathwayId(Uuid::from_u128(n)),
        name: name.into(),
        to: StageId(Uuid::from_u128(n)),
    };
    let mut of = stage(1, "A", StageKind::Agent);
    of.pathways = vec![pathway(7, "done"), pathway(8, "done"), pathway(9, "done ")];
    assert!(of.pathway("done").is_none());
    let (why, hint) = of.no_pathway("done");
    for n in [7, 8] {
        let id = Uuid::from_u128(n).to_string();
        assert!(why.contains(&id), "{why}");
        assert_eq!(of.pathway(&id).map(|p| p.id.0), Some(Uuid::from_u128(n)));
    }
    assert_eq!(hint, None);
    assert_eq!(of.pathway("done ").map(|p| p.id.0.as_u128()), Some(9));
}

#[test]
fn titles_that_differ_in_what_cannot_be_seen_are_shown_apart() {
    for (asked, title, shown) in [
        ("pre-label", "pre-label ", "\"pre-label\\u{20}\""),
        ("pre label", "pre\u{a0}label", "\"pre\\u{a0}label\""),
        ("pre-label", "\u{200b}pre-label", "\"\\u{200b}pre-label\""),
        ("caf\u{e9}", "cafe\u{301}", "\"cafe\\u{301}\""),
        ("cafe\u{301}", "caf\u{e9}", "\"caf\u{e9}\""),
    ] {
        let mut flow = Workflow {
            stages: vec![stage(1, title, StageKind::Agent)],
            edges: vec![],
        };
        let error = flow.no_stage(asked);
        assert_eq!(error.hints, [format!("did you mean {shown}?")]);
        assert_ne!(error.summary, format!("the project has no stage {shown}"));
        let pathway = Pathway {
            id: PathwayId(Uuid::from_u128(5)),
            name: title.into(),
            to: StageId(Uuid::from_u128(6)),
        };
        flow.stages[0].pathways.push(pathway);
        let (why, hint) = flow.stages[0].no_pathway(asked);
        assert_eq!(hint.as_deref(), Some(shown), "{why}");
    }
}

#[test]
fn a_trailing_comma_is_forgiven_outside_strings_only() {
    let text = r#"{"a": [1, 2,], "b": "x,]\\",
}"#;
    let value: Value = serde_json::from_str(&without_trailing_commas(text)).unwrap();
    assert_eq!(value, json!({"a": [1, 2], "b": "x,]\\"}));
}

#[test]
fn start_and_review_edges_are_learned_from_a_specification() {
    let mut flow = Workflow {
        stages: vec![
            stage(1, "Annotate", StageKind::Annotation),
            stage(2, "Review", StageKind::Review),
        ],
        edges: vec![],
    };
    let id = |n| Uuid::from_u128(n).to_string();
    let spec = json!({"graphNodes": [
        {"uuid": id(9), "nodeType": "START", "toNode": id(1)},
        {"uuid": id(1), "nodeType": "ANNOTATION", "toNode": id(2)},
        {"uuid": id(2), "nodeType": "REVIEW", "rejectNode": id(1), "approveNode": id(77)},
    ]});
    flow.learn_edges(&spec);
    flow.learn_edges(&spec);
    assert_eq!(flow.edges.len(), 3, "{:?}", flow.edges);
    assert_eq!(flow.edges[0].from, None);
    assert_eq!(flow.edges[2].label, "reject");
}
