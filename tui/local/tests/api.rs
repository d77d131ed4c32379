//! The API as a client sees it: tasks, actions, projects, items, signatures.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the failure")]

mod common;

use std::collections::BTreeSet;

use common::{start, with};
use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions};

const SEED_STAGE: &str = "6011c844-fb26-438b-b465-0b0825951015";

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn the_seed_scenario_has_the_uuids_of_the_introduction() {
    let (served, client) = start(Scenario::Seed, 5).await;
    let stage = client.stage("Agent 1").await;
    assert_eq!(stage["uuid"], SEED_STAGE);
    assert_eq!(
        stage["pathways"][0]["uuid"],
        "49a786f3-5edf-4b94-aff0-3da9042d3bf0"
    );
    assert_eq!(stage["pathways"][0]["title"], "complete");
    assert_eq!(
        stage["pathways"][0]["destinationUuid"],
        "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"
    );
    assert_eq!(client.tasks("Agent 1").await.len(), 5);
    let spec = served.workflow_spec();
    assert_eq!(spec["graphNodes"][0]["nodeType"], "START");
    assert_eq!(spec["graphNodes"][0]["toNode"], SEED_STAGE);
    let ready: Value = serde_json::from_str(&served.ready_line()).unwrap();
    assert_eq!(
        keys(&ready),
        BTreeSet::from([
            "domain",
            "pid",
            "project_hash",
            "ssh_key_file",
            "twin_project_hash"
        ])
    );
}

#[tokio::test]
async fn projects_and_tasks_have_every_field_that_clients_need() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    let project = client.get(&format!("/projects/{}", client.project)).await;
    for key in [
        "projectHash",
        "projectType",
        "status",
        "title",
        "description",
        "createdAt",
        "creatorEmail",
        "lastEditedAt",
        "ontologyHash",
        "editorOntology",
        "userRole",
        "sourceProjects",
        "workflowManagerUuid",
        "workflow",
    ] {
        assert!(project.get(key).is_some(), "{key}");
    }
    let ontology = client
        .get(&format!(
            "/ontologies/{}",
            project["ontologyHash"].as_str().unwrap()
        ))
        .await;
    assert_eq!(ontology["editor"], project["editorOntology"]);
    assert!(ontology.get("userRole").is_some());
    let agent = BTreeSet::from([
        "assignee",
        "createdAt",
        "dataHash",
        "dataTitle",
        "labelBranchName",
        "lastActionedBy",
        "status",
        "updatedAt",
        "uuid",
    ]);
    assert_eq!(keys(&client.tasks("pre-label").await[0]), agent);
    assert_eq!(client.tasks("pre-label").await[0]["status"], "NEW");
}

#[tokio::test]
async fn every_task_is_handed_out_once_although_earlier_ones_leave_between_pages() {
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
async fn a_batch_with_one_stale_task_is_refused_whole() {
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
async fn wrong_names_are_refused_in_the_right_way() {
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
async fn request_targets_of_sixty_kilobytes_and_answers_in_gzip_are_fine() {
    let (_served, client) = start(Scenario::Seed, 300).await;
    let path = client.stage_path("Agent 1").await;
    let tasks = client.tasks("Agent 1").await;
    let mut query: Vec<String> = tasks
        .iter()
        .map(|t| format!("dataHashes={}", t["dataHash"].as_str().unwrap()))
        .collect();
    while query.iter().map(|q| q.len() + 1).sum::<usize>() < 60_000 {
        query.push(format!("dataHashes={}", uuid::Uuid::new_v4()));
    }
    let page = client
        .get(&format!("{path}/tasks?{}", query.join("&")))
        .await;
    assert_eq!(page["results"].as_array().unwrap().len(), 100);
    let request = client
        .signed("GET", &format!("/v2/public{path}/tasks"), b"")
        .header("Accept-Encoding", "gzip");
    let response = request.send().await.unwrap();
    let value: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(value["results"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn unsigned_changed_and_foreign_requests_are_refused() {
    let (served, client) = start(Scenario::Seed, 1).await;
    let target = format!("/v2/public/projects/{}", client.project);
    let send =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(
        send(client.http.get(format!("{}{target}", client.domain))).await,
        401
    );
    let request = client
        .signed("GET", &target, b"")
        .header("Signature-Input", "encord-sig=()");
    assert_eq!(send(request).await, 401);
    assert_eq!(
        send(client.signed("GET", &target, b"").body("{}")).await,
        401
    );
    let (other, _) = start(Scenario::Seed, 1).await;
    let foreign = common::Client::new(&served.domain, client.project, &other.ssh_key_file);
    assert_eq!(
        foreign
            .v2("GET", &format!("/projects/{}", client.project), None)
            .await
            .0,
        401
    );
    let refusal = foreign
        .legacy("labelrowmetadata", "GET", Value::Null, json!({}))
        .await;
    assert_eq!(refusal.unwrap_err(), "AUTHENTICATION_ERROR");
}

#[tokio::test]
async fn a_bearer_token_opens_both_generations() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let token = client.get("/user/bearer-token").await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let v2 = client
        .http
        .get(format!(
            "{}/v2/public/projects/{}",
            client.domain, client.project
        ))
        .bearer_auth(&token);
    assert_eq!(v2.send().await.unwrap().status(), 200);
    let body = json!({"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": null}});
    let legacy = client
        .http
        .post(format!("{}/public", client.domain))
        .header("ResourceType", "project")
        .header("ResourceID", client.project.to_string())
        .bearer_auth(&token)
        .body(body.to_string());
    assert_eq!(
        client
            .envelope(legacy)
            .await
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn items_come_in_the_order_asked_for_and_their_media_by_url() {
    let (_served, client) = start(Scenario::Demo, 30).await;
    let mut rows = client.rows(json!({})).await;
    rows.reverse();
    let uuids: Vec<&Value> = rows.iter().map(|r| &r["backing_item_uuid"]).collect();
    let (status, page) = client
        .v2(
            "POST",
            "/storage/items/get-bulk",
            Some(json!({"itemUuids": uuids, "signUrls": true})),
        )
        .await;
    assert_eq!(status, 200);
    let items = page["results"].as_array().unwrap();
    let order: Vec<&Value> = items.iter().map(|i| &i["uuid"]).collect();
    assert_eq!(order, uuids);
    for item in items {
        let Some(url) = item["signedUrl"].as_str() else {
            assert_eq!(item["itemType"], "imageGroup");
            continue;
        };
        let response = client.http.get(url).send().await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            item["mimeType"].as_str().unwrap()
        );
        let bytes = response.bytes().await.unwrap();
        assert_eq!(
            Some(bytes.len() as u64),
            item["fileSize"].as_u64(),
            "{}",
            item["name"]
        );
        if item["itemType"] == "image" {
            let picture = image::load_from_memory(&bytes).unwrap();
            assert_eq!(u64::from(picture.width()), item["width"].as_u64().unwrap());
        }
    }
    let unknown = json!({"itemUuids": [uuids[0], uuid::Uuid::nil()], "signUrls": true});
    assert_eq!(
        client
            .v2("POST", "/storage/items/get-bulk", Some(unknown))
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn signed_urls_honour_ranges_and_cannot_be_changed() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let row = &client.rows(json!({})).await[0];
    let path = format!(
        "/storage/items/{}",
        row["backing_item_uuid"].as_str().unwrap()
    );
    assert!(client.get(&format!("{path}?signUrl=False")).await["signedUrl"].is_null());
    let url = client.get(&format!("{path}?signUrl=True")).await["signedUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole = client
        .http
        .get(&url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let part = client
        .http
        .get(&url)
        .header("Range", "bytes=10-19")
        .send()
        .await
        .unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.headers()["content-range"],
        format!("bytes 10-19/{}", whole.len())
    );
    assert_eq!(part.bytes().await.unwrap(), whole.slice(10..20));
    let past = client
        .http
        .get(&url)
        .header("Range", "bytes=99999999-")
        .send()
        .await
        .unwrap();
    assert_eq!(past.status(), 416);
    let later = url.replace("expires=1", "expires=2");
    assert_eq!(client.http.get(later).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn metadata_is_replaced_whole_and_one_missing_item_refuses_a_bulk_change() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let rows = client.rows(json!({})).await;
    let items: Vec<&str> = rows
        .iter()
        .map(|r| r["backing_item_uuid"].as_str().unwrap())
        .collect();
    let item = client.get(&format!("/storage/items/{}", items[0])).await;
    let path = format!(
        "/storage/folders/{}/items/{}",
        item["parent"].as_str().unwrap(),
        items[0]
    );
    let (status, changed) = client
        .v2(
            "PATCH",
            &path,
            Some(json!({"clientMetadata": {"a": 1}, "name": "new.jpg"})),
        )
        .await;
    assert_eq!(
        (status, &changed["clientMetadata"]),
        (200, &json!("{\"a\":1}"))
    );
    assert_eq!(
        client.rows(json!({"include_client_metadata": true})).await[0]["client_metadata"],
        json!({"a": 1})
    );
    assert_eq!(
        client.rows(json!({"data_title_eq": "new.jpg"})).await.len(),
        1
    );
    let bulk = |second: &str| {
        Some(json!({"itemPatches": {items[1]: {"description": "x"}, second: {"description": "x"}}}))
    };
    let unknown = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    assert_eq!(
        client
            .v2("PATCH", "/storage/items/patch-bulk", bulk(unknown))
            .await
            .0,
        403
    );
    assert_eq!(
        client.get(&format!("/storage/items/{}", items[1])).await["description"],
        ""
    );
    assert_eq!(
        client
            .v2("PATCH", "/storage/items/patch-bulk", bulk(items[0]))
            .await
            .0,
        200
    );
    assert_eq!(
        client.get(&format!("/storage/items/{}", items[1])).await["description"],
        "x"
    );
}

#[tokio::test]
async fn image_groups_have_children_with_media_of_their_own() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    let rows = client.rows(json!({"include_images_data": true})).await;
    let group = rows.iter().find(|r| r["data_type"] == "IMG_GROUP").unwrap();
    let item = client
        .get(&format!(
            "/storage/items/{}",
            group["backing_item_uuid"].as_str().unwrap()
        ))
        .await;
    let path = format!(
        "/storage/folders/{}/items/{}/child-items?signUrls=True",
        item["parent"].as_str().unwrap(),
        item["uuid"].as_str().unwrap()
    );
    let children = client.get(&path).await["results"]
        .as_array()
        .unwrap()
        .clone();
    let images = group["images_data"].as_array().unwrap();
    assert_eq!((children.len(), images.len()), (3, 3));
    for (child, image) in children.iter().zip(images) {
        assert_eq!(
            (&child["name"], &child["width"]),
            (&image["title"], &image["width"])
        );
        assert_eq!(
            client
                .http
                .get(child["signedUrl"].as_str().unwrap())
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
}

#[tokio::test]
async fn projects_are_made_listed_and_deleted_on_demand() {
    let (_served, client) = start(Scenario::Demo, 12).await;
    let main = client.get(&format!("/projects/{}", client.project)).await;
    let dataset = client
        .get(&format!("/projects/{}/datasets", client.project))
        .await["results"][0]["datasetHash"]
        .clone();
    let ask = |method: &str, uid: Value, payload: Value| {
        let body = json!({"query_type": "project", "query_method": method, "values": {"uid": uid, "payload": payload}});
        client.envelope(client.legacy_request("/public/user", ("", ""), &body))
    };
    let payload = json!({"title": "Short-lived", "description": "", "dataset_hashes": [dataset], "workflow_type": "manual",
                         "ontology_hash": main["ontologyHash"]});
    let made = ask("POST", Value::Null, payload.clone()).await.unwrap();
    let hash = made.as_str().unwrap();
    assert_eq!(
        client.stage_in(hash, "pre-label").await["uuid"],
        client.stage("pre-label").await["uuid"]
    );
    let rows = client
        .legacy_in(hash, "labelrowmetadata", "GET", Value::Null, json!({}))
        .await
        .unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 12, "one task per data unit");
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|r| r["workflow_graph_node"]["title"] == "pre-label")
    );
    assert_eq!(
        rows[0]["data_hash"],
        client.rows(json!({})).await[0]["data_hash"],
        "data are shared"
    );
    let listed = client.get("/projects?titleEq=Short-lived").await;
    assert_eq!(listed["results"][0]["projectHash"], made);
    assert_eq!(
        ask("DELETE", made.clone(), Value::Null).await.unwrap(),
        true
    );
    assert_eq!(
        client.v2("GET", &format!("/projects/{hash}"), None).await.0,
        403
    );
    let mut wrong = payload;
    wrong["dataset_hashes"] = json!(["00000000-0000-0000-0000-000000000001"]);
    assert_eq!(
        ask("POST", Value::Null, wrong).await.unwrap_err(),
        "RESOURCE_NOT_FOUND_ERROR"
    );
}

#[tokio::test]
async fn the_twin_shares_data_and_nothing_else() {
    let (served, client) = start(Scenario::Demo, 40).await;
    let twin = served.twin_project_hash.unwrap().to_string();
    let ours = client.rows(json!({})).await;
    let theirs = client
        .legacy_in(&twin, "labelrowmetadata", "GET", Value::Null, json!({}))
        .await
        .unwrap();
    for (our, their) in ours.iter().zip(theirs.as_array().unwrap()) {
        assert_eq!(our["data_hash"], their["data_hash"]);
        assert_eq!(our["backing_item_uuid"], their["backing_item_uuid"]);
        assert_ne!(our["task_uuid"], their["task_uuid"]);
        assert!(our["label_hash"].is_null() || our["label_hash"] != their["label_hash"]);
    }
    let labelled = theirs
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| !r["label_hash"].is_null())
        .count();
    assert!(labelled > 20, "{labelled}");
}

#[tokio::test]
async fn same_seed_same_hashes() {
    let hashes = async |seed: u64| {
        let options = ServeOptions {
            tasks: Some(30),
            seed,
            ..ServeOptions::default()
        };
        let (served, client) = with(options).await;
        let rows = client.rows(json!({})).await;
        let list: Vec<String> = rows
            .iter()
            .map(|r| format!("{} {} {}", r["data_hash"], r["task_uuid"], r["data_title"]))
            .collect();
        (served.project_hash, list)
    };
    assert_eq!(hashes(3).await, hashes(3).await);
    assert_ne!(hashes(3).await.0, hashes(4).await.0);
}

#[tokio::test]
async fn bad_options_are_refused_in_words() {
    let refused =
        async |options: ServeOptions| wb_local::serve(options).await.unwrap_err().to_string();
    let base = ServeOptions::default;
    assert!(
        refused(ServeOptions {
            page_size: 0,
            ..base()
        })
        .await
        .contains("--page-size")
    );
    assert!(
        refused(ServeOptions {
            people: Some(-1.0),
            ..base()
        })
        .await
        .contains("--people")
    );
    assert!(
        refused(ServeOptions {
            tasks: Some(0),
            ..base()
        })
        .await
        .contains("--tasks")
    );
    assert!(
        refused(ServeOptions {
            import: Some("/nowhere".into()),
            ..base()
        })
        .await
        .contains("/nowhere")
    );
    let (served, _) = start(Scenario::Seed, 1).await;
    let port = served.domain.rsplit(':').next().unwrap().parse().unwrap();
    assert!(
        refused(ServeOptions { port, ..base() })
            .await
            .contains("another --port")
    );
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

/// The values of `key` in the results of a list.
async fn listed(client: &common::Client, path: &str, key: &str) -> Vec<String> {
    let page = client.get(path).await;
    let entries = page["results"].as_array().unwrap();
    entries
        .iter()
        .map(|e| e[key].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn items_folders_and_ontologies_are_found_by_text_and_type() {
    let (_served, client) = start(Scenario::Demo, 30).await;
    let names =
        async |query: &str| listed(&client, &format!("/storage/search/items{query}"), "name").await;
    assert_eq!(names("?search=MEADOW").await, ["meadow_intro_3s.mp4"]);
    assert_eq!(names("?itemTypes=video").await, ["meadow_intro_3s.mp4"]);
    assert_eq!(
        names("?itemTypes=video&itemTypes=imageGroup").await.len(),
        2
    );
    assert!(names("?itemTypes=pdf").await.is_empty());
    assert!(names("?isInDataset=False").await.is_empty());
    assert_eq!(names("?isInDataset=True").await, names("").await);

    let folder = listed(&client, "/storage/folders?search=amer", "uuid").await;
    let inside = format!("/storage/folders/{}/items?itemTypes=plainText", folder[0]);
    assert_eq!(listed(&client, &inside, "itemType").await[0], "plainText");
    assert!(
        listed(&client, "/storage/folders?search=nothing", "uuid")
            .await
            .is_empty()
    );
    let title = "/ontologies?titleEq=Street+scenes";
    assert_eq!(listed(&client, title, "title").await, ["Street scenes"]);
    assert!(
        listed(&client, "/ontologies?titleLike=%25none%25", "title")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_users_of_a_project_are_those_with_a_key() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let project = client.get(&format!("/projects/{}", client.project)).await;
    let path = format!("/projects/{}/users", client.project);
    assert_eq!(
        listed(&client, &path, "userEmail").await,
        [project["creatorEmail"].as_str().unwrap()]
    );
    let unknown = "/projects/00000000-0000-0000-0000-000000000001/users";
    assert_eq!(client.v2("GET", unknown, None).await.0, 403);
}

#[tokio::test]
async fn the_older_project_call_spells_its_dates_without_a_zone() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let project = client
        .legacy("project", "GET", Value::Null, Value::Null)
        .await
        .unwrap();
    let created = project["created_at"].as_str().unwrap();
    assert_eq!(
        (created.len(), &created[4..5], &created[10..11]),
        (19, "-", " ")
    );
    assert_eq!(project["label_rows"].as_array().unwrap().len(), 3);
}
