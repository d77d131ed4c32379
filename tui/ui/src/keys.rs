//! From terminal keys to the names that the table of actions uses, and one line of text being typed. What
//! a key means is left to the keymap.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Keys that are not characters, by their names.
pub(crate) const NAMED: [(KeyCode, &str); 15] = [
    (KeyCode::Enter, "Enter"),
    (KeyCode::Esc, "Esc"),
    (KeyCode::Tab, "Tab"),
    (KeyCode::BackTab, "BackTab"),
    (KeyCode::Up, "Up"),
    (KeyCode::Down, "Down"),
    (KeyCode::Left, "Left"),
    (KeyCode::Right, "Right"),
    (KeyCode::Home, "Home"),
    (KeyCode::End, "End"),
    (KeyCode::PageUp, "PageUp"),
    (KeyCode::PageDown, "PageDown"),
    (KeyCode::Backspace, "Backspace"),
    (KeyCode::Delete, "Delete"),
    (KeyCode::Insert, "Insert"),
];

/// The name of a key in the table of actions: `s`, `S`, `Ctrl-d`, `Space`, `Enter`, `F5`. `None` for
/// releases and for keys that cannot be bound.
#[must_use]
pub fn name(key: &KeyEvent) -> Option<String> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    if key.modifiers.contains(KeyModifiers::SUPER) || (alt && ctrl) {
        return None;
    }
    Some(match key.code {
        KeyCode::Char(c) if alt => format!("Alt-{c}"),
        _ if alt => return None,
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if ctrl => format!("Ctrl-{}", c.to_ascii_lowercase()),
        // Some terminals send the small letter together with Shift.
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::SHIFT) => {
            c.to_uppercase().to_string()
        }
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => "BackTab".into(),
        KeyCode::F(n) => format!("F{n}"),
        code => NAMED.iter().find(|(c, _)| *c == code)?.1.to_owned(),
    })
}

/// How a key is shown: arrows as arrows, the rest as in the table.
#[must_use]
pub fn shown(key: &str) -> String {
    match key {
        "Up" => "↑".into(),
        "Down" => "↓".into(),
        "Left" => "←".into(),
        "Right" => "→".into(),
        "BackTab" => "Shift-Tab".into(),
        "Enter" | "Esc" | "Tab" | "Space" | "Home" | "End" => key.to_lowercase(),
        other => other.to_owned(),
    }
}

/// The name of a key in settings: `ctrl+d` is `Ctrl-d`, `shift-tab` is `BackTab`. `None`: no key has this
/// name.
#[must_use]
pub fn canonical(written: &str) -> Option<String> {
    if written.chars().count() == 1 {
        return Some(if written == " " { "Space" } else { written }.to_owned());
    }
    let low = written.to_lowercase();
    let synonym = match low.as_str() {
        "return" => "enter",
        "escape" => "esc",
        "shift-tab" | "shift+tab" => "backtab",
        other => other,
    };
    let mut names = NAMED.iter().map(|(_, name)| *name).chain(["Space"]);
    if let Some(name) = names.find(|name| name.eq_ignore_ascii_case(synonym)) {
        return Some(name.to_owned());
    }
    let number = low.strip_prefix('f').and_then(|n| n.parse::<u8>().ok());
    if let Some(n) = number.filter(|n| (1..=24).contains(n)) {
        return Some(format!("F{n}"));
    }
    for (prefix, shown) in [("ctrl", "Ctrl-"), ("alt", "Alt-")] {
        let Some(key) = low
            .strip_prefix(prefix)
            .and_then(|r| r.strip_prefix(['-', '+']))
        else {
            continue;
        };
        let case = &written[written.len() - key.len()..];
        let key = if prefix == "alt" { case } else { key };
        return (key.chars().count() == 1).then(|| format!("{shown}{key}"));
    }
    None
}

/// One line of text being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What is typed.
    pub text: String,
    /// Byte offset of the cursor, always at a character's border.
    pub at: usize,
}

impl Line {
    /// A line with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            at: text.len(),
        }
    }

    /// Inserts what was typed or pasted, without control codes.
    pub fn insert(&mut self, text: &str) {
        let text = crate::text::clean(text);
        self.text.insert_str(self.at, &text);
        self.at += text.len();
    }

    /// Handles an editing key; returns whether the text changed. `None`: not an editing key.
    pub fn key(&mut self, key: &KeyEvent) -> Option<bool> {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let before = self.text.len();
        match key.code {
            KeyCode::Char('u') if ctrl => {
                self.text.drain(..self.at);
                self.at = 0;
            }
            KeyCode::Char('w') if ctrl => {
                let head = self.text[..self.at].trim_end();
                let start = head.rfind(' ').map_or(0, |i| i + 1);
                self.text.drain(start..self.at);
                self.at = start;
            }
            KeyCode::Char('a') if ctrl => self.at = 0,
            KeyCode::Char('e') if ctrl => self.at = self.text.len(),
            KeyCode::Char(c) if !ctrl && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.insert(c.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace => {
                if let Some(c) = self.text[..self.at].chars().next_back() {
                    self.at -= c.len_utf8();
                    self.text.remove(self.at);
                }
            }
            KeyCode::Delete if self.at < self.text.len() => {
                self.text.remove(self.at);
            }
            KeyCode::Left => {
                self.at -= self.text[..self.at]
                    .chars()
                    .next_back()
                    .map_or(0, char::len_utf8);
            }
            KeyCode::Right => {
                self.at += self.text[self.at..]
                    .chars()
                    .next()
                    .map_or(0, char::len_utf8);
            }
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = self.text.len(),
            _ => return None,
        }
        Some(self.text.len() != before)
    }

    /// The text with a cursor in it, the end kept in sight: (before, under, after).
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str) {
        let (before, rest) = self.text.split_at(self.at);
        let next = rest.chars().next().map_or(0, char::len_utf8);
        (before, &rest[..next], &rest[next..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn keys_are_named_as_the_table_names_them() {
        let n = |c, m| name(&press(c, m)).unwrap();
        assert_eq!(n(KeyCode::Char('s'), KeyModifiers::NONE), "s");
        assert_eq!(n(KeyCode::Char('S'), KeyModifiers::SHIFT), "S");
        assert_eq!(n(KeyCode::Char('d'), KeyModifiers::CONTROL), "Ctrl-d");
        assert_eq!(n(KeyCode::Char(' '), KeyModifiers::NONE), "Space");
        assert_eq!(n(KeyCode::Tab, KeyModifiers::SHIFT), "BackTab");
        let mut release = press(KeyCode::Char('s'), KeyModifiers::NONE);
        release.kind = KeyEventKind::Release;
        assert_eq!(name(&release), None);
    }

    #[test]
    fn a_line_is_edited_at_character_borders() {
        let mut line = Line::new("aü漢");
        line.key(&press(KeyCode::Left, KeyModifiers::NONE));
        line.key(&press(KeyCode::Backspace, KeyModifiers::NONE));
        assert_eq!((line.text.as_str(), line.at), ("a漢", 1));
        assert_eq!(line.parts(), ("a", "漢", ""));
        line.insert("x\u{1b}[2J");
        assert_eq!(line.text, "ax漢");
        line.key(&press(KeyCode::End, KeyModifiers::NONE));
        line.insert(" two");
        line.key(&press(KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(line.text, "ax漢 ");
        assert_eq!(line.key(&press(KeyCode::Enter, KeyModifiers::NONE)), None);
    }
}
