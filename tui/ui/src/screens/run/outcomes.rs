//! The results of a run: outcomes as bars, failures in groups.

use crate::actions::Action;
use crate::panes::PaneName;
use crate::text::{bar, clean, fit, left, number, plural, right, width};
use crate::theme::Styles;
use crate::widgets::{lines, padded, scroll_to, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use std::collections::BTreeSet;
use wb_core::run::{Run, Sink};
use wb_core::state::{FailureGroup, State};

pub(super) fn draw_outcomes(buf: &mut Buffer, area: Rect, run: &Run, state: &State, ui: &mut Ui) {
    let Some(area) = ui.panes.place(PaneName::Outcomes, area) else {
        return;
    };
    let inner = ui.pane(buf, PaneName::Outcomes, area, ("Outcomes", ""));
    let all = outcome_lines(run, state, usize::from(padded(inner).width), ui);
    ui.pane_text(buf, PaneName::Outcomes, inner, &all, run.id);
}

fn outcome_lines(run: &Run, state: &State, columns: usize, ui: &Ui) -> Vec<Line<'static>> {
    let st = &ui.st;
    let t = &run.totals;
    if t.tasks == 0 {
        let word = if run.is_over() {
            "No task was handled."
        } else {
            "No task is final yet."
        };
        return vec![Line::styled(word, st.dim)];
    }
    let mut all = bars(run, columns, st);
    if t.conflicts > 0 && !state.conflicts.is_empty() {
        let text = ui.keyed("  {key:Conflicts} opens them: both versions, three answers");
        all.push(Line::styled(text, st.dim));
    }
    all.push(Line::default());
    let (added, changed, removed) = t.labels;
    all.push(Line::from(vec![
        Span::styled("labels  ", st.dim),
        Span::styled(format!("+{} ", number(added)), st.added),
        Span::styled(format!("~{} ", number(changed)), st.changed),
        Span::styled(format!("-{}", number(removed)), st.removed),
    ]));
    let (name, count, note) = match run.spec.sink {
        Sink::Hold if columns < 44 => ("held    ", number(state.held.len()), " for review"),
        Sink::Hold => {
            let note = " for review; nothing was written";
            ("held    ", number(state.held.len()), note)
        }
        Sink::Commit => {
            let moved = plural(usize::try_from(t.moved).unwrap_or(0), "task");
            ("written ", moved, " moved on")
        }
        Sink::Report => ("reported only", String::new(), ""),
    };
    all.push(Line::from(vec![
        Span::styled(name, st.dim),
        Span::raw(count),
        Span::styled(note, st.dim),
    ]));
    all
}

/// A bar for each route that tasks took, then for failures and conflicts.
fn bars(run: &Run, columns: usize, st: &Styles) -> Vec<Line<'static>> {
    let t = &run.totals;
    let names = t.routes.keys().map(|k| width(&clean(k)));
    let name_w = names.max().unwrap_or(8).clamp(8, 16);
    let bar_w = columns.saturating_sub(name_w + 20).min(30);
    let row = |name: &str, n: u64, style| {
        #[allow(clippy::cast_precision_loss)] // a bar
        let part = n as f64 / t.tasks as f64;
        Line::from(vec![
            Span::raw(format!("{} ", left(name, name_w))),
            Span::styled(bar(part, bar_w), style),
            Span::raw(right(&number(n), 9)),
            Span::styled(right(&format!("{:.1} %", part * 100.0), 9), st.dim),
        ])
    };
    let mut routes: Vec<_> = t.routes.iter().collect();
    routes.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let style = |name: &str| if name == "stay" { st.dim } else { st.accent };
    let routes = routes
        .into_iter()
        .map(|(name, n)| row(name, *n, style(name)));
    let failed = (t.failed > 0).then(|| row("✗ failed", t.failed, st.bad));
    let conflicts = (t.conflicts > 0).then(|| row("! conflict", t.conflicts, st.warn));
    routes.chain(failed).chain(conflicts).collect()
}

/// Rows of one group.
const EACH: u16 = 2;

/// Tasks that failed and still do, equal failures together.
pub(super) fn draw_failures(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let st = ui.st;
    let groups = &state.failures;
    let failed = number(state.failed_count());
    let title = match groups.len() {
        0 => "Failures".to_owned(),
        1 => format!("Failures: {failed} in 1 group"),
        n => format!("Failures: {failed} in {n} groups"),
    };
    let retry = ui.key_of(Action::RetryGroup);
    let keys = if groups.is_empty() {
        String::new()
    } else if area.width < 60 {
        format!("{retry} retries")
    } else {
        format!(
            "{retry} retries it, {} steps it",
            ui.key_of(Action::StepFailed)
        )
    };
    let inner = ui.pane(buf, PaneName::Main, area, (&title, &keys));
    if groups.is_empty() {
        lines(buf, inner, &[Line::styled(" None.", st.good)], 0);
        return;
    }
    let foot = u16::from(inner.height > 5) * 2;
    let [list, below] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(foot)]).areas(inner);
    let rows = usize::from(list.height / EACH);
    ui.panes.set_rows(Rect {
        height: list.height / EACH,
        ..list
    });
    let top = scroll_to(0, ui.run.at, rows, groups.len());
    let shown = groups.iter().enumerate().skip(top).take(rows.max(1));
    for ((i, group), y) in shown.zip((list.y..).step_by(usize::from(EACH))) {
        let here = i == ui.run.at;
        let area = Rect {
            y,
            height: EACH,
            ..list
        }
        .intersection(inner);
        let two = group_lines(group, here, state, usize::from(inner.width), &st);
        lines(buf, area, &two, 0);
        if here {
            shade(buf, area, 0, st.strong);
        }
        ui.hits.push((area, Hit::Rows(i)));
    }
    let foot = failures_foot(groups.get(ui.run.at), usize::from(inner.width), &st);
    lines(buf, below, &foot, 0);
}

/// How many tasks failed with what, and details in a second line.
fn group_lines<'a>(
    group: &FailureGroup,
    here: bool,
    state: &State,
    columns: usize,
    st: &Styles,
) -> [Line<'a>; 2] {
    let room = columns.saturating_sub(9);
    let count = right(&number(group.rows.len()), 6);
    let head = Line::from(vec![
        Span::styled(if here { "▌" } else { " " }, st.accent),
        Span::styled(format!("{count} "), st.bad),
        Span::raw(fit(&group.first.summary, room)),
    ]);
    let about = format!("        {}", fit(&about(group, state), room));
    [head, Line::styled(about, st.dim)]
}

/// Why, whose error, where, how often it was tried and whether a retry cannot help, the first task.
fn about(group: &FailureGroup, state: &State) -> String {
    let tried = match (group.attempts, group.first.retry) {
        (2.., _) => format!("tried {} times", group.attempts),
        (_, true) => "tried once".to_owned(),
        (_, false) => "not retried".to_owned(),
    };
    let stages: BTreeSet<_> = state.failures.iter().map(|g| g.stage).collect();
    let stage = if stages.len() > 1 {
        format!(" at {}", clean(state.stage_title(group.stage)))
    } else {
        String::new()
    };
    let first = group.rows.first().map_or("", |r| &*r.title);
    let reason = group.first.reason();
    let reason = reason.map(|reason| format!("{} · ", clean(&reason)));
    format!(
        "{}{} error{stage}, {tried} · first: {}",
        reason.unwrap_or_default(),
        group.first.kind.word(),
        clean(first)
    )
}

/// What to do about the chosen group.
fn failures_foot<'a>(group: Option<&FailureGroup>, columns: usize, st: &Styles) -> [Line<'a>; 2] {
    let hint = group.and_then(|g| g.first.hints.first());
    let hint = hint.map_or_else(String::new, |hint| fit(&format!(" → {hint}"), columns));
    // The filter comes first: it is what a person copies where there is no room for both.
    let named = group.map_or_else(String::new, |g| format!("filter fault:{:08x} · ", g.id));
    let text = fit(&format!(" {named}failed tasks stay"), columns);
    [Line::styled(hint, st.accent), Line::styled(text, st.dim)]
}
