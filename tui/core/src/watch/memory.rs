//! How much of the watched tasks is kept in memory. Those that came first stay: were the oldest to make room, a round over
//! more tasks than there is room for would find none of them.

use super::Watched;
use crate::step::Log;
use crate::work::{Further, Inputs, Outcome};

/// Bytes of inputs and results that watched tasks keep. Inputs beyond that are fetched again at each build, results
/// beyond it are kept in short: route, number of labels, time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchMemory {
    inputs: usize,
    results: usize,
}

impl WatchMemory {
    /// Bytes of inputs.
    pub const INPUTS: usize = 48 << 20;
    /// Bytes of outcomes, errors, comparisons and log lines.
    pub const RESULTS: usize = 96 << 20;

    /// Room for inputs of this size.
    pub(super) const fn take_inputs(&mut self, size: usize, wanted: bool) -> bool {
        let fits = wanted || self.inputs + size <= Self::INPUTS;
        self.inputs += if fits { size } else { 0 };
        fits
    }

    /// Room for a result of this size.
    pub(super) const fn take_result(&mut self, size: usize, wanted: bool) -> bool {
        let fits = wanted || self.results + size <= Self::RESULTS;
        self.results += if fits { size } else { 0 };
        fits
    }

    pub(super) const fn free_inputs(&mut self, size: usize) {
        self.inputs -= size;
    }

    pub(super) const fn free_results(&mut self, size: usize) {
        self.results -= size;
    }

    /// Bytes of inputs and of results that are kept.
    #[must_use]
    pub const fn used(&self) -> (usize, usize) {
        (self.inputs, self.results)
    }
}

/// What a small thing takes beside its text.
const EACH: usize = 400;

/// Roughly the bytes that an outcome takes.
#[must_use]
pub fn size_of_outcome(outcome: &Outcome) -> usize {
    let blob =
        |labels: Option<&crate::work::LabelBlob>| labels.map_or(0, |blob| blob.as_str().len());
    let labels = outcome.patch.labels.iter();
    let labels = labels.map(|label| EACH + label.name.len() + label.detail.len());
    let further = outcome.further.iter().map(|further| match further {
        Further::Row(row) => {
            let before = row
                .change
                .before
                .as_ref()
                .map_or(0, |before| before.json.len());
            EACH + before + blob(row.change.labels_after.as_ref())
        }
        Further::Item(item) => EACH + item.text.len(),
        Further::Issue(issue) => EACH + issue.comment.len(),
    });
    let steps = outcome.steps.len() * EACH;
    EACH + blob(outcome.labels_after.as_ref())
        + labels.sum::<usize>()
        + further.sum::<usize>()
        + steps
}

/// Roughly the bytes that a log takes.
fn size_of_log(log: &Log) -> usize {
    let lines = log
        .lines
        .iter()
        .map(|line| line.target.len() + line.text.len() + 80);
    lines.sum()
}

/// How many inputs are fetched at once, so that those on their way stay small however large the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize(usize);

impl Default for BatchSize {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}

impl BatchSize {
    /// Before anything is known of the rows.
    const FIRST: usize = 20;
    /// Tasks at most.
    pub const MOST: usize = 50;
    /// Bytes of a batch.
    const BYTES: usize = 8 << 20;

    /// Tasks of the next batch.
    #[must_use]
    pub const fn tasks(self) -> usize {
        self.0
    }

    /// Learns from a batch that arrived.
    pub fn learn<'a>(&mut self, inputs: impl Iterator<Item = &'a Inputs>) {
        let (count, bytes) = inputs.fold((0, 0), |(n, all), one| (n + 1, all + one.size()));
        if let Some(each) = bytes.checked_div(count) {
            self.0 = (Self::BYTES / each.max(1)).clamp(1, Self::MOST);
        }
    }
}

/// Counts what a task keeps of its results, as far as there is room: of what is too much only the short form stays.
pub(super) fn keep(task: &mut Watched, memory: &mut WatchMemory) {
    memory.free_results(std::mem::take(&mut task.kept_results));
    let mut sizes = 0;
    let mut room = |size: usize| {
        let fits = memory.take_result(size, task.wanted);
        sizes += if fits { size } else { 0 };
        fits
    };
    for result in [&mut task.now, &mut task.before].into_iter().flatten() {
        let size = result.kept.as_ref().map(|given| match given {
            Ok(outcome) => size_of_outcome(outcome),
            Err(error) => error.summary.len() + error.cause.as_ref().map_or(0, String::len) + 600,
        });
        if size.is_some_and(|size| !room(size)) {
            result.kept = None;
        }
    }
    if let Some(comparison) = &mut task.comparison {
        let found = comparison.found.as_ref();
        let size = found.map(|found| 300 + found.labels.len() * 400 + found.others.len() * 200);
        if size.is_some_and(|size| !room(size)) {
            comparison.found = None;
        }
    }
    if task.log.total > 0 && !room(size_of_log(&task.log)) {
        task.log = Log::default();
    }
    task.kept_results = sizes;
}

/// Inputs for which there is no room go as soon as nothing needs them.
pub(super) fn drop_unkept(task: &mut Watched) {
    if task.kept_inputs == 0 {
        task.inputs = None;
    }
}
