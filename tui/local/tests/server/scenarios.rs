//! Scenario files: fixed ids, every type of item, error messages.

use serde_json::{Value, json};
use wb_local::{SCENARIO_SCHEMA, Scenario, ServeOptions, serve};

use crate::common::{file, start, with};

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
    assert_eq!(named("clip.mp4")["number_of_frames"], 74);
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
        74
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
async fn mistakes_in_a_scenario_file_are_reported_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (text, word) in [
        ("{", "not a scenario"),
        (r#"{"dataset": []}"#, "unknown field `dataset`"),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "picture"}]}]}"#,
            "datasets[0].items[0].type: unknown variant `picture`",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "image", "id": "x"}]}]}"#,
            "datasets[0].items[0].id: UUID parsing failed",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "imageGroup", "children": [
                {"type": "image", "media": "none.jpg"}]}]}]}"#,
            "datasets[0].items[0].children[0].media: \"none.jpg\"",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": []}], "ontologies": [{"title": "o", "structure": {"objects": []}}]}"#,
            "ontologies[0].structure: a list `classifications` is required",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": []}], "workflowTemplates": [{"title": "w", "graphNodes": [
                {"nodeType": "AGENT", "title": "A"}]}]}"#,
            "workflowTemplates[0].graphNodes[0]: missing field `uuid`",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": []}], "users": [{"email": "a", "publicKey": "ssh-rsa x"}]}"#,
            "users[0].publicKey",
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
            "datasets[0].items[1].id: the same id as datasets[0].items[0].id",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "image", "count": 99999999999}]}]}"#,
            "datasets[0].items[0].count: more than 10000000 items",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "imageGroup", "children": [{"type": "video"}]}]}]}"#,
            "datasets[0].items[0].children[0].type: an imageGroup holds images only",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "audio", "children": [{"type": "image"}]}]}]}"#,
            "datasets[0].items[0].children: an item of type audio has none",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "image", "media": "clip"}]}]}"#,
            "datasets[0].items[0].media: \"clip\" is not possible for type image",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "image", "media": "photo/1/97"}]}]}"#,
            "datasets[0].items[0].media: \"photo/1/97\" is neither generated media",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "video", "media": "world.json"}]}]}"#,
            "for type video: its frames cannot be counted",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "group", "media": "clip"}]}]}"#,
            "datasets[0].items[0].media: an item of type group is made of its children",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": [{"type": "image", "count": 0}]}]}"#,
            "datasets[0].items[0].count: must be at least 1",
        ),
        (
            r#"{"datasets": [{"title": "d", "items": []}], "projects": [
                {"title": "p", "id": "00000000-0000-0000-0000-000000000001"},
                {"title": "q", "id": "00000000-0000-0000-0000-000000000001"}]}"#,
            "projects[1].id: the same as projects[0].id",
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

#[tokio::test]
async fn what_a_scenario_file_omits_is_generated() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "shift.md", "a note");
    let path = file(
        folder.path(),
        "world.json",
        r#"{"datasets": [{"title": "d", "items": [{"type": "imageGroup"}, {"type": "group"},
            {"type": "audio", "media": "mp3/2"}, {"type": "plainText", "media": "shift.md"},
            {"type": "pdf", "media": "pdf/500"}]}]}"#,
    );
    let (served, client) = with(ServeOptions {
        scenario_file: Some(path),
        tasks: Some(3),
        ..ServeOptions::default()
    })
    .await;
    assert!(
        served
            .notes
            .iter()
            .any(|n| n.contains("--tasks is ignored"))
    );
    let rows = client
        .rows(json!({"include_images_data": true, "include_children": true}))
        .await;
    let of = |kind: &str| rows.iter().find(|r| r["data_type"] == kind).unwrap();
    assert_eq!(of("IMG_GROUP")["images_data"].as_array().unwrap().len(), 3);
    assert_eq!(of("IMG_GROUP")["number_of_frames"], 3);
    let group = &of("GROUP")["data_hash"];
    let children: Vec<&Value> = rows.iter().filter(|r| r["group_hash"] == *group).collect();
    assert_eq!(children.len(), 2);
    let ends = |row: &Value, end: &str| row["data_title"].as_str().unwrap().ends_with(end);
    assert!(ends(of("AUDIO"), ".mp3"), "{}", of("AUDIO"));
    let note = rows.iter().find(|r| r["data_title"] == "shift.md");
    assert_eq!(note.unwrap()["data_type"], "PLAIN_TEXT");
    // The number of pages is that of the generated file.
    let row = of("PDF");
    let url = client.signed_url(row).await;
    let pdf = client
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let pages = String::from_utf8_lossy(&pdf).matches("/Type/Page/").count();
    assert_eq!(row["number_of_frames"], pages);
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
            "folders",
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
async fn invalid_options_are_refused_with_a_reason() {
    let refused = async |options: ServeOptions| serve(options).await.unwrap_err().to_string();
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
