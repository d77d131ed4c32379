//! When the actions of the debugger are enabled, and why not.

use super::enabled::{Enabled, runs, unless};
use crate::Ui;
use crate::screens::task::chosen_event;
use crate::screens::timeline::What;
use wb_core::pause::PlaceKind;
use wb_core::state::State;
use wb_core::step::{At, Stepper};

pub(super) fn task_open(_: &Ui, state: &State) -> Enabled {
    unless(state.step.is_none(), "no task is open")
}

pub(super) fn can_step_on(_: &Ui, state: &State) -> Enabled {
    let Some(step) = &state.step else {
        return Err("no task is open ({key:Step} on the Queue opens one)".into());
    };
    let why = match step.at {
        At::Committed => "this task is finished ({key:NextTask} steps the next one)",
        At::Fetching => "its inputs are being fetched ({key:ToEnd} continues by itself)",
        At::Calling if step.held_since.is_some() => return Ok(()),
        At::Calling => "its agent is running ({key:KillJob} stops it)",
        At::Committing => "it is being written",
        At::Outcome if matches!(step.result, Some(Err(_))) => {
            "it failed ({key:Rerun} runs it again from the same inputs, {key:NextTask} steps the next task)"
        }
        _ => return Ok(()),
    };
    Err(why.into())
}

pub(super) fn can_go_to_end(_: &Ui, state: &State) -> Enabled {
    match &state.step {
        Some(step) if step.held_since.is_some() || step.is_parked() => Ok(()),
        Some(step) if step.at < At::Outcome => unless(
            step.to_end || step.at == At::Calling,
            "already running to the outcome",
        ),
        _ => Err("no open task has steps left before its outcome".into()),
    }
}

pub(super) fn can_rerun(_: &Ui, state: &State) -> Enabled {
    use At::{Calling, Committed, Committing, Fetching};
    let busy = |s: &Stepper| matches!(s.at, Fetching | Calling | Committing | Committed);
    unless(
        state.step.as_ref().is_none_or(busy),
        "nothing to run again now",
    )
}

pub(super) fn can_discard(ui: &Ui, state: &State) -> Enabled {
    task_open(ui, state)?;
    let late = state.step.as_ref().is_some_and(|s| s.at >= At::Committing);
    unless(
        late,
        "this task is committed: there is nothing left to discard",
    )
}

pub(super) fn has_outcome(_: &Ui, state: &State) -> Enabled {
    let ready = state.step.as_ref().is_some_and(Stepper::can_commit);
    unless(!ready, "there is no outcome to keep yet")
}

pub(super) fn job_runs(_: &Ui, state: &State) -> Enabled {
    let step = state.step.as_ref().filter(|s| s.at == At::Calling);
    let job = step.and_then(|s| s.job);
    unless(job.is_none(), "no agent is running for this task")
}

pub(super) fn running(_: &Ui, state: &State) -> Enabled {
    unless(!runs(state), "no run is in progress")
}

pub(super) fn some_paused(_: &Ui, state: &State) -> Enabled {
    unless(state.paused.is_empty(), "no task waits at a pause point")
}

pub(super) fn can_pause_at(ui: &Ui, state: &State) -> Enabled {
    task_open(ui, state)?;
    unless(
        crate::screens::task::chosen_place(ui, state).is_none(),
        "tasks cannot pause here; choose a dependency, the call, a checkpoint or the outcome",
    )
}

/// Whether the run is paused.
pub(super) fn paused(state: &State) -> bool {
    let run = state.run.as_ref().filter(|run| !run.is_over());
    run.is_some_and(|run| run.paused)
}

pub(super) fn can_edit(ui: &Ui, state: &State) -> Enabled {
    let Some(step) = &state.step else {
        return Err("no task is open".into());
    };
    let Some(reached) = step.held_at() else {
        let ended = matches!(step.at, At::Outcome | At::Review);
        let given = (step.at == At::Fetched || ended && gives(ui, state)) && step.inputs.is_some();
        let outcome = ended && state.editable(step.row.id).is_some();
        return unless(
            !given && !outcome,
            "choose what the agent is given, a checkpoint that the task is paused at, or an outcome",
        );
    };
    let place = &reached.place;
    let checkpoint = matches!(place.kind, PlaceKind::Checkpoint | PlaceKind::Refused);
    unless(!checkpoint, "only values of checkpoints can be edited")?;
    unless(
        !place.editable,
        "this value holds a secret or is too large: it can be looked at only",
    )
}

/// Whether the chosen event is something that the agent is given.
fn gives(ui: &Ui, state: &State) -> bool {
    let event = chosen_event(ui, state);
    matches!(
        event,
        Some(What::Task | What::Input(_) | What::Parameters | What::Call)
    )
}

pub(super) fn can_fork(ui: &Ui, state: &State) -> Enabled {
    can_rerun(ui, state)?;
    unless(
        (state.step.as_ref()).is_none_or(|step| step.attempts == 0),
        "its agent was not called yet",
    )?;
    unless(
        crate::screens::task::chosen_number(ui, state).is_none(),
        "choose what the agent is given, or an event inside of its attempt",
    )
}
