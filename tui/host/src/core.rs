//! The translator between the pool and the world: takes news from threads and callers, and performs the
//! effects.
//!
//! The pool stands behind one lock, which is held for microseconds; nothing waits while holding it. Effects
//! are performed under the lock too, so that every host receives its messages, and the program its events,
//! in the order in which the pool decided.

use crate::asking::{self, ResourceNews};
use crate::calls;
use crate::config::HostConfig;
use crate::events::{Events, HostEvent};
use crate::link::Link;
use crate::pool::{Batch, Effect, Explain, HostId, HostNews, News, PREFLIGHTS, Pool};
use crate::proto::ToHost;
use crate::spawn::{SpawnRequest, Started};
use crate::store::{LibraryStore, StagedCopy};
use crate::symbols::Question;
use crate::thread::HostThread;
use crate::wire;
use agent_abi::wire::call::RESOURCE;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, oneshot};
use wb_core::error::Error;
use wb_core::ids::{BuildId, JobId};

/// Everything behind [`Hosts`](crate::Hosts); the threads share it.
pub(crate) struct Core {
    pub config: HostConfig,
    pub events: Events,
    pub store: Arc<LibraryStore>,
    pub spawner: Sender<SpawnRequest>,
    pub symbols: Sender<Question>,
    /// The thread that keeps resources; `None` in the core of a resource.
    pub resources: Option<asking::Inbox>,
    /// Who gets the answers of a resource; `None` in the core of everything else.
    pub answers: Option<asking::ResourceAnswers>,
    quiet: Notify,
    /// Preflights and hosts so far, for their numbers.
    preflights: AtomicU64,
    hosts: AtomicU64,
    shared: Mutex<Shared>,
}

struct Shared {
    pool: Pool,
    links: BTreeMap<HostId, Arc<Link>>,
    /// Who waits for the end of a preflight.
    replies: HashMap<u64, oneshot::Sender<Result<(), Error>>>,
    /// Copies that are being deleted.
    releasing: usize,
}

/// Sends a batch to its host; what cannot be put on the wire ends the host.
fn send(link: &Link, host: HostId, batch: &Batch) -> Option<News> {
    match wire::chunks(batch) {
        Ok(chunks) => {
            link.send(chunks);
            None
        }
        Err(error) => {
            let what = format!("nothing, for its work could not be sent ({error})");
            Some(News::Host(host, HostNews::Invalid(what)))
        }
    }
}

/// Lets a blank host open a library.
fn open(link: &Link, copy: &StagedCopy, build: BuildId, resource: Option<String>) {
    let (path, build) = (copy.path().to_owned(), build.0);
    link.order(&ToHost::Load {
        path,
        build,
        resource,
    });
}

impl Shared {
    /// Answers whoever still waits for a preflight.
    fn answer(&mut self, number: u64, result: Result<(), Error>) {
        if let Some(reply) = self.replies.remove(&number) {
            drop(reply.send(result)); // whoever asked may have stopped waiting
        }
    }

    fn is_quiet(&self) -> bool {
        self.releasing == 0 && self.pool.is_quiet()
    }
}

impl Core {
    pub(crate) fn new(
        config: HostConfig,
        events: Events,
        store: Arc<LibraryStore>,
        spawner: Sender<SpawnRequest>,
        symbols: Sender<Question>,
    ) -> Self {
        let shared = Shared {
            pool: Pool::new(config.clone(), Instant::now()),
            links: BTreeMap::new(),
            replies: HashMap::new(),
            releasing: 0,
        };
        Self {
            config,
            events,
            store,
            spawner,
            symbols,
            resources: None,
            answers: None,
            quiet: Notify::new(),
            preflights: AtomicU64::new(PREFLIGHTS),
            hosts: AtomicU64::new(0),
            shared: Mutex::new(shared),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic while the lock is held is a bug; the state is still the best there is.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes news to the pool and performs what follows.
    pub(crate) fn on(self: &Arc<Self>, news: News) {
        self.on_locked(self.lock(), news);
    }

    pub(crate) fn on_host(self: &Arc<Self>, id: HostId, news: HostNews) {
        self.on(News::Host(id, news));
    }

    fn on_locked(self: &Arc<Self>, mut shared: MutexGuard<'_, Shared>, news: News) {
        let mut released = Vec::new();
        let mut next = VecDeque::from([news]);
        while let Some(news) = next.pop_front() {
            for effect in shared.pool.on(Instant::now(), news) {
                next.extend(self.perform(&mut shared, effect, &mut released));
            }
        }
        shared.releasing += released.len();
        let mut quiet = shared.is_quiet();
        drop(shared);
        if !released.is_empty() {
            let n = released.len();
            drop(released); // outside of the lock: it may delete many files
            let mut shared = self.lock();
            shared.releasing -= n;
            quiet = shared.is_quiet();
        }
        if quiet {
            self.quiet.notify_waiters();
        }
    }

    /// Performs one effect; returns the answer to it, if there is one at once.
    fn perform(
        self: &Arc<Self>,
        shared: &mut Shared,
        effect: Effect,
        released: &mut Vec<Arc<StagedCopy>>,
    ) -> Option<News> {
        match effect {
            Effect::Spawn => drop(self.spawner.send(Arc::clone(self))), // the thread outlives us
            Effect::Release(copy) => released.push(copy),
            Effect::Emit(event) => self.emit(shared, event),
            Effect::Gone { build } => self.inform(ResourceNews::Gone(build)),
            Effect::Asked { number, result } => {
                if let Some(answers) = &self.answers {
                    answers.send(number, result);
                }
            }
            Effect::PreflightEnded { number, result } => {
                shared.answer(number, result);
            }
            Effect::Explain(explain) => return self.explain(explain),
            Effect::Remove { host } => shared.links.remove(&host)?.end_calls(),
            Effect::Status { host, status } => shared.links.get(&host)?.publish(&status),
            Effect::Open {
                host,
                copy,
                build,
                resource,
            } => open(shared.links.get(&host)?, &copy, build, resource),
            Effect::Send { host, batch } => {
                return send(shared.links.get(&host)?, host, &batch);
            }
            Effect::Recall { host, up_to } => {
                let begun = shared.links.get(&host)?.page.recall(up_to);
                return Some(News::Host(host, HostNews::Recalled { begun }));
            }
            Effect::Leave { host } => shared.links.get(&host)?.order(&ToHost::Retire),
            Effect::Kill { host } => shared.links.get(&host)?.kill(),
            Effect::Call {
                host,
                job,
                build,
                call,
                name,
                question,
            } => {
                let link = shared.links.get(&host)?;
                self.call(link, (build, host, job), call, (name, question));
            }
            Effect::GoOn { host, call, edited } => {
                calls::go_on(shared.links.get(&host)?, call, edited);
            }
            Effect::RefuseCall { host, call, why } => {
                calls::refuse(shared.links.get(&host)?, call, why);
            }
        }
        None
    }

    /// Emits a call of a running job; a question to a resource stays here.
    fn call(
        &self,
        link: &Arc<Link>,
        (build, host, job): (BuildId, HostId, JobId),
        call: u64,
        (name, question): (String, Vec<u8>),
    ) {
        let asked = calls::open(link, call);
        match &self.resources {
            Some(resources) if name == RESOURCE => {
                resources.ask(build, host, job, question, asked);
            }
            _ => self.events.push(HostEvent::Call {
                job,
                name,
                question,
                asked,
            }),
        }
    }

    /// Passes an event on; a content that needs resources is announced when they are open.
    fn emit(&self, shared: &Shared, event: HostEvent) {
        let Some(resources) = &self.resources else {
            return self.events.push(event);
        };
        match event {
            HostEvent::Probed(probed) if !probed.descriptor.resources.is_empty() => {
                let copy = shared.pool.unclaimed(probed.id);
                let probed = Box::new(probed);
                resources.send(ResourceNews::Probed { probed, copy });
            }
            event => {
                if let HostEvent::Done { job, .. } = event {
                    resources.over(job);
                }
                self.events.push(event);
            }
        }
    }

    /// Passes on to the thread that keeps resources, where there is one.
    pub(crate) fn inform(&self, message: ResourceNews) {
        if let Some(resources) = &self.resources {
            resources.send(message);
        }
    }

    fn explain(self: &Arc<Self>, explain: Explain) -> Option<News> {
        let core = Arc::clone(self);
        let number = explain.number;
        let question = Question {
            copy: explain.copy,
            base: explain.base,
            pc: explain.pc,
            frames: explain.frames,
            then: Box::new(move |frames| core.on(News::Explained { number, frames })),
        };
        let unsent = self.symbols.send(question).is_err();
        unsent.then(|| News::Explained {
            number,
            frames: Vec::new(),
        })
    }

    /// A host process has started.
    pub(crate) fn spawned(self: &Arc<Self>, started: Started) {
        let host = 1 + self.hosts.fetch_add(1, Ordering::Relaxed);
        let link = Arc::clone(&started.link);
        let pid = link.pid_number();
        let thread = HostThread::new(Arc::clone(self), host, started);
        // The thread may have news at once: it waits for the lock.
        let mut shared = self.lock();
        let news = match thread.start() {
            Ok(()) => {
                shared.links.insert(host, link);
                News::Spawned { host, pid }
            }
            Err(error) => {
                link.kill();
                News::SpawnFailed(error.to_string())
            }
        };
        self.on_locked(shared, news);
    }

    /// Requests a preflight; the result comes over the channel.
    pub(crate) fn preflight(
        self: &Arc<Self>,
        build: BuildId,
    ) -> oneshot::Receiver<Result<(), Error>> {
        let number = self.preflights.fetch_add(1, Ordering::Relaxed);
        let (reply, result) = oneshot::channel();
        let mut shared = self.lock();
        shared.replies.insert(number, reply);
        self.on_locked(shared, News::Preflight { number, build });
        result
    }

    /// Whether this content of this library was the last one refused.
    pub(crate) fn was_refused(&self, library: &Path, hash: &str) -> bool {
        self.lock().pool.was_refused(library, hash)
    }

    /// Returns when the pool is closed, its hosts are gone, and all its work has ended.
    pub(crate) async fn quiet(&self) {
        loop {
            let mut change = std::pin::pin!(self.quiet.notified());
            change.as_mut().enable();
            if self.lock().is_quiet() {
                return;
            }
            change.await;
        }
    }
}
