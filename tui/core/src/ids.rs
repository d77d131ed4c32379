//! Identities, each a type of its own so that a data hash can never stand where a task is meant.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text.trim()).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(/// A project.
    ProjectHash);
id!(/// A stage of a workflow.
    StageId);
id!(/// A way out of an agent stage.
    PathwayId);
id!(/// A task: one unit waiting at a stage. A task keeps its id for the stage it is at.
    TaskId);
id!(/// A data unit.
    DataHash);
id!(/// A label row that exists upstream.
    LabelHash);
id!(/// A storage item: the file behind a data unit.
    ItemId);
id!(/// A dataset.
    DatasetHash);
id!(/// A storage folder.
    FolderId);

/// One content of one agent library, numbered from 1 in the order they arrived.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BuildId(pub u32);

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One look at one content of a library, unique in the process.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ProbeId(pub u64);

/// One attempt of one agent on one task, unique in the process.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// An operation of this process; the journal has numbers of its own.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct OperationId(pub u64);

/// Who fetches or commits a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum BatchOwner {
    /// The stepped task.
    Step,
    /// The watched tasks.
    Watch,
    /// A comparison.
    Compare,
    /// A commit of held outcomes.
    Commit,
    /// A run, by its number.
    Run(u64),
}

/// Tasks whose inputs are fetched and whose outcomes are committed together. Unique in the process: the number is
/// the owner's own count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct BatchId {
    owner: BatchOwner,
    number: u64,
}

impl BatchId {
    /// The next batch of an owner who counts them in `last`.
    pub const fn next(owner: BatchOwner, last: &mut u64) -> Self {
        *last += 1;
        Self {
            owner,
            number: *last,
        }
    }

    /// Who fetches or commits it.
    #[must_use]
    pub const fn owner(self) -> BatchOwner {
        self.owner
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. The core has no clock: time arrives with events.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Milliseconds from `earlier` to here, 0 when the order is reversed.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}
