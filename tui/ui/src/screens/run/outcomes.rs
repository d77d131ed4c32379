//! What the tasks of a run came to: outcomes as bars, failures in groups.

use crate::actions::Action;
use crate::text::{bar, clean, fit, left, number, plural, right, width};
use crate::theme::Styles;
use crate::widgets::{lines, pane, scroll_to, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::collections::BTreeSet;
use wb_core::run::{Run, Sink};
use wb_core::state::{FailureGroup, State};

#[allow(clippy::cast_precision_loss)] // a bar
pub(super) fn draw_outcomes(buf: &mut Buffer, area: Rect, run: &Run, state: &State, st: &Styles) {
    let t = &run.totals;
    let inner = pane(buf, area, "Outcomes", "", false, st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    if t.tasks == 0 {
        let word = if run.is_over() {
            "No task was handled."
        } else {
            "No task is final yet."
        };
        lines(buf, room, &[Line::styled(word, st.dim)], 0);
        return;
    }
    let name_w = t
        .routes
        .keys()
        .map(|k| width(&clean(k)))
        .max()
        .unwrap_or(8)
        .clamp(8, 16);
    let bar_w = columns.saturating_sub(name_w + 20).min(30);
    let row = |name: &str, n: u64, style| {
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
    let mut all: Vec<Line<'_>> = routes
        .into_iter()
        .map(|(name, n)| row(name, *n, if name == "stay" { st.dim } else { st.accent }))
        .collect();
    if t.failed > 0 {
        all.push(row("✗ failed", t.failed, st.bad));
    }
    if t.conflicts > 0 {
        all.push(row("! conflict", t.conflicts, st.warn));
        if !state.conflicts.is_empty() {
            all.push(Line::styled(
                "  ! opens them: both sides, three answers",
                st.dim,
            ));
        }
    }
    all.push(Line::default());
    let (added, changed, removed) = t.labels;
    all.push(Line::from(vec![
        Span::styled("labels  ", st.dim),
        Span::styled(format!("+{} ", number(added)), st.added),
        Span::styled(format!("~{} ", number(changed)), st.changed),
        Span::styled(format!("-{}", number(removed)), st.removed),
    ]));
    all.push(match run.spec.sink {
        Sink::Hold => Line::from(vec![
            Span::styled("held    ", st.dim),
            Span::raw(number(state.held.len() as u64)),
            Span::styled(
                if columns < 44 {
                    " for review"
                } else {
                    " for review; nothing was written"
                },
                st.dim,
            ),
        ]),
        Sink::Commit => Line::from(vec![
            Span::styled("written ", st.dim),
            Span::raw(plural(usize::try_from(t.moved).unwrap_or(0), "task")),
            Span::styled(" moved on", st.dim),
        ]),
        Sink::Report => Line::styled("reported only", st.dim),
    });
    lines(buf, room, &all, 0);
}

/// Tasks that failed and still do, equal failures together.
pub(super) fn draw_failures(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let groups = &state.failures;
    let failed = number(state.failed_count() as u64);
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
    let inner = pane(buf, area, &title, &keys, true, &st);
    let columns = usize::from(inner.width);
    if groups.is_empty() {
        lines(buf, inner, &[Line::styled(" None.", st.good)], 0);
        return;
    }
    let foot = u16::from(inner.height > 5) * 2;
    let each = 2;
    let rows = usize::from((inner.height - foot) / each);
    let top = scroll_to(0, ui.run.at, rows, groups.len());
    for (i, group) in groups.iter().enumerate().skip(top).take(rows.max(1)) {
        let y = u16::try_from(i - top).unwrap_or(0) * each;
        let here = i == ui.run.at;
        let room = columns.saturating_sub(9);
        let head = Line::from(vec![
            Span::styled(if here { "▌" } else { " " }, st.accent),
            Span::styled(
                format!("{} ", right(&number(group.rows.len() as u64), 6)),
                st.bad,
            ),
            Span::raw(fit(&group.first.summary, room)),
        ]);
        crate::widgets::line(buf, inner, y, &head);
        let about = format!("        {}", fit(&about(group, state), room));
        crate::widgets::line(buf, inner, y + 1, &Line::styled(about, st.dim));
        if here {
            shade(buf, inner, y, st.strong);
        }
        let hit = Rect {
            y: inner.y + y,
            height: each.min(inner.height.saturating_sub(y)),
            ..inner
        };
        ui.hits.push((hit, Hit::Rows(i)));
    }
    if foot > 0 {
        failures_foot(buf, inner, groups.get(ui.run.at), &st);
    }
}

/// Whose fault, where, whether it was retried by itself, the first task.
fn about(group: &FailureGroup, state: &State) -> String {
    let retried = if group.first.retry {
        "retried"
    } else {
        "not retried"
    };
    let stages: BTreeSet<_> = state.failures.iter().map(|g| g.stage).collect();
    let stage = if stages.len() > 1 {
        format!(" at {}", clean(state.stage_title(group.stage)))
    } else {
        String::new()
    };
    let first = group.rows.first().map_or("", |r| &*r.title);
    format!(
        "{} fault{stage}, {retried} · first: {}",
        group.first.kind.word(),
        clean(first)
    )
}

/// What to do about the chosen group.
fn failures_foot(buf: &mut Buffer, inner: Rect, group: Option<&FailureGroup>, st: &Styles) {
    let columns = usize::from(inner.width);
    let y = inner.height - 1;
    if let Some(hint) = group.and_then(|g| g.first.hints.first()) {
        let hint = fit(&format!(" → {hint}"), columns);
        crate::widgets::line(buf, inner, y - 1, &Line::styled(hint, st.accent));
    }
    // The filter first: it is what a person copies where there is no room for both.
    let named = group.map_or_else(String::new, |g| format!("filter fault:{:08x} · ", g.id));
    let text = fit(&format!(" {named}failed tasks stay"), columns);
    crate::widgets::line(buf, inner, y, &Line::styled(text, st.dim));
}
