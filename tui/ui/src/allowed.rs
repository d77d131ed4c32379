//! Which commands make sense now, and why the others do not: one answer for keys, hints, help and
//! palette.

use crate::text::number;
use crate::{Screen, Ui};
use wb_core::command::{Verb, entry};
use wb_core::ids::{StageId, TaskId};
use wb_core::state::State;
use wb_core::step::At;
use wb_core::work::TaskRow;

/// Why a command makes no sense now; `None`: it does.
pub fn refusal(ui: &Ui, verb: Verb, state: &State) -> Option<String> {
    if state.options.read_only && entry(verb).writes {
        return Some("read-only: start without --read-only to write".into());
    }
    let no_agent = |stage: Option<StageId>| {
        let stage = stage?;
        state.agent(stage).is_none().then(|| {
            format!(
                "no agent for stage \"{}\" in any loaded library",
                state.stage_title(stage)
            )
        })
    };
    let step = state.step.as_ref();
    let running = state.run.as_ref().is_some_and(|r| !r.is_over());
    let say = |wrong: bool, why: &str| wrong.then(|| why.to_owned());
    match verb {
        Verb::StepFirst | Verb::Step => {
            let stage = ui.stage;
            no_agent(stage).or_else(|| {
                say(
                    selected_task(ui, verb, state).is_none(),
                    "no task is listed here",
                )
            })
        }
        Verb::RunSome | Verb::RunEvery | Verb::RunMarked | Verb::RunMatching => no_agent(ui.stage)
            .or_else(|| say(running, "a run is under way; X on the Run screen stops it")),
        Verb::StepOn => say(step.is_none(), "no task is open; s on the Queue opens one")
            .or_else(|| {
                say(
                    step.is_some_and(|s| s.at == At::Committed),
                    "this task is finished; ] steps the next one",
                )
            })
            .or_else(|| {
                say(
                    step.is_some_and(|s| s.at == At::Fetching),
                    "its inputs are on their way; c goes on with them by itself",
                )
            })
            .or_else(|| {
                say(
                    step.is_some_and(|s| s.at == At::Calling),
                    "its agent runs; K stops it",
                )
            })
            .or_else(|| {
                say(
                    step.is_some_and(|s| s.at == At::Committing),
                    "it is being written",
                )
            })
            .or_else(|| {
                let failed =
                    step.is_some_and(|s| s.at == At::Outcome && matches!(s.result, Some(Err(_))));
                say(
                    failed,
                    "it failed; x runs it again from the same inputs, ] steps the next task",
                )
            }),
        Verb::ToEnd => say(
            step.is_none_or(|s| s.at >= At::Outcome),
            "no task is open that could go on",
        )
        .or_else(|| {
            say(
                step.is_some_and(|s| s.to_end || s.at == At::Calling),
                "it goes on to the outcome already",
            )
        }),
        Verb::Rerun => say(
            !step.is_some_and(|s| {
                !matches!(
                    s.at,
                    At::Fetching | At::Calling | At::Committing | At::Committed
                )
            }),
            "nothing to run again now",
        ),
        Verb::Discard => say(step.is_none(), "no task is open").or_else(|| {
            let late = step.is_some_and(|s| s.at >= At::Committing);
            say(
                late,
                "this task is committed: there is nothing left to discard",
            )
        }),
        Verb::Accept | Verb::CommitTask => say(
            !step.is_some_and(|s| s.can_commit()),
            "there is no outcome to keep yet",
        ),
        Verb::KillJob => say(
            step.is_none_or(|s| s.job.is_none()),
            "no agent is running for this task",
        ),
        Verb::NextTask | Verb::PrevTask => say(step.is_none(), "no task is open"),
        Verb::Pause | Verb::More | Verb::Fewer | Verb::CancelRun => {
            say(!running, "no run is under way")
        }
        Verb::WatchTask | Verb::WatchOpen | Verb::WatchFailed => {
            let why = match verb {
                Verb::WatchTask => "no task is listed here",
                Verb::WatchOpen => "no task is open",
                _ => "nothing failed in this run",
            };
            let stage = watched_stage(ui, verb, state);
            say(stage.is_none(), why).or_else(|| no_agent(stage))
        }
        Verb::StepFailed => say(state.failures.is_empty(), "nothing failed in this run"),
        Verb::RetryGroup | Verb::RetryAll => {
            let stage = state.failures.get(ui.run.at).map(|g| g.stage);
            say(state.failures.is_empty(), "nothing failed in this run")
                .or_else(|| say(running, "a run is under way; X stops it"))
                .or_else(|| no_agent(stage))
        }
        Verb::Skip | Verb::RerunTheirs | Verb::Overwrite | Verb::AllOfGroup => {
            let none = say(state.conflicts.is_empty(), "nothing is in conflict");
            let rerun = verb == Verb::RerunTheirs && running;
            none.or_else(|| say(rerun, "a run is under way; X on the Run screen stops it"))
        }
        Verb::CommitAll | Verb::DropAll | Verb::Toggle => {
            say(state.held.is_empty(), "nothing is held")
        }
        Verb::Mode if state.options.read_only => {
            Some("read-only: start without --read-only to write".into())
        }
        _ => None,
    }
}

/// The hints of the screen in sight, the most useful first; only what works now.
pub fn hinted(ui: &Ui, state: &State) -> Vec<(Verb, String)> {
    if state.project.is_none() {
        return [
            (Verb::Refresh, "try again"),
            (Verb::Messages, "messages"),
            (Verb::Quit, "leave"),
        ]
        .map(|(verb, word)| (verb, word.to_owned()))
        .to_vec();
    }
    let verbs: &[(Verb, &str)] = match ui.screen {
        Screen::Flow => &[
            (Verb::In, "queue"),
            (Verb::StepFirst, "step"),
            (Verb::RunSome, "dry-run 50"),
            (Verb::RunEvery, "run all…"),
            (Verb::Review, "review"),
            (Verb::Watching, "watch"),
            (Verb::Builds, "builds"),
            (Verb::Drawing, "list"),
            (Verb::Conflicts, "conflicts"),
            (Verb::Journal, "journal"),
            (Verb::Mode, "mode…"),
            (Verb::Refresh, "refresh"),
        ],
        Screen::Queue => &[
            (Verb::Step, "step"),
            (Verb::Filter, "filter"),
            (Verb::Mark, "mark"),
            (Verb::RunMarked, "dry-run"),
            (Verb::RunMatching, "run all…"),
            (Verb::MarkAll, "mark all"),
            (Verb::WatchTask, "watch"),
            (Verb::Sort, "sort"),
            (Verb::Review, "review"),
            (Verb::Preview, "picture"),
            (Verb::Builds, "builds"),
        ],
        Screen::Task => &[
            (Verb::StepOn, "step"),
            (Verb::ToEnd, "to the end"),
            (Verb::Accept, "keep"),
            (Verb::CommitTask, "commit…"),
            (Verb::Rerun, "again"),
            (Verb::KillJob, "kill"),
            (Verb::NextPane, "next tab"),
            (Verb::Right, "event"),
            (Verb::Discard, "discard"),
            (Verb::NextTask, "next task"),
            (Verb::WatchOpen, "watch"),
            (Verb::Review, "review"),
            (Verb::Conflicts, "conflicts"),
        ],
        Screen::Run => &[
            (Verb::Pause, "pause"),
            (Verb::More, "more jobs"),
            (Verb::Fewer, "fewer"),
            (Verb::CancelRun, "stop"),
            (Verb::RetryGroup, "retry group"),
            (Verb::StepFailed, "step the failure"),
            (Verb::Review, "review"),
            (Verb::WatchFailed, "watch"),
            (Verb::Conflicts, "conflicts"),
            (Verb::Rate, "rate"),
            (Verb::Timeout, "time limit"),
            (Verb::Out, "back"),
        ],
    };
    let live = state.live && !state.options.read_only;
    verbs
        .iter()
        .filter(|(verb, _)| refusal(ui, *verb, state).is_none())
        .filter(|(verb, _)| *verb != Verb::Review || !state.held.is_empty())
        .filter(|(verb, _)| *verb != Verb::Watching || !state.watch.tasks.is_empty())
        .filter(|(verb, _)| *verb != Verb::Conflicts || !state.conflicts.is_empty())
        .map(|(verb, word)| {
            let word = match verb {
                Verb::Review => format!("review ({})", number(state.held.len() as u64)),
                Verb::Conflicts => format!("conflicts ({})", number(state.conflicts.len() as u64)),
                Verb::WatchTask | Verb::WatchOpen | Verb::WatchFailed
                    if unwatches(ui, *verb, state) =>
                {
                    "unwatch".to_owned()
                }
                Verb::RunSome | Verb::RunMarked if live => "run…".to_owned(),
                Verb::Drawing if ui.flow.lists(ui.room) => "drawing".to_owned(),
                _ => (*word).to_owned(),
            };
            (*verb, word)
        })
        .collect()
}

/// The task that a stepping command is about.
pub fn selected_task(ui: &Ui, verb: Verb, state: &State) -> Option<(StageId, TaskId)> {
    let stage = ui.stage?;
    let queue = state.queues.get(&stage)?;
    let place = if verb == Verb::StepFirst {
        0
    } else {
        ui.queue.place(stage)
    };
    Some((stage, queue.at(place)?.id))
}

/// The stage of the tasks that a watching command is about; `None`: there are none.
fn watched_stage(ui: &Ui, verb: Verb, state: &State) -> Option<StageId> {
    match verb {
        Verb::WatchOpen => state.step.as_ref().map(|s| s.stage),
        Verb::WatchFailed => state.failures.get(ui.run.at).map(|g| g.stage),
        _ => selected_task(ui, Verb::Step, state).map(|(stage, _)| stage),
    }
}

/// Whether the watching command would end the watching; looks at one task only, since hints are
/// made at every frame.
fn unwatches(ui: &Ui, verb: Verb, state: &State) -> bool {
    let one = match verb {
        Verb::WatchOpen => state.step.as_ref().map(|s| s.row.id),
        Verb::WatchTask => {
            let marked = ui.stage.and_then(|s| state.queues.get(&s));
            let none = marked.is_none_or(|q| q.marks.is_empty());
            selected_task(ui, Verb::Step, state)
                .map(|(_, task)| task)
                .filter(|_| none)
        }
        _ => None,
    };
    one.is_some_and(|task| state.watch.task(task).is_some())
}

/// The tasks that a watching command is about: the marked ones or the one under the cursor, the open
/// one, or those of the chosen failure.
pub fn watchable(ui: &Ui, verb: Verb, state: &State) -> Option<(StageId, Vec<TaskRow>)> {
    match verb {
        Verb::WatchOpen => state.step.as_ref().map(|s| (s.stage, vec![s.row.clone()])),
        Verb::WatchFailed => {
            let group = state.failures.get(ui.run.at)?;
            Some((group.stage, group.rows.clone()))
        }
        _ => {
            let stage = ui.stage?;
            let queue = state.queues.get(&stage)?;
            if !queue.marks.is_empty() {
                return Some((stage, queue.chosen(0)));
            }
            let row = queue.at(ui.queue.place(stage))?;
            Some((stage, vec![row.clone()]))
        }
    }
}

/// Whether all of these are watched.
pub fn watched(rows: &[TaskRow], state: &State) -> bool {
    rows.iter().all(|r| state.watch.task(r.id).is_some())
}
