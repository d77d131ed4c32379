//! The processes of resources: which builds share one, when one starts and ends, and who asks what.
//!
//! A resource is identified by its library, its name, its version, and size and time of its files. Each has a
//! pool of its own with one host, so that limits, captured output, crashes and their stacks are those of every
//! other host. One thread keeps them all; it is sent messages and never waits for anything else.

mod pending;

use crate::asking::{
    self, Asking, InboxEnd, Quiet, ResourceAnswers, ResourceNews, Wanted, identity, sentence,
};
use crate::calls::Asked;
use crate::core::Core;
use crate::jobs::JobResult;
use crate::pool::{News, PREFLIGHTS, ResourceQuestion};
use crate::store::StagedCopy;
use agent_abi::wire::ResourceSpec;
use pending::Pending;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wb_core::build::Probed;
use wb_core::ids::{BuildId, JobId, ProbeId};

/// How long an answer may still take when nobody waits for it any more: opening the value again costs more.
const GRACE: Duration = Duration::from_secs(10);
/// So many ends of its process within [`WITHIN`], and a resource is not started again for that long.
const CRASHES: usize = 3;
const WITHIN: Duration = Duration::from_secs(60);

/// Starts the thread; it ends with [`ResourceNews::Close`].
pub(crate) fn start(core: &Arc<Core>, end: InboxEnd) -> std::io::Result<()> {
    let InboxEnd { from, to, open } = end;
    let mut keeper = Keeper {
        main: Arc::clone(core),
        to,
        open,
        last: PREFLIGHTS,
        resources: BTreeMap::new(),
        held: HashMap::new(),
        builds: BTreeMap::new(),
        pending: Vec::new(),
        questions: HashMap::new(),
        leaving: Vec::new(),
    };
    std::thread::Builder::new()
        .name("wb-resources".into())
        .spawn(move || {
            while let Ok(message) = from.recv() {
                if let ResourceNews::Close { at_once, reply } = message {
                    return keeper.close(at_once, reply);
                }
                keeper.on(message);
            }
        })
        .map(drop)
}

/// One process, and who needs it.
struct ResourceProcess {
    library: PathBuf,
    name: String,
    identity: String,
    core: Arc<Core>,
    holders: BTreeSet<ProbeId>,
    /// It has answered since it was started last.
    ready: bool,
    crashes: VecDeque<Instant>,
}

struct Keeper {
    main: Arc<Core>,
    to: Sender<ResourceNews>,
    open: Arc<AtomicUsize>,
    last: u64,
    resources: BTreeMap<u64, ResourceProcess>,
    /// Resources of each content by name.
    held: HashMap<ProbeId, BTreeMap<String, u64>>,
    builds: BTreeMap<BuildId, ProbeId>,
    pending: Vec<Pending>,
    questions: HashMap<(u64, u64), Wanted>,
    leaving: Vec<Arc<Core>>,
}

impl Keeper {
    fn on(&mut self, message: ResourceNews) {
        match message {
            ResourceNews::Probed { probed, copy } => self.probed(probed, copy),
            ResourceNews::Activated { build, probed } => {
                if !self.held.contains_key(&probed.id) {
                    let copy = StagedCopy::foreign(probed.copy.clone());
                    self.hold(&probed, &copy);
                }
                self.builds.insert(build, probed.id);
            }
            ResourceNews::Discarded(probe) => {
                self.pending.retain(|pending| pending.probed.id != probe);
                self.release(probe);
            }
            ResourceNews::Gone(build) => {
                let probe = self.builds.remove(&build);
                if let Some(probe) = probe.filter(|p| !self.builds.values().any(|other| other == p))
                {
                    self.release(probe);
                }
            }
            ResourceNews::Ask(asking) => self.ask(*asking),
            ResourceNews::Over(job) => self.over(job),
            ResourceNews::Ended {
                resource,
                number,
                result,
            } => self.ended(resource, number, result),
            ResourceNews::Close { .. } => {}
        }
    }

    fn of(&self, probe: ProbeId) -> Vec<u64> {
        let held = self.held.get(&probe);
        held.map_or_else(Vec::new, |held| held.values().copied().collect())
    }

    /// Finds or starts what a content needs.
    fn hold(&mut self, probed: &Probed, copy: &Arc<StagedCopy>) {
        let mut held = BTreeMap::new();
        for spec in &probed.descriptor.resources {
            let identity = identity(spec);
            let same = |r: &ResourceProcess| {
                r.library == probed.library && r.name == spec.name && r.identity == identity
            };
            let known = self.resources.iter().find(|(_, r)| same(r));
            let id = match known.map(|(id, _)| *id) {
                Some(id) => id,
                None => self.begin(probed, spec, identity, copy),
            };
            if let Some(resource) = self.resources.get_mut(&id) {
                resource.holders.insert(probed.id);
            }
            held.insert(spec.name.clone(), id);
        }
        self.held.insert(probed.id, held);
    }

    fn begin(
        &mut self,
        probed: &Probed,
        spec: &ResourceSpec,
        identity: String,
        copy: &Arc<StagedCopy>,
    ) -> u64 {
        self.last += 1;
        let id = self.last;
        let mut config = self.main.config.clone();
        (config.max_hosts, config.concurrency, config.spare) = (1, 1, false);
        (config.recycle_after, config.short_grace) = (u32::MAX, GRACE);
        let mut core = Core::new(
            config,
            self.main.events.clone(),
            Arc::clone(&self.main.store),
            self.main.spawner.clone(),
            self.main.symbols.clone(),
        );
        core.answers = Some(ResourceAnswers {
            to: self.to.clone(),
            resource: id,
        });
        let core = Arc::new(core);
        core.on(News::Adopt {
            build: BuildId(0),
            copy: Arc::clone(copy),
            resource: spec.name.clone(),
        });
        let resource = ResourceProcess {
            library: probed.library.clone(),
            name: spec.name.clone(),
            identity,
            core,
            holders: BTreeSet::new(),
            ready: false,
            crashes: VecDeque::new(),
        };
        self.resources.insert(id, resource);
        self.send(id, Vec::new(), Wanted::Open);
        id
    }

    /// Gives a question to the pool of a resource.
    fn send(&mut self, id: u64, bytes: Vec<u8>, wanted: Wanted) {
        let Some(core) = self.resources.get(&id).map(|r| Arc::clone(&r.core)) else {
            return;
        };
        self.last += 1;
        let number = self.last;
        self.questions.insert((id, number), wanted);
        core.on(News::Ask(ResourceQuestion {
            number,
            build: BuildId(0),
            bytes,
        }));
    }

    fn release(&mut self, probe: ProbeId) {
        for id in self
            .held
            .remove(&probe)
            .into_iter()
            .flat_map(BTreeMap::into_values)
        {
            let Some(resource) = self.resources.get_mut(&id) else {
                continue;
            };
            resource.holders.remove(&probe);
            if resource.holders.is_empty()
                && let Some(resource) = self.resources.remove(&id)
            {
                resource.core.on(News::Close { at_once: false });
                self.leaving.push(resource.core);
            }
        }
    }

    fn ask(&mut self, asking: Asking) {
        let end = asking.question.iter().position(|byte| *byte == b'\n');
        let (name, rest) = asking.question.split_at(end.unwrap_or(0));
        let name: String = serde_json::from_slice(name).unwrap_or_default();
        let held = (self.builds.get(&asking.build)).and_then(|probe| self.held.get(probe));
        let id = held.and_then(|held| held.get(&name)).copied();
        let Some((id, resource)) = id.and_then(|id| Some((id, self.resources.get_mut(&id)?)))
        else {
            let why =
                "this library exports no such resource; add `resources = [Name]` to `export!`";
            return self.answer(asking.asked, Err(why.to_owned()));
        };
        resource.crashes.retain(|at| at.elapsed() < WITHIN);
        if resource.crashes.len() >= CRASHES {
            let why = format!(
                "its process ended {CRASHES} times within {WITHIN:?} and is not started again for as long"
            );
            return self.answer(asking.asked, Err(why));
        }
        let loading = !resource.ready;
        let (host, job) = (asking.host, asking.job);
        if loading {
            self.main.on(News::Waits {
                host,
                job,
                resource: Some(name),
            });
        }
        let question = rest.get(1..).unwrap_or_default().to_vec();
        let asked = asking.asked;
        self.send(
            id,
            question,
            Wanted::Answer {
                host,
                job,
                asked,
                loading,
            },
        );
    }

    fn answer(&self, asked: Asked, answer: Result<Vec<u8>, String>) {
        self.open.fetch_sub(1, Ordering::SeqCst);
        asked.answer_bytes(answer);
    }

    /// What an ended job asked is not wanted any more.
    fn over(&mut self, over: JobId) {
        for ((id, number), wanted) in &self.questions {
            if matches!(wanted, Wanted::Answer { job, .. } if *job == over)
                && let Some(resource) = self.resources.get(id)
            {
                let job = JobId(*number);
                resource.core.on(News::Stop { job, kill: false });
            }
        }
    }

    fn ended(&mut self, id: u64, number: u64, result: JobResult) {
        let Some(wanted) = self.questions.remove(&(id, number)) else {
            return;
        };
        let lost = matches!(result, JobResult::Crashed(_) | JobResult::Cancelled);
        let crashed = matches!(result, JobResult::Crashed(_));
        let opened = matches!(wanted, Wanted::Open);
        let mut again = false;
        if let Some(resource) = self.resources.get_mut(&id) {
            resource.ready = matches!(result, JobResult::Outcome(_)) || (resource.ready && !lost);
            if crashed {
                resource.crashes.push_back(Instant::now());
            }
            again = lost && !opened && resource.crashes.len() < CRASHES;
        }
        let answer = asking::answer(result);
        match wanted {
            Wanted::Open => self.opened(id, answer.err()),
            Wanted::Answer {
                host,
                job,
                asked,
                loading,
            } => {
                if loading {
                    self.main.on(News::Waits {
                        host,
                        job,
                        resource: None,
                    });
                }
                self.answer(asked, answer.map_err(|error| sentence(&error)));
            }
        }
        if again {
            self.send(id, Vec::new(), Wanted::Open);
        }
    }

    fn close(self, at_once: bool, reply: Option<oneshot::Sender<Vec<Quiet>>>) {
        let mut cores = self.leaving;
        for resource in self.resources.into_values() {
            resource.core.on(News::Close { at_once });
            cores.push(resource.core);
        }
        if let Some(reply) = reply {
            let quiet = cores
                .into_iter()
                .map(|core| -> Quiet { Box::pin(async move { core.quiet().await }) });
            drop(reply.send(quiet.collect())); // whoever asked may have stopped waiting
        }
    }
}
