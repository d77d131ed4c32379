//! Making things as a client does: ontologies, datasets, uploads, data units and their tasks.

use serde_json::{Value, json};
use uuid::Uuid;
use wb_local::{Scenario, ServeOptions};

use crate::common::{Client, start, with};

/// A legacy call about a dataset; its answer.
async fn in_dataset(client: &Client, dataset: &str, body: &Value) -> Value {
    let request = client.legacy_request("/public", ("dataset", dataset), body);
    client.envelope(request).await.unwrap()
}

/// A tiny text, sent and registered in a folder; the new item.
async fn upload(client: &Client, folder: &str, title: &str) -> Value {
    let asked = json!({"itemType": "plainText", "count": 1});
    let path = format!("/storage/folders/{folder}/upload-signed-urls");
    let (status, page) = client.v2("POST", &path, Some(asked)).await;
    assert_eq!(status, 200, "{page}");
    let url = page["results"][0]["signedUrl"].as_str().unwrap();
    let sent = client.http.put(url).body("words").send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    let item = page["results"][0]["itemUuid"].clone();
    let job = json!({"dataItems": {"text": [
        {"objectUrl": page["results"][0]["objectKey"], "placeholderItemUuid": item, "title": title},
    ]}});
    let path = format!("/storage/folders/{folder}/data-upload-jobs");
    let (status, job) = client.v2("POST", &path, Some(job)).await;
    assert_eq!(status, 200, "{job}");
    let done = client
        .get(&format!("{path}/{}", job.as_str().unwrap()))
        .await;
    assert_eq!(done["status"], "DONE", "{done}");
    item
}

async fn folder(client: &Client, name: &str) -> String {
    let asked = json!({"name": name, "description": null, "parent": null, "clientMetadata": null});
    let (status, made) = client.v2("POST", "/storage/folders", Some(asked)).await;
    assert_eq!(status, 200, "{made}");
    made["uuid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_upload_becomes_one_item_with_the_same_bytes() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let folder = folder(&client, "uploads").await;
    let item = upload(&client, &folder, "words.txt").await;
    let path = format!("/storage/items/{}?signUrl=True", item.as_str().unwrap());
    let found = client.get(&path).await;
    assert_eq!(found["parent"], json!(folder));
    assert_eq!(found["fileSize"], 5);
    let url = found["signedUrl"].as_str().unwrap();
    let bytes = client.http.get(url).send().await.unwrap();
    assert_eq!(bytes.text().await.unwrap(), "words");
    let again = json!({"dataItems": {"text": [
        {"objectUrl": "uploads/x", "placeholderItemUuid": item, "title": "again"}]}});
    let path = format!("/storage/folders/{folder}/data-upload-jobs");
    assert_eq!(client.v2("POST", &path, Some(again)).await.0, 400);
}

#[tokio::test]
async fn an_upload_that_was_never_sent_fails_its_job() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let folder = folder(&client, "uploads").await;
    let job = json!({"dataItems": {"images": [
        {"objectUrl": "uploads/x", "placeholderItemUuid": Uuid::new_v4(), "title": "never.jpg"}]}});
    let path = format!("/storage/folders/{folder}/data-upload-jobs");
    let (_, job) = client.v2("POST", &path, Some(job)).await;
    let done = client
        .get(&format!("{path}/{}", job.as_str().unwrap()))
        .await;
    assert_eq!(done["status"], "ERROR");
    assert!(
        done["errors"][0]
            .as_str()
            .unwrap()
            .contains("nothing was uploaded")
    );
    let items = client
        .get(&format!("/storage/folders/{folder}/items"))
        .await;
    assert_eq!(items["results"], json!([]));
}

#[tokio::test]
async fn uploads_and_their_items_survive_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let options = || ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(3),
        data: Some(data.path().to_owned()),
        ..ServeOptions::default()
    };
    let (served, client) = with(options()).await;
    let folder = folder(&client, "kept").await;
    let item = upload(&client, &folder, "kept.txt").await;
    let structure = json!({"title": "Kept", "description": "", "editor": {
        "objects": [{"name": "Car", "shape": "polygon"}], "classifications": []}});
    let (status, ontology) = client.v2("POST", "/ontologies", Some(structure)).await;
    assert_eq!(status, 200, "{ontology}");
    served.shutdown().await.unwrap();
    let (_served, client) = with(options()).await;
    let path = format!("/storage/items/{}?signUrl=True", item.as_str().unwrap());
    let url = client.get(&path).await["signedUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let bytes = client.http.get(url).send().await.unwrap();
    assert_eq!(bytes.text().await.unwrap(), "words");
    let uuid = ontology["ontologyUuid"].as_str().unwrap();
    let again = client.get(&format!("/ontologies/{uuid}")).await;
    assert_eq!(again["editor"], ontology["editor"]);
    assert_eq!(again["editor"]["objects"][0]["required"], false);
}

#[tokio::test]
async fn linked_units_get_tasks_in_every_project_of_the_dataset_and_unlinked_ones_lose_them() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let folder = folder(&client, "to link").await;
    let item = upload(&client, &folder, "linked.txt").await;
    let datasets = client
        .get(&format!("/projects/{}/datasets", client.project))
        .await;
    let dataset = datasets["results"][0]["datasetHash"]
        .as_str()
        .unwrap()
        .to_owned();
    let call = |name: &str, method: &str, uid: Value, payload: Value| json!({"query_type": name, "query_method": method, "values": {"uid": uid, "payload": payload}});
    let link = call(
        "datasetlinkitems",
        "POST",
        json!(dataset),
        json!({"item_uuids": [item], "duplicates_behavior": "SKIP"}),
    );
    let linked = in_dataset(&client, &dataset, &link).await;
    assert_eq!(client.tasks("Agent 1").await.len(), 4);
    let hash = linked[0]["data_hash"].clone();
    let unlink = call("video", "DELETE", json!([hash]), Value::Null);
    assert_eq!(in_dataset(&client, &dataset, &unlink).await, json!(true));
    assert_eq!(client.tasks("Agent 1").await.len(), 3);
    // The item is in a folder of its own and still exists.
    client
        .get(&format!("/storage/items/{}", item.as_str().unwrap()))
        .await;
}

#[tokio::test]
async fn calls_that_only_the_platform_serves_are_refused_by_name() {
    let (_served, client) = start(Scenario::Seed, 3).await;
    let project = format!("/projects/{}", client.project);
    let model = format!("{project}/models-attachments/{}", client.project);
    for (method, path) in [
        ("POST", format!("/active/{}/sync", client.project)),
        // Where the path is that of a call of ours, with another method.
        ("POST", "/projects/cvat-import".to_owned()),
        ("POST", "/storage/items/reencode".to_owned()),
        ("POST", "/storage/items/migrate-storage".to_owned()),
        ("GET", format!("{project}/models-attachments")),
        ("POST", format!("{project}/models-attachments")),
        ("PATCH", model.clone()),
        ("DELETE", model.clone()),
        (
            "POST",
            format!(
                "{model}/iterations/{}/classification/predict",
                client.project
            ),
        ),
        ("GET", format!("/scene/{}", client.project)),
    ] {
        let (status, answer) = client.v2(method, &path, None).await;
        let message = answer["message"].as_str().unwrap();
        assert_eq!(status, 501, "{method} {path}: {message}");
        assert!(
            message.contains(&format!("{method} /v2/public{path}")),
            "{message}"
        );
    }
    // What nobody has stays unknown, and what is ours refuses other methods.
    assert_eq!(client.v2("GET", "/nothing", None).await.0, 404);
    assert_eq!(
        client
            .v2("DELETE", &format!("{project}/branches"), None)
            .await
            .0,
        405
    );
}
