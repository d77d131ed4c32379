//! Recalling work: what a host was sent and has not begun goes to others.
//!
//! The control page shows how far a host is, but only as a hint, since agents can write there too.
//! The host also reports over its socket what it gave back, and the pool compares both with what
//! it sent. A host whose page contradicts this is killed: the running task fails, and the tasks queued
//! behind it run in other hosts.

use super::Pool;
use super::host::{Host, HostId};
use super::news::Effect;
use super::work::{Queued, Work};
use crate::events::HostEvent;
use crate::jobs::JobResult;
use crate::report::Ending;
use std::time::Duration;

/// How often work is given to another host because one may not have begun it.
pub(super) const TRIES: u32 = 2;
/// How long work may go on after the host claimed to have begun the next one.
pub(super) const DOUBT: Duration = Duration::from_millis(500);
/// How long a host may take to confirm that it has not begun what was recalled.
pub(super) const CONFIRM: Duration = Duration::from_secs(5);

impl Pool {
    /// Takes back what a host has not begun; goes on in [`recalled`](Self::recalled). False when nothing
    /// is queued there.
    pub(super) fn recall(&mut self, id: HostId) -> bool {
        let Some(host) = self.hosts.get_mut(&id).filter(|h| !h.queue.is_empty()) else {
            return false;
        };
        host.taken = host.ticket;
        host.quick = false;
        self.effects.push(Effect::Recall {
            host: id,
            up_to: host.ticket,
        });
        true
    }

    /// The page claims this ticket as the last that was begun: what comes after it waits again, ahead of
    /// everything of its priority. A host that the system has not scheduled yet may not even have begun its
    /// active work.
    pub(super) fn recalled(&mut self, id: HostId, begun: u64) {
        let Some(host) = self.hosts.get_mut(&id).filter(|h| !h.gone) else {
            return;
        };
        if !(host.done..=host.ticket).contains(&begun) {
            return self.distrust(id, Ending::Scribbled { blamed: true });
        }
        let kept = host.queue.partition_point(|queued| queued.ticket <= begun);
        let mut back: Vec<Queued> = host.queue.drain(kept..).collect();
        host.doubt = None;
        if let Some(active) = host.work.as_ref().filter(|_| kept > 0) {
            host.doubt = Some(active.ticket);
            host.check_at = self.now.checked_add(DOUBT);
        }
        let not_begun = host
            .work
            .take_if(|active| active.ticket > begun && active.tries < TRIES);
        if let Some(active) = not_begun {
            host.unconfirmed = Some(active.ticket);
            host.check_at = self.now.checked_add(CONFIRM);
            let again = Queued {
                work: active.work,
                tries: active.tries + 1,
                ticket: active.ticket,
                stop: active.stop.is_some(),
            };
            self.emit_waits(&again);
            back.insert(0, again);
        }
        self.hand_back(back);
        self.check_limits(id);
    }

    /// Work that was reported to have started waits again.
    fn emit_waits(&mut self, queued: &Queued) {
        if let Some(job) = queued.work.job().filter(|_| !queued.stop) {
            self.effects
                .push(Effect::Emit(HostEvent::Waits { job: job.job }));
        }
    }

    /// Work that a host has not begun waits again, or ends if it was to be stopped.
    pub(super) fn hand_back(&mut self, back: Vec<Queued>) {
        for queued in back.into_iter().rev() {
            if queued.stop {
                self.cancelled(queued.work);
            } else {
                self.wait_again(queued.work, queued.tries);
            }
        }
    }

    /// Ends work that was to be stopped and has not begun.
    pub(super) fn cancelled(&mut self, work: Work) {
        let build = work.build();
        self.end(work, JobResult::Cancelled, Duration::ZERO);
        self.drain(build);
    }

    /// Kills a host that cannot be trusted any more. What it was sent ahead waits again; the end of its
    /// active work is still accepted.
    pub(super) fn distrust(&mut self, id: HostId, why: Ending) {
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        host.gone = true;
        host.taken = host.ticket;
        host.ending.get_or_insert(why);
        let back = host.queue.drain(..).collect();
        // So that it begins none of it until it is dead.
        self.effects.push(Effect::Recall {
            host: id,
            up_to: host.ticket,
        });
        self.effects.push(Effect::Kill { host: id });
        self.hand_back(back);
    }

    /// A host sent what no host sends: it is killed, and whatever it still sends is ignored.
    pub(super) fn cut_off(&mut self, id: HostId, what: String) {
        self.distrust(id, Ending::Protocol(what));
        if let Some(host) = self.hosts.get_mut(&id) {
            host.cut_off = true;
        }
    }

    /// The host has not begun this work, because it was recalled.
    ///
    /// # Errors
    /// It was not recalled.
    pub(super) fn taken_back(&mut self, id: HostId, ticket: u64) -> Result<(), String> {
        let Some(host) = self.hosts.get_mut(&id) else {
            return Ok(());
        };
        if !(host.done + 1..=host.taken).contains(&ticket) {
            return Err(format!(
                "the return of work {ticket}, which was not recalled"
            ));
        }
        host.unconfirmed.take_if(|wanted| *wanted <= ticket);
        let queued = if let Some(active) = host.work.take_if(|a| a.ticket == ticket) {
            let queued = Queued {
                work: active.work,
                tries: active.tries,
                ticket,
                stop: active.stop.is_some(),
            };
            self.emit_waits(&queued);
            self.next_in_queue(id, Duration::MAX);
            Some(queued)
        } else {
            // Most of it waits elsewhere already.
            let at = host.queue.iter().position(|q| q.ticket == ticket);
            at.and_then(|at| host.queue.remove(at))
        };
        self.hand_back(queued.into_iter().collect());
        Ok(())
    }
}

impl Host {
    /// Why the host is not to be trusted: it has been at the same work ever since it claimed to have begun
    /// the next one, or does not confirm that it has not begun what was recalled.
    pub(super) fn contradiction(&self) -> Option<Ending> {
        if self.unconfirmed.is_some() {
            return Some(Ending::Protocol(format!(
                "no answer for {CONFIRM:?} when work was taken back"
            )));
        }
        let same = self.work.as_ref().map(|a| a.ticket) == self.doubt;
        let stuck = self.doubt.is_some() && same && !self.queue.is_empty();
        stuck.then_some(Ending::Scribbled { blamed: true })
    }
}
