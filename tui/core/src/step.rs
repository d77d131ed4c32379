//! Stepping one task: fetch → inputs → call → outcome → review → commit, each on its own key.
//!
//! The steps are data for the screen; the engine ([`crate::state`]) moves them on.

mod attempt;
mod walk;

pub use attempt::{PastAttempt, Reached, Until};
pub use walk::{HeldEffect, StepRow};

use crate::error::Error;
use crate::ids::{BuildId, JobId, Millis, StageId};
use crate::loading::Loading;
use crate::work::{Committed, FetchSpec, GivenEdits, Inputs, Outcome, TaskRow};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How far a stepped task is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum At {
    /// Nothing was done yet.
    Opened,
    /// Inputs are on their way.
    Fetching,
    /// Inputs are here; the agent was not called.
    Fetched,
    /// The agent runs.
    Calling,
    /// The agent gave an outcome or failed.
    Outcome,
    /// What would be written is shown.
    Review,
    /// It is being written.
    Committing,
    /// It was written, or refused.
    Committed,
}

impl At {
    /// One word for the header.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Fetching => "fetching",
            Self::Fetched => "before the call",
            Self::Calling => "running",
            Self::Outcome => "outcome",
            Self::Review => "review",
            Self::Committing => "committing",
            Self::Committed => "committed",
        }
    }
}

/// The level of a heading.
const HEADING: u8 = u8::MAX;

/// A line that came while the task ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Millis,
    /// 1 error … 5 trace; of a [heading](Self::is_heading) another one.
    pub level: u8,
    /// Module, `stdout`, `stderr`.
    pub target: String,
    /// The line as it came (strip control codes before drawing).
    pub text: String,
}

impl LogLine {
    /// Whether it is not the agent's: the name of what the lines after it belong to.
    #[must_use]
    pub const fn is_heading(&self) -> bool {
        self.level == HEADING
    }

    /// Whether the agent printed it, instead of logging it.
    #[must_use]
    pub fn is_printed(&self) -> bool {
        is_printed(&self.target)
    }

    fn size(&self) -> usize {
        self.target.len() + self.text.len()
    }
}

/// Whether lines of this target were printed.
#[must_use]
pub fn is_printed(target: &str) -> bool {
    matches!(target, "stdout" | "stderr")
}

/// The newest lines of a log and how many there were in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The newest lines.
    pub lines: VecDeque<LogLine>,
    /// The number of each of them, which it keeps when others go; and how many came, with headings.
    numbers: VecDeque<u64>,
    came: u64,
    /// How many there were.
    pub total: u64,
    /// Bytes in the lines.
    size: usize,
    /// How many of the lines were printed.
    printed: usize,
    /// The job that the newest lines belong to.
    of: Option<JobId>,
}

impl Log {
    /// Lines that are kept.
    pub const KEPT: usize = 2000;
    /// Bytes that are kept; the newest line is kept in any case.
    pub const BYTES: usize = 1 << 20;

    /// Lines that come now belong to this job. Those of another one are set off by a heading.
    pub fn belongs_to(&mut self, job: JobId, name: impl FnOnce() -> String) {
        if self.of == Some(job) {
            return;
        }
        self.of = Some(job);
        self.push(LogLine {
            at: Millis::default(),
            level: HEADING,
            target: String::new(),
            text: name(),
        });
        self.total -= 1;
    }

    /// The place of the first line of the newest job.
    #[must_use]
    pub fn newest(&self) -> usize {
        let heading = self.lines.iter().rposition(LogLine::is_heading);
        heading.map_or(0, |at| at + 1)
    }

    /// The number of the line at this place.
    #[must_use]
    pub fn number(&self, place: usize) -> Option<u64> {
        self.numbers.get(place).copied()
    }

    /// The place of the line with this number, or of the first one after it.
    #[must_use]
    pub fn place(&self, number: u64) -> usize {
        self.numbers.partition_point(|other| *other < number)
    }

    /// How many lines are no longer kept.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let kept = self.lines.iter().filter(|line| !line.is_heading()).count();
        self.total.saturating_sub(kept as u64)
    }

    /// Adds a line; the oldest go when there are too many, or when they are too long together. Printed lines push out
    /// logged ones, and these printed ones, only as far as they are fewer.
    pub fn push(&mut self, line: LogLine) {
        self.size += line.size();
        self.printed += usize::from(line.is_printed());
        self.lines.push_back(line);
        self.numbers.push_back(self.came);
        self.came += 1;
        self.total += 1;
        while self.lines.len() > Self::KEPT || self.size > Self::BYTES && self.lines.len() > 1 {
            let prints = self.printed * 2 > self.lines.len();
            let oldest = self.lines.iter().position(|l| l.is_printed() == prints);
            let oldest = oldest.unwrap_or(0);
            self.numbers.remove(oldest);
            let oldest = self.lines.remove(oldest);
            self.printed -= oldest.as_ref().map_or(0, |l| usize::from(l.is_printed()));
            self.size -= oldest.map_or(0, |line| line.size());
        }
    }
}

/// One task being stepped.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepper {
    /// Number of this stepping; late news of another is dropped.
    pub id: u64,
    /// Stage.
    pub stage: StageId,
    /// Task.
    pub row: TaskRow,
    /// Build it runs on.
    pub build: BuildId,
    /// How far.
    pub at: At,
    /// Goes on to the outcome without further keys.
    pub to_end: bool,
    /// The row around the call that is looked at, by its place in [`StepRow::before`] or [`StepRow::after`]; `None`:
    /// all of them were passed.
    pub looks_at: Option<usize>,
    /// Where its agent stops next.
    pub until: Until,
    /// The places that the attempt has reached.
    pub places: Vec<Reached>,
    /// Since when it is held at the last of them.
    pub held_since: Option<Millis>,
    /// A debugger is about to be attached to its host: its limits stand still.
    pub attached: bool,
    /// What was typed for the value that it is held at, and is not JSON.
    pub draft: Option<String>,
    /// Earlier attempts, the oldest first.
    pub past: Vec<PastAttempt>,
    /// What values are edited to in the next attempt, by the number of their place.
    pub edits: BTreeMap<usize, Arc<str>>,
    /// What a person makes of the inputs in the next attempt.
    pub given: Arc<GivenEdits>,
    /// What was fetched for the agent.
    pub inputs: Option<Arc<Inputs>>,
    /// What they were fetched for: a build that asks for something else has them fetched again.
    pub fetched_for: Option<FetchSpec>,
    /// The job under way.
    pub job: Option<JobId>,
    /// Process id of its host; `None` while it waits for one.
    pub pid: Option<u32>,
    /// When it began, later by what it loaded.
    pub since: Millis,
    /// What it loads.
    pub loading: Option<Loading>,
    /// Limit of the attempt in milliseconds.
    pub limit_ms: Option<u64>,
    /// Its attempt is one of the run, which hears how it ends.
    pub of_run: bool,
    /// Attempts made.
    pub attempts: u32,
    /// 0 to 1, when the agent reports it.
    pub progress: Option<f64>,
    /// What it gave.
    pub result: Option<Result<Arc<Outcome>, Error>>,
    /// How long the agent ran, in microseconds.
    pub run_us: u64,
    /// What an earlier build gave on the same inputs: build, route or error, labels.
    pub earlier: Option<(BuildId, String, (usize, usize, usize))>,
    /// The result of the commit.
    pub committed: Option<Committed>,
    /// Its log.
    pub log: Log,
}

impl Stepper {
    /// A task that is opened; nothing was done yet.
    #[must_use]
    pub fn new(id: u64, stage: StageId, row: TaskRow, build: BuildId, now: Millis) -> Self {
        Self {
            id,
            stage,
            row,
            build,
            at: At::Opened,
            to_end: false,
            looks_at: None,
            until: Until::Next,
            places: Vec::new(),
            held_since: None,
            attached: false,
            draft: None,
            past: Vec::new(),
            edits: BTreeMap::new(),
            given: Arc::default(),
            inputs: None,
            fetched_for: None,
            job: None,
            pid: None,
            since: now,
            loading: None,
            limit_ms: None,
            of_run: false,
            attempts: 0,
            progress: None,
            result: None,
            run_us: 0,
            earlier: None,
            committed: None,
            log: Log::default(),
        }
    }

    /// The rows after its end; none before that.
    #[must_use]
    pub fn rows_after(&self) -> Vec<StepRow> {
        let result = self.result.as_ref();
        let after = |result: &Result<Arc<Outcome>, Error>| match result {
            Ok(outcome) => StepRow::after(Ok(outcome)),
            Err(error) => StepRow::after(Err(error)),
        };
        result.map_or_else(Vec::new, after)
    }

    /// Whether its agent was called and no host has begun with it yet.
    #[must_use]
    pub const fn waits(&self) -> bool {
        matches!(self.at, At::Calling) && self.pid.is_none()
    }

    /// Lines of its log that come now belong to the newest attempt.
    pub fn name_attempt(&mut self) {
        let name = || format!("attempt {} · build {}", self.attempts, self.build);
        if let Some(job) = self.job {
            self.log.belongs_to(job, name);
        }
    }

    /// How long its agent has run, in milliseconds, without what it loads.
    #[must_use]
    pub fn ran_ms(&self, now: Millis) -> u64 {
        let loading = self.loading.as_ref().map(|loading| loading.since);
        let until = self.held_since.or(loading).unwrap_or(now);
        until.since(self.since)
    }

    /// How far it is, in one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        if self.waits() {
            "waiting"
        } else if self.held_since.is_some() {
            "paused"
        } else if self.loading.is_some() {
            "loading"
        } else {
            self.at.word()
        }
    }

    /// Another attempt begins: nothing of the one before is its own.
    pub(crate) fn begin_attempt(&mut self) {
        (self.places, self.held_since) = (Vec::new(), None);
        self.looks_at = None;
        (self.attached, self.draft) = (false, None);
    }

    /// Keeps what the last attempt came to: another one follows.
    pub(crate) fn remember(&mut self, text: &str, labels: (usize, usize, usize)) {
        if self.past.len() >= PastAttempt::KEPT {
            self.past.remove(0);
        }
        self.past.push(PastAttempt {
            number: self.attempts,
            build: self.build,
            places: std::mem::take(&mut self.places),
            text: text.to_owned(),
            labels,
            run_us: self.run_us,
        });
    }

    /// The place that the attempt is held at.
    #[must_use]
    pub fn held_at(&self) -> Option<&Reached> {
        self.places.last().filter(|_| self.held_since.is_some())
    }

    /// Whether there is an outcome that may be written.
    #[must_use]
    pub fn can_commit(&self) -> bool {
        let ended = matches!(self.at, At::Outcome | At::Review);
        ended && !self.is_parked() && matches!(self.result, Some(Ok(_)))
    }

    /// Whether it waits at a pause point after its end, and its run has not heard of that yet.
    #[must_use]
    pub const fn is_parked(&self) -> bool {
        self.of_run && self.job.is_some() && matches!(self.at, At::Outcome | At::Review)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logged_lines_survive_any_number_of_printed_ones() {
        let line = |n: usize, target: &str| LogLine {
            at: Millis(0),
            level: 3,
            target: target.to_owned(),
            text: n.to_string(),
        };
        let mut log = Log::default();
        for n in 0..10 * Log::KEPT {
            let target = if n % 100 == 0 { "cars" } else { "stdout" };
            log.push(line(n, target));
        }
        let logged = log.lines.iter().filter(|l| !l.is_printed()).count();
        assert_eq!((logged, log.lines.len()), (10 * Log::KEPT / 100, Log::KEPT));
        for n in 0..10 * Log::KEPT {
            log.push(line(n, "cars"));
        }
        let printed = log.lines.iter().filter(|l| l.is_printed()).count();
        assert_eq!((printed, log.lines.len()), (Log::KEPT / 2, Log::KEPT));
    }
}
