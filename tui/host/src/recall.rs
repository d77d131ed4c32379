//! Taking work back: what a host was sent and has not begun goes to others.
//!
//! The control page says how far a host is, but that is a hint only, since agents can write there too.
//! The host also reports over its socket what it gave back, and the workbench compares both with what
//! it sent. A host whose page contradicts this is killed: the running task fails, and the tasks queued
//! behind it run in other hosts.

use crate::events::Events;
use crate::link::NO_JOB;
use crate::pool::{Active, Core, HostId, Slot, State, Work};
use crate::report::Ending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often work is given to another host because one may not have begun it.
pub(crate) const TRIES: u32 = 2;
/// How long work may last beside the claim that the next has begun.
const DOUBT: Duration = Duration::from_millis(500);
/// How long a host may take to confirm that it has not begun what was taken back.
const CONFIRM: Duration = Duration::from_secs(5);

impl Slot {
    /// Nothing new for it, and its end. What it has done already still counts.
    pub(crate) fn distrust(&mut self, why: Ending) {
        self.gone = true;
        self.link.page.recall(self.ticket);
        self.taken = self.ticket;
        self.ending.get_or_insert(why);
        self.link.kill();
    }

    /// Gives out what waits in the host, as work that waits for any host.
    fn hand_back(&mut self, from: usize) -> Vec<(Work, u32, bool)> {
        let back = self.line.split_off(from);
        self.link.lined.store(self.line.len(), Ordering::Relaxed);
        let back = back.into_iter();
        back.map(|lined| (lined.work, lined.tries, lined.stop))
            .collect()
    }
}

impl State {
    /// Takes back what a host has been sent and not begun with; it waits again before all that is as
    /// urgent. A host that the machine has not let run yet may not even have begun with what stands
    /// before the line.
    /// Returns what was to be stopped and need not run at all.
    #[must_use]
    pub(crate) fn recall(&mut self, host: HostId, events: &Events) -> Vec<Work> {
        let Some(slot) = self.hosts.get_mut(&host) else {
            return Vec::new();
        };
        if slot.line.is_empty() {
            return Vec::new();
        }
        let begun = slot.link.page.recall(slot.ticket);
        slot.taken = slot.ticket;
        slot.quick = false;
        if !(slot.done..=slot.ticket).contains(&begun) {
            return self.distrust(host);
        }
        let kept = slot.line.partition_point(|lined| lined.ticket <= begun);
        let mut back = slot.hand_back(kept);
        slot.doubt = None;
        if let Some(active) = slot.work.as_ref().filter(|_| kept > 0) {
            slot.doubt = Some(active.ticket);
            slot.look_at = Instant::now().checked_add(DOUBT);
        }
        let unbegun = |active: &mut Active| active.ticket > begun && active.tries < TRIES;
        if let Some(active) = slot.work.take_if(unbegun) {
            slot.link.job.store(NO_JOB, Ordering::SeqCst);
            slot.unconfirmed = Some(active.ticket);
            slot.look_at = Instant::now().checked_add(CONFIRM);
            if active.stop.is_none() {
                events.job_waits(&active.work);
            }
            back.insert(0, (active.work, active.tries + 1, active.stop.is_some()));
        }
        self.wait_again(back)
    }

    /// Work that waits for a host again; returns what was to be stopped.
    fn wait_again(&mut self, back: Vec<(Work, u32, bool)>) -> Vec<Work> {
        let mut stopped = Vec::new();
        for (work, tries, stop) in back.into_iter().rev() {
            if stop {
                stopped.push(work);
            } else {
                self.queue_again(work, tries);
            }
        }
        stopped
    }

    /// The host dies before its time: what it has not even begun goes to others. Returns what was to
    /// be stopped.
    #[must_use]
    pub(crate) fn hand_back(&mut self, slot: &mut Slot) -> Vec<Work> {
        let back = slot.hand_back(0);
        self.wait_again(back)
    }

    /// The host's page says what no host writes, or it does not answer: it ends, with the work that it
    /// runs.
    #[must_use]
    pub(crate) fn distrust(&mut self, host: HostId) -> Vec<Work> {
        let Some(slot) = self.hosts.get_mut(&host) else {
            return Vec::new();
        };
        slot.distrust(match slot.unconfirmed {
            Some(_) => Ending::Protocol(format!(
                "no answer for {CONFIRM:?} when work was taken back"
            )),
            None => Ending::Scribbled { blamed: true },
        });
        let back = slot.hand_back(0);
        self.wait_again(back)
    }

    /// Whether the host has been at the same work ever since it claimed to have begun the next, or does
    /// not confirm that it has not begun what was taken back.
    pub(crate) fn contradicts_itself(&self, host: HostId) -> bool {
        self.hosts.get(&host).is_some_and(|slot| {
            let same = slot.work.as_ref().map(|a| a.ticket) == slot.doubt;
            let stuck = slot.doubt.is_some() && same && !slot.line.is_empty();
            stuck || slot.unconfirmed.is_some()
        })
    }
}

impl Core {
    /// A host has not begun this work, because it was taken back.
    ///
    /// # Errors
    /// Nobody had taken it back.
    pub(crate) fn taken_back(self: &Arc<Self>, id: HostId, ticket: u64) -> Result<(), String> {
        let stopped = {
            let mut state = self.lock();
            let Some(slot) = state.hosts.get_mut(&id) else {
                return Ok(());
            };
            if !(slot.done + 1..=slot.taken).contains(&ticket) {
                return Err(format!(
                    "the return of work {ticket}, which nobody had taken back"
                ));
            }
            slot.unconfirmed.take_if(|wanted| *wanted <= ticket);
            let is_active = slot.work.as_ref().is_some_and(|a| a.ticket == ticket);
            let back = if let Some(active) = slot.work.take_if(|_| is_active) {
                slot.link.job.store(NO_JOB, Ordering::SeqCst);
                if active.stop.is_none() {
                    self.events.job_waits(&active.work);
                }
                self.next_in_line(slot, Duration::MAX);
                vec![(active.work, active.tries, active.stop.is_some())]
            } else {
                // Most of it waits elsewhere already.
                let at = slot.line.iter().position(|l| l.ticket == ticket);
                let lined = at.and_then(|at| slot.line.remove(at));
                slot.link.lined.store(slot.line.len(), Ordering::Relaxed);
                lined
                    .map(|l| (l.work, l.tries, l.stop))
                    .into_iter()
                    .collect()
            };
            slot.set_alarm();
            state.wait_again(back)
        };
        self.cancelled(stopped);
        Self::dispatch(self);
        Ok(())
    }

    /// Ends work that was to be stopped and has not begun.
    pub(crate) fn cancelled(&self, works: Vec<Work>) {
        for work in works {
            self.finish(work, crate::JobResult::Cancelled, Duration::ZERO);
        }
    }
}
