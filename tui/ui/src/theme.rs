//! Colours by meaning. Only the sixteen colours that every terminal lets its owner choose are
//! used, so dark, light and high-contrast settings are respected; the plain theme uses none.
//!
//! Colour is never the only sign: marks and words carry the meaning, left to the panes.

use ratatui::style::{Color, Modifier, Style};

/// Which set of styles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// Light letters on dark ground.
    #[default]
    Dark,
    /// Dark letters on light ground.
    Light,
    /// No colours at all (`NO_COLOR`, `--plain`).
    Plain,
}

impl Theme {
    /// Chooses from the environment: `NO_COLOR` beats the `wish` (`light`, `dark`, `plain`), which
    /// beats `COLORFGBG`; `TERM=dumb` and `TERM=vt100` have no colours. `var` looks a variable up.
    #[must_use]
    pub fn detect(wish: Option<&str>, var: impl Fn(&str) -> Option<String>) -> Self {
        if var("NO_COLOR").is_some_and(|v| !v.is_empty()) {
            return Self::Plain;
        }
        match wish {
            Some("plain") => return Self::Plain,
            Some("light") => return Self::Light,
            Some("dark") => return Self::Dark,
            _ => {}
        }
        if var("TERM").is_some_and(|t| t == "dumb" || t.starts_with("vt1")) {
            return Self::Plain;
        }
        let ground = var("COLORFGBG").and_then(|v| v.rsplit(';').next()?.parse::<u8>().ok());
        match ground {
            Some(7 | 9..=15) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// Its styles.
    #[must_use]
    pub fn styles(self) -> Styles {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        // One colour for the whole row, whatever its parts look like.
        let row = Style::new()
            .fg(Color::Reset)
            .bg(Color::Reset)
            .add_modifier(Modifier::REVERSED)
            .remove_modifier(Modifier::DIM);
        if self == Self::Plain {
            return Styles {
                text: plain,
                dim,
                strong: bold,
                title: bold,
                border: dim,
                focus: plain,
                selected: row,
                key: bold,
                good: plain,
                bad: bold,
                warn: bold,
                accent: bold,
                added: plain,
                changed: plain,
                removed: bold,
                line: plain,
                header: plain,
                live: reversed.add_modifier(Modifier::BOLD),
                dry: bold,
            };
        }
        let light = self == Self::Light;
        let warn = if light { Color::Magenta } else { Color::Yellow };
        let accent = if light { Color::Blue } else { Color::Cyan };
        let grey = Color::DarkGray;
        Styles {
            text: plain,
            dim: plain.fg(grey),
            strong: bold,
            title: bold,
            border: plain.fg(grey),
            focus: plain.fg(accent),
            selected: row,
            key: plain.fg(accent).add_modifier(Modifier::BOLD),
            good: plain.fg(Color::Green),
            bad: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            warn: plain.fg(warn),
            accent: plain.fg(accent),
            added: plain.fg(Color::Green),
            changed: plain.fg(warn),
            removed: plain.fg(Color::Red),
            line: plain.fg(if light { Color::Blue } else { Color::Gray }),
            header: plain,
            live: plain
                .fg(Color::White)
                .bg(Color::Red)
                .add_modifier(Modifier::BOLD),
            dry: plain.fg(Color::Green).add_modifier(Modifier::BOLD),
        }
    }
}

/// A style for each meaning.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // each name is its meaning
pub struct Styles {
    pub text: Style,
    pub dim: Style,
    pub strong: Style,
    pub title: Style,
    pub border: Style,
    pub focus: Style,
    pub selected: Style,
    pub key: Style,
    pub good: Style,
    pub bad: Style,
    pub warn: Style,
    pub accent: Style,
    pub added: Style,
    pub changed: Style,
    pub removed: Style,
    pub line: Style,
    pub header: Style,
    pub live: Style,
    pub dry: Style,
}

impl Styles {
    /// The style of a label change by its sign `+`, `~` or `-`.
    #[must_use]
    pub const fn sign(&self, sign: char) -> Style {
        match sign {
            '+' => self.added,
            '~' => self.changed,
            '-' => self.removed,
            _ => self.text,
        }
    }

    /// The style of a log level, 1 error to 5 trace.
    #[must_use]
    pub const fn level(&self, level: u8) -> Style {
        match level {
            1 => self.bad,
            2 => self.warn,
            3 => self.text,
            _ => self.dim,
        }
    }
}

/// What stands for a drawing character on a terminal without Unicode; `None` for all others.
#[must_use]
pub fn ascii(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "─" | "═" | "━" => "-",
        "│" | "║" | "┃" | "▏" => "|",
        "╭" | "╮" | "╰" | "╯" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" | "╔" | "╗"
        | "╚" | "╝" | "╪" | "╫" => "+",
        "▶" | "→" | "›" | "▸" => ">",
        "◀" | "←" => "<",
        "▲" | "↑" => "^",
        "▼" | "↓" => "v",
        "▌" => ">",
        "✓" => "+",
        "✗" => "x",
        "●" | "•" => "*",
        "○" => "o",
        "·" | "…" => ".",
        "–" | "—" => "-",
        "█" | "▉" | "▊" | "▋" => "#",
        "▍" | "▎" => "=",
        "░" => ".",
        "µ" => "u",
        "×" => "x",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(wish: Option<&str>, vars: &[(&str, &str)]) -> Theme {
        Theme::detect(wish, |name| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn no_color_beats_every_wish() {
        assert_eq!(detect(Some("light"), &[("NO_COLOR", "1")]), Theme::Plain);
        assert_eq!(detect(Some("light"), &[("NO_COLOR", "")]), Theme::Light);
    }

    #[test]
    fn the_ground_of_the_terminal_is_read_from_colorfgbg() {
        assert_eq!(detect(None, &[("COLORFGBG", "0;15")]), Theme::Light);
        assert_eq!(detect(None, &[("COLORFGBG", "15;default;0")]), Theme::Dark);
        assert_eq!(detect(None, &[("TERM", "dumb")]), Theme::Plain);
        assert_eq!(detect(None, &[]), Theme::Dark);
    }
}
