//! What hosts report, and what follows for their work. A message that does not fit what the host was sent
//! is an error: the host is cut off.

use super::Pool;
use super::host::{HostId, Role};
use super::news::{Effect, HostNews};
use super::work::{Active, Stop, Work};
use crate::failure;
use crate::jobs::JobResult;
use crate::page::LastWords;
use crate::proto::{Done, PROTOCOL};
use crate::report::{self, Ending};
use agent_abi::table::status;
use std::time::Duration;
use wb_core::build::Descriptor;
use wb_core::error::{Error, ErrorKind, foreign};
use wb_core::ids::JobId;

/// Longest reason why a library is refused, in bytes, and longest hint.
const REASON: usize = 4 << 10;
/// Most hints.
const HINTS: usize = 8;

impl Pool {
    /// # Errors
    /// What no honest host sends, to follow "the host sent".
    pub(super) fn on_host(&mut self, id: HostId, news: HostNews) -> Result<(), String> {
        let cut_off = self.hosts.get(&id).is_none_or(|host| host.cut_off);
        match news {
            HostNews::Died(death) => self.died(id, &death),
            _ if cut_off => {}
            HostNews::Hello {
                protocol,
                pid,
                stack_low,
            } => self.hello(id, protocol, pid, stack_low)?,
            HostNews::Loaded { descriptor, base } => self.loaded(id, *descriptor, base)?,
            HostNews::LoadFailed { reason, hints } => self.load_failed(id, reason, hints),
            HostNews::Done {
                done,
                written,
                claims,
            } => self.done(id, &done, written, &claims)?,
            HostNews::TakenBack { ticket } => self.taken_back(id, ticket)?,
            HostNews::Recalled { begun } => self.recalled(id, begun),
            HostNews::Loading { job, name } => self.loading(id, job, name)?,
            HostNews::Call {
                job,
                call,
                name,
                question,
            } => self.called(id, (job, call), name, question)?,
            HostNews::Paused { job, call, at } => self.paused(id, (job, call), at)?,
            HostNews::Memory { used } => self.memory(id, used),
            HostNews::Invalid(what) => return Err(what),
            HostNews::Alarm => self.alarm(id),
            HostNews::Gone => {
                if let Some(host) = self.hosts.get_mut(&id) {
                    host.gone = true;
                }
            }
        }
        Ok(())
    }

    fn hello(&mut self, id: HostId, protocol: u32, pid: u32, stack_low: u64) -> Result<(), String> {
        if protocol != PROTOCOL {
            return Err(format!(
                "the greeting of another version of the workbench (protocol {protocol}, here {PROTOCOL})"
            ));
        }
        self.failures = 0;
        let Some(host) = self.hosts.get_mut(&id) else {
            return Ok(());
        };
        if host.greeted {
            return Err("a second greeting".into());
        }
        host.greeted = true;
        host.stack_low = stack_low;
        host.pid = pid;
        Ok(())
    }

    fn loaded(&mut self, id: HostId, descriptor: Descriptor, base: u64) -> Result<(), String> {
        let Some(host) = self.hosts.get_mut(&id) else {
            return Ok(());
        };
        if host.ready || matches!(host.role, Role::Blank) {
            return Err("a report of a library that it was not asked to open".into());
        }
        host.ready = true;
        host.base = base;
        host.load_until = None;
        host.idle_since = self.now;
        if let Role::Probe(probe) = &host.role {
            let probe = probe.clone();
            host.role = Role::Probed(probe.id);
            self.announce(probe, descriptor);
        }
        self.send(id);
        if let Some(build) = self.hosts.get(&id).and_then(super::Host::build) {
            self.drain(build);
        }
        Ok(())
    }

    /// The library is there but not usable; the host has nothing more to do.
    fn load_failed(&mut self, id: HostId, reason: String, hints: Vec<String>) {
        let reason = foreign(reason, REASON);
        let hints = hints.into_iter().take(HINTS);
        let hints: Vec<_> = hints.map(|hint| foreign(hint, REASON)).collect();
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        host.load_until = None;
        let work = host.work.take();
        let role = std::mem::replace(&mut host.role, Role::Leaving);
        self.leave(id);
        if let Role::Probe(probe) = role {
            self.reject(probe, reason, hints);
        } else if let Some(active) = work {
            let text = match &active.work {
                Work::Ask(_) => reason,
                work => format!(
                    "build {} could not be opened again: {reason}; the task stays where it is",
                    work.build()
                ),
            };
            let mut error = Error::new(ErrorKind::Host, text);
            error.hints = hints;
            let build = active.work.build();
            self.end(active.work, JobResult::Failed(error, None), Duration::ZERO);
            self.drain(build);
        }
    }

    fn done(
        &mut self,
        id: HostId,
        done: &Done,
        written: Vec<u8>,
        claims: &LastWords,
    ) -> Result<(), String> {
        let Some(host) = self.hosts.get_mut(&id) else {
            return Ok(());
        };
        let Some(active) = host.work.take_if(|a| a.is_running(done.job)) else {
            return Err(format!(
                "the end of job {}, which it was not given",
                done.job
            ));
        };
        host.tasks += 1;
        host.idle_since = self.now;
        (host.done, host.load_until) = (active.ticket, None);
        let alone = host.queue.is_empty();
        let fits = claims.fit(host.stack_low, active.ticket..=host.ticket, alone);
        let recycled = host.tasks >= self.config.recycle_after;
        let build = active.work.build();
        self.conclude(id, active, done, written);
        self.next_in_queue(id, Duration::from_nanos(done.run_ns));
        let host = self.hosts.get(&id);
        if !fits {
            self.distrust(id, Ending::Scribbled { blamed: false });
        } else if recycled && host.is_some_and(|h| h.work.is_none() && h.build().is_some()) {
            self.leave(id);
        }
        self.drain(build);
        Ok(())
    }

    /// Ends work of which the host has reported the end.
    fn conclude(&mut self, id: HostId, active: Active, done: &Done, written: Vec<u8>) {
        let run = Duration::from_nanos(done.run_ns).saturating_sub(active.loaded);
        let host = self.hosts.get(&id);
        let about = |pool: &Self| pool.about(&active.work, host.map_or(0, |host| host.pid));
        let result = match active.stop {
            // Past the deadline: ignore any result it produced.
            Some(Stop::Requested) => JobResult::Cancelled,
            Some(Stop::Deadline) => {
                let limit = self.limit_of(&active.work).unwrap_or_default();
                JobResult::TimedOut(report::timed_out(&about(self), limit, false))
            }
            None if done.status == status::OK
                && done.defect.is_none()
                && (done.kind <= 1 || active.work.takes(done.kind)) =>
            {
                let empty = written.is_empty();
                JobResult::Outcome(if empty { b"{}".to_vec() } else { written })
            }
            None => {
                let (error, failure) = failure::failed(&about(self), done, &written);
                let frames = failure.as_ref().map_or_else(Vec::new, |f| f.frames.clone());
                let copy = host.and_then(|host| host.copy.clone());
                let ended = (active.work, JobResult::Failed(error, failure), run);
                return self.end_explained(ended, copy, (0, 0, frames));
            }
        };
        self.end(active.work, result, run);
    }

    /// A job asks the workbench for something by name.
    fn called(
        &mut self,
        id: HostId,
        (job, call): (u64, u64),
        name: String,
        question: Vec<u8>,
    ) -> Result<(), String> {
        let active = self.hosts.get(&id).and_then(|host| host.work.as_ref());
        let Some(active) = active.filter(|a| a.is_running(job)) else {
            return Err(format!("a call for job {job}, which it was not given"));
        };
        let refusal = match (&active.work, active.stop) {
            (Work::Preflight { .. }, _) => {
                Some("a preflight is given the project and nothing else; calls are for tasks")
            }
            (Work::Ask(_), _) => Some("a resource has no task; calls are for tasks"),
            (_, Some(_)) => Some("the attempt is to stop"),
            _ => None,
        };
        self.effects.push(match refusal {
            Some(why) => Effect::RefuseCall {
                host: id,
                call,
                why,
            },
            None => Effect::Call {
                host: id,
                job: JobId(job),
                build: active.work.build(),
                call,
                name,
                question,
            },
        });
        Ok(())
    }
}
