//! Which entries go back together, and which wait for others.

use super::*;
use crate::ledger::StandingEntry;
use crate::ledger::memory::{change, project};

/// An undo of an operation that wrote these units, in this order, asking one thing after the other.
struct Scripted {
    undo: Undo,
    /// The newest first.
    entries: Vec<StandingEntry>,
    /// Groups whose rows are being read, by their lanes.
    looking: Vec<usize>,
}

impl Scripted {
    fn new(units: impl Iterator<Item = u128>) -> Self {
        let entry = |(n, unit): (usize, u128)| StandingEntry {
            id: n as i64 + 1,
            change: change(n as u128, unit),
            overtaken: false,
        };
        let mut entries: Vec<StandingEntry> = units.enumerate().map(entry).collect();
        entries.reverse();
        let undo = Undo::new(1, false, project());
        let looking = Vec::new();
        let mut scripted = Self {
            undo,
            entries,
            looking,
        };
        let step = scripted.undo.start();
        scripted.answer(step);
        scripted
    }

    /// Answers what is asked of the journal.
    fn answer(&mut self, step: OperationStep<Undone>) {
        let mut steps = vec![step];
        while let Some(step) = steps.pop() {
            for (lane, request) in step.requests {
                let reply = match request {
                    Request::OpenUndos(_) => Reply::Open(Ok(Vec::new())),
                    Request::Standing { below, .. } => {
                        let older = self.entries.iter().filter(|e| e.id < below);
                        let read: Vec<_> = older.take(GROUP).cloned().collect();
                        let last = read.last().map(|e| e.id);
                        Reply::Standing(Ok((read, last)))
                    }
                    Request::Look(_) => {
                        self.looking.push(lane);
                        continue;
                    }
                    other => panic!("{other:?}"),
                };
                steps.push(self.undo.on(lane, reply));
            }
        }
    }

    /// The rows of the oldest group are read: it is over.
    fn seen(&mut self) {
        let lane = self.looking.remove(0);
        let step = self.undo.on(lane, Reply::Seen(Box::default()));
        self.answer(step);
    }

    /// Sizes of the groups that are on their way.
    fn sizes(&self) -> Vec<usize> {
        self.undo.groups.iter().map(|g| g.entries.len()).collect()
    }
}

const SIZE: u128 = GROUP as u128;

#[test]
fn whole_groups_of_different_units_go_together_and_the_short_last_one_alone() {
    let mut scripted = Scripted::new(0..2 * SIZE + 5);
    assert_eq!(scripted.sizes(), [GROUP, GROUP]);
    let first = |n: usize| scripted.undo.groups[n].entries[0].id;
    assert!(first(0) > first(1), "the newest first");
    scripted.seen();
    assert_eq!(scripted.sizes(), [GROUP]);
    scripted.seen();
    assert_eq!(scripted.sizes(), [5]);
    scripted.seen();
    assert_eq!(scripted.sizes(), [0; 0]);
}

#[test]
fn an_older_write_of_a_unit_waits_until_the_newer_one_is_taken_back() {
    // The newest write and one of the older group are of one unit.
    let mut scripted = Scripted::new((0..2 * SIZE - 1).chain([3]));
    assert_eq!(scripted.sizes(), [GROUP]);
    scripted.seen();
    assert_eq!(scripted.sizes(), [GROUP]);
}
