//! `workbench run`: the engine without a screen, pass by pass. What comes before the first one stands in `prepare`,
//! what between two of them in `poll`, what a plan has beyond that in `plan`, what is printed at the end in `words`,
//! what earlier commands left in `left`, what `--task` names in `named`; what others can see of a run while it works, and a run
//! that goes on in the background, in `background`.

mod background;
mod left;
mod named;
mod plan;
mod poll;
mod prepare;
mod words;

pub use background::background;
pub use plan::plan;
pub(super) use plan::plan_into;
pub(super) use prepare::unless_interrupted;

use poll::ends_a_poller;
use prepare::prepare;

use super::live::Live;
use super::output::{self, Output};
use super::progress::Progress;
use crate::exit::{Ending, print_error};
use crate::report::RunReports;
use crate::signals::{FINISHING, Signals};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wb_core::command::Command;
use wb_core::error::Error;
use wb_core::event::{Effect, Event};
use wb_core::ids::StageId;
use wb_core::run::{RunSpec, Totals};
use wb_core::state::Kind;
use wb_engine::background::RunRecord;
use wb_engine::config::Config;
use wb_engine::flags::Flags;
use wb_engine::history::AttemptHistory;
use wb_engine::max_time::{Due, MaxTime};
use wb_engine::plan::PlanFile;
use wb_engine::preflight::Checked;
use wb_engine::runtime::{Engine, now};
use wb_engine::saved::RunRequest;
use wb_engine::screen_store::ArrivingOutcomes;

/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// `workbench run`.
pub async fn run(flags: &Flags, config: &Config, args: &RunRequest) -> Ending {
    let mut ending = Ending::default();
    let limit = MaxTime::new(args.max_time);
    let prepared = unless_interrupted(
        Box::pin(prepare(flags, config, args, limit)),
        limit,
        flags.dry_run,
        &mut ending,
    )
    .await;
    match prepared {
        Ok(Some(mut session)) => {
            session.keep_record();
            session.work(&mut ending).await;
        }
        Ok(None) => {}
        Err(error) => ending.fail(error),
    }
    ending
}

struct Session {
    engine: Engine,
    /// The stages that were named; empty: all that have an agent.
    named: Vec<StageId>,
    checked: Checked,
    /// A pass has begun: the project is read again before the next one.
    begun: bool,
    spec: RunSpec,
    args: RunRequest,
    dry: bool,
    out: Output,
    reports: RunReports,
    plan: Option<PlanFile>,
    progress: Progress,
    /// Lines of activity that were there before.
    seen: usize,
    signals: Signals,
    limit: MaxTime,
    /// Its time was over before everything had ended.
    given_up: bool,
    /// Settings that may change while the run goes on.
    live: Live,
    /// The results of tasks in earlier runs, and in this one.
    history: AttemptHistory,
    /// The command that runs some of the tasks again, up to its filter.
    again: String,
    not_carried: u64,
    further_unseen: u64,
    /// Named tasks that were not met yet.
    unmet: Vec<named::Unmet>,
    /// What others can see of it.
    record: Option<RunRecord>,
    /// Where outcomes are held for the next screen.
    holds: Option<ArrivingOutcomes>,
    /// They cannot be held any more.
    unkept: bool,
    /// The passes that are over.
    totals: Totals,
}

/// How one pass over the stages ended.
#[derive(Default)]
struct Passed {
    interrupted: bool,
    /// The limit of tasks was reached.
    limit: bool,
    /// There was a task to do.
    found: bool,
    failure: Option<Error>,
}

impl Session {
    async fn work(&mut self, ending: &mut Ending) {
        self.drive(ending).await;
        // An interrupted run stays open in the journal: `resume` goes on with it.
        let whole = !ending.interrupted() && !self.given_up;
        if let (Some(journal), true) = (self.engine.journal(), whole) {
            journal.close(now().0);
        }
        self.limit.shut_down(&mut self.engine).await;
        for line in self.engine.agent_output() {
            self.progress.notice(&line);
        }
        self.end_record(ending);
    }

    async fn drive(&mut self, ending: &mut Ending) {
        let began = Instant::now();
        let mut refusals = 0;
        let failure = loop {
            let pass = Instant::now();
            let Passed {
                interrupted,
                limit,
                found,
                failure,
            } = self.checked_pass(ending).await;
            if let Some(error) = &failure {
                self.progress.end();
                print_error(error);
            }
            refusals = if failure.is_some() { refusals + 1 } else { 0 };
            if limit {
                ending.stopped();
            }
            self.history.write();
            self.spec.spent = Arc::default();
            (self.spec.earlier, self.spec.tried) = (self.history.earlier(), self.history.times());
            let Some(every) = self.args.refresh_every else {
                break failure;
            };
            self.out.pass_over();
            let over = interrupted || limit;
            if over || failure.as_ref().is_some_and(|f| ends_a_poller(f, refusals)) {
                break failure;
            }
            if !found && failure.is_none() {
                self.progress.idles(every);
            }
            let rest = Duration::from_secs(every).saturating_sub(pass.elapsed());
            if self.sleep(rest, ending).await {
                break failure;
            }
            // What has no answer, or was written in part, is finished before its tasks are run again.
            if !self.dry && self.settle(ending).await {
                break failure;
            }
        };
        if let Some(error) = failure {
            ending.fail(error);
        }
        let totals = self.totals.clone();
        self.finish(&totals, began.elapsed(), ending);
    }

    /// One pass, once the builds that came since the last were compared with the project.
    async fn checked_pass(&mut self, ending: &mut Ending) -> Passed {
        let mut passed = Passed::default();
        match self.look_at_new_builds(ending).await {
            None => passed.interrupted = true,
            Some(Err(error)) => passed.failure = Some(error),
            Some(Ok(())) => {
                passed.interrupted = self.pass(ending).await;
                if let Some(run) = &self.engine.state().run {
                    passed.found = run.totals.tasks > 0;
                    passed.limit = run.limit_reached();
                    passed.failure.clone_from(&run.fatal);
                    self.totals.add(&run.totals);
                    self.not_carried += run.not_carried;
                    self.further_unseen += run.further_unseen;
                }
            }
        }
        passed
    }

    /// One pass over the stages; true when it was interrupted.
    async fn pass(&mut self, ending: &mut Ending) -> bool {
        let mut tick = tokio::time::interval(TICK);
        let mut effects = self
            .engine
            .feed(Event::Input(Command::Run(Box::new(self.spec.clone()))));
        let mut interrupted = false;
        loop {
            for line in self.engine.agent_output() {
                self.progress.notice(&line);
            }
            self.print_builds();
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Record(report) => self.record(&report, ending),
                    Effect::RunOver => return interrupted,
                    _ => {}
                }
            }
            tokio::select! {
                more = self.engine.turn() => effects = more,
                _ = tick.tick() => {
                    effects = self.engine.tick();
                    let waiting = self.engine.state().run.as_ref().and_then(wb_core::run::Run::waiting);
                    self.progress.show(self.engine.state(), waiting);
                    effects.extend(self.settings_changed());
                    effects.extend(self.look_at_record(&mut interrupted));
                }
                due = self.limit.due() => {
                    ending.stopped();
                    interrupted = true;
                    match due {
                        Due::Command(command) => effects = self.engine.feed(Event::Input(command)),
                        Due::GiveUp => {
                            self.given_up = true;
                            return true;
                        }
                    }
                }
                signal = self.signals.next() => {
                    if interrupted {
                        self.progress.end();
                        let next = if self.dry { "nothing was written" } else { "`workbench resume` finishes what had begun" };
                        notice!("workbench: left at once; {next}");
                        ending.signal(signal);
                        return true;
                    }
                    self.progress.notice(FINISHING);
                    self.stopping();
                    ending.signal(signal);
                    interrupted = true;
                    effects = self.engine.feed(Event::Input(Command::CancelRun));
                }
            }
        }
    }

    /// A library that was replaced, refused or taken away while the run goes on.
    fn print_builds(&mut self) {
        for line in self.engine.state().activity_since(self.seen) {
            if line.kind == Kind::Build {
                let text = wb_core::text::without_keys(&line.text);
                self.progress.notice(&format!("workbench: {text}"));
            }
        }
        self.seen = self.engine.state().noted;
    }

    /// What follows when a settings file was saved while the run goes on.
    fn settings_changed(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (commands, changes) = self.live.look();
        if let Some(changes) = changes {
            self.progress.notice(&changes);
        }
        for command in commands {
            effects.extend(self.engine.feed(Event::Input(command)));
        }
        let limits = self.live.limits();
        self.spec.timeout_ms = limits.timeout_ms;
        self.spec.concurrency = limits.concurrency;
        effects
    }

    fn record(&mut self, report: &wb_core::run::Report, ending: &mut Ending) {
        use wb_core::run::Ending as Task;
        self.progress.tasks_come();
        match &report.ending {
            Task::Failed(error) => {
                ending.failures();
                tracing::warn!(task = %report.row.id, "{error}");
            }
            Task::Conflict(_) => ending.conflicts(),
            Task::Moved | Task::Stayed => {}
        }
        if !self.unmet.is_empty() {
            let (title, id) = (&*report.row.title, report.row.id.to_string());
            self.unmet
                .retain(|named| named.name != *title && !named.name.eq_ignore_ascii_case(&id));
        }
        self.hold(report);
        self.history.note(report, self.dry, now());
        self.reports
            .add(report, self.engine.state().stage_title(report.stage));
        if let Some(plan) = &mut self.plan {
            plan.add(report);
        }
        self.out.write(&|| output::line(report, self.dry));
    }
}
