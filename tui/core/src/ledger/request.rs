//! What the machines of the ledger ask of the engine, and its answers.
//!
//! A machine asks for one thing at a time and decides with the answer. Reading rows, noting, sending and looking up
//! are left to the engine.

use super::{Before, Change, OpenEntry, Scope, StandingEntry};
use crate::error::{Error, ErrorKind};
use crate::ids::{DataHash, ItemId, ProjectHash, StageId, TaskId};
use crate::journal::Op;
use crate::work::wire::InitialiseOptions;
use crate::work::{Committed, ItemStand, NewItem, Route, RowInput, RowMetadata};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What a machine asks for next.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Open entries, for this process to finish.
    Claim(Scope),
    /// Undos of an operation that are not over.
    OpenUndos(i64),
    /// The newest entries of an operation that still stand, below an entry.
    Standing {
        /// The operation.
        op: i64,
        /// Only entries with a smaller number.
        below: i64,
    },
    /// The operations of this folder.
    Operations,
    /// Which units of a plan earlier commands have written.
    Applied(String),
    /// The next tasks of the plan that is being applied.
    PlanLines,
    /// Read the platform.
    Look(Look),
    /// Note changes, so that they may be sent.
    Note(Vec<Change>),
    /// Send what was noted under these entries.
    Send(Vec<i64>),
    /// Send what is left of claimed entries.
    SendRest(Vec<(i64, Change)>),
    /// Note the answers of entries.
    NoteAnswers(Vec<Answered>),
    /// Stop finishing what is written in part of these tasks and was changed by others since.
    Release(Vec<TaskId>),
    /// Mark operations of processes that are gone as ended.
    EndOperations(Vec<i64>),
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Of [`Request::Claim`] and [`Request::OpenUndos`].
    Open(Result<Vec<OpenEntry>, Error>),
    /// Of [`Request::Standing`], with the number to go on below; `None` when there is no more.
    Standing(Result<(Vec<StandingEntry>, Option<i64>), Error>),
    /// Of [`Request::Operations`].
    Operations(Result<Vec<Op>, Error>),
    /// Of [`Request::Applied`].
    Applied(Result<HashSet<(DataHash, StageId)>, Error>),
    /// Of [`Request::PlanLines`].
    PlanLines(Result<PlanLines, Error>),
    /// Of [`Request::Look`].
    Seen(Box<Seen>),
    /// Of [`Request::Note`]: the number of each entry; `None` for a task that another process is writing.
    Noted(Result<Vec<Option<i64>>, Error>),
    /// Of [`Request::Send`] and [`Request::SendRest`], in the same order.
    Sent(Vec<Committed>),
    /// Of the requests that only store something.
    Stored(Result<(), Error>),
}

impl Reply {
    /// The answer to a request that could not be performed.
    #[must_use]
    pub fn failed(request: &Request, error: Error) -> Self {
        match request {
            Request::Claim(_) | Request::OpenUndos(_) => Self::Open(Err(error)),
            Request::Standing { .. } => Self::Standing(Err(error)),
            Request::Operations => Self::Operations(Err(error)),
            Request::Applied(_) => Self::Applied(Err(error)),
            Request::PlanLines => Self::PlanLines(Err(error)),
            Request::Note(_) => Self::Noted(Err(error)),
            Request::Look(_)
            | Request::Send(_)
            | Request::SendRest(_)
            | Request::NoteAnswers(_)
            | Request::Release(_)
            | Request::EndOperations(_) => Self::Stored(Err(error)),
        }
    }

    /// The error that it holds; for an answer to something that was not asked for, that it is one.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Open(Err(error))
            | Self::Standing(Err(error))
            | Self::Operations(Err(error))
            | Self::Applied(Err(error))
            | Self::PlanLines(Err(error))
            | Self::Noted(Err(error))
            | Self::Stored(Err(error)) => error,
            other => other.unasked(),
        }
    }

    fn unasked(&self) -> Error {
        let name = format!("{self:?}");
        let name = name.split(['(', ' ']).next().unwrap_or_default();
        Error::new(ErrorKind::Bug, format!("the ledger did not ask for {name}"))
    }
}

/// The result of one entry, and the state it had before.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The entry.
    pub entry: i64,
    /// Its result.
    pub result: Committed,
    /// Its state before it was sent.
    pub before: Before,
}

/// A data unit on a label branch.
pub type Unit = (DataHash, Arc<str>);

/// What is read of the platform before a decision; the answers come in the same order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Which tasks of these data units are at these stages.
    pub tasks: BTreeMap<StageId, Vec<DataHash>>,
    /// Label rows, each in the part that these options select.
    pub rows: Vec<(Unit, InitialiseOptions)>,
    /// Whether the label rows come with their client metadata.
    pub client_metadata: bool,
    /// Priority, client metadata and storage item of data units.
    pub metadata: Vec<Unit>,
    /// Client metadata of storage items.
    pub items: Vec<ItemId>,
    /// Whether new items are there.
    pub new_items: Vec<NewItem>,
    /// Whether it is read if somebody has used them.
    pub uses: bool,
    /// The same of other rows, for further changes, by project: the project itself may be among them.
    pub others: BTreeMap<ProjectHash, Look>,
}

impl Look {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
            && self.rows.is_empty()
            && self.metadata.is_empty()
            && self.items.is_empty()
            && self.new_items.is_empty()
            && self.others.values().all(Self::is_empty)
    }
}

/// The tasks at a stage: each with its data unit.
pub type TasksSeen = Result<Vec<(TaskId, DataHash)>, Error>;

/// The answer to a [`Look`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The tasks that are at these stages.
    pub tasks: BTreeMap<StageId, TasksSeen>,
    /// The label rows.
    pub rows: Vec<Result<RowInput, Error>>,
    /// What is beside the labels.
    pub metadata: Vec<Result<RowMetadata, Error>>,
    /// Client metadata of storage items.
    pub items: Vec<Result<Map<String, Value>, Error>>,
    /// How new items stand.
    pub new_items: Vec<Result<ItemStand, Error>>,
    /// What was seen of other rows.
    pub others: BTreeMap<ProjectHash, Seen>,
}

/// One task of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// The task.
    pub task: TaskId,
    /// Its data unit.
    pub data: DataHash,
    /// Title of the data unit.
    pub title: String,
    /// Where it was.
    pub stage: StageId,
    /// Where it goes.
    pub way: Route,
    /// The stage whose outcome in this plan its inputs rest on.
    pub follows: Option<StageId>,
    /// What is written; `None` for a task that failed or changes nothing.
    pub change: Option<Change>,
}

/// Some tasks of a plan, in its order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanLines {
    /// The tasks.
    pub tasks: Vec<PlannedTask>,
    /// Whether these are the last.
    pub last: bool,
}

/// What a machine does next.
#[derive(Debug)]
pub enum Next<T> {
    /// It asks for something.
    Ask(Request),
    /// It is over.
    Over(Result<T, Error>),
}

impl<T> Next<T> {
    pub(super) fn failed(error: Error) -> Self {
        Self::Over(Err(error))
    }
}

/// A sequence of requests that ends with a result.
pub trait Machine {
    /// What it comes to.
    type Output;

    /// Its first step.
    fn start(&mut self) -> Next<Self::Output>;

    /// Its next step, with the answer to what it asked for.
    fn on(&mut self, reply: Reply) -> Next<Self::Output>;
}

/// The result of one task of an undo.
#[derive(Clone, Debug, PartialEq)]
pub enum UndoResult {
    /// As it was before.
    Restored,
    /// Somebody changed it since.
    Left(String),
    /// The platform refused it.
    Failed(Error),
}

/// The result of one task of an operation, for the face that shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskReport {
    /// Of an undo.
    Undone {
        /// The task.
        task: TaskId,
        /// Its data unit.
        data: DataHash,
        /// Title of the data unit.
        title: Box<str>,
        /// The result.
        result: UndoResult,
    },
    /// Of a plan.
    Applied {
        /// The task.
        task: Box<PlannedTask>,
        /// The result.
        result: Committed,
    },
}

/// What an operation does next: it may ask for several things at once, each in a lane of its own.
#[derive(Debug)]
pub struct OperationStep<T> {
    /// What it asks for, with the lane.
    pub requests: Vec<(usize, Request)>,
    /// Tasks that are over.
    pub reports: Vec<TaskReport>,
    /// Its result, once it has ended.
    pub over: Option<Result<T, Error>>,
}

impl<T> Default for OperationStep<T> {
    fn default() -> Self {
        Self {
            requests: Vec::new(),
            reports: Vec::new(),
            over: None,
        }
    }
}

impl<T> OperationStep<T> {
    pub(super) fn ask(&mut self, lane: usize, request: Request) {
        self.requests.push((lane, request));
    }
}

/// A command that writes, with several requests on their way at once.
pub trait Operation {
    /// What it comes to.
    type Output;

    /// Its first requests.
    fn start(&mut self) -> OperationStep<Self::Output>;

    /// What follows from the answer to the request of a lane.
    fn on(&mut self, lane: usize, reply: Reply) -> OperationStep<Self::Output>;

    /// Asks it to stop: what is on its way is finished, and the rest is left.
    fn stop(&mut self);
}
