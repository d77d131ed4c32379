//! Settings that hold from the moment they are saved: rate, time limit and concurrency of a run that
//! is under way. A flag takes precedence over the file, as ever.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use wb_core::command::Command;
use wb_core::error::Error;
use wb_engine::attempt_limit::AttemptLimit;
use wb_engine::config::Config;
use wb_engine::flags::Flags;
use wb_engine::saved::RunRequest;

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// What may change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests a second.
    pub rate: Option<f64>,
    /// Milliseconds of one attempt, where the agent declares none.
    pub timeout_ms: Option<u64>,
    /// Jobs at a time.
    pub concurrency: usize,
}

impl Limits {
    /// As flags and files set it.
    #[must_use]
    pub fn of(config: &Config, args: &RunRequest) -> Self {
        let file = config.concurrency.as_ref().map(|c| c.value);
        Self {
            rate: args.rate.or(config.rate.as_ref().map(|r| r.value)),
            timeout_ms: wb_engine::upstream::timeout_ms(args.timeout, config),
            concurrency: args.concurrency.or(file).unwrap_or(1),
        }
    }
}

/// Watches the settings files.
pub struct Live {
    flags: Flags,
    args: RunRequest,
    files: Vec<(PathBuf, Option<SystemTime>)>,
    now: Limits,
    looked: Instant,
}

impl Live {
    /// Begins with what holds now.
    #[must_use]
    pub fn new(flags: &Flags, config: &Config, args: &RunRequest) -> Self {
        let files = wb_engine::config::files(flags);
        Self {
            files: files.into_iter().map(|f| (f.clone(), saved(&f))).collect(),
            flags: flags.clone(),
            args: args.clone(),
            now: Limits::of(config, args),
            looked: Instant::now(),
        }
    }

    /// What holds.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.now
    }

    /// Looks at the files now and then; gives what follows when one was saved, and what to print.
    pub fn look(&mut self) -> (Vec<Command>, Option<String>) {
        if self.looked.elapsed() < LOOK {
            return (Vec::new(), None);
        }
        self.looked = Instant::now();
        let mut changed = false;
        for (file, seen) in &mut self.files {
            let now = saved(file);
            changed |= now != *seen;
            *seen = now;
        }
        if !changed {
            return (Vec::new(), None);
        }
        match Config::load(&self.flags) {
            Ok(config) => self.take(Limits::of(&config, &self.args)),
            Err(error) => (Vec::new(), Some(broken(&error))),
        }
    }

    fn take(&mut self, new: Limits) -> (Vec<Command>, Option<String>) {
        let mut commands = Vec::new();
        let mut changes = Vec::new();
        if new.rate != self.now.rate {
            let word = |r: Option<f64>| r.map_or_else(|| "none".to_owned(), |r| format!("{r}/s"));
            changes.push(format!(
                "rate {} (was {})",
                word(new.rate),
                word(self.now.rate)
            ));
            commands.push(Command::Rate(new.rate));
        }
        if new.timeout_ms != self.now.timeout_ms {
            let (to, from) = (new.timeout_ms, self.now.timeout_ms);
            let (to, from) = (AttemptLimit::of_ms(to), AttemptLimit::of_ms(from));
            changes.push(format!("timeout {to} (was {from})"));
            commands.push(Command::DefaultTimeout(new.timeout_ms));
        }
        if new.concurrency != self.now.concurrency {
            let (to, from) = (new.concurrency, self.now.concurrency);
            changes.push(format!("concurrency {to} (was {from})"));
            commands.push(Command::SetConcurrency(to));
        }
        self.now = new;
        let text = (!changes.is_empty())
            .then(|| format!("settings changed, from now on: {}", changes.join(", ")));
        (commands, text)
    }
}

fn saved(file: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|m| m.modified()).ok()
}

fn broken(error: &Error) -> String {
    let why = error.cause.as_deref().unwrap_or_default().trim_end();
    format!(
        "{}; the run goes on with what held before\n{}",
        wb_ui::text::clean(&error.summary),
        wb_ui::text::clean(why)
    )
}
