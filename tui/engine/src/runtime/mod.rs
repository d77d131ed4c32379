//! The runtime: the one place that performs effects and knows all neighbours.
//!
//! Effects go out as tasks, their answers come back as events through one inbox. What to do next
//! is decided by the core alone; what a person sees is left to the faces (screen and headless).

mod around;
mod asset;
mod calls;
mod closing;
mod drain;
mod earlier_runs;
mod effects;
mod excerpts;
mod gathered;
mod hosts;
mod journal;
mod judging;
mod lines;
mod listing;
mod lists;
mod replies;
mod seen;
mod twin;

pub use crate::clock::now;
pub(crate) use calls::Answers;
pub use drain::Drain;
pub use listing::matching;
pub use twin::Twin;

use crate::host_limits::HostLimits;
use crate::journal::Journal;
use crate::operation::NotedChanges;
use crate::screen_store::ScreenStore;
use agent_abi::model::Ontology;
use closing::Closing;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use wb_client::{AssetCache, Reader, Writer};
use wb_core::error::Error;
use wb_core::event::{Effect, Event, NetStats, Outage, Upstream};
use wb_core::ids::{JobId, Millis, OperationId, ProjectHash, StageId, TaskId};
use wb_core::run::OnDuplicate;
use wb_core::state::{Options, State};
use wb_core::work::{Inputs, Project};
use wb_host::{HostEvent, Hosts, JobRequest};

/// What a face needs to start an engine.
pub struct Setup {
    /// Reads upstream.
    pub reader: Reader,
    /// Writes upstream; a dry run has none.
    pub writer: Option<Arc<Writer>>,
    /// The project.
    pub project: ProjectHash,
    /// Libraries to watch, once the project is known.
    pub libraries: Vec<PathBuf>,
    /// The same libraries in their other profile: a new build there counts as a rebuild.
    pub twins: Vec<Twin>,
    /// What is worked through as soon as the project is there.
    pub drain: Option<Drain>,
    /// Where assets and copies of libraries are kept.
    pub cache: PathBuf,
    /// Parameters by stage name or UUID.
    pub params: BTreeMap<String, serde_json::Value>,
    /// For the core.
    pub options: Options,
    /// Jobs at a time that hosts are kept for.
    pub concurrency: usize,
    /// What hosts may use.
    pub limits: HostLimits,
    /// How much of what agents log is kept for [`Engine::agent_output`], as set by `-v`.
    pub verbose: u8,
}

/// Sees each event before the state takes it in.
pub type EventTap = Box<dyn FnMut(&Event) + Send>;

/// State and world together.
pub struct Engine {
    /// What is true: changed by [`Engine::feed`] alone.
    state: State,
    world: World,
    inbox: mpsc::Receiver<Event>,
    host_events: mpsc::Receiver<HostEvent>,
    tap: Option<EventTap>,
}

/// What effects are performed with.
struct World {
    /// Second places of libraries, with the library each one is.
    twins: HashMap<PathBuf, PathBuf>,
    /// Where the active content of a library was built, when it has a twin.
    built_at: HashMap<PathBuf, PathBuf>,
    started: Millis,
    reader: Reader,
    writer: Option<Arc<Writer>>,
    hosts: Hosts,
    hash: ProjectHash,
    project: Option<Arc<Project>>,
    ontology: Option<Arc<Ontology>>,
    stages: HashMap<StageId, StageFacts>,
    drain: Option<Drain>,
    journal: Option<Journal>,
    /// What the next screen finds again.
    store: Option<ScreenStore>,
    /// Operations that the screen's writes are noted under.
    operations: HashMap<OperationId, Journal>,
    closing: Closing,
    /// Changes that are noted and not sent yet.
    noted: NotedChanges,
    cache: AssetCache,
    on_duplicate: OnDuplicate,
    params: BTreeMap<String, serde_json::Value>,
    jobs: HashMap<JobId, JobFacts>,
    lines: lines::Lines,
    /// Jobs that the hosts are given together, when all news of the moment is taken in.
    launches: Vec<JobRequest>,
    answers: Answers,
    news: mpsc::Sender<Event>,
    /// Turns in which large answers are judged.
    judges: Arc<Semaphore>,
}

/// What every job of a stage is given.
struct StageFacts {
    json: Arc<str>,
    params: Arc<str>,
}

/// What is needed to judge the answer of a job under way.
struct JobFacts {
    stage: StageId,
    inputs: Arc<Inputs>,
    /// The other rows that it was given, as it saw them.
    seen: seen::SeenRows,
}

/// Bytes of downloaded assets that are kept.
const ASSETS: u64 = 4 << 30;
/// Events that may wait; beyond that, effects wait.
const INBOX: usize = 4096;
/// Events taken in before the face gets its turn.
const TURN: usize = 2048;

/// The same options, with the libraries in their order and those that are there now.
fn with_libraries(options: Options, libraries: &[PathBuf]) -> Options {
    Options {
        awaited: crate::library::there(libraries),
        libraries: libraries.to_vec(),
        ..options
    }
}

impl Engine {
    /// Starts hosts and asks for the project.
    ///
    /// # Errors
    /// Hosts cannot be started on this machine, or the caches cannot be made.
    pub fn start(setup: Setup) -> Result<Self, Error> {
        let (news, inbox) = mpsc::channel(INBOX);
        let (host_news, host_events) = mpsc::channel(INBOX);
        // Agents are given paths into the cache; they must hold wherever an agent looks from.
        let folder = std::path::absolute(&setup.cache).unwrap_or(setup.cache);
        let config = (setup.limits).hosts(folder.join("libraries"), setup.options.screen);
        let hosts = Hosts::start(config, host_news).map_err(|e| hosts::none(&e))?;
        hosts.set_concurrency(setup.concurrency);
        let cache = AssetCache::new(folder.join("assets"), ASSETS);
        let on_duplicate = setup.options.on_duplicate;
        let mut options = with_libraries(setup.options, &setup.libraries);
        options.params = Arc::new(crate::params::shown(&setup.params));
        if options.screen {
            options.points = crate::files::kept_points(setup.project);
        }
        let (state, first) = State::start(options, now());
        let world = World {
            twins: setup.twins.into_iter().map(|t| (t.path, t.of)).collect(),
            built_at: HashMap::new(),
            started: now(),
            answers: Answers::new(setup.reader.clone(), cache.clone()),
            reader: setup.reader,
            writer: setup.writer,
            hosts,
            hash: setup.project,
            project: None,
            ontology: None,
            stages: HashMap::new(),
            drain: setup.drain,
            journal: None,
            store: None,
            operations: HashMap::new(),
            closing: Closing::new(),
            noted: NotedChanges::default(),
            cache,
            on_duplicate,
            params: setup.params,
            jobs: HashMap::new(),
            lines: lines::Lines::new(setup.verbose),
            launches: Vec::new(),
            news,
            judges: Arc::new(Semaphore::new(judging::JUDGES)),
        };
        let mut engine = Self {
            state,
            world,
            inbox,
            host_events,
            tap: None,
        };
        // Probed while the project is on its way.
        let twins: Vec<PathBuf> = engine.world.twins.keys().cloned().collect();
        for library in setup.libraries.into_iter().chain(twins) {
            engine.world.hosts.watch(library);
        }
        for effect in first {
            engine.world.perform(effect);
        }
        Ok(engine)
    }

    /// From now on this sees every event: with the options and the time of the state before the first one, they are
    /// all that the state is made of.
    pub fn tap(&mut self, tap: EventTap) {
        self.tap = Some(tap);
    }

    /// What is true.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// A sender for events from elsewhere (the compiler, simulated people).
    #[must_use]
    pub fn news(&self) -> mpsc::Sender<Event> {
        self.world.news.clone()
    }

    /// Takes one event in; performs what follows; gives back what concerns the face.
    pub fn feed(&mut self, event: Event) -> Vec<Effect> {
        let for_the_face = self.take_in(event);
        self.world.hand_over();
        for_the_face
    }

    fn take_in(&mut self, event: Event) -> Vec<Effect> {
        if let Some(tap) = &mut self.tap {
            tap(&event);
        }
        let effects = self.state.update(event);
        self.hand_project_on();
        let mut for_the_face = Vec::new();
        for effect in effects {
            match effect {
                effect if effect.is_for_the_face() => for_the_face.push(effect),
                other => self.world.perform(other),
            }
        }
        for_the_face
    }

    /// Waits for news and takes it in, with everything else that is there already.
    pub async fn turn(&mut self) -> Vec<Effect> {
        let first = tokio::select! {
            Some(event) = self.inbox.recv() => Some(event),
            Some(event) = self.host_events.recv() => self.world.translate(event),
            else => None,
        };
        let mut effects = self.take_in(Event::Tick(now()));
        if let Some(event) = first {
            effects.extend(self.take_in(event));
        }
        for _ in 0..TURN {
            let event = match (self.host_events.try_recv(), self.inbox.try_recv()) {
                (Ok(host), Ok(event)) => {
                    if let Some(host) = self.world.translate(host) {
                        effects.extend(self.take_in(host));
                    }
                    Some(event)
                }
                (Ok(host), Err(_)) => self.world.translate(host),
                (Err(_), Ok(event)) => Some(event),
                (Err(_), Err(_)) => break,
            };
            if let Some(event) = event {
                effects.extend(self.take_in(event));
            }
        }
        self.world.hand_over();
        effects
    }

    /// Gives the state the time and the wire counters.
    pub fn tick(&mut self) -> Vec<Effect> {
        let mut effects = self.feed(Event::Upstream(Upstream::Stats(self.net())));
        effects.extend(self.feed(Event::Tick(now())));
        let outage = self.world.reader.outage().map(|t| Outage {
            since: t.since,
            why: t.why,
            again: t.again,
        });
        if outage.is_some() || self.state.outage.is_some() {
            effects.extend(self.feed(Event::Upstream(Upstream::Outage(outage))));
        }
        effects
    }

    /// What agents logged and printed since the last time, as far as it was asked for.
    pub fn agent_output(&mut self) -> Vec<String> {
        self.world.lines.drain()
    }

    /// What went over the wire.
    #[must_use]
    pub fn net(&self) -> NetStats {
        let stats = self.world.reader.stats();
        NetStats {
            requests: stats.requests,
            writes: stats.writes,
            retries: stats.retries,
            waited_ms: u64::try_from(stats.waited.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Every write is noted there from now on; without a journal nothing is written.
    pub fn keep_journal(&mut self, journal: Journal) {
        self.world.journal = Some(journal);
    }

    /// What is held, and what is shown, is kept there from now on.
    pub fn keep_screen(&mut self, store: ScreenStore) {
        self.world.store = Some(store);
    }

    /// What is held of these tasks is somewhere else now: the next screen does not find it.
    pub fn drop_kept(&self, tasks: Vec<TaskId>) {
        if let Some(store) = &self.world.store {
            store.held(tasks.into_iter().map(|task| (task, None)).collect());
        }
    }

    /// Where what is shown is kept, if it is.
    #[must_use]
    pub fn screen_store(&self) -> Option<&ScreenStore> {
        self.world.store.as_ref()
    }

    /// The journal, when this process writes.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.world.journal.as_ref()
    }

    /// Reads upstream.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.world.reader
    }

    /// A new project is known to the hosts before any job of it.
    fn hand_project_on(&mut self) {
        let Some(project) = self.state.project.as_ref() else {
            return;
        };
        let known = self.world.project.as_ref();
        if !known.is_some_and(|known| Arc::ptr_eq(known, project)) {
            self.world.take_project(project.clone());
        }
    }
}
