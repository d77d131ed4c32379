//! The terminal: taken over and always given back, after a panic and a signal too.

use crate::anchored::Anchored;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::cell::Cell;
use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use wb_core::error::{Error, ErrorKind};

/// Whether the terminal is ours now; read by the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether writing to the terminal has failed.
static HUNG_UP: AtomicBool = AtomicBool::new(false);

/// The terminal, ours until it is dropped.
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<Anchored<CrosstermBackend<Tty>>>,
}

/// Refuses to go on without a terminal on both sides.
///
/// # Errors
/// Input or output is no terminal, or one without a cursor: what to do instead.
pub fn required(what: &str) -> Result<(), Error> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if io::stdin().is_terminal() && stdout().is_terminal() && !dumb {
        return Ok(());
    }
    let why = if dumb {
        "that can move its cursor, and TERM says \"dumb\""
    } else {
        "and this is none"
    };
    let between = if dumb { " " } else { ", " };
    Err(
        Error::new(ErrorKind::Usage, format!("{what}{between}{why}"))
            .hint(
                "in scripts: workbench run --project-hash UUID --agents PATH [--dry-run] [--json]",
            )
            .hint("to look only: workbench stages, workbench tasks, workbench graph"),
    )
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// It cannot be switched.
    pub fn take() -> Result<Self, Error> {
        enter()?;
        Ok(Self { terminal: fresh()? })
    }

    /// Takes the terminal over again, after somebody else had it: whatever they left there is wiped.
    ///
    /// # Errors
    /// It cannot be switched.
    pub fn retake(&mut self) -> Result<(), Error> {
        enter()?;
        // Not its own `clear`, which asks the terminal where the cursor is and reads the answer among
        // the keys. A new one knows of nothing that is drawn already.
        execute!(stdout(), Clear(ClearType::All)).map_err(|e| unusable(&e))?;
        self.terminal = fresh()?;
        Ok(())
    }

    /// Gives the terminal back to the shell and stops, with everything that was started together with
    /// this program; takes it over again when the shell goes on with it.
    ///
    /// # Errors
    /// The terminal cannot be switched.
    pub fn suspend(&mut self) -> Result<(), Error> {
        give_back();
        // Without a shell that could go on with us the system ignores this, and we are back at once.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        self.retake()
    }
}

fn fresh() -> Result<Terminal<Anchored<CrosstermBackend<Tty>>>, Error> {
    Terminal::new(Anchored(CrosstermBackend::new(Tty(stdout())))).map_err(|e| unusable(&e))
}

/// Whether the terminal was closed: its window, the connection, or the session it was in.
pub fn hung_up() -> bool {
    HUNG_UP.load(Ordering::Relaxed) || !io::stdin().is_terminal() || !stdout().is_terminal()
}

/// Stdout, to which everything may be written when nobody is there any more: whoever draws cannot do
/// anything about it, and some panic.
pub struct Tty(Stdout);

impl Tty {
    fn outlive<T>(result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(e)
                if !matches!(
                    e.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) =>
            {
                HUNG_UP.store(true, Ordering::Relaxed);
                Ok(otherwise)
            }
            other => other,
        }
    }
}

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::outlive(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::outlive(self.0.flush(), ())
    }
}

fn unusable(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("the terminal cannot be used: {error}"),
    )
}

fn enter() -> Result<(), Error> {
    enable_raw_mode().map_err(|e| unusable(&e))?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste
    )
    .map_err(|e| unusable(&e))
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Puts a text into the clipboard of the terminal (OSC 52), also through ssh; terminals that do not
/// know it pay no attention.
pub fn copy(text: &str) {
    let text = agent_abi::model::base64(text.as_bytes());
    let mut out = stdout();
    let _ = write!(out, "\x1b]52;c;{text}\x07").and_then(|()| out.flush());
}

/// Gives the terminal back; safe to call twice.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            DisableBracketedPaste,
            DisableMouseCapture,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

thread_local! {
    /// Whether a panic of this thread is expected and caught: a decoder on a damaged file.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs code of others that may panic and catches it itself; its panics end nothing.
pub fn expecting_panics<T>(work: impl FnOnce() -> T) -> T {
    EXPECTED.set(true);
    let result = work();
    EXPECTED.set(false);
    result
}

/// Whether a panic of this thread ends nothing.
pub fn panic_expected() -> bool {
    EXPECTED.get()
}
