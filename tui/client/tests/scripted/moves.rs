//! Moves whose answers are lost, refused or limited.

use super::*;

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
async fn a_task_that_had_left_is_found_in_three_requests() {
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

/// An upstream with two stages: what is posted is applied or not, its answer is lost, and then somebody acts.
fn two_stages(
    applied: bool,
    acts: impl Fn(&mut Vec<u128>, &mut Vec<u128>) + Send + Sync + 'static,
) -> impl Fn(usize, &Request) -> Reply + Send + Sync {
    let stages = Mutex::new(((1..=5).collect::<Vec<u128>>(), Vec::new()));
    move |_, request| {
        let mut both = stages.lock().unwrap();
        let (here, there) = &mut *both;
        if request.method == "GET" {
            let at_origin = request.path().contains(&stage().id.to_string());
            return Reply::json(&page_of(if at_origin { here } else { there }));
        }
        if applied {
            there.append(here);
        }
        acts(here, there);
        Reply::Drop
    }
}

fn page_of(tasks: &[u128]) -> String {
    let row = |n: &u128| {
        json!({"uuid": Uuid::from_u128(*n), "createdAt": "2026-11-22T07:57:06Z",
            "updatedAt": "2026-11-22T07:57:06Z", "status": "NEW",
            "dataHash": Uuid::from_u128(1000 + n), "dataTitle": "x", "labelBranchName": "main"})
    };
    let rows: Vec<_> = tasks.iter().map(row).collect();
    json!({"results": rows, "nextPageToken": null}).to_string()
}

async fn ends_at(server: &Scripted) -> Vec<Committed> {
    let mut project = project();
    project.workflow.stages[0].pathways = vec![wb_core::workflow::Pathway {
        id: PathwayId(Uuid::from_u128(9)),
        name: "on".to_owned(),
        to: StageId(Uuid::from_u128(3)),
    }];
    let writer = server.reader().writer(Permission::Command("test")).unwrap();
    let items = (1..=5).map(mover).collect();
    let ends = writer.commit(&project, items).await;
    ends.into_iter().map(|(_, end)| end).collect()
}

#[tokio::test]
async fn a_lost_move_that_arrived_is_ours_even_where_somebody_moved_a_task_on() {
    let script = two_stages(true, |_, there| there.retain(|n| *n != 4));
    let server = Scripted::start(script).await;
    let ends = ends_at(&server).await;
    assert!(ends.iter().all(|end| *end == Committed::Done), "{ends:?}");
}

#[tokio::test]
async fn a_lost_move_whose_tasks_somebody_else_took_elsewhere_is_not_called_ours() {
    let script = two_stages(false, |here, _| here.clear());
    let server = Scripted::start(script).await;
    let ends = ends_at(&server).await;
    let theirs = |end: &Committed| *end == Committed::AlreadyMoved;
    assert!(ends.iter().all(theirs), "{ends:?}");
}
