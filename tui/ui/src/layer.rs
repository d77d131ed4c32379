//! Layers: each screen and each overlay is one. The topmost gets keys, clicks and pasted text first; for
//! what it does not handle, the table of actions applies.

use crate::actions::{Action, Hints, OverOverlay, Scope};
use crate::frames::dim;
use crate::overlays::moved;
use crate::panes::PaneName;
use crate::{Ui, outside};
use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::code_place::CodePlace;
use wb_core::command::Command;
use wb_core::ids::DataHash;
use wb_core::state::State;
use wb_core::work::TaskRow;

/// Lines that one notch of the wheel scrolls.
pub const WHEEL: usize = 3;

/// What a layer did with an action.
pub enum Handled {
    /// Not handled: the table of actions applies.
    No,
    /// Done; the layer stays open.
    Stay(Vec<Command>),
    /// Done; the layer is closed.
    Close(Vec<Command>),
    /// Done; all overlays are closed.
    CloseAll(Vec<Command>),
}

impl Handled {
    /// Done, without a command.
    pub const fn done() -> Self {
        Self::Stay(Vec::new())
    }
}

/// A screen or an overlay. While one of its methods runs it is off the stack, so that it may change
/// the [`Ui`].
pub trait Layer {
    /// What its panes are kept under.
    fn kind(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Which keys work, besides those of lists and global ones.
    fn scope(&self) -> Scope;

    /// The action that opens this overlay: while it is open, the same action closes it.
    fn opened_by(&self) -> Option<Action> {
        None
    }

    /// Whether what it shows no longer holds: it closes by itself.
    fn is_over(&self, _state: &State) -> bool {
        false
    }

    /// Whether letters are typed into a line.
    fn typing(&self, _ui: &Ui) -> bool {
        false
    }

    /// A key while letters are typed; [`Handled::No`] when it does not edit the line.
    fn on_text(&mut self, _key: &KeyEvent, _ui: &mut Ui, _state: &State) -> Handled {
        Handled::No
    }

    /// An action that is enabled.
    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled;

    /// Rows that one notch of the wheel moves its cursor.
    fn wheel_rows(&self, _ui: &Ui) -> usize {
        WHEEL
    }

    /// A click on a row of its list; whether a double click opens that row.
    fn on_click(&mut self, _row: usize, _ui: &mut Ui, _state: &State) -> bool {
        false
    }

    /// Its content in lines, for linear mode; rows that can be chosen are numbered from 1. `None`: the text of its
    /// drawing.
    fn lines(&mut self, _ui: &mut Ui, _state: &State) -> Option<Vec<String>> {
        None
    }

    /// Chooses a row of its list by its place; `None` when there is no such row.
    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Option<Vec<Command>> {
        self.on_click(row, ui, state);
        Some(Vec::new())
    }

    /// Whether what is typed only narrows a list, of which a row is chosen then.
    fn picks(&self) -> bool {
        false
    }

    /// Pasted text; it never answers a question.
    fn on_paste(&mut self, _text: &str, _ui: &mut Ui, _state: &State) -> Vec<Command> {
        Vec::new()
    }

    /// Actions to hint at, the most useful first.
    fn hints(&self, ui: &Ui, state: &State) -> Hints;

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State);

    /// The value under the cursor: its name and its text.
    fn value(&self, _ui: &Ui, _state: &State) -> Option<(String, String)> {
        None
    }

    /// The arguments of `workbench` that do the same in a shell.
    fn shell_command(&self, _ui: &Ui, _state: &State) -> Option<Vec<String>> {
        None
    }

    /// Tasks of the selected stage whose label rows it shows something of, as far as they were not read.
    fn unread_rows(&self, _ui: &Ui, _state: &State) -> Vec<TaskRow> {
        Vec::new()
    }

    /// The line of code that the cursor is on: of an error, or of the agent.
    fn code_place(&self, ui: &Ui, state: &State) -> Option<CodePlace> {
        outside::agent_place(ui.stage, state)
    }

    /// The data unit that the cursor is on.
    fn data(&self, _ui: &Ui, _state: &State) -> Option<DataHash> {
        None
    }
}

impl Ui {
    /// Reads the topmost layer.
    pub(crate) fn top<R>(&self, read: impl FnOnce(&dyn Layer) -> R) -> R {
        match self.overlays.last() {
            Some(layer) => read(&**layer),
            None => read(&*self.screen.layer()),
        }
    }

    /// Takes the topmost layer off the stack, lets it work, and puts it back below what it opened.
    pub(crate) fn with_top<R>(&mut self, work: impl FnOnce(&mut dyn Layer, &mut Self) -> R) -> R {
        let Some(mut layer) = self.overlays.pop() else {
            return self.acting(&mut *self.screen.layer(), work);
        };
        let place = self.overlays.len();
        let result = self.acting(&mut *layer, work);
        self.overlays.insert(place.min(self.overlays.len()), layer);
        result
    }

    /// Lets a layer that is off the stack work; panes are its own meanwhile.
    fn acting<R>(
        &mut self,
        layer: &mut dyn Layer,
        work: impl FnOnce(&mut dyn Layer, &mut Self) -> R,
    ) -> R {
        let before = self.panes.act(Some(layer.kind()));
        let result = work(layer, self);
        self.panes.act(before);
        result
    }

    /// Scrolls the pane that keys act in, this many times; whether its lines scroll.
    fn scroll_pane(&mut self, action: Action, times: usize) -> bool {
        let step = |skipped, page, tail| {
            // Lines that are left out at the end grow when it goes up.
            let action = if tail { action.mirrored() } else { action };
            (0..times).fold(skipped, |skipped, _| moved(skipped, action, page))
        };
        action.scrolls() && self.scroll_lines(step)
    }

    /// One notch of the wheel over a pane of the topmost layer, or over none: `action` is up or down.
    pub(crate) fn wheel(
        &mut self,
        pane: Option<PaneName>,
        action: Action,
        state: &State,
    ) -> Vec<Command> {
        let pane = pane.unwrap_or_else(|| self.focus());
        let turn = |layer: &mut dyn Layer, ui: &mut Self| {
            if ui.scroll_pane(action, WHEEL) {
                return Vec::new();
            }
            let mut all = Vec::new();
            for _ in 0..layer.wheel_rows(ui) {
                if let Handled::Stay(commands) = layer.on(action, ui, state) {
                    all.extend(commands);
                }
            }
            all
        };
        self.with_top(|layer, ui| ui.aiming(pane, |ui| turn(layer, ui)))
    }

    /// A key that was pressed or repeated, by its name in the keymap.
    pub(crate) fn key(&mut self, key: &KeyEvent, name: &str, state: &State) -> Vec<Command> {
        // These two work whatever is open and whatever the keymap has.
        if let "Ctrl-c" | "Ctrl-z" = name {
            let quits = name == "Ctrl-c";
            return self.dispatch(if quits { Action::Quit } else { Action::Suspend }, state);
        }
        if self.types_search() && self.search_key(key) {
            return Vec::new();
        }
        let typing = self.top(|layer| layer.typing(self));
        if typing {
            let place = self.overlays.len();
            let handled = self.with_top(|layer, ui| layer.on_text(key, ui, state));
            if !matches!(handled, Handled::No) {
                return self.settle(handled, place);
            }
        }
        let own = self.top(|layer| layer.scope());
        let scopes = [Scope::Search, own, Scope::List, Scope::Global];
        let scopes = &scopes[usize::from(!self.searches())..];
        let Some(action) = self.keymap.find(name, scopes) else {
            return Vec::new();
        };
        let once = action.row().once || (typing && action == Action::In);
        if once && key.kind == KeyEventKind::Repeat {
            return Vec::new();
        }
        self.dispatch(action, state)
    }

    /// Does an action: in the topmost layer, else as the table has it.
    pub(crate) fn dispatch(&mut self, action: Action, state: &State) -> Vec<Command> {
        if let Err(why) = action.enabled(self, state) {
            self.notice = Some(why.into_owned());
            return Vec::new();
        }
        let typing = self.top(|layer| layer.typing(self));
        if action == Action::Out && !typing && self.end_search() {
            return Vec::new();
        }
        if action == Action::Out && self.overlays.is_empty() && !typing && self.close_card() {
            return Vec::new();
        }
        if action == Action::Out && !typing && self.unzoom() {
            return Vec::new();
        }
        let place = self.overlays.len();
        let handled = self.with_top(|layer, ui| match layer.opened_by() == Some(action) {
            true => Handled::Close(Vec::new()),
            false => layer.on(action, ui, state),
        });
        if !matches!(handled, Handled::No) {
            return self.settle(handled, place);
        }
        if self.scroll_pane(action, 1) {
            return Vec::new();
        }
        let row = action.row();
        if !self.overlays.is_empty() {
            match row.over {
                OverOverlay::Closes => self.overlays.clear(),
                OverOverlay::Stays => {}
                OverOverlay::Ignored => {
                    if action == Action::Out {
                        self.overlays.pop();
                    }
                    return Vec::new();
                }
            }
        }
        (row.run)(self, state)
    }

    /// Closes what an action closed; `place` is how many overlays were open when it came.
    fn settle(&mut self, handled: Handled, place: usize) -> Vec<Command> {
        match handled {
            Handled::No => Vec::new(),
            Handled::Stay(commands) => commands,
            Handled::Close(commands) => {
                if let Some(last) = place.checked_sub(1).filter(|p| *p < self.overlays.len()) {
                    self.overlays.remove(last);
                }
                commands
            }
            Handled::CloseAll(commands) => {
                self.overlays.drain(..place.min(self.overlays.len()));
                commands
            }
        }
    }

    /// Draws the screen and what is open above it, the topmost last.
    pub(crate) fn draw_layers(&mut self, buf: &mut Buffer, area: Rect, state: &State) {
        if state.project.is_none() {
            crate::screens::welcome(self, buf, area, state);
        } else {
            let bright = self.overlays.is_empty();
            self.draw_layer(&mut *self.screen.layer(), buf, area, state, bright);
        }
        let mut all = std::mem::take(&mut self.overlays);
        let count = all.len();
        for (place, layer) in all.iter_mut().enumerate() {
            // Clicks below an overlay do nothing.
            self.hits.clear();
            self.pictures.next_layer();
            self.reading.next_layer();
            self.links.clear();
            dim(buf, area, &self.st);
            self.draw_layer(&mut **layer, buf, area, state, place + 1 == count);
        }
        self.overlays = all;
    }

    /// Draws the topmost layer alone.
    pub(crate) fn draw_top(&mut self, buf: &mut Buffer, area: Rect, state: &State) {
        self.with_top(|layer, ui| ui.draw_layer(layer, buf, area, state, true));
    }

    /// Draws a layer, with a bright frame around the pane that keys act in.
    fn draw_layer(
        &mut self,
        layer: &mut dyn Layer,
        buf: &mut Buffer,
        area: Rect,
        state: &State,
        bright: bool,
    ) {
        self.acting(layer, |layer, ui| {
            ui.panes.begin(area);
            layer.draw(ui, buf, area, state);
            if ui.panes.ends_zoom() {
                ui.panes.begin(area);
                layer.draw(ui, buf, area, state);
            }
            if bright {
                ui.brighten_focus(buf);
            }
        });
    }
}
