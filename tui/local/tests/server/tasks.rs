//! Tasks: paged, filtered, acted upon, moved.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions};

use crate::common::{Client, start, with};

#[tokio::test]
async fn every_task_is_listed_once_even_if_earlier_ones_leave_between_pages() {
    let options = ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(60),
        page_size: 7,
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    let path = client.stage_path("Agent 1").await;
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}/tasks{query}")).await;
        let tasks: Vec<&Value> = page["results"].as_array().unwrap().iter().collect();
        assert_eq!(client.proceed("Agent 1", &tasks, "complete").await.0, 200);
        seen.extend(tasks.iter().map(|t| t["uuid"].to_string()));
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        query = format!("?pageToken={token}");
    }
    assert_eq!(seen.len(), 60);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 60);
    assert_eq!(client.tasks("Complete").await.len(), 60);
    assert_eq!(
        client
            .v2("GET", &format!("{path}/tasks?pageToken=zzz"), None)
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_batch_with_one_stale_task_is_refused_as_a_whole() {
    let (_served, client) = start(Scenario::Seed, 4).await;
    let tasks = client.tasks("Agent 1").await;
    assert_eq!(
        client.proceed("Agent 1", &[&tasks[0]], "complete").await.0,
        200
    );
    let (status, answer) = client
        .proceed("Agent 1", &[&tasks[1], &tasks[0], &tasks[2]], "complete")
        .await;
    assert_eq!(status, 400);
    assert!(
        answer["message"].as_str().unwrap().contains("already left"),
        "{answer}"
    );
    assert_eq!(client.tasks("Agent 1").await.len(), 3);
}

#[tokio::test]
async fn unknown_names_are_refused_with_the_right_status() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let tasks = client.tasks("Agent 1").await;
    let (status, answer) = client.proceed("Agent 1", &[&tasks[0]], "finish").await;
    assert_eq!(status, 400);
    assert!(
        answer["message"].as_str().unwrap().contains("\"complete\""),
        "the right name is offered: {answer}"
    );
    let unknown = "00000000-0000-0000-0000-000000000001";
    let project = client.project;
    for (path, status) in [
        (format!("/projects/{unknown}"), 403),
        ("/projects/not-a-uuid".to_owned(), 403),
        (
            format!("/projects/{project}/workflow/stages/{unknown}/tasks"),
            404,
        ),
        (format!("/storage/items/{unknown}"), 403),
        (format!("/ontologies/{unknown}"), 404),
        ("/nothing".to_owned(), 404),
    ] {
        let (found, answer) = client.v2("GET", &path, None).await;
        assert_eq!(found, status, "{path}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(
        client
            .v2("DELETE", &format!("/projects/{project}"), None)
            .await
            .0,
        405
    );
    let refusal = client
        .legacy_in(unknown, "labelrowmetadata", "GET", Value::Null, json!({}))
        .await;
    assert_eq!(refusal.unwrap_err(), "AUTHORISATION_ERROR");
    assert_eq!(
        client
            .legacy("nothing", "GET", Value::Null, json!({}))
            .await
            .unwrap_err(),
        "METHOD_NOT_ALLOWED_ERROR"
    );
}

#[tokio::test]
async fn people_annotate_and_review_through_the_same_api() {
    let (_served, client) = start(Scenario::Demo, 8).await;
    let task = client.tasks("pre-label").await[0].clone();
    assert_eq!(
        client.proceed("pre-label", &[&task], "annotate").await.0,
        200
    );
    for (stage, action, next) in [
        ("Annotate", "SUBMIT", "Review"),
        ("Review", "REJECT", "Annotate"),
        ("Annotate", "SUBMIT", "Review"),
        ("Review", "APPROVE", "route"),
    ] {
        let path = client.stage_path(stage).await;
        let body = json!([{"taskUuid": task["uuid"], "action": action}]);
        assert_eq!(
            client
                .v2("POST", &format!("{path}/actions"), Some(body))
                .await
                .0,
            200,
            "{stage} {action}"
        );
        let there = client.tasks(next).await;
        assert!(
            there.iter().any(|t| t["uuid"] == task["uuid"]),
            "{action} leads to {next}"
        );
    }
    let path = client.stage_path("route").await;
    let body = json!([{"taskUuid": task["uuid"], "action": "APPROVE"}]);
    assert_eq!(
        client
            .v2("POST", &format!("{path}/actions"), Some(body))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn tasks_are_moved_to_any_stage_and_stale_origins_are_refused() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let tasks = client.tasks("Agent 1").await;
    let done = client.stage("Complete").await["uuid"].clone();
    let path = client.stage_path("Agent 1").await;
    let body =
        |n: usize| Some(json!({"taskUuids": [tasks[n]["uuid"]], "destinationStageUuid": done}));
    assert_eq!(
        client
            .v2("POST", &format!("{path}/move-tasks"), body(0))
            .await
            .0,
        200
    );
    assert_eq!(
        client
            .v2("POST", &format!("{path}/move-tasks"), body(0))
            .await
            .0,
        400
    );
    assert_eq!(client.tasks("Complete").await.len(), 1);
    let finished = &client.tasks("Complete").await[0];
    assert!(
        finished.get("status").is_none(),
        "finished tasks have no status"
    );
}

#[tokio::test]
async fn task_filters_are_combined() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    let path = client.stage_path("pre-label").await;
    let all = client.tasks("pre-label").await;
    let (one, two) = (&all[0], &all[3]);
    let hashes = format!(
        "dataHashes={}&dataHashes={}",
        one["dataHash"].as_str().unwrap(),
        two["dataHash"].as_str().unwrap()
    );
    let count = async |query: &str| {
        client.get(&format!("{path}/tasks?{query}")).await["results"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count(&hashes).await, 2);
    let part = &one["dataTitle"].as_str().unwrap()[1..6];
    assert_eq!(
        count(&format!(
            "{hashes}&dataTitleContains={}",
            part.to_uppercase()
        ))
        .await,
        1
    );
    assert_eq!(count(&format!("{hashes}&statuses=ASSIGNED")).await, 0);
    assert_eq!(
        count(&format!("{hashes}&statuses=NEW&statuses=ASSIGNED")).await,
        2
    );
    assert_eq!(
        count("datasetHashes=00000000-0000-0000-0000-000000000001").await,
        0
    );
    assert_eq!(count("userEmails=nobody%40example.test").await, 0);
}

#[tokio::test]
async fn titles_beyond_ascii_are_found_in_any_case() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let row = &client.rows(json!({})).await[1];
    let item = row["backing_item_uuid"].as_str().unwrap();
    let parent = client.get(&format!("/storage/items/{item}")).await["parent"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/storage/folders/{parent}/items/{item}");
    assert_eq!(
        client
            .v2("PATCH", &path, Some(json!({"name": "\u{dc}bergang_7.jpg"})))
            .await
            .0,
        200
    );
    let path = client.stage_path("Agent 1").await;
    for query in ["%C3%9Cbergang", "%C3%BCBERGANG", "bergang_7"] {
        let found = client
            .get(&format!("{path}/tasks?dataTitleContains={query}"))
            .await;
        assert_eq!(found["results"].as_array().unwrap().len(), 1, "{query}");
    }
}

#[tokio::test]
async fn a_request_is_finished_and_counted_if_its_client_hangs_up() {
    let dir = tempfile::tempdir().unwrap();
    let options = ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(2),
        data: Some(dir.path().to_owned()),
        ..ServeOptions::default()
    };
    let (served, client) = with(options).await;
    let tasks = client.tasks("Agent 1").await;
    let actions =
        async |field: &str| client.local("counters").await["endpoints"]["actions"][field].clone();
    // The database is locked while the client hangs up.
    let held = rusqlite::Connection::open(dir.path().join("project.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let other = Client::new(&served.domain, served.project_hash, &served.ssh_key_file);
    let first = tasks[0].clone();
    let asking = tokio::spawn(async move { other.proceed("Agent 1", &[&first], "complete").await });
    until(async || actions("requests").await == 1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    held.execute_batch("COMMIT").unwrap();
    until(async || actions("changed").await == 1).await;
    assert_eq!(client.tasks("Agent 1").await.len(), 1);
}

/// Waits until a condition is true, at most 20 seconds.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), asked)
        .await
        .expect("the condition became true");
}
