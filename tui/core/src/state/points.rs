//! Pause points of the stages: set and removed, found for a place, kept for the next start.

use super::*;
use crate::pause::{Condition, PausePoint, PointAt, Sight, ends};

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

    /// Sets a pause point, or removes the one that is there.
    pub(super) fn toggle_point(&mut self, stage: StageId, at: PointAt) -> Vec<Effect> {
        let points = self.points.entry(stage).or_default();
        let words = match points.iter().position(|point| point.at == at) {
            Some(place) => {
                points.remove(place);
                format!("no longer pauses at {}", at.words())
            }
            None => {
                let words = format!("tasks pause at {}", at.words());
                let condition = None;
                points.push(PausePoint { at, condition });
                words
            }
        };
        self.points_changed(stage, words)
    }

    /// Sets a pause point with a condition, in place of the one that is there.
    pub(super) fn set_point(
        &mut self,
        stage: StageId,
        at: PointAt,
        condition: Condition,
    ) -> Vec<Effect> {
        let point = PausePoint {
            at,
            condition: Some(condition),
        };
        let words = format!("tasks pause at {}", point.words());
        let points = self.points.entry(stage).or_default();
        match points.iter_mut().find(|known| known.at == point.at) {
            Some(known) => *known = point,
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
        let places = ends(result).into_iter();
        let sight = || Sight::ended(row, result, run_us);
        places
            .filter_map(|at| self.holds_at(stage, &at, sight))
            .next()
    }
}
