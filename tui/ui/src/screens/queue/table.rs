//! The table: only the rows in sight are looked at.

use super::*;
use crate::text::{age, clean, duration, fit_middle, left, number, right};
use crate::widgets::{lines, pane, scroll_to, scrollbar, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::ids::StageId;
use wb_core::queue::Queue;
use wb_core::state::State;
use wb_core::work::{TaskRow, TaskStatus};

/// Widths of the columns that depend on the room.
pub(super) struct Columns {
    pub(super) title: usize,
    pub(super) last: usize,
    pub(super) labels: usize,
    pub(super) ms: usize,
}

impl Columns {
    fn new(width: usize) -> Self {
        // cursor 1, mark 2, status 6, age 5 and the blanks between them
        let (last, labels, ms) = match width {
            ..60 => (14, 0, 0),
            60..76 => (18, 9, 0),
            76..110 => (18, 10, 8),
            _ => (30, 12, 8),
        };
        let fixed =
            1 + 2 + 6 + 5 + last + labels + ms + usize::from(labels > 0) + usize::from(ms > 0) + 2;
        Self {
            title: width.saturating_sub(fixed).max(8),
            last,
            labels,
            ms,
        }
    }
}

pub(super) fn table(ui: &mut Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = ui.st;
    let Some(queue) = state.queues.get(&stage) else {
        let inner = pane(buf, area, "Tasks", "", true, &st);
        let text = ui.keyed_line("  Not listed yet. {key:Refresh} lists it.");
        lines(buf, inner, &[Line::default(), text], 0);
        return;
    };
    let loaded = match (queue.loading, queue.loaded) {
        (true, _) => "listing…".to_owned(),
        (false, _) if queue.asking => format!(
            "label rows read for the filter: {}…",
            number(queue.known.len())
        ),
        (false, Some(at)) => format!("listed {}", crate::chrome::ago(state.now.since(at))),
        (false, None) => "not listed".into(),
    };
    let inner = pane(buf, area, "Tasks", &loaded, true, &st);
    if queue.view.is_empty() {
        empty(buf, inner, queue, stage, state, ui);
        return;
    }
    let columns = Columns::new(usize::from(inner.width));
    let head = format!(
        "   {} {} {} {}{}{}",
        left("status", 6),
        left("title", columns.title),
        right("age", 4),
        left("last result", columns.last),
        if columns.labels > 0 {
            format!(" {}", left("labels", columns.labels))
        } else {
            String::new()
        },
        if columns.ms > 0 {
            right("took", columns.ms)
        } else {
            String::new()
        },
    );
    crate::widgets::line(buf, inner, 0, &Line::styled(head, st.dim));
    let body = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let rows = usize::from(body.height);
    ui.queue.rows = rows;
    let cursor = ui.queue.cursors.entry(stage).or_default();
    cursor.top = scroll_to(cursor.top, cursor.place, rows, queue.view.len());
    let (top, place) = (cursor.top, cursor.place);
    for row in 0..rows {
        let Some(task) = queue.at(top + row) else {
            break;
        };
        let y = u16::try_from(row).unwrap_or(0);
        let here = top + row == place;
        let line = table_row(task, queue, state, here, &columns, &st);
        crate::widgets::line(buf, body, y, &line);
        if here {
            shade(buf, body, y, st.selected);
        }
    }
    scrollbar(buf, body, top, rows, queue.view.len(), &st);
    ui.hits.push((body, Hit::Rows(top)));
}

/// Encord's status in at most six letters.
pub fn status_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::New => "new",
        TaskStatus::Assigned => "assign",
        TaskStatus::Released => "releas",
        TaskStatus::Skipped => "skip",
        TaskStatus::Reopened => "reopen",
        TaskStatus::Completed => "done",
        TaskStatus::Unknown => "?",
    }
}

pub(super) fn table_row<'a>(
    task: &TaskRow,
    queue: &Queue,
    state: &State,
    here: bool,
    c: &Columns,
    st: &crate::theme::Styles,
) -> Line<'a> {
    let marked = queue.marks.contains(&task.id);
    let mark = match (marked, state.watch.task(task.id)) {
        (true, _) => Span::styled("● ", st.key),
        (false, Some(_)) => Span::styled("w ", st.accent),
        (false, None) => Span::raw("  "),
    };
    let mut line = Line::from(vec![
        Span::styled(if here { "▌" } else { " " }, st.accent),
        mark,
        Span::styled(left(status_word(task.status), 6), st.dim),
        Span::raw(format!(
            " {} ",
            left(&fit_middle(&task.title, c.title), c.title)
        )),
        Span::styled(
            format!("{} ", right(&age(state.now.since(task.updated)), 4)),
            st.dim,
        ),
    ]);
    let held = state.held.contains_key(&task.id);
    match state.results.get(&task.id) {
        Some(result) => {
            let (mark, style) = result_mark(result, held, st);
            line.push_span(Span::styled(
                left(&format!("{mark} {}", clean(&result.text)), c.last),
                style,
            ));
            if c.labels > 0 {
                line.push_span(Span::raw(format!(
                    " {}",
                    left(&labels_word(result.labels), c.labels)
                )));
            }
            if c.ms > 0 {
                line.push_span(Span::styled(right(&duration(result.ms), c.ms), st.dim));
            }
        }
        None => line.push_span(Span::raw(left("", c.last))),
    }
    line
}

pub(super) fn empty(
    buf: &mut Buffer,
    area: Rect,
    queue: &Queue,
    stage: StageId,
    state: &State,
    ui: &Ui,
) {
    let st = &ui.st;
    let title = clean(state.stage_title(stage)).into_owned();
    let mut all = vec![Line::default()];
    if queue.rows.is_empty() && (queue.loading || queue.loaded.is_none()) {
        all.push(Line::from(format!("  Listing the tasks of {title}…")));
    } else if queue.rows.is_empty() {
        let elsewhere = state
            .queues
            .iter()
            .filter(|(s, q)| **s != stage && !q.rows.is_empty())
            .map(|(s, q)| {
                format!(
                    "{} in {}",
                    number(q.rows.len() as u64),
                    clean(state.stage_title(*s))
                )
            })
            .collect::<Vec<_>>();
        all.push(Line::from(format!("  {title} is empty.")));
        if !elsewhere.is_empty() {
            all.push(Line::default());
            all.push(Line::styled(
                format!("  Tasks elsewhere: {}.", elsewhere.join(" · ")),
                st.dim,
            ));
        }
        all.push(Line::default());
        all.push(ui.keyed_line("  {key:Refresh} lists it again   {key:Out} back to the workflow"));
    } else if queue.asking {
        all.push(Line::from(format!(
            "  None of the {} label rows read so far match; the others are being read.",
            number(queue.known.len())
        )));
    } else {
        all.push(Line::from(format!(
            "  0 of {} match this filter.",
            number(queue.rows.len() as u64)
        )));
        if let Some(error) = &queue.filter_error {
            let columns = usize::from(area.width).saturating_sub(6);
            all.extend(
                crate::text::wrap(error, columns)
                    .into_iter()
                    .map(|t| Line::styled(format!("  ✗ {t}"), st.bad)),
            );
            all.push(Line::styled(
                "  The last valid filter is still applied.",
                st.dim,
            ));
        }
        all.push(Line::default());
        all.push(ui.keyed_line("  {key:Filter} changes the filter   {key:Out} clears it"));
    }
    lines(buf, area, &all, 0);
}
