//! Batches: how many tasks are fetched together, and how many batches are alive at a time, so that
//! neither a slow network nor rows of megabytes hurt.

use super::{Batch, BatchPhase, Run, Work, ends_the_run};
use crate::error::{Error, ErrorKind};
use crate::event::Effect;
use crate::ids::{BatchId, BatchOwner};
use crate::work::{Inputs, TaskRow};
use std::sync::Arc;

/// Batches that may be alive whatever they weigh: one committing, one running, one being fetched.
const BATCHES: usize = 3;
/// Batches that may be alive while all of them together are light: a quick agent on a slow network
/// would wait for one fetch after the other.
const MOST: usize = 8;
/// Bytes of inputs that are light, for all batches that are alive.
const LIGHT: u64 = 16 << 20;
/// Bytes of inputs that one batch should not exceed by much.
const HEAVY: u64 = 64 << 20;
/// Bytes of changed labels that one batch gathers before it is committed, and that may be on their way upstream
/// while further tasks are begun.
const GATHERED: u64 = 32 << 20;
/// Tasks of the first batch whose label rows are fetched: nobody knows yet how large they are.
const FIRST: usize = 50;

impl Run {
    pub(super) fn form_batches(&mut self, effects: &mut Vec<Effect>) {
        while self.room_for_a_batch() && !self.pending.is_empty() && !self.paused {
            let size = self.size_of_a_batch();
            let full = self.pending.len() >= size;
            if !full && !self.listed_all {
                return;
            }
            let n = size.min(self.pending.len());
            let rows: Vec<TaskRow> = self.pending.drain(..n).collect();
            let id = self.new_batch();
            let work = rows.iter().map(|row| Work {
                row: row.clone(),
                inputs: None,
                attempts: 0,
                run_us: 0,
                result: None,
            });
            self.batches
                .push(Batch::of(id, BatchPhase::Fetching, work.collect()));
            let Some(stage) = self.stage() else { return };
            effects.push(Effect::Fetch {
                batch: id,
                stage,
                rows,
                fetch: self.fetch.clone(),
            });
        }
    }

    /// Mean size of what was fetched for a task, in bytes; `None` while nobody knows.
    fn mean_size(&self) -> Option<u64> {
        match self.seen {
            _ if self.fetch.needs == 0 => Some(0),
            (_, 0) => None,
            (bytes, count) => Some(bytes / count),
        }
    }

    fn size_of_a_batch(&self) -> usize {
        let most = self.spec.batch_size;
        match self.mean_size() {
            None => most.min(FIRST),
            Some(0) => most,
            Some(mean) => most.min(usize::try_from(HEAVY / mean).unwrap_or(most).max(1)),
        }
    }

    fn room_for_a_batch(&self) -> bool {
        let alive = self.batches.len();
        match self.mean_size() {
            // Its answer shows how large the others may be.
            None => alive == 0,
            Some(_) if alive < BATCHES => true,
            Some(mean) => {
                let tasks: usize = self.batches.iter().map(|b| b.work.len()).sum();
                alive < MOST && (tasks + self.spec.batch_size) as u64 * mean <= LIGHT
            }
        }
    }

    pub(super) const fn new_batch(&mut self) -> BatchId {
        BatchId::next(BatchOwner::Run(self.id), &mut self.last_batch)
    }

    /// What a batch has gathered goes to its commit before it grows too heavy: nobody knew how much agents would
    /// add. The tasks that were not begun become a batch of their own.
    pub(super) fn part(&mut self) {
        let heavy = |b: &Batch| {
            b.phase == BatchPhase::Running && b.gathered > GATHERED && b.next < b.work.len()
        };
        let Some(at) = self.batches.iter().position(heavy) else {
            return;
        };
        let id = self.new_batch();
        let batch = &mut self.batches[at];
        let work = batch.work.split_off(batch.next);
        let rest = Batch::of(id, BatchPhase::Running, work);
        batch.open -= rest.open;
        self.batches.insert(at + 1, rest);
    }

    /// Whether commits take longer than agents that add much: no further task is begun before one ends.
    pub(super) fn congested(&self) -> bool {
        let under_way = self
            .batches
            .iter()
            .filter(|b| b.phase == BatchPhase::Committing);
        under_way.map(|b| b.gathered).sum::<u64>() > GATHERED
    }

    /// The inputs of a batch arrived.
    pub fn prefetched(&mut self, id: BatchId, results: Vec<Result<Arc<Inputs>, Error>>) {
        let Some(batch) = self.batches.iter_mut().find(|b| b.id == id) else {
            return;
        };
        if batch.phase != BatchPhase::Fetching {
            return;
        }
        batch.phase = BatchPhase::Running;
        let mut fatal = None;
        for (work, result) in batch.work.iter_mut().zip(results) {
            let carried = self.arrived.get(&work.row.id);
            let result = result.and_then(|inputs| {
                self.seen.0 += inputs.size() as u64;
                self.seen.1 += 1;
                carried.map_or(Ok(inputs.clone()), |carried| carried.onto(&inputs))
            });
            match result {
                Ok(inputs) => work.inputs = Some(inputs),
                Err(error) => {
                    if ends_the_run(&error) {
                        fatal = Some(error.clone());
                    }
                    self.known.0 += 1;
                    self.known.1 += u64::from(error.kind != ErrorKind::Conflict);
                    work.result = Some(Err(error));
                    batch.open -= 1;
                }
            }
        }
        if let Some(error) = fatal {
            self.fatal.get_or_insert(error);
        }
    }
}
