//! What comes before the first pass of a run: its flags, its engine, and everything that is looked at.

use super::named::{self, Unmet};
use super::{Session, left};
use crate::exit::Ending;
use crate::headless::live::{Limits, Live};
use crate::headless::output::{self, Output};
use crate::headless::progress::Progress;
use crate::print;
use crate::report::RunReports;
use crate::signals::Signals;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::ids::StageId;
use wb_core::run::{RunSpec, Sink, Source, Totals};
use wb_engine::config::{Config, state_dir};
use wb_engine::flags::Flags;
use wb_engine::history::AttemptHistory;
use wb_engine::max_time::MaxTime;
use wb_engine::preflight::Checked;
use wb_engine::runtime::Engine;
use wb_engine::saved::{CommandRequest, RunRequest, SavedCommand};
use wb_engine::session::{self, Need};
use wb_engine::upstream;

/// Tasks that are listed ahead where progress is shown, so that the time left can be shown.
const AHEAD: usize = 10_000;

/// What comes before the first task; a signal, or the end of its time, ends it at once.
pub(in crate::headless) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Error>>,
    limit: MaxTime,
    dry: bool,
    ending: &mut Ending,
) -> Result<Option<T>, Error> {
    let mut signals = Signals::new()?;
    let next = if dry {
        "nothing was written"
    } else {
        "`workbench resume` goes on"
    };
    tokio::select! {
        done = work => done.map(Some),
        () = limit.over() => {
            notice!("workbench: --max-time was over before the first task; {next}");
            ending.stopped();
            Ok(None)
        }
        signal = signals.next() => {
            notice!("workbench: interrupted before the first task; {next}");
            ending.signal(signal);
            Ok(None)
        }
    }
}

pub(super) async fn prepare(
    flags: &Flags,
    config: &Config,
    args: &RunRequest,
    limit: MaxTime,
) -> Result<Session, Error> {
    let live = Live::new(flags, config, args);
    let limits = live.limits();
    let asked = asked(args, limits)?;
    let out = Output::new(flags.json, args.jsonl.as_deref()).await?;
    let reports = RunReports::new(args.report.as_deref(), args.junit.as_deref()).await?;
    let history = AttemptHistory::open(&state_dir("")?, upstream::project_hash(config)?)?;
    let need = need(flags, args, &live.limits(), config);
    let (engine, stages) = session::engine(flags, config, &need, print::notify).await?;
    let unmet = clear(&engine, &stages, args, &asked.filter).await;
    if let (Err(_), Some(journal)) = (&unmet, engine.journal()) {
        session::leave(flags, journal);
    }
    let unmet = unmet?;
    let dry = engine.state().options.dry_run;
    let progress = Progress::new(args.progress, flags.plain);
    let spec = RunSpec {
        source: Source::Stages(stages.clone()),
        earlier: history.earlier(),
        tried: history.times(),
        ahead: if progress.shows() { AHEAD } else { 0 },
        ..of_earlier(asked, &engine, flags, args)?
    };
    Ok(Session {
        checked: Checked::new(engine.state(), &stages, &config.params),
        begun: false,
        named: if args.stage.is_empty() {
            vec![]
        } else {
            stages
        },
        seen: engine.state().noted,
        engine,
        spec,
        args: args.clone(),
        dry,
        out,
        reports,
        plan: None,
        progress,
        signals: Signals::new()?,
        limit,
        given_up: false,
        live,
        history,
        again: output::again(flags, config),
        not_carried: 0,
        further_unseen: 0,
        unmet,
        record: None,
        holds: None,
        unkept: false,
        totals: Totals::default(),
    })
}

/// What is asked, without what earlier commands have done or left in part.
fn of_earlier(
    asked: RunSpec,
    engine: &Engine,
    flags: &Flags,
    args: &RunRequest,
) -> Result<RunSpec, Error> {
    let dry = engine.state().options.dry_run;
    Ok(RunSpec {
        spent: Arc::new(left::spent(engine, flags)?),
        left_out: Arc::new(left::unfinished(engine, args, dry)?),
        sink: if dry { Sink::Report } else { Sink::Commit },
        chain: dry,
        ..asked
    })
}

/// Whether what the flags name is one thing in this project.
async fn clear(
    engine: &Engine,
    stages: &[StageId],
    args: &RunRequest,
    filter: &Filter,
) -> Result<Vec<Unmet>, Error> {
    if let Some(project) = &engine.state().project {
        filter
            .is_clear_in(&project.workflow.stages)
            .map_err(|e| Error::new(ErrorKind::Settings, format!("--filter: {e}")))?;
    }
    named::look(engine, stages, &args.task).await
}

/// What a run needs of the engine.
fn need<'a>(flags: &Flags, args: &'a RunRequest, limits: &Limits, config: &Config) -> Need<'a> {
    let request = CommandRequest::Run(Box::new(args.clone()));
    Need {
        operation: SavedCommand::new(flags, request).into(),
        rate: args.rate,
        timeout_ms: limits.timeout_ms,
        concurrency: limits.concurrency,
        stages: &args.stage,
        drains: true,
        on_duplicate: upstream::on_duplicate(args.on_duplicate, config),
    }
}

/// What the flags ask of a run.
fn asked(args: &RunRequest, limits: Limits) -> Result<RunSpec, Error> {
    let filter = match &args.filter {
        Some(text) => Filter::parse(text)
            .map_err(|e| Error::new(ErrorKind::Usage, format!("--filter: {e}")))?,
        None => Filter::default(),
    };
    Ok(RunSpec {
        batch_size: args.task_batch_size,
        retries: args.num_retries,
        max_tasks: args.max_tasks_per_stage,
        concurrency: limits.concurrency,
        timeout_ms: limits.timeout_ms,
        filter,
        only: args.task.clone(),
        max_failures: args.max_failures,
        on_conflict: args.on_conflict,
        ..RunSpec::default()
    })
}
