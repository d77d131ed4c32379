//! The terminal: taken over and always given back, after a panic and a signal too.

use crate::anchored::Anchored;
use crate::graphics::free;
use crate::links::{FrameLinks, Linked, TerminalLinks};
use crate::notify;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
    EventStream,
};
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::Rect;
use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver};
use wb_core::error::{Error, ErrorKind};
use wb_core::limits;
use wb_core::state::State;
use wb_ui::{Canvas, CanvasChange, Ui};

/// Whether the terminal is taken over; read by the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the mouse is taken.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Whether writing to the terminal has failed.
static HUNG_UP: AtomicBool = AtomicBool::new(false);

/// What draws on the terminal.
type ScreenBackend = Anchored<Linked<CrosstermBackend<Tty>>>;

/// The terminal, taken over until this is dropped.
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<ScreenBackend>,
    /// Pictures as pixels, where the terminal can show them.
    pub canvas: Option<Canvas>,
    /// Which parts of the screen are links.
    links: TerminalLinks,
    frame_links: FrameLinks,
    /// The size of the newest frame.
    area: Rect,
}

/// Whether the screen is read line by line: because that was asked for, or because the terminal cannot move its cursor.
pub fn is_linear(plain: bool) -> bool {
    plain || is_dumb() && io::stdin().is_terminal() && stdout().is_terminal()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Checks that input and output are a terminal.
///
/// # Errors
/// One of them is not; the hints name the commands for scripts.
pub fn required(what: &str) -> Result<(), Error> {
    if io::stdin().is_terminal() && stdout().is_terminal() {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Usage, format!("{what}, and this is none"))
            .hint(
                "in scripts: workbench run --project-hash UUID --agents PATH [--dry-run] [--json]",
            )
            .hint("to look only: workbench stages, workbench tasks, workbench graph")
            .hint("the screen in lines, read from stdin: workbench --plain"),
    )
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// It cannot be switched.
    pub fn take(links: TerminalLinks) -> Result<Self, Error> {
        enter()?;
        let frame_links = FrameLinks::default();
        Ok(Self {
            terminal: fresh(&frame_links)?,
            canvas: None,
            links,
            frame_links,
            area: Rect::default(),
        })
    }

    /// Takes the terminal over again after another program used it, and clears the screen.
    ///
    /// # Errors
    /// It cannot be switched.
    pub fn retake(&mut self) -> Result<(), Error> {
        enter()?;
        // Not its own `clear`, which asks the terminal where the cursor is and reads the answer among
        // the keys. A new one draws every cell again.
        execute!(stdout(), Clear(ClearType::All)).map_err(|e| unusable(&e))?;
        self.terminal = fresh(&self.frame_links)?;
        if let Some(canvas) = &mut self.canvas {
            canvas.forget();
        }
        Ok(())
    }

    /// Draws a frame, and then the pixels that it places; gives the area of the frame.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, ui: &mut Ui, state: &State) -> io::Result<Rect> {
        let mut relinked = Vec::new();
        let drawn = self.terminal.draw(|frame| {
            ui.draw(frame, state);
            relinked = self.frame_links.set(self.links.addresses(ui.links()));
        })?;
        let cells = cells_again(drawn.buffer, &relinked);
        let (area, change) = match &mut self.canvas {
            None => (drawn.area, CanvasChange::default()),
            Some(canvas) => {
                if drawn.area != self.area {
                    // Its letters were all drawn again, and took the pixels with them.
                    canvas.cleared();
                }
                (drawn.area, canvas.show(ui.placements()))
            }
        };
        let again = cells_again(drawn.buffer, &change.cells);
        self.area = area;
        let backend = self.terminal.backend_mut();
        if !cells.is_empty() {
            backend.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)))?;
            Backend::flush(backend)?;
        }
        if change == CanvasChange::default() {
            return Ok(area);
        }
        stdout().write_all(change.erase.as_bytes())?;
        let backend = self.terminal.backend_mut();
        backend.draw(again.iter().map(|(x, y, cell)| (*x, *y, cell)))?;
        stdout().write_all(change.show.as_bytes())?;
        stdout().flush()?;
        Ok(area)
    }

    /// Gives the terminal to another program, until [`Screen::retake`].
    pub fn lend(&mut self) {
        give_back();
    }

    /// Gives the terminal back to the shell and stops the process group; takes it over again when the shell
    /// continues it.
    ///
    /// # Errors
    /// The terminal cannot be switched.
    pub fn suspend(&mut self) -> Result<(), Error> {
        give_back();
        // Without a shell that could continue the group the system ignores this, and it returns at once.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        self.retake()
    }
}

fn fresh(links: &FrameLinks) -> Result<Terminal<ScreenBackend>, Error> {
    let backend = Linked::new(CrosstermBackend::new(Tty(stdout())), links.clone());
    Terminal::new(Anchored(backend)).map_err(|e| unusable(&e))
}

/// The cells of some places, to draw them again; not those that pixels cover.
fn cells_again(buffer: &Buffer, places: &[Rect]) -> Vec<(u16, u16, Cell)> {
    let again = places.iter().flat_map(|area| area.positions());
    again
        .filter_map(|at| Some((at.x, at.y, buffer.cell(at)?.clone())))
        .filter(|(.., cell)| cell.diff_option != CellDiffOption::Skip)
        .collect()
}

/// Events that are queued at most.
const EVENTS: usize = 256;

/// Keys, mouse and paste events of the terminal, read by a thread.
pub struct TerminalEvents {
    events: Receiver<Event>,
    thread: JoinHandle<()>,
}

impl TerminalEvents {
    /// The next one; `None` when the terminal can no longer be read. Safe to drop and call again.
    pub async fn recv(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Ends once nothing reads the terminal any more: what is typed from then on is another program's.
    pub async fn stop(self) {
        drop(self.events);
        let thread = self.thread;
        let _ = tokio::task::spawn_blocking(move || thread.join()).await; // it does not panic
    }
}

/// Begins to read events, until they are dropped. Must be called inside the runtime.
///
/// A thread of its own reads them, because crossterm does not return from a terminal that hangs up: it
/// reads the end of file in a loop.
///
/// # Errors
/// The system does not start a thread.
pub fn events() -> Result<TerminalEvents, Error> {
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
    let thread = started.map_err(|e| unusable(&e))?;
    Ok(TerminalEvents { events, thread })
}

/// Whether the terminal was closed: its window, the connection, or the session it was in.
pub fn hung_up() -> bool {
    HUNG_UP.load(Ordering::Relaxed) || !io::stdin().is_terminal() || !stdout().is_terminal()
}

/// Stdout that accepts every write after the terminal was closed: code that draws cannot do anything about
/// such an error, and some of it panics.
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

/// Takes the mouse, or leaves it to the terminal; what holds already is not written again.
pub fn take_mouse(taken: bool) -> io::Result<()> {
    match (MOUSE.swap(taken, Ordering::SeqCst), taken) {
        (false, true) => execute!(stdout(), EnableMouseCapture),
        (true, false) => execute!(stdout(), DisableMouseCapture),
        _ => Ok(()),
    }
}

fn enter() -> Result<(), Error> {
    enable_raw_mode().map_err(|e| unusable(&e))?;
    TAKEN.store(true, Ordering::SeqCst);
    MOUSE.store(true, Ordering::SeqCst);
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste,
        Print(notify::BEGIN)
    )
    .map_err(|e| unusable(&e))
}

/// Writes codes that change nothing of what is drawn.
pub fn send(codes: &str) {
    let mut out = stdout();
    let _ = out.write_all(codes.as_bytes()).and_then(|()| out.flush());
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Puts a text into the clipboard of the terminal (OSC 52), also through ssh; terminals that do
/// not support it ignore it.
pub fn copy(text: &str) {
    let text = agent_abi::model::base64(text.as_bytes());
    let mut out = stdout();
    let _ = write!(out, "\x1b]52;c;{text}\x07").and_then(|()| out.flush());
}

/// Gives the terminal back; safe to call twice.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let owed = free() + notify::reset();
        let _ = stdout().write_all(owed.as_bytes());
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
    static EXPECTED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs code that may panic and whose panics are caught; they do not end the program.
pub fn expecting_panics<T>(work: impl FnOnce() -> T) -> T {
    EXPECTED.set(true);
    let result = work();
    EXPECTED.set(false);
    result
}

/// Whether a panic of this thread is caught.
pub fn panic_expected() -> bool {
    EXPECTED.get()
}
