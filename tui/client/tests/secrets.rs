//! No secret in any log line, of ours or of the HTTP library's, and in no error. A program of its own:
//! whether a line is logged is decided once for a process.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod support;

use serde_json::json;
use std::sync::{Arc, Mutex};
use support::{Reply, Scripted};
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;
use wb_client::{AssetCache, Bearer, Credential, Reader, TaskFilter};
use wb_core::error::Error;
use wb_core::ids::{DataHash, ItemId, ProjectHash, StageId};
use wb_core::workflow::{Stage, StageKind};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log_or_an_error() {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(log);
    let server = Scripted::start(|n, request| match request.path() {
        "/file" if n < 4 => Reply::Drop,
        "/file" => Reply::status(404, "<Error>no such key ?X-Sig=geheim</Error>"),
        "/public" => Reply::json(
            r#"{"status":500,"response":["UNKNOWN_ERROR"],"payload":"see /x?X-Sig=geheim"}"#,
        ),
        path if path.starts_with("/v2/public/projects/") && path.ends_with("0009") => Reply::Full(
            302,
            vec![("Location", "https://login.test/?state=geheim".to_owned())],
            Vec::new(),
        ),
        path if path.starts_with("/v2/public/projects/") && path.ends_with("0008") => {
            Reply::json(r#"{"projectHash":"https://store/x?X-Sig=geheim"}"#)
        }
        "/v2/public/user/bearer-token" => Reply::json(r#"{"tok":"geheim"}"#),
        path if path.contains("/tasks") => Reply::status(
            500,
            r#"{"message":"cannot read https://store/x?X-Sig=geheim"}"#,
        ),
        _ => Reply::json(
            &json!({"uuid": Uuid::from_u128(7), "itemType": "image",
                "signedUrl": format!("http://{}/file?X-Sig=geheim", request.headers["host"])})
            .to_string(),
        ),
    })
    .await;
    let mut settings = server.settings();
    settings.credential = Credential::Token(Bearer::new("geheim").unwrap());
    let reader = Reader::new(settings).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let hash = ProjectHash(Uuid::from_u128(1));
    let stage = Stage {
        id: StageId(Uuid::from_u128(2)),
        title: String::new(),
        kind: StageKind::Agent,
        pathways: Vec::new(),
    };
    let project = |n| reader.project(ProjectHash(Uuid::from_u128(n)));
    let errors = [
        reader
            .download(ItemId(Uuid::from_u128(7)), &cache)
            .await
            .unwrap_err(),
        reader
            .tasks_page(hash, &stage, &TaskFilter::default(), None)
            .await
            .unwrap_err(),
        reader.bearer_token().await.unwrap_err(),
        project(8).await.unwrap_err(),
        project(9).await.unwrap_err(),
    ];
    let (include, initialise) = Default::default();
    let unit = (DataHash(Uuid::from_u128(3)), "main".into());
    let rows = reader
        .label_rows(hash, &[unit], &include, &initialise)
        .await;
    let row = format!("{:?}", rows[0].as_ref().unwrap_err());
    assert!(
        row.contains("UNKNOWN_ERROR") || row.contains("/x…"),
        "{row}"
    );
    assert!(!row.contains("geheim"), "{row}");
    drop(guard);
    for error in errors {
        let all = format!("{error} {error:?} {:?}", Error::from(&error));
        assert!(!all.contains("geheim"), "{all}");
    }
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("/v2/public/projects/") && log.contains("trace"),
        "{log}"
    );
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("geheim")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}
