//! Writing to Encord: the one door, and what goes through it.
//!
//! A [`Writer`] is made by [`Reader::writer`] only, and every writing request needs the [`Door`] that
//! a writer holds. Order of a commit: labels, then priority and metadata, then the move, because a
//! moved task with old labels is the worse half.

mod bundle;
mod commit;
mod create;
mod labels;
mod metadata;
mod moves;
mod row;
mod values;
mod waiting;

pub use waiting::same as same_priority;

use crate::error::ClientError;
use crate::http::retry::Repeat;
use crate::http::{Call, V2};
use crate::read::Reader;
use serde_json::json;
use wb_core::error::Error;
use wb_core::ids::{DataHash, LabelHash, ProjectHash};

/// Who asked for writing. It is recorded in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// A person said so on the screen.
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
    tallies: Tallies,
}

/// What became of the writes of each kind.
#[derive(Default)]
struct Tallies {
    creates: bundle::Tally,
    labels: bundle::Tally,
    priorities: bundle::Tally,
    metadata: bundle::Tally,
    moves: bundle::Tally,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

/// The label branch that every data unit has.
const MAIN: &str = "main";

/// What a label row's place in the workflow becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeAction {
    /// To the final stage.
    Complete,
    /// Back to the first annotation stage.
    Reopen,
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
            tallies: Tallies::default(),
        }
    }

    /// Has `steps` called with the name of each step of a commit that is over: `rows` (label rows
    /// read or created), `labels`, `priorities`, `metadata`, `moves`. For tests that stop there.
    pub fn watch_steps(&mut self, steps: fn(&'static str)) {
        self.steps = steps;
    }

    /// The reader that this writer was made from.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Sets priorities (0 to 1) by data unit, in bundles of 1,000; each unit has its own result.
    pub async fn set_priorities(
        &self,
        project: ProjectHash,
        priorities: &[(DataHash, f64)],
    ) -> Vec<Result<(), Error>> {
        let bundle = values::Priorities {
            writer: self,
            project,
            priorities,
            branches: &vec![MAIN.into(); priorities.len()],
        };
        let fates = bundle::drive(&bundle, (0..priorities.len()).collect(), 1000).await;
        plain(priorities.len(), fates)
    }

    /// Completes or reopens the tasks of label rows, all or none of them.
    ///
    /// # Errors
    /// As any request; [`ClientError::Lost`] when it is not known whether it was applied.
    pub async fn workflow_node(
        &self,
        project: ProjectHash,
        rows: &[LabelHash],
        action: NodeAction,
    ) -> Result<(), ClientError> {
        let action = match action {
            NodeAction::Complete => "complete",
            NodeAction::Reopen => "reopen",
        };
        let body = crate::read::many::envelope(
            "labelworkflowgraphnode",
            "POST",
            &json!(rows),
            &json!({"action": action}),
        );
        let call = Call::legacy(
            "labelworkflowgraphnode POST",
            project,
            to_bytes(&body)?,
            Some(&self.door),
        );
        let answer = self.reader.wire.send(&call).await?;
        self.not_null(&call, &answer)
    }

    /// The platform says `null` for "not done".
    pub(crate) fn not_null(&self, call: &Call<'_>, answer: &[u8]) -> Result<(), ClientError> {
        if answer.trim_ascii() == b"null" {
            let what = "it says neither yes nor no (null)".to_owned();
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

/// Results of a bundle whose members can only succeed or fail.
fn plain(len: usize, fates: Vec<(usize, bundle::Fate)>) -> Vec<Result<(), Error>> {
    let mut results: Vec<Result<(), Error>> = (0..len).map(|_| Ok(())).collect();
    for (i, fate) in fates {
        if let bundle::Fate::Refused(failure) = fate {
            results[i] = Err(failure);
        }
    }
    results
}

fn to_bytes(value: &serde_json::Value) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(value).map_err(|error| ClientError::Bug(error.to_string()))
}
