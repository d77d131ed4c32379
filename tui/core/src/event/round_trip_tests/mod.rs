//! Every event as a document and back, for recordings: a variant without a sample here fails the test.

mod commands;
mod samples;

use super::*;
use crate::background::BackgroundState;
use crate::command::Shown;
use crate::comparing::{CompareCommand, CompareFor, CompareSide, CompareSpec};
use crate::error::ErrorKind;
use crate::filter::Known;
use crate::ids::{BatchOwner, DataHash, ItemId};
use crate::journal::{Entry, Op};
use crate::ledger::memory::{AGENT, COMPLETE, change, pathway, project};
use crate::ledger::{OpenEntry, PlanLines, PlannedTask, Scope, Seen, StandingEntry};
use crate::patch::OutcomeEdit;
use crate::pause::{Condition, PausePlace, PlaceKind, PointAt, PointChange, PointKind};
use crate::queue::Sort;
use crate::run::{OnConflict, RunSpec, Source};
use crate::saved_view::SavedQueue;
use crate::state::Options;
use crate::step::Until;
use crate::work::wire::StepDoc;
use crate::work::{
    GivenEdits, ItemStand, LabelBlob, Patch, Route, RowInput, RowMetadata, TaskStatus, Written,
};
use commands::commands;
use samples::{
    earlier_runs, error, figures_before, held, inputs, label_change, outcome, replies,
    results_before, row, task,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use uuid::Uuid;

/// The names of the variants of an enum, as its own reader lists them.
fn variants<T: DeserializeOwned + Debug>() -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(json!({"no such variant": null})).unwrap_err();
    let text = error.to_string();
    let (_, listed) = text.split_once("expected one of ").expect(&text);
    let names = listed.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

/// Writes each sample, reads it again and compares; all variants must be among them.
fn come_back<T>(samples: &[T])
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut seen = BTreeSet::new();
    for sample in samples {
        let text = serde_json::to_string(sample).unwrap();
        assert!(!text.contains('\n'), "{text}");
        let again: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(again, *sample, "{text}");
        match serde_json::from_str(&text).unwrap() {
            Value::String(name) => seen.insert(name),
            Value::Object(fields) => seen.insert(fields.into_iter().next().unwrap().0),
            other => panic!("{other}"),
        };
    }
    assert_eq!(
        seen,
        variants::<T>(),
        "variants with a sample, and all of them"
    );
}

fn op() -> Op {
    Op {
        id: 4,
        kind: "run".into(),
        words: vec!["run".into()],
        undoes: Some(2),
        ..Op::default()
    }
}

fn comparison() -> TaskComparison {
    let counts = crate::compare::LabelCounts {
        same: 1,
        moved: 2,
        overlap_sum: 0.3,
        overlaps: 2,
        ..Default::default()
    };
    TaskComparison {
        routes: ["complete".into(), "stay".into()],
        changed_route: true,
        classes: BTreeMap::from([("Car".into(), counts)]),
        counts,
        priority: Some([None, Some(0.5)]),
        run_us: [Some(1), None],
        note: Some("not compared".into()),
        ..TaskComparison::default()
    }
}

fn upstream() -> Vec<Upstream> {
    let list = ListId::Queue(2);
    let known = Known {
        priority: Some(0.5),
        metadata: json!({"n": 12_345_678_901_234_567_u64})
            .as_object()
            .cloned(),
        labels: Some(BTreeMap::from([("Car".into(), 2)])),
        unreadable: false,
    };
    vec![
        Upstream::Project(project()),
        Upstream::ProjectFailed(error()),
        Upstream::Page {
            list,
            stage: AGENT,
            rows: vec![row()],
            next: Some("token".into()),
        },
        Upstream::PageFailed {
            list,
            stage: AGENT,
            error: error(),
        },
        Upstream::Known {
            stage: AGENT,
            rows: vec![(task(1), known)],
        },
        Upstream::KnownFailed {
            stage: AGENT,
            error: error(),
        },
        Upstream::Stats(NetStats {
            requests: 1,
            ..NetStats::default()
        }),
        Upstream::Outage(Some(Outage {
            since: Millis(1),
            why: "refused".into(),
            again: Millis(2),
        })),
    ]
}

fn jobs() -> Vec<JobEvent> {
    let job = JobId(6);
    vec![
        JobEvent::Started { job, pid: 42 },
        JobEvent::Waits { job },
        JobEvent::Loading {
            job,
            name: Some("model".into()),
        },
        JobEvent::Paused {
            job,
            place: Box::new(PausePlace {
                kind: PlaceKind::Dependency,
                name: "pixels:1".into(),
                value: "[0.5]".into(),
                editable: true,
            }),
        },
        JobEvent::Log {
            job: None,
            level: 3,
            target: "stdout".into(),
            text: "line".into(),
        },
        JobEvent::Progress { job, fraction: 0.1 },
        JobEvent::Done {
            job,
            result: Ok(outcome()),
            crashed: false,
            run_us: 12,
        },
        JobEvent::Done {
            job,
            result: Err(error()),
            crashed: true,
            run_us: 0,
        },
    ]
}

fn builds() -> Vec<BuildEvent> {
    let library = PathBuf::from("target/debug/libagents.so");
    let probed = json!({"id": 1, "library": library, "copy": "/copy", "hash": "ab", "size": 3, "modified": 4,
        "descriptor": {"name": "agents", "version": "1", "sdk": "x", "build_info": "y", "abi": [1, 1], "agents": []}});
    vec![
        BuildEvent::Probed(serde_json::from_value(probed).unwrap()),
        BuildEvent::Opening {
            library: library.clone(),
            part: crate::loading::Opening::Resource("model".into()),
        },
        BuildEvent::Rejected {
            library: library.clone(),
            hash: "ab".into(),
            reason: "no table".into(),
            hints: vec!["build it".into()],
        },
        BuildEvent::Removed(library.clone()),
        BuildEvent::Overdue,
        BuildEvent::HostDied {
            build: BuildId(1),
            reason: "SIGSEGV".into(),
        },
        BuildEvent::Compiling {
            line: "Compiling".into(),
        },
        BuildEvent::Warning("slow".into()),
        BuildEvent::Written {
            library: library.clone(),
            place: library,
        },
        BuildEvent::Crates(CrateProgress {
            done: 1,
            total: Some(2),
            ..CrateProgress::default()
        }),
        BuildEvent::Compiled {
            result: Err(CompileFailure {
                errors: vec![CompileError::default()],
                ..CompileFailure::default()
            }),
        },
    ]
}

fn journal() -> Vec<JournalEvent> {
    let entry = Entry {
        task: task(1),
        title: "t".into(),
        from: AGENT,
        to: None,
        labels: true,
        priority: Some(0.5),
        metadata: false,
        answer: None,
        undone: false,
    };
    vec![
        JournalEvent::Interrupted(vec![op()]),
        JournalEvent::Ops(Err(error())),
        JournalEvent::Closed {
            operation: OperationId(3),
            number: 15,
        },
        JournalEvent::Entries {
            op: 4,
            result: Ok(vec![entry]),
        },
    ]
}

fn background() -> BackgroundRun {
    BackgroundRun {
        run: 18,
        project: project().hash,
        background: true,
        holds: true,
        stage_uuids: vec![AGENT],
        stage: "Agent 1".into(),
        began: Millis(1),
        noted: Millis(2),
        ended: None,
        done: 3,
        all: Some(4),
        failed: 1,
        rate: 0.3,
        pid: 5,
        state: BackgroundState::Stopping,
        exit_code: Some(143),
        summary: Some("3 tasks".into()),
    }
}

fn events() -> Vec<Event> {
    let view = SavedView {
        queues: BTreeMap::from([(AGENT, SavedQueue::default())]),
        watched: vec![(AGENT, task(1))],
        open: None,
    };
    let reply = replies().into_iter().map(|reply| Event::Operation {
        operation: OperationId(1),
        lane: 2,
        reply,
    });
    let mut all = vec![
        Event::Prefetch {
            batch: BatchId::next(BatchOwner::Run(3), &mut 4),
            results: vec![Ok(inputs()), Err(error())],
        },
        Event::OutcomeEdited(
            Arc::new(EditTask {
                stage: AGENT,
                inputs: inputs(),
                outcome: outcome(),
                edit: OutcomeEdit::Route(None),
            }),
            Ok(outcome()),
        ),
        Event::Theirs(vec![
            (task(1), Ok(vec![label_change()])),
            (task(2), Err(error())),
        ]),
        Event::Preflight {
            build: BuildId(1),
            result: Err(error()),
        },
        Event::HeldBefore(vec![(task(1), held())]),
        Event::ViewBefore(view),
        figures_before(),
        results_before(),
        Event::NotKept(error()),
        Event::NotPlanned(error()),
        Event::NotStopped(error()),
        Event::NotInBackground(error()),
        Event::HeldElsewhere(vec![(task(1), held())]),
        Event::Background(vec![background()]),
        Event::Compared(CompareFor::Comparison(3), task(1), Box::new(comparison())),
        Event::Compared(CompareFor::Watched(4), task(1), Box::new(comparison())),
        Event::NotStarted(error()),
        Event::Tick(Millis(1_700_000_000_000)),
    ];
    all.extend(reply);
    all.extend(earlier_runs());
    all.extend(commands().into_iter().map(Event::Input));
    all.extend(upstream().into_iter().map(Event::Upstream));
    all.extend(jobs().into_iter().map(Event::Job));
    all.extend(builds().into_iter().map(Event::Build));
    all.extend(journal().into_iter().map(Event::Journal));
    all
}

#[test]
fn every_event_is_written_and_comes_back_equal() {
    come_back(&events());
    come_back(&commands());
    come_back(&upstream());
    come_back(&jobs());
    come_back(&builds());
    come_back(&journal());
    come_back(&replies());
}

#[test]
fn the_options_of_a_state_come_back_equal() {
    let options = Options {
        params: Arc::new(BTreeMap::from([("a".into(), json!({"b": 1}))])),
        libraries: vec!["a.so".into()],
        specification: Some(json!({"graphNodes": [1.5]})),
        points: BTreeMap::from([(
            AGENT,
            vec![crate::pause::PausePoint {
                at: PointAt::only(PointKind::Call),
                condition: Some(Condition::parse("ms > 500").unwrap()),
            }],
        )]),
        rate: Some(0.5),
        ..Options::default()
    };
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
}

#[test]
fn a_variant_without_a_sample_is_found() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Two {
        One,
        Other(u8),
        Third,
    }
    let missing = std::panic::catch_unwind(|| come_back(&[Two::One, Two::Other(1)]));
    assert!(missing.is_err());
    come_back(&[Two::One, Two::Other(1), Two::Third]);
}
