//! Pause points of the stages: set and removed, found for a place, kept for the next start.

use super::*;
use crate::pause::{PausePoint, PointAt, PointChange, Sight, ends};

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
        let dry = self
            .run
            .as_ref()
            .is_some_and(|run| run.spec.sink != Sink::Commit);
        dry && self.points_of(stage).iter().any(|p| p.at.is_inside())
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
        let mut places = ends(result).into_iter();
        let sight = || Sight::ended(row, result, run_us);
        places.find_map(|at| self.holds_at(stage, &at, sight))
    }
}
