//! Pause points of the stages: set and removed, found for a place, kept for the next start.

use super::*;
use crate::pause::{PausePoint, PointAt, PointChange, Sight};
use crate::step::StepRow;

impl State {
    /// The pause points of a stage.
    #[must_use]
    pub fn points_of(&self, stage: StageId) -> &[PausePoint] {
        self.points.get(&stage).map_or(&[], Vec::as_slice)
    }

    /// The pause point of a stage at this place.
    #[must_use]
    pub fn point_at(&self, stage: StageId, at: &PointAt) -> Option<&PausePoint> {
        self.points_of(stage).iter().find(|point| point.at == *at)
    }

    /// Sets a pause point, changes it, or removes the one that is there.
    pub(super) fn change_point(
        &mut self,
        stage: StageId,
        at: PointAt,
        change: PointChange,
    ) -> Vec<Effect> {
        let points = self.points.entry(stage).or_default();
        let place = points.iter().position(|point| point.at == at);
        let condition = match (change, place) {
            (PointChange::Toggled, Some(place)) => {
                points.remove(place);
                return self.points_changed(stage, format!("no longer pauses at {}", at.words()));
            }
            (PointChange::Toggled, None) => None,
            (PointChange::If(condition), _) => Some(*condition),
        };
        let point = PausePoint { at, condition };
        let words = format!("tasks pause at {}", point.words());
        match place {
            Some(place) => points[place] = point,
            None => points.push(point),
        }
        self.points_changed(stage, words)
    }

    fn points_changed(&mut self, stage: StageId, words: String) -> Vec<Effect> {
        self.info(Kind::Task, words);
        let points = self.points_of(stage).iter().map(PausePoint::saved);
        let points = points.collect();
        vec![Effect::SavePoints { stage, points }]
    }

    /// Whether attempts of a run at this stage report the places that they reach.
    pub(super) fn run_pauses(&self, stage: StageId) -> bool {
        self.run_holds() && self.points_of(stage).iter().any(|p| p.at.is_inside())
    }

    /// Whether tasks of a run at this stage may wait before their agent is called.
    pub(super) fn run_waits(&self, stage: StageId) -> bool {
        self.run_holds() && self.points_of(stage).iter().any(|p| p.at.is_before())
    }

    /// Whether tasks of the run may wait for a person.
    pub(super) fn run_holds(&self) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|run| run.spec.sink != Sink::Commit && !run.cancelled)
    }

    /// The pause point that holds at a place, in words.
    pub(super) fn holds_at(
        &self,
        stage: StageId,
        at: &PointAt,
        sight: impl FnOnce() -> Sight,
    ) -> Option<String> {
        let point = self.point_at(stage, at)?;
        let why = match point.condition {
            Some(_) => point.holds(&sight())?,
            None => None,
        };
        Some(match why {
            Some(why) => format!("{} ({why})", point.words()),
            None => point.words(),
        })
    }

    /// The pause point that holds at the end of an attempt, in words.
    pub(super) fn holds_after(
        &self,
        stage: StageId,
        row: &crate::work::TaskRow,
        result: &Result<Arc<Outcome>, Error>,
        run_us: u64,
    ) -> Option<String> {
        if self.points_of(stage).is_empty() {
            return None;
        }
        let result = result.as_ref().map(|outcome| &**outcome);
        let rows = StepRow::after(result);
        let sight = || Sight::ended(row, result, run_us);
        rows.into_iter()
            .find_map(|at| self.holds_at(stage, &at.at(None, result.is_err()), sight))
    }

    /// The first row before the call, from this one on, at which a pause point holds, and that in words.
    pub(super) fn holds_before(
        &self,
        stage: StageId,
        inputs: &Inputs,
        from: usize,
    ) -> Option<(usize, String)> {
        if !self.points_of(stage).iter().any(|p| p.at.is_before()) {
            return None;
        }
        let parameters = self.params_of(stage);
        let rows = StepRow::before(inputs, self.takes_parameters(stage));
        let all = rows.into_iter().enumerate().skip(from);
        for (place, row) in all {
            let sight = || match row {
                StepRow::Input(at) => {
                    let timing = &inputs.timings[at];
                    let document = inputs.document(&timing.what);
                    Sight::before(&inputs.row, document.map(|json| &**json), timing.ms)
                }
                StepRow::Parameters => Sight::before(&inputs.row, Some(&parameters), 0.0),
                _ => Sight::before(&inputs.row, Some(&inputs.task_json), 0.0),
            };
            if let Some(why) = self.holds_at(stage, &row.at(Some(inputs), false), sight) {
                return Some((place, why));
            }
        }
        None
    }

    /// The first row after the end of the open task's attempt, from this one on, at which a pause point holds.
    pub(super) fn step_holds_after(&self, from: usize) -> Option<(usize, String)> {
        let step = self.step.as_ref()?;
        let result = step.result.as_ref()?;
        let result = result.as_ref().map(|outcome| &**outcome);
        let sight = || Sight::ended(&step.row, result, step.run_us);
        let mut rows = step.rows_after().into_iter().enumerate().skip(from);
        rows.find_map(|(place, row)| {
            let at = row.at(None, result.is_err());
            Some((place, self.holds_at(step.stage, &at, sight)?))
        })
    }
}
