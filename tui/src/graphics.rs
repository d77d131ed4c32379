//! How this terminal shows pictures: what the setting demands, what the terminal answers, what surrounds it.
//! Encoding is left to `wb-ui`.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Write};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use wb_core::error::{Error, ErrorKind};
use wb_core::workflow::nearest;
use wb_engine::config::Config;
use wb_ui::{Canvas, Graphics, Letters, Protocol, UiSettings};

/// The words of the setting `graphics`.
const WORDS: [&str; 6] = ["auto", "kitty", "sixel", "iterm2", "blocks", "off"];

/// How long an answer is waited for: a terminal on this machine takes milliseconds.
const PATIENCE: Duration = Duration::from_millis(300);
/// The same over ssh.
const PATIENCE_FAR: Duration = Duration::from_millis(1_500);

/// The size of a cell where the terminal does not answer.
const CELL: (u16, u16) = (8, 16);

/// What is owed to the terminal each time it is given back: the command that frees its pictures.
static OWED: Mutex<String> = Mutex::new(String::new());

/// The command that frees the pictures that the terminal keeps.
pub fn free() -> String {
    OWED.lock().map(|owed| owed.clone()).unwrap_or_default()
}

/// What the settings ask for.
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    /// Nothing has to be found out.
    Fixed(Graphics),
    /// The terminal is asked.
    Ask(GraphicsPlan),
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct GraphicsPlan {
    /// The one way that is allowed; none: the best one.
    only: Option<Protocol>,
    letters: Letters,
    far: bool,
    in_tmux: bool,
}

/// What was found out.
#[derive(Debug, Default)]
pub struct FoundGraphics {
    /// How pictures are shown.
    pub graphics: Graphics,
    /// Keys that came between the answers.
    pub typed: Vec<Event>,
}

impl Setting {
    /// The setting, for a screen that looks like this.
    ///
    /// # Errors
    /// The word is none of the setting's.
    pub fn of(config: &Config, look: &UiSettings) -> Result<Self, Error> {
        let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let term = std::env::var("TERM").unwrap_or_default();
        // Without colours and with sixteen of them, half blocks would be noise.
        let coloured = look.styles.good.fg.is_some() && look.styles.dim.fg.is_some();
        let letters = match (coloured, look.unicode) {
            (false, _) => Letters::Ramp,
            (true, true) => Letters::HalfBlocks,
            (true, false) => Letters::Grounds,
        };
        let word = config.graphics.as_ref();
        let only = match word.map_or("auto", |word| word.value.as_str()) {
            "off" => return Ok(Self::Fixed(Graphics::Off)),
            "blocks" => return Ok(Self::Fixed(Graphics::Letters(letters))),
            // A person without colours does not expect photographs either.
            "auto" if !coloured || term == "linux" => {
                return Ok(Self::Fixed(Graphics::Letters(letters)));
            }
            "auto" => None,
            "kitty" => Some(Protocol::Kitty),
            "sixel" => Some(Protocol::Sixel),
            "iterm2" => Some(Protocol::Iterm2),
            other => return Err(unknown(other, word.map_or("", |word| &word.origin))),
        };
        Ok(Self::Ask(GraphicsPlan {
            only,
            letters,
            far: has("SSH_CONNECTION") || has("SSH_TTY"),
            in_tmux: has("TMUX"),
        }))
    }
}

fn unknown(word: &str, origin: &str) -> Error {
    let near = nearest(word, WORDS);
    let hint = match near.first() {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("it is one of {}", WORDS.join(", ")),
    };
    let text = format!("{origin}: graphics: unknown word \"{word}\"; {hint}");
    Error::new(ErrorKind::Settings, text)
}

impl FoundGraphics {
    /// What was known before.
    pub fn known(graphics: Graphics) -> Self {
        Self {
            graphics,
            typed: Vec::new(),
        }
    }

    /// The canvas for it, when it is of pixels.
    pub fn canvas(&self) -> Option<Canvas> {
        let Graphics::Pixels { protocol, .. } = self.graphics else {
            return None;
        };
        if let Ok(mut owed) = OWED.lock() {
            *owed = protocol.free_all();
        }
        Some(Canvas::new(protocol))
    }
}

/// What a terminal answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct TerminalAnswers {
    kitty: bool,
    sixel: bool,
    iterm2: bool,
    cell: Option<(u16, u16)>,
    /// The last answer has come: every terminal gives it.
    whole: bool,
    /// What belongs to no answer.
    rest: Vec<u8>,
}

impl GraphicsPlan {
    /// Asks the terminal, and waits for the last answer for a moment. It must be in raw mode, and nobody else may
    /// read from it.
    pub fn ask(self) -> FoundGraphics {
        let answers = self.answers().unwrap_or_default();
        let passed = self.in_tmux && passes_kitty();
        let graphics = match self.choose(&answers, passed) {
            Some(protocol) => Graphics::Pixels {
                protocol,
                cell: answers.cell.or_else(of_window).unwrap_or(CELL),
                letters: self.letters,
            },
            None => Graphics::Letters(self.letters),
        };
        FoundGraphics {
            graphics,
            typed: answers.rest.iter().copied().filter_map(key).collect(),
        }
    }

    /// The best way that the terminal has, or the one that is demanded if it has that.
    fn choose(self, answers: &TerminalAnswers, passed: bool) -> Option<Protocol> {
        let kitty = match (self.in_tmux, passed, answers.kitty) {
            (true, true, _) => Some(Protocol::KittyInTmux),
            (false, _, true) => Some(Protocol::Kitty),
            _ => None,
        };
        // tmux draws sixels itself; of iTerm2's pictures it knows nothing.
        let iterm2 = (answers.iterm2 && !self.in_tmux).then_some(Protocol::Iterm2);
        let sixel = answers.sixel.then_some(Protocol::Sixel);
        match self.only {
            Some(Protocol::Kitty) if !self.in_tmux => Some(Protocol::Kitty),
            Some(Protocol::Kitty) => Some(Protocol::KittyInTmux),
            Some(other) => Some(other),
            None => kitty.or(iterm2).or(sixel),
        }
    }

    fn answers(self) -> io::Result<TerminalAnswers> {
        let mut out = io::stdout();
        // One pixel for kitty, the name, the size of a cell, and last what every terminal answers.
        let kitty = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
        let kitty = if self.in_tmux { "" } else { kitty };
        write!(out, "{kitty}\x1b[>q\x1b[16t\x1b[c")?;
        out.flush()?;
        let until = Instant::now() + if self.far { PATIENCE_FAR } else { PATIENCE };
        let (stdin, mut bytes) = (io::stdin(), Vec::new());
        loop {
            let answers = read(&bytes);
            let left = until.saturating_duration_since(Instant::now());
            if answers.whole || left.is_zero() {
                return Ok(answers);
            }
            let wait = Timespec::try_from(left).ok();
            let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
            if poll(&mut ready, wait.as_ref()).unwrap_or(0) == 0 {
                continue;
            }
            let mut some = [0; 1024];
            match rustix::io::read(&stdin, &mut some) {
                Ok(0) | Err(_) => return Ok(answers),
                Ok(n) => bytes.extend_from_slice(&some[..n]),
            }
        }
    }
}

/// Takes answers out of what was read.
fn read(bytes: &[u8]) -> TerminalAnswers {
    let mut answers = TerminalAnswers::default();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let taken = match rest {
            [0x1b, b'_' | b'P', ..] => {
                let Some(end) = rest.windows(2).position(|two| two == b"\x1b\\") else {
                    return answers;
                };
                let text = String::from_utf8_lossy(&rest[2..end]);
                answers.kitty |= text.starts_with("Gi=31;OK");
                let name = text.strip_prefix(">|").unwrap_or_default();
                answers.iterm2 |= name.starts_with("iTerm2") || name.starts_with("WezTerm");
                end + 2
            }
            [0x1b, b'[', inner @ ..] => {
                let Some(end) = inner.iter().position(|b| (0x40..0x7f).contains(b)) else {
                    return answers;
                };
                let text = String::from_utf8_lossy(&inner[..=end]);
                answers.control(&text);
                end + 3
            }
            _ => {
                answers.rest.push(rest[0]);
                1
            }
        };
        at += taken;
    }
    answers
}

impl TerminalAnswers {
    /// `?62;4;22c`, `6;16;8t`.
    fn control(&mut self, text: &str) {
        if let Some(list) = text.strip_prefix('?').and_then(|t| t.strip_suffix('c')) {
            self.whole = true;
            self.sixel |= list.split(';').skip(1).any(|attribute| attribute == "4");
        } else if let Some(size) = text.strip_prefix("6;").and_then(|t| t.strip_suffix('t'))
            && let Some((h, w)) = size.split_once(';')
            && let (Ok(h @ 1..), Ok(w @ 1..)) = (h.parse(), w.parse())
        {
            self.cell = Some((w, h));
        }
    }
}

/// The size of a cell, from the window's size in pixels, where the system knows that.
fn of_window() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    let (w, h) = (
        size.ws_xpixel.checked_div(size.ws_col)?,
        size.ws_ypixel.checked_div(size.ws_row)?,
    );
    (w > 0 && h > 0).then_some((w, h))
}

/// Whether tmux hands commands on, and to a terminal that understands kitty's.
fn passes_kitty() -> bool {
    let tmux = |args: &[&str]| {
        let output = Command::new("tmux").args(args).output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let handed_on = tmux(&["show-options", "-Apv", "allow-passthrough"]);
    let around = tmux(&[
        "display-message",
        "-p",
        "#{client_termname} #{client_termtype}",
    ]);
    let known = |names: &str| {
        let names = names.to_lowercase();
        ["kitty", "ghostty"].iter().any(|name| names.contains(name))
    };
    handed_on.is_some_and(|on| matches!(on.trim(), "on" | "all"))
        && around.as_deref().is_some_and(known)
}

/// A key that came among the answers, when it is a simple one.
fn key(byte: u8) -> Option<Event> {
    let (code, modifiers) = match byte {
        b'\r' | b'\n' => (KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => (KeyCode::Tab, KeyModifiers::NONE),
        0x7f => (KeyCode::Backspace, KeyModifiers::NONE),
        0x1b => (KeyCode::Esc, KeyModifiers::NONE),
        1..=26 => (
            KeyCode::Char(char::from(b'a' + byte - 1)),
            KeyModifiers::CONTROL,
        ),
        b' '..=b'~' => (KeyCode::Char(char::from(byte)), KeyModifiers::NONE),
        _ => return None,
    };
    Some(Event::Key(KeyEvent::new(code, modifiers)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(in_tmux: bool, only: Option<Protocol>) -> GraphicsPlan {
        GraphicsPlan {
            only,
            letters: Letters::HalfBlocks,
            far: false,
            in_tmux,
        }
    }

    #[test]
    fn answers_are_read_and_keys_between_them_are_kept() {
        let kitty = read(b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.42)\x1b\\j\x1b[6;20;10t\x1b[?62;52c");
        assert!(kitty.kitty && kitty.whole && !kitty.sixel && !kitty.iterm2);
        assert_eq!((kitty.cell, &*kitty.rest), (Some((10, 20)), &b"j"[..]));
        assert!(!read(b"\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62c").kitty);
        let foot = read(b"\x1bP>|foot(1.20)\x1b\\\x1b[?62;4;22c");
        assert!(foot.sixel && !foot.kitty);
        assert!(read(b"\x1bP>|iTerm2 3.6\x1b\\\x1b[?64;1;2;4c").iterm2);
        let cut = read(b"\x1b[?62;4");
        assert!(!cut.whole && cut.rest.is_empty());
        assert_eq!(read(b"\x1b[?1;2c\x1b[6;0;0t").cell, None);
    }

    #[test]
    fn the_best_way_that_the_terminal_has_is_chosen() {
        let all = TerminalAnswers {
            kitty: true,
            sixel: true,
            iterm2: true,
            ..TerminalAnswers::default()
        };
        let sixel = TerminalAnswers {
            sixel: true,
            ..TerminalAnswers::default()
        };
        let none = TerminalAnswers::default();
        let auto = plan(false, None);
        assert_eq!(auto.choose(&all, false), Some(Protocol::Kitty));
        assert_eq!(auto.choose(&sixel, false), Some(Protocol::Sixel));
        assert_eq!(auto.choose(&none, false), None);
        let tmux = plan(true, None);
        assert_eq!(tmux.choose(&none, true), Some(Protocol::KittyInTmux));
        assert_eq!(tmux.choose(&sixel, false), Some(Protocol::Sixel));
        assert_eq!(tmux.choose(&none, false), None);
        // What is demanded is used, whatever the terminal answers.
        let demanded = plan(false, Some(Protocol::Iterm2));
        assert_eq!(demanded.choose(&all, false), Some(Protocol::Iterm2));
        let demanded = plan(true, Some(Protocol::Kitty));
        assert_eq!(demanded.choose(&none, false), Some(Protocol::KittyInTmux));
    }
}
