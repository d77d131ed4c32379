//! Worlds of one's own: scenario files, imported folders and workflows, data that stay.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the failure")]

mod common;

use std::path::Path;

use common::{Client, with, with_box};
use serde_json::{Value, json};
use wb_local::{SCENARIO_SCHEMA, Scenario, ServeOptions, serve};

fn file(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

const EVERY_TYPE: &str = r#"{
  "ontologies": [{"id": "6d8bb167-0c9d-43b1-a577-3da0693d664e", "title": "All purpose"}],
  "datasets": [
    {"id": "5d06b07b-135a-4c6d-ba5d-fa7048d996da", "title": "One of each", "items": [
      {"type": "image", "title": "photo.jpeg", "id": "00000000-0000-0000-0000-0000000000aa", "media": "photo/2/0"},
      {"type": "imageGroup", "title": "group", "children": [{"type": "image", "count": 3}]},
      {"type": "imageSequence", "title": "sequence"},
      {"type": "video", "title": "clip.mp4"},
      {"type": "audio", "title": "silence.mp3", "media": "mp3/3"},
      {"type": "pdf", "title": "report.pdf"},
      {"type": "plainText", "title": "note.txt", "clientMetadata": {"a": "b"}},
      {"type": "group", "title": "together", "children": [{"type": "image"}, {"type": "video"}]},
    ]},
    {"id": "d0370f27-da4c-48fa-8502-049b55e26a5f", "title": "Many", "items": [
      {"type": "image", "count": 520, "title": "img-####.jpg"}
    ]}
  ],
  "workflowTemplates": [{"id": "a59b3190-09e2-432c-a8bb-f2925872e298", "title": "Agent to complete", "graphNodes": [
    {"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START", "toNode": "6011c844-fb26-438b-b465-0b0825951015"},
    {"uuid": "6011c844-fb26-438b-b465-0b0825951015", "nodeType": "AGENT", "title": "Agent 1", "pathways": [
      {"uuid": "49a786f3-5edf-4b94-aff0-3da9042d3bf0", "name": "Complete", "targetNode": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"}]},
    {"uuid": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f", "nodeType": "DONE", "title": "Complete"},
  ]}],
  "projects": [{"id": "00000000-0000-0000-0000-0000000000bb", "title": "Mine",
                "tasks": [{"data": "clip.mp4", "stage": "Complete", "priority": 0.9}]}]
}"#;

#[tokio::test]
async fn a_scenario_file_fixes_ids_and_has_every_type_of_item() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "world.json", EVERY_TYPE);
    let (served, client) = with(ServeOptions {
        scenario_file: Some(path),
        ..ServeOptions::default()
    })
    .await;
    assert_eq!(
        served.project_hash.to_string(),
        "00000000-0000-0000-0000-0000000000bb"
    );
    let rows = client
        .rows(json!({"include_client_metadata": true, "include_images_data": true}))
        .await;
    assert_eq!(rows.len(), 8, "one row per task");
    let named = |title: &str| rows.iter().find(|r| r["data_title"] == title).unwrap();
    assert_eq!(
        named("photo.jpeg")["data_hash"],
        "00000000-0000-0000-0000-0000000000aa"
    );
    assert_eq!(named("note.txt")["client_metadata"], json!({"a": "b"}));
    assert_eq!(named("silence.mp3")["file_type"], "audio/mpeg");
    assert_eq!(
        named("clip.mp4")["workflow_graph_node"]["title"],
        "Complete"
    );
    assert_eq!(named("clip.mp4")["priority"], 0.9);
    assert_eq!(named("clip.mp4")["number_of_frames"], 75);
    assert_eq!(named("group")["images_data"].as_array().unwrap().len(), 3);
    assert_eq!(named("sequence")["data_type"], "IMG_GROUP");
    // Every row can be created, children of data groups too; image groups hold theirs inside.
    let all = client.rows(json!({"include_children": true})).await;
    assert_eq!(all.len(), 10);
    let children: Vec<&Value> = all.iter().filter(|r| !r["group_hash"].is_null()).collect();
    assert_eq!(children.len(), 2);
    assert!(
        children
            .iter()
            .all(|c| c["group_hash"] == named("together")["data_hash"] && c["task_uuid"].is_null())
    );
    for row in &all {
        let blob = client.label_row(&row["data_hash"]).await;
        assert_eq!(
            client.save(&[&blob]).await.unwrap(),
            true,
            "{}",
            row["data_title"]
        );
    }
    assert_eq!(
        client.label_row(&named("sequence")["data_hash"]).await["data_units"]
            .as_object()
            .unwrap()
            .len(),
        75
    );
}

#[tokio::test]
async fn datasets_are_read_with_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "world.json", EVERY_TYPE);
    let (_served, client) = with(ServeOptions {
        scenario_file: Some(path),
        ..ServeOptions::default()
    })
    .await;
    let ask = async |id: &str, kind: &str, payload: Value| {
        let body = json!({"query_type": kind, "query_method": "GET", "values": {"uid": null, "payload": payload}});
        client
            .envelope(client.legacy_request("/public", ("dataset", id), &body))
            .await
    };
    let many = "d0370f27-da4c-48fa-8502-049b55e26a5f";
    let whole = ask(
        many,
        "dataset",
        json!({"dataset_access_settings": {"fetch_rows": true}}),
    )
    .await
    .unwrap();
    assert_eq!(whole["data_rows"].as_array().unwrap().len(), 520);
    assert_eq!(whole["data_rows"][519]["data_title"], "img-0519.jpg");
    let found = ask(many, "datarows", json!({"title_like": "%-001%"}))
        .await
        .unwrap();
    assert_eq!(found.as_array().unwrap().len(), 10);
    for key in [
        "data_hash",
        "data_title",
        "data_type",
        "created_at",
        "last_edited_at",
        "width",
        "height",
        "file_link",
        "file_size",
        "file_type",
        "storage_location",
        "frames_per_second",
        "duration",
    ] {
        assert!(found[0].get(key).is_some(), "{key}");
    }
    assert_eq!(
        ask(
            "00000000-0000-0000-0000-000000000001",
            "dataset",
            Value::Null
        )
        .await
        .unwrap_err(),
        "AUTHORISATION_ERROR"
    );
}

#[tokio::test]
async fn a_wrong_scenario_file_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (text, word) in [
        ("{", "not a scenario"),
        (r#"{"dataset": []}"#, "dataset"),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "picture"}]}]}"#,
            "picture",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "image", "media": "none.jpg"}]}]}"#,
            "none.jpg",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": []}], "projects": [{"title": "p", "ontology": "o"}]}"#,
            "\"o\"",
        ),
        (r#"{}"#, "no project"),
        (
            r#"{"datasets": [{"title": "d", "items": [
                {"type": "image", "id": "00000000-0000-0000-0000-000000000001"},
                {"type": "image", "id": "00000000-0000-0000-0000-000000000001"}]}]}"#,
            "same id",
        ),
    ] {
        let path = file(folder.path(), "world.json", text);
        let options = ServeOptions {
            scenario_file: Some(path),
            ..ServeOptions::default()
        };
        let problem = serve(options).await.unwrap_err().to_string();
        assert!(problem.contains(word), "{text}: {problem}");
    }
}

#[test]
fn the_published_schema_names_every_field() {
    let schema: Value = serde_json::from_str(SCENARIO_SCHEMA).unwrap();
    let names = |of: &Value| {
        of["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&schema),
        [
            "$schema",
            "datasets",
            "ontologies",
            "projects",
            "users",
            "workflowTemplates"
        ]
    );
    let item = names(&schema["$defs"]["item"]);
    for key in [
        "children",
        "clientMetadata",
        "count",
        "description",
        "id",
        "itemId",
        "media",
        "mimeType",
        "title",
        "type",
    ] {
        assert!(item.iter().any(|k| k == key), "{key}");
    }
}

#[tokio::test]
async fn an_imported_folder_is_served_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("media/chelsea.jpg", folder.path().join("my cat & co.jpg")).unwrap();
    std::fs::copy("media/bigbuckbunny-3s.mp4", folder.path().join("clip.mp4")).unwrap();
    let options = ServeOptions {
        import: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    let rows = client.rows(json!({})).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["data_title"], &rows[0]["number_of_frames"]),
        (&json!("clip.mp4"), &json!(75))
    );
    assert_eq!(
        (&rows[0]["width"], &rows[0]["frames_per_second"]),
        (&json!(320), &json!(25.0))
    );
    assert_eq!(rows[1]["width"], 451);
    for (row, source) in rows
        .iter()
        .zip(["media/bigbuckbunny-3s.mp4", "media/chelsea.jpg"])
    {
        let path = format!(
            "/storage/items/{}?signUrl=True",
            row["backing_item_uuid"].as_str().unwrap()
        );
        let url = client.get(&path).await["signedUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        let original = std::fs::read(source).unwrap();
        assert_eq!(
            client
                .http
                .get(&url)
                .send()
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap(),
            original
        );
        let part = client
            .http
            .get(&url)
            .header("Range", "bytes=100-")
            .send()
            .await
            .unwrap();
        assert_eq!(part.bytes().await.unwrap(), original[100..]);
    }
}

#[tokio::test]
async fn an_imported_workflow_replaces_the_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "flow.json",
        r#"{"graphNodes": [
            {"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START", "toNode": "6011c844-fb26-438b-b465-0b0825951015"},
            {"uuid": "6011c844-fb26-438b-b465-0b0825951015", "nodeType": "AGENT", "title": "Agent 1", "pathways": [
                {"uuid": "49a786f3-5edf-4b94-aff0-3da9042d3bf0", "name": "complete", "targetNode": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"}]},
            {"uuid": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f", "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"}
        ],}"#,
    );
    let options = ServeOptions {
        import_workflow: Some(path),
        tasks: Some(10),
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    assert_eq!(client.tasks("Agent 1").await.len(), 10);
    let broken = file(
        folder.path(),
        "broken.json",
        r#"{"graphNodes": [{"nodeType": "AGENT"}]}"#,
    );
    let options = ServeOptions {
        import_workflow: Some(broken),
        ..ServeOptions::default()
    };
    assert!(
        serve(options)
            .await
            .unwrap_err()
            .to_string()
            .contains("uuid")
    );
}

#[tokio::test]
async fn data_stay_over_a_restart_and_old_urls_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state");
    let options = || ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(3),
        data: Some(data.clone()),
        ..ServeOptions::default()
    };
    let (served, client) = with(options()).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let row = with_box(client.label_row(&hash).await, "AAAAAAA1");
    client.save(&[&row]).await.unwrap();
    let path = format!(
        "/storage/items/{}?signUrl=True",
        client.rows(json!({})).await[0]["backing_item_uuid"]
            .as_str()
            .unwrap()
    );
    let url = client.get(&path).await["signedUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = client.local("state").await;
    let old_domain = served.domain.clone();
    served.shutdown().await.unwrap();
    assert!(
        client
            .http
            .get(format!("{old_domain}/local/health"))
            .send()
            .await
            .is_err(),
        "it has stopped"
    );
    let (again, client) = with(options()).await;
    assert_eq!(client.local("state").await, before);
    let moved = url.replace(&old_domain, &again.domain);
    assert_eq!(client.http.get(moved).send().await.unwrap().status(), 200);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in ["id_ed25519", "secret"] {
            assert_eq!(
                std::fs::metadata(data.join(name))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o777,
                0o600,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_data_folder_belongs_to_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = || ServeOptions {
        tasks: Some(3),
        data: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    };
    let (served, _client) = with(options()).await;
    let problem = serve(options()).await.unwrap_err().to_string();
    assert!(problem.contains("another server"), "{problem}");
    served.shutdown().await.unwrap();
    serve(options()).await.unwrap();
}

#[tokio::test]
async fn projects_made_at_the_same_time_are_all_there() {
    let (_served, client) = with(ServeOptions {
        tasks: Some(3),
        ..ServeOptions::default()
    })
    .await;
    let datasets = client
        .get(&format!("/projects/{}/datasets", client.project))
        .await;
    let dataset = datasets["results"][0]["datasetHash"].clone();
    let made: Vec<_> = (0..12)
        .map(|n| {
            let (client, dataset) = (client.clone(), dataset.clone());
            tokio::spawn(async move {
                let payload = json!({"title": format!("p{n}"), "dataset_hashes": [dataset]});
                let body = json!({"query_type": "project", "query_method": "POST",
                                  "values": {"uid": null, "payload": payload}});
                let request = client.legacy_request("/public/user", ("", ""), &body);
                let hash = client.envelope(request).await.unwrap();
                client
                    .get(&format!("/projects/{}", hash.as_str().unwrap()))
                    .await["title"]
                    .clone()
            })
        })
        .collect();
    for (n, project) in made.into_iter().enumerate() {
        assert_eq!(project.await.unwrap(), format!("p{n}"));
    }
    assert_eq!(
        client.get("/projects?titleLike=p%25").await["results"]
            .as_array()
            .unwrap()
            .len(),
        12
    );
}

#[tokio::test]
async fn without_a_data_folder_nothing_stays() {
    let (served, client) = with(ServeOptions {
        tasks: Some(3),
        ..ServeOptions::default()
    })
    .await;
    let folder = served.ssh_key_file.parent().unwrap().to_owned();
    assert!(folder.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
    drop(client);
    served.shutdown().await.unwrap();
    assert!(!folder.exists());
}

#[tokio::test]
async fn users_of_a_scenario_sign_with_their_own_keys() {
    let folder = tempfile::tempdir().unwrap();
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[9; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    let key_file = folder.path().join("key");
    std::fs::write(
        &key_file,
        key.to_openssh(ssh_key::LineEnding::LF).unwrap().as_bytes(),
    )
    .unwrap();
    let line = key.public_key().to_openssh().unwrap();
    let text = json!({"users": [{"email": "eve@example.test", "publicKey": line}],
                      "datasets": [{"title": "d", "items": [{"type": "image"}]}]});
    let path = file(folder.path(), "world.json", &text.to_string());
    let (served, client) = with(ServeOptions {
        scenario_file: Some(path),
        ..ServeOptions::default()
    })
    .await;
    let eve = Client::new(&served.domain, client.project, &key_file);
    let tasks = eve.tasks("Agent 1").await;
    assert_eq!(
        eve.proceed("Agent 1", &[&tasks[0]], "complete").await.0,
        200
    );
    assert_eq!(
        client.local("state").await["tasks"][0]["last_actioned_by"],
        "eve@example.test"
    );
}
