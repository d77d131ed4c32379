//! Watched tasks in lines, for linear mode.

use super::{Watch, against, nothing, result_word, round_words, sides, sign};
use crate::Ui;
use crate::linear_text::{PAGE, numbered};
use crate::text::{clean, plural};
use wb_core::state::State;
use wb_core::watch::Watched;

/// Columns of the text of a task.
const COLUMNS: usize = 100;

/// What the round has come to, the tasks around the cursor, and the chosen one.
pub(super) fn lines(pane: &mut Watch, ui: &Ui, state: &State) -> Vec<String> {
    let text = |line: ratatui::text::Line<'_>| line.to_string().trim_end().to_owned();
    if state.watch.is_empty() {
        let mut all = vec!["Watch.".to_owned()];
        all.extend(
            nothing(ui, COLUMNS)
                .into_iter()
                .map(text)
                .filter(|line| !line.is_empty()),
        );
        return all;
    }
    let count = pane.count(state);
    pane.cursor.at = pane.cursor.at.min(count.saturating_sub(1));
    let differing = pane.only_differing(state);
    let mut all = vec![
        format!(
            "Watch: {} at every build, {}.",
            plural(state.watch.len(), "task"),
            against(state)
        ),
        format!("{}.", round_words(state)),
    ];
    let what = if differing {
        "What differs, worst first"
    } else {
        "Tasks"
    };
    all.push(format!("{what}: {}.", plural(count, "task")));
    let first = pane.cursor.at / PAGE * PAGE;
    let rows = (first..count.min(first + PAGE))
        .filter_map(|place| Some((place, pane.listed(state, place)?)));
    all.extend(rows.map(|(place, task)| numbered(place, task_line(ui, task, state))));
    if first + PAGE < count {
        let (from, to) = (first + 1, first + PAGE);
        all.push(format!(
            "Tasks {from} to {to} of {count}; page-down and page-up go on."
        ));
    }
    if let Some(task) = pane.task(state) {
        all.push(format!("{}:", clean(&task.row.title)));
        let lines = sides::sides(ui, task, state, COLUMNS).into_iter().map(text);
        all.extend(lines.filter(|line| !line.is_empty()));
    }
    all
}

fn task_line(ui: &Ui, task: &Watched, state: &State) -> String {
    let word = match sign(task, state, &ui.st).0 {
        "▶" => "runs",
        "·" => "waits",
        "~" => "differs",
        "=" => "same",
        "✗" => "failed",
        "!" => "no agent",
        _ => "ran",
    };
    format!(
        "{}, {word}, {}",
        clean(&task.row.title),
        clean(&result_word(task, state))
    )
}
