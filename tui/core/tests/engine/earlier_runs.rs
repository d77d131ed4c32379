//! Comparisons with earlier runs of the folder: what they gave is read, and no agent runs for it.

use crate::compare::{begin, comparing, two_builds};
use crate::world::*;
use serde_json::json;
use wb_core::comparing::{CompareSide, CompareSpec, StoredResult};
use wb_core::error::{Error, ErrorKind};
use wb_core::event::Event;
use wb_core::figures::{KeptResult, KeptRun};
use wb_core::ids::*;
use wb_core::queue::LastResult;
use wb_core::work::*;

/// A task's result: a route, or an error with its group.
fn stored(run: u64, task: u128, given: Result<&str, &Error>) -> StoredResult {
    let row = row(task);
    let pathway = given.ok().map(|_| PathwayId(uuid::Uuid::from_u128(100)));
    let text = given.map_or_else(|error| error.summary.clone(), str::to_owned);
    StoredResult {
        result: KeptResult {
            run,
            stage: stage_id(1),
            task: row.id,
            title: format!("title {task:04}").into(),
            updated: row.updated,
            last: LastResult {
                build: BuildId(0),
                text,
                failed: given.is_err(),
                pathway,
                group: given.err().map(Error::group_id),
                labels: (1, 0, 0),
                ms: 2.5,
                at: Millis(9),
            },
            outcome: None,
        },
        patch: given.ok().map(|_| Patch::default()),
    }
}

/// A car that far from the left.
fn drawn(x: f64) -> Patch {
    let label = json!({
        "sign": "+",
        "name": "Car",
        "hash": format!("car at {x}"),
        "detail": format!("box {x}"),
        "kind": "object",
        "shape": "bounding_box",
        "geometry": {"boundingBox": {"x": x, "y": 0.2, "w": 0.3, "h": 0.4}},
    });
    serde_json::from_value(json!({"labels": [label]})).unwrap()
}

fn listed(number: u64, tasks: u64) -> KeptRun {
    KeptRun {
        number,
        stages: vec![stage_id(1)],
        tasks,
        ended: Some(Millis(9)),
        ..KeptRun::default()
    }
}

fn of_runs(a: u64, b: u64) -> Event {
    begin(CompareSpec {
        stage: stage_id(1),
        rows: Vec::new(),
        sides: [a, b].map(CompareSide::Run),
    })
}

#[test]
fn two_runs_are_compared_on_the_tasks_of_both_and_no_agent_runs() {
    let mut world = two_builds(0);
    let run = |number, tasks: std::ops::RangeInclusive<u128>, route| {
        Ok(tasks.map(|n| stored(number, n, Ok(route))).collect())
    };
    world.stored.insert(1, run(1, 1..=100, "next"));
    world.stored.insert(2, run(2, 61..=150, "away"));
    let runs = vec![listed(2, 90), listed(1, 100)];
    let (before, launches) = (world.events.len(), world.launches.len());
    let mut again = world.state.clone();
    world.send(Event::RunsListed(runs));
    world.send(of_runs(1, 2));
    let comparing = comparing(&world);
    assert!(comparing.is_over() && !comparing.stopped);
    let found = &comparing.found;
    assert_eq!((found.tasks, found.changed_route), (40, 40));
    let routes = ("next".to_owned(), "away".to_owned());
    assert_eq!(found.routes[&routes], 40);
    assert_eq!(found.times.mean_ms(), Some([2.5, 2.5]));
    assert_eq!(&*found.rows[0].title, "title 0061");
    let wanted = ["60 tasks only in run 1", "50 tasks only in run 2"];
    assert_eq!(comparing.remarks, wanted);
    assert!(comparing.sides_of(found.rows[0].task).is_none());
    assert_eq!(world.launches.len(), launches);
    // What was recorded leads there again.
    for event in &world.events[before..] {
        let text = serde_json::to_string(event).unwrap();
        again.update(serde_json::from_str(&text).unwrap());
    }
    assert_eq!(again.comparing, world.state.comparing);
}

#[test]
fn kept_boxes_are_compared_by_their_overlap_and_others_by_their_number() {
    let mut world = two_builds(0);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for n in 1..=3 {
        a.push(stored(1, n, Ok("next")));
        b.push(stored(2, n, Ok("next")));
    }
    (a[0].patch, b[0].patch) = (Some(drawn(0.1)), Some(drawn(0.16)));
    // The second has more labels now, of the third there are as many.
    (a[1].patch, b[1].patch) = (Some(drawn(0.1)), None);
    b[1].result.last.labels = (3, 0, 0);
    (a[2].patch, b[2].patch) = (None, Some(drawn(0.1)));
    world.stored.insert(1, Ok(a));
    world.stored.insert(2, Ok(b));
    world.send(of_runs(1, 2));
    let comparing = comparing(&world);
    let found = &comparing.found;
    assert_eq!(
        (found.tasks, found.differing, found.labels.moved),
        (3, 2, 1)
    );
    let overlap = found.labels.mean_overlap().unwrap();
    assert!((overlap - 2.0 / 3.0).abs() < 1e-9, "{overlap}");
    let of = |n| found.rows.iter().find(|r| r.task == row(n).id).unwrap();
    let note = of(2).differs.note.as_deref().unwrap();
    assert!(note.starts_with("labels +1 ~0 -0 → +3 ~0 -0"), "{note}");
    assert!(!of(3).differs.differs());
    assert_eq!(comparing.tasks_by_totals(), 2);
    let by_totals = [1, 2, 3].map(|n| comparing.is_by_totals(row(n).id));
    assert_eq!(by_totals, [false, true, true]);
}

#[test]
fn an_error_is_the_same_as_in_the_earlier_run_whatever_its_numbers() {
    let mut world = two_builds(0);
    let host = |text: &str| Error::new(ErrorKind::Host, text);
    let (one, two) = (host("it ran for 12 s"), host("it ran for 19 s"));
    let agent = Error::new(ErrorKind::Agent, "it ran for 12 s");
    let run = |number, given: [&Error; 2]| {
        let tasks = (1..).zip(given);
        Ok(tasks
            .map(|(n, error)| stored(number, n, Err(error)))
            .collect())
    };
    world.stored.insert(1, run(1, [&one, &one]));
    world.stored.insert(2, run(2, [&two, &agent]));
    world.send(of_runs(1, 2));
    let found = &comparing(&world).found;
    assert_eq!((found.tasks, found.failed), (2, [2, 2]));
    assert_eq!(found.changed_route, 1, "the kind of the second is another");
}

#[test]
fn a_build_runs_on_those_of_the_chosen_tasks_that_the_earlier_run_had() {
    let mut world = two_builds(0);
    let results = (5..=30).map(|n| stored(1, n, Ok("next"))).collect();
    world.stored.insert(1, Ok(results));
    let before = world.launches.len();
    world.send(begin(CompareSpec {
        stage: stage_id(1),
        rows: (1..=20).map(row).collect(),
        sides: [CompareSide::Run(1), CompareSide::Build(BuildId(2))],
    }));
    let comparing = comparing(&world);
    assert_eq!((comparing.found.tasks, comparing.asked), (16, 16));
    assert_eq!(world.launches.len() - before, 16);
    let wanted = [
        "10 tasks only in run 1: not chosen, or no longer at the stage",
        "4 tasks chosen that the run has no result for",
    ];
    assert_eq!(comparing.remarks, wanted);
}

#[test]
fn a_person_reads_that_results_of_a_run_are_no_longer_kept_or_cannot_be_read() {
    let mut world = two_builds(0);
    let results = |n| Ok((1..=n).map(|n| stored(2, n, Ok("next"))).collect());
    world.stored.insert(2, results(3));
    world.send(Event::RunsListed(vec![listed(2, 8), listed(1, 40)]));
    world.send(of_runs(1, 2));
    let comparing_now = comparing(&world);
    assert!(comparing_now.is_over() && comparing_now.found.tasks == 0);
    let wanted = [
        "no results of run 1 at this stage are kept any more",
        "of run 2 3 of 8 results are still kept",
        "3 tasks only in run 2",
    ];
    assert_eq!(comparing_now.remarks, wanted);
    let broken = Error::new(ErrorKind::Settings, "the disk is gone");
    world.stored.insert(1, Err(broken));
    world.send(of_runs(1, 2));
    let comparing = comparing(&world);
    assert!(comparing.is_over() && comparing.stopped);
    let wanted = ["what run 1 gave could not be read: the disk is gone"];
    assert_eq!(comparing.remarks, wanted);
}
