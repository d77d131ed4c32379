//! The real program in a pseudo-terminal: keys in, the screen out as text.

use super::{DEADLINE, OF_THE_MACHINE, PROGRAM, Server};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The state folder of a person who has seen the cards that explain the first steps.
fn experienced() -> &'static Path {
    static FOLDER: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("workbench");
        std::fs::create_dir(&ours).unwrap();
        std::fs::write(
            ours.join("cards"),
            "first-step\nfirst-outcome\nfirst-commit\n",
        )
        .unwrap();
        folder
    };
    FOLDER.get_or_init(make).path()
}

/// The program in a pseudo-terminal.
pub struct Terminal {
    parser: vt100::Parser,
    bytes: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Everything the program wrote, for what a screen cannot show.
    pub raw: Vec<u8>,
    /// What it answers when it is asked what it can do; `None` once it was asked.
    answers: Option<String>,
}

/// What every terminal answers, and no more.
const PLAIN: &str = "\x1b[?62;22c";

impl Terminal {
    /// The screen on a server's project with these agents, once they are active.
    pub fn open(server: &Server, dir: &Path, agents: &Path, size: (u16, u16)) -> Self {
        Self::open_in(server, dir, agents, &[], size)
    }

    /// The same with more variables in the environment.
    pub fn open_in(
        server: &Server,
        dir: &Path,
        agents: &Path,
        more: &[(&str, String)],
        size: (u16, u16),
    ) -> Self {
        let args = [
            "--project-hash",
            &server.project(),
            "--agents",
            agents.to_str().unwrap(),
        ];
        let env = [&server.env()[..], more].concat();
        let mut screen = Self::start(dir, &args, &env, size);
        screen.wait("build #1");
        screen
    }

    /// Starts the program with these arguments and environment.
    pub fn start(
        dir: &Path,
        args: &[&str],
        env: &[(&str, String)],
        (columns, rows): (u16, u16),
    ) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.cwd(dir);
        for name in OF_THE_MACHINE.into_iter().chain(["NO_COLOR"]) {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in super::surroundings(dir) {
            command.env(name, value);
        }
        command.env("XDG_STATE_HOME", experienced());
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self {
            parser,
            bytes,
            keys,
            master: pair.master,
            child,
            raw: Vec::new(),
            answers: Some(PLAIN.to_owned()),
        }
    }

    /// A terminal that answers this, when it is asked what it can do.
    pub fn answering(mut self, answers: &str) -> Self {
        self.answers = Some(format!("{answers}{PLAIN}"));
        self
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.raw.extend_from_slice(bytes);
        if let Some(answers) = self
            .answers
            .take_if(|_| self.raw.windows(3).any(|three| three == b"\x1b[c"))
        {
            self.keys(&answers);
        }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        self
    }

    /// The screen as text, a line for each row.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// The frame in the colour of the focus: its first column and row, and its last ones.
    pub fn bright_frame(&self) -> Option<[u16; 4]> {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let (rows, columns) = (rows.get(), columns.get());
        let bright = |row: u16, column: u16| {
            let cell = screen.cell(row, column)?;
            let line = cell.contents().chars().next()?;
            let is_line = ('\u{2500}'..='\u{257f}').contains(&line);
            (is_line && cell.fgcolor() == vt100::Color::Idx(6)).then_some((row, column))
        };
        let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        all.filter_map(|(row, column)| bright(row, column))
            .fold(None, |found, (row, column)| {
                let [left, top, right, bottom] = found.unwrap_or([column, row, column, row]);
                let (left, right) = (left.min(column), right.max(column));
                Some([left, top.min(row), right, bottom.max(row)])
            })
    }

    /// Waits until the bright frame is as wanted.
    pub fn wait_frame(&mut self, what: &str, wanted: impl Fn([u16; 4]) -> bool) -> [u16; 4] {
        self.wait_for(what, |screen| screen.bright_frame().is_some_and(&wanted));
        // It may be half drawn.
        self.settle();
        self.bright_frame().unwrap()
    }

    /// Makes the terminal larger or smaller.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master
            .resize(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Types a line in linear mode; gives everything that is written until the prompt comes back below these words.
    pub fn line(&mut self, line: &str, words: &str) -> String {
        let from = self.raw.len();
        self.keys(&format!("{line}\n"));
        let since = |this: &Self| String::from_utf8_lossy(&this.raw[from..]).into_owned();
        self.wait_for(words, |this| {
            let text = since(this);
            text.contains(words) && text.ends_with("\n> ")
        });
        since(self)
    }

    /// Waits until the screen shows something; gives the time it took.
    pub fn wait(&mut self, what: &str) -> Duration {
        self.wait_until(what, |text| text.contains(what))
    }

    /// Waits until the screen is as wanted; a screen that never is fails with its picture.
    pub fn wait_until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> Duration {
        self.wait_for(what, |screen| wanted(&screen.text()))
    }

    /// Waits until the program has written something that a screen of letters cannot show.
    pub fn wait_for_bytes(&mut self, what: &str) -> Duration {
        let wanted = what.as_bytes();
        self.wait_for(what, |screen| {
            screen
                .raw
                .windows(wanted.len())
                .any(|bytes| bytes == wanted)
        })
    }

    fn wait_for(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) -> Duration {
        let began = Instant::now();
        let until = began + DEADLINE;
        loop {
            if wanted(self) {
                return began.elapsed();
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never saw {what}; the screen is:\n{}", self.text())
                }
            }
        }
    }

    /// Takes in what the program draws until it pauses; false: it has ended.
    pub fn settle(&mut self) -> bool {
        let until = Instant::now() + Duration::from_millis(100);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left.min(Duration::from_millis(8))) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Quits the program, and confirms when it asks because something is still running.
    pub fn quit(&mut self) -> (u32, String) {
        self.keys("q");
        self.end(|screen| {
            if screen.text().contains("Quit the workbench?") {
                screen.keys("y");
                return true;
            }
            false
        })
    }

    /// Waits until the program has ended; gives its exit code and the last screen. One that does
    /// not end fails with its picture.
    pub fn ended(&mut self) -> (u32, String) {
        self.end(|_| true)
    }

    /// As `ended`; `look` sees every new screen until it is satisfied.
    fn end(&mut self, look: impl Fn(&mut Self) -> bool) -> (u32, String) {
        let until = Instant::now() + DEADLINE;
        let mut satisfied = false;
        loop {
            match self
                .bytes
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => {
                    self.take(&bytes);
                    satisfied = satisfied || look(self);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the program did not end; the screen is:\n{}", self.text())
                }
            }
        }
        let status = self.child.wait().unwrap();
        (status.exit_code(), self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}
