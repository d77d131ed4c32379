//! What the screen asks of the engine: steps, review, conflicts, guards, undo.

use crate::world::*;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Event, JobEvent, Outage, Upstream};
use wb_core::ids::*;
use wb_core::journal::{Op, Undoing};
use wb_core::ledger::Reply;
use wb_core::run::{OnConflict, RunSpec, Source};
use wb_core::state::{Kind, Level};
use wb_core::step::{At, Until};
use wb_core::work::*;

#[test]
fn stepping_goes_from_fetch_to_commit_and_writes_only_at_the_end() {
    let mut world = World::new(3, 0, Box::new(|_| go("away")));
    world.state.options.screen = true;
    world.state.live = false;
    let (stage, task) = (stage_id(1), row(2).id);
    world.send(Event::Input(Command::OpenStage(stage)));
    let at = |world: &World| world.state.step.as_ref().unwrap().at;
    world.send(Event::Input(Command::Open { stage, task }));
    assert_eq!(at(&world), At::Fetched);
    assert!(world.launches.is_empty());
    world.send(Event::Input(Command::Step(Until::Next)));
    for _ in ["effect move", "outcome", "validation"] {
        world.send(Event::Input(Command::Step(Until::Next)));
    }
    assert_eq!((at(&world), world.commits.len()), (At::Review, 0));
    world.send(Event::Input(Command::Commit(vec![task])));
    assert_eq!(
        (at(&world), world.commits.as_slice()),
        (At::Committed, &[1][..])
    );
    assert_eq!((world.at(1), world.at(3)), (2, 1));
    assert_eq!(world.state.queues[&stage].rows.len(), 2);
    assert!(world.state.held.is_empty());
}

#[test]
fn a_bulk_run_on_screen_holds_everything_until_it_is_committed() {
    let mut world = World::new(12, 0, Box::new(|_| go("away")));
    world.state.options.screen = true;
    world.state.live = false;
    let stage = stage_id(1);
    world.send(Event::Input(Command::OpenStage(stage)));
    let rows = world.state.queues[&stage].chosen(5);
    let spec = RunSpec {
        source: Source::Tasks(stage, rows),
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    assert_eq!((world.state.held.len(), world.commits.len()), (5, 0));
    let tasks: Vec<TaskId> = world.state.held.keys().copied().take(4).collect();
    world.send(Event::Input(Command::Commit(tasks)));
    assert_eq!(
        (world.state.held.len(), world.at(1), world.at(3)),
        (1, 8, 4)
    );
    assert_eq!(world.state.commit.as_ref().unwrap().done, 4);
}

#[test]
fn read_only_refuses_to_commit() {
    let mut world = World::new(3, 0, Box::new(|_| go("away")));
    world.state.options.screen = true;
    world.state.options.read_only = true;
    let stage = stage_id(1);
    world.send(Event::Input(Command::OpenStage(stage)));
    world.send(Event::Input(Command::Open {
        stage,
        task: row(1).id,
    }));
    world.send(Event::Input(Command::Step(Until::End)));
    world.send(Event::Input(Command::Commit(vec![row(1).id])));
    assert!(world.commits.is_empty());
    assert!(
        world
            .state
            .activity
            .back()
            .unwrap()
            .text
            .starts_with("dry run")
    );
}

/// A screen on the first stage, with a task stepped to its outcome.
pub fn screen(agent: Agent) -> (World, StageId) {
    let mut world = World::new(12, 0, agent);
    world.state.options.screen = true;
    world.state.live = false;
    let stage = stage_id(1);
    world.send(Event::Input(Command::OpenStage(stage)));
    (world, stage)
}

/// Runs some tasks of the first stage from the screen.
pub fn run_on_screen(world: &mut World, tasks: std::ops::RangeInclusive<u128>) {
    let spec = RunSpec {
        source: Source::Tasks(stage_id(1), tasks.map(row).collect()),
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
}

#[test]
fn a_protected_project_is_committed_to_only_with_its_title_named_at_start_or_typed() {
    for (confirm, typed, commits) in [
        (None, None, 0),
        (Some("other"), None, 0),
        (Some("P"), None, 1),
        (None, Some("p"), 0),
        (None, Some(" P "), 1),
    ] {
        let (mut world, stage) = screen(Box::new(|_| go("away")));
        world.state.options.level = Some(Level::Protected);
        world.state.options.confirm = confirm.map(str::to_owned);
        let with_title = |then: Command| match typed {
            Some(title) => Command::Confirm {
                title: title.to_owned(),
                then: Box::new(then),
            },
            None => then,
        };
        world.send(Event::Input(with_title(Command::Live(true))));
        assert_eq!(world.state.live, commits == 1);
        world.send(Event::Input(Command::Live(false)));
        let task = row(1).id;
        world.send(Event::Input(Command::Open { stage, task }));
        world.send(Event::Input(Command::Step(Until::End)));
        world.send(Event::Input(with_title(Command::Commit(vec![task]))));
        assert_eq!(world.commits.len(), commits, "{confirm:?} {typed:?}");
        // A title counts for the one command it was typed for.
        let other = row(2).id;
        world.send(Event::Input(Command::Open { stage, task: other }));
        world.send(Event::Input(Command::Step(Until::End)));
        world.send(Event::Input(Command::Commit(vec![other])));
        let again = usize::from(confirm == Some("P"));
        assert_eq!(
            world.commits.len(),
            commits + again,
            "{confirm:?} {typed:?}"
        );
    }
}

#[test]
fn a_group_of_failures_runs_again_and_the_others_stay_in_sight() {
    let fixed = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = fixed.clone();
    let agent: Agent = Box::new(move |l| {
        let n = l.inputs.row.id.0.as_u128() - 1000;
        let error = |text: String| (Err(Error::new(ErrorKind::Agent, text)), false);
        match n % 3 {
            0 if !seen.get() => error(format!("index {n} out of bounds")),
            1 => error(format!("no label \"{n}\"")),
            _ => go("away"),
        }
    });
    let (mut world, stage) = screen(agent);
    run_on_screen(&mut world, 1..=12);
    let sizes = |world: &World| -> Vec<(u32, usize)> {
        let groups = world.state.failures.iter();
        groups.map(|g| (g.id, g.rows.len())).collect()
    };
    let before = sizes(&world);
    assert_eq!(before.iter().map(|g| g.1).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(world.state.held.len(), 4);
    fixed.set(true);
    let index = world
        .state
        .failures
        .iter()
        .find(|g| g.first.summary.starts_with("index"));
    let rows = index.unwrap().rows.clone();
    world.send(Event::Input(Command::Retry { stage, rows }));
    let left = before
        .iter()
        .find(|g| Some(g.0) != sizes(&world).first().map(|s| s.0));
    assert!(left.is_some());
    assert_eq!(sizes(&world).len(), 1, "the group that still fails");
    assert_eq!(sizes(&world)[0].1, 4);
    assert_eq!(world.state.held.len(), 8);
    // A run of its own begins with a clean slate.
    run_on_screen(&mut world, 2..=2);
    assert_eq!(sizes(&world), []);
}

#[test]
fn a_conflict_waits_for_its_answer_and_writes_nothing_by_itself() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    run_on_screen(&mut world, 1..=6);
    let tasks: Vec<TaskId> = (1..=6).map(|n| row(n).id).collect();
    world.changed_by_others = tasks.iter().copied().take(3).collect();
    world.send(Event::Input(Command::Commit(tasks.clone())));
    assert_eq!((world.at(1), world.at(3)), (9, 3));
    assert_eq!(
        (world.state.held.len(), world.state.conflicts.len()),
        (0, 3)
    );
    assert_eq!(world.looked_at, 3, "the other side is asked for by itself");
    let resolve = |task: usize, how| {
        Event::Input(Command::Resolve {
            tasks: vec![tasks[task]],
            how,
        })
    };
    // Skip: ours is gone, nothing is sent.
    let commits = world.commits.len();
    world.send(resolve(0, OnConflict::Skip));
    assert_eq!(
        (world.state.conflicts.len(), world.commits.len()),
        (2, commits)
    );
    // Run again on theirs: held for review, as any dry run.
    let launches = world.launches.len();
    world.changed_by_others.clear();
    world.send(resolve(1, OnConflict::Rerun));
    assert_eq!(world.launches.len(), launches + 1);
    assert_eq!(
        (world.state.held.len(), world.state.conflicts.len()),
        (1, 1)
    );
    // Overwrite: written, and only this way with the flag.
    assert_eq!(world.overwrites, 0);
    world.changed_by_others.insert(tasks[2]);
    world.send(resolve(2, OnConflict::Overwrite));
    assert_eq!(world.overwrites, 1);
    assert!(world.state.conflicts.is_empty());
    assert_eq!(world.state.queues[&stage].rows.len(), 8);
}

#[test]
fn conflicts_of_a_live_run_wait_too_but_tasks_that_left_do_not() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    world.state.live = true;
    world.changed_by_others = [row(1).id].into();
    world
        .stages
        .get_mut(&stage_id(1))
        .unwrap()
        .retain(|r| r.id != row(2).id);
    run_on_screen(&mut world, 1..=4);
    let waiting: Vec<TaskId> = world.state.conflicts.keys().copied().collect();
    assert_eq!(waiting, [row(1).id]);
    assert_eq!(world.state.run.as_ref().unwrap().totals.conflicts, 2);
}

#[test]
fn one_commit_is_one_operation_with_the_command_that_does_the_same() {
    let (mut world, _) = screen(Box::new(|l| {
        go(if l.stage == stage_id(1) {
            "next"
        } else {
            "done"
        })
    }));
    world.stages.insert(stage_id(2), vec![row(50)]);
    world.send(Event::Input(Command::OpenStage(stage_id(2))));
    run_on_screen(&mut world, 1..=2);
    let spec = RunSpec {
        source: Source::Tasks(stage_id(2), vec![row(50)]),
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    let tasks: Vec<TaskId> = world.state.held.keys().copied().collect();
    assert_eq!(tasks.len(), 3);
    world.send(Event::Input(Command::Commit(tasks)));
    assert_eq!(world.operations.len(), 2, "two stages, two batches");
    assert_eq!(world.operations[0], world.operations[1]);
    assert_eq!(world.closed, [world.operations[0].id]);
    let twin = wb_core::state::shell::quoted(&world.operations[0].words);
    let project = project().hash;
    assert!(
        twin.starts_with(&format!(
            "run --project-hash {project} --stage first --stage second --task "
        )),
        "{twin}"
    );
    assert_eq!(twin.matches("--task").count(), 3);
    // A live run is one operation too.
    world.state.live = true;
    world.operations.clear();
    let spec = RunSpec {
        source: Source::Tasks(stage_id(1), (3..=12).map(row).collect()),
        batch_size: 4,
        ..RunSpec::default()
    };
    world.send(Event::Input(Command::Run(Box::new(spec))));
    assert_eq!(world.operations.len(), 3, "three batches");
    assert!(
        world
            .operations
            .iter()
            .all(|o| o.id == world.operations[0].id)
    );
    assert_eq!(world.closed.len(), 2);
}

#[test]
fn rate_and_time_limit_change_while_a_run_goes_on() {
    let (mut world, stage) = screen(Box::new(|_| go("away")));
    world.hold = true;
    run_on_screen(&mut world, 1..=6);
    assert_eq!(world.launches[0].deadline_ms, None);
    world.send(Event::Input(Command::Timeout(Some(1500))));
    world.send(Event::Input(Command::Rate(Some(20.0))));
    world.send(Event::Input(Command::Concurrency(3)));
    assert_eq!(world.rates, [Some(20.0)]);
    world.hold = false;
    world.send(Event::Tick(Millis(1)));
    let limits: Vec<Option<u64>> = world.launches.iter().map(|l| l.deadline_ms).collect();
    assert_eq!(
        limits,
        [
            None,
            Some(1500),
            Some(1500),
            Some(1500),
            Some(1500),
            Some(1500)
        ]
    );
    assert_eq!(world.most_running, 4);
    world.send(Event::Input(Command::Rate(Some(-1.0))));
    assert_eq!((world.rates.len(), world.state.rate), (1, Some(20.0)));
    // A step has the same limit; without one the settings hold again.
    let step = |world: &mut World, n| {
        world.send(Event::Input(Command::Open {
            stage,
            task: row(n).id,
        }));
        world.send(Event::Input(Command::Step(Until::End)));
        world.launches.last().unwrap().deadline_ms
    };
    assert_eq!(step(&mut world, 7), Some(1500));
    world.state.options.timeout_ms = Some(9000);
    world.send(Event::Input(Command::Timeout(None)));
    assert_eq!(step(&mut world, 8), Some(9000));
}

#[test]
fn an_undo_is_looked_at_before_it_may_be_written() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    let op = |id: i64, kind: &str| Op {
        id,
        kind: kind.into(),
        here: true,
        tasks: 2,
        done: 2,
        ..Op::default()
    };
    world.ops = vec![op(3, "undo"), op(2, "commit"), op(1, "run")];
    world.send(Event::Input(Command::UndoNewest));
    let open = |world: &World| world.state.journal.open.clone().unwrap();
    assert_eq!(open(&world).id, 2, "the newest that is not an undo itself");
    assert!(matches!(open(&world).undo, Undoing::Reviewed(_)));
    assert_eq!(world.undone, [] as [i64; 0]);
    world.state.options.read_only = true;
    world.send(Event::Input(Command::Undo(2)));
    world.state.options.read_only = false;
    world.send(Event::Input(Command::Undo(1)));
    assert_eq!(
        world.undone,
        [] as [i64; 0],
        "read-only, and not the one looked at"
    );
    world.send(Event::Input(Command::Undo(2)));
    assert_eq!(world.undone, [2]);
    let Undoing::Over(done) = open(&world).undo else {
        panic!("{:?}", open(&world))
    };
    assert_eq!(done.restored, 2);
    world.send(Event::Input(Command::OpenOp(1)));
    world.send(Event::Input(Command::Undo(1)));
    assert_eq!(world.undone, [2], "opened is not looked at");
}

#[test]
fn late_news_of_another_task_changes_nothing() {
    let mut world = World::new(3, 0, Box::new(|_| go("away")));
    let before = world.state.clone();
    let done = JobEvent::Done {
        job: JobId(999),
        result: Err(Error::new(ErrorKind::Agent, "late")),
        crashed: false,
        run_us: 0,
    };
    world.send(Event::Job(done));
    world.send(Event::Operation {
        operation: OperationId(76),
        lane: 0,
        reply: Reply::Sent(vec![Committed::Done]),
    });
    world.send(Event::Prefetch {
        batch: BatchId::next(BatchOwner::Commit, &mut 76),
        results: vec![],
    });
    assert_eq!(world.state, before);
}

#[test]
fn an_outage_is_reported_once_when_it_lasts_and_so_is_its_end() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    let outage_until = |again| {
        Event::Upstream(Upstream::Outage(Some(Outage {
            since: Millis(10_000),
            why: "connection refused".into(),
            again: Millis(again),
        })))
    };
    let reported = |world: &World| {
        let lines = world.state.activity.iter();
        let lines = lines.filter(|a| a.kind == Kind::Net);
        lines.map(|a| a.text.clone()).collect::<Vec<_>>()
    };
    world.send(Event::Tick(Millis(10_500)));
    world.send(outage_until(11_000));
    assert_eq!(
        reported(&world),
        [""; 0],
        "one lost request is not worth a line"
    );
    world.send(Event::Tick(Millis(14_000)));
    world.send(outage_until(15_000));
    world.send(outage_until(19_000));
    assert_eq!(
        reported(&world),
        ["waiting for the platform: connection refused"]
    );
    world.send(Event::Tick(Millis(44_000)));
    world.send(Event::Upstream(Upstream::Outage(None)));
    assert_eq!(
        reported(&world)[1..],
        ["the platform answers again after 34 s"]
    );
    assert_eq!(world.state.outage, None);
}
