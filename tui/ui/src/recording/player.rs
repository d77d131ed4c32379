//! Plays the entries of a recording: the same state, the same screen, frame by frame. When an entry is due is left to the
//! binary.

use super::{RecordedEntry, RecordedScreen, RecordingHeader};
use crate::linear::Linear;
use crate::picture::{Graphics, Letters};
use crate::{Keymap, Theme, Ui, UiSettings};
use crossterm::event::Event as Input;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::state::State;

/// A session that is played.
pub struct Player {
    state: State,
    ui: Ui,
    linear: Option<Linear>,
    terminal: Terminal<TestBackend>,
    /// The size of every frame, whatever the recorded one was.
    fixed: Option<(u16, u16)>,
    theme: Theme,
}

/// What followed from an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Played {
    /// Nothing that is seen.
    Nothing,
    /// A frame was drawn; its buffer is [`Player::screen`].
    Frame,
    /// Lines were written, in linear mode.
    Lines(Vec<String>),
    /// Entries are missing here.
    Missing(u64),
    /// The session ended.
    End,
}

impl RecordedScreen {
    fn theme(&self) -> Theme {
        Theme::from_name(&self.theme).unwrap_or(Theme::Plain)
    }

    fn settings(&self) -> UiSettings {
        let mut styles = self.theme().styles();
        for (name, style) in &self.colours {
            // A style of another version is left out.
            let _ = styles.patch(name, style);
        }
        let set = self.key_set.as_deref().map(|set| (set, "the recording"));
        UiSettings {
            styles,
            utc_offset_s: self.utc_offset_s,
            unicode: self.unicode,
            graphics: graphics(self.letters),
            keymap: Keymap::new(set, &self.keys).0,
            linear: self.linear,
            seen_cards: self.seen_cards.clone(),
        }
    }
}

/// Whatever a file states: no terminal is larger.
fn within((w, h): (u16, u16)) -> (u16, u16) {
    (w.clamp(1, 1000), h.clamp(1, 1000))
}

fn graphics(letters: Option<Letters>) -> Graphics {
    letters.map_or(Graphics::Off, Graphics::Letters)
}

impl Player {
    /// The session at its start. Every frame has the recorded size, or this one.
    #[must_use]
    pub fn new(header: &RecordingHeader, fixed: Option<(u16, u16)>) -> Self {
        let (state, _) = State::start(header.options.clone(), header.started);
        let (w, h) = within(fixed.unwrap_or(header.screen.size));
        let Ok(terminal) = Terminal::new(TestBackend::new(w, h));
        Self {
            state,
            ui: Ui::new(header.screen.settings()),
            linear: header.screen.linear.then(Linear::new),
            terminal,
            fixed,
            theme: header.screen.theme(),
        }
    }

    /// Plays one entry. What the screen asked for then is not done again: its answer is among the entries.
    pub fn play(&mut self, entry: RecordedEntry) -> Played {
        match entry {
            RecordedEntry::Event(event) => drop(self.state.update(*event)),
            RecordedEntry::Input(input) => {
                drop(self.ui.on_event(&Input::from(input), &self.state));
                self.forget_requests();
            }
            RecordedEntry::Line(line) => {
                if let Some(linear) = &mut self.linear {
                    drop(linear.line(&line, &mut self.ui, &self.state));
                }
                self.forget_requests();
            }
            RecordedEntry::Frame(w, h) => {
                self.draw(self.fixed.unwrap_or((w, h)));
                return Played::Frame;
            }
            RecordedEntry::Lines(settled) => {
                let linear = self.linear.as_mut();
                let lines = linear.map(|l| l.take_lines(&mut self.ui, &self.state, settled));
                return Played::Lines(lines.unwrap_or_default());
            }
            RecordedEntry::Notice(text) => self.ui.notify(text),
            RecordedEntry::Stage(stage) => self.ui.select_stage(stage),
            RecordedEntry::View { folded, mouse_off } => {
                self.ui.fold_stages(folded);
                self.ui.set_mouse_off(mouse_off);
            }
            RecordedEntry::Letters(letters) => self.ui.set_graphics(graphics(letters)),
            RecordedEntry::Medium(task, medium) => self.ui.set_medium(task, medium.map(Into::into)),
            RecordedEntry::Shot(id, shot) => self.ui.set_picture(id, shot.map(Into::into)),
            RecordedEntry::Missing(count) => return Played::Missing(count),
            RecordedEntry::End => return Played::End,
        }
        Played::Nothing
    }

    /// What was copied or opened then is not copied or opened again.
    fn forget_requests(&mut self) {
        self.ui.take_copied();
        self.ui.take_outside();
        self.ui.take_seen_cards();
    }

    fn draw(&mut self, size: (u16, u16)) {
        let (w, h) = within(size);
        if self.terminal.backend().buffer().area != Rect::new(0, 0, w, h) {
            self.terminal.backend_mut().resize(w, h);
        }
        let (ui, state) = (&mut self.ui, &self.state);
        let Ok(_) = self.terminal.draw(|frame| ui.draw(frame, state));
        drop(self.ui.take_wanted());
        // Labels are parsed from what is here; the frame after this one was drawn with them.
        for request in self.ui.wanted_labels() {
            let parsed = request.parse();
            self.ui.set_labels(parsed);
        }
    }

    /// Whether the session was read line by line.
    #[must_use]
    pub const fn is_linear(&self) -> bool {
        self.linear.is_some()
    }

    /// The newest frame.
    #[must_use]
    pub fn screen(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    /// Its theme.
    #[must_use]
    pub const fn theme(&self) -> Theme {
        self.theme
    }

    /// What was true then.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }
}
