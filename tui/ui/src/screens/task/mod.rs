//! Task: the timeline of one task at the left, what an event holds at the right, the next key in
//! words below. What the events are is left to [`super::timeline`].

use super::timeline::{self, Mark, Row, What};
use crate::text::{clean, duration, fit, left, right, width};
use crate::theme::Styles;
use crate::widgets::{lines, pane, scroll_to, scrollbar, shade};
use crate::{Hit, PictureWish, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use wb_core::command::Verb;
use wb_core::state::State;
use wb_core::step::Stepper;

mod around;
mod read;
mod tabs;

use around::{next_line, no_task, top_line};
use read::{Read, read};
use tabs::{json_lines, labels, value};

pub use tabs::{error_lines, log_lines, patch};

/// The tabs at the right.
pub const TABS: [&str; 5] = ["Value", "Labels±", "Image", "Logs", "JSON"];

/// Place of the picture among them.
pub const IMAGE_TAB: usize = 2;

/// Cursor, tab, scroll, and what was read from the JSON of the task in sight.
#[derive(Default)]
pub struct Pane {
    tab: usize,
    /// The chosen event; `None` follows the newest.
    pub event: Option<usize>,
    scroll: usize,
    step: u64,
    read: Read,
}

impl Pane {
    pub fn select_tab(&mut self, tab: usize) {
        self.tab = tab.min(TABS.len() - 1);
        self.scroll = 0;
    }

    /// The picture, or what stood there before.
    pub fn turn_image(&mut self) {
        let tab = if self.tab == IMAGE_TAB { 0 } else { IMAGE_TAB };
        self.select_tab(tab);
    }

    pub fn turn_tab(&mut self, forward: bool) {
        let n = TABS.len();
        self.select_tab((self.tab + if forward { 1 } else { n - 1 }) % n);
    }

    /// A new task begins at its newest event; changed inputs and outcomes are read again.
    pub fn follow(&mut self, state: &State) {
        let Some(step) = &state.step else { return };
        if step.id != self.step {
            *self = Self {
                step: step.id,
                tab: self.tab,
                ..Self::default()
            };
        }
        let inputs = step.inputs.as_ref().map(|i| Arc::as_ptr(i) as usize);
        let outcome = match &step.result {
            Some(Ok(o)) => Some(Arc::as_ptr(o) as usize),
            _ => None,
        };
        if self.read.inputs != inputs || self.read.outcome != outcome {
            self.read = read(step);
            self.read.inputs = inputs;
            self.read.outcome = outcome;
        }
    }

    pub fn move_cursor(&mut self, verb: Verb, state: &State) {
        let Some(step) = &state.step else { return };
        let rows = timeline::rows(step, state);
        let last = rows.len().saturating_sub(1);
        let at = self.event.unwrap_or_else(|| newest(&rows)).min(last);
        match verb {
            Verb::Left => self.event = Some(at.saturating_sub(1)),
            Verb::Right => self.event = Some((at + 1).min(last)),
            Verb::Up => self.scroll = self.scroll.saturating_sub(1),
            Verb::Down => self.scroll += 1,
            Verb::PageUp => self.scroll = self.scroll.saturating_sub(10),
            Verb::PageDown => self.scroll += 10,
            Verb::Top => self.scroll = 0,
            Verb::Bottom => self.scroll = usize::MAX / 2,
            _ => {}
        }
        if matches!(verb, Verb::Left | Verb::Right) {
            self.scroll = 0;
            self.tab = if self.tab == IMAGE_TAB { self.tab } else { 0 };
        }
    }
}

/// What the tab in sight holds, its name and its text in full width; a picture is none.
pub fn shown_text(ui: &Ui, state: &State) -> Option<(String, String)> {
    const WIDE: usize = 2000;
    let step = state.step.as_ref()?;
    let all = match ui.task.tab {
        IMAGE_TAB => return None,
        0 => {
            let rows = timeline::rows(step, state);
            let newest = newest(&rows);
            let at = ui.task.event.unwrap_or(newest).min(rows.len() - 1);
            value(ui, step, &rows[at], state, WIDE)
        }
        1 => labels(step, state, WIDE, &ui.st),
        3 => log_lines(&step.log, WIDE, ui.utc_offset_s, &ui.st),
        _ => return Some(("the JSON".into(), ui.task.read.json.join("\n"))),
    };
    let text = all
        .iter()
        .map(|line| line.to_string().trim_end().to_owned());
    let text: Vec<String> = text.collect();
    let name = TABS[ui.task.tab].trim_end_matches('±').to_lowercase();
    Some((format!("the {name}"), text.join("\n")))
}

/// The last event that is not still to come.
fn newest(rows: &[Row]) -> usize {
    rows.iter().rposition(|r| r.mark != Mark::Todo).unwrap_or(0)
}

/// The picture of the task being stepped: the file its agent is given.
pub fn picture_wish(ui: &Ui, state: &State) -> Option<PictureWish> {
    let step = state
        .step
        .as_ref()
        .filter(|_| ui.task.tab == IMAGE_TAB || ui.room.wide())?;
    let path = ui
        .task
        .read
        .asset
        .as_ref()
        .and_then(|a| a.get("path"))
        .and_then(Value::as_str);
    Some(PictureWish {
        task: step.row.id,
        data: step.row.data,
        path: path.map(PathBuf::from),
    })
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let Some(step) = &state.step else {
        no_task(buf, area, state, &st);
        return;
    };
    top_line(buf, Rect { height: 1, ..area }, step, state, ui);
    let next_h = if ui.room.tiny() { 1 } else { 3 };
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1 + next_h),
        ..area
    };
    let below = Rect {
        y: body.bottom(),
        height: next_h,
        ..area
    };
    next_line(buf, below, step, state, &st);
    let rows = timeline::rows(step, state);
    let at = ui
        .task
        .event
        .unwrap_or_else(|| newest(&rows))
        .min(rows.len() - 1);
    let left_w = match ui.room.w {
        160.. => 52,
        100.. => 46,
        80.. => 38,
        _ => body.width,
    };
    let (first, second) = if ui.room.tiny() {
        let h = body.height / 2;
        (
            Rect { height: h, ..body },
            Rect {
                y: body.y + h,
                height: body.height - h,
                ..body
            },
        )
    } else {
        (
            Rect {
                width: left_w,
                ..body
            },
            Rect {
                x: body.x + left_w,
                width: body.width - left_w,
                ..body
            },
        )
    };
    let right_w = if ui.room.wide() { second.width / 2 } else { 0 };
    draw_timeline(ui, buf, first, step, &rows, at);
    let tabs = Rect {
        width: second.width - right_w,
        ..second
    };
    draw_tab(ui, buf, tabs, step, &rows, at, state);
    if right_w > 0 {
        let beside = Rect {
            x: tabs.right(),
            width: right_w,
            ..second
        };
        let inner = pane(buf, beside, "Image", picture_key(), false, &st);
        let marks = ui.task.read.marks.clone();
        ui.shelf.draw(buf, inner, step.row.id, &marks, &st);
    }
}

const fn picture_key() -> &'static str {
    "+ added  ~ changed  - removed  white: as it was"
}

fn mark_style(mark: Mark, st: &Styles) -> ratatui::style::Style {
    match mark {
        Mark::Done => st.good,
        Mark::Now => st.key,
        Mark::Todo => st.dim,
        Mark::Bad => st.bad,
    }
}

fn draw_timeline(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    step: &Stepper,
    rows: &[Row],
    at: usize,
) {
    let st = ui.st;
    // What happens inside the agent is part of its call.
    let fetched: f64 = rows
        .iter()
        .filter(|r| matches!(r.what, What::Input(_)))
        .filter_map(|r| r.ms)
        .sum();
    #[allow(clippy::cast_precision_loss)] // milliseconds for a person
    let total = fetched + step.run_us as f64 / 1000.0;
    let total = if total > 0.0 {
        duration(total)
    } else {
        String::new()
    };
    let inner = pane(buf, area, "Timeline", &total, true, &st);
    let count = usize::from(inner.height);
    let top = scroll_to(0, at, count, rows.len());
    let columns = usize::from(inner.width);
    let longest = rows.iter().map(|r| width(&r.name)).max().unwrap_or(8);
    let name_w = longest.min(columns.saturating_sub(20)).max(12);
    for (row, event) in rows.iter().enumerate().skip(top).take(count) {
        let y = u16::try_from(row - top).unwrap_or(0);
        let ms = event.ms.map_or_else(String::new, duration);
        let note_w = columns.saturating_sub(name_w + 14);
        let style = mark_style(event.mark, &st);
        let line = Line::from(vec![
            Span::styled(format!(" {} ", event.mark.sign()), style),
            Span::styled(
                left(&event.name, name_w),
                if event.mark == Mark::Todo {
                    st.dim
                } else {
                    st.text
                },
            ),
            Span::styled(right(&ms, 8), st.dim),
            Span::raw(format!("  {}", fit(&event.note, note_w))),
        ]);
        crate::widgets::line(buf, inner, y, &line);
        if row == at {
            shade(buf, inner, y, st.selected);
        }
    }
    ui.hits.push((inner, Hit::Rows(top)));
    if let Some((build, text, labels)) = &step.earlier {
        let y = inner.height.saturating_sub(1);
        if rows.len() < count {
            let text = format!(
                " build {build} gave: {}  {}",
                clean(text),
                super::queue::labels_word(*labels)
            );
            crate::widgets::line(buf, inner, y, &Line::styled(fit(&text, columns), st.dim));
        }
    }
}

fn draw_tab(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    step: &Stepper,
    rows: &[Row],
    at: usize,
    state: &State,
) {
    let st = ui.st;
    let inner = pane(buf, area, "", "", false, &st);
    let tab = ui.task.tab;
    let mut x = area.x + 2;
    for (i, name) in TABS.iter().enumerate() {
        let text = if i == tab {
            format!("[{name}]")
        } else {
            format!(" {name} ")
        };
        let w = u16::try_from(width(&text)).unwrap_or(0);
        if x + w + 1 >= area.right() {
            break;
        }
        buf.set_string(x, area.y, &text, if i == tab { st.strong } else { st.dim });
        ui.hits.push((Rect::new(x, area.y, w, 1), Hit::Tab(i)));
        x += w;
    }
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    if tab == IMAGE_TAB {
        let marks = ui.task.read.marks.clone();
        let picture = Rect {
            height: room.height.saturating_sub(1),
            ..room
        };
        ui.shelf.draw(buf, picture, step.row.id, &marks, &st);
        let line = Line::styled(picture_key(), st.dim);
        crate::widgets::line(buf, room, room.height.saturating_sub(1), &line);
        return;
    }
    let rows_here = usize::from(room.height);
    let all = match tab {
        0 => value(ui, step, &rows[at], state, columns),
        1 => labels(step, state, columns, &st),
        3 => log_lines(&step.log, columns, ui.utc_offset_s, &st),
        _ => json_lines(ui, columns, rows_here),
    };
    let count = if tab == 4 {
        ui.task.read.json.len()
    } else {
        all.len()
    };
    let top = ui.task.scroll.min(count.saturating_sub(rows_here));
    ui.task.scroll = top;
    // JSON lines are made for the rows in sight only.
    lines(buf, room, &all, if tab == 4 { 0 } else { top });
    scrollbar(buf, inner, top, rows_here, count, &st);
}
