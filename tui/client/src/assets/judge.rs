//! Whether a complete download can be the item's file, and the handling of a file that cannot be decoded.

use super::cache::AssetCache;
use super::content::{Promised, instead};
use super::item::Item;
use super::part::Part;
use crate::error::ClientError;
use crate::read::Reader;
use std::path::Path;
use wb_core::ids::ItemId;
use wb_core::work::Downloaded;

impl Reader {
    /// Downloads the file of a path in the cache once more: what is there cannot be decoded.
    ///
    /// # Errors
    /// As [`Reader::download`]; [`ClientError::Download`] for a path that is not in the cache.
    pub async fn download_again(
        &self,
        path: &Path,
        cache: &AssetCache,
    ) -> Result<Downloaded, ClientError> {
        let owner = cache.owner(path).ok_or_else(|| ClientError::Download {
            item: path.display().to_string(),
            why: "it is not a file of the cache".to_owned(),
            retry: false,
            answered: true,
        })?;
        let item = self.signed_item(ItemId(owner)).await?;
        tracing::warn!(item = %owner, "a cached file cannot be decoded; it is downloaded again");
        cache.discard(path);
        self.download_item(&item, cache).await
    }

    /// Removes a file from the cache that still cannot be decoded after it was downloaded again, so that a
    /// later run begins with a fresh one.
    pub fn discard_download(&self, path: &Path, cache: &AssetCache) {
        if cache.owner(path).is_some() {
            cache.discard(path);
        }
    }
}

/// What is odd about a complete download.
pub(super) struct Odd {
    pub why: String,
    /// Its length, where nothing but that is odd.
    size: Option<u64>,
}

impl Odd {
    /// The item may be kept in another form: two downloads of one length are believed.
    pub fn believed(&self, before: Option<&Self>) -> Option<u64> {
        self.size
            .filter(|size| before.is_some_and(|before| before.size == Some(*size)))
    }
}

/// Whether a complete download can be the item's file; it is unpacked then. Gives its length.
pub(super) async fn judge(
    item: &Item,
    limit: u64,
    part: &mut Part,
) -> Result<Result<u64, Odd>, ClientError> {
    let odd = |why, size| Ok(Err(Odd { why, size }));
    if let Some(digest) = part.differs() {
        return odd(
            format!("the {digest} of what came is not the one that its store announced"),
            None,
        );
    }
    let came = part.have();
    let (size, head) = match part.unpack(limit).await? {
        Ok(unpacked) => unpacked,
        Err(why) => return odd(why, None),
    };
    let fits = item
        .file_size
        .is_none_or(|announced| announced == came || announced == size);
    if let Some(what) = instead(item, &head, fits) {
        return odd(
            format!(
                "its store sent {what} in place of the file ({})",
                item.item_type
            ),
            None,
        );
    }
    let Some(announced) = item.file_size.filter(|_| !fits) else {
        return Ok(Ok(size));
    };
    // A shorter file is a cut one, unless its store vouches for it.
    let whole = size > announced || part.promised != Promised::default();
    odd(
        format!("{came} bytes came where {announced} were announced"),
        whole.then_some(size),
    )
}

pub(super) fn failed_item(item: &Item, why: String, retry: bool, answered: bool) -> ClientError {
    ClientError::Download {
        item: format!("storage item {}", item.uuid),
        why,
        retry,
        answered,
    }
}
