//! One watched task: a line for each of both builds, the differences of their outcomes, the agent's log.

use super::super::compare::task::difference_lines;
use super::Watch;
use crate::Ui;
use crate::panes::PaneName;
use crate::picture::Subject;
use crate::screens::queue::labels_word;
use crate::screens::task::{error_lines, log_lines, patch};
use crate::text::{clean, duration, fit, fit_middle, left, plural};
use crate::theme::Styles;
use crate::widgets::{hanging, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::sync::Arc;
use wb_core::event::Priority;
use wb_core::state::State;
use wb_core::watch::{Phase, WatchResult, Watched};
use wb_core::work::Outcome;

/// Lines of the agent's log below.
const LOG: usize = 6;

pub(super) fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &Watch, state: &State) {
    let Some(task) = pane.task(state) else { return };
    let area = ui.draw_beside(buf, area, &subject(task));
    let Some(area) = area.and_then(|area| ui.panes.place(PaneName::Details, area)) else {
        return;
    };
    let stage = fit(state.stage_title(task.stage), 16);
    let title = fit_middle(
        &task.row.title,
        usize::from(area.width).saturating_sub(8 + stage.len()),
    );
    let inner = ui.pane(buf, PaneName::Details, area, (&title, &stage));
    let all = sides(ui, task, state, usize::from(padded(inner).width));
    ui.pane_text(buf, PaneName::Details, inner, &all, task.row.id);
}

/// The labels of the newest build, against those of the build that it is compared with.
fn subject(task: &Watched) -> Subject<'_> {
    Subject {
        stage: task.stage,
        row: &task.row,
        inputs: task.inputs.as_ref(),
        earlier: outcome_of(task.before.as_ref()),
        outcome: outcome_of(task.now.as_ref()),
        compared: false,
    }
}

fn outcome_of(given: Option<&WatchResult>) -> Option<&Arc<Outcome>> {
    given.and_then(WatchResult::outcome)
}

pub(super) fn sides<'a>(ui: &Ui, task: &Watched, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = Vec::new();
    let results = task.before.iter().chain(&task.now);
    all.extend(results.map(|result| result_line(result, columns, st)));
    all.extend(phase_line(ui, task, state, columns));
    if let Some(error) = &task.error {
        all.extend(error_lines(error, columns, st));
    }
    let Some(now) = &task.now else { return all };
    all.push(Line::default());
    all.extend(differences(ui, task, columns));
    match &now.kept {
        Some(Ok(outcome)) => all.extend(patch(outcome, state, columns, st)),
        Some(Err(error)) => all.extend(error_lines(error, columns, st)),
        None => {
            let text = ui.keyed("What it gave is kept in short only: more is watched than there is memory for. {key:Again} runs it again.");
            all.extend(hanging("", st.dim, &text, columns, st.dim));
        }
    }
    let log = state.watch.log(task);
    if log.total > 0 {
        all.push(Line::default());
        let head = format!(
            "Log, {}",
            plural(usize::try_from(log.total).unwrap_or(0), "line")
        );
        all.push(Line::styled(head, st.strong));
        let lines = log_lines(log, columns, ui.utc_offset_s, st);
        let skip = lines.len().saturating_sub(LOG);
        all.extend(lines.into_iter().skip(skip));
    }
    all
}

/// How the newest build differs from the one that it is compared with.
fn differences<'a>(ui: &Ui, task: &Watched, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let (Some(comparison), Some(before), Some(now)) = (&task.comparison, &task.before, &task.now)
    else {
        return Vec::new();
    };
    let names = [before, now].map(|result| result.build.to_string());
    let mut all = match &comparison.found {
        _ if !comparison.differs => {
            let text = format!("The same as build {}.", before.build);
            vec![Line::styled(fit(&text, columns), st.good)]
        }
        Some(found) => {
            let note = found.note.as_ref().map(|note| clean(note).into_owned());
            let note = note.map(|note| hanging("", st.warn, &note, columns, st.warn));
            let mut all: Vec<Line<'_>> = note.into_iter().flatten().collect();
            all.extend(difference_lines(
                found,
                names.each_ref().map(String::as_str),
                columns,
                st,
            ));
            all
        }
        None => {
            let text = ui.keyed("It differs; how is kept for as many tasks as there is memory for. {key:Again} runs it again.");
            hanging("", st.changed, &text, columns, st.changed)
        }
    };
    if !all.is_empty() {
        all.push(Line::default());
    }
    all
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn result_line<'a>(result: &WatchResult, columns: usize, st: &Styles) -> Line<'a> {
    let (style, labels) = match result.failed {
        false => (st.text, labels_word(result.labels)),
        true => (st.bad, String::new()),
    };
    let took = duration(result.run_us as f64 / 1000.0);
    let head = format!("build {} ", left(&result.build.to_string(), 4));
    let tail = format!("  {labels}  {took}");
    let room = columns.saturating_sub(head.len() + tail.len());
    Line::from(vec![
        Span::styled(head, st.dim),
        Span::styled(fit(&clean(&result.text), room), style),
        Span::styled(tail, st.dim),
    ])
}

fn phase_line<'a>(ui: &Ui, task: &Watched, state: &State, columns: usize) -> Option<Line<'a>> {
    let st = &ui.st;
    let (text, style) = match state.watch.phase(task) {
        Phase::Seen => return None,
        Phase::NoAgent => ("! its stage has no agent now".to_owned(), st.warn),
        Phase::Fetching(_) => ("… fetching its inputs".to_owned(), st.accent),
        Phase::Unfetched => (
            ui.keyed("✗ its inputs could not be read ({key:Again} tries again)"),
            st.bad,
        ),
        Phase::Waiting => ("· waits for its turn".to_owned(), st.dim),
        Phase::Running(_, build) if state.watch.pid(task).is_none() => {
            let why = state.waits_for(build, Priority::Watch);
            (format!("· {why}"), st.warn)
        }
        Phase::Running(_, build) => {
            let loading = state.watch.loading(task).and_then(|l| l.words(state.now));
            let loading = loading.map_or_else(String::new, |words| format!(" · {words}"));
            (format!("▶ runs on build {build}{loading}"), st.accent)
        }
    };
    Some(Line::styled(fit(&text, columns), style))
}
