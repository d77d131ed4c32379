//! Lining up: jobs that are sent to a busy host ahead of their turn.
//!
//! To hand a job over costs two switches between processes, which is more than a quick agent runs.
//! So work that finds no free host goes behind the running work of a host whose last job was quick;
//! the host takes it up without waiting for anybody. What the host has not begun with can be taken back
//! at any moment (see `recall`), which happens when the work before it turns out to be slow, is stopped
//! or dies. Whether so much work is given out at all is left to the core.

use crate::dispatch::{Refused, message};
use crate::events::HostEvent;
use crate::link::Chunk;
use crate::pool::{Active, Core, HostId, Slot, State, Stop, Work};
use agent_abi::table::flags;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wb_core::ids::BuildId;

/// Jobs that may wait in one host.
const LINE: usize = 32;
/// A host whose last job took at most this gets a line.
const QUICK: Duration = Duration::from_millis(1);
/// Work that takes longer than this gives its line back, and is worth further hosts.
pub(crate) const SLOW: Duration = Duration::from_millis(20);
/// Largest message that is sent ahead, in bytes: a long line must not fill the sockets.
const SMALL: usize = 32 << 10;

/// Work in a line.
pub(crate) struct Lined {
    pub work: Work,
    /// How often a host died before it had begun with this.
    pub tries: u32,
    /// Its place in everything that this host was ever sent.
    pub ticket: u64,
    /// It is to be stopped as soon as it is known not to have begun, or when it does.
    pub stop: bool,
}

impl Core {
    /// Sends what waits, in its order, behind the work of hosts that are quick.
    pub(crate) fn line_up(&self, state: &mut State, refused: &mut Vec<Refused>) {
        let mut letters: BTreeMap<HostId, Vec<Chunk>> = BTreeMap::new();
        while let Some((work, _)) = state.pending.front() {
            let small = matches!(work, Work::Job(job) if job.size() <= SMALL);
            if !small || state.agent_flags(work) & flags::NO_PARALLEL != 0 {
                break;
            }
            let Some(host) = self.shortest_line(state, work.build()) else {
                break;
            };
            let Some((work, tries)) = state.pending.pop_front() else {
                break;
            };
            let project = (state.project_number, state.project.clone());
            let Some(slot) = state.hosts.get_mut(&host) else {
                break;
            };
            let chunks = match message(&work, slot.ticket + 1) {
                Ok(chunks) => chunks,
                Err(error) => {
                    refused.push(Box::new((work, error)));
                    continue;
                }
            };
            let letter = letters.entry(host).or_default();
            letter.extend(slot.bring(project));
            letter.extend(chunks);
            slot.ticket += 1;
            let ticket = slot.ticket;
            slot.line.push_back(Lined {
                work,
                tries,
                ticket,
                stop: false,
            });
        }
        for (host, letter) in letters {
            if let Some(slot) = state.hosts.get(&host) {
                slot.link.lined.store(slot.line.len(), Ordering::Relaxed);
                slot.link.send(letter);
            }
        }
    }

    fn shortest_line(&self, state: &State, build: BuildId) -> Option<HostId> {
        let room = |slot: &Slot| {
            let running = slot
                .work
                .as_ref()
                .is_some_and(|a| a.started.is_some() && a.stop.is_none());
            let lasts =
                slot.tasks as usize + slot.line.len() + 1 < self.config.recycle_after as usize;
            slot.holds(build) && slot.quick && running && lasts && slot.line.len() < LINE
        };
        let hosts = state.hosts.iter().filter(|(_, slot)| room(slot));
        hosts
            .min_by_key(|(_, slot)| slot.line.len())
            .map(|(id, _)| *id)
    }

    /// The host has ended its work: what is next in its line is what it does now.
    pub(crate) fn next_in_line(&self, slot: &mut Slot, took: Duration) {
        slot.quick = took <= QUICK;
        let Some(next) = slot.line.pop_front() else {
            slot.link.idle.store(true, Ordering::Relaxed);
            return;
        };
        slot.link.lined.store(slot.line.len(), Ordering::Relaxed);
        self.begun(slot, Active::new(next.work, next.tries, next.ticket));
        if next.stop {
            self.ask_to_stop(slot, Stop::Asked, self.config.short_grace);
        }
    }

    /// The limit that work is given.
    pub(crate) fn limit_of(&self, work: &Work) -> Option<Duration> {
        match work {
            Work::Job(job) => job.deadline,
            Work::Preflight { .. } => Some(self.config.preflight_timeout),
        }
    }

    /// This work is what the host does from now on.
    pub(crate) fn begun(&self, slot: &mut Slot, mut active: Active) {
        let now = Instant::now();
        let limit = self.limit_of(&active.work);
        active.load_left = self.config.load_timeout;
        slot.link.idle.store(false, Ordering::Relaxed);
        active.started = Some(now);
        active.deadline = limit.and_then(|limit| now.checked_add(limit));
        slot.look_at = now.checked_add(SLOW);
        slot.link.job.store(active.work.number(), Ordering::SeqCst);
        if let Work::Job(job) = &active.work {
            self.events.push(HostEvent::Started {
                job: job.job,
                pid: slot.link.pid_number(),
            });
        }
        slot.work = Some(active);
        slot.set_alarm();
    }
}
