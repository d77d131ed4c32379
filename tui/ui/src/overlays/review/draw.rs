//! How review looks: groups or tasks at the left, the patch at the right, what will be sent below.

use super::*;
use crate::screens::task::patch;
use crate::text::{clean, fit, fit_middle, left, number, plural, right};
use crate::widgets::{lines, overlay, pane as frame, scroll_to, scrollbar, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    pane.follow(state);
    let title = format!("Review: {} held", plural(state.held.len(), "outcome"));
    let inner = overlay(buf, area, &title, "nothing is sent before C, then y", &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let foot = footer(pane, state, usize::from(room.width), &st);
    let foot_h = u16::try_from(foot.len()).unwrap_or(0).min(room.height / 2);
    let body = Rect {
        height: room.height.saturating_sub(foot_h + 1),
        ..room
    };
    let below = Rect {
        y: room.bottom() - foot_h,
        height: foot_h,
        ..room
    };
    lines(buf, below, &foot, 0);
    if pane.groups.is_empty() {
        let all = [
            Line::default(),
            Line::from(" Nothing is held."),
            Line::default(),
            Line::from(vec![
                Span::raw(" "),
                Span::styled("a", st.key),
                Span::raw(" on the Task screen keeps an outcome;"),
            ]),
            Line::from(vec![
                Span::raw(" "),
                Span::styled("n", st.key),
                Span::raw(" on Flow and Queue runs dry and keeps all outcomes."),
            ]),
        ];
        lines(buf, body, &all, 0);
        return;
    }
    if ui.room.narrow() {
        let h = (body.height / 2).max(3).min(body.height);
        draw_list(ui, buf, Rect { height: h, ..body }, pane, state);
        details(
            ui,
            buf,
            Rect {
                y: body.y + h,
                height: body.height - h,
                ..body
            },
            pane,
            state,
        );
    } else {
        let w = body.width * 12 / 25;
        draw_list(ui, buf, Rect { width: w, ..body }, pane, state);
        details(
            ui,
            buf,
            Rect {
                x: body.x + w,
                width: body.width - w,
                ..body
            },
            pane,
            state,
        );
    }
}

pub(super) fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let group = &pane.groups[pane.at];
    let (title, count, at) = match pane.inside {
        Some(place) => (
            format!(
                "{} at {}",
                group.name,
                clean(state.stage_title(group.stage))
            ),
            group.tasks.len(),
            place,
        ),
        None => ("By outcome".to_owned(), pane.groups.len(), pane.at),
    };
    let position = if pane.inside.is_some() {
        format!("{}/{}", number((at + 1) as u64), number(count as u64))
    } else {
        String::new()
    };
    let inner = frame(buf, area, &title, &position, true, &st);
    let rows = usize::from(inner.height);
    let columns = usize::from(inner.width);
    pane.top = scroll_to(pane.top, at, rows, count);
    for row in 0..rows.min(count.saturating_sub(pane.top)) {
        let place = pane.top + row;
        let y = u16::try_from(row).unwrap_or(0);
        let line = match pane.inside {
            Some(_) => task_line(group, place, state, columns, &st),
            None => group_line(&pane.groups[place], state, columns, &st),
        };
        crate::widgets::line(buf, inner, y, &line);
        if place == at {
            shade(buf, inner, y, st.selected);
        }
    }
    scrollbar(buf, inner, pane.top, rows, count, &st);
    ui.hits.push((inner, Hit::Rows(pane.top)));
}

pub(super) fn group_line<'a>(
    group: &Group,
    state: &State,
    columns: usize,
    st: &crate::theme::Styles,
) -> Line<'a> {
    let mark = match group.taken {
        0 => "[ ]",
        n if n == group.tasks.len() => "[x]",
        _ => "[~]",
    };
    let warn = if group.removes { " !" } else { "  " };
    let stage = fit(state.stage_title(group.stage), 10);
    let name_w = columns.saturating_sub(27).max(10);
    Line::from(vec![
        Span::styled(format!(" {mark} "), st.key),
        Span::raw(left(&group.name, name_w)),
        Span::raw(right(&number(group.tasks.len() as u64), 8)),
        Span::styled(warn, st.warn),
        Span::styled(format!("  {stage}"), st.dim),
    ])
}

pub(super) fn task_line<'a>(
    group: &Group,
    place: usize,
    state: &State,
    columns: usize,
    st: &crate::theme::Styles,
) -> Line<'a> {
    let Some(held) = group.tasks.get(place).and_then(|t| state.held.get(t)) else {
        return Line::default();
    };
    let mark = if held.taken { "[x]" } else { "[ ]" };
    let labels = crate::screens::queue::labels_word(held.outcome.patch.counts());
    let title_w = columns.saturating_sub(18).max(8);
    Line::from(vec![
        Span::styled(format!(" {mark} "), st.key),
        Span::raw(left(&fit_middle(&held.inputs.row.title, title_w), title_w)),
        Span::raw(right(&labels, 11)),
    ])
}

/// The patch of the task under the cursor; of a group its first one.
pub(super) fn details(ui: &Ui, buf: &mut Buffer, area: Rect, pane: &Pane, state: &State) {
    let st = &ui.st;
    let Some(held) = pane.task().and_then(|t| state.held.get(&t)) else {
        frame(buf, area, "", "", false, st);
        return;
    };
    let title = fit_middle(
        &held.inputs.row.title,
        usize::from(area.width).saturating_sub(24),
    );
    let right = if pane.inside.is_some() {
        format!("build {}", held.build)
    } else {
        "the first of the group".into()
    };
    let inner = frame(buf, area, &title, &right, false, st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    lines(
        buf,
        room,
        &patch(&held.outcome, state, usize::from(room.width), st),
        0,
    );
}

pub(super) fn footer<'a>(
    pane: &Pane,
    state: &State,
    columns: usize,
    st: &crate::theme::Styles,
) -> Vec<Line<'a>> {
    let s = pane.send;
    let mut all = Vec::new();
    if let Some(commit) = &state.commit {
        let mut text = format!(
            "{} of {} written",
            number(commit.done as u64),
            number(commit.asked as u64)
        );
        if commit.ended.is_none() {
            text = format!(
                "writing… {} of {} answered",
                number(commit.answered as u64),
                number(commit.asked as u64)
            );
        }
        if !commit.conflicts.is_empty() {
            text.push_str(&format!(
                " · {} left: changed by others (! answers)",
                number(commit.conflicts.len() as u64)
            ));
        }
        if let Some((title, error)) = commit.refused.first() {
            text.push_str(&format!(
                " · {} refused, first {}: {}",
                number(commit.refused.len() as u64),
                clean(title),
                clean(&error.summary)
            ));
        }
        let bad = !commit.conflicts.is_empty() || !commit.refused.is_empty();
        all.push(Line::from(vec![
            Span::styled("Last commit  ", st.strong),
            Span::styled(
                fit(&text, columns.saturating_sub(13)),
                if bad { st.warn } else { st.good },
            ),
        ]));
    }
    if pane.groups.is_empty() {
        return all;
    }
    let mut parts = Vec::new();
    let mut part = |n: usize, one: &str| {
        if n > 0 {
            parts.push(plural(n, one).replace("prioritys", "priorities"));
        }
    };
    part(s.labels, "label save");
    part(s.priorities, "priority");
    part(s.metadata, "metadata change");
    part(s.moves, "move");
    let send = if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(" · ")
    };
    let taken = format!(
        "{} of {} taken",
        number(s.tasks as u64),
        number(state.held.len() as u64)
    );
    all.push(Line::from(vec![
        Span::styled("Will send    ", st.strong),
        Span::raw(fit(
            &format!("{send}   ({taken})"),
            columns.saturating_sub(13),
        )),
    ]));
    all.push(Line::from(vec![
        Span::styled("Guard        ", st.strong),
        Span::styled(
            fit(
                "each row is looked at once more; what others changed is left",
                columns.saturating_sub(13),
            ),
            st.dim,
        ),
    ]));
    if state.options.read_only {
        all.push(Line::styled(
            " read-only: nothing can be committed from here",
            st.warn,
        ));
    }
    all
}
