//! `workbench attach`: follows a run of this folder until it ends, as a line on a terminal, as its own lines elsewhere.

use super::runs::{after_death, figures, object};
use crate::cli::{AttachArgs, Global};
use crate::exit::Ending;
use crate::print;
use crate::signals::Signals;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::time::Duration;
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::error::{Error, ErrorKind};
use wb_engine::background::{self, RunFolder};
use wb_ui::text::clean;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// `workbench attach`
///
/// # Errors
/// This folder has no such run, or what it has noted cannot be read.
pub async fn attach(global: &Global, args: &AttachArgs) -> Result<Ending, Error> {
    let number = match args.run {
        Some(number) => number,
        None => newest()?,
    };
    let folder = RunFolder::of(number)?;
    let mut signals = Signals::new()?;
    if args.stop {
        folder.stop()?;
    }
    let mut follower = Follower::new(global, &folder);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            signal = signals.next() => {
                follower.end();
                notice!("Detached; the run goes on: workbench attach {number}");
                let mut ending = Ending::default();
                ending.signal(signal);
                return Ok(ending);
            }
        }
        let run = folder.status()?;
        follower.show(&run)?;
        if !run.state.is_alive() {
            return follower.over(&run, &folder);
        }
        if !follower.heard {
            // Whoever read the lines has gone.
            return Ok(Ending::default());
        }
    }
}

/// The newest run that is under way; else the newest.
fn newest() -> Result<u64, Error> {
    let all = background::all();
    let alive = all.iter().rfind(|run| run.state.is_alive());
    let found = alive.or(all.last()).map(|run| run.run);
    found.ok_or_else(|| Error::new(ErrorKind::Usage, "no run of this folder is known"))
}

/// Shows how far a run is.
struct Follower {
    bar: Option<ProgressBar>,
    lines: Option<BufReader<File>>,
    json: bool,
    /// A line that is not complete yet.
    part: Vec<u8>,
    heard: bool,
}

impl Follower {
    fn new(global: &Global, folder: &RunFolder) -> Self {
        let json = global.json || !std::io::stdout().is_terminal();
        let bar = (!json && !global.plain && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        let lines = json.then(|| File::open(folder.lines()).ok()).flatten();
        Self {
            bar,
            lines: lines.map(BufReader::new),
            json,
            part: Vec::new(),
            heard: true,
        }
    }

    fn show(&mut self, run: &BackgroundRun) -> Result<(), Error> {
        if let Some(bar) = &self.bar {
            let stage = clean(&run.stage);
            let stopping = match run.state {
                BackgroundState::Stopping => " · stopping",
                _ => "",
            };
            let text = format!("run #{} · {stage} · {}{stopping}", run.run, figures(run));
            bar.set_message(text);
            bar.tick();
        }
        self.copy_lines()
    }

    /// Prints the lines that are complete.
    fn copy_lines(&mut self) -> Result<(), Error> {
        let Some(lines) = &mut self.lines else {
            return Ok(());
        };
        while self.heard {
            let read = lines.read_until(b'\n', &mut self.part).map_err(|error| {
                let text = format!("the lines of the run cannot be read: {error}");
                Error::new(ErrorKind::Settings, text)
            })?;
            if read == 0 || !self.part.ends_with(b"\n") {
                break;
            }
            self.heard = print::text(&String::from_utf8_lossy(&self.part));
            self.part.clear();
        }
        Ok(())
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// The run is over: its summary, and its own exit code.
    fn over(&mut self, run: &BackgroundRun, folder: &RunFolder) -> Result<Ending, Error> {
        self.copy_lines()?;
        self.end();
        let mut ending = Ending::default();
        if run.state == BackgroundState::Died {
            let text = format!("run #{} died at {}", run.run, figures(run));
            ending.fail(Error::new(ErrorKind::Host, text).hint(after_death(run)));
            return Ok(ending);
        }
        match (self.json, &self.lines) {
            (true, None) => out!("{}", object(run)),
            (true, Some(_)) => {}
            (false, _) => {
                let messages = match run.exit_code {
                    Some(0) => String::new(),
                    _ => std::fs::read_to_string(folder.messages()).unwrap_or_default(),
                };
                for line in messages.lines() {
                    notice!("{}", clean(line));
                }
                let summary = run.summary.clone().unwrap_or_else(|| figures(run));
                let (number, word) = (run.run, run.state.word());
                out!("run #{number} {word}: {}", clean(&summary));
            }
        }
        ending.of_another(run.exit_code.unwrap_or(0));
        Ok(ending)
    }
}
