//! The four screens in lines, for linear mode.

use crate::Ui;
use crate::chrome::mode;
use crate::linear_text::{COLUMNS, PAGE, numbered, text, texts};
use crate::screens::flow::{agent_word, count, in_order, routes};
use crate::screens::queue::{labels_word, status_word};
use crate::screens::stage::kind_word;
use crate::screens::task::patch;
use crate::screens::timeline::{self, Mark, Row};
use crate::screens::{error_lines, stage};
use crate::text::{age, clean, duration, number, plural};
use ratatui::text::Line;
use wb_core::queue::Queue;
use wb_core::state::State;
use wb_core::step::Stepper;
use wb_core::work::TaskRow;

/// What the header of the screen has.
fn head(name: &str, ui: &Ui, state: &State) -> String {
    let title = state
        .project
        .as_ref()
        .map_or("no project", |p| p.title.as_str());
    let build = crate::chrome::build_word(ui, state).0;
    format!("{name}. {}. {}, {build}.", clean(title), mode(state))
}

/// The stages, and the chosen one in detail.
pub fn flow(ui: &Ui, state: &State) -> Vec<String> {
    let Some(project) = &state.project else {
        return Vec::new();
    };
    let mut all = vec![head("Flow", ui, state)];
    for (place, each) in in_order(&project.workflow).into_iter().enumerate() {
        let mut parts = vec![format!("{}, {}", clean(&each.title), kind_word(&each.kind))];
        parts.push(format!("{} tasks", count(state, each.id)));
        parts.extend(agent_word(state, each).map(|(word, _)| word));
        let to = routes(&project.workflow, each);
        parts.extend((!to.is_empty()).then(|| format!("leads to {to}")));
        all.push(numbered(place, parts.join("; ")));
    }
    let chosen = ui.stage.and_then(|id| project.workflow.stage(id));
    if let Some(chosen) = chosen {
        all.push(format!("Stage {}:", clean(&chosen.title)));
        let lines = stage::lines_of(ui, chosen, state, COLUMNS);
        all.extend(texts(&lines));
    }
    if !state.held.is_empty() {
        let held = plural(state.held.len(), "outcome");
        all.push(format!(
            "{held} held for review; nothing of it was written."
        ));
    }
    all
}

/// The tasks from the cursor on.
pub fn queue(ui: &mut Ui, state: &State) -> Vec<String> {
    let Some(id) = ui.stage else {
        return vec!["Queue. No stage is chosen.".into()];
    };
    ui.queue.set_page(PAGE + 1);
    let title = clean(state.stage_title(id)).into_owned();
    let mut all = vec![head("Queue", ui, state)];
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

/// The events of the open task; the chosen one in full.
pub fn task(ui: &Ui, state: &State) -> Vec<String> {
    let mut all = vec![head("Task", ui, state)];
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
            .map(|(place, row)| event_line(place, row)),
    );
    if ui.task.event.is_some()
        && let Some((_, value)) = crate::screens::task::shown_text(ui, state)
    {
        all.extend(
            value
                .lines()
                .map(|line| text(&Line::from(line)))
                .filter(|l| !l.is_empty()),
        );
    }
    all.extend(next(ui, step, state));
    all
}

/// One event: its number, its state in a word, its name, how long it took, its note.
pub fn event_line(place: usize, row: &Row) -> String {
    let word = match row.mark {
        Mark::Done => "done",
        Mark::Now => "running",
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
pub fn outcome(ui: &Ui, step: &Stepper, state: &State) -> Vec<String> {
    let lines = match &step.result {
        Some(Ok(outcome)) => patch(outcome, state, COLUMNS, &ui.st),
        Some(Err(error)) => crate::screens::task::error_lines(error, COLUMNS, &ui.st),
        None => Vec::new(),
    };
    lines
        .iter()
        .map(text)
        .filter(|line| !line.is_empty())
        .collect()
}

/// What the next command does.
pub fn next(ui: &Ui, step: &Stepper, state: &State) -> Option<String> {
    let (action, words) = timeline::next(step, state);
    let name = action.map_or_else(String::new, |action| format!("{} ", ui.key_of(action)));
    Some(format!("Next: {name}{}.", ui.keyed(&words)))
}

/// How far the run is, its outcomes, its failures in groups.
pub fn run(ui: &Ui, state: &State) -> Vec<String> {
    let mut all = vec![head("Run", ui, state)];
    if let Some(error) = &state.not_started {
        all.push("The run was not started.".into());
        all.extend(
            error_lines(error, 500, &ui.st)
                .iter()
                .map(text)
                .filter(|l| !l.is_empty()),
        );
        return all;
    }
    let Some(run) = &state.run else {
        all.push("Nothing has run yet.".into());
        all.push(
            ui.keyed("{key:RunSome} runs some tasks of the stage, {key:RunEvery} all of them."),
        );
        return all;
    };
    let word = match (run.is_over(), run.paused, run.cancelled) {
        (true, ..) => "finished",
        (_, _, true) => "stopping",
        (_, true, _) => "paused",
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
