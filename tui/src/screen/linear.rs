//! Linear mode: the same session read line by line and driven by lines, for `--plain` and for terminals that cannot move
//! their cursor. What the lines are is left to [`wb_ui::linear`].

use super::{HANG_UP, Session, TICK};
use crate::exit::Ending;
use crate::print;
use crate::signals::Signals;
use rustix::process::{Signal, getpid, kill_process};
use std::io::{IsTerminal, stdin};
use tokio::sync::mpsc::{self, Receiver};
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event};
use wb_ui::Outside;
use wb_ui::linear::{Linear, is_settled};
use wb_ui::recording::RecordedEntry;

const PROMPT: &str = "> ";

/// Lines that may wait to be acted on.
const AHEAD: usize = 16;

/// Who types the lines.
struct Typist {
    lines: Receiver<String>,
    /// A person at a terminal has a prompt, and may type while something runs; the next line of a script waits
    /// until what the line before it started is over.
    person: bool,
    /// The prompt is the last that was written.
    prompted: bool,
    ended: bool,
}

impl Typist {
    fn new() -> Result<Self, Error> {
        let (send, lines) = mpsc::channel(AHEAD);
        let read = move || {
            for line in stdin().lines() {
                let Ok(line) = line else { return };
                if send.blocking_send(line).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("wb-lines".into());
        let started = thread.spawn(read);
        started.map_err(|e| Error::new(ErrorKind::Usage, format!("stdin cannot be read: {e}")))?;
        Ok(Self {
            lines,
            person: stdin().is_terminal(),
            prompted: false,
            ended: false,
        })
    }

    /// The next line; `None` at the end of them.
    async fn next(&mut self) -> Option<String> {
        let line = self.lines.recv().await;
        match &line {
            // The terminal has echoed it; elsewhere it belongs into the transcript.
            Some(line) if !self.person => out!("{PROMPT}{line}"),
            Some(_) => self.prompted = false,
            None => self.ended = true,
        }
        line
    }

    /// Writes lines below what a person types at; whether somebody can still read them.
    fn write(&mut self, lines: &[String]) -> bool {
        if lines.is_empty() {
            return true;
        }
        let mut text = lines.join("\n");
        text.push('\n');
        if std::mem::take(&mut self.prompted) {
            text.insert(0, '\n');
        }
        print::text(&text)
    }

    fn prompt(&mut self) {
        if self.person && !self.prompted {
            self.prompted = print::text(PROMPT);
        }
    }
}

impl Session {
    /// Reads lines and does what they ask for until `quit` or the end of the input.
    pub(super) async fn read_lines(&mut self, ending: &mut Ending) -> Result<(), Error> {
        let mut signals = Signals::new()?;
        let mut typist = Typist::new()?;
        let mut linear = Linear::new();
        let mut tick = tokio::time::interval(TICK);
        while !self.quit {
            let settled = is_settled(self.engine.state()) && !self.begin.waits();
            self.recording.note(|| RecordedEntry::Lines(settled));
            let lines = linear.take_lines(&mut self.ui, self.engine.state(), settled);
            if !typist.write(&lines) {
                ending.signal(HANG_UP);
                break;
            }
            self.keep_cards();
            if self.notifier.look_at(self.engine.state()) && typist.person {
                print::text("\x07");
            }
            if settled {
                if typist.ended {
                    break;
                }
                typist.prompt();
            }
            let listens = !typist.ended && (typist.person || settled);
            let mut effects = tokio::select! {
                line = typist.next(), if listens => match line {
                    Some(line) => self.line(&line, &mut linear),
                    None if typist.person => self.line("quit", &mut linear),
                    None => Vec::new(),
                },
                effects = self.engine.turn() => effects,
                () = self.begin.next() => Vec::new(),
                number = signals.next() => { ending.signal(number); break }
                _ = tick.tick() => { self.keep_now_and_then(); self.engine.tick() }
            };
            effects.extend(self.begin.settle(&mut self.engine));
            self.watch_recording();
            self.quit |= effects.contains(&Effect::Exit);
            self.plan_if_asked(&effects).await;
            self.go_on_if_asked(&effects).await;
            if effects.contains(&Effect::Suspend) {
                let _ = kill_process(getpid(), Signal::TSTP);
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str, linear: &mut Linear) -> Vec<Effect> {
        let mut effects = self.engine.feed(Event::Tick(wb_engine::runtime::now()));
        self.recording.note(|| RecordedEntry::Line(line.to_owned()));
        for command in linear.line(line, &mut self.ui, self.engine.state()) {
            effects.extend(self.begin.command(command, &mut self.engine));
        }
        if let Some(text) = self.ui.take_copied() {
            print::text(&format!("{}\n", text.trim_end()));
        }
        match self.ui.take_outside() {
            Some(Outside::Code(place)) => {
                print::text(&format!("{}\n", self.file_and_line(&place)));
            }
            Some(Outside::Value(value)) => {
                self.ui.edit_on_line(value, self.engine.state());
            }
            // A page is copied, and so its address was printed.
            Some(Outside::Page(_)) | None => {}
        }
        effects
    }
}
