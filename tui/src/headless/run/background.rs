//! What others can see of a run while it works, and the run that goes on in the background: the rest of one of the screen's. It
//! writes as `run` does, or leaves what it holds for the next screen.

use super::{Session, prepare::prepare, unless_interrupted};
use crate::exit::Ending;
use crate::headless::output::{self, Output};
use wb_core::command::Command;
use wb_core::counted::number;
use wb_core::error::Error;
use wb_core::event::{Effect, Event};
use wb_core::run::{Ending as TaskEnding, Report, Totals};
use wb_core::state::Held;
use wb_engine::background::{BackgroundRequest, RunFolder, RunRecord};
use wb_engine::config::{Config, state_dir};
use wb_engine::flags::Flags;
use wb_engine::max_time::MaxTime;
use wb_engine::runtime::now;
use wb_engine::screen_store::ArrivingOutcomes;

/// `workbench background`: does what is left of a run, started by the screen that it began on.
pub async fn background(number: u64) -> Ending {
    let mut ending = Ending::default();
    // The terminal of the screen may be closed, and its Ctrl-C is not meant for this process.
    let _ = rustix::process::setsid();
    let begun = RunFolder::of(number).and_then(|folder| {
        let request = BackgroundRequest::of(&folder)?;
        let record = RunRecord::of_background(folder, &request)?;
        Ok((request, record))
    });
    let (request, mut record) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            ending.fail(error);
            return ending;
        }
    };
    let limit = MaxTime::new(None);
    let ready = Box::pin(ready(&request, limit));
    let prepared = unless_interrupted(ready, limit, request.flags.dry_run, &mut ending);
    let why = match prepared.await {
        Ok(Some(mut session)) => {
            session.record = Some(record);
            session.work(&mut ending).await;
            return ending;
        }
        Ok(None) => "stopped before the first task".to_owned(),
        Err(error) => {
            let why = error.summary.clone();
            ending.fail(error);
            why
        }
    };
    record.end(&Totals::default(), false, ending.code(), why);
    ending
}

async fn ready(request: &BackgroundRequest, limit: MaxTime) -> Result<Session, Error> {
    let flags = Flags {
        words: request.words.clone(),
        ..request.flags.clone()
    };
    let config = Config::load(&flags)?;
    let mut session = prepare(&flags, &config, &request.run, limit).await?;
    session.unmet.clear();
    // Stdout is the file that `attach` reads.
    session.out = Output::new(true, None).await?;
    session.spec = request.narrow(session.spec);
    if let Some(ms) = request.typed_timeout_ms {
        let typed = Command::Timeout(Some(ms));
        session.engine.feed(Event::Input(typed));
    }
    if let (true, Some(project)) = (session.dry, &session.engine.state().project) {
        session.holds = Some(ArrivingOutcomes::open(&state_dir("")?, project.hash)?);
    }
    Ok(session)
}

impl Session {
    /// Others can see this run from now on. One that writes nothing leaves nothing in the folder.
    pub(super) fn keep_record(&mut self) {
        let state = self.engine.state();
        let Some(project) = state.project.as_ref().filter(|_| !self.dry) else {
            return;
        };
        let stages = match self.named.as_slice() {
            [] => state.builds.order(),
            named => named.to_vec(),
        };
        match RunRecord::of_command(project.hash, &stages, self.dry) {
            Ok(record) => self.record = Some(record),
            Err(error) => tracing::warn!("{error}"),
        }
    }

    /// Notes now and then how far it is. A run whose outcomes can no longer be held stops.
    pub(super) fn look_at_record(&mut self, interrupted: &mut bool) -> Vec<Effect> {
        if let Some(record) = &mut self.record {
            record.look(self.engine.state(), &self.totals);
        }
        if !self.unkept || *interrupted {
            return Vec::new();
        }
        *interrupted = true;
        self.engine.feed(Event::Input(Command::CancelRun))
    }

    /// It was asked to stop.
    pub(super) fn stopping(&mut self) {
        if let Some(record) = &mut self.record {
            record.stopping();
        }
    }

    /// Holds an outcome for the next screen, in a run that does so.
    pub(super) fn hold(&mut self, report: &Report) {
        let (Some(holds), Some(outcome), Some(inputs)) =
            (&self.holds, &report.outcome, &report.inputs)
        else {
            return;
        };
        if !matches!(report.ending, TaskEnding::Moved | TaskEnding::Stayed) {
            return;
        }
        let held = Held {
            stage: report.stage,
            inputs: inputs.clone(),
            outcome: outcome.clone(),
            build: report.build,
            taken: true,
            at: now(),
        };
        self.unkept |= !holds.add(held);
    }

    /// The run is over: everything that it holds is on the disk, and others can see how it ended.
    pub(super) fn end_record(&mut self, ending: &mut Ending) {
        let holds = self.holds.take();
        let held = holds.is_some();
        if let Some(Err(error)) = holds.map(|mut holds| holds.end()) {
            ending.fail(error);
        }
        let Some(mut record) = self.record.take() else {
            return;
        };
        let (tasks, failed) = record.done(&self.totals);
        #[allow(clippy::cast_precision_loss)] // seconds for a person
        let seconds = now().since(record.began()) as f64 / 1000.0;
        let mut parts = vec![format!("{} in {seconds:.1} s", output::tasks(tasks))];
        for (n, word) in [
            (failed, "failed"),
            (self.totals.conflicts, "left: changed by others"),
        ] {
            if n > 0 {
                parts.push(format!("{} {word}", number(n)));
            }
        }
        parts.push(match held {
            true => "held for review: nothing was written".to_owned(),
            false => format!("{} writing requests", number(self.engine.net().writes)),
        });
        let whole = !ending.interrupted() && !self.given_up && ending.code() != 9;
        record.end(&self.totals, whole, ending.code(), parts.join(" · "));
    }
}
