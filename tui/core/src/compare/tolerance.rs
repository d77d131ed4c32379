//! How far two sides may differ before a command reports it: `overlap=0.95,ms=2x`. Counting and exit codes are left to
//! the faces.

use super::{Comparison, LabelFate, TaskComparison};
use std::str::FromStr;

/// What is tolerated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Labels that both sides have may have moved as long as they overlap by this much, 0 to 1; points, lines and
    /// skeletons may lie as far apart as this lacks of 1, in shares of the diagonal. `None`: none may have moved.
    pub overlap: Option<f64>,
    /// B may take this many times as long as A in the middle of all tasks. `None`: times do not count.
    pub times: Option<f64>,
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::default();
        for part in text.split(',') {
            let wrong = || {
                format!(
                    "cannot read {part:?}; write overlap=0.95 or ms=2x, with a comma between them"
                )
            };
            let (name, value) = part.trim().split_once('=').ok_or_else(wrong)?;
            let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
            match name.trim() {
                "overlap" => {
                    let overlap = number(value)?;
                    if !(0.0..=1.0).contains(&overlap) {
                        return Err("an overlap is between 0 and 1, e.g. overlap=0.95".to_owned());
                    }
                    all.overlap = Some(overlap);
                }
                "ms" => {
                    let times = number(value.trim().strip_suffix('x').ok_or_else(wrong)?)?;
                    if !(times.is_finite() && times > 0.0) {
                        return Err("a factor is greater than zero, e.g. ms=2x".to_owned());
                    }
                    all.times = Some(times);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(all)
    }
}

impl Tolerance {
    /// Whether a task differs by more than is tolerated, its time aside.
    #[must_use]
    pub fn exceeded_by(&self, task: &TaskComparison) -> bool {
        let beyond = |label: &super::ComparedLabel| {
            let near = label.overlap.or_else(|| Some(1.0 - label.distance?));
            label.fate != LabelFate::Moved
                || near
                    .zip(self.overlap)
                    .is_none_or(|(near, least)| near < least)
        };
        let labels = task.labels.iter().any(beyond);
        task.changed_route
            || task.failed[0] != task.failed[1]
            || !task.others.is_empty()
            || task.note.is_some()
            || labels
    }

    /// Whether B takes longer than is tolerated.
    #[must_use]
    pub fn too_slow(&self, all: &Comparison) -> bool {
        let means = all.times.mean_ms().zip(self.times);
        means.is_some_and(|([a, b], times)| b > a * times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{ComparedLabel, RunTimes};

    fn moved(overlap: f64) -> TaskComparison {
        let label = ComparedLabel {
            fate: LabelFate::Moved,
            name: "Car".into(),
            hashes: [None, None],
            frame: 0,
            overlap: Some(overlap),
            distance: None,
            details: [None, None],
        };
        TaskComparison {
            labels: vec![label],
            ..TaskComparison::default()
        }
    }

    #[test]
    fn moved_labels_are_tolerated_from_the_overlap_on_and_nothing_else_is() {
        let tolerance: Tolerance = "overlap=0.95".parse().unwrap();
        assert!(!tolerance.exceeded_by(&moved(0.95)));
        assert!(tolerance.exceeded_by(&moved(0.94)));
        assert!(Tolerance::default().exceeded_by(&moved(0.998)));
        assert!(!Tolerance::default().exceeded_by(&TaskComparison::default()));
        let route = TaskComparison {
            changed_route: true,
            ..TaskComparison::default()
        };
        assert!(tolerance.exceeded_by(&route));
        let mut added = moved(1.0);
        added.labels[0].fate = LabelFate::Added;
        assert!(tolerance.exceeded_by(&added));
    }

    #[test]
    #[allow(clippy::field_reassign_with_default)] // it has a field of its own module
    fn times_count_only_where_a_factor_is_given() {
        let mut all = Comparison::default();
        all.times = RunTimes {
            tasks: 2,
            run_us: [4_000, 9_000],
        };
        let tolerance: Tolerance = "overlap=0.9, ms=2x".parse().unwrap();
        assert!(tolerance.too_slow(&all) && !Tolerance::default().too_slow(&all));
        all.times.run_us[1] = 8_000;
        assert!(!tolerance.too_slow(&all));
    }

    #[test]
    fn what_cannot_be_read_is_answered_with_what_to_write() {
        for wrong in [
            "",
            "overlap",
            "overlap=1.5",
            "overlap=NaN",
            "ms=2",
            "ms=0x",
            "ms=infx",
            "speed=2",
        ] {
            assert!(wrong.parse::<Tolerance>().is_err(), "{wrong}");
        }
    }
}
