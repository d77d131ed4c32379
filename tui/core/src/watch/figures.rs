//! What a round of watched tasks came to: a few counters, kept up to date task by task. They are whole numbers, so that
//! taking a task out leaves exactly what the others add up to.

use crate::compare::{TaskComparison, two_digits};
use crate::counted::{number, plural};

/// Parts of an overlap of 1.
const MILLION: f64 = 1_000_000.0;

/// How the newest build differs over all watched tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchFigures {
    /// Tasks on which the newest build, or one before it, has run.
    pub ran: usize,
    /// Tasks on which two builds were compared.
    pub compared: usize,
    /// Of these, how many differ in anything but the time.
    pub differing: usize,
    /// Which take another route.
    pub routes: usize,
    /// Whose labels differ.
    pub labels: usize,
    /// Which failed before and do not now.
    pub mended: usize,
    /// Which fail now and did not.
    pub broken: usize,
    /// Which differ in something else only: priority, metadata, other rows, the error.
    pub others: usize,
    /// Of which only route and number of labels could be compared.
    pub in_short: usize,
    /// Tasks on which the newest build fails.
    pub failed: usize,
    /// Overlaps of the labels that both builds have, in millionths, summed up.
    overlap: u64,
    /// How many these are.
    overlaps: u64,
}

impl WatchFigures {
    /// What one compared task adds.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to the number of labels, times a million
    pub fn of(differs: &TaskComparison, in_short: bool) -> Self {
        let [before, now] = differs.failed;
        let (routes, labels) = (
            differs.changed_route && !before && !now,
            differs.counts.differing() > 0,
        );
        let all = differs.differs();
        let flag = usize::from;
        Self {
            ran: 0,
            compared: 1,
            differing: flag(all),
            routes: flag(routes),
            labels: flag(labels),
            mended: flag(before && !now),
            broken: flag(!before && now),
            others: flag(all && !routes && !labels && before == now),
            in_short: flag(in_short),
            failed: 0,
            overlap: (differs.counts.overlap_sum.max(0.0) * MILLION).round() as u64,
            overlaps: differs.counts.overlaps as u64,
        }
    }

    /// Mean overlap of the labels that both builds have; `None` without any that cover something.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of labels
    pub fn mean_overlap(&self) -> Option<f64> {
        (self.overlaps > 0).then(|| self.overlap as f64 / MILLION / self.overlaps as f64)
    }

    /// In one line: `12 of 400 tasks changed route, 31 changed labels, mean overlap 0.93, 2 fail that did not`.
    #[must_use]
    pub fn words(&self) -> String {
        let all = plural(self.compared, "task");
        if self.compared == 0 {
            return "nothing to compare with yet".to_owned();
        }
        if self.differing == 0 {
            return format!("no difference on {all}");
        }
        let mut parts = vec![match self.routes {
            0 => format!(
                "{} of {all} differ, none in its route",
                number(self.differing)
            ),
            n => format!("{} of {all} changed route", number(n)),
        }];
        let mut add =
            |n: usize, what: &str| parts.extend((n > 0).then(|| format!("{} {what}", number(n))));
        add(self.labels, "changed labels");
        let overlap = self.mean_overlap().filter(|_| self.labels > 0);
        let overlap = overlap.map(|overlap| format!("mean overlap {}", two_digits(overlap)));
        parts.extend(overlap);
        let mut add = |n: usize, one: &str, many: &str| {
            let what = if n == 1 { one } else { many };
            parts.extend((n > 0).then(|| format!("{} {what}", number(n))));
        };
        add(self.broken, "fails that did not", "fail that did not");
        add(self.mended, "no longer fails", "no longer fail");
        add(self.others, "differs otherwise", "differ otherwise");
        add(self.in_short, "compared in short", "compared in short");
        parts.join(", ")
    }

    /// Adds what another task has.
    pub(super) const fn add(&mut self, other: &Self) {
        self.ran += other.ran;
        self.compared += other.compared;
        self.differing += other.differing;
        self.routes += other.routes;
        self.labels += other.labels;
        self.mended += other.mended;
        self.broken += other.broken;
        self.others += other.others;
        self.in_short += other.in_short;
        self.failed += other.failed;
        self.overlap += other.overlap;
        self.overlaps += other.overlaps;
    }

    /// Takes out what a task had added.
    pub(super) const fn take_out(&mut self, other: &Self) {
        self.ran -= other.ran;
        self.compared -= other.compared;
        self.differing -= other.differing;
        self.routes -= other.routes;
        self.labels -= other.labels;
        self.mended -= other.mended;
        self.broken -= other.broken;
        self.others -= other.others;
        self.in_short -= other.in_short;
        self.failed -= other.failed;
        self.overlap -= other.overlap;
        self.overlaps -= other.overlaps;
    }
}
