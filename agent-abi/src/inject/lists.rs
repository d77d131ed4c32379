//! Lists of what is on the platform, a page at a time, and addresses of files. One thing by its identity is left to
//! `upstream`.

use super::Upstream;
use super::scope::Source;
use super::upstream::read;
use crate::error::Result;
use crate::model::{DataType, StorageItem, Task};
use crate::wire::{ListPage, ListQuestion, TaskDoc, call};
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use uuid::Uuid;

/// Entries of a list, in the platform's order. A page is asked for when it is reached, so that a long list costs only
/// what is read of it. After an error it ends.
///
/// ```
/// use agent_abi::prelude::*;
/// use agent_abi::testing::task;
///
/// #[stage("spread")]
/// fn spread(project: &Project, upstream: Upstream<'_>) -> Result<Route> {
///     let mut waiting = 0;
///     for task in upstream.list_tasks(project.hash(), "review") {
///         waiting += u32::from(task?.title().ends_with(".mp4"));
///     }
///     Ok(Route::to(if waiting < 50 { "review" } else { "wait" }))
/// }
///
/// let run = task("a.mp4").listed("tasks", Vec::<Value>::new()).run::<spread>();
/// assert_eq!(run.route(), Some("review"));
/// ```
#[must_use = "nothing is asked for before the first entry is"]
pub struct Listing<'t, T> {
    source: &'t dyn Source,
    question: ListQuestion,
    page: VecDeque<Value>,
    /// Whether there may be another page.
    more: bool,
    entry: fn(Value) -> Result<T>,
}

/// A label row as it is listed: what is known of it without its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRow(Value);

/// A collection of storage items.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection(Value);

/// An address that a file can be read from without a key, for some minutes to hours. Whoever has it has the file: it is
/// never shown by `{:?}`, and must not be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl(String);

fn uuid(doc: &Value, key: &str) -> Option<Uuid> {
    Uuid::parse_str(doc[key].as_str()?).ok()
}

impl ListedRow {
    /// The data unit; with it [`Upstream::label_rows`] gives the labels.
    #[must_use]
    pub fn data_hash(&self) -> Option<Uuid> {
        uuid(&self.0, "data_hash")
    }

    /// The label row's own UUID; `None` while nobody has labelled it.
    #[must_use]
    pub fn label_hash(&self) -> Option<Uuid> {
        uuid(&self.0, "label_hash")
    }

    /// The storage item behind the data.
    #[must_use]
    pub fn item(&self) -> Option<Uuid> {
        uuid(&self.0, "backing_item_uuid")
    }

    /// Title of the data unit.
    #[must_use]
    pub fn title(&self) -> &str {
        self.0["data_title"].as_str().unwrap_or_default()
    }

    /// What the data are.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        DataType::from_word(self.0["data_type"].as_str().unwrap_or_default())
    }

    /// The stage at which its task is, by title.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        self.0["workflow_graph_node"]["title"].as_str()
    }

    /// Everything, as Encord sends it (snake_case).
    #[must_use]
    pub const fn metadata(&self) -> &Value {
        &self.0
    }
}

impl Collection {
    /// Its UUID, for [`Upstream::collection_items`].
    #[must_use]
    pub fn uuid(&self) -> Option<Uuid> {
        uuid(&self.0, "uuid")
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap_or_default()
    }

    /// Everything, as Encord sends it (camelCase).
    #[must_use]
    pub const fn doc(&self) -> &Value {
        &self.0
    }
}

impl SignedUrl {
    /// The address itself, to be read from and not to be kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedUrl(…)")
    }
}

impl<'t> Upstream<'t> {
    /// The label rows of a project, without their labels. The platform gives them in one answer, as to the Python
    /// SDK: name a part of the title ([`Listing::titled`]) where they are very many.
    pub fn list_rows(&self, project: Uuid) -> Listing<'t, ListedRow> {
        let question = ListQuestion {
            project: Some(project),
            ..asks("label_rows")
        };
        self.listing(question, |doc| Ok(ListedRow(doc)))
    }

    /// The tasks that wait at a stage of a project; the stage by title or UUID.
    pub fn list_tasks(&self, project: Uuid, stage: &str) -> Listing<'t, Task> {
        let question = ListQuestion {
            project: Some(project),
            stage: Some(stage.to_owned()),
            ..asks("tasks")
        };
        self.listing(question, |doc| {
            Ok(Task::new(serde_json::from_value::<TaskDoc>(doc)?, 1))
        })
    }

    /// The storage items of a folder; [`Listing::recursive`] adds those of the folders below.
    pub fn list_items(&self, folder: Uuid) -> Listing<'t, StorageItem> {
        let question = ListQuestion {
            of: Some(folder),
            ..asks("folder_items")
        };
        self.listing(question, |doc| Ok(StorageItem::read(doc)?))
    }

    /// The collections of a top-level folder, or all that may be seen.
    pub fn list_collections(&self, folder: Option<Uuid>) -> Listing<'t, Collection> {
        let question = ListQuestion {
            of: folder,
            ..asks("collections")
        };
        self.listing(question, |doc| Ok(Collection(doc)))
    }

    /// The storage items of a collection.
    pub fn collection_items(&self, collection: Uuid) -> Listing<'t, StorageItem> {
        let question = ListQuestion {
            of: Some(collection),
            ..asks("collection_items")
        };
        self.listing(question, |doc| Ok(StorageItem::read(doc)?))
    }

    /// An address that the file of a storage item can be read from without a key, for a service that fetches it by
    /// itself; `None` where it has no file of its own, as an image group. To read the file of the task's own data
    /// take [`AssetPath`](super::AssetPath).
    ///
    /// # Errors
    /// When the item is not there or may not be read.
    pub fn signed_url(&self, item: Uuid) -> Result<Option<SignedUrl>> {
        let url: Option<String> = read(self.source, call::SIGNED_URL, &item)?;
        Ok(url.map(SignedUrl))
    }

    fn listing<T>(&self, question: ListQuestion, entry: fn(Value) -> Result<T>) -> Listing<'t, T> {
        Listing {
            source: self.source,
            question,
            page: VecDeque::new(),
            more: true,
            entry,
        }
    }
}

fn asks(list: &str) -> ListQuestion {
    ListQuestion {
        list: list.to_owned(),
        ..ListQuestion::default()
    }
}

impl<T> Listing<'_, T> {
    /// Only those with this in their title: rows, tasks, items of a folder.
    pub fn titled(mut self, part: impl Into<String>) -> Self {
        self.question.title = Some(part.into());
        self
    }
}

impl Listing<'_, StorageItem> {
    /// Those of the folders below, too; a collection has none.
    pub fn recursive(mut self) -> Self {
        self.question.recursive = true;
        self
    }
}

impl<T> Iterator for Listing<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        // A page may be empty and not the last.
        while self.page.is_empty() && self.more {
            let page: ListPage = match read(self.source, call::LIST, &self.question) {
                Ok(page) => page,
                Err(error) => {
                    self.more = false;
                    return Some(Err(error));
                }
            };
            self.page = page.entries.into();
            self.more = page.next.is_some();
            self.question.token = page.next;
        }
        let entry = (self.entry)(self.page.pop_front()?);
        if entry.is_err() {
            self.page.clear();
            self.more = false;
        }
        Some(entry)
    }
}

impl<T> fmt::Debug for Listing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listing({})", self.question.list)
    }
}
