//! What one screen keeps, the next one is given; what is too old is forgotten.

use super::results::{KEPT, PATCH_BYTES, WITH_PATCH, of_run, runs};
use super::*;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::comparing::StoredResult;
use wb_core::figures::{KeptResult, KeptRun, StageFigures};
use wb_core::ids::{BuildId, Millis, StageId};
use wb_core::queue::LastResult;
use wb_core::work::{LabelChange, Outcome, Patch, Route};

const PROJECT: ProjectHash = ProjectHash(Uuid::from_u128(9));
const STAGE: StageId = StageId(Uuid::from_u128(1));

fn outcome(labels: usize) -> Arc<Outcome> {
    let label = |n| LabelChange {
        sign: '+',
        name: "Car".into(),
        hash: format!("h{n}"),
        detail: "frame 0 · box 11 %, 42 %, 20 × 18 %".into(),
        ..LabelChange::default()
    };
    Arc::new(Outcome {
        way: Route::Stay,
        patch: Patch {
            labels: (0..labels).map(label).collect(),
            ..Patch::default()
        },
        labels_after: None,
        further: Vec::new(),
        steps: Vec::new(),
        unread: Vec::new(),
    })
}

fn result(run: u64, task: u128, text: &str, labels: usize) -> KeptResult {
    KeptResult {
        run,
        stage: STAGE,
        task: TaskId(Uuid::from_u128(task)),
        title: "a.jpg".into(),
        updated: Millis(5),
        last: LastResult {
            build: BuildId(0),
            text: text.into(),
            failed: labels == 0,
            pathway: None,
            group: None,
            labels: (labels, 0, 0),
            ms: 1.5,
            at: Millis(10),
        },
        outcome: (labels > 0).then(|| outcome(labels)),
    }
}

fn kept(results: Vec<KeptResult>) -> KeptFigures {
    let number = results.first().map_or(0, |first| first.run);
    let mut figures = StageFigures::default();
    figures.times.push(1_500);
    KeptFigures {
        runs: vec![KeptRun {
            number,
            tasks: results.len() as u64,
            ..KeptRun::default()
        }],
        results,
        stages: vec![(STAGE, figures)],
    }
}

/// A screen that keeps these and ends; what it was given at its start.
fn screen(dir: &Path, changes: Vec<KeptFigures>) -> (FiguresBefore, Vec<Event>) {
    let (news, mut inbox) = tokio::sync::mpsc::channel(1_000);
    let mut store = ScreenStore::open(dir, PROJECT).unwrap();
    let before = store.take_figures();
    store.begin(news).unwrap();
    changes.into_iter().for_each(|c| store.figures(Box::new(c)));
    drop(store);
    let mut events = Vec::new();
    while let Ok(event) = inbox.try_recv() {
        events.push(event);
    }
    (before, events)
}

fn texts(events: &[Event]) -> Vec<(u128, String)> {
    let mut all = Vec::new();
    for event in events {
        let Event::ResultsBefore { results, .. } = event else {
            panic!("{event:?}")
        };
        let each = results.iter();
        all.extend(each.map(|r| (r.task.0.as_u128(), r.last.text.clone())));
    }
    all
}

#[test]
fn results_runs_and_figures_come_back_and_runs_are_counted_on() {
    let dir = tempfile::tempdir().unwrap();
    let first = kept(vec![
        result(1, 1, "annotate", 2),
        result(1, 2, "boom\nat x", 0),
    ]);
    let (before, events) = screen(dir.path(), vec![first.clone()]);
    assert_eq!(before, FiguresBefore::default());
    assert_eq!(
        events,
        [Event::ResultsBefore {
            results: vec![],
            all: true
        }]
    );
    let second = kept(vec![result(2, 1, "skip", 1)]);
    let (before, events) = screen(dir.path(), vec![second]);
    assert_eq!((before.last_run, before.stages), (1, first.stages.clone()));
    let expected = [(1, "annotate".to_owned()), (2, "boom".to_owned())];
    assert_eq!(texts(&events), expected, "an error's first line only");
    // The newest of a task comes last.
    let (before, events) = screen(dir.path(), vec![]);
    assert_eq!(before.last_run, 2);
    assert_eq!(texts(&events).last().unwrap(), &(1, "skip".to_owned()));
    let all = runs(dir.path(), PROJECT).unwrap();
    assert_eq!(all.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 1]);
    let [one, two]: [StoredResult; 2] = of_run(dir.path(), PROJECT, 1).unwrap().try_into().unwrap();
    assert_eq!(one.patch.unwrap(), outcome(2).patch);
    assert_eq!((two.patch, two.result.last.failed), (None, true));
    let same = KeptResult {
        outcome: None,
        ..first.results[0].clone()
    };
    assert_eq!(one.result, same);
    // Another project has none of it, and forgetting this one leaves nothing.
    let other = ProjectHash(Uuid::from_u128(8));
    assert!(runs(dir.path(), other).unwrap().is_empty());
    forget(dir.path(), PROJECT).unwrap();
    let (before, events) = screen(dir.path(), vec![]);
    assert_eq!((before, texts(&events)), (FiguresBefore::default(), vec![]));
}

#[test]
fn a_folder_without_results_has_no_runs() {
    let dir = tempfile::tempdir().unwrap();
    assert!(runs(dir.path(), PROJECT).unwrap().is_empty());
    // An earlier version made the file.
    let db = database::open(&dir.path().join("screen.db")).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    assert!(of_run(dir.path(), PROJECT, 1).unwrap().is_empty());
}

#[test]
fn patches_that_are_large_or_old_and_results_that_are_old_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let large = PATCH_BYTES / 40;
    let few = kept(vec![result(1, 1, "a", 1), result(1, 2, "a", large)]);
    screen(dir.path(), vec![few]);
    let has_patch = |run| {
        let all = of_run(dir.path(), PROJECT, run).unwrap();
        all.iter().map(|r| r.patch.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(has_patch(1), [true, false]);
    // As if so many had come since.
    let db = database::open(&dir.path().join("screen.db")).unwrap();
    let move_on = |by: i64| db.execute("UPDATE result SET id = id + ?1 WHERE run = 2", [by]);
    screen(dir.path(), vec![kept(vec![result(2, 3, "b", 1)])]);
    move_on(WITH_PATCH - 3).unwrap();
    screen(dir.path(), vec![kept(vec![result(3, 4, "c", 1)])]);
    assert_eq!((has_patch(1), has_patch(2)), (vec![false; 2], vec![true]));
    move_on(KEPT).unwrap();
    screen(dir.path(), vec![kept(vec![result(4, 5, "d", 1)])]);
    assert_eq!((has_patch(1).len(), has_patch(3).len()), (0, 0));
    assert_eq!((has_patch(2), has_patch(4)), (vec![true], vec![true]));
}

#[test]
fn a_result_that_comes_twice_in_a_run_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let twice = kept(vec![result(1, 1, "boom", 0), result(1, 1, "ok", 1)]);
    screen(dir.path(), vec![twice]);
    let all = of_run(dir.path(), PROJECT, 1).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].result.last.text, "ok");
}
