//! When actions are enabled, and why not: the conditions that the table of actions uses.

use super::{Action, Why};
use crate::screens::flow::FlowCursor;
use crate::text::number;
use crate::{Screen, Ui};
use std::borrow::Cow;
use wb_core::ids::{StageId, TaskId};
use wb_core::journal::Undoing;
use wb_core::state::State;
use wb_core::work::TaskRow;

pub(super) type Enabled = Result<(), Why>;

pub(super) const READ_ONLY: &str = "dry run: start without --dry-run and --read-only to write";
const NOTHING_FAILED: &str = "nothing failed in this run";

pub(super) fn unless(wrong: bool, why: &'static str) -> Enabled {
    if wrong { Err(why.into()) } else { Ok(()) }
}

fn has_agent(stage: Option<StageId>, state: &State) -> Enabled {
    match stage.filter(|stage| state.agent(*stage).is_none()) {
        Some(stage) => Err(format!(
            "no agent for stage \"{}\" in any loaded library",
            state.stage_title(stage)
        )
        .into()),
        None => Ok(()),
    }
}

/// Whether a task of the stage can be stepped, now or once its agent is loaded.
fn can_open(stage: Option<StageId>, state: &State) -> Enabled {
    match stage.filter(|stage| state.agent_coming(*stage)) {
        Some(_) => Ok(()),
        None => has_agent(stage, state),
    }
}

pub(super) fn runs(state: &State) -> bool {
    state.run.as_ref().is_some_and(|run| !run.is_over())
}

fn no_run(state: &State) -> Enabled {
    unless(
        runs(state),
        "a run is in progress ({key:CancelRun} on the Run screen stops it)",
    )
}

pub(super) fn writable(_: &Ui, state: &State) -> Enabled {
    unless(state.options.read_only, READ_ONLY)
}

pub(super) fn can_search(ui: &Ui, _: &State) -> Enabled {
    unless(!ui.can_search(), "no text to search here")
}

pub(super) fn can_fold_json(ui: &Ui, _: &State) -> Enabled {
    unless(!ui.can_fold_json(), "no JSON to fold here")
}

pub(super) fn searching(ui: &Ui, _: &State) -> Enabled {
    unless(
        !ui.searches(),
        "no search is active ({key:Search} begins one)",
    )
}

pub(super) fn frames_in_sight(ui: &Ui, _: &State) -> Enabled {
    let none = ui.pictures.frames_in_sight().is_none();
    unless(none, "no video, group of images or pages in sight")
}

pub(super) fn has_panes(ui: &Ui, _: &State) -> Enabled {
    unless(ui.pane_count() < 2, "there is only one pane here")
}

pub(super) fn first_task(ui: &Ui, state: &State) -> Enabled {
    can_open(ui.stage, state)?;
    unless(task_at(ui, 0, state).is_none(), "no task is listed here")
}

pub(super) fn selected(ui: &Ui, state: &State) -> Enabled {
    can_open(ui.stage, state)?;
    unless(selected_task(ui, state).is_none(), "no task is listed here")
}

pub(super) fn listed(ui: &Ui, state: &State) -> Enabled {
    unless(selected_task(ui, state).is_none(), "no task is listed here")
}

/// What leaving means here.
pub(super) fn out_word(ui: &Ui, state: &State) -> &'static str {
    let filters = ui.screen == Screen::Flow && !ui.flow.filter().is_empty();
    match ui.unqueues(state) {
        true => "unqueue",
        false if filters => "all stages",
        false => "back",
    }
}

/// Whether the selected stage is one of several without agents that lead to one another.
pub(super) fn can_fold(ui: &Ui, state: &State) -> Enabled {
    let flow = state.project.as_ref().map(|project| &project.workflow);
    let folds = flow
        .zip(ui.stage)
        .is_some_and(|(flow, stage)| FlowCursor::can_fold(flow, stage));
    let why = "no other stage without an agent is connected to this one";
    unless(!folds, why)
}

/// Whether any stages can be folded.
pub(super) fn can_fold_all(_: &Ui, state: &State) -> Enabled {
    let flow = state.project.as_ref().map(|project| &project.workflow);
    let folds = flow.is_some_and(FlowCursor::can_fold_any);
    unless(
        !folds,
        "no stages without agents are connected to each other",
    )
}

pub(super) fn is_drawn(ui: &Ui, _: &State) -> Enabled {
    let why = "the list of stages is shown ({key:Drawing} shows the drawing)";
    unless(ui.flow.lists(ui.room), why)
}

pub(super) fn can_run(ui: &Ui, state: &State) -> Enabled {
    has_agent(ui.stage, state)?;
    no_run(state)
}

pub(super) fn some_failed(_: &Ui, state: &State) -> Enabled {
    unless(state.failures.is_empty(), NOTHING_FAILED)
}

pub(super) fn can_retry(ui: &Ui, state: &State) -> Enabled {
    some_failed(ui, state)?;
    no_run(state)?;
    has_agent(state.failures.get(ui.run.at).map(|g| g.stage), state)
}

pub(super) fn can_go_on(_: &Ui, state: &State) -> Enabled {
    state.can_go_on_in_background().map_err(Into::into)
}

pub(super) fn runs_in_background(_: &Ui, state: &State) -> Enabled {
    let alive = state.background.iter().any(|run| run.state.is_alive());
    unless(!alive, "no run goes on in the background")
}

pub(super) fn held(_: &Ui, state: &State) -> Enabled {
    unless(state.held.is_empty(), "nothing is held")
}

pub(super) fn in_conflict(_: &Ui, state: &State) -> Enabled {
    unless(state.conflicts.is_empty(), "nothing is in conflict")
}

pub(super) fn can_rerun_theirs(ui: &Ui, state: &State) -> Enabled {
    in_conflict(ui, state)?;
    no_run(state)
}

pub(super) fn watching(_: &Ui, state: &State) -> Enabled {
    unless(state.watch.is_empty(), "no task is watched")
}

/// Half of the tasks would be compared with one build, half with another.
pub(super) fn can_pin(ui: &Ui, state: &State) -> Enabled {
    watching(ui, state)?;
    unless(
        !state.watch.kept && state.watch.pending() > 0,
        "not every task has run on this build yet",
    )
}

/// Whether the chosen operation can be undone.
pub(crate) fn can_undo(_: &Ui, state: &State) -> Enabled {
    let open = state.journal.open.as_ref().map(|open| open.id);
    let Some(op) = open.and_then(|id| state.journal.op(id)) else {
        return Err("no operation is chosen".into());
    };
    unless(!op.here, "this operation belongs to another project")?;
    unless(op.under_way, "it is still in progress")?;
    unless(
        op.unanswered() > 0,
        "it was interrupted ({key:FinishOp} finishes its writes)",
    )?;
    unless(op.standing() == 0, "nothing of it is left to undo")
}

/// Whether what an undo would restore is on screen.
pub(crate) fn reviewed(state: &State) -> bool {
    let open = state.journal.open.as_ref();
    open.is_some_and(|open| matches!(open.undo, Undoing::Reviewed(_)))
}

/// Whether interrupted writes can be finished now.
pub(super) fn can_finish(_: &Ui, state: &State) -> Enabled {
    let journal = &state.journal;
    if !journal.finishable() {
        return Err(match journal.ops {
            None => "the journal is being read".into(),
            Some(_) => "nothing from this folder was interrupted".into(),
        });
    }
    unless(journal.finishing, "it is being finished")?;
    unless(
        state.busy(),
        "something is running: finish it once that is over",
    )
}

pub(super) fn can_watch(ui: &Ui, state: &State, action: Action, none: &'static str) -> Enabled {
    let stage = match action {
        Action::WatchOpen => state.step.as_ref().map(|s| s.stage),
        Action::WatchFailed => state.failures.get(ui.run.at).map(|g| g.stage),
        _ => selected_task(ui, state).map(|(stage, _)| stage),
    };
    unless(stage.is_none(), none)?;
    has_agent(stage, state)
}

/// `watch`, or `unwatch` for a watched task; reads one task only, since hints are made at every frame.
pub(super) fn watch_word(ui: &Ui, state: &State, action: Action) -> Option<Cow<'static, str>> {
    let one = match action {
        Action::WatchOpen => state.step.as_ref().map(|s| s.row.id),
        _ => {
            let queue = ui.stage.and_then(|s| state.queues.get(&s));
            selected_task(ui, state)
                .map(|(_, task)| task)
                .filter(|_| queue.is_none_or(|q| q.marks.is_empty()))
        }
    };
    let on = one.is_some_and(|task| state.watch.task(task).is_some());
    Some(if on { "unwatch" } else { "watch" }.into())
}

/// `review (12)`; `None` when there is nothing.
pub(super) fn counted(word: &str, n: usize) -> Option<Cow<'static, str>> {
    (n > 0).then(|| format!("{word} ({})", number(n)).into())
}

/// The task under the cursor of the queue.
pub(crate) fn selected_task(ui: &Ui, state: &State) -> Option<(StageId, TaskId)> {
    task_at(ui, ui.queue.place(ui.stage?), state)
}

/// The task at this place of the selected stage's queue.
pub(crate) fn task_at(ui: &Ui, place: usize, state: &State) -> Option<(StageId, TaskId)> {
    let stage = ui.stage?;
    Some((stage, state.queues.get(&stage)?.at(place)?.id))
}

/// The tasks that a watching action applies to: the marked ones or the one under the cursor, the open
/// one, or those of the chosen failure.
pub(crate) fn watchable(ui: &Ui, action: Action, state: &State) -> Option<(StageId, Vec<TaskRow>)> {
    match action {
        Action::WatchOpen => state.step.as_ref().map(|s| (s.stage, vec![s.row.clone()])),
        Action::WatchFailed => {
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
pub(crate) fn watched(rows: &[TaskRow], state: &State) -> bool {
    rows.iter().all(|r| state.watch.task(r.id).is_some())
}

/// Whether the selected stage has tasks to compare.
pub(super) fn can_compare(ui: &Ui, state: &State) -> Enabled {
    let queue = ui.stage.and_then(|stage| state.queues.get(&stage));
    let none = queue.is_none_or(|queue| queue.view.is_empty() && queue.marks.is_empty());
    // Of two earlier runs the tasks may be elsewhere by now.
    let none = none && state.earlier_runs.is_empty();
    unless(none, "no task is listed at the selected stage")
}

/// Whether a comparison is under way.
pub(super) fn comparing(_: &Ui, state: &State) -> Enabled {
    let under_way = state.comparing.as_ref().is_some_and(|c| !c.is_over());
    unless(!under_way, "nothing is being compared")
}

/// Whether a comparison has found something.
pub(super) fn compared(_: &Ui, state: &State) -> Enabled {
    let found = state.comparing.as_ref().is_some_and(|c| c.found.tasks > 0);
    unless(!found, "nothing was compared yet")
}
