//! Deleting items that were made: out of their dataset, then out of their folder. Only what nobody has used is deleted.
//!
//! `video DELETE` of the legacy API, in the scope of the dataset, removes data units with their tasks; then
//! `POST /storage/folders/{folder}/items/delete` removes the items. Between the look and these two somebody may begin
//! work on the new task, which is lost then: the platform has no condition on a deletion.

use super::bundle::{BUNDLE, Bundle, Doubt, Fate, Seen, WriteCounter, drive};
use super::further::{ItemStep, Over};
use super::items::item_steps;
use super::{Writer, to_bytes};
use crate::error::ClientError;
use crate::http::retry::Repeat;
use crate::http::{Call, V2};
use crate::read::MadeItem;
use crate::read::many::envelope;
use futures_util::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use wb_core::ids::{DataHash, DatasetHash, FolderId, ItemId};
use wb_core::work::{Change, NewItem};

/// Items of one folder and dataset.
struct Deletions<'a> {
    writer: &'a Writer,
    folder: FolderId,
    dataset: DatasetHash,
    items: &'a [(&'a NewItem, MadeItem)],
}

impl Writer {
    /// Deletes items that were made. A task whose item somebody has used ends here.
    pub(super) async fn further_deletions(&self, items: &[Change], over: &mut Over<'_>) {
        let steps = item_steps(items, over.ends(), true);
        let asked: Vec<&NewItem> = steps.iter().map(|(.., item)| *item).collect();
        let found = self.reader.made_items(&asked).await;
        let mut groups: BTreeMap<(FolderId, DatasetHash), Vec<(ItemStep<'_>, MadeItem)>> =
            BTreeMap::new();
        for (step, found) in steps.into_iter().zip(found) {
            let item = step.2;
            match found {
                Ok(None) => over.item(step, Fate::Applied),
                Ok(Some(MadeItem {
                    used: Some(why), ..
                })) => {
                    let by = format!("somebody else (the item \"{}\": {why})", item.title);
                    over.item(step, Fate::Conflict(by));
                }
                Ok(Some(made)) => {
                    let group = groups.entry((item.folder, item.dataset)).or_default();
                    group.push((step, made));
                }
                Err(error) => over.item(step, Fate::Refused(error)),
            }
        }
        for ((folder, dataset), members) in groups {
            let (steps, items): (Vec<ItemStep<'_>>, Vec<(&NewItem, MadeItem)>) = (members
                .into_iter())
            .map(|(step, made)| (step, (step.2, made)))
            .unzip();
            let bundle = Deletions {
                writer: self,
                folder,
                dataset,
                items: &items,
            };
            for (i, fate) in drive(&bundle, (0..items.len()).collect(), BUNDLE).await {
                over.item(steps[i], fate);
            }
        }
    }
}

impl Bundle for Deletions<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let made = || members.iter().map(|i| &self.items[*i].1);
            let units: Vec<DataHash> = made().flat_map(|made| made.units.clone()).collect();
            let reader = &self.writer.reader;
            if !units.is_empty() {
                let body = envelope("video", "DELETE", &json!(units), &json!(null));
                let door = Some(&self.writer.door);
                let call = Call::legacy("video DELETE", self.dataset, to_bytes(&body)?, door);
                match reader.wire.send(&call).await {
                    // An earlier attempt has removed some, or an item that is still in use is refused below.
                    Err(ClientError::NotFound { .. }) | Ok(_) => {}
                    Err(error) => return Err(error),
                }
                (self.writer.steps)("unlinked");
            }
            let ids: Vec<ItemId> = made().map(|made| made.item).collect();
            let body = to_bytes(&json!({"childUuids": ids, "removeUnusedFrames": true}))?;
            let target = format!("{V2}/storage/folders/{}/items/delete", self.folder);
            let door = &self.writer.door;
            let call = Call::write(door, "POST", target, body, Repeat::AskFirst);
            // In a dataset's own folder the items are gone with their data units: a refusal is looked up.
            reader.wire.send(&call).await.map(drop)
        })
    }

    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move {
            let items: Vec<&NewItem> = members.iter().map(|i| self.items[*i].0).collect();
            let there = self.writer.reader.all_keyed_items(&items).await?;
            let seen = there.into_iter().map(|there| match there {
                Some(_) => Seen::Waiting,
                None => Seen::Arrived,
            });
            Ok(seen.collect())
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.deletions
    }
}
