//! What events carry: errors, tasks, inputs, outcomes, answers of the journal.

use super::*;
use crate::comparing::StoredResult;
use crate::figures::{KeptRun, TakenRoute};

pub fn error() -> Error {
    let error = Error::new(ErrorKind::Upstream, "503 from the platform").hint("try again");
    error.because("no route")
}

pub fn task(n: u128) -> TaskId {
    TaskId(Uuid::from_u128(n))
}

pub fn row() -> TaskRow {
    TaskRow {
        id: task(1),
        data: DataHash(Uuid::from_u128(101)),
        created: Millis(1_700_000_000_123),
        updated: Millis(-5),
        title: "a \"title\"\nof two lines \u{1b}[31m".into(),
        assignee: Some("ann@example.com".into()),
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::Reopened,
    }
}

pub fn row_input() -> RowInput {
    RowInput {
        label_hash: None,
        priority: Some(0.1),
        item: Some(ItemId(Uuid::from_u128(5))),
        json: r#"{"labels": {"a": 0.10000000000000000001}}"#.into(),
    }
}

pub fn inputs() -> Arc<Inputs> {
    Arc::new(Inputs {
        row: row(),
        task_json: "{}".into(),
        labels: Some(row_input()),
        item_json: Some(r#"{"name": "x"}"#.into()),
        asset_json: None,
        fetched: Millis(7),
        timings: Vec::new(),
    })
}

pub fn label_change() -> LabelChange {
    let facts = json!({"kind": "object", "shape": "bounding_box", "frames": [[0, 5]], "page": 3, "times_ms": [[1, 2]],
        "geometry_frame": 4, "geometry": {"x": 0.125, "y": 0.1}});
    LabelChange {
        sign: '+',
        name: "Car".into(),
        hash: "abc".into(),
        detail: "box 1 %".into(),
        facts: Box::new(serde_json::from_value(facts).unwrap()),
    }
}

pub fn outcome() -> Arc<Outcome> {
    Arc::new(Outcome {
        way: Route::Pathway {
            id: pathway().id,
            name: "complete".into(),
            to: COMPLETE,
        },
        patch: Patch {
            priority: Some((Some(0.5), 0.25)),
            labels: vec![label_change()],
            ..Patch::default()
        },
        labels_after: Some(LabelBlob::new(&json!({"objects": [1.5, {"x": 2}]}))),
        further: change(1, 2).further,
        steps: vec![StepDoc {
            kind: "call".into(),
            name: "agent".into(),
            at_us: 1,
            took_us: 2,
            value: String::new(),
        }],
        unread: vec!["lables".into()],
    })
}

pub fn held() -> Held {
    Held {
        stage: AGENT,
        inputs: inputs(),
        outcome: outcome(),
        build: BuildId(3),
        taken: true,
        at: Millis(9),
    }
}

fn open_entry() -> OpenEntry {
    OpenEntry {
        id: 1,
        change: change(1, 2),
        written: Written {
            labels: true,
            further: u64::MAX,
            ..Written::default()
        },
        refused: Some(error()),
    }
}

pub fn replies() -> Vec<Reply> {
    let standing = StandingEntry {
        id: 1,
        change: change(1, 2),
        overtaken: true,
    };
    let metadata = RowMetadata {
        priority: Some(0.5),
        client_metadata: json!({"site": "cam3", "lux": 0.1}).as_object().cloned(),
        item: None,
    };
    let seen = Seen {
        tasks: BTreeMap::from([(AGENT, Ok(vec![(task(1), row().data)]))]),
        rows: vec![Ok(row_input()), Err(error())],
        metadata: vec![Ok(metadata)],
        new_items: vec![Ok(ItemStand::Absent), Ok(ItemStand::There { used: None })],
        ..Seen::default()
    };
    let planned = PlannedTask {
        task: task(1),
        data: row().data,
        title: "t".into(),
        stage: AGENT,
        way: Route::Stay,
        follows: None,
        change: Some(change(1, 2)),
    };
    vec![
        Reply::Open(Ok(vec![open_entry()])),
        Reply::Standing(Ok((vec![standing], Some(3)))),
        Reply::Operations(Err(error())),
        Reply::Applied(Ok([(row().data, AGENT)].into())),
        Reply::PlanLines(Ok(PlanLines {
            tasks: vec![planned],
            last: true,
        })),
        Reply::Seen(Box::new(seen)),
        Reply::Noted(Ok(vec![Some(1), None])),
        Reply::Sent(vec![Committed::Done, Committed::Refused(error())]),
        Reply::Stored(Ok(())),
    ]
}

pub(super) fn figures_before() -> Event {
    let mut figures = crate::figures::StageFigures::default();
    figures.times.push(12);
    for route in [TakenRoute::Pathway(pathway().id), TakenRoute::Stay] {
        figures.routes.push(route, "hash");
    }
    Event::FiguresBefore(Box::new(FiguresBefore {
        last_run: 17,
        stages: vec![(AGENT, figures)],
    }))
}

pub(super) fn results_before() -> Event {
    let kept = KeptResult {
        run: 17,
        stage: AGENT,
        task: task(1),
        title: "t".into(),
        updated: Millis(5),
        last: LastResult {
            build: BuildId(0),
            text: "skip".into(),
            failed: false,
            pathway: Some(pathway().id),
            group: None,
            labels: (1, 2, 3),
            ms: 1.5,
            at: Millis(9),
        },
        outcome: Some(outcome()),
    };
    Event::ResultsBefore {
        results: vec![kept],
        all: true,
    }
}

pub(super) fn earlier_runs() -> Vec<Event> {
    let Event::ResultsBefore { results, .. } = results_before() else {
        unreachable!("it is what it is made as");
    };
    let stored = |result| StoredResult {
        result,
        patch: Some(Patch::default()),
    };
    let run = KeptRun {
        number: 3,
        live: true,
        began: Millis(5),
        ended: Some(Millis(9)),
        stopped: false,
        stages: vec![AGENT],
        tasks: 40,
        failed: 2,
    };
    vec![
        Event::RunsListed(vec![run]),
        Event::RunRead {
            comparison: 1,
            side: 0,
            results: Ok(results.into_iter().map(stored).collect()),
        },
    ]
}
