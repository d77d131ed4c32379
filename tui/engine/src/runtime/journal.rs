//! The journal behind the screen: operations read, looked at and taken back, the other side of
//! conflicts. What is true of the answers is decided by the core; undoing itself is shared with the
//! command line.

use super::{World, now};
use crate::journal::{Journal, Operation, options_of};
use crate::undo;
use agent_abi::model::Ontology;
use std::collections::BTreeMap;
use std::sync::Arc;
use wb_client::Reader;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Book, Event};
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::journal::JournalEvent;
use wb_core::patch::between;
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{Inputs, LabelChange, Project, RowInput};

/// Tasks of an operation that are shown.
const SHOWN: usize = 1000;

/// One answer about the other side of a conflict.
type Side = (TaskId, Result<Vec<LabelChange>, Error>);

/// Tasks whose rows are read with the same options.
type Group<'a> = (InitialiseOptions, Vec<(&'a Inputs, &'a RowInput)>);

pub(super) fn holds_writes() -> Error {
    Error::new(
        ErrorKind::Refused,
        "this process holds all writes (--dry-run or --read-only)",
    )
    .hint("start without --dry-run and --read-only to write")
}

pub(super) fn no_journal() -> Error {
    Error::new(ErrorKind::Settings, "this process has no journal")
}

impl World {
    /// The handle that a commit is written through.
    pub(super) fn book(&mut self, book: Option<&Book>) -> Option<Journal> {
        let journal = self.journal.as_ref()?;
        let Some(book) = book else {
            return Some(journal.clone());
        };
        let handle = self.books.entry(book.id).or_insert_with(|| {
            let operation = Operation {
                kind: book.kind,
                ..Operation::default()
            };
            journal.under(operation, book.words.clone())
        });
        Some(handle.clone())
    }

    /// Nothing more is written under an operation.
    pub(super) fn close_book(&mut self, id: u64) {
        if let Some(handle) = self.books.remove(&id) {
            tokio::task::spawn_blocking(move || handle.close(now().0));
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
        tokio::task::spawn_blocking(move || {
            let _ = news.blocking_send(Event::Journal(read(&journal, hash)));
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

    pub(super) fn review_undo(&self, op: i64) {
        let (reader, news) = (self.reader.clone(), self.news.clone());
        let (journal, project) = (self.journal.clone(), self.project.clone());
        tokio::spawn(async move {
            let result = match (journal, project) {
                (Some(journal), Some(project)) => {
                    undo::preview(&reader, &journal, &project, op).await
                }
                _ => Err(no_journal()),
            };
            let event = JournalEvent::Review { op, result };
            let _ = news.send(Event::Journal(event)).await;
        });
    }

    /// Finishes what interrupted commands had begun, and ends the commits of the screen among them: what
    /// those had not come to is gone with their process.
    pub(super) fn finish(&self) {
        let (news, writer) = (self.news.clone(), self.writer.clone());
        let (journal, project) = (self.journal.clone(), self.project.clone());
        tokio::spawn(async move {
            let result = match (writer, journal, project) {
                (Some(writer), Some(journal), Some(project)) => {
                    crate::journal::finish(&writer, &journal, &project).await
                }
                _ => Err(holds_writes()),
            };
            let event = JournalEvent::Finished(result);
            let _ = news.send(Event::Journal(event)).await;
        });
    }

    pub(super) fn undo(&self, op: i64, words: Vec<String>) {
        let (reader, news, writer) = (self.reader.clone(), self.news.clone(), self.writer.clone());
        let (journal, project) = (self.journal.clone(), self.project.clone());
        tokio::spawn(async move {
            let result = match (writer, journal, project) {
                (Some(writer), Some(journal), Some(project)) => {
                    let operation = Operation {
                        kind: "undo",
                        undoes: Some(op),
                        ..Operation::default()
                    };
                    let journal = journal.under(operation, words);
                    let writer = Some(writer.as_ref());
                    let undone = undo::take_back(
                        &reader,
                        writer,
                        &journal,
                        &project,
                        op,
                        |_, _| {},
                        || false,
                    )
                    .await;
                    // One that broke off stays open: `resume` goes on with it.
                    if undone.is_ok() {
                        journal.close(now().0);
                    }
                    undone
                }
                _ => Err(holds_writes()),
            };
            let event = JournalEvent::Undone { op, result };
            let _ = news.send(Event::Journal(event)).await;
        });
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
        let options = options_of(&row.json);
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
