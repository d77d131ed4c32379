//! `workbench run`: the engine without a screen, from preflight to exit code. What a plan has beyond that stands in
//! `plan`, what is said at the end in `words`, what earlier commands left in `left`.

mod left;
mod plan;
mod words;

pub use plan::plan;

use super::live::Live;
use super::output::{self, Output};
use super::progress::Progress;
use super::session::{self, Need};
use crate::cli::{Global, RunArgs};
use crate::config::{Config, state_dir};
use crate::exit::{Ending, print_fault};
use crate::plan::PlanFile;
use crate::report::Sheet;
use crate::runtime::{Engine, now};
use crate::signals::Signals;
use crate::tried::Tried;
use crate::upstream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wb_core::command::Command;
use wb_core::event::{Effect, Event};
use wb_core::fault::{Fault, FaultKind};
use wb_core::filter::Filter;
use wb_core::run::{RunSpec, Sink, Source, Totals};
use wb_core::state::Kind;

/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);
/// Tasks that are listed ahead where progress is shown, so that the time left can be told.
const AHEAD: usize = 10_000;
/// Time between two looks at the settings while nothing runs.
const LOOK: Duration = Duration::from_secs(1);
/// Passes in a row that may be refused before a poller gives up.
const REFUSALS: u32 = 3;

/// `workbench run`.
pub async fn run(global: &Global, config: &Config, args: &RunArgs) -> Ending {
    let mut ending = Ending::default();
    let prepared = unless_interrupted(
        Box::pin(prepare(global, config, args)),
        global.dry_run,
        &mut ending,
    )
    .await;
    match prepared {
        Ok(Some(mut session)) => session.work(&mut ending).await,
        Ok(None) => {}
        Err(fault) => ending.told(fault),
    }
    ending
}

/// What comes before the first task; a signal ends it at once.
pub(super) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Fault>>,
    dry: bool,
    ending: &mut Ending,
) -> Result<Option<T>, Fault> {
    let mut signals = Signals::new()?;
    tokio::select! {
        done = work => done.map(Some),
        signal = signals.next() => {
            let next = if dry { "nothing was written" } else { "`workbench resume` goes on" };
            tell!("workbench: interrupted before the first task; {next}");
            ending.signal(signal);
            Ok(None)
        }
    }
}

struct Session {
    engine: Engine,
    spec: RunSpec,
    args: RunArgs,
    dry: bool,
    out: Output,
    sheet: Sheet,
    plan: Option<PlanFile>,
    progress: Progress,
    /// Lines of activity that were there before.
    seen: usize,
    signals: Signals,
    /// Settings that may change while the run goes on.
    live: Live,
    /// What became of tasks in earlier runs, and in this one.
    tried: Tried,
    /// The command that runs some of the tasks again, up to its filter.
    again: String,
    not_carried: u64,
    /// Named tasks that were not met yet.
    unmet: Vec<String>,
}

async fn prepare(global: &Global, config: &Config, args: &RunArgs) -> Result<Session, Fault> {
    let filter = match &args.filter {
        Some(text) => Filter::parse(text)
            .map_err(|e| Fault::new(FaultKind::Usage, format!("--filter: {e}")))?,
        None => Filter::default(),
    };
    let out = Output::new(global.json, args.jsonl.as_deref())?;
    let sheet = Sheet::new(args.report.as_deref(), args.junit.as_deref())?;
    let tried = Tried::open(&state_dir("")?, upstream::project_hash(config)?)?;
    let live = Live::new(global, config, args);
    let limits = live.limits();
    let timeout_ms = limits.timeout_ms;
    let need = Need {
        command: "run",
        rate: args.rate,
        timeout_ms,
        concurrency: limits.concurrency,
        stages: &args.stage,
        drains: true,
        on_duplicate: upstream::on_duplicate(args.on_duplicate, config),
    };
    let (engine, stages) = session::engine(global, config, &need).await?;
    let dry = engine.state.options.dry_run;
    let spent = left::spent(&engine, global)?;
    let left_out = left::unfinished(&engine, args, dry)?;
    let progress = Progress::new(args.progress, global.plain);
    let spec = RunSpec {
        source: Source::Stages(stages),
        sink: if dry { Sink::Report } else { Sink::Commit },
        batch_size: args.task_batch_size,
        retries: args.num_retries,
        max_tasks: args.max_tasks_per_stage,
        spent: Arc::new(spent),
        concurrency: limits.concurrency,
        timeout_ms,
        filter,
        only: args.task.clone(),
        left_out: Arc::new(left_out),
        earlier: tried.earlier(),
        tried: tried.times(),
        ahead: if progress.shows() { AHEAD } else { 0 },
        chain: dry,
        max_failures: args.max_failures,
        on_conflict: args.on_conflict.into(),
    };
    let signals = Signals::new()?;
    let seen = engine.state.noted;
    Ok(Session {
        engine,
        spec,
        args: args.clone(),
        dry,
        out,
        sheet,
        plan: None,
        progress,
        seen,
        signals,
        live,
        tried,
        again: output::again(global, config),
        not_carried: 0,
        unmet: args.task.clone(),
    })
}

impl Session {
    async fn work(&mut self, ending: &mut Ending) {
        self.drive(ending).await;
        // An interrupted run stays open in the journal: `resume` goes on with it.
        let whole = !ending.interrupted();
        if let (Some(journal), true) = (self.engine.journal(), whole) {
            journal.close(now().0);
        }
        self.engine.shutdown().await;
    }

    async fn drive(&mut self, ending: &mut Ending) {
        let began = Instant::now();
        let mut totals = Totals::default();
        let mut refusals = 0;
        let trouble = loop {
            let pass = Instant::now();
            let interrupted = self.pass(began, ending).await;
            let mut limit = false;
            let mut found = false;
            let mut trouble: Option<Fault> = None;
            if let Some(run) = &self.engine.state.run {
                found = run.totals.tasks > 0;
                totals.add(&run.totals);
                self.not_carried += run.not_carried;
                limit = run.limit_reached();
                trouble.clone_from(&run.fatal);
            }
            if let Some(fault) = &trouble {
                self.progress.end();
                print_fault(fault);
            }
            refusals = if trouble.is_some() { refusals + 1 } else { 0 };
            if limit {
                ending.stopped();
            }
            self.tried.write();
            self.spec.spent = Arc::default();
            (self.spec.earlier, self.spec.tried) = (self.tried.earlier(), self.tried.times());
            let Some(every) = self.args.refresh_every else {
                break trouble;
            };
            let over = interrupted || limit;
            if over || trouble.as_ref().is_some_and(|f| ends_a_poller(f, refusals)) {
                break trouble;
            }
            if !found && trouble.is_none() {
                self.progress.idles(every);
            }
            let rest = Duration::from_secs(every).saturating_sub(pass.elapsed());
            if self.sleep(rest, ending).await {
                break trouble;
            }
            // What has no answer, or was written in part, is finished before its tasks are run again.
            if !self.dry && self.settle(ending).await {
                break trouble;
            }
        };
        if let Some(fault) = trouble {
            ending.fault(fault);
        }
        self.finish(&totals, began.elapsed(), ending);
    }

    /// Finishes what is not over, as far as the platform lets it now; true when interrupted.
    async fn settle(&mut self, ending: &mut Ending) -> bool {
        tokio::select! {
            settled = self.engine.settle() => {
                match settled {
                    Ok(settled) => {
                        for line in settled.lines() {
                            self.progress.say(&format!("workbench: {line}"));
                        }
                    }
                    Err(fault) => tracing::warn!("{fault}"),
                }
                false
            }
            signal = self.signals.next() => {
                ending.signal(signal);
                true
            }
        }
    }

    /// One pass over the stages; true when it was interrupted.
    async fn pass(&mut self, began: Instant, ending: &mut Ending) -> bool {
        let mut tick = tokio::time::interval(TICK);
        let mut effects = self
            .engine
            .feed(Event::Input(Command::Run(Box::new(self.spec.clone()))));
        let mut interrupted = false;
        loop {
            for line in self.engine.told() {
                self.progress.say(&line);
            }
            self.tell_builds();
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
                    let waiting = self.engine.state.run.as_ref().and_then(wb_core::run::Run::waiting);
                    self.progress.show(&self.engine.state, waiting);
                    effects.extend(self.settings_changed());
                    if self.args.max_time.is_some_and(|max| began.elapsed() >= max) && !interrupted {
                        ending.stopped();
                        interrupted = true;
                        effects.extend(self.engine.feed(Event::Input(Command::CancelRun)));
                    }
                }
                signal = self.signals.next() => {
                    if interrupted {
                        self.progress.end();
                        let next = if self.dry { "nothing was written" } else { "`workbench resume` finishes what had begun" };
                        tell!("workbench: left at once; {next}");
                        ending.signal(signal);
                        return true;
                    }
                    self.progress.say("workbench: finishing what runs; once more to leave at once");
                    ending.signal(signal);
                    interrupted = true;
                    effects = self.engine.feed(Event::Input(Command::CancelRun));
                }
            }
        }
    }

    /// A library that was replaced, refused or taken away while the run goes on.
    fn tell_builds(&mut self) {
        for line in self.engine.state.activity_since(self.seen) {
            if line.kind == Kind::Build {
                self.progress.say(&format!("workbench: {}", line.text));
            }
        }
        self.seen = self.engine.state.noted;
    }

    /// What follows when a settings file was saved while the run goes on.
    fn settings_changed(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (commands, said) = self.live.look();
        if let Some(said) = said {
            self.progress.say(&said);
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
            Task::Failed(fault) => {
                ending.failures();
                tracing::warn!(task = %report.row.id, "{fault}");
            }
            Task::Conflict(_) => ending.conflicts(),
            Task::Moved | Task::Stayed => {}
        }
        if !self.unmet.is_empty() {
            let (title, id) = (&*report.row.title, report.row.id.to_string());
            self.unmet
                .retain(|named| *named != *title && !named.eq_ignore_ascii_case(&id));
        }
        self.tried.note(report, self.dry, now());
        self.sheet
            .add(report, self.engine.state.stage_title(report.stage));
        if let Some(plan) = &mut self.plan {
            plan.add(report);
        }
        self.out.write(&|| output::line(report, self.dry));
    }

    /// Waits for the next pass; true when it was interrupted.
    async fn sleep(&mut self, rest: Duration, ending: &mut Ending) -> bool {
        let until = tokio::time::Instant::now() + rest;
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return false,
                _ = look.tick() => { self.settings_changed(); }
                _ = self.engine.turn() => {}
                signal = self.signals.next() => {
                    ending.signal(signal);
                    return true;
                }
            }
        }
    }
}

/// Whether a fault that ended a pass ends a poller too: an outage or one refusal does not.
const fn ends_a_poller(fault: &Fault, in_a_row: u32) -> bool {
    match fault.kind {
        FaultKind::Network | FaultKind::Upstream | FaultKind::Host => false,
        FaultKind::Access => in_a_row >= REFUSALS,
        _ => true,
    }
}
