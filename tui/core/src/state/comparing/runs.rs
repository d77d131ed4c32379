//! Comparisons in which a side is an earlier run: what it gave is read first, and no agent runs for it. Of two runs the
//! tasks that both have are compared, wherever they are now.

use super::*;
use crate::comparing::StoredResult;
use crate::counted::number;
use crate::figures::KeptRun;

impl State {
    /// The earlier runs of the folder are known.
    pub(in crate::state) fn runs_listed(&mut self, runs: Vec<KeptRun>) -> Vec<Effect> {
        self.earlier_runs = runs;
        Vec::new()
    }

    /// Asks for what the sides that are runs gave.
    pub(super) fn read_runs(&mut self) -> Vec<Effect> {
        let Some(comparing) = &mut self.comparing else {
            return Vec::new();
        };
        let (comparison, stage) = (comparing.id, comparing.stage);
        let sides = comparing.sides.into_iter().enumerate();
        let read = |(side, of): (usize, CompareSide)| {
            Some(Effect::ReadRun {
                comparison,
                side,
                run: of.run()?,
                stage,
            })
        };
        let effects: Vec<Effect> = sides.filter_map(read).collect();
        comparing.reading = effects.len();
        effects
    }

    /// What a side gave was read.
    pub(in crate::state) fn run_read(
        &mut self,
        comparison: u64,
        side: usize,
        results: Result<Vec<StoredResult>, Error>,
    ) -> Vec<Effect> {
        let comparing = self.comparing.as_mut();
        let Some(comparing) = comparing.filter(|c| c.id == comparison && !c.is_over()) else {
            return Vec::new();
        };
        let (name, run) = (comparing.sides[side].words(), comparing.sides[side].run());
        let results = match results {
            Ok(results) => results,
            Err(error) => {
                let text = format!("what {name} gave could not be read: {}", error.summary);
                comparing.remarks.push(text);
                return self.stop_comparison();
            }
        };
        let known = self.earlier_runs.iter();
        let known = known.clone().find(|known| Some(known.number) == run);
        comparing
            .remarks
            .extend(no_longer_kept(&name, results.len(), known));
        let by_task = results.into_iter().map(|kept| (kept.result.task, kept));
        comparing.runs[side] = by_task.collect();
        comparing.reading = comparing.reading.saturating_sub(1);
        if comparing.reading == 0 {
            comparing.choose_tasks();
        }
        self.advance_comparison()
    }

    /// Tasks of two runs: they are compared without being read upstream.
    pub(super) fn take_run_tasks(&mut self) {
        let most = self.jobs_beside() * UNDER_WAY;
        let Some(comparing) = &mut self.comparing else {
            return;
        };
        let of_runs = CompareSide::are_runs(comparing.sides);
        while of_runs
            && comparing.ready.len() < most
            && let Some(row) = comparing.rows.pop_front()
        {
            let kept = comparing.runs[0].get(&row.id);
            comparing.ready.extend(kept.map(StoredResult::inputs));
        }
    }

    /// What a run gave for a task. It is needed once.
    pub(super) fn of_earlier_run(&mut self, at: usize, task: TaskId) -> SideResult {
        let comparing = self.comparing.as_mut();
        let kept = comparing.and_then(|comparing| comparing.runs[at].remove(&task));
        kept.map_or_else(
            || {
                let error = Error::new(ErrorKind::Settings, "the run has no result for it");
                SideResult::new(Err(error), None)
            },
            |kept| kept.side(),
        )
    }
}

impl Comparing {
    /// The tasks that both sides have, once what runs gave is known; what one side only has is counted.
    fn choose_tasks(&mut self) {
        let names = self.sides.map(CompareSide::words);
        let before = self.rows.len();
        let only = if CompareSide::are_runs(self.sides) {
            let [a, b] = &self.runs;
            let mut both: Vec<&StoredResult> = a.values().collect();
            both.retain(|kept| b.contains_key(&kept.result.task));
            both.sort_by_key(|kept| (&kept.result.title, kept.result.task));
            let n = both.len();
            self.rows = both.iter().map(|kept| kept.inputs().row.clone()).collect();
            [a.len() - n, b.len() - n]
        } else {
            let at = usize::from(self.sides[1].run().is_some());
            let run = &self.runs[at];
            self.rows.retain(|row| run.contains_key(&row.id));
            let mut only = [before - self.rows.len(); 2];
            only[at] = run.len() - self.rows.len();
            only
        };
        self.asked = self.rows.len();
        for ((side, name), n) in self.sides.iter().zip(names).zip(only) {
            let remark = match (n, side.run()) {
                (0, _) => continue,
                (n, Some(_)) if CompareSide::are_runs(self.sides) => {
                    format!("{} only in {name}", plural(n, "task"))
                }
                (n, Some(_)) => format!(
                    "{} only in {name}: not chosen, or no longer at the stage",
                    plural(n, "task")
                ),
                (n, None) => format!(
                    "{} chosen that the run has no result for",
                    plural(n, "task")
                ),
            };
            self.remarks.push(remark);
        }
    }
}

/// What a person should know of a run whose results are not kept any more, or not all of them.
fn no_longer_kept(name: &str, read: usize, known: Option<&KeptRun>) -> Option<String> {
    // A run over several stages keeps the newest result of each task; how many were at this one is not known.
    let all = known
        .filter(|run| run.stages.len() == 1)
        .map(|run| run.tasks);
    let all = all.and_then(|all| usize::try_from(all).ok());
    match (read, all) {
        (0, _) => Some(format!(
            "no results of {name} at this stage are kept any more"
        )),
        (read, Some(all)) if read < all => Some(format!(
            "of {name} {} of {} results are still kept",
            number(read),
            number(all)
        )),
        _ => None,
    }
}
