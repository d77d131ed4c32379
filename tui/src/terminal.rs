//! The terminal: taken over and always given back, after a panic and a signal too.

use crate::anchored::Anchored;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
    EventStream,
};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::cell::Cell;
use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver};
use wb_core::error::{Error, ErrorKind};
use wb_core::limits;

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

/// Events that wait to be handled, at most.
const EVENTS: usize = 256;

/// Keys, mouse and paste events, until the receiver is dropped. Ends early when the terminal can no longer
/// be read. Must be called inside the runtime.
///
/// A thread of its own reads them, because crossterm does not return from a terminal that hangs up: it
/// reads the end of file in a loop.
///
/// # Errors
/// The system starts no thread.
pub fn events() -> Result<Receiver<Event>, Error> {
    let (send, events) = mpsc::channel(EVENTS);
    let runtime = tokio::runtime::Handle::current();
    let read = async move {
        // `EventStream::new` panics where this fails.
        if crossterm::event::poll(Duration::ZERO).is_err() {
            return;
        }
        let mut stream = EventStream::new();
        loop {
            let event = tokio::select! {
                event = stream.next() => event,
                () = send.closed() => return,
            };
            let Some(Ok(event)) = event else { return };
            if send.send(event).await.is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("wb-keys".into());
    let started = thread.spawn(move || runtime.block_on(read));
    started.map_err(|e| unusable(&e))?;
    Ok(events)
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
    let text = format!("the terminal cannot be used: {error}");
    limits::reached(&text).unwrap_or_else(|| Error::new(ErrorKind::Usage, text))
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
