//! The places that a stepped attempt has reached, as rows of the timeline.

use super::{Mark, Row, What};
use crate::text::{clean, fit};
use serde_json::Value;
use wb_core::pause::{PlaceKind, PointAt, PointKind};
use wb_core::state::State;
use wb_core::step::{At, Reached, Stepper};
use wb_core::work::wire::StepDoc;

/// Characters of a value that stand beside its name.
const NOTE: usize = 60;
/// Characters of a value that are read for that.
const READ: usize = 400;

/// Each place, then what the agent does now, or how it ended; `call` is the name of its call.
#[allow(clippy::cast_precision_loss)] // milliseconds for a person
pub(super) fn rows(step: &Stepper, state: &State, call: &str, all: &mut Vec<Row>) {
    let outcome = step.result.as_ref().and_then(|r| r.as_ref().ok());
    let mut steps: Vec<Option<&StepDoc>> =
        outcome.map_or_else(Vec::new, |outcome| outcome.steps.iter().map(Some).collect());
    let failed = matches!(step.result, Some(Err(_)));
    let mut called = false;
    for (number, reached) in step.places.iter().enumerate() {
        let place = &reached.place;
        let is_call = place.kind == PlaceKind::Call;
        called |= is_call;
        let name = match place.kind {
            PlaceKind::Call => call.to_owned(),
            PlaceKind::Checkpoint => format!("at {}", clean(&place.name)),
            PlaceKind::Refused => format!("again at {}", clean(&place.name)),
            PlaceKind::Parameter | PlaceKind::Dependency => format!("dep {}", short(&place.name)),
        };
        let mark = match step.held_since {
            Some(_) if number + 1 == step.places.len() => Mark::Now,
            _ if is_call && failed => Mark::Bad,
            _ => Mark::Done,
        };
        let row = Row::new(mark, What::Place(number), name)
            .note(note(reached))
            .at(PointAt::of(place));
        let ms = match is_call {
            true => None,
            false => take(&mut steps, reached).map(|s| s.took_us as f64 / 1000.0),
        };
        let ms = match is_call && step.result.is_some() {
            true => Some(step.run_us as f64 / 1000.0),
            false => ms.filter(|ms| *ms > 0.0),
        };
        all.push(Row { ms, ..row });
    }
    let closed = steps.iter().flatten().filter(|s| s.kind == "close");
    all.extend(closed.map(|s| {
        let row = Row::new(Mark::Done, What::Call, format!("close {}", clean(&s.name)));
        row.ms(s.took_us as f64 / 1000.0)
    }));
    if step.at == At::Calling && step.held_since.is_none() {
        all.push(running(step, state, Row::new(Mark::Now, What::Call, call)));
    } else if failed && !called {
        let row = Row::new(Mark::Bad, What::Call, call);
        all.push(row.ms(step.run_us as f64 / 1000.0));
    }
}

/// The row of an agent that runs: what it loads, or how far it is.
#[allow(clippy::cast_precision_loss)] // milliseconds for a person
pub(super) fn running(step: &Stepper, state: &State, row: Row) -> Row {
    let loading = step.loading.as_ref().and_then(|l| l.words(state.now));
    let progress = step.progress.map(|p| format!("{:.0}%", p * 100.0));
    let ms = step.ran_ms(state.now) as f64;
    let note = (loading.or(progress)).unwrap_or_else(|| "running…".into());
    let ms = (ms > 0.0).then_some(ms);
    Row {
        ms,
        ..row.note(note)
    }
}

/// The step of the outcome that is this place: the first of its name that no earlier place has taken.
fn take<'s>(steps: &mut [Option<&'s StepDoc>], reached: &Reached) -> Option<&'s StepDoc> {
    let kind = match reached.place.kind {
        PlaceKind::Parameter | PlaceKind::Dependency => "dependency",
        _ => "checkpoint",
    };
    let same = |s: &StepDoc| s.kind == kind && s.name == reached.place.name;
    steps.iter_mut().find(|s| s.is_some_and(same))?.take()
}

/// Where a step of an outcome can pause.
pub(super) fn of_step(step: &StepDoc) -> Option<PointAt> {
    match step.kind.as_str() {
        "call" => Some(PointAt::only(PointKind::Call)),
        "checkpoint" => Some(PointAt::named(PointKind::Checkpoint, &step.name)),
        _ => None,
    }
}

/// Parameters are named `frame: Frame`; the type is shown with the value.
fn short(name: &str) -> String {
    clean(name.split(':').next().unwrap_or_default()).into_owned()
}

/// The value in short, a text without its quotes.
fn note(reached: &Reached) -> String {
    let (edited, value) = match &reached.edited {
        Some(edited) => ("edited: ", edited),
        None => ("", &reached.place.value),
    };
    let value: String = value.chars().take(READ).collect();
    let text = match serde_json::from_str::<Value>(&value) {
        Ok(Value::String(text)) => text,
        _ => value,
    };
    fit(&format!("{edited}{}", clean(&text)), NOTE)
}

/// What the next key does while the task is held here.
pub(super) fn next(reached: &Reached) -> String {
    let at = reached.place.words();
    format!(
        "runs to the next place; held at {} · {{key:ToEnd}} continues to the end",
        clean(&at)
    )
}
