//! Runs: order, limits, retries, crashes, stages, what a run that writes nothing follows.

use crate::world::*;
use agent_abi::table::flags;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::Launch;
use wb_core::ids::*;
use wb_core::queue::LastResult;
use wb_core::run::{Ending, FailureLimit, RunSpec, Sink, Source};
use wb_core::state::{Options, State};
use wb_core::work::*;

#[test]
fn later_stages_see_what_earlier_ones_sent_and_every_task_has_one_report() {
    let mut world = World::new(
        53,
        0,
        Box::new(|l| {
            go(if l.stage == stage_id(1) {
                "next"
            } else {
                "done"
            })
        }),
    );
    world.run(commit());
    assert_eq!((world.at(1), world.at(2), world.at(3)), (0, 0, 53));
    assert_eq!(world.reports.len(), 106);
    assert!(
        world
            .reports
            .iter()
            .all(|r| r.ending == Ending::Moved && r.attempts == 1)
    );
    assert!(world.commits.iter().all(|n| *n <= 10));
}

#[test]
fn a_limit_of_tasks_is_kept_exactly() {
    let mut world = World::new(53, 0, Box::new(|_| go("away")));
    world.run(RunSpec {
        max_tasks: Some(13),
        ..commit()
    });
    assert_eq!(
        (world.at(1), world.at(3), world.reports.len()),
        (40, 13, 13)
    );
}

#[test]
fn with_a_limit_those_come_first_whose_turn_is_longest_ago() {
    let mut world = World::new(20, 0, Box::new(|_| (Ok(None), false)));
    let mut tried = std::collections::HashMap::new();
    let mut order = Vec::new();
    for turn in 0..5 {
        world.over = false;
        world.reports.clear();
        let spec = RunSpec {
            max_tasks: Some(6),
            tried: Arc::new(tried.clone()),
            ..commit()
        };
        world.run(spec);
        assert_eq!(world.reports.len(), 6, "exactly as many as asked for");
        for report in &world.reports {
            let n = report.row.id.0.as_u128() - 1000;
            tried.insert(report.row.id, Millis(turn * 100 + n as i64));
            order.push(n);
        }
    }
    let all: Vec<u128> = (1..=20).chain(1..=10).collect();
    let sorted = |from: usize, to: usize| {
        let mut part = order[from..to].to_vec();
        part.sort_unstable();
        part
    };
    assert_eq!(
        sorted(0, 20),
        all[..20],
        "every task once before any comes again"
    );
    assert_eq!(sorted(20, 26), [1, 2, 3, 4, 5, 6], "then the oldest");
    // Without a limit the platform's order holds.
    world.over = false;
    world.reports.clear();
    world.run(RunSpec {
        tried: Arc::new(tried),
        ..commit()
    });
    assert_eq!(world.reports.len(), 20);
    assert_eq!(world.reports[0].row.id, row(1).id);
}

#[test]
fn a_filter_looks_at_what_earlier_runs_came_to() {
    let mut world = World::new(9, 0, Box::new(|_| go("away")));
    let error = Error::new(ErrorKind::Agent, "index 3 out of bounds");
    let failed = |group: u32| LastResult {
        build: BuildId(0),
        text: "no".into(),
        failed: true,
        pathway: None,
        group: Some(group),
        labels: (0, 0, 0),
        ms: 1.0,
        at: Millis(0),
    };
    let earlier = [(2, failed(error.group_id())), (5, failed(7))];
    let earlier = earlier.map(|(n, result)| (row(n).id, result));
    let filter = format!("fault:{:08x}", error.group_id());
    world.run(RunSpec {
        earlier: Arc::new(earlier.into()),
        filter: wb_core::filter::Filter::parse(&filter).unwrap(),
        ..commit()
    });
    let ids: Vec<TaskId> = world.reports.iter().map(|r| r.row.id).collect();
    assert_eq!(ids, [row(2).id]);
}

#[test]
fn a_run_that_writes_nothing_follows_tasks_to_later_stages_with_what_was_made_of_them() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let inputs = seen.clone();
    let agent: Agent = Box::new(move |l| {
        if l.stage == stage_id(2) {
            inputs.borrow_mut().push(l.inputs.clone());
            return go("done");
        }
        let n = l.inputs.row.id.0.as_u128() - 1000;
        go(if n % 2 == 0 { "next" } else { "away" })
    });
    let mut world = World::new(10, 0, agent);
    world.stages.insert(stage_id(2), vec![row(50)]);
    world.with_labels = true;
    let spec = RunSpec {
        sink: Sink::Report,
        chain: true,
        batch_size: 4,
        ..RunSpec::default()
    };
    world.run(spec);
    assert_eq!((world.commits.len(), world.at(1), world.at(2)), (0, 10, 1));
    let at_second: Vec<(TaskId, Option<StageId>)> = world
        .reports
        .iter()
        .filter(|r| r.stage == stage_id(2))
        .map(|r| (r.row.id, r.follows))
        .collect();
    let first = Some(stage_id(1));
    let mut wanted = vec![(row(50).id, None)];
    wanted.extend([2, 4, 6, 8, 10].map(|n| (row(n).id, first)));
    assert_eq!(
        at_second, wanted,
        "what waits there first, then what is sent there"
    );
    let seen = seen.borrow();
    let labels = |i: &Inputs| i.labels.as_ref().unwrap().json.to_string();
    assert!(!labels(&seen[0]).contains("drawn at first"));
    assert!(
        seen[1..]
            .iter()
            .all(|i| labels(i).contains("drawn at first"))
    );
    assert!(
        seen[1..]
            .iter()
            .all(|i| i.labels.as_ref().unwrap().priority == Some(0.25))
    );
}

#[test]
fn what_cannot_be_followed_is_counted_and_not_guessed() {
    let mut world = World::new(
        4,
        0,
        Box::new(|l| {
            go(if l.stage == stage_id(1) {
                "next"
            } else {
                "done"
            })
        }),
    );
    world.with_labels = true;
    world.in_part = true;
    world.run(RunSpec {
        sink: Sink::Report,
        chain: true,
        ..RunSpec::default()
    });
    assert_eq!(world.reports.len(), 4);
    assert_eq!(world.state.run.as_ref().unwrap().not_carried, 4);
}

#[test]
fn a_dry_run_gives_the_same_outcomes_and_commits_nothing() {
    let mut world = World::new(20, 0, Box::new(|_| go("away")));
    world.run(RunSpec {
        sink: Sink::Report,
        ..commit()
    });
    assert_eq!((world.at(1), world.commits.len()), (20, 0));
    assert!(world.reports.iter().all(|r| r.ending == Ending::Moved));
}

#[test]
fn a_failing_task_is_retried_from_the_same_inputs_and_never_costs_another() {
    let agent: Agent = Box::new(|l| {
        if &*l.inputs.row.title == "task 5" {
            (Err(Error::new(ErrorKind::Agent, "no").retryable()), false)
        } else {
            go("away")
        }
    });
    let mut world = World::new(20, 0, agent);
    world.run(RunSpec {
        retries: 2,
        ..commit()
    });
    let tries: Vec<_> = world
        .launches
        .iter()
        .filter(|l| &*l.inputs.row.title == "task 5")
        .collect();
    assert_eq!(
        tries.iter().map(|l| l.attempt).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(
        tries
            .iter()
            .all(|l| Arc::ptr_eq(&l.inputs, &tries[0].inputs))
    );
    assert_eq!((world.at(1), world.at(3)), (1, 19));
    let totals = &world.state.run.as_ref().unwrap().totals;
    assert_eq!(
        (totals.failed, totals.moved, totals.groups.len()),
        (1, 19, 1)
    );
}

#[test]
fn a_crash_is_repeated_only_if_its_error_promises_another_attempt() {
    // Whether the agent is idempotent is decided where the error is made, by how the process ended.
    for (flag, retry, attempts) in [
        (0, false, 1),
        (flags::IDEMPOTENT, false, 1),
        (flags::IDEMPOTENT, true, 3),
    ] {
        let agent: Agent = Box::new(move |l| {
            if &*l.inputs.row.title == "task 1" {
                let mut error = Error::new(ErrorKind::Host, "died");
                error.retry = retry;
                (Err(error), true)
            } else {
                go("away")
            }
        });
        let mut world = World::new(3, flag, agent);
        world.run(RunSpec {
            retries: 2,
            ..commit()
        });
        let tries = world
            .launches
            .iter()
            .filter(|l| &*l.inputs.row.title == "task 1")
            .count();
        assert_eq!(tries, attempts);
        assert_eq!((world.at(1), world.at(3)), (1, 2));
    }
}

#[test]
fn hosts_that_die_one_after_the_other_end_the_run_and_leave_the_rest_untouched() {
    let mut world = World::new(
        40,
        0,
        Box::new(|_| (Err(Error::new(ErrorKind::Host, "died")), true)),
    );
    world.run(commit());
    assert_eq!(world.at(1), 40);
    assert_eq!(world.launches.len(), 5);
    assert!(world.state.run.as_ref().unwrap().fatal.is_some());
}

#[test]
fn as_many_jobs_run_at_a_time_as_were_asked_for_and_serial_agents_run_alone() {
    for (flag, most) in [(0, 4), (flags::NO_PARALLEL, 1)] {
        let mut world = World::new(30, flag, Box::new(|_| go("away")));
        world.run(RunSpec {
            concurrency: 4,
            ..commit()
        });
        assert_eq!(world.most_running, most);
    }
}

#[test]
fn jobs_that_are_over_at_once_are_given_out_ahead_and_begun_in_order() {
    let mut world = World::new(200, 0, Box::new(|_| go("away")));
    world.run_us = 20;
    world.run(RunSpec {
        concurrency: 2,
        batch_size: 100,
        ..commit()
    });
    assert_eq!((world.most_running, world.at(1)), (2 + 32, 0));
    let begun: Vec<TaskId> = world.launches.iter().map(|l| l.inputs.row.id).collect();
    assert_eq!(begun, (1..=200).map(|n| row(n).id).collect::<Vec<_>>());
}

#[test]
fn a_run_that_must_stop_at_a_failure_gives_nothing_out_ahead() {
    let bad = Box::new(|launch: &Launch| {
        if launch.inputs.row.id < row(100).id {
            go("away")
        } else {
            (Err(Error::new(ErrorKind::Agent, "no")), false)
        }
    });
    let mut world = World::new(200, 0, bad);
    world.run_us = 20;
    world.run(RunSpec {
        max_failures: Some(FailureLimit::Count(3)),
        ..commit()
    });
    assert_eq!((world.most_running, world.launches.len()), (1, 99 + 3));
}

#[test]
fn tasks_that_stay_are_seen_once() {
    let mut world = World::new(25, 0, Box::new(|_| (Ok(None), false)));
    world.run(commit());
    assert_eq!(
        (world.at(1), world.reports.len(), world.commits.len()),
        (25, 25, 0)
    );
    assert!(world.reports.iter().all(|r| r.ending == Ending::Stayed));
}

#[test]
fn only_the_tasks_asked_for_are_run() {
    let mut world = World::new(9, 0, Box::new(|_| go("away")));
    world.run(RunSpec {
        source: Source::Tasks(stage_id(1), vec![row(2), row(4)]),
        ..commit()
    });
    assert_eq!((world.at(1), world.reports.len()), (7, 2));
    let only = vec!["task 9".to_owned(), row(1).id.to_string()];
    world.over = false;
    world.run(RunSpec { only, ..commit() });
    assert_eq!((world.at(1), world.reports.len()), (5, 4));
}

#[test]
fn a_recorded_list_of_events_replays_to_the_same_state() {
    let mut world = World::new(
        20,
        0,
        Box::new(|l| {
            go(if l.stage == stage_id(1) {
                "next"
            } else {
                "done"
            })
        }),
    );
    world.run(commit());
    let (mut again, _) = State::start(Options::default(), Millis(0));
    for event in world.events.clone() {
        again.update(event);
    }
    assert_eq!(again, world.state);
}
