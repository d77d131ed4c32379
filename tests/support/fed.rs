//! A command whose input is a pipe: a thread feeds it, others read what it prints, and each wait has a deadline. So neither
//! side waits for the other when a pipe is full.

use super::DEADLINE;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;

/// Runs a command with this input to its end.
pub fn fed(command: &mut Command, input: impl AsRef<[u8]>) -> Output {
    let mut fed = Fed::start(command);
    fed.write(input);
    fed.close();
    fed.end()
}

/// Lines that somebody writes, as they come.
pub fn lines_of(source: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A command that is being fed.
pub struct Fed {
    child: Child,
    input: Option<Sender<Vec<u8>>>,
    answers: Lines,
    errors: Lines,
}

/// Lines of one of its outputs.
struct Lines {
    coming: Receiver<Vec<u8>>,
    /// Those that were waited for one by one.
    seen: Vec<u8>,
}

impl Lines {
    fn of(source: Option<impl Read + Send + 'static>) -> Self {
        let (send, coming) = channel();
        if let Some(source) = source {
            std::thread::spawn(move || {
                let mut source = BufReader::new(source);
                let mut line = Vec::new();
                while source.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                    if send.send(std::mem::take(&mut line)).is_err() {
                        return;
                    }
                }
            });
        }
        Self {
            coming,
            seen: Vec::new(),
        }
    }

    /// The next line; `None` at the end.
    fn next(&mut self, until: Instant) -> Option<String> {
        let left = until.saturating_duration_since(Instant::now());
        match self.coming.recv_timeout(left) {
            Ok(line) => {
                self.seen.extend(&line);
                Some(String::from_utf8_lossy(&line).trim_end().to_owned())
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let seen = String::from_utf8_lossy(&self.seen);
                panic!("the command neither ends nor prints; it has printed:\n{seen}")
            }
        }
    }

    fn rest(&mut self, until: Instant) -> Vec<u8> {
        while self.next(until).is_some() {}
        std::mem::take(&mut self.seen)
    }
}

impl Fed {
    /// Starts a command; what it prints is kept.
    pub fn start(command: &mut Command) -> Self {
        Self::with_stdout(command, Stdio::piped())
    }

    /// Starts a command that prints elsewhere.
    pub fn with_stdout(command: &mut Command, stdout: Stdio) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(stdout);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (input, pieces) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            for piece in pieces {
                // A command that ends early closes its input.
                if stdin
                    .write_all(&piece)
                    .and_then(|()| stdin.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self {
            answers: Lines::of(child.stdout.take()),
            errors: Lines::of(child.stderr.take()),
            input: Some(input),
            child,
        }
    }

    /// Its process.
    pub fn process(&self) -> &Child {
        &self.child
    }

    /// Gives it some input; it stays open.
    pub fn write(&mut self, input: impl AsRef<[u8]>) {
        let input = input.as_ref().to_vec();
        let _ = self.input.as_ref().unwrap().send(input);
    }

    /// Gives it a line, and waits for a line of its output.
    pub fn ask(&mut self, line: &str) -> String {
        self.write(format!("{line}\n"));
        let answer = self.answers.next(Instant::now() + DEADLINE);
        answer.unwrap_or_else(|| panic!("it has ended instead of answering {line}"))
    }

    /// The next line that it prints on stderr; `None` at the end.
    pub fn error(&mut self) -> Option<String> {
        self.errors.next(Instant::now() + DEADLINE)
    }

    /// The end of its input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Waits for its end, whether its input is closed or not.
    pub fn end(mut self) -> Output {
        let until = Instant::now() + DEADLINE;
        let (stdout, stderr) = (self.answers.rest(until), self.errors.rest(until));
        let status: ExitStatus = self.child.wait().unwrap();
        Output {
            status,
            stdout,
            stderr,
        }
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
