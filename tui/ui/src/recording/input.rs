//! Keys, mouse and paste in a form of their own, so that a recording does not depend on a version of the terminal library.

use crate::keys::NAMED;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};
use serde::{Deserialize, Serialize};
use wb_core::secret;

/// What came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedInput {
    /// A key was pressed, held or released.
    Key {
        /// Which.
        key: RecordedKey,
        /// Bits of the modifiers: 1 Shift, 2 Ctrl, 4 Alt, …
        #[serde(default, skip_serializing_if = "is_zero")]
        modifiers: u8,
        /// 1 held, 2 released.
        #[serde(default, skip_serializing_if = "is_zero")]
        kind: u8,
    },
    /// The mouse.
    Mouse {
        /// `down`, `up`, `drag`, `moved`, `scroll-down`, …
        what: String,
        /// 0 left, 1 right, 2 middle.
        button: u8,
        /// Column and row.
        at: (u16, u16),
        /// As of keys.
        modifiers: u8,
    },
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// The window was entered or left.
    Focus(bool),
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedKey {
    /// A character.
    Char(char),
    /// A function key.
    F(u8),
    /// One that has a name in the table of actions.
    Named(String),
    /// One that no action can have.
    Other,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde gives a reference
const fn is_zero(n: &u8) -> bool {
    *n == 0
}

const MOUSE: [(&str, MouseEventKind); 8] = [
    ("down", MouseEventKind::Down(MouseButton::Left)),
    ("up", MouseEventKind::Up(MouseButton::Left)),
    ("drag", MouseEventKind::Drag(MouseButton::Left)),
    ("moved", MouseEventKind::Moved),
    ("scroll-down", MouseEventKind::ScrollDown),
    ("scroll-up", MouseEventKind::ScrollUp),
    ("scroll-left", MouseEventKind::ScrollLeft),
    ("scroll-right", MouseEventKind::ScrollRight),
];

const BUTTONS: [MouseButton; 3] = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];

/// The kind with the left button, and the button.
fn parts(kind: MouseEventKind) -> (MouseEventKind, u8) {
    let number = |button| BUTTONS.iter().position(|b| *b == button).unwrap_or(0);
    let (kind, button) = match kind {
        MouseEventKind::Down(button) => (MouseEventKind::Down(MouseButton::Left), number(button)),
        MouseEventKind::Up(button) => (MouseEventKind::Up(MouseButton::Left), number(button)),
        MouseEventKind::Drag(button) => (MouseEventKind::Drag(MouseButton::Left), number(button)),
        other => (other, 0),
    };
    (kind, u8::try_from(button).unwrap_or(0))
}

impl From<&Event> for RecordedInput {
    fn from(event: &Event) -> Self {
        match event {
            Event::Key(key) => Self::Key {
                key: key.code.into(),
                modifiers: key.modifiers.bits(),
                kind: match key.kind {
                    KeyEventKind::Press => 0,
                    KeyEventKind::Repeat => 1,
                    KeyEventKind::Release => 2,
                },
            },
            Event::Mouse(mouse) => {
                let (kind, button) = parts(mouse.kind);
                let name = MOUSE.iter().find(|(_, known)| *known == kind);
                Self::Mouse {
                    what: name.map_or("moved", |(name, _)| name).to_owned(),
                    button,
                    at: (mouse.column, mouse.row),
                    modifiers: mouse.modifiers.bits(),
                }
            }
            Event::Paste(text) => Self::Paste(secret::clean(text).into_owned()),
            Event::Resize(w, h) => Self::Resize(*w, *h),
            Event::FocusGained => Self::Focus(true),
            Event::FocusLost => Self::Focus(false),
        }
    }
}

impl From<KeyCode> for RecordedKey {
    fn from(code: KeyCode) -> Self {
        match code {
            KeyCode::Char(c) => Self::Char(c),
            KeyCode::F(n) => Self::F(n),
            code => match NAMED.iter().find(|(known, _)| *known == code) {
                Some((_, name)) => Self::Named((*name).to_owned()),
                None => Self::Other,
            },
        }
    }
}

impl From<RecordedKey> for KeyCode {
    fn from(key: RecordedKey) -> Self {
        match key {
            RecordedKey::Char(c) => Self::Char(c),
            RecordedKey::F(n) => Self::F(n),
            RecordedKey::Named(name) => {
                let known = NAMED.iter().find(|(_, known)| *known == name);
                known.map_or(Self::Null, |(code, _)| *code)
            }
            RecordedKey::Other => Self::Null,
        }
    }
}

impl From<RecordedInput> for Event {
    fn from(input: RecordedInput) -> Self {
        match input {
            RecordedInput::Key {
                key,
                modifiers,
                kind,
            } => Self::Key(KeyEvent {
                code: key.into(),
                modifiers: KeyModifiers::from_bits_truncate(modifiers),
                kind: match kind {
                    0 => KeyEventKind::Press,
                    1 => KeyEventKind::Repeat,
                    _ => KeyEventKind::Release,
                },
                state: KeyEventState::NONE,
            }),
            RecordedInput::Mouse {
                what,
                button,
                at,
                modifiers,
            } => {
                let kind = MOUSE.iter().find(|(name, _)| *name == what);
                let button = BUTTONS.get(usize::from(button)).copied();
                let button = button.unwrap_or(MouseButton::Left);
                let kind = match kind.map_or(MouseEventKind::Moved, |(_, kind)| *kind) {
                    MouseEventKind::Down(_) => MouseEventKind::Down(button),
                    MouseEventKind::Up(_) => MouseEventKind::Up(button),
                    MouseEventKind::Drag(_) => MouseEventKind::Drag(button),
                    other => other,
                };
                Self::Mouse(MouseEvent {
                    kind,
                    column: at.0,
                    row: at.1,
                    modifiers: KeyModifiers::from_bits_truncate(modifiers),
                })
            }
            RecordedInput::Paste(text) => Self::Paste(text),
            RecordedInput::Resize(w, h) => Self::Resize(w, h),
            RecordedInput::Focus(true) => Self::FocusGained,
            RecordedInput::Focus(false) => Self::FocusLost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_sends_comes_back() {
        let key = |code, modifiers, kind| {
            Event::Key(KeyEvent {
                kind,
                ..KeyEvent::new(code, modifiers)
            })
        };
        let mouse = |kind| {
            Event::Mouse(MouseEvent {
                kind,
                column: 300,
                row: 7,
                modifiers: KeyModifiers::SHIFT,
            })
        };
        let mut events = vec![
            key(KeyCode::Char('é'), KeyModifiers::NONE, KeyEventKind::Press),
            key(KeyCode::F(11), KeyModifiers::CONTROL, KeyEventKind::Repeat),
            key(KeyCode::Null, KeyModifiers::ALT, KeyEventKind::Release),
            mouse(MouseEventKind::Drag(MouseButton::Right)),
            mouse(MouseEventKind::Up(MouseButton::Middle)),
            Event::Paste("title~night".into()),
            Event::Resize(80, 24),
            Event::FocusGained,
            Event::FocusLost,
        ];
        let named = NAMED.map(|(code, _)| key(code, KeyModifiers::SHIFT, KeyEventKind::Press));
        events.extend(named);
        events.extend(MOUSE.map(|(_, kind)| mouse(kind)));
        for event in events {
            let json = serde_json::to_string(&RecordedInput::from(&event)).unwrap();
            let again: RecordedInput = serde_json::from_str(&json).unwrap();
            assert_eq!(Event::from(again), event, "{json}");
        }
    }

    #[test]
    fn a_key_that_is_pasted_is_left_out() {
        let pasted = Event::Paste("authorization: Bearer planted-header-51d2".into());
        let json = serde_json::to_string(&RecordedInput::from(&pasted)).unwrap();
        assert!(!json.contains("planted"), "{json}");
    }
}
