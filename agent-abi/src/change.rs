//! What an agent changes beyond the task's own row, given with [`crate::Route::also`].
//!
//! Whether the project, the row and the stage exist is checked by the workbench, which reads them.

use crate::error::{Error, Result};
use crate::wire::ChangeDoc;
use serde_json::Value;
use uuid::Uuid;

/// A change of another label row, data unit or task, or a new item, in this project or in another. It is held, reviewed, written and
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

    /// A new issue on a data unit: a comment for people, at most 10,000 bytes. An open one with the same comment,
    /// place and tags is not made again. It stays when the outcome is undone.
    ///
    /// ```
    /// use agent_abi::prelude::*;
    /// use agent_abi::testing::task;
    ///
    /// #[stage("check")]
    /// fn check(task: &Task, project: &Project) -> Route {
    ///     let blurred = Change::issue(project.hash(), task.data_hash(), "too blurred to label");
    ///     Route::to("complete").also(blurred.on_frame(0).tags(["blurry"]))
    /// }
    ///
    /// let run = task("a.jpg").run::<check>();
    /// assert_eq!(run.changes()[0].comment.as_deref(), Some("too blurred to label"));
    /// ```
    pub fn issue(project: Uuid, data_hash: Uuid, comment: impl Into<String>) -> Self {
        let mut change = Self::of("issue", project, data_hash);
        change.doc.comment = Some(comment.into());
        change
    }

    /// The issue is about this frame, from 0.
    pub fn on_frame(mut self, frame: u32) -> Self {
        self.doc.frame = Some(frame);
        self
    }

    /// The issue is about a place on a frame: x and y in shares of its width and height, 0 to 1.
    pub fn at(mut self, frame: u32, x: f64, y: f64) -> Self {
        (self.doc.frame, self.doc.at) = (Some(frame), Some([x, y]));
        self
    }

    /// The issue is about an object or a classification, by its hash.
    pub fn on_label(mut self, hash: impl Into<String>) -> Self {
        self.doc.label = Some(hash.into());
        self
    }

    /// The issue has these tags, at most 20.
    pub fn tags<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.doc.tags = names.into_iter().map(Into::into).collect();
        self
    }

    /// A new text item, linked into a dataset: each project that uses the dataset gets a new task. The title is 1 to 300
    /// bytes, and its ending decides the type (`.txt`, `.html`, `.md`, `.json`, …); the text is 1 to 5,000,000 bytes.
    ///
    /// It goes into the project's only dataset and that dataset's own folder, unless [`Change::dataset`] and
    /// [`Change::folder`] name others. An item that was made for the same data unit, with the same title and text, and is
    /// still there is not made again. When the outcome is undone, the item is deleted, unless somebody has used it.
    ///
    /// ```
    /// use agent_abi::prelude::*;
    /// use agent_abi::testing::task;
    ///
    /// #[stage("judge")]
    /// fn judge(task: &Task) -> Route {
    ///     let question = Change::item(format!("{}.txt", task.title()), "Is this a car or a van?");
    ///     Route::to("complete").also(question.dataset("Questions").client_metadata(json!({"about": task.data_hash()})))
    /// }
    ///
    /// let run = task("a.jpg").run::<judge>();
    /// let item = &run.changes()[0];
    /// assert_eq!((item.title.as_deref(), item.dataset.as_deref()), (Some("a.jpg.txt"), Some("Questions")));
    /// ```
    pub fn item(title: impl Into<String>, text: impl Into<String>) -> Self {
        let mut change = Self::of("item", Uuid::nil(), Uuid::nil());
        (change.doc.project, change.doc.data_hash) = (None, None);
        change.doc.title = Some(title.into());
        change.doc.text = Some(text.into());
        change
    }

    /// The item is linked into this dataset: the title of one of the project's datasets, or the hash of any.
    pub fn dataset(mut self, name: impl Into<String>) -> Self {
        self.doc.dataset = Some(name.into());
        self
    }

    /// The item lies in this storage folder.
    pub fn folder(mut self, folder: Uuid) -> Self {
        self.doc.folder = Some(folder);
        self
    }

    /// The item is for this project, whose datasets are meant by title; the task's own unless it is given.
    pub fn project(mut self, project: Uuid) -> Self {
        self.doc.project = Some(project);
        self
    }

    /// The item has these client metadata, a JSON object. The workbench adds the key `workbench_item`, by which it
    /// recognises the item.
    pub fn client_metadata(self, object: impl Into<Value>) -> Self {
        self.object(object.into())
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
