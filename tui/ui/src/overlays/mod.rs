//! What opens over the screens: questions, review, conflicts, journal, watched tasks, builds, messages, help, palette. The topmost
//! one gets the keys; Esc closes it.

pub mod ask;
pub mod builds;
pub mod conflicts;
pub mod help;
pub mod journal;
pub mod messages;
pub mod number;
pub mod palette;
pub mod review;
pub mod watch;

use crate::Ui;
use crate::chrome::Hints;
use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::command::{Command, Scope, Verb, entry, find};
use wb_core::state::State;

/// One open overlay with its cursor.
pub enum Overlay {
    /// A question that is answered by `y` or `n`, or by the title of a protected project.
    Ask(ask::Question),
    /// A question that is answered by a number.
    Number(number::Pane),
    /// Rows that somebody else changed.
    Conflicts(conflicts::Pane),
    /// What was written.
    Journal(journal::Pane),
    /// Tasks that run at every build.
    Watch(watch::Pane),
    /// What is held.
    Review(review::Pane),
    /// Builds; the first line shown.
    Builds(usize),
    /// Everything that was said.
    Messages(messages::Pane),
    /// Keys.
    Help(help::Pane),
    /// Find by name.
    Palette(palette::Pane),
}

impl Overlay {
    /// Hints while it is open.
    pub fn hints(&self, state: &State) -> Hints {
        let all: &[(&str, &str)] = match self {
            Self::Review(_) if state.held.is_empty() => &[("esc", "back")],
            Self::Review(_) if state.options.read_only => &[
                ("space", "take or leave"),
                ("enter", "its tasks"),
                ("esc", "back"),
                ("X", "throw away…"),
            ],
            Self::Review(_) => &[
                ("space", "take or leave"),
                ("C", "commit…"),
                ("enter", "its tasks"),
                ("esc", "back"),
                ("X", "throw away…"),
            ],
            Self::Number(pane) => &[("enter", pane.verb()), ("esc", "not now")],
            Self::Ask(question) if question.title.is_some() => {
                &[("enter", "when the title is typed"), ("esc", "no")]
            }
            Self::Ask(question) if question.ask.twin(state).is_some() => {
                &[("y", "yes"), ("n", "no"), ("Y", "copy the command")]
            }
            Self::Ask(_) => &[("y", "yes"), ("n", "no")],
            Self::Conflicts(_) if state.conflicts.is_empty() => &[("esc", "back")],
            Self::Conflicts(_) if state.options.read_only => &[
                ("t", "leave theirs"),
                ("r", "run again on theirs"),
                ("space", "one or all"),
                ("esc", "back"),
            ],
            Self::Conflicts(_) => &[
                ("t", "leave theirs"),
                ("r", "run again on theirs"),
                ("O", "overwrite…"),
                ("space", "one or all"),
                ("enter", "read on"),
                ("esc", "back"),
            ],
            Self::Journal(pane) => return pane.hints(state),
            Self::Watch(_) if state.watch.tasks.is_empty() => &[("esc", "back")],
            Self::Watch(pane) => return pane.hints(state),
            Self::Palette(_) => &[("enter", "choose"), ("↑ ↓", "move"), ("esc", "close")],
            Self::Help(_) => &[
                ("↑ ↓", "scroll"),
                ("?", "all keys or this screen's"),
                ("esc", "close"),
            ],
            Self::Builds(_) | Self::Messages(_) => &[("↑ ↓", "scroll"), ("esc", "close")],
        };
        all.iter()
            .map(|(k, w)| ((*k).to_owned(), (*w).to_owned()))
            .collect()
    }
}

/// A key for the topmost overlay.
pub fn on_key(ui: &mut Ui, key: &KeyEvent, name: &str, state: &State) -> Vec<Command> {
    let Some(overlay) = ui.overlays.pop() else {
        return Vec::new();
    };
    match overlay {
        Overlay::Ask(question) => ask::on_key(ui, question, key, name, state),
        Overlay::Number(pane) => number::on_key(ui, pane, key, name, state),
        Overlay::Palette(pane) => palette::on_key(ui, pane, key, name, state),
        Overlay::Help(pane) => help::on_key(ui, pane, key, name),
        other => {
            let scopes: &[Scope] = match other {
                Overlay::Review(_) => &[Scope::Review, Scope::List, Scope::Global],
                Overlay::Conflicts(_) => &[Scope::Conflicts, Scope::List, Scope::Global],
                Overlay::Journal(_) => &[Scope::Journal, Scope::List, Scope::Global],
                Overlay::Watch(_) => &[Scope::Watch, Scope::List, Scope::Global],
                _ => &[Scope::List, Scope::Global],
            };
            let verb = find(name, scopes);
            ui.overlays.push(other);
            let Some(verb) = verb else { return Vec::new() };
            if entry(verb).writes && key.kind == KeyEventKind::Repeat {
                return Vec::new();
            }
            on_verb(ui, verb, state)
        }
    }
}

/// A command while a list overlay is open.
fn on_verb(ui: &mut Ui, verb: Verb, state: &State) -> Vec<Command> {
    let again = matches!(
        (ui.overlays.last(), verb),
        (Some(Overlay::Builds(_)), Verb::Builds)
            | (Some(Overlay::Messages(_)), Verb::Messages)
            | (Some(Overlay::Review(_)), Verb::Review)
            | (Some(Overlay::Conflicts(_)), Verb::Conflicts)
            | (Some(Overlay::Journal(_)), Verb::Journal)
            | (Some(Overlay::Watch(_)), Verb::Watching)
    );
    if again {
        ui.overlays.pop();
        return Vec::new();
    }
    let special = match ui.overlays.last() {
        Some(Overlay::Review(_)) => review::on_verb(ui, verb, state),
        Some(Overlay::Conflicts(_)) => conflicts::on_verb(ui, verb, state),
        Some(Overlay::Journal(_)) => journal::on_verb(ui, verb, state),
        Some(Overlay::Watch(_)) => watch::on_verb(ui, verb, state),
        _ => None,
    };
    if let Some(commands) = special {
        return commands;
    }
    match verb {
        Verb::Out => {
            ui.overlays.pop();
            Vec::new()
        }
        Verb::Help
        | Verb::Palette
        | Verb::Builds
        | Verb::Messages
        | Verb::Review
        | Verb::Conflicts
        | Verb::Journal
        | Verb::Watching
        | Verb::UndoLast
        | Verb::Rate
        | Verb::Timeout
        | Verb::Copy
        | Verb::CopyCommand
        | Verb::Quit
        | Verb::Refresh => {
            let stays = matches!(
                verb,
                Verb::Help
                    | Verb::Quit
                    | Verb::Refresh
                    | Verb::Rate
                    | Verb::Timeout
                    | Verb::Copy
                    | Verb::CopyCommand
            );
            if !stays {
                ui.overlays.clear();
            }
            ui.act(verb, state)
        }
        Verb::ShowFlow | Verb::ShowQueue | Verb::ShowTask | Verb::ShowRun => {
            ui.overlays.clear();
            ui.act(verb, state)
        }
        other => {
            move_cursor(ui, other, state);
            Vec::new()
        }
    }
}

/// Moves the cursor of the topmost overlay.
pub fn move_cursor(ui: &mut Ui, verb: Verb, state: &State) {
    let Some(overlay) = ui.overlays.last_mut() else {
        return;
    };
    match overlay {
        Overlay::Review(pane) => pane.move_cursor(verb),
        Overlay::Builds(top) => *top = moved(*top, verb, 10),
        Overlay::Messages(pane) => pane.move_cursor(verb, state),
        Overlay::Help(pane) => pane.top = moved(pane.top, verb, 10),
        Overlay::Palette(pane) => pane.move_cursor(verb),
        Overlay::Conflicts(pane) => pane.move_cursor(verb, state),
        Overlay::Journal(pane) => pane.move_cursor(verb, state),
        Overlay::Watch(pane) => pane.move_cursor(verb, state),
        Overlay::Ask(_) | Overlay::Number(_) => {}
    }
}

/// A place after a moving command; the upper end is cut where it is drawn.
pub fn moved(at: usize, verb: Verb, page: usize) -> usize {
    match verb {
        Verb::Up => at.saturating_sub(1),
        Verb::Down => at + 1,
        Verb::PageUp => at.saturating_sub(page),
        Verb::PageDown => at + page,
        Verb::Top => 0,
        Verb::Bottom => usize::MAX / 2,
        _ => at,
    }
}

/// A click on a row of the topmost overlay.
pub fn click(ui: &mut Ui, row: usize, state: &State) {
    match ui.overlays.last_mut() {
        Some(Overlay::Conflicts(pane)) => pane.select(row, state),
        Some(Overlay::Journal(pane)) => pane.select(row, state),
        Some(Overlay::Watch(pane)) => pane.select(row, state),
        Some(Overlay::Review(pane)) => pane.select(row),
        Some(Overlay::Palette(pane)) => pane.at = row,
        Some(Overlay::Messages(pane)) => pane.at = row,
        _ => {}
    }
}

/// Pasted text goes to the line that is typed, and nowhere else: it never answers a question.
pub fn on_paste(ui: &mut Ui, text: &str, state: &State) {
    let Some(overlay) = ui.overlays.pop() else {
        return;
    };
    let overlay = match overlay {
        Overlay::Palette(mut pane) => {
            pane.line.insert(text.trim());
            pane.search(ui, state);
            Overlay::Palette(pane)
        }
        // A title may be pasted; Enter is still pressed by hand.
        Overlay::Ask(mut question) => {
            if let Some(line) = &mut question.title {
                line.insert(text.trim());
            }
            Overlay::Ask(question)
        }
        other => other,
    };
    ui.overlays.push(overlay);
}

/// Draws all open overlays, the topmost last.
pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    if !ui.overlays.is_empty() {
        // Clicks below an overlay mean nothing.
        ui.hits.clear();
    }
    let mut all = std::mem::take(&mut ui.overlays);
    for overlay in &mut all {
        match overlay {
            Overlay::Ask(question) => ask::draw(ui, buf, area, question, state),
            Overlay::Number(pane) => number::draw(ui, buf, area, pane, state),
            Overlay::Conflicts(pane) => conflicts::draw(ui, buf, area, pane, state),
            Overlay::Journal(pane) => journal::draw(ui, buf, area, pane, state),
            Overlay::Watch(pane) => watch::draw(ui, buf, area, pane, state),
            Overlay::Review(pane) => review::draw(ui, buf, area, pane, state),
            Overlay::Builds(top) => builds::draw(ui, buf, area, top, state),
            Overlay::Messages(pane) => messages::draw(ui, buf, area, pane, state),
            Overlay::Help(pane) => help::draw(ui, buf, area, pane, state),
            Overlay::Palette(pane) => palette::draw(ui, buf, area, pane, state),
        }
    }
    ui.overlays = all;
}
