//! The terminal: taken over and always given back, after a panic and a signal too.

use crate::anchored::Anchored;
use crate::exit::print_fault;
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
use std::io::{IsTerminal, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use wb_core::fault::{Fault, FaultKind};
use wb_core::limits;

/// Whether the terminal is ours now; read by the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, ours until it is dropped.
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<Anchored<CrosstermBackend<Stdout>>>,
}

/// Refuses to go on without a terminal on both sides.
///
/// # Errors
/// Input or output is no terminal, or one without a cursor: what to do instead.
pub fn required(what: &str) -> Result<(), Fault> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if std::io::stdin().is_terminal() && stdout().is_terminal() && !dumb {
        return Ok(());
    }
    let why = if dumb {
        "that can move its cursor, and TERM says \"dumb\""
    } else {
        "and this is none"
    };
    let between = if dumb { " " } else { ", " };
    Err(
        Fault::new(FaultKind::Usage, format!("{what}{between}{why}"))
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
    pub fn take() -> Result<Self, Fault> {
        enter()?;
        Ok(Self { terminal: fresh()? })
    }

    /// Takes the terminal over again, after somebody else had it: whatever they left there is wiped.
    ///
    /// # Errors
    /// It cannot be switched.
    pub fn retake(&mut self) -> Result<(), Fault> {
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
    pub fn suspend(&mut self) -> Result<(), Fault> {
        give_back();
        // Without a shell that could go on with us the system ignores this, and we are back at once.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        self.retake()
    }
}

fn fresh() -> Result<Terminal<Anchored<CrosstermBackend<Stdout>>>, Fault> {
    Terminal::new(Anchored(CrosstermBackend::new(stdout()))).map_err(|e| unusable(&e))
}

fn unusable(error: &std::io::Error) -> Fault {
    Fault::new(
        FaultKind::Usage,
        format!("the terminal cannot be used: {error}"),
    )
}

fn enter() -> Result<(), Fault> {
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

/// A panic of a library that has run into a limit of the machine ends the program in plain words. Any other one, in whatever thread, gives the terminal back, says where its report is and ends
/// the program: what it was about to do can no longer be trusted, and the journal knows the rest.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        if EXPECTED.get() {
            return;
        }
        give_back();
        if let Some(fault) = limits::reached(&info.to_string()) {
            print_fault(&fault);
            std::process::exit(i32::from(fault.kind.exit_code()));
        }
        let path = std::env::temp_dir().join(format!("workbench-crash-{}.txt", std::process::id()));
        let trace = std::backtrace::Backtrace::force_capture();
        let text = format!("workbench {}\n{info}\n{trace}\n", env!("CARGO_PKG_VERSION"));
        tell!(
            "workbench: something broke inside the workbench (not your agent). Nothing was written that the journal does not know; `workbench resume` goes on."
        );
        match std::fs::write(&path, text) {
            Ok(()) => tell!("Report: {}", path.display()),
            Err(_) => tell!("{info}"),
        }
        std::process::exit(70);
    }));
}
