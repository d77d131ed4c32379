//! Metadata of label rows, priorities, completing and reopening.

use serde_json::{Value, json};
use wb_local::Scenario;

use crate::common::start;

#[tokio::test]
async fn row_filters_work() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    let all = client.rows(json!({})).await;
    assert_eq!(all.len(), 60);
    let labelled = all.iter().filter(|r| !r["label_hash"].is_null()).count();
    assert!(labelled > 0 && labelled < 60);
    assert_eq!(
        client
            .rows(json!({"include_uninitialised_labels": false}))
            .await
            .len(),
        labelled
    );
    assert_eq!(
        client
            .rows(json!({"label_statuses": ["NOT_LABELLED"]}))
            .await
            .len(),
        60 - labelled
    );
    let waiting = client.tasks("pre-label").await.len();
    assert_eq!(
        client
            .rows(json!({"workflow_graph_node_title_eq": "pre-label"}))
            .await
            .len(),
        waiting
    );
    assert_eq!(
        client
            .rows(json!({"workflow_graph_node_title_like": "%-LABEL"}))
            .await
            .len(),
        waiting
    );
    let title = &all[4]["data_title"];
    assert_eq!(client.rows(json!({"data_title_eq": title})).await.len(), 1);
    assert_eq!(
        client.rows(json!({"data_title_like": "%.jpg"})).await.len(),
        all.iter()
            .filter(|r| r["data_title"].as_str().unwrap().ends_with(".jpg"))
            .count()
    );
    let one = all.iter().find(|r| !r["label_hash"].is_null()).unwrap();
    let found = client
        .rows(json!({"label_hashes": [one["label_hash"]]}))
        .await;
    assert_eq!(found, std::slice::from_ref(one));
    assert!(
        client
            .rows(json!({"edited_after": "2999-01-01"}))
            .await
            .is_empty()
    );
    assert_eq!(
        client
            .rows(json!({"edited_before": "2999-01-01T00:00:00"}))
            .await
            .len(),
        labelled
    );
}

#[tokio::test]
async fn a_task_keeps_its_own_row_when_labels_are_on_another_branch_only() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let all = json!({"include_all_label_branches": true});
    let hash = client.rows(json!({})).await[1]["data_hash"].clone();
    let made = client
        .legacy(
            "labelrow",
            "PUT",
            json!([hash]),
            json!({"branch_name": "left"}),
        )
        .await
        .unwrap();
    let rows = client.rows(all.clone()).await;
    let found = |rows: &[Value]| -> Vec<(String, bool)> {
        let mine = rows.iter().filter(|r| r["data_hash"] == hash);
        let branch = |r: &Value| r["branch_name"].as_str().unwrap().to_owned();
        mine.map(|r| (branch(r), r["label_hash"].is_null()))
            .collect()
    };
    assert_eq!(rows.len(), 4);
    assert_eq!(
        found(&rows),
        [("main".to_owned(), true), ("left".to_owned(), false)]
    );
    client.label_row(&hash).await;
    let rows = client.rows(all).await;
    assert_eq!(
        found(&rows),
        [("main".to_owned(), false), ("left".to_owned(), false)]
    );
    let query =
        json!({"include_all_label_branches": true, "label_hashes": [made[0]["label_hash"]]});
    assert_eq!(
        found(&client.rows(query).await),
        [("left".to_owned(), false)]
    );
}

#[tokio::test]
async fn a_query_may_name_more_rows_than_sqlite_has_parameters() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let mine = client.rows(json!({})).await;
    let mut hashes: Vec<Value> = (0..40_000_u128)
        .map(|n| json!(uuid::Uuid::from_u128(n + 1)))
        .collect();
    hashes.push(mine[1]["data_hash"].clone());
    let found = client.rows(json!({"data_hashes": hashes})).await;
    assert_eq!(found, std::slice::from_ref(&mine[1]));
    let found = client.rows(json!({"label_hashes": hashes})).await;
    assert!(found.is_empty());
}

#[tokio::test]
async fn priorities_read_back_exactly_and_bad_ones_change_nothing() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let hashes: Vec<Value> = client
        .rows(json!({}))
        .await
        .iter()
        .map(|r| r["data_hash"].clone())
        .collect();
    let path = format!("/projects/{}/priorities", client.project);
    let set = |list: Value| client.v2("POST", &path, Some(json!({"priorities": list})));
    assert_eq!(
        set(json!([[hashes[0], 0.1337], [hashes[1], 0.0]])).await.0,
        200
    );
    assert_eq!(
        set(json!([[hashes[0], 0.5], [hashes[1], 1.5]])).await.0,
        400
    );
    let rows = client.rows(json!({})).await;
    assert_eq!(
        (&rows[0]["priority"], &rows[1]["priority"]),
        (&json!(0.1337), &json!(0.0))
    );
}

#[tokio::test]
async fn label_rows_complete_and_reopen_their_tasks() {
    let (_served, client) = start(Scenario::Demo, 8).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let row = client.label_row(&hash).await;
    let ask = |action: &str| {
        client.legacy(
            "labelworkflowgraphnode",
            "POST",
            json!([row["label_hash"]]),
            json!({"action": action}),
        )
    };
    let place = async || {
        client.rows(json!({"data_hashes": [hash]})).await[0]["workflow_graph_node"]["title"].clone()
    };
    assert_eq!(ask("complete").await.unwrap(), true);
    assert_eq!(place().await, "Complete");
    assert_eq!(ask("reopen").await.unwrap(), true);
    assert_eq!(place().await, "Annotate");
    assert_eq!(ask("forget").await.unwrap_err(), "INVALID_ARGUMENTS_ERROR");
}
