//! Rows are read, changed and saved without a loss: digits that no `f64` holds, halves of surrogate pairs, parts
//! of groups.

use super::*;
use serde_json::Value;
use wb_core::work::wire::text;
use wb_core::work::{Inputs, LabelBlob};

const ODD: &str = r#"{"big": 18446744073709551617, "decimal": 1.10, "fine": 0.1000000000000000055, "zero": -0.0, "half": "x\ud83d", "private": "\udbf6\udc3d"}"#;

/// An upstream with one task, whose row is this text.
fn upstream(
    kind: &'static str,
    hash: Option<Uuid>,
    row: String,
) -> impl Fn(usize, &Request) -> Reply + Send + Sync {
    move |_, request| {
        let listed = |results: Value| {
            Reply::json(&json!({"results": results, "nextPageToken": null}).to_string())
        };
        if request.method == "GET" {
            return listed(
                json!([{"uuid": Uuid::from_u128(1), "createdAt": "2026-11-22T07:57:06Z",
                "updatedAt": "2026-11-22T07:57:06Z", "status": "NEW", "dataHash": Uuid::from_u128(1001),
                "dataTitle": "x", "labelBranchName": "main"}]),
            );
        }
        let answer = |text: &str| Reply::json(&format!(r#"{{"status": 200, "response": {text}}}"#));
        if !request.path().ends_with("/public") {
            return Reply::json("null");
        }
        let body = std::str::from_utf8(&request.body).unwrap();
        let asked: Value = text::parse(body).unwrap();
        match (
            asked["query_type"].as_str().unwrap(),
            asked["query_method"].as_str().unwrap(),
        ) {
            ("labelrowmetadata", _) => answer(&format!(
                r#"[{{"data_hash": "{}", "label_hash": {}, "branch_name": "main", "data_type": "{kind}", "data_title": "t\ude00",
                "dataset_hash": null, "dataset_title": null, "client_metadata": {ODD}}}]"#,
                Uuid::from_u128(1001),
                json!(hash),
            )),
            ("labelrow", "POST") => answer("true"),
            _ => answer(&format!("[{row}]")),
        }
    }
}

fn row(label: Uuid, more: &str) -> String {
    format!(
        r#"{{"label_hash": "{label}", "data_hash": "{}", "object_answers": {{}}, "object_actions": {{}}, "classification_answers": {{}},
        "data_units": {{"u": {{"labels": {{"objects": [], "classifications": []}}, "odd": {ODD}}}}}, "odd": {ODD}{more}}}"#,
        Uuid::from_u128(1001)
    )
}

async fn read(server: &Scripted) -> Inputs {
    let task = TaskRow {
        id: TaskId(Uuid::from_u128(1)),
        data: DataHash(Uuid::from_u128(1001)),
        created: Millis(0),
        updated: Millis(0),
        title: "x".into(),
        assignee: None,
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    };
    let fetch = FetchSpec {
        needs: needs::LABEL_ROW_WRITE,
        ..FetchSpec::default()
    };
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path().to_owned(), 1 << 20);
    let reader = server.reader();
    let inputs = reader
        .inputs(&project(), &stage(), &[task], &fetch, &cache)
        .await;
    inputs.into_iter().next().unwrap().unwrap()
}

async fn save(server: &Scripted, inputs: &Inputs, after: &Value) -> (Committed, Vec<String>) {
    let mut item = mover(1);
    item.before = inputs.labels.clone();
    item.labels_after = Some(LabelBlob::new(after));
    let writer = server.reader().writer(Permission::Command("test")).unwrap();
    let end = writer.commit(&project(), vec![item]).await.remove(0).1;
    let text = |request: Request| String::from_utf8(request.body).unwrap();
    let saves = |body: &String| body.contains(r#""query_method":"POST""#);
    (
        end,
        server
            .requests()
            .into_iter()
            .map(text)
            .filter(saves)
            .collect(),
    )
}

fn labels(inputs: &Inputs) -> Value {
    let json = &inputs.labels.as_ref().unwrap().json;
    serde_json::from_str::<Value>(json).unwrap()["labels"].clone()
}

#[tokio::test]
async fn a_row_is_saved_with_every_digit_and_half_of_a_pair_that_it_came_with() {
    let label = Uuid::from_u128(5);
    let server = Scripted::start(upstream("IMAGE", Some(label), row(label, ""))).await;
    let inputs = read(&server).await;
    let mut after = labels(&inputs);
    assert_eq!(after["odd"]["half"], "x\u{10D83D}");
    after["classification_answers"]["new"] = json!({"featureHash": "f"});
    let (end, saved) = save(&server, &inputs, &after).await;
    assert_eq!((end, saved.len()), (Committed::Done, 1));
    let compact: String = ODD.split(' ').collect();
    // Texts that are joined keep their spaces and escapes.
    let sent = saved[0].replace(": ", ":");
    let sent = sent.replace(r"\udbf6\udc3d", "\u{10D83D}");
    let compact = compact.replace(r"\udbf6\udc3d", "\u{10D83D}");
    for (name, value) in compact
        .trim_matches(['{', '}'])
        .split(',')
        .map(|pair| pair.split_once(':').unwrap())
    {
        let pair = format!("{name}:{value}");
        assert_eq!(sent.matches(&pair).count(), 2, "{pair} in {sent}");
    }
}

#[tokio::test]
async fn a_group_without_a_label_row_is_no_conflict_whatever_its_fresh_row_names() {
    let label = Uuid::from_u128(5);
    let part = |labels: &str| {
        format!(
            r#", "spaces": {{"left": {{"space_type": "image", "child_info": {{"data_link": "https://x/?sig=1"}}, "labels": {labels}}}}}"#
        )
    };
    for unit in ["{}", r#"{"objects": [], "classifications": []}"#] {
        for spaces in [
            String::new(),
            r#", "spaces": {}"#.to_owned(),
            part("{}"),
            part("null"),
        ] {
            let fresh =
                row(label, &spaces).replace(r#"{"objects": [], "classifications": []}"#, unit);
            let server = Scripted::start(upstream("GROUP", None, fresh)).await;
            let inputs = read(&server).await;
            let mut after = labels(&inputs);
            after["classification_answers"]["new"] = json!({"featureHash": "f"});
            let (end, saved) = save(&server, &inputs, &after).await;
            assert_eq!((end, saved.len()), (Committed::Done, 1), "{unit} {spaces}");
            assert_eq!(
                saved[0].contains("child_info"),
                spaces.contains("child_info")
            );
        }
    }
}

#[tokio::test]
async fn a_group_that_somebody_labelled_meanwhile_is_a_conflict_and_keeps_their_labels() {
    let label = Uuid::from_u128(5);
    let row = theirs(label);
    let server = Scripted::start(upstream("GROUP", None, row)).await;
    let mut inputs = read(&server).await;
    let mut after = labels(&inputs);
    after["classification_answers"]["new"] = json!({"featureHash": "f"});
    let (end, saved) = save(&server, &inputs, &after).await;
    assert!(
        matches!(end, Committed::Conflict { .. }) && saved.is_empty(),
        "{end:?}"
    );

    // Overwritten: ours is written over the row as it is now.
    let before = inputs.labels.as_mut().unwrap();
    before.label_hash = Some(wb_core::ids::LabelHash(label));
    let now = theirs(label)
        .replace(r"\ud83d", "\u{10D83D}")
        .replace(r"\udbf6\udc3d", "\u{10E000}\u{10D83D}");
    before.json = format!(r#"{{"metadata": {{}}, "labels": {now}}}"#).into();
    let (end, saved) = save(&server, &inputs, &after).await;
    assert_eq!((end, saved.len()), (Committed::Done, 1));
    for kept in [
        r#"{"objectHash":"theirs"}"#,
        r#""theirs":{"n":1}"#,
        r#""new":{"featureHash":"f"}"#,
    ] {
        assert!(saved[0].contains(kept), "{kept} in {}", saved[0]);
    }
}

/// The row with what somebody else drew on a part of the group.
fn theirs(label: Uuid) -> String {
    let theirs =
        r#", "spaces": {"left": {"labels": {"0": {"objects": [{"objectHash": "theirs"}]}}}}"#;
    row(label, theirs).replace(
        r#""object_answers": {}"#,
        r#""object_answers": {"theirs": {"n": 1}}"#,
    )
}
