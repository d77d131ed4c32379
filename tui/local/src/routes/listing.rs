//! Lists of storage items: of a folder, of a tree of folders, of everything; by name or by age.

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;

use crate::app::Shared;
use crate::error::Refusal;
use crate::item::ItemKind;
use crate::routes::door::Spoil;
use crate::routes::reply::{Answer, Page, Pairs, json_answer, uuid};
use crate::routes::storage::{Show, show};
use crate::store::catalog::Catalog;
use crate::store::folders::{self, Folder, ItemQuery};
use crate::store::items::Data;

type QueryPairs = Query<Vec<(String, String)>>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/public/storage/search/items", get(search))
        .route("/v2/public/storage/folders/{folder}/items", get(in_folder))
}

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

/// The page begins behind the item of this name and number.
fn token(last: &Data) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}", last.id, last.title))
}

fn after(token: &str) -> Result<(String, i64), Refusal> {
    let text = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = text.as_deref().and_then(|t| t.split_once(':'));
    let read = parts.and_then(|(id, name)| Some((name.to_owned(), id.parse().ok()?)));
    read.ok_or_else(|| Refusal::Invalid("the page token is not one of this server's".to_owned()))
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

async fn page(app: &Shared, query: ItemQuery, pairs: &Pairs, spoil: Spoil) -> Answer {
    let asked = pairs.first("pageSize").and_then(|n| n.parse().ok());
    let size: usize = asked.unwrap_or(app.page_size).clamp(1, 1000);
    let how = Show {
        sign: pairs.flag("getSignedUrls") || pairs.flag("signUrls"),
        expired: spoil.expire,
    };
    // Types that this server has not: nothing fits.
    if pairs.all("itemTypes").next().is_some() && query.kinds.is_empty() {
        return json_answer(&Page::<()>::whole(Vec::new()));
    }
    let list = move |c: &Connection| {
        let mut found = folders::list_items(c, &query, size + 1)?;
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(token);
        Ok((found, next))
    };
    let (found, next_page_token) = app.store.read(list).await?;
    let results = show(app, how, move |_| Ok(found)).await?;
    json_answer(&Page {
        results,
        next_page_token,
    })
}

async fn in_folder(
    State(app): State<Shared>,
    Path(folder): Path<String>,
    Query(pairs): QueryPairs,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    let catalog = app.catalog();
    let pairs = Pairs(pairs);
    let folder = catalog.folder(uuid(&folder, "folder")?)?;
    let folders = if pairs.flag("isRecursive") {
        tree(&catalog, folder)
    } else {
        vec![&**folder]
    };
    let query = ItemQuery {
        folders: Some(folders.iter().map(|f| (f.id, f.dataset)).collect()),
        ..read(&pairs)?
    };
    page(&app, query, &pairs, spoil).await
}

async fn search(
    State(app): State<Shared>,
    Query(pairs): QueryPairs,
    Extension(spoil): Extension<Spoil>,
) -> Answer {
    let pairs = Pairs(pairs);
    page(&app, read(&pairs)?, &pairs, spoil).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_keeps_a_name_with_colons() {
        let text = URL_SAFE_NO_PAD.encode("7:a:b.jpg");
        assert_eq!(after(&text).unwrap(), ("a:b.jpg".to_owned(), 7));
        assert!(after("nonsense").is_err());
    }
}
