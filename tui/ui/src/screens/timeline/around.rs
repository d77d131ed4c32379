//! The rows around the agent's call: what is looked at before it, and what after the end.

use super::{Mark, Row, What, changes, route};
use crate::text::{clean, decimal, fit, plural};
use wb_core::state::State;
use wb_core::step::{At, HeldEffect, StepRow, Stepper};
use wb_core::work::{Committed, Outcome};

/// Characters of parameters that stand beside their name.
const NOTE: usize = 60;

/// How far a row is that comes at this place among those that are looked at one after the other.
const fn mark(place: usize, looks_at: Option<usize>) -> Mark {
    match looks_at {
        Some(now) if place > now => Mark::Todo,
        Some(now) if place == now => Mark::Now,
        _ => Mark::Done,
    }
}

/// The task, its inputs, the parameters.
pub(super) fn before(step: &Stepper, state: &State, all: &mut Vec<Row>) {
    let status = step.row.status.wire().to_lowercase();
    let looks_at = step.looks_at.filter(|_| step.at == At::Fetched);
    let rows = state.step_rows_before(step);
    if rows.is_empty() {
        all.push(Row::new(Mark::Done, What::Task, "task").note(status));
        all.push(nothing_yet(step));
        return;
    }
    let inputs = step.inputs.as_deref();
    for (place, row) in rows.into_iter().enumerate() {
        let mark = mark(place, looks_at);
        let line = match row {
            StepRow::Task => Row::new(mark, What::Task, "task").note(status.clone()),
            StepRow::Input(at) => {
                let Some(timing) = inputs.and_then(|inputs| inputs.timings.get(at)) else {
                    continue;
                };
                let line = Row::new(mark, What::Input(at), clean(&timing.what));
                line.ms(timing.ms).note(clean(&timing.note))
            }
            _ => Row::new(mark, What::Parameters, "parameters").note(parameters(step, state)),
        };
        all.push(line.at(row.at(inputs, false)));
    }
    if inputs.is_some_and(|inputs| inputs.timings.is_empty()) {
        all.push(nothing_yet(step));
    }
}

/// In place of inputs that are not there.
fn nothing_yet(step: &Stepper) -> Row {
    let (mark, note) = match (&step.inputs, step.at, &step.result) {
        (Some(_), ..) => (Mark::Done, "nothing to fetch"),
        (None, At::Fetching, _) => (Mark::Now, "fetching…"),
        (None, _, Some(Err(_))) => (Mark::Bad, "could not be fetched"),
        _ => (Mark::Todo, ""),
    };
    Row::new(mark, What::Input(0), "inputs").note(note)
}

fn parameters(step: &Stepper, state: &State) -> String {
    let text = match &step.given.params {
        Some(edited) => format!("edited: {}", serde_json::Value::from(edited.clone())),
        None => state.params_of(step.stage),
    };
    fit(&clean(&text), NOTE)
}

/// What the outcome would write, the outcome, its validation, the review, the commit.
pub(super) fn after(step: &Stepper, state: &State, all: &mut Vec<Row>) {
    let looks_at = step.looks_at.filter(|_| step.at == At::Outcome);
    let failed = matches!(step.result, Some(Err(_)));
    let known = step.rows_after();
    for (place, row) in known.iter().enumerate() {
        let mark = mark(place, looks_at);
        let line = match (row, &step.result) {
            (StepRow::Effect(effect), Some(Ok(outcome))) => {
                let line = Row::new(
                    mark,
                    What::Effect(*effect),
                    format!("effect {}", effect.name()),
                );
                line.note(effect_note(*effect, outcome, state))
            }
            (StepRow::Outcome, Some(Ok(outcome))) => {
                let name = match outcome.patch.edited.is_empty() {
                    true => "outcome",
                    false => "outcome edited",
                };
                Row::new(mark, What::Outcome, name).note(route(outcome))
            }
            (StepRow::Validation, _) => {
                Row::new(mark, What::Validation, "validation").note("workflow ok, ontology ok")
            }
            (StepRow::Review, Some(Ok(outcome))) => match step.at >= At::Review {
                true => Row::new(Mark::Done, What::Review, "review").note(changes(outcome)),
                false => Row::new(Mark::Todo, What::Review, "review"),
            },
            _ => Row::new(Mark::Bad, What::Outcome, "outcome").note("failed, the task stays"),
        };
        all.push(line.at(row.at(None, failed)));
    }
    for (row, what, name) in [
        (StepRow::Outcome, What::Outcome, "outcome"),
        (StepRow::Validation, What::Validation, "validation"),
        (StepRow::Review, What::Review, "review"),
    ] {
        if !known.contains(&row) {
            all.push(Row::new(Mark::Todo, what, name).at(row.at(None, false)));
        }
    }
    all.push(commit(step, state));
}

fn effect_note(effect: HeldEffect, outcome: &Outcome, state: &State) -> String {
    let patch = &outcome.patch;
    match effect {
        HeldEffect::Labels => {
            let (added, changed, removed) = patch.counts();
            format!("+{added} ~{changed} -{removed}")
        }
        HeldEffect::Priority => patch.priority.map_or_else(String::new, |(old, new)| {
            let old = old.map_or_else(|| "unset".into(), decimal);
            format!("{old} → {}", decimal(new))
        }),
        HeldEffect::Metadata => {
            let fields = patch.metadata.as_ref().map_or(0, serde_json::Map::len);
            plural(fields, "field")
        }
        HeldEffect::Further(place) => {
            let change = patch.changes.get(place);
            change.map_or_else(String::new, |change| clean(&change.headline()).into_owned())
        }
        HeldEffect::Move => {
            let to = outcome.way.to().map(|to| state.stage_title(to));
            format!("to {}", clean(to.unwrap_or_default()))
        }
    }
}

fn commit(step: &Stepper, state: &State) -> Row {
    let (mark, note) = match (&step.at, &step.committed) {
        (At::Committing, _) => (Mark::Now, "writing…"),
        (_, Some(Committed::Done)) => (Mark::Done, "written"),
        (_, Some(Committed::AlreadyMoved)) => (Mark::Bad, "had left already"),
        (_, Some(Committed::Conflict { .. })) => (Mark::Bad, "conflict"),
        (_, Some(Committed::Refused(_))) => (Mark::Bad, "refused"),
        (_, Some(Committed::Partial { .. })) => (Mark::Bad, "written in part"),
        _ if state.held.contains_key(&step.row.id) => (Mark::Todo, "held for review"),
        _ => (Mark::Todo, ""),
    };
    Row::new(mark, What::Commit, "commit").note(note)
}

/// What the next key does while a row around the call is looked at.
pub(super) fn next(step: &Stepper, state: &State) -> Option<String> {
    let place = step.looks_at?;
    let (rows, failed) = match step.at {
        At::Fetched => (state.step_rows_before(step), false),
        At::Outcome => (step.rows_after(), matches!(step.result, Some(Err(_)))),
        _ => return None,
    };
    let next = rows.get(place + 1).filter(|row| **row != StepRow::Review)?;
    let next = next.at(step.inputs.as_deref(), failed).words();
    Some(format!(
        "goes on to {} · {{key:ToEnd}} continues to the end",
        clean(&next)
    ))
}
