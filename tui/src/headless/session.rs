//! What every command without a screen begins with: guards, the engine with its libraries, or just
//! the hands that write, for commands that need no agent.

use super::outage::Watch;
use crate::cli::Global;
use crate::config::{Config, state_dir};
use crate::exit::Ending;
use crate::journal::{self, Journal, Operation};
use crate::runtime::{Drain, Engine, Setup, now};
use crate::upstream::Upstream;
use crate::{library, upstream};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use wb_client::{Reader, Writer};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{ProjectHash, StageId};
use wb_core::state::{Level, Options};
use wb_core::work::Project;

/// How long libraries may take to be opened before the command is given up.
const LOADING: Duration = Duration::from_secs(20);
/// How long the platform may take for its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(12);

/// What a command needs of an engine.
pub struct Need<'a> {
    /// Its name, for the log and the journal.
    pub command: &'static str,
    /// Requests a second.
    pub rate: Option<f64>,
    /// Limit of one attempt in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Jobs at a time.
    pub concurrency: usize,
    /// Stages by name or UUID; empty: all that have an agent.
    pub stages: &'a [String],
    /// Whether it works through their queues.
    pub drains: bool,
}

/// An engine with its libraries in charge, and the stages to work on in the order of the library.
pub async fn engine(
    global: &Global,
    config: &Config,
    need: &Need<'_>,
) -> Result<(Engine, Vec<StageId>), Fault> {
    refuse_read_only(global, need.command)?;
    upstream::project_hash(config)?;
    let libraries = library::find(&config.agents.value)?;
    if let Some(missing) = libraries.iter().find(|l| !l.path.exists()) {
        let build = missing.package.as_ref().map_or_else(
            || "build it first".to_owned(),
            |p| format!("build it first: cargo build -p {p}"),
        );
        let text = format!("{} does not exist", missing.path.display());
        return Err(Fault::new(FaultKind::Settings, text).hint(build));
    }
    if libraries.is_empty() {
        return Err(
            Fault::new(FaultKind::Settings, "no agent library was found here")
                .hint("name one with --agents: a library, a crate folder or a folder of libraries"),
        );
    }
    let paths: Vec<PathBuf> = libraries.into_iter().map(|l| l.path).collect();
    let count = paths.len();
    let mut engine = start_engine(global, config, need, paths)?;
    match ready(&mut engine, global, config, need, count).await {
        Ok(stages) => Ok((engine, stages)),
        Err(fault) => {
            if let Some(journal) = engine.journal() {
                leave(global, journal);
            }
            Err(fault)
        }
    }
}

/// Everything that is looked at before the first task.
async fn ready(
    engine: &mut Engine,
    global: &Global,
    config: &Config,
    need: &Need<'_>,
    count: usize,
) -> Result<Vec<StageId>, Fault> {
    let _outages = Watch::of(engine.reader());
    load_project(engine).await?;
    if let (Some(project), false) = (&engine.state.project, engine.state.options.dry_run) {
        guard(global, config, project)?;
    }
    has_agent_stages(engine)?;
    let settled = engine.settle().await?;
    if settled.found > 0 {
        tell!(
            "An earlier run was interrupted: of {} writes that had begun {} are finished; {} tasks will run anew.",
            settled.found,
            settled.finished,
            settled.left
        );
    }
    load_libraries(engine, count).await?;
    let stages = choose_stages(engine, need.stages)?;
    parameters(engine, &stages, config)?;
    preflight(engine).await?;
    Ok(stages)
}

/// Agents have nothing to do in a project whose workflow has no agent stage.
fn has_agent_stages(engine: &Engine) -> Result<(), Fault> {
    let Some(project) = &engine.state.project else {
        return Ok(());
    };
    if project.workflow.agent_stages().next().is_some() {
        return Ok(());
    }
    let text = format!("project \"{}\" has no agent stage", project.title);
    let titles: Vec<&str> = project
        .workflow
        .stages
        .iter()
        .map(|s| s.title.as_str())
        .collect();
    Err(Fault::new(FaultKind::Settings, text)
        .hint(format!("its stages: {}", titles.join(", ")))
        .hint("add an agent stage to its workflow on the platform, or name another project"))
}

fn start_engine(
    global: &Global,
    config: &Config,
    need: &Need<'_>,
    libraries: Vec<PathBuf>,
) -> Result<Engine, Fault> {
    let project = upstream::project_hash(config)?;
    let upstream = upstream::command(global, config, need.rate, need.command)?;
    let writes = upstream.writer.is_some();
    let options = Options {
        upstream: upstream.name,
        read_only: global.read_only,
        dry_run: !writes,
        timeout_ms: need.timeout_ms,
        rate: need.rate.or(config.rate.as_ref().map(|r| r.value)),
        ..Options::default()
    };
    let mut engine = Engine::start(Setup {
        reader: upstream.reader,
        writer: upstream.writer,
        project,
        libraries,
        twins: Vec::new(),
        drain: need.drains.then(|| Drain::of(need.stages)),
        cache: state_dir("cache")?,
        params: config.params.clone(),
        options,
        concurrency: need.concurrency,
        verbose: global.verbose,
    })?;
    // Opened while the project is on its way; nothing is written before.
    if writes {
        let journal = Journal::open(&state_dir("")?)?;
        let operation = Operation {
            kind: need.command,
            ..Operation::default()
        };
        operate(global, &journal, project, operation)?;
        engine.keep_journal(journal);
    }
    Ok(engine)
}

/// A command whose job is to write does not start where writing is refused.
pub fn refuse_read_only(global: &Global, command: &str) -> Result<(), Fault> {
    if !global.read_only || global.dry_run {
        return Ok(());
    }
    let text = format!("`{command}` writes, and --read-only refuses that; nothing was done");
    Err(Fault::new(FaultKind::Refused, text)
        .hint("to see what would be written: --dry-run instead")
        .hint("to write: without --read-only"))
}

/// A protected project is written to only by a command that names it.
pub fn guard(global: &Global, config: &Config, project: &Project) -> Result<(), Fault> {
    let protected = config
        .level
        .as_ref()
        .is_some_and(|l| l.value == Level::Protected);
    let title = project.title.as_str();
    if !protected || global.confirm.as_deref() == Some(title) {
        return Ok(());
    }
    let text = format!("project \"{title}\" is protected; nothing was written");
    Err(Fault::new(FaultKind::Refused, text)
        .hint(format!("to write to it: --confirm \"{title}\""))
        .hint("to see what would be written: --dry-run"))
}

/// Reads and writes without any agent.
pub struct Hands {
    /// Reads.
    pub reader: Reader,
    /// Writes; a dry run has none.
    pub writer: Option<Writer>,
    /// Notes every write.
    pub journal: Journal,
    /// The project.
    pub project: Project,
    _outages: Watch,
}

/// Connects for a command that writes without agents, and finishes what earlier ones had begun.
pub async fn hands(
    global: &Global,
    config: &Config,
    command: &'static str,
    operation: Option<Operation>,
) -> Result<Hands, Fault> {
    refuse_read_only(global, command)?;
    let hash = upstream::project_hash(config)?;
    let upstream = upstream::command(global, config, None, command)?;
    let journal = Journal::open(&state_dir("")?)?;
    if let (Some(operation), Some(_)) = (operation, &upstream.writer) {
        operate(global, &journal, hash, operation)?;
    }
    let hands = connect(global, config, hash, upstream, journal.clone()).await;
    if hands.is_err() {
        leave(global, &journal);
    }
    hands
}

async fn connect(
    global: &Global,
    config: &Config,
    hash: ProjectHash,
    upstream: Upstream,
    journal: Journal,
) -> Result<Hands, Fault> {
    let outages = Watch::of(&upstream.reader);
    let project = match timeout(FIRST_ANSWER, upstream.reader.project(hash)).await {
        Ok(project) => project?,
        Err(_) => {
            let why = upstream
                .reader
                .trouble()
                .map_or_else(|| "no answer at all".to_owned(), |t| t.why);
            let text = format!(
                "the platform could not be reached within {} s",
                FIRST_ANSWER.as_secs()
            );
            return Err(Fault::new(FaultKind::Network, text)
                .because(why)
                .hint("is ENCORD_DOMAIN right, and does this machine reach it?"));
        }
    };
    if let Some(writer) = &upstream.writer {
        guard(global, config, &project)?;
        let settled = journal::settle(writer, &journal, &project).await?;
        if settled.found > 0 {
            tell!(
                "An earlier command was interrupted: of {} writes that had begun {} are finished.",
                settled.found,
                settled.finished
            );
        }
    }
    Ok(Hands {
        reader: upstream.reader,
        writer: upstream.writer,
        journal,
        project,
        _outages: outages,
    })
}

/// The words of this command, for the journal. They hold no secrets: none are taken as flags.
#[must_use]
pub fn words() -> Vec<String> {
    std::env::args().skip(1).collect()
}

/// What is written from now on belongs to this operation, or to the one that `resume` goes on with. It is
/// noted before anything else is done, so that a command which dies early is known to have been interrupted.
fn operate(
    global: &Global,
    journal: &Journal,
    project: ProjectHash,
    operation: Operation,
) -> Result<i64, Fault> {
    let operation = Operation {
        goes_on: global.goes_on,
        ..operation
    };
    journal.operate(project, &operation, &words(), now().0)
}

/// The last words of a command that was asked to stop.
pub fn tell_interrupted(ending: &Ending) {
    if ending.interrupted() {
        tell!("Interrupted: nothing was lost; `workbench resume` goes on.");
    }
}

/// The command ends before it has written anything: there is nothing to go on with, unless it was to go on
/// with an earlier one.
pub fn leave(global: &Global, journal: &Journal) {
    if global.goes_on.is_none() {
        journal.leave();
    }
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
        tell!("note: {}", wb_ui::text::clean(note));
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
            let mut fault = Fault::new(FaultKind::Settings, project.workflow.not_found(name));
            let near = project.workflow.nearest(name);
            for near in near.into_iter().filter(|n| n != name) {
                fault = fault.hint(format!("did you mean \"{near}\"?"));
            }
            return Err(fault.hint(format!("its agent stages: {}", agents.join(", "))));
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

/// Parameters that an agent declares otherwise would fail every task of its stage.
fn parameters(engine: &Engine, stages: &[StageId], config: &Config) -> Result<(), Fault> {
    let mut found = crate::params::misfits(&engine.state, stages, &config.params).into_iter();
    let Some((title, first)) = found.next() else {
        return Ok(());
    };
    let text = format!("parameters of stage \"{title}\": {first}");
    let place = format!("put it right in workbench.toml under [params.\"{title}\"]");
    let rest: Vec<String> = found
        .map(|(title, p)| format!("\"{title}\": {p}"))
        .collect();
    let fault = Fault::new(FaultKind::Settings, text);
    Err(if rest.is_empty() {
        fault.hint(place)
    } else {
        fault.because(rest.join("\n")).hint(place)
    })
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
