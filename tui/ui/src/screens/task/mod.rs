//! Task: the timeline of one task at the left, what an event holds at the right, the next key in
//! words below. What the events are is left to [`super::timeline`].

use super::timeline::{self, Mark, Row, What};
use crate::actions::Action;
use crate::overlays::moved;
use crate::panes::PaneName;
use crate::picture::{Beside, LEGEND, Look, Subject, side_word};
use crate::reading::PageView;
use crate::text::{clean, duration, fit, left, right, width};
use crate::theme::Styles;
use crate::widgets::{lines, list, padded};
use crate::{Hit, Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use std::sync::Arc;
use wb_core::state::State;
use wb_core::step::Stepper;

mod around;
mod checks;
mod history;
mod layer;
mod lines;
mod log;
mod page;
mod place;
mod points;
mod read;
mod tabs;

use around::{next_line, no_task, top_line};
use page::{move_in_tab, page};
use read::{Read, read};

pub use checks::patch;
pub use log::{log_line, log_lines, log_note};
pub use page::shown_text;
pub use tabs::error_lines;

pub use layer::Task;
pub use lines::{event_text, next_text, outcome_lines};
pub use points::{chosen_event, chosen_number, chosen_place};

/// The tabs at the right.
pub const TABS: [&str; 6] = ["Value", "Labels±", "Image", "Logs", "JSON", "History"];

/// Place of the picture among them.
pub const IMAGE_TAB: usize = 2;

/// Cursor, tab, scroll, and what was read from the JSON of the task in sight.
#[derive(Default)]
pub struct TaskCursor {
    tab: usize,
    /// The chosen event; `None` follows the newest.
    pub event: Option<usize>,
    /// Where the text of each tab stands.
    views: [PageView; TABS.len()],
    /// Columns of the tab in the newest frame.
    columns: usize,
    /// The event whose value is in sight.
    shown: usize,
    side: Beside,
    step: u64,
    read: Read,
}

impl TaskCursor {
    pub fn select_tab(&mut self, tab: usize) {
        self.tab = tab.min(TABS.len() - 1);
    }

    /// The picture with its next side: in its own tab, where there is no room beside the others.
    pub fn turn_image(&mut self, has_room: bool, room: Room) {
        if has_room {
            self.side.turn(self.side.shown(room));
            return;
        }
        if self.tab != IMAGE_TAB {
            self.select_tab(IMAGE_TAB);
        } else {
            self.side.turn(Some(self.side.side()));
            if self.side.shown(room).is_none() {
                self.side = Beside::default();
                self.select_tab(0);
            }
        }
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
                side: self.side,
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
        let rows = timeline::rows(step, state);
        let at = self.at(step, &rows);
        if at != self.shown {
            self.shown = at;
            self.views[0] = PageView::default();
        }
        self.read.choose(place::value(step, rows.get(at)));
        self.read.go_on();
    }

    /// The chosen event among these.
    fn at(&self, step: &Stepper, rows: &[Row]) -> usize {
        let at = self.event.unwrap_or_else(|| timeline::newest(step, rows));
        at.min(rows.len().saturating_sub(1))
    }

    /// Whether a document in sight is read on with the next frame.
    pub fn is_unread(&self) -> bool {
        self.read.is_unread()
    }

    /// Chooses another event, with its value.
    pub fn move_cursor(&mut self, action: Action, page: usize, state: &State) {
        let Some(step) = &state.step else { return };
        let rows = timeline::rows(step, state);
        let last = rows.len().saturating_sub(1);
        let action = match action {
            Action::Left => Action::Up,
            Action::Right => Action::Down,
            other => other,
        };
        self.event = Some(moved(self.at(step, &rows), action, page).min(last));
        self.tab = if self.tab == IMAGE_TAB { self.tab } else { 0 };
    }
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(step) = &state.step else {
        no_task(ui, buf, area, state);
        return;
    };
    let next_h = if ui.room.tiny() { 1 } else { 3 };
    let [top, body, below] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(next_h),
    ])
    .areas(area);
    let title = top_line(buf, top, step, state, ui);
    ui.link_page(title, step.row.data, state);
    ui.panes.set_whole(body.union(below));
    next_line(ui, buf, below, step, state);
    let side = ui.task.side.shown(ui.room);
    let side = side.filter(|_| ui.task.tab != IMAGE_TAB && has_room_beside(ui, state));
    let timeline_w = Constraint::Length(match ui.room.w {
        160.. => 52,
        120.. if side.is_some() => 36,
        120.. => 50,
        100.. => 46,
        _ => 38,
    });
    let [left, right] = match ui.room.tiny() {
        true => Layout::vertical([Constraint::Fill(1); 2]).areas(body),
        false => Layout::horizontal([timeline_w, Constraint::Fill(1)]).areas(body),
    };
    let events = Events::new(ui, step, state);
    draw_timeline(ui, buf, left, step, &events, state);
    let Some(side) = side else {
        draw_tab(ui, buf, right, step, state);
        return;
    };
    let [tab, image] = Layout::horizontal([Constraint::Fill(1); 2]).areas(right);
    draw_tab(ui, buf, tab, step, state);
    ui.draw_side(buf, image, &subject(step), side);
}

/// Whether the picture stands beside the tabs: on wide screens always, else with the labels of an outcome.
pub fn has_room_beside(ui: &Ui, state: &State) -> bool {
    let step = state.step.as_ref();
    let outcome = step.is_some_and(|step| matches!(step.result, Some(Ok(_))));
    step.is_some() && (ui.room.wide() || outcome && ui.room.w >= 120 && !ui.room.narrow())
}

/// The events of the task and the chosen one.
struct Events {
    rows: Vec<Row>,
    at: usize,
}

impl Events {
    fn new(ui: &Ui, step: &Stepper, state: &State) -> Self {
        let rows = timeline::rows(step, state);
        let at = ui.task.at(step, &rows);
        Self { rows, at }
    }
}

fn subject(step: &Stepper) -> Subject<'_> {
    Subject {
        stage: step.stage,
        row: &step.row,
        inputs: step.inputs.as_ref(),
        earlier: None,
        outcome: step.result.as_ref().and_then(|result| result.as_ref().ok()),
        compared: false,
    }
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
    events: &Events,
    state: &State,
) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let st = ui.st;
    let took = took(step, &events.rows);
    let inner = ui.pane(buf, PaneName::Main, area, ("Timeline", &took));
    let rows = &events.rows;
    let columns = usize::from(inner.width);
    let longest = rows.iter().map(|r| width(&r.name)).max().unwrap_or(8);
    let name_w = longest.min(columns.saturating_sub(20)).max(12);
    list(ui, buf, inner, 0, (events.at, rows.len()), |_, place| {
        let point = rows[place].at.as_ref();
        let point = point.is_some_and(|at| state.point_at(step.stage, at).is_some());
        event_line(&rows[place], point, name_w, columns, &st)
    });
    points::draw(buf, inner, step, rows.len(), state, &st);
    let Some((build, text, labels)) = &step.earlier else {
        return;
    };
    if rows.len() < usize::from(inner.height) {
        let labels = super::queue::labels_word(*labels);
        let text = format!(" build {build} gave: {}  {labels}", clean(text));
        let line = Line::styled(fit(&text, columns), st.dim);
        crate::widgets::line(buf, inner, inner.height - 1, &line);
    }
}

/// How long fetching and the agent's call took; what happens inside the agent is part of its call.
fn took(step: &Stepper, rows: &[Row]) -> String {
    let fetched = rows.iter().filter(|r| matches!(r.what, What::Input(_)));
    let fetched: f64 = fetched.filter_map(|r| r.ms).sum();
    #[allow(clippy::cast_precision_loss)] // milliseconds for a person
    let total = fetched + step.run_us as f64 / 1000.0;
    match total > 0.0 {
        true => duration(total),
        false => String::new(),
    }
}

fn event_line<'a>(
    event: &Row,
    point: bool,
    name_w: usize,
    columns: usize,
    st: &Styles,
) -> Line<'a> {
    let ms = event.ms.map_or_else(String::new, duration);
    let note = fit(&event.note, columns.saturating_sub(name_w + 14));
    let name_style = if event.mark == Mark::Todo {
        st.dim
    } else {
        st.text
    };
    let mark = format!("{} ", event.mark.sign());
    let point = if point { "●" } else { " " };
    Line::from(vec![
        Span::styled(point, st.warn),
        Span::styled(mark, mark_style(event.mark, st)),
        Span::styled(left(&event.name, name_w), name_style),
        Span::styled(right(&ms, 8), st.dim),
        Span::raw(format!("  {note}")),
    ])
}

fn draw_tab(ui: &mut Ui, buf: &mut Buffer, area: Rect, step: &Stepper, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Details, area) else {
        return;
    };
    let st = ui.st;
    let inner = ui.pane(buf, PaneName::Details, area, ("", ""));
    draw_tab_names(ui, buf, area);
    let inner = failure_line(ui, buf, inner, step);
    let room = padded(inner);
    let tab = ui.task.tab;
    if tab == IMAGE_TAB {
        let [image, key] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(room);
        let side = ui.task.side.side();
        ui.pictures
            .draw(buf, image, &subject(step), Look::of(side), &st);
        let key_text = format!("{}: {LEGEND}", side_word(side));
        lines(buf, key, &[Line::styled(key_text, st.dim)], 0);
        return;
    }
    ui.task.columns = usize::from(room.width);
    let mut view = std::mem::take(&mut ui.task.views[tab]);
    let read = std::mem::take(&mut ui.task.read);
    let page = page(ui, &read, step, state, usize::from(room.width));
    view.draw(ui, buf, inner, PaneName::Details, &page);
    ui.task.read = read;
    ui.task.views[tab] = view;
}

/// What failed, above every tab that does not show the whole error; gives the room below.
fn failure_line(ui: &Ui, buf: &mut Buffer, inner: Rect, step: &Stepper) -> Rect {
    let Some(Err(error)) = step.result.as_ref().filter(|_| ui.task.tab != 0) else {
        return inner;
    };
    let [above, below] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    let room = padded(above);
    let text = fit(&format!("✗ {}", error.summary), usize::from(room.width));
    lines(buf, room, &[Line::styled(text, ui.st.bad)], 0);
    below
}

/// The names of the tabs on the upper border, the one in sight in brackets.
fn draw_tab_names(ui: &mut Ui, buf: &mut Buffer, area: Rect) {
    let mut x = area.x + 2;
    for (tab, name) in TABS.iter().enumerate() {
        let (text, style) = match tab == ui.task.tab {
            true => (format!("[{name}]"), ui.st.strong),
            false => (format!(" {name} "), ui.st.dim),
        };
        let w = u16::try_from(width(&text)).unwrap_or(0);
        if x + w + 1 >= area.right() {
            break;
        }
        buf.set_string(x, area.y, &text, style);
        ui.hits.push((Rect::new(x, area.y, w, 1), Hit::Tab(tab)));
        x += w;
    }
}
