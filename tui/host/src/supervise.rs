//! What hosts say and how long they take, and what follows for their jobs.

use crate::host::HostThread;
use crate::jobs::JobResult;
use crate::link::NO_JOB;
use crate::pool::{Active, Core, HostId, Role, Slot, Stop, Work};
use crate::proto::{Done, PROTOCOL};
use crate::report::{self, About, Ending};
use crate::spawn::Started;
use crate::store::StagedCopy;
use crate::symbols::Question;
use agent_abi::table::status;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wb_core::build::Descriptor;
use wb_core::error::{Error, ErrorKind, foreign};

/// Longest reason why a library is refused, in bytes, and longest hint.
const REASON: usize = 4 << 10;
/// Most hints.
const HINTS: usize = 8;

/// Jobs.
impl Core {
    /// A host has finished its work.
    ///
    /// # Errors
    /// It has none, or another: a host that says so is not to be trusted.
    pub(crate) fn done(
        self: &Arc<Self>,
        id: HostId,
        done: Done,
        written: Vec<u8>,
    ) -> Result<(), String> {
        let (active, about, copy) = {
            let mut state = self.lock();
            let Some(slot) = state.hosts.get_mut(&id) else {
                return Ok(());
            };
            let begun = |a: &Active| a.started.is_some() && a.work.number() == done.job;
            if !slot.work.as_ref().is_some_and(begun) {
                return Err(format!(
                    "the end of job {}, which it was not given",
                    done.job
                ));
            }
            let Some(active) = slot.work.take() else {
                return Ok(());
            };
            slot.link.job.store(NO_JOB, Ordering::SeqCst);
            slot.tasks += 1;
            slot.idle_since = Instant::now();
            (slot.done, slot.load_until) = (active.ticket, None);
            let (tickets, alone) = (active.ticket..=slot.ticket, slot.line.is_empty());
            let fits = (slot.link.page.claims).fit(slot.stack_low, tickets, alone);
            self.next_in_line(slot, Duration::from_nanos(done.run_ns));
            if !fits {
                slot.distrust(Ending::Scribbled { blamed: false });
            }
            slot.set_alarm();
            let recycled = slot.tasks >= self.config.recycle_after && slot.work.is_none() && fits;
            if recycled && slot.build().is_some() {
                slot.leave(self.config.shutdown_timeout);
            }
            let copy = slot.copy.clone();
            let pid = slot.link.pid_number();
            let about = state.about(&active.work, pid);
            self.drain(&mut state, about.build);
            (active, about, copy)
        };
        let run = Duration::from_nanos(done.run_ns);
        self.conclude(active, &done, written, &about, copy, run);
        Self::dispatch(self);
        Ok(())
    }

    fn conclude(
        self: &Arc<Self>,
        active: Active,
        done: &Done,
        written: Vec<u8>,
        about: &About,
        copy: Option<Arc<StagedCopy>>,
        run: Duration,
    ) {
        let result = match active.stop {
            // Late is late: what it wrote after it was told to stop is not looked at.
            Some(Stop::Asked) => JobResult::Cancelled,
            Some(Stop::Deadline) => {
                let limit = self.limit_of(&active.work).unwrap_or_default();
                JobResult::TimedOut(report::timed_out(about, limit, false))
            }
            None if done.status == status::OK && done.defect.is_none() && done.kind <= 1 => {
                let empty = written.is_empty();
                JobResult::Outcome(if empty { b"{}".to_vec() } else { written })
            }
            None => {
                let (error, failure) = crate::failure::failed(about, done, &written);
                let frames = failure.as_ref().map_or_else(Vec::new, |f| f.frames.clone());
                if let (Some(copy), false) = (copy, frames.is_empty()) {
                    let finish = move |error| JobResult::Failed(error, failure);
                    return self.with_frames(active.work, error, (copy, 0, 0, frames), finish, run);
                }
                JobResult::Failed(error, failure)
            }
        };
        self.finish(active.work, result, run);
    }

    /// Ends the work once its frames have names.
    pub(crate) fn with_frames(
        self: &Arc<Self>,
        work: Work,
        mut error: Error,
        (copy, base, pc, frames): (Arc<StagedCopy>, u64, u64, Vec<u64>),
        result: impl FnOnce(Error) -> JobResult + Send + 'static,
        run: Duration,
    ) {
        let core = Arc::clone(self);
        let question = Question {
            copy,
            base,
            pc,
            frames,
            then: Box::new(move |lines| {
                report::add_frames(&mut error, &lines);
                core.finish(work, result(error), run);
            }),
        };
        if let Err(unsent) = self.symbols.send(question) {
            (unsent.0.then)(Vec::new());
        }
    }
}

/// Hosts.
impl Core {
    pub(crate) fn spawned(core: &Arc<Self>, started: Started) {
        let id = {
            let mut state = core.lock();
            state.spawning -= 1;
            state.next_host += 1;
            let id = state.next_host;
            let mut slot = Slot {
                link: Arc::clone(&started.link),
                role: Role::Blank,
                ready: false,
                copy: None,
                base: 0,
                work: None,
                line: VecDeque::new(),
                ticket: 0,
                done: 0,
                taken: 0,
                stack_low: 0,
                quick: false,
                look_at: None,
                doubt: None,
                unconfirmed: None,
                load_until: None,
                leave_until: None,
                ending: None,
                tasks: 0,
                project: 0,
                idle_since: Instant::now(),
                greeted: false,
                gone: false,
            };
            if state.closing {
                slot.role = Role::Leaving;
                slot.ending = Some(Ending::Wanted);
                slot.link.kill();
            }
            state.hosts.insert(id, slot);
            id
        };
        let link = Arc::clone(&started.link);
        if let Err(error) = HostThread::start(Arc::clone(core), id, started) {
            link.kill();
            core.lock().hosts.remove(&id);
            core.lock().spawning += 1;
            return core.spawn_failed(&error);
        }
        Self::dispatch(core);
    }

    pub(crate) fn spawn_failed(self: &Arc<Self>, error: &std::io::Error) {
        let lost = {
            let mut state = self.lock();
            state.spawning -= 1;
            state.failures += 1;
            self.give_up(&mut state, &error.to_string())
        };
        self.finish_all(lost);
        Self::dispatch(self);
    }

    pub(crate) fn finish_all(&self, lost: Vec<(Work, JobResult)>) {
        for (work, result) in lost {
            self.finish(work, result, Duration::ZERO);
        }
        self.quiet.notify_waiters();
    }

    /// # Errors
    /// It speaks another protocol, or has said hello before.
    pub(crate) fn hello(&self, id: HostId, protocol: u32, pid: u32) -> Result<(), String> {
        if protocol != PROTOCOL {
            return Err(format!(
                "the greeting of another version of the workbench (protocol {protocol}, here {PROTOCOL})"
            ));
        }
        let mut state = self.lock();
        state.failures = 0;
        if let Some(slot) = state.hosts.get_mut(&id) {
            if slot.greeted {
                return Err("a second greeting".into());
            }
            slot.greeted = true;
            slot.stack_low = slot.link.page.claims.stack_low.load(Ordering::SeqCst);
            slot.link.host.store(pid, Ordering::Relaxed);
        }
        Ok(())
    }

    /// # Errors
    /// Nobody had asked it to open anything.
    pub(crate) fn loaded(
        self: &Arc<Self>,
        id: HostId,
        descriptor: Descriptor,
        base: u64,
    ) -> Result<(), String> {
        let refused = {
            let mut state = self.lock();
            let Some(slot) = state.hosts.get_mut(&id) else {
                return Ok(());
            };
            if slot.ready || matches!(slot.role, Role::Blank) {
                return Err("a report of a library that it was not asked to open".into());
            }
            slot.ready = true;
            slot.base = base;
            slot.load_until = None;
            slot.idle_since = Instant::now();
            slot.link.idle.store(true, Ordering::Relaxed);
            slot.set_alarm();
            if let Role::Probe(_) = &slot.role
                && let Role::Probe(probe) = std::mem::replace(&mut slot.role, Role::Leaving)
            {
                slot.role = Role::Probed(probe.copy.path().to_owned());
                self.announce(&mut state, probe, descriptor);
            }
            let refused = self.begin(&mut state, id).err();
            if let Some(build) = state.hosts.get(&id).and_then(Slot::build) {
                self.drain(&mut state, build);
            }
            refused
        };
        if let Some((work, error)) = refused.map(|r| *r) {
            self.finish(work, JobResult::Failed(error, None), Duration::ZERO);
        }
        Self::dispatch(self);
        Ok(())
    }

    /// The library is there but not usable; the host has nothing more to do.
    pub(crate) fn load_failed(self: &Arc<Self>, id: HostId, reason: String, hints: Vec<String>) {
        let reason = foreign(reason, REASON);
        let hints: Vec<_> = hints
            .into_iter()
            .take(HINTS)
            .map(|h| foreign(h, REASON))
            .collect();
        let (probe, work) = {
            let mut state = self.lock();
            let Some(slot) = state.hosts.get_mut(&id) else {
                return;
            };
            slot.load_until = None;
            let work = slot.work.take();
            let role = std::mem::replace(&mut slot.role, Role::Leaving);
            slot.leave(self.config.shutdown_timeout);
            match role {
                Role::Probe(probe) => (Some(probe), work),
                _ => (None, work),
            }
        };
        if let Some(probe) = probe {
            self.reject(&probe, reason, hints);
        } else if let Some(active) = work {
            let mut error = Error::new(
                ErrorKind::Host,
                format!(
                    "build {} could not be opened again: {reason}; the task stays where it is",
                    active.work.build()
                ),
            );
            error.hints = hints;
            self.finish(active.work, JobResult::Failed(error, None), Duration::ZERO);
        }
        Self::dispatch(self);
    }
}
