//! New text items: uploaded, and linked into a dataset. Deleting them again is left to `unmake`.
//!
//! # The platform's calls, as its SDK makes them
//!
//! 1. `POST /storage/folders/{folder}/upload-signed-urls` with `{"itemType": "plainText", "count": n}` gives `n` places:
//!    `itemUuid` (chosen by the platform), `objectKey`, `signedUrl`, `uploadHeaders`. Nothing is visible yet.
//! 2. `PUT` of the text to each signed URL, with the type that the title's ending stands for.
//! 3. `POST /storage/folders/{folder}/data-upload-jobs` with `{"dataItems": {"text": [{"objectUrl", "title",
//!    "clientMetadata", "placeholderItemUuid"}]}, "ignoreErrors": false}` gives the UUID of a job.
//! 4. `GET …/data-upload-jobs/{job}?timeoutSeconds=…` until its `status` is `DONE`, `ERROR` or `CANCELLED`;
//!    `itemsWithNames` are the items that are there now. In the own folder of a dataset they are in the dataset too.
//! 5. Otherwise `datasetlinkitems POST` of the legacy API, in the scope of the dataset, with `{"item_uuids",
//!    "duplicates_behavior": "SKIP"}`, which may be repeated. Every project that uses the dataset has a new task then.
//!
//! # What makes a repetition harmless
//!
//! The UUID of an item is the platform's, and a signed URL cannot be asked for again, so a UUID in the journal would
//! not help after a crash. Instead, each item has a key of ours in its client metadata ([`wb_core::work::ITEM_KEY`]),
//! which is a hash of what it is made of and is known when the outcome is judged. The platform does not search client
//! metadata; it lists a folder's items by title, and the key decides among those. That is done before an item is noted
//! (one that is there already is not made again), after a lost answer, and by whoever finishes an interrupted commit.
//! Within one process the same place is used again after a lost answer, which the platform takes once. What is left is
//! the time in which a job has been accepted and its item is not listed yet: if the process dies in it and another one
//! finishes the work within the same moment, the item is there twice.

use super::bundle::{Bundle, Doubt, Fate, Seen, WriteCounter, drive};
use super::further::{ItemStep, MOVED_ON, Over};
use super::uploads::Uploads;
use super::{Writer, to_bytes};
use crate::error::ClientError;
use crate::http::Call;
use crate::read::many::envelope;
use futures_util::future::BoxFuture;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DatasetHash, FolderId, ItemId};
use wb_core::work::{Change, Committed, NewItem};

/// Items of one upload job.
const JOB: usize = 100;
/// Items of one link.
const LINK: usize = 1000;

/// Items that are linked into one dataset.
struct DatasetLinks<'a> {
    writer: &'a Writer,
    dataset: DatasetHash,
    items: &'a [ItemId],
}

/// The item steps of tasks that have not ended, without those that are known to be there.
pub(super) fn item_steps<'a>(
    items: &'a [Change],
    ends: &[Option<Committed>],
    delete: bool,
) -> Vec<ItemStep<'a>> {
    let mut steps = Vec::new();
    for (task, change) in items.iter().enumerate().filter(|(i, _)| ends[*i].is_none()) {
        for (step, further) in change.further.iter().enumerate() {
            let known = change.further_written & (1 << step) != 0;
            let item = further.item().filter(|item| item.delete == delete);
            steps.extend(item.filter(|_| !known).map(|item| (task, step, item)));
        }
    }
    steps
}

impl Writer {
    /// Makes and links new items. `gone` are tasks that have left their stage: an item that is not there then is not
    /// made, and the task ends here.
    pub(super) async fn further_items(
        &self,
        items: &[Change],
        gone: &[usize],
        over: &mut Over<'_>,
    ) {
        let steps = item_steps(items, over.ends(), false);
        if steps.is_empty() {
            return;
        }
        // Those that were not looked for yet, by an earlier process or because the look failed.
        let (known, unknown): (Vec<ItemStep<'_>>, Vec<ItemStep<'_>>) =
            steps.into_iter().partition(|(.., item)| item.absent);
        let asked: Vec<&NewItem> = unknown.iter().map(|(.., item)| *item).collect();
        let found = self.reader.keyed_items(&asked).await;
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for (step, found) in unknown.into_iter().zip(found) {
            match found {
                Ok(Some(id)) => there.push((step, id)),
                Ok(None) => missing.push(step),
                Err(error) => over.item(step, Fate::Refused(error)),
            }
        }
        let mut folders: BTreeMap<FolderId, Vec<ItemStep<'_>>> = BTreeMap::new();
        for step in known.into_iter().chain(missing) {
            match gone.contains(&step.0) {
                true => over.item(step, Fate::Conflict(MOVED_ON.to_owned())),
                false => folders.entry(step.2.folder).or_default().push(step),
            }
        }
        for (folder, steps) in folders {
            for (step, made) in Box::pin(self.upload_items(folder, steps)).await {
                match made {
                    Ok(id) => there.push((step, id)),
                    Err(fate) => over.item(step, fate),
                }
            }
        }
        (self.steps)("uploads");
        self.link_items(there, over).await;
        (self.steps)("links");
    }

    /// Uploads items of one folder; the identity of each.
    async fn upload_items<'a>(
        &self,
        folder: FolderId,
        steps: Vec<ItemStep<'a>>,
    ) -> Vec<(ItemStep<'a>, Result<ItemId, Fate>)> {
        let items: Vec<&NewItem> = steps.iter().map(|(.., item)| *item).collect();
        let uploads = Uploads::new(self, folder, &items);
        // Two tasks may make the same item.
        let first = |i: &usize| items[..*i].iter().all(|other| other.key != items[*i].key);
        let members: Vec<usize> = (0..items.len()).filter(first).collect();
        let fates: HashMap<usize, Fate> = drive(&uploads, members, JOB).await.into_iter().collect();
        let found = uploads.into_found();
        let each = steps.iter().enumerate().map(|(i, step)| {
            let twin = items.iter().position(|other| other.key == items[i].key);
            let i = twin.unwrap_or(i);
            let made = match (fates.get(&i), found.get(&i)) {
                (Some(Fate::Applied), Some(id)) => Ok(*id),
                (Some(Fate::Applied) | None, _) => Err(Fate::Refused(Error::new(
                    ErrorKind::Upstream,
                    "the platform does not list it after its upload",
                ))),
                (Some(fate), _) => Err(fate.clone()),
            };
            (*step, made)
        });
        each.collect()
    }

    async fn link_items(&self, there: Vec<(ItemStep<'_>, ItemId)>, over: &mut Over<'_>) {
        let mut datasets: BTreeMap<DatasetHash, Vec<(ItemStep<'_>, ItemId)>> = BTreeMap::new();
        for (step, id) in there {
            match step.2.mirrored {
                true => over.item(step, Fate::Applied),
                false => datasets.entry(step.2.dataset).or_default().push((step, id)),
            }
        }
        for (dataset, steps) in datasets {
            let items: Vec<ItemId> = steps.iter().map(|(_, id)| *id).collect();
            let links = DatasetLinks {
                writer: self,
                dataset,
                items: &items,
            };
            let all = (0..items.len()).collect();
            for (i, fate) in drive(&links, all, LINK).await {
                let fate = match fate {
                    Fate::Refused(mut error) => {
                        let why = &error.summary;
                        error.summary = format!("it was uploaded, and not linked: {why}");
                        Fate::Refused(error)
                    }
                    other => other,
                };
                over.item(steps[i].0, fate);
            }
        }
    }
}

impl Bundle for DatasetLinks<'_> {
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let items: Vec<&ItemId> = members.iter().map(|i| &self.items[*i]).collect();
            let payload = json!({"item_uuids": items, "duplicates_behavior": "SKIP"});
            let uid = json!(self.dataset);
            let body = to_bytes(&envelope("datasetlinkitems", "POST", &uid, &payload))?;
            let door = Some(&self.writer.door);
            let call = Call::legacy("datasetlinkitems POST", self.dataset, body, door).repeatable();
            let answer = self.writer.reader.wire.send(&call).await?;
            self.writer.not_null(&call, &answer)
        })
    }

    /// A link may be sent again, whatever became of it.
    fn look<'a>(
        &'a self,
        members: &'a [usize],
        _doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>> {
        Box::pin(async move { Ok(vec![Seen::Waiting; members.len()]) })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.writer.reader.wire.sleep(time))
    }

    fn counter(&self) -> &WriteCounter {
        &self.writer.counters.links
    }
}
