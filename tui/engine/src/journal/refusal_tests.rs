//! Every kind of write refused by every kind of answer, at every step, by the server's own records: what is left in
//! part is known, nobody's agent may run on top of it, and the next command finishes it or takes it back.

use super::Journal;
use crate::local_world::{TASKS, World};
use serde_json::json;
use wb_core::work::{Change, Committed};

/// The steps of a commit by the names of their requests.
const STEPS: [&str; 5] = [
    "create_labels",
    "save_labels",
    "priorities",
    "patch_items",
    "actions",
];
/// The steps of an undo.
const BACK: [&str; 4] = ["save_labels", "priorities", "patch_items", "move_tasks"];
const ANSWERS: [&str; 23] = [
    "400",
    "401",
    "403",
    "404",
    "409",
    "413",
    "422",
    "429",
    "500",
    "503",
    "lost",
    "drop",
    "page",
    "truncate",
    "401!applied",
    "403!applied",
    "404!applied",
    "409!applied",
    "413!applied",
    "422!applied",
    "429!applied",
    "502!applied",
    "page!applied",
];

const DONE: (&str, f64, usize) = ("Complete", 0.25, 1);

async fn refused(step: &str, answer: &str) {
    let case = format!("{step}:{answer}");
    let world = World::new().await;
    world.errors(std::slice::from_ref(&case));
    let (rows, op) = world.run().await;
    world.errors(&[]);
    let at = |n: usize| rows[n].id;
    let guarded = world.guarded(&rows);
    let half = world.tasks().await;
    assert_eq!(half.len(), TASKS, "{case}");
    for (n, (stage, _, boxes)) in half.iter().enumerate() {
        assert!(*boxes <= 1, "{case}: {half:?}");
        let in_part = *stage == world.stage.title && *boxes > 0;
        assert!(
            !in_part || guarded.contains(&at(n)),
            "{case}: an agent would be run on top of its own labels: {half:?}"
        );
    }
    if answer.ends_with("applied") {
        let wrong = half
            .iter()
            .filter(|(stage, ..)| *stage == world.stage.title)
            .count();
        // Who asks too often is refused at every step after it, until the next command.
        assert!(wrong == 0 || answer.starts_with("429"), "{case}: {half:?}");
    }
    // What was written in part can be taken back as it stands; half of the cases do.
    let back = (step.len() + answer.len()).is_multiple_of(2);
    if back && world.journal().ops().unwrap()[0].in_part == TASKS as u64 {
        assert_eq!(world.undo(op).await.unwrap(), (TASKS as u64, 0), "{case}");
        for (stage, _, boxes) in world.tasks().await {
            assert_eq!((stage, boxes), (world.stage.title.clone(), 0), "{case}");
        }
        assert_eq!(world.guarded(&rows).len(), 0, "{case}");
    }
    let settled = world.settle(world.journal()).await;
    assert_eq!(settled.in_part, 0, "{case}");
    // What was not written at all is run again; nothing else waits.
    world.run().await;
    for (stage, priority, boxes) in world.tasks().await {
        assert_eq!((&*stage, priority, boxes), DONE, "{case}");
    }
    assert_eq!(world.changed("actions"), TASKS as u64, "{case}");
    assert_eq!(world.guarded(&rows).len(), 0, "{case}");
    let journal = world.journal();
    assert!(journal.open_entries(world.project.hash).unwrap().is_empty());
}

async fn undo_refused(step: &str, answer: &str) {
    let case = format!("undo, {step}:{answer}");
    let world = World::new().await;
    let (rows, op) = world.run().await;
    world.errors(&[format!("{step}:{answer}")]);
    let first = world.undo(op).await;
    world.errors(&[]);
    if (step.len() + answer.len()).is_multiple_of(2) {
        let settled = world.settle(world.journal()).await;
        assert_eq!(settled.in_part, 0, "{case}");
    }
    let second = world.undo(op).await.unwrap();
    assert_eq!(
        second.1, 0,
        "{case}: {first:?}, nobody else changed anything"
    );
    for (stage, priority, boxes) in world.tasks().await {
        let wanted = (&*world.stage.title, 0.5, 0);
        assert_eq!((&*stage, priority, boxes), wanted, "{case}");
    }
    assert_eq!(world.changed("move_tasks"), TASKS as u64, "{case}");
    assert_eq!(world.guarded(&rows).len(), 0, "{case}");
    // And again: an undo of nothing restores nothing.
    assert_eq!(world.undo(op).await.unwrap(), (0, 0), "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_since_is_written_over_only_when_a_person_decides_so() {
    let world = World::new().await;
    let (rows, items) = world.outcomes().await;
    world.errors(&["actions:400".to_owned()]);
    let journal = world.journal();
    let commit =
        async |items: Vec<Change>, overwrite| world.write(&world.journal(), items, overwrite).await;
    let ends = commit(items.clone(), false).await;
    assert!(
        ends.iter()
            .all(|end| matches!(end, Committed::Partial { .. })),
        "{ends:?}"
    );
    world.errors(&[]);
    for row in &rows {
        let edit = json!({"data_hash": row.data, "by": "ann@example.com"}).to_string();
        tokio::task::block_in_place(|| world.records("POST", "/local/edit", &edit));
    }
    for _ in 0..2 {
        let ends = commit(items.clone(), false).await;
        assert!(
            ends.iter()
                .all(|end| matches!(end, Committed::Conflict { .. })),
            "{ends:?}"
        );
        assert_eq!(world.guarded(&rows).len(), TASKS, "no agent runs on top");
    }
    let ends = commit(items, true).await;
    assert!(ends.iter().all(|end| *end == Committed::Done), "{ends:?}");
    for (stage, priority, boxes) in world.tasks().await {
        assert_eq!((&*stage, priority, boxes), DONE);
    }
    assert!(journal.open_entries(world.project.hash).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_a_person_took_out_again_are_not_saved_once_more() {
    let world = World::new().await;
    world.errors(&["actions:403".to_owned()]);
    let (rows, op) = world.run().await;
    // As a person would, by hand: what the journal does not know of.
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(
        world.dir.path().join("journal.db"),
        other.path().join("journal.db"),
    )
    .unwrap();
    let elsewhere = Journal::open(other.path()).unwrap();
    let undone = world.take_back(elsewhere, op).await;
    assert_eq!(undone.unwrap().restored, TASKS as u64);
    world.errors(&[]);
    let settled = world.settle(world.journal()).await;
    assert_eq!((settled.finished, settled.left), (0, TASKS));
    assert_eq!(world.changed("actions"), 0);
    assert!(world.tasks().await.iter().all(|(.., boxes)| *boxes == 0));
    assert_eq!(world.guarded(&rows).len(), 0, "agents may run again");
}

/// Runs these cases side by side; most of their time is waiting.
async fn all<F: Future<Output = ()> + Send + 'static>(cases: Vec<F>) {
    let mut running = tokio::task::JoinSet::new();
    for case in cases {
        running.spawn(case);
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_refused_at_any_step_by_any_answer_is_finished_once() {
    let mut cases = Vec::new();
    for step in STEPS {
        for answer in ANSWERS {
            cases.push(refused(step, answer));
        }
    }
    all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_refused_at_any_step_by_any_answer_is_completed_once() {
    let mut cases = Vec::new();
    for step in BACK {
        for answer in ANSWERS {
            cases.push(undo_refused(step, answer));
        }
    }
    all(cases).await;
}
