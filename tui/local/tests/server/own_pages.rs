//! The server's own endpoints, its counters, and the simulated people.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions};

use crate::common::{start, with, with_box};
use crate::faults::act;

#[tokio::test]
async fn counters_distinguish_requests_and_writes() {
    let (served, client) = start(Scenario::Seed, 2).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let row = client.label_row(&hash).await;
    assert_eq!(
        served.counters().writes,
        0,
        "creating an empty row is not a write"
    );
    client.save(&[&with_box(row, "AAAAAAA1")]).await.unwrap();
    act(&client).await.unwrap();
    assert_eq!(act(&client).await.unwrap().0, 400);
    let counters = served.counters();
    assert_eq!(counters.writes, 2);
    assert_eq!(counters.endpoints["actions"].refused, 1);
    assert_eq!(counters.endpoints["save_labels"].changed, 1);
    assert_eq!(client.local("counters").await["writes"], 2);
    assert_eq!(
        client.local("counters").await["requests"],
        json!(counters.requests),
        "own pages are not counted"
    );
}

#[tokio::test]
async fn the_state_shows_stage_priority_and_whether_labels_changed() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let before = client.local("state").await["tasks"][0].clone();
    assert_eq!(
        (&before["stage"], &before["labels"]),
        (&json!("Agent 1"), &Value::Null)
    );
    let row = with_box(client.label_row(&before["data_hash"]).await, "AAAAAAA1");
    client.save(&[&row]).await.unwrap();
    let one = client.local("state").await["tasks"][0]["labels"].clone();
    client.save(&[&with_box(row, "AAAAAAA2")]).await.unwrap();
    let two = client.local("state").await["tasks"][0]["labels"].clone();
    assert!(one.is_string() && one != two);
}

#[tokio::test]
async fn somebody_else_moves_and_edits() {
    let (_served, client) = start(Scenario::Demo, 8).await;
    let task = client.tasks("pre-label").await[0].clone();
    let (status, answer) = client
        .local_post(
            "move",
            json!({"tasks": [task["uuid"]], "stage": "Archive", "by": "eve@example.test"}),
        )
        .await;
    assert_eq!((status, &answer["moved"]), (200, &json!(1)));
    assert!(
        client
            .tasks("Archive")
            .await
            .iter()
            .any(|t| t["uuid"] == task["uuid"])
    );
    assert_eq!(
        client
            .local_post("edit", json!({"data_hash": task["dataHash"]}))
            .await
            .0,
        200
    );
    let row = client.label_row(&task["dataHash"]).await;
    assert_eq!(row["classification_answers"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn browsers_cannot_use_the_servers_own_endpoints() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let url = format!("{}/local/state", client.domain);
    for (name, value) in [
        ("Origin", "http://evil.test"),
        ("Origin", "null"),
        ("Host", "evil.test"),
        ("Host", "127.0.0.1.evil.test"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let response = client
            .http
            .get(&url)
            .bearer_auth(&client.token)
            .header(name, value)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 403, "{name}");
    }
}

#[tokio::test]
async fn the_servers_own_endpoints_require_the_token() {
    let (served, client) = start(Scenario::Seed, 1).await;
    let ready: Value = serde_json::from_str(&served.ready_line()).unwrap();
    assert_eq!(ready["local_token"], json!(client.token));
    let ask = async |method: &str, page: &str, token: Option<&str>| {
        let url = format!("{}/local{page}", client.domain);
        let mut request = client.http.request(method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        let response = request.body("{}").send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let right = format!("Bearer {}", client.token);
    let (shorter, longer) = (&right[..right.len() - 2], format!("{right}00"));
    let twisted = right.replace(
        &client.token[..2],
        if right.contains(" 00") { "01" } else { "00" },
    );
    for (method, page) in [
        ("GET", "/health"),
        ("GET", "/counters"),
        ("GET", "/faults"),
        ("POST", "/faults"),
        ("GET", "/state"),
        ("GET", "/templates"),
        ("GET", "/workflow"),
        ("GET", "/scenario-schema"),
        ("POST", "/move"),
        ("POST", "/edit"),
        ("DELETE", "/state"),
        ("GET", "/nothing"),
        ("GET", "/a/b"),
        ("GET", "/"),
        ("GET", ""),
    ] {
        for wrong in [
            None,
            Some(""),
            Some("Bearer "),
            Some(&*client.token),
            Some(shorter),
            Some(&longer),
            Some(&twisted),
            Some("Basic eDp5"),
            Some("Bearer \u{fc}"),
        ] {
            let (status, text) = ask(method, page, wrong).await;
            assert_eq!(status, 401, "{method} {page} {wrong:?}: {text}");
            assert!(
                text.contains("Authorization: Bearer") && text.contains("local-token"),
                "{text}"
            );
            assert!(!text.contains(&client.token));
        }
        let (status, text) = ask(method, page, Some(&right)).await;
        assert!(
            ![401, 403].contains(&status),
            "{method} {page}: {status} {text}"
        );
    }
    assert_eq!(ask("GET", "/nothing", Some(&right)).await.0, 404);
    // It opens nothing else.
    let projects = client
        .http
        .get(format!("{}/v2/public/projects", client.domain));
    let status = projects
        .bearer_auth(&client.token)
        .send()
        .await
        .unwrap()
        .status();
    assert_eq!(status, 401);
    assert!(!format!("{served:?}").contains(&client.token));
}

#[tokio::test]
async fn people_keep_the_workflow_moving() {
    let options = ServeOptions {
        tasks: Some(60),
        people: Some(200.0),
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    let sent: Vec<Value> = client
        .tasks("pre-label")
        .await
        .into_iter()
        .take(6)
        .collect();
    assert_eq!(
        client
            .proceed("pre-label", &sent.iter().collect::<Vec<_>>(), "annotate")
            .await
            .0,
        200
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let arrived = client.tasks("route").await;
        if sent
            .iter()
            .all(|s| arrived.iter().any(|t| t["uuid"] == s["uuid"]))
        {
            assert!(
                arrived
                    .iter()
                    .any(|t| t["lastActionedBy"] == "reviewer1@example.test")
            );
            return;
        }
        assert!(
            Instant::now() < deadline,
            "people have not finished six tasks"
        );
    }
}
