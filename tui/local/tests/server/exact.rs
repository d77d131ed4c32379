//! Saved data are returned exactly as sent: numbers with all their digits, unknown fields, half surrogates.

use serde_json::{Value, json};
use wb_local::{ServeOptions, Served};

use crate::common::{Client, file, with};

/// Numbers beyond 64 bits, one for each place in a row.
const DIGITS: [&str; 9] = [
    "123456789012345678901234567890",
    "-98765432109876543210987654321",
    "0.10000000000000000000000000000000001",
    "1e400",
    "18446744073709551617",
    "3.14159265358979323846264338327950288",
    "0.30000000000000000000000000000000000004",
    "170141183460469231731687303715884105729",
    "2.50",
];

const PICTURE: &str = "00000000-0000-0000-0000-0000000000aa";
const GROUP: &str = "00000000-0000-0000-0000-0000000000bb";
const PART: &str = "00000000-0000-0000-0000-0000000000cc";
const NOTE: &str = "00000000-0000-0000-0000-0000000000dd";

async fn world() -> (tempfile::TempDir, Served, Client) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"{{
        "ontologies": [{{"title": "Exact", "structure": {{"objects": [], "future": {0}, "classifications": [
            {{"featureNodeHash": "Count001", "attributes": [
                {{"name": "Count", "type": "numeric", "featureNodeHash": "CountAt1", "min": {1}, "max": {2}}}]}}]}}}}],
        "datasets": [{{"title": "Data", "items": [
            {{"type": "image", "id": "{PICTURE}", "clientMetadata": {{"serial": {0}, "deep": [{{"x": {2}}}]}}}},
            {{"type": "group", "id": "{GROUP}", "children": [
                {{"type": "image", "id": "{PART}"}}, {{"type": "plainText", "id": "{NOTE}"}}]}}]}}]
        }}"#,
        DIGITS[0], DIGITS[1], DIGITS[2]
    );
    let path = file(folder.path(), "world.json", &text);
    let (served, client) = with(ServeOptions {
        scenario_file: Some(path),
        ..ServeOptions::default()
    })
    .await;
    (folder, served, client)
}

/// A legacy call as text, and its answer as text.
async fn call(client: &Client, kind: &str, method: &str, uid: &str, payload: &str) -> String {
    let project = client.project.to_string();
    let body = format!(
        r#"{{"query_type": "{kind}", "query_method": "{method}", "values": {{"uid": {uid}, "payload": {payload}}}}}"#
    );
    let request = client.legacy_text("/public", ("project", &project), body);
    request.send().await.unwrap().text().await.unwrap()
}

async fn v2(client: &Client, method: &str, path: &str, body: &str) -> String {
    let request = client.signed(method, &format!("/v2/public{path}"), body.as_bytes());
    request.send().await.unwrap().text().await.unwrap()
}

async fn label_hash(client: &Client, data_hash: &str) -> String {
    let row = client.label_row(&json!(data_hash)).await;
    row["label_hash"].as_str().unwrap().to_owned()
}

async fn save(client: &Client, hash: &str, row: &str) {
    let answer = call(
        client,
        "labelrow",
        "POST",
        &format!(r#"["{hash}"]"#),
        &format!(
            r#"{{"multi_request": true, "labels": [{row}], "validate_before_saving": false}}"#
        ),
    )
    .await;
    assert_eq!(answer, r#"{"status":200,"response":true}"#);
}

async fn read(client: &Client, hash: &str, more: &str) -> String {
    let payload = format!(r#"{{"multi_request": true, "get_signed_url": false{more}}}"#);
    call(
        client,
        "labelrow",
        "GET",
        &format!(r#"["{hash}"]"#),
        &payload,
    )
    .await
}

#[tokio::test]
async fn numbers_of_a_label_row_keep_their_digits_at_every_level() {
    let (_folder, _served, client) = world().await;
    let hash = label_hash(&client, PICTURE).await;
    let d = DIGITS;
    let row = format!(
        r#"{{"label_hash": "{hash}", "x_row": {{"n": {0}}},
        "data_units": {{"{PICTURE}": {{"x_unit": [{1}], "labels": {{"x_labels": {2}, "classifications": [], "objects": [
            {{"objectHash": "AAAAAAA1", "featureHash": "Feature1", "confidence": {3},
              "boundingBox": {{"x": {4}, "y": 0.5, "w": 0.1, "h": 0.1}}}}]}}}}}},
        "object_answers": {{"AAAAAAA1": {{"objectHash": "AAAAAAA1", "classifications": [{{"answers": {5}}}]}}}},
        "classification_answers": {{"CCCCCCC1": {{"classificationHash": "CCCCCCC1", "featureHash": "Count001",
            "classifications": [{{"answers": {6}}}], "range": [[0, 0]]}}}},
        "object_actions": {{"AAAAAAA1": {{"actions": [{{"answers": {7}}}]}}}},
        "spaces": {{"x_space": {{"n": {8}}}}}}}"#,
        d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8]
    );
    save(&client, &hash, &row).await;
    let whole = |text: &str| d.iter().all(|n| text.contains(n));
    let back = read(&client, &hash, "").await;
    assert!(whole(&back), "{back}");
    // Also where the row is looked through, and where it is copied.
    let filter = r#", "include_object_feature_hashes": ["Feature1"], "include_classification_feature_hashes": ["Count001"]"#;
    let filtered = read(&client, &hash, filter).await;
    assert!(whole(&filtered), "{filtered}");
    let path = format!("/projects/{}/labels/copy-branch", client.project);
    let branches = r#"{"sourceBranchName": "main", "targetBranchName": "second"}"#;
    assert_eq!(
        v2(&client, "POST", &path, branches).await,
        r#"{"copiedCount":1}"#
    );
    let uid = format!(r#"["{PICTURE}"]"#);
    let copy = call(
        &client,
        "labelrow",
        "PUT",
        &uid,
        r#"{"branch_name": "second"}"#,
    )
    .await;
    assert!(whole(&copy), "{copy}");
    // The row goes through a save of what was read, as clients save.
    let row = &back[br#"{"status":200,"response":["#.len()..back.len() - 2];
    save(&client, &hash, row).await;
    let again = read(&client, &hash, "").await;
    assert!(whole(&again), "{again}");
    let path = format!("/projects/{}/label-rows/classifications", client.project);
    let answers = v2(
        &client,
        "POST",
        &path,
        &format!(r#"{{"labelUuids": ["{hash}"]}}"#),
    )
    .await;
    assert!(answers.contains(d[6]), "{answers}");
}

#[tokio::test]
async fn somebody_elses_edit_leaves_the_digits_of_other_labels() {
    let (_folder, _served, client) = world().await;
    let hash = label_hash(&client, PICTURE).await;
    let row = format!(
        r#"{{"classification_answers": {{}}, "object_answers": {{"AAAAAAA1": {{"n": {0}}}}}, "x_row": {0}}}"#,
        DIGITS[0]
    );
    save(&client, &hash, &row).await;
    let (status, answer) = client
        .local_post("edit", json!({"data_hash": PICTURE}))
        .await;
    assert_eq!((status, &answer["label_hash"]), (200, &json!(hash)));
    let back = read(&client, &hash, "").await;
    assert_eq!(back.matches(DIGITS[0]).count(), 2, "{back}");
}

#[tokio::test]
async fn client_metadata_and_ontologies_keep_their_digits() {
    let (_folder, _served, client) = world().await;
    let rows = r#"{"include_client_metadata": true}"#;
    let listed = call(&client, "labelrowmetadata", "GET", "null", rows).await;
    let made = format!(
        r#"{{"serial": {}, "deep": [{{"x": {}}}]}}"#,
        DIGITS[0], DIGITS[2]
    );
    assert!(listed.contains(&made), "{listed}");
    let item = client.rows(json!({"data_hashes": [PICTURE]})).await[0]["backing_item_uuid"].clone();
    let item = item.as_str().unwrap();
    let patch = format!(
        r#"{{"clientMetadata": {{"serial": {}, "half": "\ud83d"}}}}"#,
        DIGITS[1]
    );
    let path = format!("/storage/folders/{item}/items/{item}");
    let patched = v2(&client, "PATCH", &path, &patch).await;
    let kept = format!(r#"{{\"serial\": {}, \"half\": \"\\ud83d\"}}"#, DIGITS[1]);
    assert!(patched.contains(&kept), "{patched}");
    let listed = call(&client, "labelrowmetadata", "GET", "null", rows).await;
    assert!(
        listed.contains(DIGITS[1]) && !listed.contains(DIGITS[0]),
        "{listed}"
    );

    let project = client.get(&format!("/projects/{}", client.project)).await;
    let path = format!("/ontologies/{}", project["ontologyHash"].as_str().unwrap());
    let first = v2(&client, "GET", &path, "").await;
    assert!(DIGITS[..3].iter().all(|n| first.contains(n)), "{first}");
    let editor = format!(
        r#"{{"objects": [], "classifications": [], "future": [{}]}}"#,
        DIGITS[3]
    );
    let saved = v2(
        &client,
        "PUT",
        &path,
        &format!(r#"{{"title": "t", "editor": {editor}}}"#),
    )
    .await;
    assert_eq!(saved, "null");
    for path in [path, format!("/projects/{}", client.project)] {
        let text = v2(&client, "GET", &path, "").await;
        assert!(text.contains(DIGITS[3]), "{text}");
    }
    let legacy = call(&client, "project", "GET", "null", "null").await;
    assert!(legacy.contains(DIGITS[3]), "{legacy}");
}

#[tokio::test]
async fn client_metadata_that_are_not_an_object_are_refused() {
    let (_folder, _served, client) = world().await;
    let item = client.rows(json!({"data_hashes": [PICTURE]})).await[0]["backing_item_uuid"].clone();
    let path = format!("/storage/folders/{0}/items/{0}", item.as_str().unwrap());
    let body = json!({"clientMetadata": [1]});
    let (status, answer) = client.v2("PATCH", &path, Some(body)).await;
    assert_eq!(status, 400);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("not a JSON object")
    );
}

#[tokio::test]
async fn a_group_without_labels_has_no_frames_and_its_labels_are_read_by_frame() {
    let (_folder, _served, client) = world().await;
    let row = client.label_row(&json!(GROUP)).await;
    let labels = |row: &Value| row["data_units"][GROUP]["labels"].clone();
    assert_eq!((labels(&row), &row["spaces"]), (json!({}), &json!({})));
    // Newer clients save a group like a picture, labels on its parts beside it.
    let hash = row["label_hash"].as_str().unwrap();
    let saved = |labels: &str| {
        format!(
            r#"{{"data_units": {{"{GROUP}": {{"x_unit": 1.50, "labels": {labels}}}}}, "object_answers": {{"AAAAAAA1": {{}}}},
            "classification_answers": {{}}, "x_row": "kept", "spaces": {{"{PART}": {{"space_type": "image", "x_space": 2.50,
            "labels": {{"0": {{"objects": [{{"objectHash": "AAAAAAA1", "x_object": 3.50}}], "x_frame": 4.50}}}}}},
            "{NOTE}": {{"space_type": "text", "labels": {{}}}}}}}}"#
        )
    };
    save(
        &client,
        hash,
        &saved(r#"{"objects": [], "classifications": []}"#),
    )
    .await;
    let text = read(&client, hash, "").await;
    for kept in [
        r#""x_unit":1.50"#,
        r#""x_row":"kept""#,
        r#""x_space":2.50"#,
        r#""x_object":3.50"#,
        r#""x_frame":4.50"#,
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    let back = client.label_row(&json!(GROUP)).await;
    assert_eq!(labels(&back), json!({}));
    let author = &back["spaces"][PART]["labels"]["0"]["objects"][0]["createdBy"];
    assert_eq!(author, "agent@example.test");
    let list = r#"{"objects": [], "classifications": [{"classificationHash": "CCCCCCC1"}]}"#;
    save(&client, hash, &saved(list)).await;
    let back = client.label_row(&json!(GROUP)).await;
    let frame: Value = serde_json::from_str(list).unwrap();
    assert_eq!(labels(&back), json!({"0": frame}));
    // What is by frame already stays.
    save(&client, hash, &saved(&json!({"0": frame}).to_string())).await;
    assert_eq!(
        labels(&client.label_row(&json!(GROUP)).await),
        json!({"0": frame})
    );
    // A save replaces the row whole: empty spaces over full ones empty them.
    let empty =
        r#"{"data_units": {}, "object_answers": {}, "classification_answers": {}, "spaces": {}}"#;
    save(&client, hash, empty).await;
    let back = client.label_row(&json!(GROUP)).await;
    assert_eq!((&back["spaces"], back.get("x_row")), (&json!({}), None));
}

#[tokio::test]
async fn fields_computed_by_the_server_are_ignored_in_a_save() {
    let (_folder, _served, client) = world().await;
    let mut row = client.label_row(&json!(PICTURE)).await;
    let before = row.clone();
    for (key, value) in [
        ("data_title", json!("another")),
        ("created_at", json!("Sun, 22 Nov 2020 07:57:53 UTC")),
        ("priority", json!(0.9)),
        ("is_valid", json!(false)),
    ] {
        row[key] = value;
    }
    row["data_units"][PICTURE]["width"] = json!(7);
    client.save(&[&row]).await.unwrap();
    let mut back = client.label_row(&json!(PICTURE)).await;
    back["last_edited_at"] = before["last_edited_at"].clone();
    assert_eq!(back, before);
}

#[tokio::test]
async fn half_surrogates_and_deep_nesting_in_labels_are_kept() {
    let (_folder, _served, client) = world().await;
    let hash = label_hash(&client, PICTURE).await;
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let row = format!(
        r#"{{"data_units": {{"{PICTURE}": {{"labels": {{"objects": [{{"objectHash": "AAAAAAA1", "name": "\ud800"}}]}}}}}},
        "object_answers": {{"AAAAAAA1": {{"classifications": [{{"answers": "half \udc00 a pair"}}], "deep": {deep}}}}}}}"#
    );
    save(&client, &hash, &row).await;
    let back = read(&client, &hash, "").await;
    for kept in [
        r#""name":"#,
        r#""\ud800""#,
        r#""half \udc00 a pair""#,
        &deep,
    ] {
        assert!(back.contains(kept), "{kept}: {back}");
    }
}

#[tokio::test]
async fn an_invalid_data_hash_is_refused_and_the_row_stays_readable() {
    let (_folder, _served, client) = world().await;
    let hash = label_hash(&client, PICTURE).await;
    let before = read(&client, &hash, "").await;
    for (unit, words) in [
        (r#""boo": {"labels": {}}"#, "not a data hash"),
        (&*format!(r#""{PICTURE}": "boo""#), "is not an object"),
    ] {
        let payload = format!(r#"{{"labels": [{{"data_units": {{{unit}}}}}]}}"#);
        let uid = format!(r#"["{hash}"]"#);
        let answer = call(&client, "labelrow", "POST", &uid, &payload).await;
        assert!(
            answer.contains("INVALID_ARGUMENTS_ERROR") && answer.contains(words),
            "{answer}"
        );
    }
    assert_eq!(read(&client, &hash, "").await, before);
}
