//! An asciicast v2 of a recording: the bytes that a terminal of its size gets for each frame, with times. Its format is
//! described at <https://docs.asciinema.org/manual/asciicast/v2>.

use crate::anchored::Anchored;
use crate::cli::ReplayArgs;
use crossterm::cursor::Hide;
use crossterm::execute;
use crossterm::terminal::EnterAlternateScreen;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use serde_json::json;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use wb_core::error::{Error, ErrorKind};
use wb_ui::recording::RecordingHeader;

/// What would have been sent to a terminal since it was taken.
#[derive(Clone, Default)]
struct Sent(Rc<RefCell<Vec<u8>>>);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An asciicast that grows.
pub struct Cast {
    text: String,
    sent: Sent,
    terminal: Terminal<Anchored<CrosstermBackend<Sent>>>,
    area: Rect,
    speed: f64,
}

impl Cast {
    /// One without frames.
    ///
    /// # Errors
    /// The terminal library refuses.
    pub fn new(
        header: &RecordingHeader,
        size: (u16, u16),
        args: &ReplayArgs,
    ) -> Result<Self, Error> {
        let term = header
            .screen
            .terminal
            .iter()
            .find(|(name, _)| name == "TERM");
        let term = term.map_or("xterm-256color", |(_, term)| term.as_str());
        let head = json!({
            "version": 2,
            "width": size.0,
            "height": size.1,
            "timestamp": header.started.0 / 1000,
            "idle_time_limit": args.idle_limit.as_secs_f64(),
            "title": "workbench",
            "env": {"TERM": term},
        });
        let mut sent = Sent::default();
        if !header.screen.linear {
            execute!(sent, EnterAlternateScreen, Hide).map_err(|e| failed(&e))?;
        }
        let area = Rect::new(0, 0, size.0, size.1);
        let backend = Anchored(CrosstermBackend::new(sent.clone()));
        let options = TerminalOptions {
            viewport: Viewport::Fixed(area),
        };
        let terminal = Terminal::with_options(backend, options).map_err(|e| failed(&e))?;
        Ok(Self {
            text: format!("{head}\n"),
            sent,
            terminal,
            area,
            speed: args.speed,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// The terminal library refuses.
    pub fn frame(&mut self, t: u64, screen: &Buffer) -> Result<(), Error> {
        if self.area != screen.area {
            self.area = screen.area;
            self.terminal.resize(self.area).map_err(|e| failed(&e))?;
            let size = format!("{}x{}", self.area.width, self.area.height);
            self.event(t, "r", &size);
        }
        let drawn = self.terminal.draw(|frame| {
            frame.buffer_mut().clone_from(screen);
        });
        drawn.map_err(|e| failed(&e))?;
        let bytes = std::mem::take(&mut *self.sent.0.borrow_mut());
        // Everything that is drawn is text.
        let text = String::from_utf8_lossy(&bytes);
        if !text.is_empty() {
            self.event(t, "o", &text);
        }
        Ok(())
    }

    /// Adds lines.
    pub fn lines(&mut self, t: u64, lines: &[String]) {
        if !lines.is_empty() {
            let text = lines.join("\r\n") + "\r\n";
            self.event(t, "o", &text);
        }
    }

    fn event(&mut self, t: u64, code: &str, data: &str) {
        #[allow(clippy::cast_precision_loss)] // milliseconds of a session
        let seconds = (t as f64 / self.speed).round() / 1000.0;
        let event = json!([seconds, code, data]);
        self.text.push_str(&format!("{event}\n"));
    }

    /// The whole file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn failed(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Bug,
        format!("the asciicast cannot be drawn: {error}"),
    )
}
