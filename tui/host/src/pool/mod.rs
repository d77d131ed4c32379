//! The pool of host processes as a pure machine: [`Pool::on`] takes news and returns effects.
//!
//! The machine decides which host gets which work, what happens to work whose host is slow, stopped, dead
//! or dishonest, and when hosts start and leave. It starts no process, reads no clock and touches no socket
//! and no shared memory: the time comes with the news, and `core` performs the effects. All of it can
//! therefore be tested with scripted news.
//!
//! Invariants, which `tests::random` checks on random schedules:
//! - Accepted work ends exactly once: with one `Done` event or one [`Effect::PreflightEnded`].
//! - No work is given to a host while another host may still run it. The exception is a host that is
//!   already being killed because it contradicts what it was sent.
//! - Work of one build begins in the order of its priority, then in the order in which it came.
//! - A host has queued work only while it has active work.
//! - A resting build has no host without work.
//! - A retired build gets a new host only for work that was accepted before it retired.
//! - After [`News::Close`] nothing starts, and everything that was accepted ends.
//!
//! The pool holds copies of libraries as handles. Dropping the last handle deletes the copy; where that may
//! take long, the pool gives the handle away with [`Effect::Release`].

mod builds;
mod dispatch;
mod held;
mod host;
mod loading;
mod messages;
mod news;
mod queue;
mod reaping;
mod recall;
mod stopping;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // what fails here is a failed test
mod tests;
mod work;

pub(crate) use builds::Probe;
pub(crate) use host::{HostId, Status};
pub(crate) use news::{Batch, Effect, Explain, HostNews, News};
pub(crate) use work::{PREFLIGHTS, ResourceQuestion, Work};

use crate::config::HostConfig;
use crate::events::HostEvent;
use crate::jobs::{JobRequest, JobResult};
use crate::report::{self, About};
use crate::store::StagedCopy;
use agent_abi::table::flags;
use builds::Build;
use host::Host;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{BuildId, ProbeId};

/// Builds, hosts and work; see the module.
pub(crate) struct Pool {
    config: HostConfig,
    /// When the news came that is being handled.
    now: Instant,
    /// What follows from it.
    effects: Vec<Effect>,
    builds: BTreeMap<BuildId, Build>,
    hosts: BTreeMap<HostId, Host>,
    /// Work that waits for a host, and how often one died before it had begun with it; by priority.
    pending: VecDeque<(Work, u32)>,
    probes: VecDeque<Probe>,
    /// Builds that get a host before there is work for one.
    warm: VecDeque<BuildId>,
    /// Probed contents that nobody has claimed or discarded.
    unclaimed: BTreeMap<ProbeId, Arc<StagedCopy>>,
    last_probe: u64,
    /// The last refused content of each library, so that it is not probed again and again.
    refused: HashMap<PathBuf, String>,
    /// Failed work by its number, until the functions and lines of its stack are known.
    explaining: BTreeMap<u64, (Work, JobResult, Duration)>,
    concurrency: usize,
    project: Option<Arc<str>>,
    project_number: u64,
    /// Hosts that were requested and have not started yet.
    spawning: usize,
    /// Blank hosts in a row that could not be started or died unused.
    failures: u32,
    /// Whether a host has ever died unexpectedly.
    deaths: bool,
    closing: bool,
}

impl Pool {
    pub(crate) fn new(config: HostConfig, now: Instant) -> Self {
        Self {
            concurrency: config.concurrency.max(1),
            config,
            now,
            effects: Vec::new(),
            builds: BTreeMap::new(),
            hosts: BTreeMap::new(),
            pending: VecDeque::new(),
            probes: VecDeque::new(),
            warm: VecDeque::new(),
            unclaimed: BTreeMap::new(),
            last_probe: 0,
            refused: HashMap::new(),
            explaining: BTreeMap::new(),
            project: None,
            project_number: 0,
            spawning: 0,
            failures: 0,
            deaths: false,
            closing: false,
        }
    }

    /// Handles one piece of news. The effects are to be performed in their order, and
    /// [`Effect::Recall`] is to be answered before any other news.
    #[must_use]
    pub(crate) fn on(&mut self, now: Instant, news: News) -> Vec<Effect> {
        self.now = now;
        self.handle(news);
        if self.closing {
            for (work, _) in std::mem::take(&mut self.pending) {
                self.end(work, JobResult::Cancelled, Duration::ZERO);
            }
        } else if !self.is_recalling() {
            self.dispatch();
        }
        // First the status: a host that is sent work may log for it at once.
        let changed = self.hosts.iter_mut();
        let mut effects: Vec<Effect> = changed
            .filter_map(|(id, host)| host.new_status().map(|status| (*id, status)))
            .map(|(host, status)| Effect::Status { host, status })
            .collect();
        effects.append(&mut self.effects);
        effects
    }

    fn handle(&mut self, news: News) {
        match news {
            News::Run(jobs) => jobs.into_iter().for_each(|job| self.accept(job)),
            News::Preflight { number, build } => self.preflight(number, build),
            News::Stop { job, kill } => self.stop(job, kill),
            News::Concurrency(n) => self.concurrency = n.max(1),
            News::Project(json) => {
                self.project = Some(json);
                self.project_number += 1;
            }
            News::Activate { build, probed } => self.activate(build, *probed),
            News::Adopt {
                build,
                copy,
                resource,
            } => self.adopt(build, copy, resource),
            News::Ask(question) => self.ask(question),
            News::Waits {
                host,
                job,
                resource,
            } => self.waits(host, job.0, resource),
            News::GoOn { job, edited } => self.go_on(job, edited),
            News::Attach { job, on } => self.attach(job, on),
            News::Refuse {
                probed,
                reason,
                hints,
            } => self.refuse(*probed, reason, hints),
            News::Discard(probe) => self.discard(probe),
            News::Retire { build } => self.retire(build),
            News::Rest { build } => self.rest(build),
            News::Close { at_once } => self.close(at_once),
            News::Probe(probe) => self.probe(probe),
            News::Spawned { host, pid } => self.spawned(host, pid),
            News::SpawnFailed(why) => self.spawn_failed(&why),
            News::Explained { number, frames } => self.explained(number, &frames),
            News::Host(id, news) => {
                if let Err(why) = self.on_host(id, news) {
                    self.cut_off(id, why);
                }
            }
        }
    }

    /// Whether hosts have yet to report what they have begun: until then it is open what waits.
    fn is_recalling(&self) -> bool {
        let recall = |effect: &Effect| matches!(effect, Effect::Recall { .. });
        self.effects.iter().any(recall)
    }

    /// Whether every host is gone and everything accepted has ended, so that the program may end.
    pub(crate) fn is_quiet(&self) -> bool {
        self.closing && self.hosts.is_empty() && self.spawning == 0 && self.explaining.is_empty()
    }

    /// Whether this content of this library was the last one refused.
    pub(crate) fn was_refused(&self, library: &Path, hash: &str) -> bool {
        self.refused.get(library).is_some_and(|h| h == hash)
    }

    fn accept(&mut self, job: JobRequest) {
        let refusal = self.refusal(&job);
        let work = Work::Job(Arc::new(job));
        match refusal {
            Some(result) => self.end(work, result, Duration::ZERO),
            None => self.wait(work),
        }
    }

    fn refusal(&self, job: &JobRequest) -> Option<JobResult> {
        if self.closing {
            return Some(JobResult::Cancelled);
        }
        let error = match self.builds.get(&job.build).filter(|b| !b.retired) {
            None => report::unknown_build(job.build),
            Some(build) if job.agent >= build.agents.len() => Error::new(
                ErrorKind::Bug,
                format!("build {} has no agent number {}", job.build, job.agent),
            ),
            Some(_) => report::too_large(job)?,
        };
        Some(JobResult::Failed(error, None))
    }

    fn preflight(&mut self, number: u64, build: BuildId) {
        let result = match self.builds.get(&build).filter(|b| !b.retired) {
            Some(known) if known.preflight => {
                return self.wait_again(Work::Preflight { number, build }, 0);
            }
            Some(_) => Ok(()),
            None => Err(report::unknown_build(build)),
        };
        self.effects.push(Effect::PreflightEnded { number, result });
    }

    fn ask(&mut self, question: ResourceQuestion) {
        let work = Work::Ask(Arc::new(question));
        if self.closing {
            self.end(work, JobResult::Cancelled, Duration::ZERO);
        } else {
            self.wait(work);
        }
    }

    /// New work waits behind everything of the same priority.
    fn wait(&mut self, work: Work) {
        let before = |(other, _): &(Work, u32)| other.priority() <= work.priority();
        let at = self.pending.partition_point(before);
        self.pending.insert(at, (work, 0));
    }

    /// Work that has had its turn waits ahead of everything of the same priority.
    fn wait_again(&mut self, work: Work, tries: u32) {
        let before = |(other, _): &(Work, u32)| other.priority() < work.priority();
        let at = self.pending.partition_point(before);
        self.pending.insert(at, (work, tries));
    }

    /// Ends work: the only place that does.
    fn end(&mut self, work: Work, result: JobResult, run: Duration) {
        self.effects.push(match work {
            Work::Job(job) => Effect::Emit(HostEvent::Done {
                job: job.job,
                result,
                run,
            }),
            Work::Ask(question) => Effect::Asked {
                number: question.number,
                result,
            },
            Work::Preflight { number, .. } => Effect::PreflightEnded {
                number,
                result: match result {
                    JobResult::Outcome(_) => Ok(()),
                    JobResult::Failed(error, _)
                    | JobResult::Crashed(error)
                    | JobResult::TimedOut(error) => Err(error),
                    JobResult::Cancelled => Err(Error::new(
                        ErrorKind::Host,
                        "the preflight was stopped because the workbench is ending",
                    )),
                },
            },
        });
    }

    /// Ends work that failed once the addresses of its stack have names.
    fn end_explained(
        &mut self,
        (work, result, run): (Work, JobResult, Duration),
        copy: Option<Arc<StagedCopy>>,
        (base, pc, frames): (u64, u64, Vec<u64>),
    ) {
        let Some(copy) = copy.filter(|_| !frames.is_empty()) else {
            return self.end(work, result, run);
        };
        let number = work.number();
        self.explaining.insert(number, (work, result, run));
        self.effects.push(Effect::Explain(Explain {
            number,
            copy,
            base,
            pc,
            frames,
        }));
    }

    fn explained(&mut self, number: u64, frames: &[String]) {
        let Some((work, mut result, run)) = self.explaining.remove(&number) else {
            return;
        };
        if let JobResult::Failed(error, _) | JobResult::Crashed(error) = &mut result {
            report::add_frames(error, frames);
        }
        self.end(work, result, run);
    }

    /// What an error about this work reports.
    fn about(&self, work: &Work, pid: u32) -> About {
        let build = work.build();
        let known = self.builds.get(&build);
        let job = work.job();
        let agent = job.and_then(|job| known?.agents.get(job.agent));
        About {
            label: job.map_or_else(String::new, |job| job.label.clone()),
            build,
            library: known.map_or_else(String::new, |b| b.library.clone()),
            agent: agent.map_or_else(String::new, |a| {
                let spec = &a.spec;
                format!(
                    "agent {} for stage \"{}\" {}",
                    spec.function, a.stage, spec.location
                )
                .trim_end()
                .replace("  ", " ")
            }),
            pid,
            idempotent: agent.is_some_and(|a| a.flags & flags::IDEMPOTENT != 0),
            loading: None,
            held: None,
            resource: known.and_then(|b| b.resource.clone()),
            opened: true,
        }
    }

    /// See `agent_abi::table::flags`; none for a preflight.
    fn agent_flags(&self, work: &Work) -> u32 {
        let build = self.builds.get(&work.build());
        let agent = work.job().and_then(|job| build?.agents.get(job.agent));
        agent.map_or(0, |agent| agent.flags)
    }

    /// The time limit of work.
    fn limit_of(&self, work: &Work) -> Option<Duration> {
        match work {
            Work::Job(job) => job.deadline,
            // Limited by the attempt that asks.
            Work::Ask(_) => None,
            Work::Preflight { .. } => Some(self.config.preflight_timeout),
        }
    }
}
