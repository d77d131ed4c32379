//! Asks for the passphrase of a key: in the terminal without echo, or on the screen before it opens.
//!
//! When to ask and how often is left to the client's settings.

use crate::terminal::Screen;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use wb_client::{Passphrase, PassphraseRequest, Zeroizing};
use wb_ui::UiSettings;
use wb_ui::passphrase::{PassphraseView, draw};
use wb_ui::text::clean;

/// Longest passphrase that is read, in bytes: more is a file that was pasted.
const LONGEST: usize = 4096;

/// A passphrase was typed: no other process can use the key without being asked.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Whether a passphrase was typed in this process.
pub fn was_typed() -> bool {
    ENTERED.load(Ordering::Relaxed)
}

fn entered(typed: Typed) -> Passphrase {
    ENTERED.store(true, Ordering::Relaxed);
    Passphrase::Entered(typed.0)
}

/// What is typed. The room is taken at once, so that no copy stays behind where a longer one is moved to.
struct Typed(Zeroizing<String>);

impl Typed {
    fn new() -> Self {
        Self(Zeroizing::new(String::with_capacity(LONGEST)))
    }

    fn push(&mut self, c: char) {
        if self.0.len() + c.len_utf8() <= LONGEST && !c.is_control() {
            self.0.push(c);
        }
    }
}

/// Asks in the terminal, whatever stdin and stdout are: a person is there when stdin or stderr is a terminal.
pub fn in_terminal(request: &PassphraseRequest) -> Passphrase {
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Passphrase::Unavailable;
    }
    match asked(request) {
        Ok(Some(typed)) => entered(typed),
        Ok(None) => Passphrase::Declined,
        Err(error) => {
            tracing::debug!(%error, "the terminal cannot be read");
            Passphrase::Unavailable
        }
    }
}

fn asked(request: &PassphraseRequest) -> io::Result<Option<Typed>> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let quiet = Quiet::begin(&terminal)?;
    let again = match request.attempt {
        1 => "",
        _ => "Wrong passphrase. ",
    };
    let (place, fingerprint) = (clean(&request.place), &request.fingerprint);
    let question = format!("{again}Passphrase for the key in {place} ({fingerprint}): ");
    (&terminal).write_all(question.as_bytes())?;
    let typed = typed(&terminal);
    drop(quiet);
    (&terminal).write_all(b"\n")?;
    let (typed, interrupted) = typed?;
    if interrupted {
        interrupt();
    }
    Ok(typed)
}

/// What is typed until the end of a line; whether it was interrupted instead.
fn typed(mut terminal: &File) -> io::Result<(Option<Typed>, bool)> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    loop {
        let mut byte = [0];
        match terminal.read(&mut byte) {
            Ok(0) => return Ok((None, false)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => {
                read?;
            }
        }
        match byte[0] {
            b'\r' | b'\n' => break,
            3 => return Ok((None, true)),                      // Ctrl-C
            4 if bytes.is_empty() => return Ok((None, false)), // Ctrl-D
            8 | 127 => {
                // The last character may have several bytes.
                while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            21 => bytes.clear(), // Ctrl-U
            byte if byte >= 32 && bytes.len() < LONGEST => bytes.push(byte),
            _ => {}
        }
    }
    let mut typed = Typed::new();
    String::from_utf8_lossy(&bytes)
        .chars()
        .for_each(|c| typed.push(c));
    Ok((Some(typed), false))
}

/// A terminal that echoes nothing and passes each key on, until this is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes -=
            LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Ends the command as Ctrl-C does elsewhere.
fn interrupt() {
    let _ = kill_process(getpid(), Signal::INT);
}

/// Asks in a box on the screen, which opens when the key is there.
pub fn on_screen(request: &PassphraseRequest, look: &UiSettings) -> Passphrase {
    let Ok(mut screen) = Screen::take(crate::links::TerminalLinks::default()) else {
        return Passphrase::Unavailable;
    };
    let answer = boxed(request, look, &mut screen);
    drop(screen);
    match answer {
        Ok(BoxAnswer::Entered(typed)) => entered(typed),
        Ok(BoxAnswer::Declined) => Passphrase::Declined,
        Ok(BoxAnswer::Interrupted) => {
            interrupt();
            Passphrase::Declined
        }
        Err(_) => Passphrase::Unavailable,
    }
}

enum BoxAnswer {
    Entered(Typed),
    Declined,
    Interrupted,
}

fn boxed(
    request: &PassphraseRequest,
    look: &UiSettings,
    screen: &mut Screen,
) -> io::Result<BoxAnswer> {
    let mut typed = Typed::new();
    loop {
        let view = PassphraseView {
            place: &request.place,
            fingerprint: &request.fingerprint,
            attempt: request.attempt,
            typed: typed.0.chars().count(),
            unicode: look.unicode,
        };
        let drawn = screen
            .terminal
            .draw(|frame| draw(frame, &look.styles, &view));
        drawn.map(drop)?;
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => return Ok(BoxAnswer::Entered(typed)),
                KeyCode::Esc => return Ok(BoxAnswer::Declined),
                KeyCode::Char('c') if control(&key) => return Ok(BoxAnswer::Interrupted),
                KeyCode::Char('u') if control(&key) => typed.0.clear(),
                KeyCode::Char(c) if !control(&key) => typed.push(c),
                KeyCode::Backspace => {
                    typed.0.pop();
                }
                _ => {}
            },
            Event::Paste(text) => Zeroizing::new(text).chars().for_each(|c| typed.push(c)),
            _ => {}
        }
    }
}

const fn control(key: &KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL)
}
