//! Terminal events: which part of the screen they are for. What a command does is left to
//! [`crate::act`].

use crate::keys::name;
use crate::overlays;
use crate::{Hit, Screen, Ui};
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Position;
use wb_core::command::{Command, Scope, Verb, entry, find};
use wb_core::state::State;

/// Two clicks on one spot within this time are a double one, in milliseconds.
const TWICE_MS: u64 = 500;

/// Rows that one notch of the wheel moves.
const WHEEL: usize = 3;

impl Ui {
    /// Takes a terminal event; gives the commands that follow. Afterwards the screen is worth
    /// drawing again.
    pub fn on_event(&mut self, event: &Event, state: &State) -> Vec<Command> {
        self.follow(state);
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.on_key(key, state),
            Event::Mouse(mouse) => self.on_mouse(mouse, state),
            Event::Paste(text) => self.on_paste(text, state),
            _ => Vec::new(),
        }
    }

    fn on_key(&mut self, key: &KeyEvent, state: &State) -> Vec<Command> {
        self.notice = None;
        let Some(name) = name(key) else {
            return Vec::new();
        };
        if name == "Ctrl-c" {
            return self.act(Verb::Quit, state);
        }
        if name == "Ctrl-z" {
            return self.act(Verb::Suspend, state);
        }
        if !self.overlays.is_empty() {
            return overlays::on_key(self, key, &name, state);
        }
        if self.screen == Screen::Queue && self.queue.typing.is_some() {
            return self.filter_key(key, state);
        }
        let scopes = [self.screen.scope(), Scope::List, Scope::Global];
        let Some(verb) = find(&name, &scopes) else {
            return Vec::new();
        };
        if entry(verb).writes && key.kind == KeyEventKind::Repeat {
            return Vec::new();
        }
        self.act(verb, state)
    }

    /// A key while the filter is being typed; the queue follows every letter.
    fn filter_key(&mut self, key: &KeyEvent, state: &State) -> Vec<Command> {
        let Some(stage) = self.stage else {
            return Vec::new();
        };
        match key.code {
            KeyCode::Enter => {
                self.queue.typing = None;
                Vec::new()
            }
            KeyCode::Esc => {
                let before = self
                    .queue
                    .typing
                    .take()
                    .map_or_else(String::new, |(_, before)| before);
                vec![Command::Filter {
                    stage,
                    text: before,
                }]
            }
            KeyCode::Up => self.act(Verb::Up, state),
            KeyCode::Down => self.act(Verb::Down, state),
            KeyCode::Tab => {
                if let Some((line, _)) = &mut self.queue.typing
                    && let Some(rest) = completion(&line.text[..line.at])
                {
                    line.insert(rest);
                    return vec![Command::Filter {
                        stage,
                        text: line.text.clone(),
                    }];
                }
                Vec::new()
            }
            _ => {
                if let Some((line, _)) = &mut self.queue.typing
                    && line.key(key) == Some(true)
                {
                    return vec![Command::Filter {
                        stage,
                        text: line.text.clone(),
                    }];
                }
                Vec::new()
            }
        }
    }

    fn on_paste(&mut self, text: &str, state: &State) -> Vec<Command> {
        if !self.overlays.is_empty() {
            overlays::on_paste(self, text, state);
            return Vec::new();
        }
        if let (Some((line, _)), Some(stage)) = (&mut self.queue.typing, self.stage) {
            line.insert(text.trim());
            return vec![Command::Filter {
                stage,
                text: line.text.clone(),
            }];
        }
        Vec::new()
    }

    fn on_mouse(&mut self, mouse: &MouseEvent, state: &State) -> Vec<Command> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
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
                    // A third click is the first of another pair.
                    self.clicked = None;
                }
                self.click(hit, usize::from(mouse.row - area.y), twice, state)
            }
            MouseEventKind::ScrollDown => self.wheel(Verb::Down, state),
            MouseEventKind::ScrollUp => self.wheel(Verb::Up, state),
            _ => Vec::new(),
        }
    }

    fn wheel(&mut self, verb: Verb, state: &State) -> Vec<Command> {
        if !self.overlays.is_empty() {
            for _ in 0..WHEEL {
                overlays::move_cursor(self, verb, state);
            }
            return Vec::new();
        }
        // On Flow the arrows walk the graph, which a wheel should not.
        if self.screen == Screen::Flow {
            self.flow.scroll_activity(verb == Verb::Up, WHEEL);
            return Vec::new();
        }
        let mut commands = Vec::new();
        for _ in 0..WHEEL {
            commands.extend(self.act(verb, state));
        }
        commands
    }

    /// A click selects, a double one goes in as Enter does.
    fn click(&mut self, hit: Hit, row: usize, twice: bool, state: &State) -> Vec<Command> {
        self.notice = None;
        match hit {
            Hit::Overlay("builds") if self.overlays.is_empty() => self.act(Verb::Builds, state),
            Hit::Overlay(_) => Vec::new(),
            Hit::Rows(top) if !self.overlays.is_empty() => {
                overlays::click(self, top + row, state);
                if twice {
                    let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
                    return overlays::on_key(self, &enter, "Enter", state);
                }
                Vec::new()
            }
            _ if !self.overlays.is_empty() => Vec::new(),
            Hit::Screen(screen) => self.go(screen, state),
            Hit::Stage(stage) => {
                self.stage = Some(stage);
                if twice && self.screen == Screen::Flow {
                    return self.act(Verb::In, state);
                }
                Vec::new()
            }
            Hit::Rows(top) => self.click_row(top + row, twice, state),
            Hit::Tab(tab) => {
                self.task.select_tab(tab);
                Vec::new()
            }
        }
    }

    fn click_row(&mut self, place: usize, twice: bool, state: &State) -> Vec<Command> {
        match self.screen {
            Screen::Queue => {
                if let Some(stage) = self.stage {
                    let there = state.queues.get(&stage).and_then(|q| q.at(place));
                    if there.is_none() {
                        return Vec::new();
                    }
                    self.queue.go_to(stage, place, state);
                    if twice {
                        return self.act(Verb::In, state);
                    }
                }
            }
            Screen::Task => self.task.event = Some(place),
            Screen::Run => {
                self.run.at = place;
                if twice {
                    return self.act(Verb::In, state);
                }
            }
            Screen::Flow => {}
        }
        Vec::new()
    }
}

/// The rest of a field's name that is being typed.
fn completion(text: &str) -> Option<&'static str> {
    let word = text.rsplit([' ', '|', '-']).next()?;
    if word.is_empty() {
        return None;
    }
    wb_core::filter::FIELDS
        .iter()
        .find_map(|f| f.strip_prefix(word).filter(|rest| !rest.is_empty()))
}
