//! TerminalLinks in the terminal (OSC 8): letters that lead to a task's page or to a line of code when they are clicked. The
//! backend puts the address around the cells of a link; cells whose link has changed are drawn again, though their
//! letters have not.

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect, Size};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wb_core::code_place::CodePlace;
use wb_core::error::{Error, ErrorKind};
use wb_core::workflow::nearest;
use wb_engine::config::Config;
use wb_ui::{LinkTarget, ScreenLink};

/// The words of the setting `links`.
const WORDS: [&str; 3] = ["auto", "on", "off"];

/// A row of cells and the address that it leads to.
type LinkedCells = (Rect, String);

/// The links of a frame, for the backend that draws it.
#[derive(Clone, Debug, Default)]
pub struct FrameLinks {
    now: Arc<Mutex<Vec<LinkedCells>>>,
}

impl FrameLinks {
    /// Takes the links of a frame before it is drawn; gives the rows whose letters have to be drawn again.
    pub fn set(&self, links: Vec<LinkedCells>) -> Vec<Rect> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, links);
        let gone = before.iter().filter(|link| !now.contains(link));
        let new = now.iter().filter(|link| !before.contains(link));
        gone.chain(new).map(|(area, _)| *area).collect()
    }

    fn at(&self, x: u16, y: u16) -> Option<String> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let link = now
            .iter()
            .rev()
            .find(|(area, _)| area.contains(Position { x, y }));
        link.map(|(_, url)| url.clone())
    }

    fn is_empty(&self) -> bool {
        self.now
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }
}

/// Draws through another backend, links with their addresses.
pub struct Linked<B> {
    inner: B,
    links: FrameLinks,
}

impl<B> Linked<B> {
    /// Draws these links.
    pub const fn new(inner: B, links: FrameLinks) -> Self {
        Self { inner, links }
    }
}

impl<B: Backend<Error = io::Error> + Write> Backend for Linked<B> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        if self.links.is_empty() {
            return self.inner.draw(content);
        }
        let cells: Vec<_> = content
            .map(|cell| (cell, self.links.at(cell.0, cell.1)))
            .collect();
        for run in cells.chunk_by(|a, b| a.1 == b.1) {
            let run_cells = run.iter().map(|(cell, _)| *cell);
            match &run[0].1 {
                None => self.inner.draw(run_cells)?,
                Some(url) => {
                    write!(self.inner, "\x1b]8;;{url}\x1b\\")?;
                    self.inner.draw(run_cells)?;
                    write!(self.inner, "\x1b]8;;\x1b\\")?;
                }
            }
        }
        Ok(())
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        self.inner.append_lines(n)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

/// Whether there are links, and what was found out about files.
#[derive(Debug, Default)]
pub struct TerminalLinks {
    pages: bool,
    files: bool,
    crates: Vec<PathBuf>,
    found: HashMap<CodePlace, Option<String>>,
}

impl TerminalLinks {
    /// As the setting and the terminal have it.
    ///
    /// # Errors
    /// The word is none of the setting's.
    pub fn of(config: &Config, crates: Vec<PathBuf>) -> Result<Self, Error> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let pages = match config
            .links
            .as_ref()
            .map(|word| (word.value.as_str(), &word.origin))
        {
            None | Some(("auto", _)) => has_links(var),
            Some(("on", _)) => true,
            Some(("off", _)) => false,
            Some((word, origin)) => {
                let hint = match nearest(word, WORDS).first() {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("it is one of {}", WORDS.join(", ")),
                };
                let text = format!("{origin}: links: unknown word \"{word}\"; {hint}");
                return Err(Error::new(ErrorKind::Settings, text));
            }
        };
        // Files of this machine are not those of the terminal's.
        let far = var("SSH_CONNECTION").or_else(|| var("SSH_TTY")).is_some();
        Ok(Self {
            pages,
            files: pages && !far,
            crates,
            found: HashMap::new(),
        })
    }

    /// The addresses of a frame's links.
    pub fn addresses(&mut self, links: &[ScreenLink]) -> Vec<LinkedCells> {
        let mut all = Vec::new();
        for link in links {
            let url = match &link.to {
                LinkTarget::Page(url) => Some(url.clone()).filter(|_| self.pages),
                LinkTarget::Code(place) => self.file(place),
            };
            all.extend(url.filter(|url| is_plain(url)).map(|url| (link.area, url)));
        }
        all
    }

    fn file(&mut self, place: &CodePlace) -> Option<String> {
        if !self.files {
            return None;
        }
        if let Some(known) = self.found.get(place) {
            return known.clone();
        }
        let file = crate::editor::file(place, &self.crates);
        let url = file.map(|file| format!("{}#{}", file_address(&file), place.line));
        self.found.insert(place.clone(), url.clone());
        url
    }
}

/// Whether an address can stand in a command to the terminal.
fn is_plain(url: &str) -> bool {
    url.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

fn file_address(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                url.push(char::from(*byte));
            }
            other => drop(write!(url, "%{other:02X}")), // writing to a String cannot fail
        }
    }
    url
}

/// Whether the terminal is one that is known to make links; others may show the address as text.
fn has_links(var: impl Fn(&str) -> Option<String>) -> bool {
    let term = var("TERM").unwrap_or_default();
    // What a multiplexer does not know it does not pass on.
    if term == "dumb" || term == "linux" || var("TMUX").is_some() || var("STY").is_some() {
        return false;
    }
    let program = var("TERM_PROGRAM").unwrap_or_default();
    let programs = [
        "iTerm.app",
        "WezTerm",
        "vscode",
        "ghostty",
        "Hyper",
        "Tabby",
    ];
    let terms = [
        "xterm-kitty",
        "xterm-ghostty",
        "alacritty",
        "foot",
        "wezterm",
    ];
    // GNOME Terminal and its kin, since 0.50.
    let vte = var("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
    programs.contains(&program.as_str())
        || terms.iter().any(|known| term.starts_with(known))
        || vte.is_some_and(|version| version >= 5000)
        || var("KITTY_WINDOW_ID").is_some()
        || var("WT_SESSION").is_some()
        || var("KONSOLE_VERSION").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchored::Anchored;
    use ratatui::backend::CrosstermBackend;
    use ratatui::buffer::Buffer;
    use ratatui::style::Style;

    fn buffer(text: &str) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 1));
        buf.set_string(0, 0, text, Style::new());
        buf
    }

    fn drawn(links: &FrameLinks, before: &Buffer, now: &Buffer) -> String {
        let mut out = Vec::new();
        let mut backend = Anchored(Linked::new(CrosstermBackend::new(&mut out), links.clone()));
        backend.draw(before.diff(now).into_iter()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_address_stands_around_the_letters_of_a_link_and_around_no_others() {
        let links = FrameLinks::default();
        let area = Rect::new(3, 0, 4, 1);
        let url = "https://app.encord.com/label_editor/1/2";
        assert_eq!(links.set(vec![(area, url.to_owned())]), [area]);
        let bytes = drawn(&links, &buffer(""), &buffer("at task now"));
        let link = bytes.split(&format!("\x1b]8;;{url}\x1b\\")).nth(1).unwrap();
        let (inside, after) = link.split_once("\x1b]8;;\x1b\\").unwrap();
        assert!(
            inside.contains("task") && !inside.contains("now"),
            "{bytes:?}"
        );
        assert!(after.contains("now") && !after.contains("]8"), "{bytes:?}");
    }

    #[test]
    fn letters_are_drawn_again_when_their_link_has_changed_and_only_then() {
        let links = FrameLinks::default();
        let (one, two) = (Rect::new(0, 0, 4, 1), Rect::new(5, 0, 4, 1));
        let link = |area, url: &str| (area, url.to_owned());
        links.set(vec![link(one, "https://a/1"), link(two, "https://a/2")]);
        assert_eq!(
            links.set(vec![link(one, "https://a/1"), link(two, "https://a/2")]),
            []
        );
        assert_eq!(
            links.set(vec![link(one, "https://a/3"), link(two, "https://a/2")]),
            [one, one]
        );
        assert_eq!(links.set(vec![]), [one, two]);
        assert!(!drawn(&links, &buffer(""), &buffer("task one")).contains("]8"));
    }

    #[test]
    fn only_terminals_that_are_known_to_have_links_get_them() {
        let with = |vars: &[(&str, &str)]| {
            has_links(|name| {
                vars.iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            })
        };
        for has in [
            [("TERM", "xterm-kitty"), ("LANG", "C")],
            [("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")],
            [("TERM", "xterm-256color"), ("VTE_VERSION", "7006")],
            [("TERM", "alacritty"), ("LANG", "C")],
        ] {
            assert!(with(&has), "{has:?}");
            assert!(!with(&[has[0], has[1], ("TMUX", "/tmp/x")]), "{has:?}");
        }
        for none in [
            [("TERM", "dumb"), ("KITTY_WINDOW_ID", "1")],
            [("TERM", "xterm-256color"), ("VTE_VERSION", "4800")],
            [
                ("TERM", "xterm-256color"),
                ("TERM_PROGRAM", "Apple_Terminal"),
            ],
        ] {
            assert!(!with(&none), "{none:?}");
        }
    }

    #[test]
    fn an_address_that_is_not_plain_is_not_a_link() {
        let file = file_address(Path::new("/tmp/a b/caf\u{e9}\u{1b}].rs"));
        assert_eq!(file, "file:///tmp/a%20b/caf%C3%A9%1B%5D.rs");
        let mut links = TerminalLinks {
            pages: true,
            ..TerminalLinks::default()
        };
        let link = |url: &str| ScreenLink {
            area: Rect::new(0, 0, 3, 1),
            to: LinkTarget::Page(url.to_owned()),
        };
        assert_eq!(
            links
                .addresses(&[
                    link("https://a/1"),
                    link("https://a/\x1b\\x"),
                    link("https://a/ b")
                ])
                .len(),
            1
        );
        links.pages = false;
        assert_eq!(links.addresses(&[link("https://a/1")]), []);
    }
}
