//! What the made-up journal and platform answer to operations.

use crate::screen::screen;
use crate::world::*;
use std::sync::Arc;
use wb_core::command::Command;
use wb_core::event::{Event, JournalOperation};
use wb_core::ledger::{Change, OpenEntry, Reply, Request, Scope, Seen, StandingEntry};
use wb_core::work::*;

impl World {
    /// What the journal and the platform answer.
    pub fn reply(&mut self, request: Request, under: Option<Arc<JournalOperation>>) -> Reply {
        match request {
            Request::Claim(Scope::All) => {
                self.finished += 1;
                Reply::Open(Ok((1..=2).map(open_entry).collect()))
            }
            Request::Claim(Scope::UndosOf(op)) => {
                self.undone.push(op);
                Reply::Open(Ok(Vec::new()))
            }
            Request::Claim(_) | Request::OpenUndos(_) => Reply::Open(Ok(Vec::new())),
            Request::Standing { below, .. } if below > 2 => {
                let entries = (1..=2).rev().map(standing_entry);
                Reply::Standing(Ok((entries.collect(), Some(1))))
            }
            Request::Standing { .. } => Reply::Standing(Ok((Vec::new(), None))),
            Request::Look(look) => {
                let row = RowInput {
                    label_hash: None,
                    priority: Some(0.5),
                    item: None,
                    json: "{}".into(),
                };
                Reply::Seen(Box::new(Seen {
                    rows: vec![Ok(row); look.rows.len()],
                    metadata: vec![Ok(RowMetadata::default()); look.metadata.len()],
                    ..Seen::default()
                }))
            }
            Request::Note(changes) => {
                self.commits.push(changes.len());
                self.operations.extend(under);
                let first = self.noted.len() as i64;
                self.noted.extend(changes);
                let entries = first..self.noted.len() as i64;
                Reply::Noted(Ok(entries.map(Some).collect()))
            }
            Request::Send(entries) => {
                let each = entries.iter().map(|n| self.send_entry(*n));
                Reply::Sent(each.collect())
            }
            Request::SendRest(rests) => Reply::Sent(vec![Committed::Done; rests.len()]),
            Request::Release(tasks) => {
                self.overwrites += 1;
                for task in tasks {
                    self.changed_by_others.remove(&task);
                }
                Reply::Stored(Ok(()))
            }
            Request::Operations => Reply::Operations(Ok(self.ops.clone())),
            _ => Reply::Stored(Ok(())),
        }
    }

    fn send_entry(&mut self, entry: i64) -> Committed {
        let change = self.noted[usize::try_from(entry).unwrap()].clone();
        if self.changed_by_others.contains(&change.task) {
            let by = "ann@example.test".to_owned();
            return Committed::Conflict { by };
        }
        self.move_task(&change)
    }
}

fn nothing(n: i64) -> Change {
    Change::nothing(&row(u128::try_from(n).unwrap()), stage_id(1))
}

fn open_entry(id: i64) -> OpenEntry {
    OpenEntry {
        id,
        change: nothing(id),
        written: Written::default(),
        refused: None,
    }
}

fn standing_entry(id: i64) -> StandingEntry {
    StandingEntry {
        id,
        change: nothing(id),
        overtaken: false,
    }
}

#[test]
fn what_was_interrupted_is_finished_only_while_nothing_else_writes_and_writing_is_allowed() {
    let (mut world, _) = screen(Box::new(|_| go("away")));
    world.state.options.read_only = true;
    world.send(Event::Input(Command::Finish));
    assert_eq!(world.finished, 0, "read-only");
    world.state.options.read_only = false;
    world.state.journal.finishing = true;
    world.send(Event::Input(Command::Finish));
    assert_eq!(world.finished, 0, "it is being finished already");
    world.state.journal.finishing = false;
    world.send(Event::Input(Command::Finish));
    assert_eq!(world.finished, 1);
    assert!(!world.state.journal.finishing, "its answer came");
    let last = world.state.activity.back().unwrap();
    assert_eq!(last.text, "2 of 2 interrupted writes are finished");
}
