//! Exit codes and the last line on stderr: the truth about how it ended, in one place.

use crate::print::Loss;
use crate::signals::Asked;
use std::io::Write;
use wb_core::error::Error;
use wb_ui::text;

/// Reasons to end, each with its code; several may hold.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    errors: Vec<Error>,
    /// Of what follows the work: a report that cannot be written leaves nothing to go on with.
    afterwards: Vec<Error>,
    signal: Option<u8>,
    conflicts: bool,
    failures: bool,
    stopped: bool,
    differences: bool,
    /// Whoever read stdout has gone.
    closed: bool,
    /// The exit code of a run that was followed to its end.
    other: Option<u8>,
}

/// When several hold, the first of these wins.
const ORDER: [u8; 14] = [70, 130, 143, 129, 6, 7, 8, 9, 3, 141, 2, 5, 1, 4];

/// As for a process that SIGPIPE ended.
const CLOSED: u8 = 141;

impl Ending {
    /// Something ended the command.
    pub fn error(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// The same, printed at once.
    pub fn fail(&mut self, error: Error) {
        print_error(&error);
        self.error(error);
    }

    /// Something failed when the work was done.
    pub fn afterwards(&mut self, error: Error) {
        self.afterwards.push(error);
    }

    /// Interrupted (2) or terminated (15).
    pub const fn signal(&mut self, signal: u8) {
        self.signal = Some(signal);
    }

    /// It was asked to stop before its work was done.
    pub const fn asked(&mut self, by: Asked) {
        match by {
            Asked::Signal(number) => self.signal(number),
            Asked::Time => self.stopped(),
        }
    }

    /// Tasks were left because others had changed them.
    pub const fn conflicts(&mut self) {
        self.conflicts = true;
    }

    /// Tasks failed after their retries.
    pub const fn failures(&mut self) {
        self.failures = true;
    }

    /// `--max-failures` or `--max-time` was reached.
    pub const fn stopped(&mut self) {
        self.stopped = true;
    }

    /// What is missing on stdout, for a message.
    pub fn lost(&mut self, loss: Loss) {
        if self.signal == Some(1) {
            return; // the terminal was closed, and stdout with it
        }
        match loss {
            Loss::Closed => {
                notice!("workbench: stdout was closed before everything was written to it");
                self.closed = true;
            }
            Loss::Broken(error) => {
                print_error(&error);
                self.afterwards(error);
            }
        }
    }

    /// A run that was followed ended with this exit code.
    pub const fn of_another(&mut self, code: u8) {
        self.other = Some(code);
    }

    /// Differences were found, and the command was asked to report them.
    pub const fn differences(&mut self) {
        self.differences = true;
    }

    /// Whether it stopped before its work was done, so that somebody may go on with it.
    #[must_use]
    pub fn interrupted(&self) -> bool {
        self.signal.is_some() || !self.errors.is_empty()
    }

    /// What ended it, where a signal did.
    #[must_use]
    pub const fn ended_by(&self) -> Option<&'static str> {
        match self.signal {
            Some(1) => Some("The terminal was closed"),
            Some(15) => Some("Terminated"),
            Some(_) => Some("Interrupted"),
            None => None,
        }
    }

    /// The last message of a command that was asked to stop.
    pub fn print_interrupted(&self) {
        let why = match (self.code(), self.ended_by()) {
            (9, _) => "Stopped by --max-time",
            (_, Some(why)) => why,
            _ if self.interrupted() => "Interrupted",
            _ => return,
        };
        notice!("{why}: nothing was lost; `workbench resume` goes on.");
    }

    /// The code, 0 when nothing holds.
    #[must_use]
    pub fn code(&self) -> u8 {
        let mut codes: Vec<u8> = (self.errors.iter())
            .chain(&self.afterwards)
            .map(|f| f.kind.exit_code())
            .collect();
        codes.extend(self.signal.map(|s| 128 + s));
        codes.extend(self.conflicts.then_some(5));
        codes.extend(self.failures.then_some(1));
        codes.extend(self.stopped.then_some(9));
        codes.extend(self.differences.then_some(4));
        codes.extend(self.other);
        codes.extend(self.closed.then_some(CLOSED));
        ORDER
            .iter()
            .copied()
            .find(|c| codes.contains(c))
            .unwrap_or(0)
    }
}

/// Prints an error for a person: what happened, why, what to do.
pub fn print_error(error: &Error) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "workbench: {}", text::clean(&error.summary));
    for line in error.explanation().take(40) {
        let _ = writeln!(out, "  {}", text::clean(&line));
    }
    for hint in &error.hints {
        let _ = writeln!(out, "  → {}", text::clean(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wb_core::error::ErrorKind;

    #[test]
    fn the_graver_reason_decides_the_exit_code() {
        let mut ending = Ending::default();
        assert_eq!(ending.code(), 0);
        ending.failures();
        assert_eq!(ending.code(), 1);
        ending.conflicts();
        assert_eq!(ending.code(), 5);
        ending.fail(Error::new(ErrorKind::Settings, ""));
        assert_eq!(ending.code(), 3);
        ending.fail(Error::new(ErrorKind::Network, ""));
        assert_eq!(ending.code(), 7);
        ending.signal(2);
        assert_eq!(ending.code(), 130);
    }

    #[test]
    fn a_closed_stdout_ends_as_sigpipe_does_unless_something_graver_holds() {
        let mut ending = Ending::default();
        ending.failures();
        ending.lost(Loss::Closed);
        assert_eq!(ending.code(), 141);
        ending.fail(Error::new(ErrorKind::Settings, ""));
        assert_eq!(ending.code(), 3);
    }

    #[test]
    fn a_report_that_fails_decides_the_code_but_leaves_nothing_to_go_on_with() {
        let mut ending = Ending::default();
        ending.afterwards(Error::new(ErrorKind::Settings, ""));
        assert_eq!((ending.code(), ending.interrupted()), (3, false));
    }
}
