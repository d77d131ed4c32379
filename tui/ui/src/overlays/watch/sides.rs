//! One watched task: a line for each of both builds, the differences of their outcomes, the agent's log.

use super::Watch;
use crate::Ui;
use crate::panes::PaneName;
use crate::picture::Subject;
use crate::screens::queue::labels_word;
use crate::screens::task::{error_lines, log_lines, patch};
use crate::text::{clean, duration, fit, fit_middle, left, plural};
use crate::theme::Styles;
use crate::widgets::padded;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::sync::Arc;
use wb_core::compare::Difference;
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
    }
}

fn outcome_of(given: Option<&WatchResult>) -> Option<&Arc<Outcome>> {
    given.and_then(|given| given.result.as_ref().ok())
}

fn sides<'a>(ui: &Ui, task: &Watched, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = Vec::new();
    let results = task.before.iter().chain(&task.now);
    all.extend(results.map(|result| result_line(result, columns, st)));
    all.extend(phase_line(task, state, columns, st));
    if let Some(error) = &task.error {
        all.extend(error_lines(error, columns, st));
    }
    let Some(now) = &task.now else { return all };
    all.push(Line::default());
    match task.differences() {
        Some(differences) if differences.is_empty() => {
            let before = task.before.as_ref().map_or(now.build, |l| l.build);
            let text = format!("The same as build {before}.");
            all.push(Line::styled(fit(&text, columns), st.good));
            all.push(Line::default());
        }
        Some(differences) => {
            let head = plural(differences.len(), "difference");
            all.push(Line::styled(fit(&head, columns), st.strong));
            for difference in &differences {
                all.extend(difference_lines(difference, columns, st));
            }
            all.push(Line::default());
        }
        None => {}
    }
    match &now.result {
        Ok(outcome) => all.extend(patch(outcome, state, columns, st)),
        Err(error) => all.extend(error_lines(error, columns, st)),
    }
    if task.log.total > 0 {
        all.push(Line::default());
        let head = format!(
            "Log, {}",
            plural(usize::try_from(task.log.total).unwrap_or(0), "line")
        );
        all.push(Line::styled(head, st.strong));
        let log = log_lines(&task.log, columns, ui.utc_offset_s, st);
        let skip = log.len().saturating_sub(LOG);
        all.extend(log.into_iter().skip(skip));
    }
    all
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn result_line<'a>(result: &WatchResult, columns: usize, st: &Styles) -> Line<'a> {
    let (style, labels) = match &result.result {
        Ok(outcome) => (st.text, labels_word(outcome.patch.counts())),
        Err(_) => (st.bad, String::new()),
    };
    let took = duration(result.run_us as f64 / 1000.0);
    let head = format!("build {} ", left(&result.build.to_string(), 4));
    let tail = format!("  {labels}  {took}");
    let room = columns.saturating_sub(head.len() + tail.len());
    Line::from(vec![
        Span::styled(head, st.dim),
        Span::styled(fit(&clean(&result.route()), room), style),
        Span::styled(tail, st.dim),
    ])
}

fn phase_line<'a>(task: &Watched, state: &State, columns: usize, st: &Styles) -> Option<Line<'a>> {
    let (text, style) = match task.phase {
        Phase::Seen => return None,
        Phase::NoAgent => ("! its stage has no agent now".to_owned(), st.warn),
        Phase::Wanted | Phase::Fetching(_) => ("… fetching its inputs".to_owned(), st.accent),
        Phase::Unfetched => (
            "✗ its inputs could not be read ({key:Again} tries again)".to_owned(),
            st.bad,
        ),
        Phase::Waiting => ("· waits for its turn".to_owned(), st.dim),
        Phase::Running(_, build) if task.pid.is_none() => {
            let why = state.waits_for(build, Priority::Watch);
            (format!("· {why}"), st.warn)
        }
        Phase::Running(_, build) => {
            let loading = task.loading.as_ref().and_then(|l| l.words(state.now));
            let loading = loading.map_or_else(String::new, |words| format!(" · {words}"));
            (format!("▶ runs on build {build}{loading}"), st.accent)
        }
    };
    Some(Line::styled(fit(&text, columns), style))
}

/// What differs, the older side above the newer one.
fn difference_lines<'a>(difference: &Difference, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let what = fit(&clean(&difference.what), 18);
    let style = st.sign(difference.sign);
    let side = |sign: char, text: &str| {
        Line::from(vec![
            Span::styled(format!("  {sign} "), st.sign(sign)),
            Span::styled(fit(&clean(text), columns.saturating_sub(4)), st.text),
        ])
    };
    let mut all = vec![Line::styled(format!("{} {what}", difference.sign), style)];
    all.extend(difference.before.iter().map(|t| side('-', t)));
    all.extend(difference.after.iter().map(|t| side('+', t)));
    all
}
