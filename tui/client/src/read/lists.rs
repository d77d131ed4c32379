//! Lists that agents ask for, as the platform writes their entries: items of folders and collections, collections, and
//! the metadata of all rows of a project. Tasks are in `tasks`; one thing by its identity in `inputs` and `rows`.

use super::many::{envelope, row_metadata};
use super::{Page, Reader};
use crate::error::ClientError;
use crate::http::target::Target;
use crate::http::{Call, V2};
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::ids::{ItemId, ProjectHash};

/// One page of a list; the entries are JSON.
#[derive(Clone, Debug, Default)]
pub struct DocumentPage {
    /// The entries in the platform's order.
    pub entries: Vec<Arc<str>>,
    /// Asks for the next page; `None`: this was the last.
    pub next: Option<String>,
}

/// Which documents to list.
#[derive(Clone, Copy, Debug)]
pub enum DocumentList<'a> {
    /// Storage items of a folder, whose name contains a text, and of the folders below.
    FolderItems {
        /// The folder.
        folder: Uuid,
        /// Part of the name.
        search: Option<&'a str>,
        /// Whether folders below count.
        recursive: bool,
    },
    /// Collections of a top-level folder, or all.
    Collections(Option<Uuid>),
    /// Storage items of a collection that may be seen.
    CollectionItems(Uuid),
}

impl DocumentList<'_> {
    fn target(self) -> Target {
        match self {
            Self::FolderItems {
                folder,
                search,
                recursive,
            } => {
                let flag = |on: bool| if on { "True" } else { "False" };
                let mut target = Target::new(&format!("{V2}/storage/folders/{folder}/items"))
                    .with("isRecursive", flag(recursive))
                    .with("signUrls", flag(false));
                if let Some(search) = search {
                    target.push("search", search);
                }
                target
            }
            Self::Collections(folder) => {
                let mut target = Target::new(&format!("{V2}/index/collections"));
                if let Some(folder) = folder {
                    target.push("topLevelFolderUuid", &folder.to_string());
                }
                target
            }
            Self::CollectionItems(collection) => Target::new(&format!(
                "{V2}/index/collections/{collection}/accessible-items"
            ))
            .with("includeClientMetadata", "True"),
        }
    }
}

impl Reader {
    /// One page of a list; `token` is `next` of the page before. No entry has a signed URL.
    ///
    /// # Errors
    /// As any request.
    pub async fn documents_page(
        &self,
        list: DocumentList<'_>,
        token: Option<&str>,
    ) -> Result<DocumentPage, ClientError> {
        let mut target = list.target();
        if let Some(token) = token {
            target.push("pageToken", token);
        }
        let call = Call::get(target.done());
        let body = self.wire.send(&call).await?;
        let page: Page<&RawValue> = self.parse(&call, "the list", &body)?;
        let next = self.following(&call, token, page.next)?;
        Ok(DocumentPage {
            entries: page.results.iter().map(|raw| raw.get().into()).collect(),
            next,
        })
    }

    /// The metadata of all rows of a project on the branch `main`, whose data title contains a text. The platform does
    /// not page them.
    ///
    /// # Errors
    /// As any request.
    pub async fn all_rows(
        &self,
        project: ProjectHash,
        title: Option<&str>,
    ) -> Result<Vec<Arc<str>>, ClientError> {
        let like = title.map(|title| format!("%{title}%"));
        let payload = row_metadata(json!({"data_title_like": like, "branch_name": "main"}));
        let body = envelope("labelrowmetadata", "GET", &json!(null), &payload);
        let body = serde_json::to_vec(&body).map_err(|e| ClientError::Bug(e.to_string()))?;
        let call = Call::legacy("labelrowmetadata GET", project, body, None);
        let body = self.wire.send(&call).await?;
        let rows: Option<Vec<&RawValue>> = self.parse(&call, "the label rows", &body)?;
        let rows = rows.unwrap_or_default();
        Ok(rows.iter().map(|raw| raw.get().into()).collect())
    }

    /// An address that the file of an item can be read from without a key; `None` where it has no file of its own. It
    /// is a secret.
    ///
    /// # Errors
    /// When the item is not there or may not be read.
    pub async fn signed_url(&self, item: ItemId) -> Result<Option<String>, wb_core::error::Error> {
        let doc = self.items(&[item], true).await.into_iter().next();
        let text = doc.unwrap_or_else(|| Ok("{}".into()))?;
        // It was read as an item before; an error may not quote it.
        let doc: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(doc["signedUrl"].as_str().map(str::to_owned))
    }
}
