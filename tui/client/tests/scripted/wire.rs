//! What goes over the wire: signatures, connections, what is sent again and what is not.

use super::*;

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
async fn a_wait_beyond_the_patience_ends_at_once_and_names_the_wait() {
    let began = Instant::now();
    let (result, requests) =
        listing(|_| Reply::Full(429, vec![("Retry-After", "600".to_owned())], Vec::new())).await;
    let error = result.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(requests, 1);
    let error = Error::from(&error);
    assert_eq!(error.kind.exit_code(), 7);
    assert!(
        error.hints[0].contains("600 s") && error.hints[0].contains("--rate"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_bearer_token_takes_the_place_of_signatures() {
    let server = Scripted::start(|_, _| Reply::json(EMPTY_PAGE)).await;
    let mut settings = server.settings();
    settings.credential = Credential::Token(Bearer::new("t0ken").unwrap());
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
    assert_eq!(Error::from(error).kind.exit_code(), 8);
    assert!(server.requests().is_empty());
}

/// A project with one agent stage, whose ontology is held back until its tasks were asked for.
async fn patient_platform() -> Scripted {
    let asked = std::sync::Arc::new((Mutex::new(false), std::sync::Condvar::new()));
    Scripted::start(move |_, request| {
        let path = request.path();
        let (seen, news) = &*asked;
        if path.ends_with("/tasks") {
            *seen.lock().unwrap() = true;
            news.notify_all();
            return Reply::json(EMPTY_PAGE);
        }
        if path.contains("/ontologies/") {
            let seen = seen.lock().unwrap();
            let limit = Duration::from_secs(20);
            let (seen, _) = news.wait_timeout_while(seen, limit, |s| !*s).unwrap();
            assert!(*seen, "the tasks were asked for meanwhile");
            return Reply::json(r#"{"title":"O","editor":{}}"#);
        }
        if path.ends_with("/datasets") {
            return Reply::json(EMPTY_PAGE);
        }
        let stage =
            json!({"stageType": "AGENT", "uuid": stage().id.0, "title": "Agent 1", "pathways": []});
        let project = json!({"projectHash": hash().0, "title": "P", "status": "inProgress",
            "ontologyHash": Uuid::from_u128(9), "workflow": {"stages": [stage]}});
        Reply::json(&project.to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_tasks_are_asked_for_while_the_ontology_is_on_its_way_and_handed_out_once() {
    let server = patient_platform().await;
    let reader = server.reader();
    let first = |workflow: &Workflow| Some(workflow.stages[0].id);
    let project = reader.project_and_tasks(hash(), first).await.unwrap();
    let asked = || {
        let all = server.requests();
        all.iter().filter(|r| r.path().ends_with("/tasks")).count()
    };
    assert_eq!(asked(), 1);
    let page = || async {
        let all = TaskFilter::default();
        let page = reader.tasks_page(hash(), &project.workflow.stages[0], &all, None);
        page.await.unwrap()
    };
    assert!(page().await.rows.is_empty());
    assert_eq!(asked(), 1, "it was there already");
    page().await;
    assert_eq!(asked(), 2, "a second look is a new one");
}
