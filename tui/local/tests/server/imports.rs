//! Imported folders and workflows.

use serde_json::json;
use wb_local::{ServeOptions, serve};

use crate::common::{file, with};

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
        let url = client.signed_url(row).await;
        let original = std::fs::read(source).unwrap();
        assert_eq!(client.download(&url).await, original);
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
async fn a_range_of_a_file_that_has_changed_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "note.txt", "the old words");
    let (_served, client) = with(ServeOptions {
        import: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    })
    .await;
    let row = client.rows(json!({})).await.remove(0);
    let url = client.signed_url(&row).await;
    let rest = async |tag: &str| {
        let ask = client.http.get(&url).header("Range", "bytes=4-");
        let answer = ask.header("If-Range", tag).send().await.unwrap();
        let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap(), tag)
    };
    let (status, whole, tag) = rest("\"another\"").await;
    assert_eq!((status, &*whole), (200, "the old words"));
    assert_eq!(rest(&tag).await, (206, "old words".to_owned(), tag.clone()));
    // The same size, so that only the modification time differs.
    std::fs::write(&path, "the new words").unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
    let opened = std::fs::File::options().write(true).open(&path).unwrap();
    opened.set_modified(later).unwrap();
    let (status, whole, _) = rest(&tag).await;
    assert_eq!((status, &*whole), (200, "the new words"));
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
    let problem = serve(options).await.unwrap_err().to_string();
    assert!(
        problem.contains("broken.json: graphNodes[0]: missing field `uuid`"),
        "{problem}"
    );
}

#[tokio::test]
async fn skipped_files_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "note.txt", "a note");
    file(folder.path(), "empty.jpg", "");
    let options = ServeOptions {
        import: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    };
    let (served, client) = with(options).await;
    assert_eq!(client.rows(json!({})).await.len(), 1);
    assert_eq!(served.notes, ["not imported: empty.jpg: it is empty"]);
}
