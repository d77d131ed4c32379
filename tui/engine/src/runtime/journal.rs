//! The journal behind the screen: operations that are read, what they ask for while they are written and taken back, and
//! the other side of conflicts. What follows from the answers is decided by the core.

use super::{Engine, World, now};
use crate::journal::{Journal, Operation};
use crate::operation::{Performer, holds_writes};
use agent_abi::model::Ontology;
use std::collections::BTreeMap;
use std::sync::Arc;
use wb_client::Reader;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, JournalOperation, OperationEnd};
use wb_core::ids::{OperationId, ProjectHash, TaskId};
use wb_core::journal::{JournalEvent, Settled};
use wb_core::ledger::{Reply, Request, Scope, part_of};
use wb_core::patch::between;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{Inputs, LabelChange, Project, RowInput};

/// Tasks of an operation that are shown.
const SHOWN: usize = 1000;

/// One answer about the other side of a conflict.
type Side = (TaskId, Result<Vec<LabelChange>, Error>);

/// Tasks whose rows are read with the same options.
type Group<'a> = (InitialiseOptions, Vec<(&'a Inputs, &'a RowInput)>);

pub(super) fn no_journal() -> Error {
    Error::new(ErrorKind::Settings, "this process has no journal")
}

impl Engine {
    /// Finishes what an interrupted process had begun to write.
    ///
    /// # Errors
    /// The journal cannot be read or completed.
    pub async fn settle(&mut self) -> Result<Settled, Error> {
        let world = &self.world;
        if world.journal.is_none() || world.writer.is_none() || world.project.is_none() {
            return Ok(Settled::default());
        }
        let mut effects = self.feed(Event::Input(Command::Recover(Scope::All)));
        loop {
            for effect in effects {
                if let Effect::OperationOver(end) = effect
                    && let OperationEnd::Recovered(result) = *end
                {
                    return result;
                }
            }
            effects = self.turn().await;
        }
    }
}

impl World {
    /// The handle that the writes of an operation are noted through.
    fn journal_of(&mut self, operation: Option<&JournalOperation>) -> Option<Journal> {
        let journal = self.journal.as_ref()?;
        let Some(of) = operation else {
            return Some(journal.clone());
        };
        let handle = self.operations.entry(of.id).or_insert_with(|| {
            let operation = Operation {
                kind: of.kind,
                undoes: of.undoes,
                ..Operation::default()
            };
            journal.under(operation, of.words.clone())
        });
        Some(handle.clone())
    }

    /// What requests of an operation are performed with.
    fn performer(&mut self, operation: Option<&JournalOperation>) -> Result<Performer, Error> {
        let journal = self.journal_of(operation).ok_or_else(no_journal)?;
        let project = self.project.clone().ok_or_else(holds_writes)?;
        let (reader, writer) = (self.reader.clone(), self.writer.clone());
        let performer = Performer::new(reader, writer, journal, project);
        Ok(performer.with_noted(self.noted.clone()))
    }

    /// Performs a request of an operation.
    pub(super) fn request(
        &mut self,
        (operation, lane): (OperationId, usize),
        request: Request,
        under: Option<&JournalOperation>,
    ) {
        let (performer, news) = (self.performer(under), self.news.clone());
        tokio::spawn(async move {
            let reply = match performer {
                Ok(performer) => Box::pin(performer.perform(request)).await,
                Err(error) => Reply::failed(&request, error),
            };
            let event = Event::Operation {
                operation,
                lane,
                reply,
            };
            let _ = news.send(event).await;
        });
    }

    /// Nothing more is written under an operation.
    pub(super) fn close_operation(&mut self, id: OperationId) {
        if let Some(handle) = self.operations.remove(&id) {
            let news = self.news.clone();
            self.closing.close(move || {
                let number = handle.number();
                handle.close(now().0);
                if let Some(number) = number {
                    let event = JournalEvent::Closed {
                        operation: id,
                        number,
                    };
                    // Nobody may be left to take it, and closing must not wait for that.
                    tokio::spawn(async move {
                        let _ = news.send(Event::Journal(event)).await;
                    });
                }
            });
        }
    }

    /// Gives up finishing what others have changed since, before anything is fetched for these tasks.
    pub(super) fn release(&self, tasks: &[TaskId]) {
        if let Some(journal) = &self.journal
            && let Err(error) = journal.release_conflicts(self.hash, Some(tasks), now().0)
        {
            tracing::error!("{error}");
        }
    }

    /// Reads something of the journal beside everything else.
    fn ask_journal(
        &self,
        read: impl FnOnce(&Journal, ProjectHash) -> JournalEvent + Send + 'static,
        without: impl FnOnce(Error) -> JournalEvent,
    ) {
        let (news, hash) = (self.news.clone(), self.hash);
        let Some(journal) = self.journal.clone() else {
            let event = Event::Journal(without(no_journal()));
            tokio::spawn(async move {
                let _ = news.send(event).await;
            });
            return;
        };
        let closed = self.closing.done();
        tokio::spawn(async move {
            closed.await;
            tokio::task::spawn_blocking(move || {
                let _ = news.blocking_send(Event::Journal(read(&journal, hash)));
            });
        });
    }

    pub(super) fn read_journal(&self) {
        let read = |journal: &Journal, hash| JournalEvent::Ops(journal.view(hash));
        self.ask_journal(read, |error| JournalEvent::Ops(Err(error)));
    }

    pub(super) fn open_op(&self, op: i64) {
        let read = move |journal: &Journal, _| JournalEvent::Entries {
            op,
            result: journal.entries(op, SHOWN),
        };
        let without = |error| JournalEvent::Entries {
            op,
            result: Err(error),
        };
        self.ask_journal(read, without);
    }

    /// Looks at rows that somebody else changed.
    pub(super) fn theirs(&self, inputs: Vec<Arc<Inputs>>) {
        let (reader, news) = (self.reader.clone(), self.news.clone());
        let (project, ontology) = (self.project.clone(), self.ontology.clone());
        tokio::spawn(async move {
            let results = match (project, ontology) {
                (Some(project), Some(ontology)) => {
                    sides(&reader, &project, &ontology, &inputs).await
                }
                _ => Vec::new(),
            };
            let _ = news.send(Event::Theirs(results)).await;
        });
    }
}

async fn sides(
    reader: &Reader,
    project: &Project,
    ontology: &Arc<Ontology>,
    inputs: &[Arc<Inputs>],
) -> Vec<Side> {
    let mut all: Vec<Side> = Vec::with_capacity(inputs.len());
    // What an agent saw only a part of is read in that part again.
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for input in inputs {
        let Some(row) = &input.labels else {
            all.push((input.row.id, Ok(Vec::new())));
            continue;
        };
        let options = part_of(&row.json);
        let key = serde_json::to_string(&options).unwrap_or_default();
        let group = groups.entry(key).or_insert_with(|| (options, Vec::new()));
        group.1.push((input, row));
    }
    for (options, members) in groups.into_values() {
        let units: Vec<_> = members
            .iter()
            .map(|(input, _)| (input.row.data, input.row.branch.clone()))
            .collect();
        let rows = reader
            .label_rows(project.hash, &units, &IncludeOptions::default(), &options)
            .await;
        for ((input, saw), now) in members.into_iter().zip(rows) {
            let side = now.and_then(|now| between(ontology, &saw.json, &now.json));
            all.push((input.row.id, side));
        }
    }
    all
}
