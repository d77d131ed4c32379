//! Colours by meaning. `dark`, `light` and `16` use the sixteen colours that every terminal lets its
//! owner choose, `high-contrast` brings its own; the plain theme uses none.
//!
//! Colour is never the only sign: marks and words carry the meaning too.

use ratatui::style::{Color, Modifier, Style};
use std::str::FromStr;
use wb_core::workflow::nearest;

/// Which set of styles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// Light letters on dark ground.
    #[default]
    Dark,
    /// Dark letters on light ground.
    Light,
    /// White on black, nothing dim.
    HighContrast,
    /// For terminals with sixteen colours.
    Sixteen,
    /// No colours at all (`NO_COLOR`, `--plain`).
    Plain,
}

impl Theme {
    /// The names that settings may use.
    pub const NAMES: [&str; 4] = ["dark", "light", "high-contrast", "16"];

    /// The theme of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "dark" => Self::Dark,
            "light" => Self::Light,
            "high-contrast" => Self::HighContrast,
            "16" => Self::Sixteen,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::Sixteen => "16",
            Self::Plain => "plain",
        }
    }

    /// Chooses from the environment: `NO_COLOR` takes precedence over `chosen`, which takes precedence
    /// over `TERM` and `COLORFGBG`. `var` reads a variable.
    #[must_use]
    pub fn detect(chosen: Option<Self>, var: impl Fn(&str) -> Option<String>) -> Self {
        if var("NO_COLOR").is_some_and(|v| !v.is_empty()) {
            return Self::Plain;
        }
        if let Some(theme) = chosen {
            return theme;
        }
        let term = var("TERM").unwrap_or_default();
        if term == "dumb" || term.starts_with("vt1") {
            return Self::Plain;
        }
        if matches!(term.as_str(), "linux" | "ansi" | "cygwin") || term.ends_with("-16color") {
            return Self::Sixteen;
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
        // Grey of the 256 colours: many palettes have bright black (8) in the colour of the ground.
        let grey = |n| Style::new().fg(Color::Indexed(n));
        match self {
            Self::Dark => coloured(Color::Yellow, Color::Cyan, Color::Gray, grey(245)),
            Self::Light => coloured(Color::Magenta, Color::Blue, Color::Blue, grey(241)),
            Self::Sixteen => {
                let dim = Style::new().add_modifier(Modifier::DIM);
                coloured(Color::Yellow, Color::Cyan, Color::Gray, dim)
            }
            Self::HighContrast => high_contrast(),
            Self::Plain => plain(),
        }
    }
}

impl Default for Styles {
    fn default() -> Self {
        Theme::default().styles()
    }
}

/// A row in one colour, whatever its parts look like.
fn reversed_row() -> Style {
    Style::new()
        .fg(Color::Reset)
        .bg(Color::Reset)
        .add_modifier(Modifier::REVERSED)
        .remove_modifier(Modifier::DIM)
}

fn plain() -> Styles {
    let plain = Style::new();
    let bold = plain.add_modifier(Modifier::BOLD);
    let dim = plain.add_modifier(Modifier::DIM);
    Styles {
        text: plain,
        dim,
        strong: bold,
        title: bold,
        border: dim,
        focus: plain,
        selected: reversed_row(),
        behind: dim,
        key: bold,
        good: plain,
        bad: bold,
        warn: bold,
        accent: bold,
        added: plain,
        changed: plain,
        removed: bold,
        line: plain,
        live: bold.add_modifier(Modifier::REVERSED),
        dry: bold,
    }
}

fn coloured(warn: Color, accent: Color, line: Color, dim: Style) -> Styles {
    let of = |colour: Color| Style::new().fg(colour);
    let bold = |style: Style| style.add_modifier(Modifier::BOLD);
    Styles {
        dim,
        border: dim,
        focus: of(accent),
        behind: dim,
        key: bold(of(accent)),
        good: of(Color::Green),
        bad: bold(of(Color::Red)),
        warn: of(warn),
        accent: of(accent),
        added: of(Color::Green),
        changed: of(warn),
        removed: of(Color::Red),
        line: of(line),
        live: bold(of(Color::White).bg(Color::Red)),
        dry: bold(of(Color::Green)),
        ..plain()
    }
}

/// Colours of the fixed part of the 256, which no palette changes, on black: at least 7 to 1.
fn high_contrast() -> Styles {
    const BLACK: Color = Color::Indexed(16);
    let of = |n: u8| Style::new().fg(Color::Indexed(n));
    let bold = |style: Style| style.add_modifier(Modifier::BOLD);
    let (white, green, red, yellow, cyan) = (of(231), of(83), of(210), of(227), of(123));
    Styles {
        text: white.bg(BLACK),
        dim: of(252),
        strong: bold(white),
        title: bold(white),
        border: white,
        focus: yellow,
        selected: Style::new().fg(BLACK).bg(Color::Indexed(231)),
        behind: of(248),
        key: bold(yellow),
        good: green,
        bad: bold(red),
        warn: bold(yellow),
        accent: cyan,
        added: green,
        changed: yellow,
        removed: red,
        line: white,
        live: bold(white.bg(Color::Indexed(124))),
        dry: bold(green),
    }
}

macro_rules! styles {
    ($($name:ident)*) => {
        /// A style for each meaning.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)] // each name is its meaning
        pub struct Styles { $( pub $name: Style, )* }

        impl Styles {
            /// The names that `[theme]` may use.
            pub const NAMES: &'static [&'static str] = &[$( stringify!($name), )*];

            fn slot(&mut self, name: &str) -> Option<&mut Style> {
                match name {
                    $( stringify!($name) => Some(&mut self.$name), )*
                    _ => None,
                }
            }
        }
    };
}

styles! {
    text dim strong title border focus selected behind key good bad warn accent added changed removed line
    live dry
}

/// A style in `[theme]`: `bold red`, `black on #ffcc00`, `dim`.
fn parse(text: &str) -> Result<Style, String> {
    let mut style = Style::new().remove_modifier(Modifier::DIM);
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let modifier = match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            "on" => {
                style = style.bg(colour(words.next().unwrap_or_default())?);
                continue;
            }
            word => {
                style = style.fg(colour(word)?);
                continue;
            }
        };
        style = style.add_modifier(modifier);
    }
    Ok(style)
}

fn colour(word: &str) -> Result<Color, String> {
    if word == "default" {
        return Ok(Color::Reset);
    }
    Color::from_str(word).map_err(|_| {
        format!("unknown colour \"{word}\"; write a name such as light-red, #ff8800, or 0 to 255")
    })
}

impl Styles {
    /// Replaces a style.
    ///
    /// # Errors
    /// No style has this name, or the text is not a style.
    pub fn patch(&mut self, name: &str, text: &str) -> Result<(), String> {
        let style = parse(text)?;
        match self.slot(name) {
            Some(slot) => *slot = style,
            None => {
                let near = nearest(name, Self::NAMES.iter().copied());
                return Err(match near.first() {
                    Some(near) => format!("unknown style; did you mean \"{near}\"?"),
                    None => format!("unknown style; there are {}", Self::NAMES.join(", ")),
                });
            }
        }
        Ok(())
    }

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

/// The replacement of a drawing character on a terminal without Unicode; `None` for all others.
#[must_use]
pub fn ascii(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "─" | "═" | "╌" => "-",
        "━" => "=",
        "│" | "║" | "┃" | "▏" => "|",
        "╭" | "╮" | "╰" | "╯" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" | "╔" | "╗"
        | "╚" | "╝" | "╪" | "╫" | "┏" | "┓" | "┗" | "┛" | "┣" | "┫" | "┳" | "┻" | "╋" | "┠"
        | "┨" | "┯" | "┷" | "┲" | "┱" | "┺" | "┹" | "┢" | "┡" | "┩" | "┪" | "╆" | "╅" | "╄"
        | "╃" | "┿" | "╂" => "+",
        "▶" | "→" | "›" | "▸" => ">",
        "◀" | "←" => "<",
        "▲" | "↑" => "^",
        "▼" | "↓" => "v",
        "▌" => ">",
        "✓" => "+",
        "✗" => "x",
        "●" | "•" => "*",
        "○" => "o",
        "◐" => "%",
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

    fn detect(chosen: Option<Theme>, vars: &[(&str, &str)]) -> Theme {
        Theme::detect(chosen, |name| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn no_color_takes_precedence_over_every_theme() {
        let light = Some(Theme::Light);
        assert_eq!(detect(light, &[("NO_COLOR", "1")]), Theme::Plain);
        assert_eq!(detect(light, &[("NO_COLOR", "")]), Theme::Light);
    }

    #[test]
    fn the_ground_of_the_terminal_is_read_from_colorfgbg() {
        assert_eq!(detect(None, &[("COLORFGBG", "0;15")]), Theme::Light);
        assert_eq!(detect(None, &[("COLORFGBG", "15;default;0")]), Theme::Dark);
        assert_eq!(detect(None, &[("TERM", "dumb")]), Theme::Plain);
        assert_eq!(detect(None, &[("TERM", "linux")]), Theme::Sixteen);
        assert_eq!(detect(None, &[]), Theme::Dark);
    }

    #[test]
    fn no_theme_draws_in_bright_black() {
        for theme in Theme::NAMES.map(|name| Theme::from_name(name).unwrap()) {
            let mut styles = theme.styles();
            for name in Styles::NAMES {
                let style = styles.slot(name).unwrap();
                for colour in [style.fg, style.bg] {
                    assert!(
                        !matches!(colour, Some(Color::DarkGray | Color::Indexed(8))),
                        "{name} of {theme:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_style_is_patched_by_words() {
        let mut styles = Styles::default();
        styles.patch("bad", "bold #ff8800 on 16").unwrap();
        let orange = Style::new()
            .fg(Color::Rgb(255, 136, 0))
            .bg(Color::Indexed(16));
        assert_eq!(styles.bad.fg, orange.fg);
        assert_eq!(styles.bad.bg, orange.bg);
        assert!(styles.bad.add_modifier.contains(Modifier::BOLD));
        let error = styles.patch("bda", "red").unwrap_err();
        assert_eq!(error, "unknown style; did you mean \"bad\"?");
        assert!(styles.patch("bad", "redd").unwrap_err().contains("redd"));
    }
}
