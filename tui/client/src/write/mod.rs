//! Writing to Encord: the one door, and what goes through it.
//!
//! A [`Writer`] is made by [`Reader::writer`] only, and every writing request needs the [`Door`] that
//! a writer holds. It sends only what a ledger has noted ([`Writer::send`]). Order of a commit: labels, then
//! priority and metadata, then the move, because moving a task before its labels are saved is the worse failure.
//! Further changes have their phases between these ([`wb_core::work::WritePhase`]).

mod bundle;
mod commit;
mod create;
mod further;
mod issues;
mod items;
mod labels;
mod metadata;
mod moves;
mod row;
mod unmake;
mod uploads;
mod values;
mod waiting;

use crate::error::ClientError;
use crate::http::retry::Repeat;
use crate::http::{Call, V2};
use crate::read::Reader;

/// Who asked for writing. It is recorded in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// A person allowed it on the screen.
    Person,
    /// A command whose job is to write: its name.
    Command(&'static str),
}

/// Proof that a request may write. Only this module makes one.
pub(crate) struct Door(());

/// Writes to Encord. A dry run has none.
pub struct Writer {
    reader: Reader,
    door: Door,
    steps: fn(&'static str),
    counters: WriteCounters,
    /// Titles of other projects that outcomes may change; `None`: any.
    confirmed: Option<Vec<String>>,
}

/// Counters of the writes of each kind.
#[derive(Default)]
struct WriteCounters {
    creates: bundle::WriteCounter,
    labels: bundle::WriteCounter,
    priorities: bundle::WriteCounter,
    metadata: bundle::WriteCounter,
    moves: bundle::WriteCounter,
    issues: bundle::WriteCounter,
    items: bundle::WriteCounter,
    links: bundle::WriteCounter,
    deletions: bundle::WriteCounter,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(crate) fn new(reader: Reader, permission: Permission) -> Self {
        match permission {
            Permission::Person => tracing::info!("writing upstream was allowed by a person"),
            Permission::Command(name) => {
                tracing::info!(command = name, "writing upstream was allowed by a command");
            }
        }
        Self {
            reader,
            door: Door(()),
            steps: |_| {},
            counters: WriteCounters::default(),
            confirmed: None,
        }
    }

    /// Has `steps` called with the name of each step of a commit that is over: `files` (of new items), `job` (started),
    /// `uploads`, `links`, `unlinked` (items that are deleted), `rows` (label rows read or created), `further-labels`, `labels`, `priorities`, `metadata`, `further-values`, `issues`, `further-moves`,
    /// `moves`. For tests that stop there.
    pub fn watch_steps(&mut self, steps: fn(&'static str)) {
        self.steps = steps;
    }

    /// Outcomes that change other projects than these are refused, by title.
    pub fn protect(&mut self, confirmed: Vec<String>) {
        self.confirmed = Some(confirmed);
    }

    /// The reader that this writer was made from.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The platform answers `null` for "not done".
    pub(crate) fn not_null(&self, call: &Call<'_>, answer: &[u8]) -> Result<(), ClientError> {
        if answer.trim_ascii() == b"null" {
            let what = "it is neither a yes nor a no (null)".to_owned();
            return Err(self.reader.wire.nonsense(call, what));
        }
        Ok(())
    }

    /// A write of the v2 API whose answer does not matter.
    async fn write(
        &self,
        method: &'static str,
        path: &str,
        body: Vec<u8>,
        repeat: Repeat,
    ) -> Result<(), ClientError> {
        let call = Call::write(&self.door, method, format!("{V2}{path}"), body, repeat);
        self.reader.wire.send(&call).await.map(drop)
    }
}

fn to_bytes(value: &impl serde::Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(value).map_err(|error| ClientError::Bug(error.to_string()))
}
