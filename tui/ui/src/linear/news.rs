//! What has changed since lines were read last: new messages, the events of the stepped task, how far a run or a build
//! is, cards. Progress is reported now and then only.

use crate::Ui;
use crate::screens::first_build;
use crate::screens::run::percent;
use crate::screens::task::{event_text, next_text, outcome_lines};
use crate::screens::timeline::{self, Mark, What};
use crate::text::{clean, number};
use wb_core::ids::Millis;
use wb_core::state::State;
use wb_core::step::At;

/// Time between two reports of progress, in milliseconds.
const EVERY_MS: u64 = 5_000;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct ReadSoFar {
    messages: usize,
    /// The attempt whose events were read, and these.
    step: Option<(u64, u32)>,
    events: Vec<(Mark, String)>,
    outcome: bool,
    /// What the next command does, while the task waits for one.
    next: Option<String>,
    progress: Option<Millis>,
    /// How far the run was.
    run: Option<(u64, u64)>,
    building: String,
}

impl ReadSoFar {
    pub(super) fn take(&mut self, ui: &mut Ui, state: &State) -> Vec<String> {
        let mut all = Vec::new();
        for what in state.activity_since(self.messages) {
            let bad = if what.bad { "! " } else { "" };
            all.push(format!("{bad}{}", ui.keyed(&what.text)));
            if what.bad {
                all.extend(what.detail.iter().cloned());
            }
        }
        self.messages = state.noted;
        self.step(ui, state, &mut all);
        let due = self
            .progress
            .is_none_or(|at| state.now.since(at) >= EVERY_MS);
        let before = all.len();
        if due {
            self.run(state, &mut all);
            self.building(state, &mut all);
        }
        if all.len() > before {
            self.progress = Some(state.now);
        }
        if let Some(card) = ui.read_card(state) {
            all.extend(card);
        }
        all
    }

    /// Events that are over, and what the task waits for.
    fn step(&mut self, ui: &Ui, state: &State, all: &mut Vec<String>) {
        let Some(step) = &state.step else {
            self.step = None;
            return;
        };
        let attempt = Some((step.id, step.attempts));
        let rows = timeline::rows(step, state);
        if self.step.map(|(id, _)| id) != Some(step.id) {
            all.push(format!(
                "Task {} at {}:",
                clean(&step.row.title),
                clean(state.stage_title(step.stage))
            ));
            self.events.clear();
            self.outcome = false;
        }
        let again = self.step.is_some() && self.step != attempt;
        self.step = attempt;
        self.outcome &= step.result.is_some() && !again;
        let waits = step.held_at().is_some()
            || !matches!(step.at, At::Fetching | At::Calling | At::Committing) && !step.to_end;
        let mut spoken = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            // Where it waits is read then, and not again when it is done.
            let due = match row.mark {
                Mark::Done | Mark::Bad => true,
                Mark::Now => waits && row.what != What::Call,
                Mark::Todo => false,
            };
            if !due {
                continue;
            }
            let known = |mark| self.events.contains(&(mark, row.name.clone()));
            if !(known(row.mark) || row.mark == Mark::Done && known(Mark::Now)) {
                all.push(event_text(place, row));
            }
            spoken.push((row.mark, row.name.clone()));
        }
        self.events = spoken;
        if step.result.is_some() && !self.outcome {
            self.outcome = true;
            all.extend(outcome_lines(ui, step, state));
        }
        let next = waits.then(|| next_text(ui, step, state)).flatten();
        if next != self.next {
            all.extend(next.clone());
        }
        self.next = next;
    }

    fn run(&mut self, state: &State, all: &mut Vec<String>) {
        let Some(run) = state.run.as_ref().filter(|run| !run.is_over()) else {
            return;
        };
        let now = (run.id, run.decided());
        if self.run == Some(now) {
            return;
        }
        self.run = Some(now);
        let of = state
            .run_expects(run)
            .map_or_else(String::new, |n| format!(" of {}", number(n)));
        let part = percent(run, state).map_or_else(String::new, |p| format!(", {p:.0} percent"));
        all.push(format!(
            "run {}: {}{of} tasks done{part}, {} failed",
            run.id,
            number(now.1),
            number(run.totals.failed)
        ));
    }

    fn building(&mut self, state: &State, all: &mut Vec<String>) {
        let Some(build) = first_build::shown(state).filter(|build| build.failed.is_none()) else {
            return;
        };
        let text = match (build.opening.is_some(), build.crates.place()) {
            (true, _) => "Loading the agents.".to_owned(),
            (false, Some((n, total))) => format!("Compiling the agents: crate {n} of {total}."),
            (false, None) => "Compiling the agents.".to_owned(),
        };
        if text != self.building {
            self.building.clone_from(&text);
            all.push(text);
        }
    }
}
