//! Run in lines, for linear mode.

use crate::linear_text::{numbered, texts};
use crate::screens::error_lines;
use crate::text::{clean, number, plural};
use crate::{Ui, chrome};
use wb_core::state::State;

/// How far the run is, its outcomes, its failures in groups.
pub fn lines(ui: &Ui, state: &State) -> Vec<String> {
    let mut all = vec![chrome::head_text("Run", ui, state)];
    all.extend(state.background.iter().map(super::background::sentence));
    if let Some(error) = &state.not_started {
        all.push("The run was not started.".into());
        all.extend(texts(&error_lines(error, 500, &ui.st)));
        return all;
    }
    let Some(run) = &state.run else {
        all.push("Nothing has run yet.".into());
        all.push(
            ui.keyed("{key:RunSome} runs some tasks of the stage, {key:RunEvery} all of them."),
        );
        return all;
    };
    let word = match (run.is_over(), run.paused) {
        _ if run.cancelled && run.is_over() => "stopped",
        _ if run.cancelled => "stopping",
        (true, _) => "finished",
        (_, true) => "paused",
        _ => "in progress",
    };
    let t = &run.totals;
    let tasks = plural(usize::try_from(run.decided()).unwrap_or(0), "task");
    all.push(format!(
        "Run {}, {word}: {tasks} done, {} failed.",
        run.id,
        number(t.failed)
    ));
    let routes = t
        .routes
        .iter()
        .map(|(name, n)| format!("{} {}", clean(name), number(*n)));
    let routes: Vec<String> = routes.collect();
    if !routes.is_empty() {
        all.push(format!("Outcomes: {}.", routes.join(", ")));
    }
    let (added, changed, removed) = t.labels;
    all.push(format!(
        "Labels: {added} added, {changed} changed, {removed} removed."
    ));
    for (place, group) in state.failures.iter().enumerate() {
        let n = plural(group.rows.len(), "task");
        all.push(numbered(
            place,
            format!("{n} failed: {}", clean(&group.first.summary)),
        ));
    }
    let held = plural(state.held.len(), "outcome");
    if !state.held.is_empty() {
        all.push(format!(
            "{held} held for review; nothing of it was written."
        ));
    }
    all
}
