//! What an agent may ask its host for by name: documents that were fetched ahead, and questions with answers.

use super::{IncludeOptions, InitialiseOptions, RowDoc, TaskDoc, yes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Names for the host's `input` function.
pub mod input {
    /// [`crate::wire::ProjectDoc`].
    pub const PROJECT: &str = "project";
    /// [`crate::wire::RowDoc`].
    pub const LABEL_ROW: &str = "label_row";
    /// The storage item as Encord describes it (camelCase), an object.
    pub const STORAGE_ITEM: &str = "storage_item";
    /// [`crate::wire::AssetDoc`].
    pub const ASSET: &str = "asset";

    /// Name of the twin's document ([`crate::wire::TwinDoc`], or `null`: there is no twin), when it was
    /// fetched ahead. One that is not there is asked for with [`crate::wire::call::TWIN`].
    #[must_use]
    pub fn twin(spec: &super::TwinSpec) -> String {
        format!(
            "twin/{}/{}/{}",
            spec.project, spec.init_labels, spec.include_task
        )
    }

    /// Name of another project's document ([`crate::wire::ProjectDoc`]), when it was fetched ahead.
    #[must_use]
    pub fn project_of(hash: super::Uuid) -> String {
        format!("project/{hash}")
    }
}

/// Where an attempt can be held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// `parameter` (given by the workbench), `dependency` (made by the library), `call` (before it), `checkpoint`, or
    /// `refused`: a checkpoint whose edited value did not fit.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Pause {
    /// A place of this kind.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Self { kind, name }
    }

    /// Whether it is a checkpoint, which has a function of its own.
    pub(crate) fn is_plain(&self) -> bool {
        self.kind == "checkpoint"
    }
}

/// Names for the host's `call` function. A question is JSON, and so is its answer, unless stated
/// otherwise; nothing that is asked for can write.
pub mod call {
    /// A line of JSON ([`crate::wire::EncodeQuestion`]), a newline, then the rows of pixels. The answer is the
    /// file. Done in the host process.
    pub const ENCODE: &str = "encode";
    /// The name of a dependency that is about to be loaded and stays in the host, as a JSON string; `null` when
    /// it is there or could not be loaded. What lies between counts to the limit for loading, not to that of
    /// the task, and errors name the dependency. The answer is `null`.
    pub const LOADING: &str = "loading";
    /// A line of JSON ([`crate::wire::Pause`]), a newline, then a value: the attempt is at this place, and waits while a
    /// person holds it there. The answer is empty, or what the value was edited to. An empty question is answered at
    /// once: `true` when anybody looks at this attempt, else `false`. Not JSON.
    pub const PAUSE: &str = "pause";
    /// The name of a resource as a JSON string, a newline, then the question, any bytes; the answer is what the
    /// resource gives, any bytes. Rust agents write JSON on one line, a newline and further bytes, both ways.
    pub const RESOURCE: &str = "resource";
    /// [`crate::wire::TwinQuestion`] to [`crate::wire::TwinDoc`] or `null`.
    pub const TWIN: &str = "twin";
    /// [`crate::wire::ProjectQuestion`] to [`crate::wire::ProjectDoc`].
    pub const PROJECT: &str = "project";
    /// [`crate::wire::RowsQuestion`] to a list of [`crate::wire::RowDoc`] or `null`, in the order asked.
    pub const LABEL_ROWS: &str = "label_rows";
    /// [`crate::wire::ItemsQuestion`] to a list of storage items as Encord describes them, in the order asked,
    /// without signed URLs.
    pub const STORAGE_ITEMS: &str = "storage_items";
    /// [`crate::wire::ListQuestion`] to [`crate::wire::ListPage`]: a page of a list.
    pub const LIST: &str = "list";
    /// The UUID of a storage item, as a JSON string, to an address that its file can be read from without a key, or
    /// `null`: it has no file of its own. The address is a secret.
    pub const SIGNED_URL: &str = "signed_url";
}

/// Pixels to encode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodeQuestion {
    /// `jpeg` or `png`.
    pub format: String,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next, at least `width * 3`.
    pub stride: u32,
    /// 1 to 100, for JPEG.
    #[serde(default = "good")]
    pub quality: u8,
}

fn good() -> u8 {
    85
}

/// The label row of the same data in another project, as an agent declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwinSpec {
    /// The other project.
    pub project: Uuid,
    /// With its labels, not only the metadata.
    #[serde(default = "yes")]
    pub init_labels: bool,
    /// With the task of the data in the other project, at whichever stage it is.
    #[serde(default)]
    pub include_task: bool,
    /// Whether the agent may change it. The document is the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub write: bool,
}

/// Asks for a twin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwinQuestion {
    /// Which project, and what of it.
    #[serde(flatten)]
    pub spec: TwinSpec,
    /// The data unit.
    pub data_hash: Uuid,
}

/// A twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwinDoc {
    /// Its label row, on the branch `main`.
    pub row: RowDoc,
    /// Its task, when asked for and there.
    #[serde(default)]
    pub task: Option<TaskDoc>,
}

/// Asks for a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectQuestion {
    /// Which.
    pub project: Uuid,
}

/// Asks for label rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsQuestion {
    /// Of which project.
    pub project: Uuid,
    /// Of which data units.
    pub data_hashes: Vec<Uuid>,
    /// What to fetch with the metadata; `branch_name` is `main` unless it is given.
    #[serde(default)]
    pub include: IncludeOptions,
    /// How to fetch the labels.
    #[serde(default)]
    pub initialise: InitialiseOptions,
}

/// Asks for storage items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsQuestion {
    /// Which.
    pub items: Vec<Uuid>,
}

/// Asks for a page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuestion {
    /// `label_rows` (their metadata, without labels), `tasks`, `folder_items`, `collections` or `collection_items`.
    pub list: String,
    /// Of which project; for `label_rows` and `tasks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Uuid>,
    /// Title or UUID of the stage, for `tasks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The folder, for `folder_items` and, if only its own are asked for, `collections`; the collection for
    /// `collection_items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Uuid>,
    /// Only those with this in their title; not for collections and their items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Items of the folders below, too, for `folder_items`.
    #[serde(default)]
    pub recursive: bool,
    /// `next` of the page before; without it, the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListPage {
    /// What is listed, as Encord describes it; tasks as [`crate::wire::TaskDoc`].
    pub entries: Vec<Value>,
    /// Asks for the next page; null: this was the last.
    #[serde(default)]
    pub next: Option<String>,
}
