//! Performing what the machines of the ledger ask for: reading the journal and the platform, noting changes, sending them.
//!
//! What is read, noted and sent, and in what order, is decided by the core.

mod command;

pub use command::{Hooks, Operator, PlanSource};

use crate::clock::now;
use crate::journal::{Journal, points};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use wb_client::{Reader, Writer};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ProjectHash, StageId};
use wb_core::ledger::{
    Before, Change, GROUP, Ledger, Look, Noted, Reply, Request, Seen, TasksSeen, Unit,
};
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{Committed, Project, RowInput};
use wb_core::workflow::{Stage, StageKind};

/// Changes that are noted and not sent yet, by their entries.
pub(crate) type NotedChanges = Arc<Mutex<HashMap<i64, Noted<Change>>>>;

/// What requests are performed with. Cheap to clone.
#[derive(Clone)]
pub struct Performer {
    reader: Reader,
    writer: Option<Arc<Writer>>,
    journal: Journal,
    project: Arc<Project>,
    noted: NotedChanges,
}

/// The error for a write of a process that must not write.
pub(crate) fn holds_writes() -> Error {
    Error::new(
        ErrorKind::Refused,
        "this process holds all writes (--dry-run or --read-only)",
    )
    .hint("start without --dry-run and --read-only to write")
}

impl Performer {
    /// Reads and writes this project; writes are noted in this journal.
    #[must_use]
    pub fn new(
        reader: Reader,
        writer: Option<Arc<Writer>>,
        journal: Journal,
        project: Arc<Project>,
    ) -> Self {
        Self {
            reader,
            writer,
            journal,
            project,
            noted: NotedChanges::default(),
        }
    }

    /// The same, with changes that were noted by an earlier request.
    pub(crate) fn with_noted(self, noted: NotedChanges) -> Self {
        Self { noted, ..self }
    }

    /// Performs what a machine asks for until it is over, without a state.
    #[cfg(test)]
    pub async fn drive<M: wb_core::ledger::Machine>(
        &self,
        mut machine: M,
    ) -> Result<M::Output, Error> {
        use wb_core::ledger::Next;
        let mut next = machine.start();
        loop {
            match next {
                Next::Ask(request) => next = machine.on(Box::pin(self.perform(request)).await),
                Next::Over(result) => return result,
            }
        }
    }

    /// Performs a request.
    pub async fn perform(&self, request: Request) -> Reply {
        let hash = self.project.hash;
        match request {
            Request::Claim(scope) => {
                Reply::Open(self.with_journal(move |j| j.claim(hash, &scope)).await)
            }
            Request::OpenUndos(op) => {
                Reply::Open(self.with_journal(move |j| j.open_undos(hash, op)).await)
            }
            Request::Standing { op, below } => Reply::Standing(
                self.with_journal(move |j| j.standing(op, below, GROUP))
                    .await,
            ),
            Request::Operations => {
                Reply::Operations(self.with_journal(move |j| j.view(hash)).await)
            }
            Request::Applied(plan) => {
                Reply::Applied(self.with_journal(move |j| j.applied(&plan)).await)
            }
            // The command that applies a plan reads it itself.
            Request::PlanLines => {
                Reply::PlanLines(Err(Error::new(ErrorKind::Bug, "there is no plan")))
            }
            Request::Look(look) => Reply::Seen(Box::new(self.look(look).await)),
            Request::Note(changes) => Reply::Noted(self.note(changes).await),
            Request::Send(entries) => self.send(&entries).await,
            Request::SendRest(rests) => self.send_rest(rests).await,
            Request::NoteAnswers(answers) => {
                let new = answers.iter().all(|a| a.before == Before::New);
                let stored = self.with_journal(move |j| j.end(&answers, now().0)).await;
                if let Err(error) = &stored {
                    tracing::error!("{error}");
                }
                if new {
                    points::at("ended");
                }
                Reply::Stored(stored)
            }
            Request::Release(tasks) => Reply::Stored(
                self.with_journal(move |j| j.release_conflicts(hash, Some(&tasks), now().0))
                    .await,
            ),
            Request::EndOperations(ops) => Reply::Stored(
                self.with_journal(move |j| {
                    ops.iter().try_for_each(|op| j.gone_on(hash, *op, now().0))
                })
                .await,
            ),
        }
    }

    async fn with_journal<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Journal) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let journal = self.journal.clone();
        tokio::task::spawn_blocking(move || work(&journal))
            .await
            .map_err(|e| Error::new(ErrorKind::Bug, format!("the journal's thread ended: {e}")))?
    }

    async fn note(&self, changes: Vec<Change>) -> Result<Vec<Option<i64>>, Error> {
        points::at("before-begin");
        let hash = self.project.hash;
        let noted = self
            .with_journal(move |j| j.note(hash, changes, now()))
            .await?;
        points::at("begun");
        let entries = noted.iter().map(|n| n.as_ref().map(Noted::entry)).collect();
        let noted = noted.into_iter().flatten().map(|n| (n.entry(), n));
        self.noted().extend(noted);
        Ok(entries)
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Noted<Change>>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, entries: &[i64]) -> Reply {
        let noted = {
            let mut all = self.noted();
            entries
                .iter()
                .map(|entry| (*entry, all.remove(entry)))
                .collect()
        };
        let reply = self.send_all(noted).await;
        points::at("answered");
        reply
    }

    /// Sends what is left of claimed entries, which are held until they have an answer.
    async fn send_rest(&self, rests: Vec<(i64, Change)>) -> Reply {
        let rests = rests.into_iter();
        let noted = rests.map(|(entry, rest)| (entry, self.journal.rest_of(entry, rest)));
        self.send_all(noted.collect()).await
    }

    async fn send_all(&self, noted: Vec<(i64, Option<Noted<Change>>)>) -> Reply {
        let Some(writer) = &self.writer else {
            let refused = noted.iter().map(|_| Committed::Refused(holds_writes()));
            return Reply::Sent(refused.collect());
        };
        let mut results: Vec<Option<Committed>> = Vec::with_capacity(noted.len());
        let mut sending = Vec::with_capacity(noted.len());
        for (entry, noted) in noted {
            results.push(noted.is_none().then(|| {
                let text = format!("entry {entry} of the journal is not held here");
                Committed::Refused(Error::new(ErrorKind::Bug, text))
            }));
            sending.extend(noted);
        }
        let sent = Box::pin(writer.send(&self.project, sending)).await;
        let mut sent = sent.into_iter().map(|(_, result)| result);
        let each = results.into_iter();
        Reply::Sent(
            each.filter_map(|refused| refused.or_else(|| sent.next()))
                .collect(),
        )
    }

    async fn look(&self, look: Look) -> Seen {
        let mut seen = self.look_in(self.project.hash, &look).await;
        for (project, look) in look.others {
            let found = Box::pin(self.look_in(project, &look)).await;
            seen.others.insert(project, found);
        }
        seen
    }

    /// What is asked of one project.
    async fn look_in(&self, project: ProjectHash, look: &Look) -> Seen {
        let (tasks, rows, metadata, items, new_items) = tokio::join!(
            self.tasks(project, &look.tasks),
            self.rows(project, &look.rows, look.client_metadata),
            self.reader.row_metadata(project, &look.metadata),
            self.reader.client_metadata(&look.items),
            self.reader.new_item_stands(&look.new_items, look.uses),
        );
        Seen {
            tasks,
            rows,
            metadata,
            items,
            new_items,
            others: BTreeMap::new(),
        }
    }

    async fn tasks(
        &self,
        project: ProjectHash,
        stages: &BTreeMap<StageId, Vec<DataHash>>,
    ) -> BTreeMap<StageId, TasksSeen> {
        let mut found = BTreeMap::new();
        for (id, data) in stages {
            // Identities are all that is read, and every kind of stage has these.
            let stage = Stage {
                id: *id,
                title: String::new(),
                kind: StageKind::Other(String::new()),
                pathways: Vec::new(),
            };
            let tasks = self.reader.tasks_of(project, &stage, data).await;
            let tasks = tasks.map_err(Error::from);
            let ids = tasks.map(|rows| rows.iter().map(|row| (row.id, row.data)).collect());
            found.insert(*id, ids);
        }
        found
    }

    /// Reads label rows, those with the same options together.
    async fn rows(
        &self,
        project: ProjectHash,
        wanted: &[(Unit, InitialiseOptions)],
        client_metadata: bool,
    ) -> Vec<Result<RowInput, Error>> {
        let mut groups: BTreeMap<String, (&InitialiseOptions, Vec<usize>)> = BTreeMap::new();
        for (i, (_, options)) in wanted.iter().enumerate() {
            let key = serde_json::to_string(options).unwrap_or_default();
            let group = groups.entry(key).or_insert_with(|| (options, Vec::new()));
            group.1.push(i);
        }
        let include = IncludeOptions {
            client_metadata,
            ..IncludeOptions::default()
        };
        let mut found = BTreeMap::new();
        for (options, members) in groups.into_values() {
            let units: Vec<Unit> = members.iter().map(|i| wanted[*i].0.clone()).collect();
            let rows = (self.reader)
                .label_rows(project, &units, &include, options)
                .await;
            found.extend(members.into_iter().zip(rows));
        }
        found.into_values().collect()
    }
}
