//! Injected faults: the effect of each, and that they are reproducible.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions, Served};

use crate::common::{Client, start, with};

async fn faulty(fault: &str) -> (Served, Client) {
    let faults = vec![fault.parse().unwrap()];
    with(ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(4),
        faults,
        ..ServeOptions::default()
    })
    .await
}

pub async fn act(client: &Client) -> Result<(u16, Value), reqwest::Error> {
    let state = client.local("state").await;
    let stage = "6011c844-fb26-438b-b465-0b0825951015";
    let body = json!([{"taskUuid": state["tasks"][0]["uuid"], "action": "PATHWAY_ACTION", "pathwayName": "complete"}]);
    client
        .try_v2(
            "POST",
            &format!(
                "/projects/{}/workflow/stages/{stage}/actions",
                client.project
            ),
            Some(body),
        )
        .await
}

async fn place(client: &Client) -> String {
    client.local("state").await["tasks"][0]["stage"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_lost_answer_was_applied_and_a_dropped_request_was_not() {
    let (served, client) = faulty("actions:lost").await;
    assert!(act(&client).await.is_err());
    assert_eq!(place(&client).await, "Complete");
    assert_eq!(served.counters().writes, 1);
    let (served, client) = faulty("actions:drop").await;
    assert!(act(&client).await.is_err());
    assert_eq!(place(&client).await, "Agent 1");
    let counters = served.counters();
    assert_eq!(counters.writes, 0);
    assert!(counters.endpoints["actions"].requests >= 1);
    assert_eq!(counters.endpoints["actions"].done, 0);
}

#[tokio::test]
async fn an_injected_status_carries_retry_after_and_does_nothing() {
    let (_served, client) = faulty("write:429/4s*1").await;
    let (status, _) = act(&client).await.unwrap();
    assert_eq!(status, 429);
    assert_eq!(place(&client).await, "Agent 1");
    assert_eq!(act(&client).await.unwrap().0, 200, "it strikes once");
    let (_served, client) = faulty("any:503/1500ms").await;
    let request = client.signed(
        "GET",
        &format!("/v2/public/projects/{}", client.project),
        b"",
    );
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "2");
}

#[tokio::test]
async fn slow_requests_and_latency_take_their_time() {
    let latency = Duration::from_millis(40);
    let faults = vec!["get_project:slow/60ms*1".parse().unwrap()];
    let options = ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(1),
        latency,
        faults,
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    let path = format!("/projects/{}", client.project);
    for at_least in [100, 40] {
        let began = Instant::now();
        assert_eq!(client.v2("GET", &path, None).await.0, 200);
        assert!(began.elapsed() >= Duration::from_millis(at_least));
    }
}

#[tokio::test]
async fn truncated_media_break_off_halfway() {
    let (_served, client) = faulty("storage:truncate").await;
    let row = &client.rows(json!({})).await[0];
    let url = client.signed_url(row).await;
    let response = client.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 1000);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    for fault in ["get_items:expire", "storage:expire*1"] {
        let (_served, client) = faulty(fault).await;
        let row = &client.rows(json!({})).await[0];
        let url = client.signed_url(row).await;
        let status = client.http.get(url).send().await.unwrap().status();
        assert_eq!(status, 403, "{fault}");
    }
}

#[tokio::test]
async fn in_a_conflict_somebody_else_acts_first() {
    let (_served, client) = faulty("actions:conflict*1").await;
    assert_eq!(act(&client).await.unwrap().0, 400);
    let task = &client.local("state").await["tasks"][0];
    assert_eq!(
        (&task["stage"], &task["last_actioned_by"]),
        (&json!("Complete"), &json!("somebody.else@example.test"))
    );
    let (_served, client) = faulty("get_labels:conflict*1").await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let row = client.label_row(&hash).await;
    let read = async || {
        client
            .legacy("labelrow", "GET", json!([row["label_hash"]]), json!({}))
            .await
            .unwrap()[0]
            .take()
    };
    let (before, after) = (read().await, read().await);
    assert_eq!(before["classification_answers"], json!({}));
    assert_ne!(
        before["classification_answers"],
        after["classification_answers"]
    );
}

#[tokio::test]
async fn faults_are_switched_while_running() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let path = format!("/projects/{}", client.project);
    assert_eq!(client.v2("GET", &path, None).await.0, 200);
    assert_eq!(
        client
            .local_post("faults", json!({"faults": ["get_project:500"]}))
            .await
            .0,
        200
    );
    assert_eq!(client.v2("GET", &path, None).await.0, 500);
    assert_eq!(
        client.local("faults").await["faults"][0],
        json!({"fault": "get_project:500@100%", "struck": 1})
    );
    let (status, answer) = client
        .local_post("faults", json!({"faults": ["get_project:5"]}))
        .await;
    assert_eq!(status, 400);
    assert!(
        answer["message"].as_str().unwrap().contains("error status"),
        "{answer}"
    );
    assert_eq!(
        client.v2("GET", &path, None).await.0,
        500,
        "a bad list changes nothing"
    );
    client.local_post("faults", json!({"faults": []})).await;
    assert_eq!(client.v2("GET", &path, None).await.0, 200);
}

/// The results of forty requests, one after the other.
async fn fates(client: &Client) -> Vec<u16> {
    let path = format!("/projects/{}", client.project);
    let mut out = Vec::new();
    for _ in 0..40 {
        let result = client.try_v2("GET", &path, None).await;
        out.push(result.map_or(0, |(status, _)| status));
    }
    out
}

#[tokio::test]
async fn the_same_seed_affects_the_same_requests() {
    let with_seed = async |seed| {
        let fault = |text: &str| text.parse().unwrap();
        let faults = vec![fault("get_project:503@30%"), fault("get:429@20%")];
        with(ServeOptions {
            scenario: Scenario::Seed,
            tasks: Some(1),
            seed,
            faults,
            ..ServeOptions::default()
        })
        .await
    };
    let (_one, client) = with_seed(7).await;
    let first = fates(&client).await;
    assert!(
        [200, 503, 429].iter().all(|s| first.contains(s)),
        "{first:?}"
    );
    let (_again, other) = with_seed(7).await;
    assert_eq!(fates(&other).await, first);
    let (_different, stranger) = with_seed(8).await;
    assert_ne!(fates(&stranger).await, first);
    let list = json!({"faults": ["get_project:503@30%", "get:429@20%"]});
    client.local_post("faults", list).await;
    assert_eq!(
        fates(&client).await,
        first,
        "setting faults resets the count"
    );
}
