//! Queueing ahead: jobs that are sent to a busy host before their turn.
//!
//! Handing a job over costs two switches between processes, which takes longer than a quick agent runs. So
//! work that finds no free host is queued behind the active work of a host whose last job was quick, and
//! the host begins it without waiting for anybody. What the host has not begun can be recalled at any
//! moment (see `recall`), which happens when the work before it turns out to be slow, is stopped or dies.
//! How much work is given to the pool at all is left to the core.

use super::Pool;
use super::host::{Host, HostId};
use super::news::{Batch, Effect};
use super::work::{Active, Queued, Stop};
use crate::events::HostEvent;
use agent_abi::table::flags;
use std::collections::BTreeMap;
use std::time::Duration;
use wb_core::ids::BuildId;

/// Jobs that may wait in one host.
const QUEUE: usize = 32;
/// A host whose last job took at most this gets a queue.
pub(super) const QUICK: Duration = Duration::from_millis(1);
/// Work that takes longer than this gives its queue back, and is worth further hosts.
pub(super) const SLOW: Duration = Duration::from_millis(20);
/// Largest message that is sent ahead, in bytes: a long queue must not fill the sockets.
const SMALL: usize = 32 << 10;

impl Pool {
    /// Sends pending work, in its order, behind the active work of hosts that are quick.
    pub(super) fn queue_ahead(&mut self) {
        let mut batches: BTreeMap<HostId, Batch> = BTreeMap::new();
        while let Some((work, _)) = self.pending.front() {
            let small = work.job().is_some_and(|job| job.size() <= SMALL);
            if !small || self.agent_flags(work) & flags::NO_PARALLEL != 0 {
                break;
            }
            let Some(id) = self.shortest_queue(work.build()) else {
                break;
            };
            let Some((work, tries)) = self.pending.pop_front() else {
                break;
            };
            let project = (self.project_number, self.project.clone());
            let Some(host) = self.hosts.get_mut(&id) else {
                break;
            };
            host.ticket += 1;
            let ticket = host.ticket;
            let batch = batches.entry(id).or_default();
            batch.project = host.bring(project).or(batch.project.take());
            batch.work.push((ticket, work.clone()));
            host.queue.push_back(Queued {
                work,
                tries,
                ticket,
                stop: false,
            });
        }
        let batches = batches.into_iter();
        self.effects
            .extend(batches.map(|(host, batch)| Effect::Send { host, batch }));
    }

    fn shortest_queue(&self, build: BuildId) -> Option<HostId> {
        let room = |host: &Host| {
            let active = host.work.as_ref();
            let running = active.is_some_and(|a| a.started.is_some() && a.stop.is_none());
            let lasts =
                host.tasks as usize + host.queue.len() + 1 < self.config.recycle_after as usize;
            let free = host.quick && running && !host.waits_for_person();
            host.holds(build) && free && lasts && host.queue.len() < QUEUE
        };
        let hosts = self.hosts.iter().filter(|(_, host)| room(host));
        hosts
            .min_by_key(|(_, host)| host.queue.len())
            .map(|(id, _)| *id)
    }

    /// The host is through with its active work after this time: the first work of its queue is active now.
    pub(super) fn next_in_queue(&mut self, id: HostId, took: Duration) {
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        host.quick = took <= QUICK;
        let Some(next) = host.queue.pop_front() else {
            return;
        };
        self.begun(id, Active::new(next.work, next.tries, next.ticket));
        if next.stop {
            self.ask_to_stop(id, Stop::Requested, self.config.short_grace);
        }
    }

    /// From now on this work is active, and its time counts.
    pub(super) fn begun(&mut self, id: HostId, mut active: Active) {
        let limit = self.limit_of(&active.work);
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        active.load_left = self.config.load_timeout;
        active.started = Some(self.now);
        active.deadline = limit.and_then(|limit| self.now.checked_add(limit));
        host.check_at = self.now.checked_add(SLOW);
        if let Some(job) = active.work.job() {
            let (job, pid) = (job.job, host.pid);
            self.effects
                .push(Effect::Emit(HostEvent::Started { job, pid }));
        }
        host.work = Some(active);
    }
}
