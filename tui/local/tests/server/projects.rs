//! Projects, users and ontologies as a client sees them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions};

use crate::common::{start, with};
use crate::items::listed;

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
            "local_token",
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
    let template = client.local("templates").await["templates"][0].clone();
    let payload = json!({"title": "Short-lived", "description": "", "dataset_hashes": [dataset, dataset],
                         "workflow_type": "manual", "ontology_hash": main["ontologyHash"],
                         "workflow_template_id": template["uuid"]});
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
async fn without_ontology_and_template_a_project_has_an_empty_one_and_the_standard_workflow() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let path = format!("/projects/{}/datasets", client.project);
    let dataset = client.get(&path).await["results"][0]["datasetHash"].clone();
    let make = |title: &str| {
        let payload = json!({"title": title, "description": "", "dataset_hashes": [dataset], "workflow_type": "manual"});
        let body = json!({"query_type": "project", "query_method": "POST", "values": {"uid": null, "payload": payload}});
        client.envelope(client.legacy_request("/public/user", ("", ""), &body))
    };
    let (first, second) = (make("One").await.unwrap(), make("Two").await.unwrap());
    let read = async |hash: &Value| {
        client
            .get(&format!("/projects/{}", hash.as_str().unwrap()))
            .await
    };
    let (one, two) = (read(&first).await, read(&second).await);
    assert_eq!(
        one["editorOntology"],
        json!({"objects": [], "classifications": []})
    );
    assert_ne!(
        one["ontologyHash"], two["ontologyHash"],
        "each project has its own"
    );
    let stages: Vec<&Value> = one["workflow"]["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["stageType"])
        .collect();
    assert_eq!(stages, ["ANNOTATION", "REVIEW", "DONE"]);
    let rows = client
        .legacy_in(
            first.as_str().unwrap(),
            "labelrowmetadata",
            "GET",
            Value::Null,
            json!({}),
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["workflow_graph_node"]["title"], "Annotate 1");
    assert_eq!(rows.as_array().unwrap().len(), 2);
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
