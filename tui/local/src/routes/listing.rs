//! Lists of storage items: in a folder, in a tree of folders, or anywhere; by name or by creation time.

use crate::routes::paging::{decode, encode};
use crate::routes::prelude::*;
use crate::routes::storage::{show, signed};
use crate::store::folders::ItemQuery;

/// A folder and all below it.
pub(super) fn tree<'a>(catalog: &'a Catalog, top: &'a Folder) -> Vec<&'a Folder> {
    let mut out = vec![top];
    let mut at = 0;
    while let Some(folder) = out.get(at).copied() {
        let below = catalog.folders.iter().map(|f| &**f);
        out.extend(below.filter(|f| f.parent == Some(folder.id)));
        at += 1;
    }
    out
}

/// The token of the page that begins after this item.
fn token(last: &Data) -> String {
    encode(&format!("{}:{}", last.id, last.title))
}

/// Name and number of the item in a page token.
fn after(token: &str) -> Result<(String, i64), Refusal> {
    decode(token, |text| {
        let (id, name) = text.split_once(':')?;
        Some((name.to_owned(), id.parse().ok()?))
    })
}

fn read(pairs: &Pairs) -> Result<ItemQuery, Refusal> {
    let kinds = pairs
        .all("itemTypes")
        .filter_map(ItemKind::of_item_type)
        .collect::<Vec<_>>();
    Ok(ItemQuery {
        folders: None,
        search: pairs.first("search").map(str::to_owned),
        in_dataset: pairs
            .first("isInDataset")
            .map(|_| pairs.flag("isInDataset")),
        kinds,
        by_creation: pairs.first("order") == Some("createdAt"),
        descending: pairs.flag("desc"),
        after: pairs.first("pageToken").map(after).transpose()?,
    })
}

async fn page(call: &Call, query: ItemQuery, pairs: &Pairs) -> Reply {
    let size = pairs.page_size(call.page_size);
    let sign = pairs.flag("getSignedUrls") || pairs.flag("signUrls");
    // Only types that this server does not have were asked for.
    if pairs.all("itemTypes").next().is_some() && query.kinds.is_empty() {
        return json_reply(&Page::<()>::whole([]));
    }
    let list = move |db: &Connection| folders::list_items(db, &query, size + 1);
    let Page {
        results,
        next_page_token,
    } = Page::cut(call.store.read(list).await?, size, token);
    let results = show(call, signed(call, sign), move |_| Ok(results)).await?;
    json_reply(&Page {
        results,
        next_page_token,
    })
}

pub(super) async fn in_folder(call: Call, InFolder(folder): InFolder, pairs: Pairs) -> Reply {
    let catalog = call.catalog();
    let folders = match pairs.flag("isRecursive") {
        true => tree(&catalog, &folder),
        false => vec![&*folder],
    };
    let query = ItemQuery {
        folders: Some(folders.iter().map(|f| (f.id, f.dataset)).collect()),
        ..read(&pairs)?
    };
    page(&call, query, &pairs).await
}

pub(super) async fn search(call: Call, pairs: Pairs) -> Reply {
    page(&call, read(&pairs)?, &pairs).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_keeps_a_name_with_colons() {
        let text = encode("7:a:b.jpg");
        assert_eq!(after(&text).unwrap(), ("a:b.jpg".to_owned(), 7));
        assert!(after("nonsense").is_err());
    }
}
