//! A new text item: uploaded into a storage folder and linked into a dataset; and the same, taken back. How that is
//! done on the wire is left to `wb_client`.

use crate::ids::{DataHash, DatasetHash, FolderId, ProjectHash};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use uuid::Uuid;

/// Where an item's key lies in its client metadata.
pub const ITEM_KEY: &str = "workbench_item";

/// Characters of the text that an excerpt has at most.
const SHOWN: usize = 300;

/// Names that are hashed to keys begin with this.
const KEYS: Uuid = Uuid::from_u128(0x5d0c_9a7e_3f1b_4c5e_8a60_7d0e_42b9_11a4);

/// A text item that is made, or deleted again. The platform chooses its UUID when the upload is announced, so it is
/// recognised by a key of ours in its client metadata, which is known from the beginning.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct NewItem {
    /// The project that it is made for.
    pub project: ProjectHash,
    /// Its title, for people.
    pub project_title: String,
    /// The dataset that it is linked into.
    pub dataset: DatasetHash,
    /// Its title, for people.
    pub dataset_title: String,
    /// The storage folder that it lies in.
    pub folder: FolderId,
    /// Whether the folder is the dataset's own: what is uploaded there is linked by the platform.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// Its title.
    pub title: String,
    /// What is in it.
    #[serde(with = "crate::shared")]
    pub text: Arc<str>,
    /// The author's client metadata, without the key.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub client_metadata: Map<String, Value>,
    /// What it is recognised by.
    pub key: Uuid,
    /// It is deleted, not made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete: bool,
    /// It was there before it was to be made, so that it stays when the outcome is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// It was looked for a moment ago and was not there. Not kept in files: after a crash it is looked for again.
    #[serde(skip)]
    pub absent: bool,
}

impl NewItem {
    /// The key of an item that is made for a data unit of a project: the same for the same title and text in the same
    /// dataset.
    #[must_use]
    pub fn key(
        own: ProjectHash,
        data: DataHash,
        dataset: DatasetHash,
        title: &str,
        text: &str,
    ) -> Uuid {
        let name = format!("{own} {data} {dataset} {} {title}{text}", title.len());
        Uuid::new_v5(&KEYS, name.as_bytes())
    }

    /// The client metadata as they are sent: the author's, and the key.
    #[must_use]
    pub fn metadata(&self) -> Map<String, Value> {
        let mut metadata = self.client_metadata.clone();
        metadata.insert(ITEM_KEY.to_owned(), self.key.to_string().into());
        metadata
    }

    /// The beginning of its text in one line, for people.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let end = self.text.char_indices().nth(SHOWN).map(|(end, _)| end);
        let shown = &self.text[..end.unwrap_or(self.text.len())];
        let words: Vec<&str> = shown.split_whitespace().collect();
        words.join(" ") + if end.is_some() { "…" } else { "" }
    }

    /// What is done, for people: `new text item "a.txt" (120 bytes) in dataset Questions`.
    #[must_use]
    pub fn headline(&self) -> String {
        let (title, dataset) = (&self.title, &self.dataset_title);
        match self.delete {
            true => format!("text item \"{title}\" is deleted from dataset {dataset}"),
            false => format!(
                "new text item \"{title}\" ({} bytes) in dataset {dataset}",
                self.text.len()
            ),
        }
    }
}

/// How an item stands upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemStand {
    /// It is not there.
    Absent,
    /// It is there. Why it must not be deleted, where that was asked: somebody has used it.
    There {
        /// `None`: nobody has used it, or it was not asked.
        used: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_of_title_text_data_unit_and_dataset() {
        let id = |n| Uuid::from_u128(n);
        let key = |data, dataset, title, text| {
            let (data, dataset) = (DataHash(id(data)), DatasetHash(id(dataset)));
            NewItem::key(ProjectHash(id(1)), data, dataset, title, text)
        };
        let first = key(2, 3, "a.txt", "b");
        assert_eq!(first, key(2, 3, "a.txt", "b"));
        let others = [
            key(4, 3, "a.txt", "b"),
            key(2, 4, "a.txt", "b"),
            key(2, 3, "a.tx", "tb"),
            key(2, 3, "a.txt", "c"),
        ];
        assert!(!others.contains(&first), "{others:?}");
    }
}
