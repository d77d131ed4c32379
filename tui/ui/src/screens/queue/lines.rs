//! Queue in lines, for linear mode.

use super::{labels_word, status_word};
use crate::linear_text::{PAGE, numbered};
use crate::text::{age, clean, number, plural};
use crate::{Ui, chrome};
use wb_core::queue::Queue;
use wb_core::state::State;
use wb_core::work::TaskRow;

/// The tasks from the cursor on.
pub fn lines(ui: &mut Ui, state: &State) -> Vec<String> {
    let Some(id) = ui.stage else {
        return vec!["Queue. No stage is chosen.".into()];
    };
    ui.queue.set_page(PAGE + 1);
    let title = clean(state.stage_title(id)).into_owned();
    let mut all = vec![chrome::head_text("Queue", ui, state)];
    let Some(queue) = state.queues.get(&id) else {
        all.push(format!("The tasks of {title} are not listed yet."));
        return all;
    };
    let shown = queue.view.len();
    let first = ui.queue.place(id) / PAGE * PAGE;
    let last = (first + PAGE).min(shown);
    let of = match queue.filter_text.is_empty() {
        true => String::new(),
        false => format!(
            " of {}, filter {}",
            number(queue.rows.len()),
            clean(&queue.filter_text)
        ),
    };
    let loading = if queue.loading { ", still listing" } else { "" };
    all.push(format!(
        "{title}: {}{of}, sorted by {}, {} marked{loading}.",
        plural(shown, "task"),
        queue.sort.word(),
        number(queue.marks.len())
    ));
    if let Some(error) = &queue.filter_error {
        all.push(format!("! {error}"));
    }
    let rows = (first..last).filter_map(|place| Some((place, queue.at(place)?)));
    all.extend(rows.map(|(place, row)| numbered(place, task_line(row, queue, state))));
    if last < shown {
        let names = "page-down and page-up go on";
        all.push(format!(
            "Tasks {} to {last} of {shown}; {names}.",
            first + 1
        ));
    }
    all
}

fn task_line(row: &TaskRow, queue: &Queue, state: &State) -> String {
    let mut parts = vec![
        clean(&row.title).into_owned(),
        status_word(row.status).to_owned(),
    ];
    parts.push(
        format!("changed {} ago", age(state.now.since(row.updated))).replace("now ago", "now"),
    );
    if queue.marks.contains(&row.id) {
        parts.push("marked".into());
    }
    if state.watch.task(row.id).is_some() {
        parts.push("watched".into());
    }
    if let Some(result) = state.results.get(&row.id) {
        let word = if result.failed { "failed: " } else { "gave " };
        parts.push(format!("{word}{}", clean(&result.text)));
        let labels = labels_word(result.labels);
        parts.extend((!labels.is_empty()).then(|| format!("labels {labels}")));
    }
    if state.held.contains_key(&row.id) {
        parts.push("held for review".into());
    }
    parts.join(", ")
}
