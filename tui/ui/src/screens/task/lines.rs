//! Task in lines, for linear mode: its events, what the agent gave, what comes next.

use super::super::timeline::{self, Mark, Row, What};
use super::{error_lines, patch, shown_text};
use crate::linear_text::{COLUMNS, numbered, texts, words};
use crate::text::{clean, duration};
use crate::{Ui, chrome};
use wb_core::state::State;
use wb_core::step::Stepper;

/// The events of the open task; the chosen one in full.
pub fn lines(ui: &Ui, state: &State) -> Vec<String> {
    let mut all = vec![chrome::head_text("Task", ui, state)];
    let Some(step) = &state.step else {
        all.push(ui.keyed("No task is open. {key:Step} on the Queue opens one."));
        return all;
    };
    let title = clean(&step.row.title);
    all.push(format!(
        "{title} at {}.",
        clean(state.stage_title(step.stage))
    ));
    let rows = timeline::rows(step, state);
    all.extend(
        rows.iter()
            .enumerate()
            .map(|(place, row)| event_text(place, row)),
    );
    if ui.task.event.is_some()
        && let Some((_, value)) = shown_text(ui, state)
    {
        all.extend(value.lines().map(words).filter(|line| !line.is_empty()));
    }
    all.extend(next_text(ui, step, state));
    all
}

/// One event: its number, its state in a word, its name, how long it took, its note.
pub fn event_text(place: usize, row: &Row) -> String {
    let word = match row.mark {
        Mark::Done => "done",
        Mark::Now if row.what == What::Call => "running",
        Mark::Now => "now",
        Mark::Todo => "to do",
        Mark::Bad => "failed",
    };
    let mut line = numbered(place, format!("{word}: {}", row.name));
    if let Some(ms) = row.ms {
        line.push_str(&format!(", {}", duration(ms)));
    }
    if !row.note.is_empty() {
        line.push_str(&format!(", {}", row.note));
    }
    line
}

/// What an agent gave, or why it failed.
pub fn outcome_lines(ui: &Ui, step: &Stepper, state: &State) -> Vec<String> {
    let lines = match &step.result {
        Some(Ok(outcome)) => patch(outcome, state, COLUMNS, &ui.st),
        Some(Err(error)) => error_lines(error, COLUMNS, &ui.st),
        None => Vec::new(),
    };
    texts(&lines).collect()
}

/// What the next command does.
pub fn next_text(ui: &Ui, step: &Stepper, state: &State) -> Option<String> {
    let (action, words) = timeline::next(step, state);
    let name = action.map_or_else(String::new, |action| format!("{} ", ui.key_of(action)));
    Some(format!("Next: {name}{}.", ui.keyed(&words)))
}
