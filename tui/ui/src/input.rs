//! Terminal events: finds the layer that each is for. What layers do with them is left to
//! [`crate::layer`].

use crate::actions::Action;
use crate::keys::name;
use crate::panes::PaneName;
use crate::{Hit, Screen, Ui};
use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;
use wb_core::command::Command;
use wb_core::state::State;

/// Milliseconds within which two clicks on one spot are a double click.
const TWICE_MS: u64 = 500;

impl Ui {
    /// Handles a terminal event; returns the resulting commands. Draw the screen again afterwards.
    pub fn on_event(&mut self, event: &Event, state: &State) -> Vec<Command> {
        self.follow(state);
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.on_key(key, state),
            Event::Mouse(mouse) => self.on_mouse(mouse, state),
            Event::Paste(text) if self.search_paste(text) => Vec::new(),
            Event::Paste(text) => self.with_top(|top, ui| top.on_paste(text, ui, state)),
            _ => Vec::new(),
        }
    }

    fn on_key(&mut self, key: &KeyEvent, state: &State) -> Vec<Command> {
        self.notice = None;
        self.end_selection();
        match name(key) {
            Some(name) => self.key(key, &name, state),
            None => Vec::new(),
        }
    }

    fn on_mouse(&mut self, mouse: &MouseEvent, state: &State) -> Vec<Command> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.focus_at(at);
                self.press_at(at);
                let hit = self
                    .hits
                    .iter()
                    .rev()
                    .find(|(area, _)| area.contains(at))
                    .copied();
                let Some((area, hit)) = hit else {
                    return Vec::new();
                };
                let before = self.clicked.replace((at, state.now));
                let twice = before.is_some_and(|(p, t)| p == at && state.now.since(t) <= TWICE_MS);
                if twice {
                    // A third click begins another pair.
                    self.clicked = None;
                }
                self.click(hit, usize::from(mouse.row - area.y), twice, state)
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                self.drag_to(at);
                Vec::new()
            }
            MouseEventKind::Up(MouseButton::Left) => {
                self.release();
                Vec::new()
            }
            MouseEventKind::ScrollDown => self.wheel(self.name_at(at), Action::Down, state),
            MouseEventKind::ScrollUp => self.wheel(self.name_at(at), Action::Up, state),
            _ => Vec::new(),
        }
    }

    fn name_at(&self, at: Position) -> Option<PaneName> {
        self.pane_at(at).map(|pane| pane.name)
    }

    /// A click gives the pane under it the focus.
    fn focus_at(&mut self, at: Position) {
        if let Some(name) = self.name_at(at).filter(|name| *name != PaneName::Still) {
            self.set_focus(name);
        }
    }

    /// Whether the mouse is left to the terminal, which selects text with it.
    #[must_use]
    pub const fn mouse_off(&self) -> bool {
        self.mouse_off
    }

    /// Leaves the mouse to the terminal, or takes it.
    pub const fn set_mouse_off(&mut self, off: bool) {
        self.mouse_off = off;
    }

    /// A click selects, a double click opens.
    fn click(&mut self, hit: Hit, row: usize, twice: bool, state: &State) -> Vec<Command> {
        self.notice = None;
        if let Hit::Rows(top) = hit {
            let row = top + row;
            let (opens, mut all) = self.with_top(|layer, ui| {
                let opens = layer.on_click(row, ui, state);
                (opens, layer.choose(row, ui, state).unwrap_or_default())
            });
            if opens && twice {
                all.extend(self.dispatch(Action::In, state));
            }
            return all;
        }
        if !self.overlays.is_empty() {
            return Vec::new();
        }
        match hit {
            Hit::Rows(_) => Vec::new(),
            Hit::Runs(action) => self.dispatch(action, state),
            Hit::Sort(sort) => self.sort_by(sort, state),
            Hit::Screen(screen) => self.go(screen),
            Hit::Stage(stage) => {
                self.stage = Some(stage);
                if twice && self.screen == Screen::Flow {
                    return self.dispatch(Action::In, state);
                }
                Vec::new()
            }
            Hit::Tab(tab) => {
                self.task.select_tab(tab);
                Vec::new()
            }
        }
    }
}
