//! How every command without a screen starts: the guards, then an engine with its libraries, or just a
//! connection for commands that need no agent.

mod ready;

use crate::Notify;
use crate::config::{Config, cache_dir, state_dir};
use crate::flags::Flags;
use crate::host_limits::HostLimits;
use crate::journal::{self, Journal, Operation};
use crate::operation::{Operator, Performer};
use crate::outage::OutageReporter;
use crate::runtime::{Drain, Engine, Setup, now};
use crate::upstream::Upstream;
use crate::{library, preflight, upstream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use wb_client::{Reader, Writer};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{ProjectHash, StageId};
use wb_core::journal::Settled;
use wb_core::ledger::Scope;
use wb_core::run::OnDuplicate;
use wb_core::state::{Level, Options};
use wb_core::work::Project;

/// How long the platform may take for its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(12);

/// What a command needs of an engine.
pub struct Need<'a> {
    /// What its writes are noted under.
    pub operation: Operation,
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
    /// What happens to labels that stand there already.
    pub on_duplicate: OnDuplicate,
}

/// An engine with its libraries active, and the stages to work on in the order of the library.
///
/// # Errors
/// A setting, a library or the project does not allow the command to start.
pub async fn engine(
    flags: &Flags,
    config: &Config,
    need: &Need<'_>,
    notify: Notify,
) -> Result<(Engine, Vec<StageId>), Error> {
    refuse_read_only(flags, need.operation.kind)?;
    upstream::project_hash(config)?;
    let libraries = library::files(&config.agents.value, notify)?;
    preflight::none_bad(preflight::files(&libraries))?;
    let paths: Vec<PathBuf> = libraries.into_iter().map(|l| l.path).collect();
    let mut engine = start_engine(flags, config, need, paths.clone())?;
    match ready::ready(&mut engine, flags, config, need, &paths, notify).await {
        Ok(stages) => Ok((engine, stages)),
        Err(error) => {
            if let Some(journal) = engine.journal() {
                leave(flags, journal);
            }
            Err(error)
        }
    }
}

fn start_engine(
    flags: &Flags,
    config: &Config,
    need: &Need<'_>,
    libraries: Vec<PathBuf>,
) -> Result<Engine, Error> {
    let project = upstream::project_hash(config)?;
    let upstream = upstream::command(flags, config, need.rate, need.operation.kind)?;
    let writes = upstream.writer.is_some();
    let options = Options {
        upstream: upstream.name,
        read_only: flags.read_only,
        dry_run: !writes,
        timeout_ms: need.timeout_ms,
        rate: need.rate.or(config.rate.as_ref().map(|r| r.value)),
        on_duplicate: need.on_duplicate,
        ..Options::default()
    };
    let mut engine = Engine::start(Setup {
        reader: upstream.reader,
        writer: upstream.writer,
        project,
        libraries,
        twins: Vec::new(),
        drain: need.drains.then(|| Drain::of(need.stages)),
        cache: cache_dir()?,
        params: config.params.clone(),
        options,
        concurrency: need.concurrency,
        limits: HostLimits::of(flags, config, need.concurrency),
        verbose: flags.verbose,
    })?;
    // Opened while the project is on its way; nothing is written before.
    if writes {
        let journal = Journal::open(&state_dir("")?)?;
        operate(flags, &journal, project, need.operation.clone())?;
        engine.keep_journal(journal);
    } else if let Some(journal) = read_journal() {
        engine.keep_journal(journal);
    }
    Ok(engine)
}

/// The journal of this folder, for a command that only reads it. One that cannot be opened keeps nobody from a
/// dry run.
fn read_journal() -> Option<Journal> {
    let dir = state_dir("").ok()?;
    if !dir.join(journal::FILE).exists() {
        return None;
    }
    let opened = Journal::open(&dir);
    opened.inspect_err(|error| tracing::warn!("{error}")).ok()
}

/// A command whose job is to write does not start where writing is refused.
///
/// # Errors
/// `--read-only` is set.
pub fn refuse_read_only(flags: &Flags, command: &str) -> Result<(), Error> {
    if !flags.read_only || flags.dry_run {
        return Ok(());
    }
    let text = format!("`{command}` writes, and --read-only refuses that; nothing was done");
    Err(Error::new(ErrorKind::Refused, text)
        .hint("to see what would be written: --dry-run instead")
        .hint("to write: without --read-only"))
}

/// A protected project is written to only by a command that names it.
///
/// # Errors
/// The project is protected and `--confirm` does not name it.
pub fn guard(flags: &Flags, config: &Config, project: &Project) -> Result<(), Error> {
    let protected = config
        .level
        .as_ref()
        .is_some_and(|l| l.value == Level::Protected);
    let title = project.title.as_str();
    if !protected || flags.confirmed().any(|confirmed| confirmed == title) {
        return Ok(());
    }
    let text = format!("project \"{title}\" is protected; nothing was written");
    Err(Error::new(ErrorKind::Refused, text)
        .hint(format!("to write to it: --confirm \"{title}\""))
        .hint("to see what would be written: --dry-run"))
}

/// Reads and writes without any agent.
pub struct Connection {
    /// Reads.
    pub reader: Reader,
    /// Writes; a dry run has none.
    pub writer: Option<Arc<Writer>>,
    /// Notes every write.
    pub journal: Journal,
    /// The project.
    pub project: Arc<Project>,
    /// The result of what earlier commands had begun.
    pub settled: Settled,
    /// Does its commands.
    pub operator: Operator,
    _outages: OutageReporter,
}

/// Connects for a command that writes without agents, and finishes what earlier ones had begun.
///
/// # Errors
/// A setting, the journal or the platform does not allow the command to start.
pub async fn connection(
    flags: &Flags,
    config: &Config,
    command: &'static str,
    operation: Option<Operation>,
    notify: Notify,
) -> Result<Connection, Error> {
    refuse_read_only(flags, command)?;
    let hash = upstream::project_hash(config)?;
    let upstream = upstream::command(flags, config, None, command)?;
    let journal = Journal::open(&state_dir("")?)?;
    // What is taken back need not be finished before.
    let scope = match command {
        "undo" => Scope::Unanswered,
        _ => Scope::All,
    };
    if let (Some(operation), Some(_)) = (operation, &upstream.writer) {
        operate(flags, &journal, hash, operation)?;
    }
    let connection = connect(flags, config, upstream, journal.clone(), (scope, notify)).await;
    if connection.is_err() {
        leave(flags, &journal);
    }
    connection
}

async fn connect(
    flags: &Flags,
    config: &Config,
    upstream: Upstream,
    journal: Journal,
    (scope, notify): (Scope, Notify),
) -> Result<Connection, Error> {
    let hash = upstream::project_hash(config)?;
    let outages = OutageReporter::start(&upstream.reader, notify);
    let project = match timeout(FIRST_ANSWER, upstream.reader.project(hash)).await {
        Ok(project) => Arc::new(project?),
        Err(_) => {
            let why = upstream
                .reader
                .outage()
                .map_or_else(|| "no answer at all".to_owned(), |t| t.why);
            let text = format!(
                "the platform could not be reached within {} s",
                FIRST_ANSWER.as_secs()
            );
            return Err(Error::new(ErrorKind::Network, text)
                .because(why)
                .hint("is ENCORD_DOMAIN right, and does this machine reach it?"));
        }
    };
    let (reader, writer) = (upstream.reader.clone(), upstream.writer.clone());
    let performer = Performer::new(reader, writer, journal.clone(), project.clone());
    let mut operator = Operator::new(performer);
    let mut settled = Settled::default();
    if upstream.writer.is_some() {
        guard(flags, config, &project)?;
        settled = operator.recover(scope).await?;
        for line in settled.lines() {
            notify(&line);
        }
    }
    Ok(Connection {
        settled,
        operator,
        reader: upstream.reader,
        writer: upstream.writer,
        journal,
        project,
        _outages: outages,
    })
}

/// What is written from now on belongs to this operation, or to the one that `resume` goes on with. It is
/// noted before anything else is done, so that a command which dies early is known to have been interrupted.
fn operate(
    flags: &Flags,
    journal: &Journal,
    project: ProjectHash,
    operation: Operation,
) -> Result<i64, Error> {
    let operation = Operation {
        goes_on: flags.goes_on,
        ..operation
    };
    journal.operate(project, &operation, &flags.words, now().0)
}

/// The command ends before it has written anything: there is nothing to go on with, unless it was to go on
/// with an earlier one.
pub fn leave(flags: &Flags, journal: &Journal) {
    if flags.goes_on.is_none() {
        journal.leave();
    }
}
