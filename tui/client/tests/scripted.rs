//! The client against a server that misbehaves by a script: what goes over the wire, what is sent
//! again and what is not, and what each kind of nonsense is called.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod support;

use serde_json::json;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::{Reply, Request, Scripted, seed};
use uuid::Uuid;
use wb_client::{AssetCache, Bearer, ClientError, Permission, Reader, TaskFilter};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{DataHash, ItemId, Millis, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::work::wire::ProjectDoc;
use wb_core::work::{CommitItem, Committed, Project, TaskRow, TaskStatus, Wants, needs};
use wb_core::workflow::{Stage, StageKind, Workflow};

const EMPTY_PAGE: &str = r#"{"results":[],"nextPageToken":null}"#;

fn hash() -> ProjectHash {
    ProjectHash(Uuid::from_u128(1))
}

fn stage() -> Stage {
    Stage {
        id: StageId(Uuid::from_u128(2)),
        title: "Agent 1".to_owned(),
        kind: StageKind::Agent,
        pathways: Vec::new(),
    }
}

fn project() -> Project {
    Project {
        hash: hash(),
        title: "P".to_owned(),
        workflow: Workflow {
            stages: vec![stage()],
            edges: Vec::new(),
        },
        doc: ProjectDoc {
            project_hash: hash().0,
            title: "P".to_owned(),
            description: String::new(),
            ontology: json!({}),
            ontology_title: String::new(),
            stages: Vec::new(),
            datasets: Vec::new(),
        },
        json: "{}".into(),
    }
}

fn mover(n: u128) -> CommitItem {
    CommitItem {
        task: TaskId(Uuid::from_u128(n)),
        stage: stage().id,
        data: DataHash(Uuid::from_u128(1000 + n)),
        title: "x".into(),
        branch: "main".into(),
        before: None,
        labels_after: None,
        priority: None,
        metadata: None,
        metadata_before: None,
        item: None,
        pathway: Some(PathwayId(Uuid::from_u128(9))),
    }
}

async fn list(reader: &Reader, filter: TaskFilter) -> Result<usize, ClientError> {
    let page = reader.tasks_page(hash(), &stage(), &filter, None).await?;
    Ok(page.rows.len())
}

async fn listing(
    script: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Result<usize, ClientError>, usize) {
    let server = Scripted::start(move |n, _| script(n)).await;
    let result = list(&server.reader(), TaskFilter::default()).await;
    (result, server.requests().len())
}

#[tokio::test]
async fn the_signature_fits_what_goes_over_the_wire() {
    use base64::Engine;
    use ed25519_dalek::{Signature, SigningKey, Verifier};
    let server = Scripted::start(|_, _| Reply::json(EMPTY_PAGE)).await;
    let filter = TaskFilter {
        title: Some("a b&é/+'(…)".to_owned()),
        data: (0..300).map(|n| DataHash(Uuid::from_u128(n))).collect(),
        ..TaskFilter::default()
    };
    list(&server.reader(), filter).await.unwrap();
    let request = &server.requests()[0];
    assert!(request.target.len() > 14_000);
    let input = request.headers["signature-input"]
        .strip_prefix("encord-sig=")
        .unwrap();
    let base = format!(
        "\"@method\": {}\n\"@request-target\": {}\n\"content-digest\": {}\n\"@signature-params\": {input}",
        request.method, request.target, request.headers["content-digest"]
    );
    let text = request.headers["signature"]
        .strip_prefix("encord-sig=:")
        .unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text.trim_end_matches(':'))
        .unwrap();
    let key = SigningKey::from_bytes(&seed()).verifying_key();
    key.verify(base.as_bytes(), &Signature::from_slice(&bytes).unwrap())
        .unwrap();
    assert!(request.headers["user-agent"].starts_with("workbench/"));
    let trace = &request.headers["x-cloud-trace-context"];
    assert!(
        trace.len() == 32 + 6 && trace.ends_with("/1;o=1"),
        "{trace}"
    );
}

#[tokio::test]
async fn a_wrong_clock_is_put_right_by_the_platforms_time() {
    let theirs = "Sun, 01 Feb 2026 00:00:00 GMT";
    let created = 1_769_904_000_i64;
    let server = Scripted::start(move |_, request| {
        let input = &request.headers["signature-input"];
        let at: i64 = input
            .split("created=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let date = vec![("Date", theirs.to_owned())];
        if (at - created).abs() > 60 {
            return Reply::Full(401, date, b"{}".to_vec());
        }
        Reply::Full(200, date, EMPTY_PAGE.into())
    })
    .await;
    let reader = server.reader();
    let ask = || list(&reader, TaskFilter::default());
    let (one, two) = tokio::join!(ask(), ask());
    one.unwrap();
    two.unwrap();
    ask().await.unwrap();
    let count = server.requests().len();
    assert!(
        (4..=5).contains(&count),
        "refused once each, then right: {count}"
    );
    assert!(reader.clock_skew().unwrap().abs() > 60);
}

#[tokio::test]
async fn a_project_that_is_not_there_is_a_matter_of_settings() {
    let server = Scripted::start(|_, _| Reply::status(404, r#"{"message":"no"}"#)).await;
    let error = server.reader().project(hash()).await.unwrap_err();
    let fault = Fault::from(error);
    assert_eq!(fault.kind.exit_code(), 3);
    assert!(fault.hints[0].contains("--project-hash"), "{fault:?}");
}

#[tokio::test]
async fn connections_are_pooled_and_each_request_has_its_own_trace() {
    let server = Scripted::start(|_, _| Reply::json(EMPTY_PAGE)).await;
    let reader = server.reader();
    for _ in 0..5 {
        list(&reader, TaskFilter::default()).await.unwrap();
    }
    let traces: std::collections::HashSet<String> = server
        .requests()
        .iter()
        .map(|r| r.headers["x-cloud-trace-context"].clone())
        .collect();
    assert_eq!(traces.len(), 5);
    assert_eq!(server.connections(), 1);
    assert_eq!(reader.stats().requests, 5);
    assert_eq!(reader.stats().writes, 0);
}

#[tokio::test]
async fn reads_are_sent_again_after_everything_that_passes() {
    let (result, requests) = listing(|n| match n {
        0 => Reply::Drop,
        1 => Reply::status(500, "{}"),
        2 => Reply::Cut(br#"{"results":["#.to_vec()),
        3 => Reply::status(200, r#"{"results":["#),
        _ => Reply::json(EMPTY_PAGE),
    })
    .await;
    assert_eq!(result.unwrap(), 0);
    assert_eq!(requests, 5);
}

#[tokio::test]
async fn a_silent_server_is_asked_again() {
    let (result, requests) = listing(|n| {
        if n == 0 {
            Reply::Silence
        } else {
            Reply::json(EMPTY_PAGE)
        }
    })
    .await;
    assert_eq!(result.unwrap(), 0);
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn retry_after_is_honoured_and_holds_every_request() {
    let server = Scripted::start(|n, _| match n {
        0 => Reply::Full(429, vec![("Retry-After", "1".to_owned())], b"{}".to_vec()),
        _ => Reply::json(EMPTY_PAGE),
    })
    .await;
    let reader = server.reader();
    let began = Instant::now();
    list(&reader, TaskFilter::default()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(reader.stats().waited >= Duration::from_secs(1));
    assert_eq!(reader.stats().retries, 1);
}

#[tokio::test]
async fn a_wait_beyond_the_patience_ends_at_once_and_says_how_long_was_asked() {
    let began = Instant::now();
    let (result, requests) =
        listing(|_| Reply::Full(429, vec![("Retry-After", "600".to_owned())], Vec::new())).await;
    let error = result.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(requests, 1);
    let fault = Fault::from(&error);
    assert_eq!(fault.kind.exit_code(), 7);
    assert!(
        fault.hints[0].contains("600 s") && fault.hints[0].contains("--rate"),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_named_with_its_trace() {
    let (result, requests) = listing(|_| Reply::status(503, r#"{"message":"maintenance"}"#)).await;
    assert_eq!(requests, 5);
    let fault = Fault::from(result.unwrap_err());
    assert_eq!(fault.kind, FaultKind::Upstream);
    assert!(
        fault.retry && fault.summary.contains("(503): maintenance"),
        "{fault:?}"
    );
    assert!(fault.cause.unwrap().contains("5 attempts"));
}

#[tokio::test]
async fn an_unreachable_server_is_a_network_fault() {
    let server = Scripted::start(|_, _| Reply::Drop).await;
    let mut settings = server.settings();
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    settings.domain = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    settings.patience = Duration::from_secs(1);
    let error = list(&Reader::new(settings).unwrap(), TaskFilter::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(Fault::from(error).kind.exit_code(), 7);
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for (status, kind) in [
        (400, FaultKind::Upstream),
        (401, FaultKind::Access),
        (403, FaultKind::Access),
        (404, FaultKind::Upstream),
        (409, FaultKind::Upstream),
        (413, FaultKind::Upstream),
        (302, FaultKind::Upstream),
    ] {
        let (result, requests) = listing(move |_| {
            Reply::Full(
                status,
                vec![("Location", "https://elsewhere.test/".to_owned())],
                b"{}".to_vec(),
            )
        })
        .await;
        assert_eq!(Fault::from(result.unwrap_err()).kind, kind, "{status}");
        assert_eq!(requests, 1, "{status}");
    }
}

#[tokio::test]
async fn nonsense_is_called_by_its_name() {
    for (body, words) in [
        (
            "<!doctype html><title>Sign in</title>",
            "a web page titled \"Sign in\"",
        ),
        ("", "an empty body"),
        ("[]", "the tasks: "),
        (
            r#"{"results":[{"uuid":"00000000-0000-0000-0000-000000000005"}]}"#,
            "missing field `dataHash`",
        ),
        (r#"{"nextPageToken":null}"#, "missing field `results`"),
        (r#"{"results":7}"#, "invalid type"),
    ] {
        let (result, _) = listing(move |_| Reply::json(body)).await;
        let text = result.unwrap_err().to_string();
        assert!(text.contains(words), "{text} lacks {words}");
    }
}

#[tokio::test]
async fn a_page_that_follows_itself_ends() {
    let server = Scripted::start(|_, _| Reply::json(r#"{"results":[],"nextPageToken":"t"}"#)).await;
    let reader = server.reader();
    let (stage, filter) = (stage(), TaskFilter::default());
    let error = reader
        .tasks_page(hash(), &stage, &filter, Some("t"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("follows itself"), "{error}");
}

#[tokio::test]
async fn a_bearer_token_takes_the_place_of_signatures() {
    let server = Scripted::start(|_, _| Reply::json(EMPTY_PAGE)).await;
    let mut settings = server.settings();
    settings.bearer = Some(Bearer::new("t0ken").unwrap());
    list(&Reader::new(settings).unwrap(), TaskFilter::default())
        .await
        .unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.headers["authorization"], "Bearer t0ken");
    assert!(!request.headers.contains_key("signature"));
}

#[tokio::test]
async fn a_read_only_process_has_no_writer() {
    let server = Scripted::start(|_, _| Reply::Drop).await;
    let mut settings = server.settings();
    settings.read_only = true;
    let error = Reader::new(settings)
        .unwrap()
        .writer(Permission::Person)
        .unwrap_err();
    assert_eq!(Fault::from(error).kind.exit_code(), 8);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_forbidden_item_and_a_missing_row_cost_only_their_tasks() {
    let server = Scripted::start(|_, request| {
        let asked = request.json();
        let id = |n: u128| Uuid::from_u128(n).to_string();
        if request.path() == "/public" {
            assert_eq!(request.headers["resourcetype"], "project");
            assert_eq!(request.headers["resourceid"], hash().to_string());
            let rows: Vec<_> = (1001..=1020)
                .filter(|n| *n != 1013)
                .map(|n| {
                    json!({"data_hash": id(n), "label_hash": null, "branch_name": "main",
                        "data_type": "IMAGE", "backing_item_uuid": id(n + 1000)})
                })
                .collect();
            return Reply::json(&json!({"status": 200, "response": rows}).to_string());
        }
        let items: Vec<&str> = asked["itemUuids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i.as_str().unwrap())
            .collect();
        if items.contains(&id(2005).as_str()) {
            return Reply::status(403, r#"{"message":"not yours"}"#);
        }
        let items: Vec<_> = items
            .iter()
            .map(|i| json!({"uuid": i, "itemType": "image"}))
            .collect();
        Reply::json(&json!({"results": items}).to_string())
    })
    .await;
    let reader = server.reader();
    let rows: Vec<TaskRow> = (1..=20)
        .map(|n| TaskRow {
            id: TaskId(Uuid::from_u128(n)),
            data: DataHash(Uuid::from_u128(1000 + n)),
            created: Millis(0),
            updated: Millis(0),
            title: "x".into(),
            assignee: None,
            last_actioned_by: None,
            branch: "main".into(),
            status: TaskStatus::New,
        })
        .collect();
    let wants = Wants {
        needs: needs::STORAGE_ITEM,
        ..Wants::default()
    };
    let cache = AssetCache::new("/nonexistent", 0);
    let inputs = reader
        .inputs(&project(), &stage(), &rows, &wants, &cache)
        .await;
    let failed: Vec<(usize, &Fault)> = inputs
        .iter()
        .enumerate()
        .filter_map(|(i, input)| Some((i, input.as_ref().err()?)))
        .collect();
    assert_eq!(failed.iter().map(|f| f.0).collect::<Vec<_>>(), [4, 12]);
    assert!(failed[0].1.summary.contains("not yours"), "{failed:?}");
    assert!(
        failed[1].1.summary.contains("no label row for data unit"),
        "{failed:?}"
    );
    assert!(server.requests().len() <= 11, "{}", server.requests().len());
}

#[tokio::test]
async fn an_outage_in_the_middle_of_a_batch_is_not_asked_about_each_row() {
    let server = Scripted::start(|_, _| Reply::status(500, "{}")).await;
    let units: Vec<_> = (0..200)
        .map(|n| (DataHash(Uuid::from_u128(n)), "main".into()))
        .collect();
    let reader = server.reader();
    let (include, initialise) = Default::default();
    let rows = reader
        .label_rows(hash(), &units, &include, &initialise)
        .await;
    assert!(
        rows.iter()
            .all(|row| row.as_ref().is_err_and(|fault| fault.retry))
    );
    assert!(server.requests().len() < 40, "{}", server.requests().len());
    let trouble = reader.trouble().unwrap();
    assert!(trouble.why.contains("500"), "{trouble:?}");
}

/// An upstream with tasks at a stage: actions apply, then the script may spoil the answer.
fn board(
    tasks: Vec<u128>,
    spoil: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static,
) -> impl Fn(usize, &Request) -> Reply + Send + Sync {
    let there = Mutex::new(tasks);
    let posts = Mutex::new(0);
    move |_, request| {
        let mut there = there.lock().unwrap();
        if request.method == "GET" {
            let rows: Vec<_> = there
                .iter()
                .map(|n| {
                    json!({"uuid": Uuid::from_u128(*n), "createdAt": "2026-11-22T07:57:06Z",
                        "updatedAt": "2026-11-22T07:57:06Z", "status": "NEW",
                        "dataHash": Uuid::from_u128(1000 + n), "dataTitle": "x", "labelBranchName": "main"})
                })
                .collect();
            return Reply::json(&json!({"results": rows, "nextPageToken": null}).to_string());
        }
        let mut posts = posts.lock().unwrap();
        *posts += 1;
        let asked: Vec<u128> = request
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|action| {
                action["taskUuid"]
                    .as_str()
                    .unwrap()
                    .parse::<Uuid>()
                    .unwrap()
                    .as_u128()
            })
            .collect();
        if !asked.iter().all(|n| there.contains(n)) {
            return Reply::status(400, r#"{"message":"a task has left the stage"}"#);
        }
        match spoil(*posts) {
            // Refused before anything is done.
            Some(Reply::Full(status, headers, body)) => Reply::Full(status, headers, body),
            spoilt => {
                there.retain(|n| !asked.contains(n));
                spoilt.unwrap_or_else(|| Reply::json("null"))
            }
        }
    }
}

async fn move_all(server: &Scripted, tasks: u128) -> Vec<Committed> {
    let writer = server.reader().writer(Permission::Command("test")).unwrap();
    let items = (1..=tasks).map(mover).collect();
    writer
        .commit(&project(), items)
        .await
        .into_iter()
        .map(|(_, end)| end)
        .collect()
}

#[tokio::test]
async fn a_move_that_was_applied_and_lost_is_done_and_not_sent_again() {
    for lose in [
        || Reply::Drop,
        || Reply::Silence,
        || Reply::Cut(b"nul".to_vec()),
    ] {
        let server = Scripted::start(board((1..=5).collect(), move |_| Some(lose()))).await;
        let ends = move_all(&server, 5).await;
        assert!(ends.iter().all(|end| *end == Committed::Done), "{ends:?}");
        let posts = server
            .requests()
            .iter()
            .filter(|r| r.method == "POST")
            .count();
        assert_eq!(posts, 1);
    }
}

#[tokio::test]
async fn a_move_that_failed_unapplied_is_sent_again() {
    let server = Scripted::start(board((1..=5).collect(), |post| {
        (post <= 2).then(|| Reply::status(500, "{}"))
    }))
    .await;
    assert!(
        move_all(&server, 5)
            .await
            .iter()
            .all(|end| *end == Committed::Done)
    );
    let methods: Vec<String> = server.requests().into_iter().map(|r| r.method).collect();
    assert_eq!(
        methods,
        ["POST", "GET", "POST", "GET", "POST"],
        "asked before each repetition"
    );
}

#[tokio::test]
async fn a_task_that_had_left_is_told_apart_in_three_requests() {
    let server = Scripted::start(board(vec![1, 2, 4, 5], |_| None)).await;
    let ends = move_all(&server, 5).await;
    let moved = ends.iter().position(|end| *end == Committed::AlreadyMoved);
    assert_eq!(moved, Some(2));
    assert_eq!(
        ends.iter().filter(|end| **end == Committed::Done).count(),
        4
    );
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn limited_writes_are_sent_again_without_asking() {
    let server = Scripted::start(board((1..=5).collect(), |post| {
        (post == 1).then(|| Reply::Full(429, vec![("Retry-After", "0".to_owned())], Vec::new()))
    }))
    .await;
    assert!(
        move_all(&server, 5)
            .await
            .iter()
            .all(|end| *end == Committed::Done)
    );
    let methods: Vec<String> = server.requests().into_iter().map(|r| r.method).collect();
    assert_eq!(methods, ["POST", "POST"]);
}

#[tokio::test]
async fn a_download_resumes_where_it_broke_and_follows_redirects() {
    let item = Uuid::from_u128(77);
    let bytes: Vec<u8> = (0..=255).cycle().take(3050).collect();
    let content = bytes.clone();
    let server = Scripted::start(move |_, request| {
        let host = &request.headers["host"];
        match (
            request.path(),
            request.headers.get("range").map(String::as_str),
        ) {
            ("/moved", _) => Reply::Full(
                302,
                vec![("Location", "/file?X-Sig=geheim2".to_owned())],
                Vec::new(),
            ),
            ("/file", None) => Reply::Cut(content[..3000].to_vec()),
            ("/file", Some("bytes=3000-")) => Reply::Full(
                206,
                vec![("Content-Range", "bytes 3000-3049/3050".to_owned())],
                content[3000..].to_vec(),
            ),
            _ => Reply::json(
                &json!({"uuid": item, "itemType": "image", "name": "x", "mimeType": "image/png",
                    "signedUrl": format!("http://{host}/moved?X-Sig=geheim")})
                .to_string(),
            ),
        }
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let file = server
        .reader()
        .download(ItemId(item), &cache)
        .await
        .unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), bytes);
    assert!(
        !server
            .requests()
            .iter()
            .any(|r| r.path() == "/file" && r.headers.contains_key("signature"))
    );
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let server = Scripted::start(|_, request| match request.path() {
        "/file" => Reply::Full(200, Vec::new(), vec![0; 5000]),
        _ => Reply::json(
            &json!({"uuid": Uuid::from_u128(7), "itemType": "image",
                "signedUrl": format!("http://{}/file?X-Sig=geheim", request.headers["host"])})
            .to_string(),
        ),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1000);
    let error = server
        .reader()
        .download(ItemId(Uuid::from_u128(7)), &cache)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("limited to 1000"), "{error}");
    assert!(!format!("{error:?}").contains("geheim"));
}
