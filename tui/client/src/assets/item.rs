//! Storage items as far as the workbench reads them, and the document about an asset.

use super::cache::AssetCache;
use crate::error::ClientError;
use crate::http::target::Target;
use crate::http::{Call, V2};
use crate::read::{Page, Reader};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ItemId;
use wb_core::work::Downloaded;
use wb_core::work::wire::AssetDoc;

/// A storage item. No `Debug`: the signed URL is a secret.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    pub uuid: Uuid,
    #[serde(default)]
    pub parent: Option<Uuid>,
    pub item_type: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub signed_url: Option<String>,
    #[serde(default)]
    pub file_size: Option<u64>,
    #[serde(default)]
    pub mime_type: Option<String>,
}

/// An asset on disk, as it is described to the agent.
pub(crate) struct Asset {
    pub json: Arc<str>,
    pub note: String,
}

impl Item {
    /// Items that are made of others and have no file of their own.
    fn is_group(&self) -> bool {
        matches!(
            self.item_type.as_str(),
            "imageGroup" | "group" | "dicomSeries" | "scene"
        )
    }

    /// A file extension that decoders recognise: from the MIME type, else the name, else the type.
    /// Only lower-case letters and digits, at most eight.
    pub fn extension(&self) -> String {
        let mime = self.mime_type.as_deref().unwrap_or_default();
        let by_mime = match mime.split(';').next().unwrap_or_default().trim() {
            "image/jpeg" | "image/jpg" => "jpg",
            "image/svg+xml" => "svg",
            "video/quicktime" => "mov",
            "video/x-matroska" => "mkv",
            "video/x-msvideo" => "avi",
            "audio/mpeg" => "mp3",
            "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
            "text/plain" => "txt",
            "application/dicom" => "dcm",
            other => match other.split_once('/') {
                Some(("image" | "video" | "audio" | "text" | "application", sub)) => sub,
                _ => "",
            },
        };
        let by_name = self.name.rsplit_once('.').map_or("", |(_, end)| end);
        let by_type = match self.item_type.as_str() {
            "image" => "png",
            "video" | "imageSequence" => "mp4",
            "audio" => "mp3",
            "plainText" => "txt",
            "pdf" => "pdf",
            _ => "bin",
        };
        [by_mime, by_name]
            .into_iter()
            .map(str::to_ascii_lowercase)
            .find(|end| {
                (1..=8).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric())
            })
            .unwrap_or_else(|| by_type.to_owned())
    }
}

impl Reader {
    /// Downloads what an item (JSON as the platform sent it) stands for. A group has the files of its
    /// children, and the first of them as its own.
    pub(crate) async fn asset(
        &self,
        item: &str,
        title: &str,
        cache: &AssetCache,
    ) -> Result<Asset, Error> {
        let item: Item = serde_json::from_str(item).map_err(|error| {
            Error::new(
                ErrorKind::Upstream,
                format!("a storage item cannot be read: {error}"),
            )
        })?;
        let (doc, note) = if item.is_group() {
            self.group_asset(&item, title, cache).await?
        } else {
            let file = self.download_item(&item, cache).await?;
            let note = describe(&[&file]);
            (asset_doc(&item, &file, title)?, note)
        };
        let json = serde_json::to_string(&doc)
            .map_err(|error| Error::new(ErrorKind::Bug, error.to_string()))?;
        Ok(Asset {
            json: json.into(),
            note,
        })
    }

    async fn group_asset(
        &self,
        item: &Item,
        title: &str,
        cache: &AssetCache,
    ) -> Result<(AssetDoc, String), Error> {
        let children = self.children(item).await?;
        if children.is_empty() {
            return Err(Error::new(
                ErrorKind::Upstream,
                format!(
                    "storage item {} ({}) has no files",
                    item.uuid, item.item_type
                ),
            ));
        }
        // Collected first: a stream over a borrowing closure is not general enough to be spawned.
        let downloads: Vec<_> = children
            .iter()
            .map(|child| Box::pin(self.download_item(child, cache)))
            .collect();
        let files: Vec<Downloaded> = futures_util::stream::iter(downloads)
            .buffered(4)
            .try_collect()
            .await?;
        let docs = children
            .iter()
            .zip(&files)
            .map(|(child, file)| asset_doc(child, file, &child.name))
            .collect::<Result<Vec<_>, _>>()?;
        let note = describe(&files.iter().collect::<Vec<_>>());
        let doc = AssetDoc {
            path: docs.first().map(|doc| doc.path.clone()).unwrap_or_default(),
            mime_type: item.mime_type.clone(),
            item_type: item.item_type.clone(),
            title: title.to_owned(),
            children: docs,
        };
        Ok((doc, note))
    }

    async fn children(&self, item: &Item) -> Result<Vec<Item>, ClientError> {
        let Some(parent) = item.parent else {
            return Err(ClientError::Download {
                item: item.uuid.to_string(),
                why: "the platform names no folder for it".to_owned(),
                retry: false,
                answered: true,
            });
        };
        let path = format!(
            "{V2}/storage/folders/{parent}/items/{}/child-items",
            item.uuid
        );
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut target = Target::new(&path).with("signUrls", "True");
            if let Some(token) = &token {
                target.push("pageToken", token);
            }
            let call = Call::get(target.done());
            let answer = self.wire.send(&call).await;
            let body =
                answer.map_err(|error| error.about(&format!("storage item {}", item.uuid)))?;
            let page: Page<Item> = self.parse(&call, "the child items", &body)?;
            all.extend(page.results);
            token = page
                .next
                .filter(|next| !next.is_empty() && token.as_ref() != Some(next));
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// A storage item with a fresh signed URL.
    pub(crate) async fn signed_item(&self, item: ItemId) -> Result<Item, ClientError> {
        let target = Target::new(&format!("{V2}/storage/items/{item}")).with("signUrl", "True");
        let call = Call::get(target.done());
        let body = self.wire.send(&call).await?;
        // The body holds a signed URL: the error must not quote it.
        serde_json::from_slice(&body).map_err(|error| {
            self.wire
                .nonsense(&call, format!("the storage item: {error}"))
        })
    }

    /// Downloads the file of a storage item into the cache, or finds it there.
    ///
    /// # Errors
    /// [`ClientError::Download`] and [`ClientError::Cache`]; as any request for the signed URL.
    pub async fn download(
        &self,
        item: ItemId,
        cache: &AssetCache,
    ) -> Result<Downloaded, ClientError> {
        let item = self.signed_item(item).await?;
        self.download_item(&item, cache).await
    }
}

fn asset_doc(item: &Item, file: &Downloaded, title: &str) -> Result<AssetDoc, Error> {
    let path = file.path.to_str().ok_or_else(|| {
        Error::new(
            ErrorKind::Settings,
            "the path of the cache is not UTF-8 text, and agents are given paths as text",
        )
        .hint("choose another folder for the cache")
    })?;
    Ok(AssetDoc {
        path: path.to_owned(),
        mime_type: item.mime_type.clone(),
        item_type: item.item_type.clone(),
        title: title.to_owned(),
        children: Vec::new(),
    })
}

fn describe(files: &[&Downloaded]) -> String {
    let bytes: u64 = files.iter().map(|file| file.size).sum();
    let size = if bytes < 10_000 {
        format!("{bytes} B")
    } else {
        format!("{} kB", bytes / 1000)
    };
    let cached = files.iter().filter(|file| file.cached).count();
    let from = match cached {
        0 => "downloaded",
        n if n == files.len() => "cached",
        _ => "partly cached",
    };
    match files.len() {
        1 => format!("{size}, {from}"),
        n => format!("{n} files, {size}, {from}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(mime: Option<&str>, name: &str, kind: &str) -> Item {
        Item {
            uuid: Uuid::nil(),
            parent: None,
            item_type: kind.to_owned(),
            name: name.to_owned(),
            url: None,
            signed_url: None,
            file_size: None,
            mime_type: mime.map(str::to_owned),
        }
    }

    #[test]
    fn extensions_come_from_what_is_known_and_are_safe_in_a_path() {
        for (mime, name, kind, expected) in [
            (Some("image/jpeg"), "a.png", "image", "jpg"),
            (Some("video/mp4"), "clip", "video", "mp4"),
            (Some("text/plain; charset=utf-8"), "x", "plainText", "txt"),
            (None, "a.PNG", "image", "png"),
            (None, "a./../../etc/passwd", "image", "png"),
            (Some("image/../../x"), "a", "image", "png"),
            (None, "", "nifti", "bin"),
            (
                Some("application/vnd.something+long"),
                "scan.nii",
                "nifti",
                "nii",
            ),
        ] {
            assert_eq!(
                item(mime, name, kind).extension(),
                expected,
                "{mime:?} {name}"
            );
        }
    }
}
