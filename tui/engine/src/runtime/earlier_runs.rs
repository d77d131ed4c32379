//! Earlier runs of the folder, read off the screen's thread. Keeping them is left to [`crate::screen_store`], comparing
//! them to the core.

use super::World;
use crate::screen_store::results;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event};
use wb_core::ids::StageId;

impl World {
    /// Performs an effect of a comparison.
    pub(super) fn compares(&self, effect: Effect) {
        match effect {
            Effect::Compare(task) => self.compare(task),
            Effect::ListRuns => self.list_runs(),
            Effect::ReadRun {
                comparison,
                side,
                run,
                stage,
            } => self.read_run((comparison, side), run, stage),
            _ => {}
        }
    }

    /// Looks which earlier runs there are. Without a store there are none.
    fn list_runs(&self) {
        let Some((dir, project)) = self.store.as_ref().map(|store| store.place()) else {
            return;
        };
        let news = self.news.clone();
        tokio::task::spawn_blocking(move || match results::runs(&dir, project) {
            Ok(runs) => drop(news.blocking_send(Event::RunsListed(runs))),
            Err(error) => tracing::warn!(%error, "earlier runs cannot be read"),
        });
    }

    /// Reads what an earlier run gave for the tasks of a stage.
    fn read_run(&self, (comparison, side): (u64, usize), run: u64, stage: StageId) {
        let place = self.store.as_ref().map(|store| store.place());
        let news = self.news.clone();
        tokio::task::spawn_blocking(move || {
            let kept = place.ok_or_else(|| {
                let text = "this screen keeps no results: another one is open in this folder";
                Error::new(ErrorKind::Settings, text)
            });
            let results = kept.and_then(|(dir, project)| results::of_run(&dir, project, run));
            let results = results.map(|mut all| {
                all.retain(|kept| kept.result.stage == stage);
                all
            });
            let _ = news.blocking_send(Event::RunRead {
                comparison,
                side,
                results,
            });
        });
    }
}
