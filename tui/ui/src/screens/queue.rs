//! Queue: the tasks of one stage as a table that looks at the visible rows only, the filter, the
//! preview of the task under the cursor.

use crate::keys::Line as Typed;
use crate::text::{age, clean, duration, fit, fit_middle, left, number, right};
use crate::widgets::{field, lines, pane, scroll_to, scrollbar, shade};
use crate::{Hit, PictureWish, Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use std::collections::HashMap;
use wb_core::command::Verb;
use wb_core::ids::{StageId, TaskId};
use wb_core::queue::{LastResult, Queue};
use wb_core::state::State;
use wb_core::work::{TaskRow, TaskStatus};

/// Cursors by stage, and the filter while it is typed.
#[derive(Default)]
pub struct Pane {
    cursors: HashMap<StageId, Cursor>,
    /// The line being typed, and the filter that Esc brings back.
    pub typing: Option<(Typed, String)>,
    /// Picture shown or not, when a person chose.
    pub picture: Option<bool>,
    rows: usize,
}

#[derive(Clone, Copy, Default)]
struct Cursor {
    place: usize,
    top: usize,
    task: Option<TaskId>,
}

impl Pane {
    /// Place of the cursor in the view of a stage.
    pub fn place(&self, stage: StageId) -> usize {
        self.cursors.get(&stage).map_or(0, |c| c.place)
    }

    pub fn shows_picture(&self, room: Room) -> bool {
        self.picture.unwrap_or(room.wide())
    }

    /// The cursor stays on its task when rows come, go or change their order.
    pub fn follow(&mut self, stage: StageId, state: &State) {
        let Some(queue) = state.queues.get(&stage) else {
            return;
        };
        let cursor = self.cursors.entry(stage).or_default();
        let here = queue.at(cursor.place).map(|r| r.id);
        if here.is_some() && here == cursor.task {
            return;
        }
        let found = cursor.task.and_then(|t| queue.place_of(t));
        cursor.place = found
            .unwrap_or(cursor.place)
            .min(queue.view.len().saturating_sub(1));
        cursor.task = queue.at(cursor.place).map(|r| r.id);
    }

    pub fn go_to(&mut self, stage: StageId, place: usize, state: &State) {
        let Some(queue) = state.queues.get(&stage) else {
            return;
        };
        let cursor = self.cursors.entry(stage).or_default();
        cursor.place = place.min(queue.view.len().saturating_sub(1));
        cursor.task = queue.at(cursor.place).map(|r| r.id);
    }

    pub fn move_cursor(&mut self, stage: StageId, verb: Verb, state: &State) {
        let place = self.place(stage);
        let page = self.rows.saturating_sub(1).max(1);
        let next = match verb {
            Verb::Up => place.saturating_sub(1),
            Verb::Down => place + 1,
            Verb::PageUp => place.saturating_sub(page),
            Verb::PageDown => place + page,
            Verb::Top => 0,
            Verb::Bottom => usize::MAX,
            _ => place,
        };
        self.go_to(stage, next, state);
    }

    pub fn begin_filter(&mut self, stage: Option<StageId>, state: &State) {
        let before = stage
            .and_then(|s| state.queues.get(&s))
            .map_or_else(String::new, |q| q.filter_text.clone());
        self.typing = Some((Typed::new(&before), before));
    }
}

/// The picture for the preview.
pub fn picture_wish(ui: &Ui, state: &State) -> Option<PictureWish> {
    let stage = ui
        .stage
        .filter(|_| ui.queue.shows_picture(ui.room) && !ui.room.narrow())?;
    let row = state.queues.get(&stage)?.at(ui.queue.place(stage))?;
    Some(PictureWish {
        task: row.id,
        data: row.data,
        path: None,
    })
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(stage) = ui.stage else { return };
    top_line(ui, buf, Rect { height: 1, ..area }, stage, state);
    let body = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if ui.room.tiny() {
        table(ui, buf, body, stage, state);
    } else if ui.room.narrow() {
        let strip = 5.min(body.height / 3);
        table(
            ui,
            buf,
            Rect {
                height: body.height - strip,
                ..body
            },
            stage,
            state,
        );
        let below = Rect {
            y: body.bottom() - strip,
            height: strip,
            ..body
        };
        strip_preview(ui, buf, below, stage, state);
    } else {
        let aside = match ui.room.w {
            160.. => body.width * 2 / 5,
            120.. => 40,
            _ => 36,
        };
        table(
            ui,
            buf,
            Rect {
                width: body.width - aside,
                ..body
            },
            stage,
            state,
        );
        let beside = Rect {
            x: body.right() - aside,
            width: aside,
            ..body
        };
        preview(ui, buf, beside, stage, state);
    }
}

/// Stage, filter (typed or in force), how many match, order.
fn top_line(ui: &Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = &ui.st;
    let queue = state.queues.get(&stage);
    let title = fit(state.stage_title(stage), 24);
    let mut left = Line::from(vec![
        Span::raw(" "),
        Span::styled(title, st.strong),
        Span::styled("   filter ", st.dim),
    ]);
    match &ui.queue.typing {
        Some((line, _)) => {
            let (before, under, after) = line.parts();
            let under = if under.is_empty() { " " } else { under };
            left.spans.extend([
                Span::raw(before.to_owned()),
                Span::styled(under.to_owned(), st.text.add_modifier(Modifier::REVERSED)),
                Span::raw(after.to_owned()),
            ]);
        }
        None => match queue
            .map(|q| q.filter_text.as_str())
            .filter(|t| !t.is_empty())
        {
            Some(text) => left.push_span(Span::styled(clean(text).into_owned(), st.accent)),
            None => left.push_span(Span::styled("none (/)", st.dim)),
        },
    }
    let right = match queue {
        Some(q) if q.filter_error.is_some() => {
            let error = q.filter_error.as_deref().unwrap_or_default();
            Line::styled(
                format!("✗ {} ", fit(error, usize::from(area.width) / 2)),
                st.bad,
            )
        }
        Some(q) => {
            let marks = if q.marks.is_empty() {
                String::new()
            } else {
                format!("{} marked · ", number(q.marks.len() as u64))
            };
            let shown = if q.filter.is_empty() {
                number(q.rows.len() as u64)
            } else {
                format!(
                    "{} of {}",
                    number(q.view.len() as u64),
                    number(q.rows.len() as u64)
                )
            };
            let sort = if ui.room.tiny() {
                String::new()
            } else {
                format!(" · sort: {}", q.sort.word())
            };
            Line::from(vec![
                Span::styled(marks, st.accent),
                Span::raw(shown),
                Span::styled(format!("{sort} "), st.dim),
            ])
        }
        None => Line::default(),
    };
    crate::widgets::split_line(buf, area, 0, &left, &right);
}

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
}

fn table(ui: &mut Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = ui.st;
    let Some(queue) = state.queues.get(&stage) else {
        let inner = pane(buf, area, "Tasks", "", true, &st);
        lines(
            buf,
            inner,
            &[Line::default(), Line::from("  Not listed yet. R lists it.")],
            0,
        );
        return;
    };
    let loaded = match (queue.loading, queue.loaded) {
        (true, _) => "listing…".to_owned(),
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

fn table_row<'a>(
    task: &TaskRow,
    queue: &Queue,
    state: &State,
    here: bool,
    c: &Columns,
    st: &crate::theme::Styles,
) -> Line<'a> {
    let marked = queue.marks.contains(&task.id);
    let mut line = Line::from(vec![
        Span::styled(if here { "▌" } else { " " }, st.accent),
        Span::styled(if marked { "● " } else { "  " }, st.key),
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

fn result_mark(
    result: &LastResult,
    held: bool,
    st: &crate::theme::Styles,
) -> (&'static str, ratatui::style::Style) {
    match (result.failed, held) {
        (true, _) => ("✗", st.bad),
        (false, true) => ("○", st.good),
        (false, false) => ("✓", st.good),
    }
}

/// `+4 ~1 -0`; blank when no label changes.
pub fn labels_word((added, changed, removed): (usize, usize, usize)) -> String {
    if added + changed + removed == 0 {
        return String::new();
    }
    format!("+{added} ~{changed} -{removed}")
}

fn empty(buf: &mut Buffer, area: Rect, queue: &Queue, stage: StageId, state: &State, ui: &Ui) {
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
        all.push(Line::from(vec![
            Span::raw("  "),
            Span::styled("R", st.key),
            Span::raw(" looks again   "),
            Span::styled("esc", st.key),
            Span::raw(" back to the workflow"),
        ]));
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
                "  The last filter that could be read is in force.",
                st.dim,
            ));
        }
        all.push(Line::default());
        all.push(Line::from(vec![
            Span::raw("  "),
            Span::styled("/", st.key),
            Span::raw(" changes the filter   "),
            Span::styled("esc", st.key),
            Span::raw(" clears it"),
        ]));
    }
    lines(buf, area, &all, 0);
}

fn result_lines<'a>(row: &TaskRow, state: &State, columns: usize, ui: &Ui) -> Vec<Line<'a>> {
    let st = &ui.st;
    let Some(result) = state.results.get(&row.id) else {
        return vec![
            Line::styled("Not run here yet.", st.dim),
            Line::from(vec![
                Span::styled("s", st.key),
                Span::raw(" steps it, nothing is written"),
            ]),
        ];
    };
    let held = state.held.contains_key(&row.id);
    let (mark, style) = result_mark(result, held, st);
    let mut all: Vec<Line<'_>> = crate::text::wrap(&format!("{mark} {}", result.text), columns)
        .into_iter()
        .take(5)
        .map(|t| Line::styled(t, style))
        .collect();
    let labels = labels_word(result.labels);
    let labels = if labels.is_empty() {
        "labels unchanged".into()
    } else {
        format!("labels {labels}")
    };
    all.push(Line::styled(
        format!(
            "build {} · {} · {}",
            result.build,
            duration(result.ms),
            crate::chrome::ago(state.now.since(result.at))
        ),
        st.dim,
    ));
    all.push(Line::from(labels));
    all.push(match (result.failed, held) {
        (true, _) if result.text.contains("stays") => Line::default(),
        (true, _) => Line::styled("The task stays where it is.", st.dim),
        (_, true) => Line::styled("Held for review (v); not written.", st.dim),
        (_, false) => Line::styled("Not held: nothing would be written.", st.dim),
    });
    all
}

fn preview(ui: &mut Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = ui.st;
    let place = ui.queue.place(stage);
    let Some(row) = state.queues.get(&stage).and_then(|q| q.at(place)) else {
        pane(buf, area, "Preview", "", false, &st);
        return;
    };
    let result_h = 12.min(area.height / 2);
    let above = Rect {
        height: area.height - result_h,
        ..area
    };
    let below = Rect {
        y: above.bottom(),
        height: result_h,
        ..area
    };
    let picture = ui.queue.shows_picture(ui.room);
    let inner = pane(
        buf,
        above,
        &fit_middle(&row.title, usize::from(area.width).saturating_sub(6)),
        "",
        false,
        &st,
    );
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    let value = |name: &str, text: String| field(&st, name, fit(&text, columns.saturating_sub(10)));
    let mut all = vec![
        value("status", row.status.wire().to_lowercase()),
        value(
            "assignee",
            row.assignee.as_deref().unwrap_or("nobody").to_owned(),
        ),
        value("branch", row.branch.to_string()),
        value("changed", crate::chrome::ago(state.now.since(row.updated))),
        value("created", crate::chrome::ago(state.now.since(row.created))),
        field(
            &st,
            "task",
            fit_middle(&row.id.to_string(), columns.saturating_sub(10)),
        ),
        field(
            &st,
            "data",
            fit_middle(&row.data.to_string(), columns.saturating_sub(10)),
        ),
    ];
    if !picture {
        all.push(Line::default());
        all.push(Line::from(vec![
            Span::styled("i", st.key),
            Span::raw(" shows the picture"),
        ]));
    }
    lines(buf, room, &all, 0);
    if picture {
        let used = u16::try_from(all.len() + 1).unwrap_or(0);
        let image = Rect {
            y: room.y + used,
            height: room.height.saturating_sub(used),
            ..room
        };
        ui.shelf.draw(buf, image, row.id, &[], &st);
    }
    let inner = pane(buf, below, "Last result", "", false, &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let all = result_lines(row, state, usize::from(room.width), ui);
    lines(buf, room, &all, 0);
}

/// Three lines about the task under the cursor, for narrow screens.
fn strip_preview(ui: &Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = &ui.st;
    let place = ui.queue.place(stage);
    let Some(row) = state.queues.get(&stage).and_then(|q| q.at(place)) else {
        pane(buf, area, "Preview", "", false, st);
        return;
    };
    let inner = pane(
        buf,
        area,
        &fit_middle(&row.title, 50),
        "enter: step it",
        false,
        st,
    );
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let about = format!(
        "task {} · {} · {}",
        &row.id.to_string()[..8],
        row.assignee.as_deref().unwrap_or("nobody"),
        row.branch
    );
    let mut all = vec![Line::styled(fit(&about, usize::from(room.width)), st.dim)];
    let result = result_lines(row, state, usize::from(room.width), ui);
    all.extend(result);
    lines(buf, room, &all, 0);
}
