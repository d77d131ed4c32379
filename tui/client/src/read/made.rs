//! Items that the workbench has made: found by their key, and whether somebody has used them.

use super::many::Ask;
use super::{Page, Reader};
use crate::error::ClientError;
use crate::http::target::Target;
use crate::http::{Call, V2};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, DatasetHash, FolderId, ItemId};
use wb_core::work::wire::{IncludeOptions, text};
use wb_core::work::{ITEM_KEY, ItemStand, NewItem};

/// Lists and summaries that are asked for at the same time.
const AT_ONCE: usize = 8;

/// A folder and the title of items in it.
type Titled = (FolderId, String);
/// Items by their keys.
type Keys = HashMap<Uuid, ItemId>;

fn titled(item: &NewItem) -> Titled {
    (item.folder, item.title.clone())
}

/// An item of a folder, as far as it is compared.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    uuid: Uuid,
    name: String,
    #[serde(default)]
    client_metadata: Value,
}

impl Listed {
    fn key(&self) -> Option<Uuid> {
        let read = |map: &Map<String, Value>| Uuid::parse_str(map.get(ITEM_KEY)?.as_str()?).ok();
        match &self.client_metadata {
            Value::Object(map) => read(map),
            // JSON inside a string.
            Value::String(json) => read(&text::parse::<Option<Map<_, _>>>(json).ok()??),
            _ => None,
        }
    }
}

/// Where an item is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(default)]
    frame_in_groups: u64,
    #[serde(default)]
    used_in_datasets: usize,
    #[serde(default)]
    accessible_datasets: Vec<UsedIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsedIn {
    dataset_hash: Uuid,
    #[serde(default)]
    data_hashes: Vec<Uuid>,
}

/// What people and agents leave on a row.
#[derive(Deserialize)]
struct Traces {
    #[serde(default)]
    label_hash: Option<Uuid>,
    #[serde(default)]
    assigned_user_email: Option<String>,
    #[serde(default)]
    last_actioned_by_user_email: Option<String>,
}

/// The data units of an item that is there, and why it must not be deleted.
pub(crate) struct MadeItem {
    pub item: ItemId,
    pub units: Vec<DataHash>,
    pub used: Option<String>,
}

impl Reader {
    /// Whether items are there, in the order given; with `uses` also whether somebody has used them.
    pub async fn new_item_stands(
        &self,
        items: &[NewItem],
        uses: bool,
    ) -> Vec<Result<ItemStand, Error>> {
        let items: Vec<&NewItem> = items.iter().collect();
        let there = |used| ItemStand::There { used };
        if uses {
            let found = self.made_items(&items).await.into_iter();
            let stand =
                |made: Option<MadeItem>| made.map_or(ItemStand::Absent, |made| there(made.used));
            return found.map(|made| made.map(stand)).collect();
        }
        let found = self.keyed_items(&items).await.into_iter();
        let stand = |item: Option<ItemId>| item.map_or(ItemStand::Absent, |_| there(None));
        found.map(|item| item.map(stand)).collect()
    }

    /// The items that have these keys, in the order given, each with its own error: one listing for each title of a
    /// folder.
    pub(crate) async fn keyed_items(
        &self,
        items: &[&NewItem],
    ) -> Vec<Result<Option<ItemId>, Error>> {
        let titles = self.items_by_title(items).await.into_iter();
        let titles: HashMap<Titled, Result<_, Error>> = titles
            .map(|(titled, keys)| (titled, keys.map_err(|error| Error::from(&error))))
            .collect();
        let one = |item: &&NewItem| match &titles[&titled(item)] {
            Ok(keys) => Ok(keys.get(&item.key).copied()),
            Err(error) => Err(error.clone()),
        };
        items.iter().map(one).collect()
    }

    /// The same, where one error is everybody's.
    pub(crate) async fn all_keyed_items(
        &self,
        items: &[&NewItem],
    ) -> Result<Vec<Option<ItemId>>, ClientError> {
        let mut all = HashMap::new();
        for (titled, keys) in self.items_by_title(items).await {
            all.insert(titled, keys?);
        }
        let one = |item: &&NewItem| all.get(&titled(item))?.get(&item.key).copied();
        Ok(items.iter().map(one).collect())
    }

    async fn items_by_title(&self, items: &[&NewItem]) -> Vec<(Titled, Result<Keys, ClientError>)> {
        let titles: BTreeSet<Titled> = items.iter().map(|item| titled(item)).collect();
        stream::iter(titles)
            .map(|titled| async move {
                let keys = self.items_titled(&titled).await;
                (titled, keys)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// The items of a folder with this title that have a key.
    async fn items_titled(&self, (folder, title): &Titled) -> Result<Keys, ClientError> {
        let (mut found, mut next) = (HashMap::new(), None::<String>);
        loop {
            let mut target = Target::new(&format!("{V2}/storage/folders/{folder}/items"))
                .with("search", title)
                .with("isRecursive", "False")
                .with("itemTypes", "plainText")
                .with("signUrls", "False");
            if let Some(token) = &next {
                target.push("pageToken", token);
            }
            let call = Call::get(target.done());
            let body = self.wire.send(&call).await?;
            let page: Page<Listed> = self.parse(&call, "the items of the folder", &body)?;
            let named = page.results.iter().filter(|item| item.name == *title);
            found.extend(named.filter_map(|item| Some((item.key()?, ItemId(item.uuid)))));
            next = self.following(&call, next.as_deref(), page.next)?;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// The same with their data units, and whether somebody has used them.
    pub(crate) async fn made_items(
        &self,
        items: &[&NewItem],
    ) -> Vec<Result<Option<MadeItem>, Error>> {
        let found = self.keyed_items(items).await;
        let items: Vec<NewItem> = items.iter().map(|item| (*item).clone()).collect();
        let each = stream::iter(items.into_iter().zip(found))
            .map(|(item, found)| async move {
                match found {
                    Ok(None) => Ok(None),
                    Ok(Some(id)) => self.made_item(&item, id).await.map(Some),
                    Err(error) => Err(error),
                }
            })
            .buffered(AT_ONCE);
        each.collect().await
    }

    async fn made_item(&self, item: &NewItem, id: ItemId) -> Result<MadeItem, Error> {
        let path = format!("{V2}/storage/folders/{}/items/{id}/summary", item.folder);
        let call = Call::get(path);
        let summary = match self.wire.send(&call).await {
            Ok(body) => self.parse::<Summary>(&call, "the uses of the item", &body),
            Err(error) => Err(error),
        };
        let summary = summary.map_err(|error| Error::from(&error))?;
        let (ours, others): (Vec<UsedIn>, Vec<UsedIn>) = (summary.accessible_datasets.into_iter())
            .partition(|used| DatasetHash(used.dataset_hash) == item.dataset);
        let hidden = summary.used_in_datasets > ours.len() + others.len();
        let units = ours.into_iter().flat_map(|used| used.data_hashes);
        let units: Vec<DataHash> = units.map(DataHash).collect();
        let used = if summary.frame_in_groups > 0 {
            Some("it is part of a group".to_owned())
        } else if hidden || !others.is_empty() {
            Some("it is in another dataset too".to_owned())
        } else {
            self.traces_on(item, &units).await?
        };
        Ok(MadeItem {
            item: id,
            units,
            used,
        })
    }

    /// What somebody has done with the tasks of an item in its project.
    async fn traces_on(&self, item: &NewItem, units: &[DataHash]) -> Result<Option<String>, Error> {
        let include = IncludeOptions {
            all_label_branches: true,
            ..IncludeOptions::default()
        };
        let ask = Ask::Rows {
            include: &include,
            images: false,
            branch: None,
        };
        let keys: Vec<Uuid> = units.iter().map(|unit| unit.0).collect();
        let found = self.many(item.project, ask, &keys).await;
        for key in keys {
            let Some(rows) = found.parts.get(&key) else {
                if let Some(error) = found.errors.get(&key) {
                    return Err(error.clone());
                }
                let project = &item.project_title;
                let why = format!("{project} does not have its dataset, so its uses are not known");
                return Ok(Some(why));
            };
            for row in rows {
                let traces: Traces = serde_json::from_slice(row).map_err(|error| {
                    let text = format!("the row of a new item cannot be read: {error}");
                    Error::new(ErrorKind::Upstream, text)
                })?;
                if let Some(why) = traces.why() {
                    return Ok(Some(why));
                }
            }
        }
        Ok(None)
    }
}

impl Traces {
    fn why(&self) -> Option<String> {
        if self.label_hash.is_some() {
            return Some("its labels were begun".to_owned());
        }
        let mail = self.last_actioned_by_user_email.as_ref();
        let mail = mail.or(self.assigned_user_email.as_ref())?;
        Some(format!(
            "{} has worked on its task",
            crate::error::clean(mail)
        ))
    }
}
