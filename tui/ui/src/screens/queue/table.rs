//! The table: only the rows in sight are made.

use super::*;
use crate::Ui;
use crate::text::{age, clean, duration, fit_middle, left, number, right};
use crate::theme::Styles;
use crate::widgets::{hanging, lines, list, pane};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::ids::StageId;
use wb_core::queue::Queue;
use wb_core::state::State;
use wb_core::work::{TaskRow, TaskStatus};

/// Widths of the columns that depend on the room.
struct Columns {
    title: usize,
    last: usize,
    labels: usize,
    ms: usize,
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

    fn head(&self) -> String {
        let labels = match self.labels {
            0 => String::new(),
            n => format!(" {}", left("labels", n)),
        };
        format!(
            "   {} {} {} {}{labels}{}",
            left("status", 6),
            left("title", self.title),
            right("age", 4),
            left("last result", self.last),
            right(if self.ms > 0 { "took" } else { "" }, self.ms)
        )
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
    let inner = pane(buf, area, "Tasks", &loaded(queue, state), true, &st);
    if queue.view.is_empty() {
        let title = clean(state.stage_title(stage)).into_owned();
        let text = if queue.rows.is_empty() {
            without_tasks(ui, queue, &title, stage, state)
        } else {
            without_matches(ui, queue, usize::from(inner.width))
        };
        lines(buf, inner, &text, 0);
        return;
    }
    let columns = Columns::new(usize::from(inner.width));
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    lines(buf, head, &[Line::styled(columns.head(), st.dim)], 0);
    ui.queue.rows = usize::from(body.height);
    let cursor = ui.queue.cursors.get(&stage).copied().unwrap_or_default();
    let at = (cursor.place, queue.view.len());
    let top = list(ui, buf, body, cursor.top, at, |_, place| {
        let here = place == cursor.place;
        let task = queue.at(place);
        task.map_or_else(Line::default, |task| {
            table_row(task, queue, state, here, &columns, &st)
        })
    });
    ui.queue.cursors.insert(stage, Cursor { top, ..cursor });
}

fn loaded(queue: &Queue, state: &State) -> String {
    match (queue.loading, queue.loaded) {
        (true, _) => "listing…".to_owned(),
        (false, _) if queue.asking => format!(
            "label rows read for the filter: {}…",
            number(queue.known.len())
        ),
        (false, Some(at)) => format!("listed {}", crate::chrome::ago(state.now.since(at))),
        (false, None) => "not listed".into(),
    }
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

fn table_row<'a>(
    task: &TaskRow,
    queue: &Queue,
    state: &State,
    here: bool,
    c: &Columns,
    st: &Styles,
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
    let loading = state.loading_of(task.id);
    if let Some(words) = loading.and_then(|loading| loading.words(state.now)) {
        let room = c.last + c.labels + c.ms + usize::from(c.labels > 0);
        line.push_span(Span::styled(
            fit_middle(&format!("▶ {words}"), room),
            st.accent,
        ));
        return line;
    }
    let Some(result) = state.results.get(&task.id) else {
        return line;
    };
    let held = state.held.contains_key(&task.id);
    let (mark, style) = result_mark(result, held, st);
    let last = left(&format!("{mark} {}", clean(&result.text)), c.last);
    line.push_span(Span::styled(last, style));
    if c.labels > 0 {
        let labels = left(&labels_word(result.labels), c.labels);
        line.push_span(Span::raw(format!(" {labels}")));
    }
    if c.ms > 0 {
        line.push_span(Span::styled(right(&duration(result.ms), c.ms), st.dim));
    }
    line
}

/// The text of a stage that has no tasks, or none that are listed yet.
fn without_tasks<'a>(
    ui: &Ui,
    queue: &Queue,
    title: &str,
    stage: StageId,
    state: &State,
) -> Vec<Line<'a>> {
    if queue.loading || queue.loaded.is_none() {
        let text = format!("  Listing the tasks of {title}…");
        return vec![Line::default(), Line::from(text)];
    }
    let mut all = vec![Line::default(), Line::from(format!("  {title} is empty."))];
    let others = state
        .queues
        .iter()
        .filter(|(s, q)| **s != stage && !q.rows.is_empty());
    let elsewhere = others.map(|(s, q)| {
        let count = number(q.rows.len());
        format!("{count} in {}", clean(state.stage_title(*s)))
    });
    let elsewhere: Vec<String> = elsewhere.collect();
    if !elsewhere.is_empty() {
        let text = format!("  Tasks elsewhere: {}.", elsewhere.join(" · "));
        all.extend([Line::default(), Line::styled(text, ui.st.dim)]);
    }
    all.push(Line::default());
    all.push(ui.keyed_line("  {key:Refresh} lists it again   {key:Out} back to the workflow"));
    all
}

/// The text of a filter that nothing matches.
fn without_matches<'a>(ui: &Ui, queue: &Queue, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    if queue.asking {
        let text = format!(
            "  None of the {} label rows read so far match; the others are being read.",
            number(queue.known.len())
        );
        return vec![Line::default(), Line::from(text)];
    }
    let count = number(queue.rows.len());
    let text = format!("  0 of {count} match this filter.");
    let mut all = vec![Line::default(), Line::from(text)];
    if let Some(error) = &queue.filter_error {
        all.extend(hanging(
            "  ✗ ",
            st.bad,
            error,
            columns.saturating_sub(2),
            st.bad,
        ));
        let text = "  The last valid filter is still applied.";
        all.push(Line::styled(text, st.dim));
    }
    all.push(Line::default());
    all.push(ui.keyed_line("  {key:Filter} changes the filter   {key:Out} clears it"));
    all
}
