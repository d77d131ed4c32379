//! The pool driven by news alone: a [`World`] of simulated hosts performs its effects.
//!
//! A simulated host does what a real one does with its messages and its control page, one step at a time,
//! so that a test decides who is fast, slow, dead or dishonest. Every effect is checked as it is performed.

mod ahead;
mod endings;
mod giving;
mod held;
mod processes;
mod program;
mod random;
mod stops;

use super::{Effect, HostId, HostNews, News, PREFLIGHTS, Pool, Probe, Status, Work};
use crate::config::HostConfig;
use crate::events::HostEvent;
use crate::jobs::{JobRequest, JobResult};
use crate::page::{LastWords, Phase};
use crate::proto::{Done, PROTOCOL};
use crate::report::Death;
use crate::store::StagedCopy;
use crate::sys::exit::Exit;
use agent_abi::table::flags;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::error::Error;
use wb_core::event::Priority;
use wb_core::ids::{BuildId, JobId, Millis, ProbeId};

const STACK: u64 = 4096;
const BASE: u64 = 1 << 20;
const QUICK: u64 = 1_000;

/// A host process: what it was sent, and how far it is.
#[derive(Default)]
struct Process {
    status: Status,
    greeted: bool,
    opens: bool,
    opened: bool,
    inbox: VecDeque<(u64, Work)>,
    /// The page of requests: up to which ticket work was recalled.
    taken: u64,
    /// The page of claims.
    begun: u64,
    job: u64,
    running: Option<Work>,
    killed: bool,
    leaving: bool,
}

/// A pool, its hosts, and everything that came of it.
struct World {
    pool: Pool,
    now: Instant,
    hosts: BTreeMap<HostId, Process>,
    last_host: HostId,
    last_job: u64,
    /// Hosts that were requested and have not started.
    spawns: usize,
    /// Failed work that waits for the names of its frames.
    explaining: Vec<u64>,
    accepted: BTreeSet<u64>,
    ended: BTreeMap<u64, JobResult>,
    /// How long each job that ended was reported to have run.
    ran: BTreeMap<u64, Duration>,
    preflights: BTreeMap<u64, Result<(), Error>>,
    /// Work in the order in which hosts began it.
    begun: Vec<u64>,
    retired: BTreeSet<BuildId>,
    events: Vec<HostEvent>,
    refused_calls: Vec<&'static str>,
    /// Calls of held work that was let go, and what their values were edited to.
    gone_on: Vec<(u64, Option<Arc<str>>)>,
}

impl World {
    fn new(change: impl FnOnce(&mut HostConfig)) -> Self {
        let mut config = HostConfig::new("store");
        config.max_hosts = 1;
        change(&mut config);
        let now = Instant::now();
        let concurrency = config.concurrency;
        let mut world = Self {
            pool: Pool::new(config, now),
            now,
            hosts: BTreeMap::new(),
            last_host: 0,
            last_job: 0,
            spawns: 0,
            explaining: Vec::new(),
            accepted: BTreeSet::new(),
            ended: BTreeMap::new(),
            ran: BTreeMap::new(),
            preflights: BTreeMap::new(),
            begun: Vec::new(),
            retired: BTreeSet::new(),
            events: Vec::new(),
            refused_calls: Vec::new(),
            gone_on: Vec::new(),
        };
        world.on(News::Concurrency(concurrency));
        world
    }

    /// A world with build 1 open in as many hosts as there may be, each of which was quick once.
    fn quick(hosts: usize) -> Self {
        let mut world = Self::new(|config| config.max_hosts = hosts);
        world.on(News::Concurrency(hosts));
        world.activate(1);
        let jobs: Vec<u64> = (0..hosts).map(|_| world.run(1)).collect();
        world.settle();
        for id in world.with_work() {
            world.begin(id);
            world.finish(id, QUICK);
        }
        assert_eq!(world.ended.len(), jobs.len());
        world
    }

    fn on(&mut self, news: News) {
        let mut next = VecDeque::from([news]);
        while let Some(news) = next.pop_front() {
            for effect in self.pool.on(self.now, news) {
                next.extend(self.perform(effect));
            }
        }
    }

    fn on_host(&mut self, id: HostId, news: HostNews) {
        self.on(News::Host(id, news));
    }

    fn perform(&mut self, effect: Effect) -> Option<News> {
        match effect {
            Effect::Spawn => self.spawns += 1,
            Effect::Status { host, status } => self.host(host).status = status,
            Effect::Open { host, build, .. } => {
                if self.retired.contains(&build) {
                    let mut waiting = self.pool.hosts[&host].work.iter();
                    assert!(
                        waiting.any(|a| a.work.build() == build),
                        "{build} is retired"
                    );
                }
                self.host(host).opens = true;
            }
            Effect::Send { host, batch } => {
                for (_, work) in &batch.work {
                    assert!(!self.may_run_elsewhere(host, work), "{work:?} has a host");
                }
                self.host(host).inbox.extend(batch.work);
            }
            Effect::Recall { host, up_to } => {
                let process = self.host(host);
                process.taken = process.taken.max(up_to);
                let begun = process.begun;
                return Some(News::Host(host, HostNews::Recalled { begun }));
            }
            Effect::Leave { host } => self.host(host).leaving = true,
            Effect::Kill { host } => self.host(host).killed = true,
            Effect::Remove { host } => drop(self.hosts.remove(&host)),
            Effect::Release(copy) => drop(copy),
            Effect::Gone { build } => assert!(self.retired.contains(&build), "{build} is active"),
            Effect::Asked { number, .. } => panic!("question {number} was never asked"),
            Effect::Emit(HostEvent::Done { job, result, run }) => {
                self.ran.insert(job.0, run);
                assert!(self.accepted.contains(&job.0), "{job:?} was never accepted");
                let before = self.ended.insert(job.0, result);
                assert_eq!(before, None, "{job:?} has ended already");
            }
            Effect::Emit(event) => self.events.push(event),
            Effect::Call { .. } => {}
            Effect::GoOn { call, edited, .. } => self.gone_on.push((call, edited)),
            Effect::RefuseCall { why, .. } => self.refused_calls.push(why),
            Effect::PreflightEnded { number, result } => {
                let before = self.preflights.insert(number, result);
                assert!(before.is_none(), "preflight {number} has ended already");
            }
            Effect::Explain(explain) => self.explaining.push(explain.number),
        }
        None
    }

    /// Whether a host that nobody kills has this work and may still begin or end it.
    fn may_run_elsewhere(&self, host: HostId, work: &Work) -> bool {
        self.hosts.iter().any(|(id, process)| {
            let running = process.running.iter().map(|running| (u64::MAX, running));
            let inbox = process.inbox.iter().map(|(ticket, work)| (*ticket, work));
            let mut live = running
                .chain(inbox)
                .filter(|(ticket, _)| *ticket > process.taken);
            let has = live.any(|(_, other)| other.number() == work.number());
            *id != host && !process.killed && has
        })
    }

    fn host(&mut self, id: HostId) -> &mut Process {
        self.hosts.get_mut(&id).expect("a host that is there")
    }

    /// The hosts that were sent work which they have not ended.
    fn with_work(&self) -> Vec<HostId> {
        let busy = |p: &Process| p.running.is_some() || !p.inbox.is_empty();
        let hosts = self.hosts.iter().filter(|(_, p)| busy(p));
        hosts.map(|(id, _)| *id).collect()
    }

    fn only_host(&self) -> HostId {
        let hosts = self.with_work();
        assert_eq!(hosts.len(), 1, "hosts with work");
        hosts[0]
    }
}
