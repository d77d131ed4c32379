//! `workbench run`: the engine without a screen, from preflight to exit code.

use super::{output, progress::Progress};
use crate::cli::{Global, RunArgs};
use crate::config::{Config, state_dir};
use crate::exit::{Ending, print_fault};
use crate::journal::Journal;
use crate::runtime::{Engine, Setup};
use crate::signals::Signals;
use crate::upstream::Permission;
use crate::{library, upstream};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use wb_core::command::Command;
use wb_core::event::{Effect, Event};
use wb_core::fault::{Fault, FaultKind};
use wb_core::filter::Filter;
use wb_core::ids::StageId;
use wb_core::run::{RunSpec, Sink, Source, Totals};
use wb_core::state::{Level, Options};

/// How long libraries may take to be opened before the run is given up.
const LOADING: Duration = Duration::from_secs(20);
/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// `workbench run`.
pub async fn run(global: &Global, config: &Config, args: &RunArgs) -> Ending {
    let mut ending = Ending::default();
    match prepare(global, config, args).await {
        Ok(mut session) => {
            session.drive(&mut ending).await;
            session.engine.shutdown().await;
        }
        Err(fault) => {
            print_fault(&fault);
            ending.fault(fault);
        }
    }
    ending
}

/// `workbench resume`: only finishes what had begun.
pub async fn resume(global: &Global, config: &Config) -> Ending {
    let mut ending = Ending::default();
    let result = async {
        let mut engine = start_engine(global, config, None, None, 1, Vec::new())?;
        load_project(&mut engine).await?;
        guard(global, config, &engine)?;
        engine.settle().await
    };
    match result.await {
        Ok(settled) if settled.found == 0 => eprintln!("Nothing was left unfinished."),
        Ok(settled) => {
            eprintln!(
                "{} writes had begun: {} are finished, {} were left.",
                settled.found, settled.finished, settled.left
            );
            if settled.left > 0 {
                ending.conflicts();
            }
        }
        Err(fault) => {
            print_fault(&fault);
            ending.fault(fault);
        }
    }
    ending
}

struct Session {
    engine: Engine,
    spec: RunSpec,
    args: RunArgs,
    dry: bool,
    out: Output,
    progress: Progress,
    signals: Signals,
}

/// Where task lines go.
struct Output {
    stdout: bool,
    file: Option<BufWriter<File>>,
}

impl Output {
    fn write(&mut self, line: &serde_json::Value) -> std::io::Result<()> {
        if self.stdout {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer(&mut out, line)?;
            out.write_all(b"\n")?;
        }
        if let Some(file) = &mut self.file {
            serde_json::to_writer(&mut *file, line)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn start_engine(
    global: &Global,
    config: &Config,
    rate: Option<f64>,
    timeout_ms: Option<u64>,
    concurrency: usize,
    libraries: Vec<PathBuf>,
) -> Result<Engine, Fault> {
    let project = upstream::project_hash(config)?;
    let upstream = upstream::connect(global, config, rate, Permission::Command("run"))?;
    let journal = match upstream.writer {
        Some(_) => Some(Journal::open(&state_dir("")?)?),
        None => None,
    };
    let options = Options {
        upstream: upstream.name,
        read_only: global.read_only,
        dry_run: upstream.writer.is_none(),
        timeout_ms,
        ..Options::default()
    };
    Engine::start(Setup {
        reader: upstream.reader,
        writer: upstream.writer,
        project,
        libraries,
        journal,
        cache: state_dir("cache")?,
        params: config.params.clone(),
        options,
        concurrency,
    })
}

async fn load_project(engine: &mut Engine) -> Result<(), Fault> {
    while engine.state.project.is_none() {
        if let Some(fault) = engine.state.project_fault.take() {
            return Err(fault);
        }
        engine.turn().await;
    }
    Ok(())
}

async fn prepare(global: &Global, config: &Config, args: &RunArgs) -> Result<Session, Fault> {
    let filter = match &args.filter {
        Some(text) => Filter::parse(text)
            .map_err(|e| Fault::new(FaultKind::Usage, format!("--filter: {e}")))?,
        None => Filter::default(),
    };
    upstream::project_hash(config)?;
    let libraries = library::find(&config.agents.value)?;
    if let Some(missing) = libraries.iter().find(|l| !l.path.exists()) {
        let build = missing.package.as_ref().map_or_else(
            || "build it first".to_owned(),
            |p| format!("build it first: cargo build -p {p}"),
        );
        return Err(Fault::new(
            FaultKind::Settings,
            format!("{} does not exist", missing.path.display()),
        )
        .hint(build));
    }
    if libraries.is_empty() {
        return Err(
            Fault::new(FaultKind::Settings, "no agent library was found here")
                .hint("name one with --agents: a library, a crate folder or a folder of libraries"),
        );
    }
    let paths: Vec<PathBuf> = libraries.into_iter().map(|l| l.path).collect();
    let timeout_ms = upstream::timeout_ms(args.timeout, config);
    let mut engine = start_engine(
        global,
        config,
        args.rate,
        timeout_ms,
        args.concurrency,
        paths.clone(),
    )?;
    load_project(&mut engine).await?;
    guard(global, config, &engine)?;
    let settled = engine.settle().await?;
    if settled.found > 0 {
        eprintln!(
            "An earlier run was interrupted: of {} writes that had begun {} are finished; {} tasks will run anew.",
            settled.found, settled.finished, settled.left
        );
    }
    load_libraries(&mut engine, paths.len()).await?;
    let stages = choose_stages(&engine, &args.stage)?;
    preflight(&mut engine).await?;
    let dry = engine.state.options.dry_run;
    let spec = RunSpec {
        source: Source::Stages(stages),
        sink: if dry { Sink::Report } else { Sink::Commit },
        batch_size: args.task_batch_size,
        retries: args.num_retries,
        max_tasks: args.max_tasks_per_stage,
        concurrency: args.concurrency,
        timeout_ms,
        filter,
        only: args.task.clone(),
        max_failures: args.max_failures,
    };
    let file = args
        .jsonl
        .as_ref()
        .map(File::create)
        .transpose()
        .map_err(|e| {
            Fault::new(
                FaultKind::Usage,
                format!("--jsonl: cannot write the file: {e}"),
            )
        })?;
    let out = Output {
        stdout: global.json,
        file: file.map(BufWriter::new),
    };
    let progress = Progress::new(args.progress, global.plain);
    let signals = Signals::new()?;
    Ok(Session {
        engine,
        spec,
        args: args.clone(),
        dry,
        out,
        progress,
        signals,
    })
}

/// A protected project is written to only by a command that names it.
fn guard(global: &Global, config: &Config, engine: &Engine) -> Result<(), Fault> {
    let protected = config
        .level
        .as_ref()
        .is_some_and(|l| l.value == Level::Protected);
    let title = engine
        .state
        .project
        .as_ref()
        .map_or("", |p| p.title.as_str());
    if !protected || engine.state.options.dry_run || global.confirm.as_deref() == Some(title) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Refused,
        format!("project \"{title}\" is protected; nothing was run"),
    )
    .hint(format!("to write to it: --confirm \"{title}\""))
    .hint("to see what would be written: --dry-run"))
}

/// Waits until every library is in charge or refused; a refused one ends the run.
async fn load_libraries(engine: &mut Engine, count: usize) -> Result<(), Fault> {
    let until = Instant::now() + LOADING;
    loop {
        let refused = engine
            .state
            .rejected
            .as_ref()
            .map(|(reason, _)| reason.clone());
        if let Some(reason) = refused {
            return Err(Fault::new(
                FaultKind::Settings,
                format!("the agent library was refused: {reason}"),
            ));
        }
        if engine.state.builds.all.len() >= count {
            break;
        }
        let left = until.saturating_duration_since(Instant::now());
        if timeout(left, engine.turn()).await.is_err() {
            return Err(Fault::new(
                FaultKind::Settings,
                format!(
                    "the agent library could not be opened within {} s",
                    LOADING.as_secs()
                ),
            )
            .hint("is it being built right now? run again when the build is over"));
        }
    }
    let builds = &engine.state.builds;
    if builds.order().is_empty() {
        let mut fault = Fault::new(
            FaultKind::Settings,
            "no agent in the library is for a stage of this project",
        );
        for note in builds.all.iter().flat_map(|b| &b.notes) {
            fault = fault.hint(note.clone());
        }
        return Err(fault);
    }
    for note in builds.all.iter().flat_map(|b| &b.notes) {
        eprintln!("note: {}", wb_ui::text::clean(note));
    }
    Ok(())
}

/// The stages to drain, in the order of the library.
fn choose_stages(engine: &Engine, wanted: &[String]) -> Result<Vec<StageId>, Fault> {
    let order = engine.state.builds.order();
    if wanted.is_empty() {
        return Ok(order);
    }
    let Some(project) = &engine.state.project else {
        return Ok(order);
    };
    let mut chosen = Vec::new();
    for name in wanted {
        let Some(stage) = project.workflow.find(name) else {
            let agents: Vec<&str> = project
                .workflow
                .agent_stages()
                .map(|s| s.title.as_str())
                .collect();
            let mut fault = Fault::new(
                FaultKind::Settings,
                format!(
                    "the project has no stage \"{name}\"; agent stages: {}",
                    agents.join(", ")
                ),
            );
            for near in project.workflow.nearest(name) {
                fault = fault.hint(format!("did you mean \"{near}\"?"));
            }
            return Err(fault);
        };
        if !order.contains(&stage.id) {
            return Err(Fault::new(
                FaultKind::Settings,
                format!("no agent in the library is for stage \"{}\"", stage.title),
            ));
        }
        chosen.push(stage.id);
    }
    Ok(order.into_iter().filter(|s| chosen.contains(s)).collect())
}

/// Waits for the library's own preflight.
async fn preflight(engine: &mut Engine) -> Result<(), Fault> {
    let waiting: Vec<_> = engine
        .state
        .builds
        .all
        .iter()
        .filter(|b| b.probed.descriptor.preflight && !b.stages.is_empty())
        .map(|b| b.id)
        .collect();
    for build in waiting {
        while engine.state.preflight_of(build).is_none() {
            engine.turn().await;
        }
        if let Some(Err(fault)) = engine.state.preflight_of(build) {
            let mut fault = fault.clone();
            fault.kind = FaultKind::Settings;
            fault.summary = format!(
                "the library's preflight refused this project: {}",
                fault.summary
            );
            return Err(fault);
        }
    }
    Ok(())
}

impl Session {
    async fn drive(&mut self, ending: &mut Ending) {
        let began = Instant::now();
        let mut totals = Totals::default();
        loop {
            let pass = Instant::now();
            let interrupted = self.pass(began, ending).await;
            if let Some(run) = &self.engine.state.run {
                totals.add(&run.totals);
                if let Some(fault) = &run.fatal {
                    self.progress.end();
                    print_fault(fault);
                    ending.fault(fault.clone());
                }
            }
            let Some(every) = self.args.refresh_every else {
                break;
            };
            let fatal = self
                .engine
                .state
                .run
                .as_ref()
                .is_some_and(|r| r.fatal.is_some());
            if interrupted || fatal {
                break;
            }
            let rest = Duration::from_secs(every).saturating_sub(pass.elapsed());
            if self.sleep(rest, ending).await {
                break;
            }
        }
        self.finish(&totals, began.elapsed(), ending);
    }

    /// One pass over the stages; true when it was interrupted.
    async fn pass(&mut self, began: Instant, ending: &mut Ending) -> bool {
        let mut tick = tokio::time::interval(TICK);
        let mut effects = self
            .engine
            .feed(Event::Input(Command::Run(Box::new(self.spec.clone()))));
        let mut interrupted = false;
        loop {
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
                    if self.args.max_time.is_some_and(|max| began.elapsed() >= max) && !interrupted {
                        ending.stopped();
                        interrupted = true;
                        effects.extend(self.engine.feed(Event::Input(Command::CancelRun)));
                    }
                }
                signal = self.signals.next() => {
                    if interrupted {
                        self.progress.end();
                        eprintln!("workbench: left at once; `workbench resume` finishes what had begun");
                        ending.signal(signal);
                        return true;
                    }
                    eprintln!("workbench: finishing what runs; once more to leave at once");
                    ending.signal(signal);
                    interrupted = true;
                    effects = self.engine.feed(Event::Input(Command::CancelRun));
                }
            }
        }
    }

    fn record(&mut self, report: &wb_core::run::Report, ending: &mut Ending) {
        use wb_core::run::Ending as Task;
        match &report.ending {
            Task::Failed(fault) => {
                ending.failures();
                tracing::warn!(task = %report.row.id, "{fault}");
            }
            Task::Conflict(_) => ending.conflicts(),
            Task::Moved | Task::Stayed => {}
        }
        if (self.out.stdout || self.out.file.is_some())
            && self.out.write(&output::line(report, self.dry)).is_err()
        {
            // Whoever read our lines is gone; the work itself goes on.
            self.out.stdout = false;
        }
    }

    /// Waits for the next pass; true when it was interrupted.
    async fn sleep(&mut self, rest: Duration, ending: &mut Ending) -> bool {
        let until = tokio::time::Instant::now() + rest;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return false,
                _ = self.engine.turn() => {}
                signal = self.signals.next() => {
                    ending.signal(signal);
                    return true;
                }
            }
        }
    }

    fn finish(&mut self, totals: &Totals, wall: Duration, ending: &mut Ending) {
        self.progress.end();
        let net = self.engine.net();
        let stopped = self
            .args
            .max_failures
            .is_some_and(|max| totals.failed >= max);
        if stopped {
            ending.stopped();
        }
        for group in totals.groups.iter().take(5) {
            let times = if group.count == 1 {
                String::new()
            } else {
                format!(" ({} tasks)", group.count)
            };
            eprintln!(
                "failed{times}: {} — first: {}",
                wb_ui::text::clean(&group.first.summary),
                wb_ui::text::clean(&group.title)
            );
        }
        let _ = self
            .out
            .write(&output::summary(totals, net, wall.as_secs_f64()));
        if let Some(file) = &mut self.out.file {
            let _ = file.flush();
        }
        eprintln!(
            "{}",
            output::sentence(totals, net, wall.as_secs_f64(), self.dry)
        );
        if let Some(next) = advice(ending.code(), self.dry) {
            eprintln!("{next}");
        }
    }
}

/// The command that helps next.
fn advice(code: u8, dry: bool) -> Option<&'static str> {
    match code {
        0 if dry => Some("The same without --dry-run writes it."),
        1 => Some("Failed tasks are where they were; mend the agent and run again."),
        5 => Some(
            "Tasks that others had changed were left; run again to take their labels into account.",
        ),
        7 => Some("Nothing was lost: run again when the platform answers."),
        9 => Some("Stopped by its limit; what is done stays done. Run again for the rest."),
        130 | 143 => Some("Interrupted: nothing was lost, run again for the rest."),
        _ => None,
    }
}
