//! Label rows: created, saved, read back, on branches.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use wb_local::Scenario;

use crate::common::{Client, start, with_box};

/// What the server adds on saving, at any depth.
fn without_additions(value: &Value) -> Value {
    const ADDED: [&str; 6] = [
        "createdBy",
        "lastEditedBy",
        "objectNumber",
        "last_edited_at",
        "createdAt",
        "lastEditedAt",
    ];
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(k, _)| !ADDED.contains(&k.as_str()));
            Value::Object(
                kept.map(|(k, v)| (k.clone(), without_additions(v)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(list) => list.iter().map(without_additions).collect(),
        other => other.clone(),
    }
}

async fn read(client: &Client, label_hash: &Value, payload: Value) -> Value {
    client
        .legacy("labelrow", "GET", json!([label_hash]), payload)
        .await
        .unwrap()[0]
        .take()
}

/// A row of this type, with the labels that the real client sent for such a row.
async fn captured(client: &Client, kind: &str, capture: &str) -> Value {
    let capture: Value = serde_json::from_str(capture).unwrap();
    let rows = client.rows(json!({})).await;
    let meta = rows
        .iter()
        .find(|r| r["data_type"] == kind.to_uppercase())
        .unwrap();
    let mut row = client.label_row(&meta["data_hash"]).await;
    assert_eq!(row["data_type"], kind);
    for key in ["object_answers", "classification_answers", "object_actions"] {
        row[key] = capture[key].clone();
    }
    // The image group's units are ordered by their sequence, whatever their hashes are.
    let by_sequence = |v: &Value| v["data_sequence"].to_string();
    let mut labels: Vec<&Value> = capture["data_units"]
        .as_object()
        .unwrap()
        .values()
        .collect();
    labels.sort_by_key(|v| by_sequence(v));
    let mut units: Vec<&mut Value> = row["data_units"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .collect();
    units.sort_by_key(|v| by_sequence(v));
    for (unit, from) in units.into_iter().zip(labels) {
        unit["labels"] = from["labels"].clone();
    }
    row
}

#[tokio::test]
async fn captured_saves_of_every_type_round_trip() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    for (kind, capture) in [
        ("image", include_str!("../captures/save-image.json")),
        ("video", include_str!("../captures/save-video.json")),
        ("img_group", include_str!("../captures/save-img_group.json")),
        (
            "plain_text",
            include_str!("../captures/save-plain_text.json"),
        ),
        ("audio", include_str!("../captures/save-audio.json")),
    ] {
        let row = captured(&client, kind, capture).await;
        assert_eq!(client.save(&[&row]).await.unwrap(), true);
        let back = read(&client, &row["label_hash"], json!({"multi_request": true})).await;
        assert_eq!(without_additions(&back), without_additions(&row), "{kind}");
        let expected: Value = serde_json::from_str(capture).unwrap();
        let keys = |v: &Value| {
            v.as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        let missing: Vec<_> = keys(&expected).difference(&keys(&back)).cloned().collect();
        assert!(missing.is_empty(), "{kind} lacks {missing:?}");
        let unit = |v: &Value| {
            keys(
                v["data_units"]
                    .as_object()
                    .unwrap()
                    .values()
                    .next()
                    .unwrap(),
            )
        };
        assert_eq!(unit(&back), unit(&expected), "{kind}");
    }
}

#[tokio::test]
async fn authors_and_object_numbers_are_filled_in_and_numbers_stay() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let row = with_box(client.label_row(&hash).await, "AAAAAAA1");
    client.save(&[&row]).await.unwrap();
    let back = read(&client, &row["label_hash"], json!({})).await;
    let unit = &back["data_units"][hash.as_str().unwrap()];
    assert_eq!(
        unit["labels"]["objects"][0]["createdBy"],
        "agent@example.test"
    );
    assert_eq!(back["object_answers"]["AAAAAAA1"]["objectNumber"], 1);
    // A second object before the first in every order: the first keeps its number.
    let mut more = back.clone();
    let mut object = unit["labels"]["objects"][0].clone();
    object["objectHash"] = json!("AAAAAAA0");
    object["createdBy"] = json!("somebody@example.test");
    more["data_units"][hash.as_str().unwrap()]["labels"]["objects"]
        .as_array_mut()
        .unwrap()
        .push(object);
    more["object_answers"]["AAAAAAA0"] = json!({"objectHash": "AAAAAAA0", "classifications": []});
    client.save(&[&more]).await.unwrap();
    let back = read(&client, &row["label_hash"], json!({})).await;
    assert_eq!(back["object_answers"]["AAAAAAA1"]["objectNumber"], 1);
    assert_eq!(back["object_answers"]["AAAAAAA0"]["objectNumber"], 2);
    let objects = &back["data_units"][hash.as_str().unwrap()]["labels"]["objects"];
    assert_eq!(objects[1]["createdBy"], "somebody@example.test");
}

#[tokio::test]
async fn a_save_replaces_the_row_and_one_bad_row_refuses_all() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let metas = client.rows(json!({})).await;
    let one = with_box(client.label_row(&metas[0]["data_hash"]).await, "AAAAAAA1");
    let empty = client.label_row(&metas[0]["data_hash"]).await;
    client.save(&[&one]).await.unwrap();
    client.save(&[&empty]).await.unwrap();
    assert_eq!(
        read(&client, &one["label_hash"], json!({})).await["object_answers"],
        json!({})
    );
    let mut orphan = with_box(client.label_row(&metas[1]["data_hash"]).await, "AAAAAAA2");
    orphan["object_answers"] = json!({});
    assert_eq!(
        client.save(&[&one, &orphan]).await.unwrap_err(),
        "ANSWER_DICTIONARY_ERROR"
    );
    assert_eq!(
        read(&client, &one["label_hash"], json!({})).await["object_answers"],
        json!({})
    );
    let mut stranger = one.clone();
    stranger["label_hash"] = json!("00000000-0000-0000-0000-000000000001");
    assert_eq!(
        client.save(&[&stranger]).await.unwrap_err(),
        "RESOURCE_NOT_FOUND_ERROR"
    );
}

#[tokio::test]
async fn creating_is_idempotent_and_keeps_the_order_asked_for() {
    let (_served, client) = start(Scenario::Seed, 6).await;
    let mut hashes: Vec<Value> = client
        .rows(json!({}))
        .await
        .iter()
        .map(|r| r["data_hash"].clone())
        .collect();
    hashes.reverse();
    let payload = json!({"multi_request": true, "get_signed_url": false, "branch_name": "main"});
    let first = client
        .legacy("labelrow", "PUT", json!(hashes), payload.clone())
        .await
        .unwrap();
    let again = client
        .legacy("labelrow", "PUT", json!(hashes), payload.clone())
        .await
        .unwrap();
    assert_eq!(first, again);
    let order: Vec<Value> = first
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["data_hash"].clone())
        .collect();
    assert_eq!(order, hashes);
    let unknown = json!(["00000000-0000-0000-0000-000000000001"]);
    assert_eq!(
        client
            .legacy("labelrow", "PUT", unknown.clone(), payload)
            .await
            .unwrap_err(),
        "RESOURCE_NOT_FOUND_ERROR"
    );
    assert_eq!(
        client
            .legacy("labelrow", "GET", unknown, json!({}))
            .await
            .unwrap(),
        json!([])
    );
}

#[tokio::test]
async fn branches_are_separate_rows() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    client.label_row(&hash).await;
    let on = async |branch: &str| {
        client
            .rows(json!({"branch_name": branch, "data_hashes": [hash]}))
            .await[0]
            .clone()
    };
    let meta = on("my-branch").await;
    assert_eq!(
        (&meta["branch_name"], &meta["label_hash"]),
        (&json!("my-branch"), &Value::Null)
    );
    let payload = json!({"multi_request": true, "branch_name": "my-branch"});
    let row = client
        .legacy("labelrow", "PUT", json!([hash]), payload)
        .await
        .unwrap()[0]
        .take();
    assert_eq!(row["branch_name"], "my-branch");
    assert_eq!(on("my-branch").await["label_hash"], row["label_hash"]);
    assert_ne!(on("main").await["label_hash"], row["label_hash"]);
    assert_eq!(
        client
            .rows(json!({"include_all_label_branches": true}))
            .await
            .len(),
        2
    );
    let branches = client
        .get(&format!("/projects/{}/branches", client.project))
        .await;
    assert_eq!(
        branches["results"],
        json!([{"name": "main"}, {"name": "my-branch"}])
    );
}

#[tokio::test]
async fn feature_filters_also_remove_answers_and_actions() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    let row = captured(
        &client,
        "video",
        include_str!("../captures/save-video.json"),
    )
    .await;
    client.save(&[&row]).await.unwrap();
    let payload = json!({"include_object_feature_hashes": ["PersPol1"], "include_classification_feature_hashes": []});
    let filtered = read(&client, &row["label_hash"], payload).await;
    assert_eq!(filtered["object_answers"], json!({}));
    assert_eq!(filtered["object_actions"], json!({}));
    assert_eq!(filtered["classification_answers"], json!({}));
    let payload = json!({"include_object_feature_hashes": ["CarBox01"]});
    let kept = read(&client, &row["label_hash"], payload).await;
    assert_eq!(
        without_additions(&kept["object_actions"]),
        row["object_actions"]
    );
    assert_eq!(kept["classification_answers"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn the_older_calls_for_one_row_work() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let payload = json!({"get_signed_url": false, "branch_name": "main"});
    let row = client
        .legacy("labelrow", "PUT", hash.clone(), payload)
        .await
        .unwrap();
    assert_eq!(row["data_hash"], hash, "one is answered with one");
    let row = with_box(row, "AAAAAAA1");
    let saved = client
        .legacy("labelrow", "POST", row["label_hash"].clone(), row.clone())
        .await;
    assert_eq!(saved.unwrap(), true);
    let back = client
        .legacy("labelrow", "GET", row["label_hash"].clone(), json!({}))
        .await
        .unwrap();
    assert_eq!(without_additions(&back), without_additions(&row));
}
