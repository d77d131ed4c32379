//! What each kind of nonsense is called.

use super::*;

#[tokio::test]
async fn a_project_that_is_not_there_is_a_matter_of_settings() {
    let server = Scripted::start(|_, _| Reply::status(404, r#"{"message":"no"}"#)).await;
    let error = server.reader().project(hash()).await.unwrap_err();
    let error = Error::from(error);
    assert_eq!(error.kind.exit_code(), 3);
    assert!(error.hints[0].contains("--project-hash"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_named_with_its_trace() {
    let (result, requests) = listing(|_| Reply::status(503, r#"{"message":"maintenance"}"#)).await;
    assert_eq!(requests, 5);
    let error = Error::from(result.unwrap_err());
    assert_eq!(error.kind, ErrorKind::Upstream);
    assert!(
        error.retry && error.summary.contains("(503): maintenance"),
        "{error:?}"
    );
    assert!(error.cause.as_ref().unwrap().contains("5 attempts"));
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
    assert_eq!(Error::from(error).kind.exit_code(), 7);
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for (status, kind) in [
        (400, ErrorKind::Upstream),
        (401, ErrorKind::Access),
        (403, ErrorKind::Access),
        (404, ErrorKind::Upstream),
        (409, ErrorKind::Upstream),
        (413, ErrorKind::Upstream),
        (302, ErrorKind::Upstream),
    ] {
        let (result, requests) = listing(move |_| {
            Reply::Full(
                status,
                vec![("Location", "https://elsewhere.test/".to_owned())],
                b"{}".to_vec(),
            )
        })
        .await;
        assert_eq!(Error::from(result.unwrap_err()).kind, kind, "{status}");
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
    let fetch = FetchSpec {
        needs: needs::STORAGE_ITEM,
        ..FetchSpec::default()
    };
    let cache = AssetCache::new("/nonexistent", 0);
    let inputs = reader
        .inputs(&project(), &stage(), &rows, &fetch, &cache)
        .await;
    let failed: Vec<(usize, &Error)> = inputs
        .iter()
        .enumerate()
        .filter_map(|(i, input)| Some((i, input.as_ref().err()?)))
        .collect();
    assert_eq!(failed.iter().map(|f| f.0).collect::<Vec<_>>(), [4, 12]);
    assert!(failed[0].1.summary.contains("not yours"), "{failed:?}");
    // Not the kind that ends a run: the caller may see the others.
    assert_eq!(failed[0].1.kind, ErrorKind::Upstream);
    assert!(
        failed[1].1.summary.contains("no label row for data unit"),
        "{failed:?}"
    );
    assert!(server.requests().len() <= 11, "{}", server.requests().len());
}

#[tokio::test]
async fn items_in_a_folder_of_others_cost_only_themselves_however_many_and_all_of_them_are_no_access()
 {
    let server = Scripted::start(|_, request| {
        let asked = request.json();
        let items = asked["itemUuids"].as_array().unwrap();
        let number =
            |i: &serde_json::Value| Uuid::parse_str(i.as_str().unwrap()).unwrap().as_u128();
        if items
            .iter()
            .any(|i| (20..60).contains(&number(i)) || number(i) > 1000)
        {
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
    let ids = |range: std::ops::Range<u128>| {
        range
            .map(|n| ItemId(Uuid::from_u128(n)))
            .collect::<Vec<_>>()
    };
    let kinds: Vec<_> = reader
        .items(&ids(0..100), true)
        .await
        .into_iter()
        .map(|found| found.err().map(|error| error.kind))
        .collect();
    let wanted = |n: usize| (20..60).contains(&n).then_some(ErrorKind::Upstream);
    assert!(
        kinds.iter().enumerate().all(|(n, kind)| *kind == wanted(n)),
        "{kinds:?}"
    );
    let before = server.requests().len();
    let none = reader.items(&ids(2000..2100), true).await;
    assert!(none.iter().all(|found| {
        found
            .as_ref()
            .is_err_and(|error| error.kind == ErrorKind::Access)
    }));
    assert!(
        server.requests().len() - before < 20,
        "asked on although nothing may be seen"
    );
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
            .all(|row| row.as_ref().is_err_and(|error| error.retry))
    );
    assert!(server.requests().len() < 40, "{}", server.requests().len());
    let outage = reader.outage().unwrap();
    assert!(outage.why.contains("500"), "{outage:?}");
}

#[tokio::test]
async fn a_field_of_the_wrong_shape_is_named_by_its_path() {
    let task = json!({"uuid": Uuid::from_u128(5), "dataHash": 7, "dataTitle": "x",
        "createdAt": "2026-11-22T07:57:06Z", "updatedAt": "2026-11-22T07:57:06Z"});
    let body = json!({"results": [task]}).to_string();
    let (result, _) = listing(move |_| Reply::json(&body)).await;
    let text = result.unwrap_err().to_string();
    assert!(
        text.contains("the tasks: `results[0].dataHash`: "),
        "{text}"
    );
}

#[tokio::test]
async fn a_login_page_and_a_redirect_to_one_are_somebody_elses() {
    let page = "<!doctype html><title>Hotel WLAN</title>";
    for (status, location) in [
        (200, ""),
        (302, "https://portal.test/login?token=geheim"),
        (511, ""),
    ] {
        let head =
            Vec::from_iter((!location.is_empty()).then(|| ("Location", location.to_owned())));
        let (result, _) = listing(move |_| Reply::Full(status, head.clone(), page.into())).await;
        let error = Error::from(result.unwrap_err());
        let text = format!("{} {}", error.summary, error.hints.join(" "));
        let named =
            text.contains("Hotel WLAN") || text.contains("302 to https://portal.test/login");
        assert!(named && text.contains("in between"), "{status}: {text}");
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[tokio::test]
async fn the_error_of_a_refused_key_has_how_much_the_clock_is_off() {
    let theirs = "Sun, 01 Feb 2026 00:00:00 GMT".to_owned();
    let head = vec![("Date", theirs)];
    let (result, requests) = listing(move |_| Reply::Full(401, head.clone(), b"{}".to_vec())).await;
    // Once as it is, once with the platform's time; neither helps with a wrong key.
    assert_eq!(requests, 2);
    let error = Error::from(result.unwrap_err());
    assert_eq!(error.kind.exit_code(), 6);
    assert!(
        error.hints[0].contains("clock is ") && error.hints[0].contains(" s ahead of"),
        "{error:?}"
    );
    // A server on this machine is in no region.
    assert!(error.hints[1].contains("ENCORD_SSH_KEY_FILE"), "{error:?}");
    assert!(!error.hints.concat().contains("encord.com"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_never_answers_is_given_up_within_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = wb_client::Settings::new(
        &format!("http://{}", listener.local_addr().unwrap()),
        wb_client::Key::from_seed(&seed()),
    )
    .unwrap();
    drop(listener);
    settings.patience = Duration::from_secs(90);
    let began = tokio::time::Instant::now();
    let reader = Reader::new(settings).unwrap();
    list(&reader, TaskFilter::default()).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(10));
}
