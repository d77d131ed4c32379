//! What an agent changes beyond the task's own row, given with [`crate::Route::also`].
//!
//! Whether the project, the row and the stage exist is checked by the workbench, which reads them.

use crate::error::{Error, Result};
use crate::wire::ChangeDoc;
use serde_json::Value;
use uuid::Uuid;

/// A change of another label row, data unit or task, in this project or in another. It is held, reviewed, written and
/// taken back together with the outcome; an outcome has at most 60 of them. Those that change nothing are left out.
///
/// ```
/// use agent_abi::prelude::*;
/// use agent_abi::testing::task;
///
/// const TWIN: Uuid = Uuid::from_u128(0x8d7a0c0e_56f1_4b0c_9d4e_6a3a4a8f1b11);
///
/// #[stage("urgent")]
/// fn urgent(task: &Task) -> Route {
///     let data = task.data_hash();
///     Route::to("complete")
///         .also(Change::priority(TWIN, data, 0.9))
///         .also(Change::move_to(TWIN, data, "Review"))
/// }
///
/// let run = task("a.jpg").run::<urgent>();
/// assert_eq!(run.changes()[1].to.as_deref(), Some("Review"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a change does something only in `Route::also`"]
pub struct Change {
    pub(crate) doc: ChangeDoc,
    /// Why it cannot be made.
    pub(crate) wrong: Option<String>,
}

impl Change {
    pub(crate) fn of(kind: &str, project: Uuid, data_hash: Uuid) -> Self {
        Self {
            doc: ChangeDoc {
                kind: kind.to_owned(),
                project: Some(project),
                data_hash: Some(data_hash),
                ..ChangeDoc::default()
            },
            wrong: None,
        }
    }

    /// The priority of a data unit's task, 0 to 1.
    pub fn priority(project: Uuid, data_hash: Uuid, priority: f64) -> Self {
        let mut change = Self::of("priority", project, data_hash);
        change.doc.priority = Some(priority);
        change
    }

    /// The client metadata of a data unit's storage item, replaced as a whole by this JSON object.
    pub fn metadata(project: Uuid, data_hash: Uuid, object: impl Into<Value>) -> Self {
        Self::of("metadata", project, data_hash).object(object.into())
    }

    /// The same of a storage item by its own UUID.
    pub fn item_metadata(item: Uuid, object: impl Into<Value>) -> Self {
        let mut change = Self::of("metadata", Uuid::nil(), Uuid::nil());
        (change.doc.project, change.doc.data_hash) = (None, None);
        change.doc.item_uuid = Some(item);
        change.object(object.into())
    }

    /// Moves the task of a data unit to any stage of its project, by the stage's name or UUID.
    pub fn move_to(project: Uuid, data_hash: Uuid, stage: impl Into<String>) -> Self {
        let mut change = Self::of("move", project, data_hash);
        change.doc.to = Some(stage.into());
        change
    }

    fn object(mut self, object: Value) -> Self {
        match object {
            Value::Object(map) => self.doc.client_metadata = Some(map),
            other => self.wrong = Some(format!("client metadata are a JSON object, not {other}")),
        }
        self
    }

    /// The document that the workbench is given.
    pub(crate) fn into_doc(self) -> Result<ChangeDoc> {
        match self.wrong {
            None => Ok(self.doc),
            Some(wrong) => {
                let text = format!("a further change ({}): {wrong}", self.doc.kind);
                Err(Error::new(text).permanent())
            }
        }
    }
}
