//! Any number of compared tasks summed up: matrix of routes, labels by class, times, and the worst tasks. Its memory
//! does not grow with the tasks, but for the [`ROWS`] worst of them.

use super::{LabelCounts, TaskComparison, two_digits};
use crate::counted::{number, plural};
use crate::ids::TaskId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tasks that are kept by themselves, the worst ones; all are counted.
pub const ROWS: usize = 5_000;
/// Pairs of routes that are counted by themselves; a workflow could have thousands.
const PAIRS: usize = 400;
/// What further pairs of routes are counted as.
const OTHERS: &str = "others";

/// One task of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedTask {
    /// The task.
    pub task: TaskId,
    /// Title of its data unit, as it came.
    pub title: Box<str>,
    /// How its results differ.
    #[serde(flatten, serialize_with = "as_it_is")]
    pub differs: Arc<TaskComparison>,
}

/// What tasks are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskOrder {
    /// By [`TaskComparison::severity`].
    #[default]
    Worst,
    /// The least mean overlap first.
    Overlap,
    /// The largest change of time first.
    Time,
    /// By title.
    Title,
}

impl TaskOrder {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Worst => Self::Overlap,
            Self::Overlap => Self::Time,
            Self::Time => Self::Title,
            Self::Title => Self::Worst,
        }
    }

    /// What a person reads.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Overlap => "least overlap first",
            Self::Time => "largest change of time first",
            Self::Title => "by title",
        }
    }
}

/// How long the agents ran on the tasks on which both sides have a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunTimes {
    /// How many tasks.
    pub tasks: usize,
    /// Microseconds of A and of B.
    pub run_us: [u64; 2],
}

impl RunTimes {
    /// Mean milliseconds of A and of B.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // times for a person
    pub fn mean_ms(&self) -> Option<[f64; 2]> {
        let mean = |us: u64| us as f64 / 1_000.0 / self.tasks as f64;
        (self.tasks > 0).then(|| self.run_us.map(mean))
    }
}

/// Compared tasks, summed up.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// How many.
    pub tasks: usize,
    /// On how many anything but the time differs.
    pub differing: usize,
    /// On how many the route or the error is another one.
    pub changed_route: usize,
    /// On how many A failed, and B.
    pub failed: [usize; 2],
    /// How many took each pair of routes, from A to B.
    #[serde(serialize_with = "as_rows")]
    pub routes: BTreeMap<(String, String), usize>,
    /// Labels by class.
    pub classes: BTreeMap<String, LabelCounts>,
    /// All labels.
    pub labels: LabelCounts,
    /// Tasks with another priority.
    pub priorities: usize,
    /// How long the agents ran.
    pub times: RunTimes,
    /// The worst tasks, at most [`ROWS`]; in no order until [`Comparison::sort`].
    pub rows: Vec<ComparedTask>,
    /// Severity from which a task is among the worst, once there are more.
    #[serde(skip)]
    least: f64,
}

fn as_it_is<S: serde::Serializer>(differs: &TaskComparison, to: S) -> Result<S::Ok, S::Error> {
    differs.serialize(to)
}

fn as_rows<S: serde::Serializer>(
    routes: &BTreeMap<(String, String), usize>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(routes.iter().map(|((from, to), n)| (from, to, n)))
}

impl Comparison {
    /// Counts a task, and keeps it if it differs and is among the worst.
    pub fn add(&mut self, task: ComparedTask) {
        let differs = &*task.differs;
        self.tasks += 1;
        self.differing += usize::from(differs.differs());
        self.changed_route += usize::from(differs.changed_route);
        for (all, failed) in self.failed.iter_mut().zip(differs.failed) {
            *all += usize::from(failed);
        }
        self.count_route(differs);
        for (name, counts) in &differs.classes {
            self.classes.entry(name.clone()).or_default().add(counts);
        }
        self.labels.add(&differs.counts);
        self.priorities += usize::from(differs.priority.is_some());
        if let [Some(a), Some(b)] = differs.run_us {
            self.times.tasks += 1;
            self.times.run_us[0] += a;
            self.times.run_us[1] += b;
        }
        let severity = differs.severity();
        if self.rows.len() < ROWS * 2 && severity >= self.least {
            self.rows.push(task);
        }
        if self.rows.len() == ROWS * 2 {
            self.cut();
        }
    }

    /// Twice as many are gathered before the less bad half goes, so that each costs little.
    fn cut(&mut self) {
        self.sort(TaskOrder::Worst);
        self.rows.truncate(ROWS);
        self.least = self.rows.last().map_or(0.0, |row| row.differs.severity());
    }

    fn count_route(&mut self, differs: &TaskComparison) {
        let pair = (
            differs.route_of(0).to_owned(),
            differs.route_of(1).to_owned(),
        );
        let full = self.routes.len() >= PAIRS && !self.routes.contains_key(&pair);
        let pair = if full {
            (OTHERS.to_owned(), OTHERS.to_owned())
        } else {
            pair
        };
        *self.routes.entry(pair).or_default() += 1;
    }

    /// Sorts the kept tasks, and leaves the [`ROWS`] worst of them.
    pub fn sort(&mut self, order: TaskOrder) {
        let worst = |row: &ComparedTask| row.differs.severity();
        self.rows.sort_by(|a, b| {
            worst(b)
                .total_cmp(&worst(a))
                .then_with(|| a.title.cmp(&b.title))
                .then(a.task.cmp(&b.task))
        });
        self.rows.truncate(ROWS);
        let overlap = |row: &ComparedTask| row.differs.counts.mean_overlap().unwrap_or(2.0);
        match order {
            TaskOrder::Worst => {}
            TaskOrder::Overlap => self.rows.sort_by(|a, b| overlap(a).total_cmp(&overlap(b))),
            TaskOrder::Time => self.rows.sort_by_key(|row| std::cmp::Reverse(time(row))),
            TaskOrder::Title => self.rows.sort_by(|a, b| a.title.cmp(&b.title)),
        }
    }

    /// In one line: `12 of 400 tasks changed route, mean overlap 0.93`, and what else differs.
    #[must_use]
    pub fn words(&self) -> String {
        let all = plural(self.tasks, "task");
        if self.tasks == 0 {
            return "no task was compared".to_owned();
        }
        if self.differing == 0 {
            return format!("no difference on {all}");
        }
        let mut parts = vec![match self.changed_route {
            0 => format!(
                "{} of {all} differ, none in its route",
                number(self.differing)
            ),
            n => format!("{} of {all} changed route", number(n)),
        }];
        let labels = &self.labels;
        let overlap = labels.mean_overlap().map(two_digits);
        parts.extend(overlap.map(|overlap| format!("mean overlap {overlap}")));
        for (n, what) in [
            (labels.added, "added"),
            (labels.removed, "removed"),
            (labels.moved, "moved"),
            (labels.changed, "answered differently"),
        ] {
            parts.extend((n > 0).then(|| format!("{} {what}", plural(n, "label"))));
        }
        if self.priorities > 0 {
            parts.push(format!("{} with another priority", number(self.priorities)));
        }
        if self.failed != [0, 0] {
            let [a, b] = self.failed.map(number);
            parts.push(format!("failed {a} → {b}"));
        }
        parts.join(", ")
    }
}

/// How much longer or shorter B took, in microseconds.
fn time(row: &ComparedTask) -> u64 {
    match row.differs.run_us {
        [Some(a), Some(b)] => a.abs_diff(b),
        _ => 0,
    }
}
