//! The screen as a person sees it, and what its keys mean: pictures, keys, graphs, speed.

mod answers;
mod background;
mod cards;
mod columns;
mod compare;
mod copy;
mod edits;
mod first_build;
mod frames;
mod graphs;
mod held;
mod help;
mod hostile;
mod keeping;
mod keys;
mod linear;
mod links;
mod loading;
mod many_stages;
mod no_keys;
mod outside;
mod panes;
mod pictures;
mod questions;
mod reading;
mod readme;
mod recording;
mod rereading;
mod selection;
mod truths;
mod watch;

use crate::fixture::World;
use crate::{Medium, Picture, Screen, Shot, Theme, Ui, UiSettings};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use wb_core::command::Command;

/// A screen of this size on a world.
pub struct Desk {
    pub world: World,
    pub ui: Ui,
    pub w: u16,
    pub h: u16,
}

impl Desk {
    pub fn new(world: World, w: u16, h: u16) -> Self {
        let settings = UiSettings {
            styles: Theme::Dark.styles(),
            utc_offset_s: 0,
            unicode: true,
            ..UiSettings::default()
        };
        let mut desk = Self {
            world,
            ui: Ui::new(settings),
            w,
            h,
        };
        desk.draw();
        desk
    }

    /// The screen as text, blanks at line ends taken off.
    pub fn draw(&mut self) -> String {
        let buffer = self.cells();
        let mut out = String::new();
        for y in 0..self.h {
            let mut line = String::new();
            let mut x = 0;
            while x < self.w {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(crate::text::width(symbol)).unwrap().max(1);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// The newest frame with its styles.
    pub fn cells(&mut self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.w, self.h)).unwrap();
        terminal
            .draw(|frame| self.ui.draw(frame, &self.world.state))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// Draws with all pictures and labels that are wanted: each file is a bright scene of 160 × 90 pixels.
    pub fn draw_with_pictures(&mut self, count: u64) -> String {
        loop {
            let text = self.draw();
            let (wanted, labels) = (self.ui.wanted_pictures(), self.ui.wanted_labels());
            if wanted.is_empty() && labels.is_empty() {
                return text;
            }
            for request in wanted {
                let (width, height) = (160_u32, 90_u32);
                let pixel = |n: u32| [(n % width) as u8 / 2, (n / width) as u8, 60];
                let rgb = (0..width * height).flat_map(pixel).collect();
                let picture = Picture { width, height, rgb };
                let at_us = (count > 1).then_some(request.id.frame as i64 * 40_000);
                let medium = Medium::Pictures { count };
                self.ui.set_medium(request.id.task, Ok(medium));
                self.ui.set_picture(request.id, Ok(Shot { picture, at_us }));
            }
            for request in labels {
                self.ui.set_labels(request.parse());
            }
        }
    }

    /// Presses keys as the table names them, separated by blanks; gives the commands.
    pub fn press(&mut self, keys: &str) -> Vec<Command> {
        let mut all = Vec::new();
        for key in keys.split(' ') {
            all.extend(self.event(&Event::Key(key_event(key))));
        }
        all
    }

    /// Types letters one by one; the engine follows each.
    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            let commands = self.event(&Event::Key(KeyEvent::new(
                KeyCode::Char(c),
                KeyModifiers::NONE,
            )));
            self.world.all(commands);
        }
    }

    pub fn event(&mut self, event: &Event) -> Vec<Command> {
        self.ui.on_event(event, &self.world.state)
    }

    /// Presses keys and lets the engine do what they mean.
    pub fn go(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let commands = self.press(key);
            self.world.all(commands);
            self.draw();
            let wanted = self.ui.take_wanted();
            self.world.all(wanted);
        }
    }

    pub fn show(&mut self, screen: Screen) -> String {
        self.ui.show(screen);
        self.draw()
    }
}

pub fn key_event(name: &str) -> KeyEvent {
    let (code, modifiers) = match name {
        "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
        "Tab" => (KeyCode::Tab, KeyModifiers::NONE),
        "BackTab" => (KeyCode::BackTab, KeyModifiers::SHIFT),
        "End" => (KeyCode::End, KeyModifiers::NONE),
        "Home" => (KeyCode::Home, KeyModifiers::NONE),
        "PageDown" => (KeyCode::PageDown, KeyModifiers::NONE),
        "PageUp" => (KeyCode::PageUp, KeyModifiers::NONE),
        "Space" => (KeyCode::Char(' '), KeyModifiers::NONE),
        "Up" => (KeyCode::Up, KeyModifiers::NONE),
        "Down" => (KeyCode::Down, KeyModifiers::NONE),
        "Left" => (KeyCode::Left, KeyModifiers::NONE),
        "Right" => (KeyCode::Right, KeyModifiers::NONE),
        "Backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
        other => match other.strip_prefix("Ctrl-") {
            Some(c) => (
                KeyCode::Char(c.chars().next().unwrap()),
                KeyModifiers::CONTROL,
            ),
            None => match other.strip_prefix("Alt-") {
                Some(c) => (KeyCode::Char(c.chars().next().unwrap()), KeyModifiers::ALT),
                None => (
                    KeyCode::Char(other.chars().next().unwrap()),
                    KeyModifiers::NONE,
                ),
            },
        },
    };
    KeyEvent::new(code, modifiers)
}

pub fn repeated(name: &str) -> Event {
    Event::Key(KeyEvent {
        kind: KeyEventKind::Repeat,
        ..key_event(name)
    })
}
