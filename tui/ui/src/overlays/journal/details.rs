//! One operation in lines: its counts and command, its tasks, what an undo would restore.

use crate::text::{clean, fit, fit_middle, left, number, plural};
use crate::theme::Styles;
use crate::widgets::wrapped;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::journal::{Entry, Op, OpenOp, Restore};
use wb_core::state::State;
use wb_core::state::shell;

pub(super) fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Counts, and the command that does the same.
pub(super) fn about<'a>(op: &Op, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut text = format!(
        "{} of {} written, {}",
        number(op.done),
        plural(to_usize(op.tasks), "task"),
        op.state()
    );
    if op.undone > 0 && op.undone < op.done {
        text.push_str(&format!(" ({} of {})", number(op.undone), number(op.done)));
    }
    let mut all: Vec<Line<'a>> = wrapped(&text, columns, st.text);
    if !op.words.is_empty() {
        let command = format!("workbench {}", shell::quoted(&op.words));
        let shown = wrapped(&command, columns, st.dim);
        let more = shown.len() > 3;
        all.extend(shown.into_iter().take(3));
        if more {
            all.push(Line::styled("… (workbench journal --commands)", st.dim));
        }
    }
    all.push(Line::default());
    all
}

pub(super) fn restore_lines<'a>(
    restores: &[Restore],
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let left_alone = restores.iter().filter(|r| r.left.is_some()).count();
    let mut head = format!(
        "An undo would restore {}",
        plural(restores.len() - left_alone, "task")
    );
    if left_alone > 0 {
        head.push_str(&format!(" and leave {}, changed since", number(left_alone)));
    }
    let mut all: Vec<Line<'a>> = wrapped(&head, columns, st.strong);
    // Tasks that are left alone need attention: they come first.
    let (left_ones, restored): (Vec<_>, Vec<_>) = restores.iter().partition(|r| r.left.is_some());
    for r in left_ones.into_iter().chain(restored) {
        let (mark, style, what) = match &r.left {
            Some(why) => ("! ", st.warn, why.clone()),
            None => ("✓ ", st.good, r.what.join(", ")),
        };
        all.push(task_line((mark, style), &r.title, &what, columns, st));
    }
    all
}

pub(super) fn entry_lines<'a>(
    open: &OpenOp,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let entries = match &open.entries {
        None => return vec![Line::styled("… reading its tasks", st.dim)],
        Some(Err(error)) => return vec![Line::styled(fit(&error.summary, columns), st.bad)],
        Some(Ok(entries)) => entries,
    };
    let mut all: Vec<Line<'a>> = entries
        .iter()
        .map(|e| entry_line(e, state, columns, st))
        .collect();
    let tasks = state.journal.op(open.id).map_or(0, |op| to_usize(op.tasks));
    if tasks > entries.len() {
        let more = number(tasks - entries.len());
        all.push(Line::styled(format!("… and {more} more"), st.dim));
    }
    all
}

fn entry_line<'a>(entry: &Entry, state: &State, columns: usize, st: &Styles) -> Line<'a> {
    let (mark, style) = match entry.answer.as_deref() {
        Some("done" | "already moved") if entry.undone => ("○ ", st.dim),
        Some("done" | "already moved") => ("● ", st.good),
        None => ("? ", st.warn),
        Some(_) => ("✗ ", st.bad),
    };
    let mut parts = Vec::new();
    if let Some(to) = entry.to {
        parts.push(format!("→ {}", clean(state.stage_title(to))));
    }
    if entry.labels {
        parts.push("labels".into());
    }
    if let Some(priority) = entry.priority {
        parts.push(format!("priority {priority}"));
    }
    if entry.metadata {
        parts.push("metadata".into());
    }
    let what = match entry.answer.as_deref() {
        Some("done" | "already moved") => parts.join(", "),
        None => format!("no answer yet: {}", parts.join(", ")),
        Some(why) => clean(why).into_owned(),
    };
    task_line((mark, style), &entry.title, &what, columns, st)
}

/// A mark, a task's title, and what happens or happened to it.
fn task_line<'a>(
    (mark, style): (&'static str, Style),
    title: &str,
    what: &str,
    columns: usize,
    st: &Styles,
) -> Line<'a> {
    let title_w = (columns / 2).clamp(8, 34);
    let what = fit(what, columns.saturating_sub(title_w + 3));
    Line::from(vec![
        Span::styled(mark, style),
        Span::raw(left(&fit_middle(title, title_w), title_w)),
        Span::styled(format!(" {what}"), st.dim),
    ])
}
