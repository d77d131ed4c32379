//! The pool driven by news alone: a [`World`] of simulated hosts performs its effects.
//!
//! A simulated host does what a real one does with its messages and its control page, one step at a time,
//! so that a test decides who is fast, slow, dead or dishonest. Every effect is checked as it is performed.

mod ahead;
mod endings;
mod giving;
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
use std::time::{Duration, Instant};
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::error::Error;
use wb_core::event::Priority;
use wb_core::ids::{BuildId, JobId, Millis};

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
    preflights: BTreeMap<u64, Result<(), Error>>,
    /// Work in the order in which hosts began it.
    begun: Vec<u64>,
    retired: BTreeSet<BuildId>,
    events: Vec<HostEvent>,
    refused_calls: Vec<&'static str>,
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
            preflights: BTreeMap::new(),
            begun: Vec::new(),
            retired: BTreeSet::new(),
            events: Vec::new(),
            refused_calls: Vec::new(),
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
            Effect::Emit(HostEvent::Done { job, result, .. }) => {
                assert!(self.accepted.contains(&job.0), "{job:?} was never accepted");
                let before = self.ended.insert(job.0, result);
                assert_eq!(before, None, "{job:?} has ended already");
            }
            Effect::Emit(event) => self.events.push(event),
            Effect::Call { .. } => {}
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

/// What the program does.
impl World {
    fn probed(build: u32, flags: u32) -> Probed {
        let agent = |flags| AgentDescriptor {
            flags,
            ..AgentDescriptor::default()
        };
        Probed {
            library: format!("lib{build}.so").into(),
            copy: format!("copies/{build}").into(),
            hash: String::new(),
            size: 0,
            modified: Millis(0),
            descriptor: Descriptor {
                preflight: true,
                agents: vec![agent(0), agent(flags)],
                ..Descriptor::default()
            },
        }
    }

    /// Agent 0 has no flags, agent 1 runs one task at a time.
    fn activate(&mut self, build: u32) {
        let probed = Box::new(Self::probed(build, flags::NO_PARALLEL));
        let build = BuildId(build);
        self.on(News::Activate { build, probed });
    }

    fn retire(&mut self, build: u32) {
        self.retired.insert(BuildId(build));
        let build = BuildId(build);
        self.on(News::Retire { build });
    }

    fn request(&mut self, build: u32, priority: Priority) -> JobRequest {
        self.last_job += 1;
        self.accepted.insert(self.last_job);
        JobRequest {
            job: JobId(self.last_job),
            build: BuildId(build),
            agent: 0,
            attempt: 1,
            stage_json: "{}".into(),
            task_json: "{}".into(),
            params: "".into(),
            inputs: Vec::new(),
            deadline: None,
            label: "cam_03.jpg".into(),
            priority,
        }
    }

    fn run(&mut self, build: u32) -> u64 {
        self.run_as(build, Priority::Bulk)
    }

    fn run_as(&mut self, build: u32, priority: Priority) -> u64 {
        self.run_with(build, priority, |_| {})
    }

    fn run_with(
        &mut self,
        build: u32,
        priority: Priority,
        change: impl FnOnce(&mut JobRequest),
    ) -> u64 {
        let mut request = self.request(build, priority);
        change(&mut request);
        let job = request.job.0;
        self.on(News::Run(vec![request]));
        job
    }

    /// Jobs that come together.
    fn run_all(&mut self, jobs: usize) -> Vec<u64> {
        let requests: Vec<_> = (0..jobs).map(|_| self.request(1, Priority::Bulk)).collect();
        let numbers = requests.iter().map(|r| r.job.0).collect();
        self.on(News::Run(requests));
        numbers
    }

    fn stop(&mut self, job: u64, kill: bool) {
        let job = JobId(job);
        self.on(News::Stop { job, kill });
    }

    fn probe(&mut self, library: &str, copy: &str) {
        self.on(News::Probe(Probe {
            library: library.into(),
            copy: StagedCopy::foreign(copy.into()),
            hash: copy.into(),
            size: 0,
            modified: Millis(0),
        }));
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        let due = |p: &Process| p.status.alarm.is_some_and(|at| at <= self.now);
        let hosts = self.hosts.iter().filter(|(_, p)| due(p));
        for id in hosts.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.on_host(id, HostNews::Alarm);
        }
    }
}

/// What hosts do, one step at a time.
impl World {
    fn spawn(&mut self) {
        self.spawns -= 1;
        self.last_host += 1;
        let host = self.last_host;
        self.hosts.insert(host, Process::default());
        self.on(News::Spawned { host, pid: 1 });
    }

    fn greet(&mut self, id: HostId) {
        self.host(id).greeted = true;
        let pid = 1000 + u32::try_from(id).unwrap();
        let hello = HostNews::Hello {
            protocol: PROTOCOL,
            pid,
            stack_low: STACK,
        };
        self.on_host(id, hello);
    }

    fn load(&mut self, id: HostId) {
        self.host(id).opens = false;
        self.host(id).opened = true;
        let descriptor = Box::default();
        let base = BASE;
        self.on_host(id, HostNews::Loaded { descriptor, base });
    }

    /// The host begins what is next, or returns it because it was recalled.
    fn begin(&mut self, id: HostId) {
        let process = self.host(id);
        assert!(process.running.is_none(), "one at a time");
        let (ticket, work) = process.inbox.pop_front().expect("work");
        process.begun = ticket;
        if ticket <= process.taken {
            return self.on_host(id, HostNews::TakenBack { ticket });
        }
        process.job = work.number();
        process.running = Some(work.clone());
        let number = work.number();
        let mut others = self
            .hosts
            .iter()
            .filter(|(other, p)| **other != id && !p.killed);
        let twice = others.any(|(_, p)| p.running.as_ref().is_some_and(|w| w.number() == number));
        assert!(!twice, "{number} runs twice");
        self.begun.push(number);
    }

    fn done(job: u64, run_ns: u64) -> Done {
        Done {
            job,
            status: 0,
            kind: 1,
            run_ns,
            defect: None,
            printed: None,
        }
    }

    fn finish(&mut self, id: HostId, run_ns: u64) {
        let work = self.host(id).running.take().expect("running work");
        let news = HostNews::Done {
            done: Self::done(work.number(), run_ns),
            written: Vec::new(),
            claims: self.claims(id),
        };
        self.on_host(id, news);
    }

    fn claims(&self, id: HostId) -> LastWords {
        let process = &self.hosts[&id];
        LastWords {
            phase: if process.running.is_some() {
                Phase::Run
            } else {
                Phase::Idle
            },
            job: process.job,
            begun: process.begun,
            signal: 0,
            address: 0,
            pc: 0,
            stack_low: STACK,
            frames: Vec::new(),
        }
    }

    fn die(&mut self, id: HostId) {
        let killed = self.host(id).killed;
        let signal = if killed { libc::SIGKILL } else { libc::SIGSEGV };
        let words = self.claims(id);
        self.on_host(id, HostNews::Gone);
        let death = Death {
            exit: Exit::Signal(signal),
            words,
            used: 0,
            by_system: false,
            tail: Vec::new(),
        };
        self.on_host(id, HostNews::Died(Box::new(death)));
    }

    /// Does everything that is not work: hosts start, open libraries, leave and die.
    fn settle(&mut self) {
        loop {
            let next = self.hosts.iter().find_map(|(id, p)| {
                let step: fn(&mut Self, HostId) = match p {
                    p if p.killed || p.leaving => Self::die,
                    p if !p.greeted => Self::greet,
                    p if p.opens => Self::load,
                    _ => return None,
                };
                Some((*id, step))
            });
            match next {
                Some((id, step)) => step(self, id),
                None if self.spawns > 0 => self.spawn(),
                None => return,
            }
        }
    }

    /// Begins and ends all the work there is, in one host after the other.
    fn finish_all(&mut self) {
        self.settle();
        while let Some(id) = self.with_work().first().copied() {
            if self.host(id).running.is_some() {
                self.finish(id, QUICK);
            } else {
                self.begin(id);
            }
            self.settle();
        }
    }
}
