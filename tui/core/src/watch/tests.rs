//! What is kept of watched tasks against its bounds; a round in words. Sums and index are in `turns`.

mod turns;

use super::*;
use crate::compare::{LabelCounts, TaskComparison};
use crate::error::ErrorKind;
use crate::ids::{BatchOwner, DataHash, TaskId};
use crate::step::LogLine;
use crate::work::{LabelBlob, Patch, Route, TaskStatus};
use std::collections::HashSet;
use turns::check;
use uuid::Uuid;

fn row(n: u64) -> TaskRow {
    TaskRow {
        id: id(n),
        data: DataHash(Uuid::from_u128(u128::from(n) + 1_000_000)),
        created: Millis(0),
        updated: Millis(0),
        title: format!("task {n}").into(),
        assignee: None,
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

fn id(n: u64) -> TaskId {
    TaskId(Uuid::from_u128(u128::from(n)))
}

fn stage(n: u64) -> StageId {
    StageId(Uuid::from_u128(u128::from(n)))
}

fn inputs(n: u64, size: usize) -> Arc<Inputs> {
    Arc::new(Inputs {
        row: row(n),
        task_json: "x".repeat(size).into(),
        labels: None,
        item_json: None,
        asset_json: None,
        fetched: Millis(0),
        timings: Vec::new(),
    })
}

fn outcome(size: usize) -> Arc<Outcome> {
    Arc::new(Outcome {
        way: Route::Stay,
        patch: Patch::default(),
        labels_after: Some(LabelBlob::new(&"x".repeat(size).into())),
        further: Vec::new(),
        steps: Vec::new(),
        unread: Vec::new(),
    })
}

/// One round over these tasks, each with inputs and an outcome of this size.
fn round(watch: &mut Watch, build: u32, tasks: u64, size: usize) {
    let (fetch, mut batches) = (FetchSpec::default(), u64::from(build) * 1_000_000);
    watch.begin_round(stage(1), Some(BuildId(build)));
    for _ in 0..tasks {
        let rows: Vec<TaskRow> = watch.take_next(stage(1), &fetch).into_iter().collect();
        if let [row] = rows.as_slice() {
            let (id, n) = (row.id, u64::try_from(row.id.0.as_u128()).unwrap());
            let batch = BatchId::next(BatchOwner::Watch, &mut batches);
            watch.fetch(batch, &rows, fetch.clone());
            let (_, fetch) = watch.take_fetch(batch).unwrap();
            watch.fetched(id, batch, &Ok(inputs(n, size)), &fetch);
        }
        let next = watch.take_ready(|_, _| true).unwrap();
        batches += 1;
        let (job, build) = (JobId(batches), BuildId(build));
        let running = RunningWatched {
            task: next.task,
            build,
            inputs: next.inputs,
            pid: None,
            loading: None,
            log: Log::default(),
        };
        watch.started(job, running);
        watch.ran(
            job,
            WatchResult::new(build, Ok(outcome(size)), 5, Millis(1)),
        );
    }
    assert_eq!(watch.pending(), 0);
}

#[test]
fn what_is_kept_is_bounded_and_the_same_tasks_stay_kept_round_after_round() {
    let (mut watch, size) = (Watch::default(), 1 << 20);
    watch.add(stage(1), (0..300).map(row).collect());
    round(&mut watch, 1, 300, size);
    let kept = |watch: &Watch| -> Vec<TaskId> {
        let kept = watch
            .iter()
            .filter(|task| task.now.as_ref().is_some_and(|now| now.kept.is_some()));
        kept.map(|task| task.row.id).collect()
    };
    let (inputs, results) = watch.memory().used();
    assert!(inputs <= WatchMemory::INPUTS && results <= WatchMemory::RESULTS);
    let first = kept(&watch);
    assert_eq!(first.len(), 95, "a megabyte and a little each");
    assert_eq!(
        watch.iter().filter(|task| task.inputs.is_some()).count(),
        47
    );
    for build in 2..5 {
        round(&mut watch, build, 300, size);
        let (inputs, results) = watch.memory().used();
        assert!(inputs <= WatchMemory::INPUTS && results <= WatchMemory::RESULTS);
        check(&watch);
    }
    // Both results of a task are kept now, so that it is half of them.
    let later = kept(&watch);
    assert!(later.len() >= 47, "{}", later.len());
    assert!(later.iter().all(|id| first.contains(id)));
    // The others are known in short.
    let last = watch.at(299).unwrap();
    let now = last.now.as_ref().unwrap();
    assert_eq!(
        (now.build, &*now.text, now.kept.is_none()),
        (BuildId(4), "stay", true)
    );
    assert!(!last.can_hold());
    // A person who runs it again sees it in full.
    watch.again(&[last.row.id]);
    round(&mut watch, 4, 1, size);
    assert!(watch.at(299).unwrap().can_hold());
    check(&watch);
}

#[test]
fn a_long_log_counts_as_well() {
    let mut log = Log::default();
    for _ in 0..100 {
        log.push(LogLine {
            at: Millis(0),
            level: 3,
            target: "t".into(),
            text: "x".repeat(1000),
        });
    }
    let mut watch = Watch::default();
    watch.add(stage(1), vec![row(1)]);
    round(&mut watch, 1, 1, 10);
    watch.again(&[id(1)]);
    let fetch = FetchSpec::default();
    assert_eq!(watch.take_next(stage(1), &fetch), None);
    let next = watch.take_ready(|_, _| true).unwrap();
    let running = RunningWatched {
        task: next.task,
        build: BuildId(1),
        inputs: next.inputs,
        pid: None,
        loading: None,
        log,
    };
    watch.started(JobId(1), running);
    watch.ran(
        JobId(1),
        WatchResult::new(BuildId(1), Ok(outcome(10)), 5, Millis(1)),
    );
    assert!(watch.memory().used().1 > 100_000);
    assert_eq!(watch.at(0).unwrap().log.total, 100);
}

#[test]
fn a_round_in_words() {
    let found = |changed_route, failed, moved, overlap: f64| TaskComparison {
        failed,
        changed_route,
        counts: LabelCounts {
            moved,
            overlaps: moved,
            overlap_sum: overlap,
            ..LabelCounts::default()
        },
        ..TaskComparison::default()
    };
    let mut all = WatchFigures::default();
    assert_eq!(all.words(), "nothing to compare with yet");
    for _ in 0..3 {
        all.add(&WatchFigures::of(&found(false, [false; 2], 0, 0.0), false));
    }
    assert_eq!(all.words(), "no difference on 3 tasks");
    all.add(&WatchFigures::of(&found(false, [false; 2], 2, 1.5), false));
    assert_eq!(
        all.words(),
        "1 of 4 tasks differ, none in its route, 1 changed labels, mean overlap 0.75"
    );
    all.add(&WatchFigures::of(&found(true, [false; 2], 0, 0.0), false));
    all.add(&WatchFigures::of(
        &found(true, [false, true], 0, 0.0),
        false,
    ));
    all.add(&WatchFigures::of(&found(true, [true, false], 0, 0.0), true));
    all.add(&WatchFigures::of(&found(true, [true, true], 0, 0.0), false));
    assert_eq!(
        all.words(),
        "1 of 8 tasks changed route, 1 changed labels, mean overlap 0.75, 1 fails that did not, \
         1 no longer fails, 1 differs otherwise, 1 compared in short"
    );
}
