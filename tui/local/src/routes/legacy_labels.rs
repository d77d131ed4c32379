//! The legacy calls about label rows: listed, created, read, saved, completed and reopened.

use std::collections::HashSet;

use crate::people::SOMEBODY;
use crate::routes::prelude::*;
use crate::store::blob::{self, FeatureFilter};
use crate::store::row_query::RowQuery;
use crate::store::saving::{self, ReadyRow};
use crate::store::{labels, rows, tasks};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelOptions {
    branch_name: Option<String>,
    get_signed_url: Option<bool>,
    include_object_feature_hashes: Option<HashSet<String>>,
    include_classification_feature_hashes: Option<HashSet<String>>,
}

pub(super) async fn metadata(
    call: Call,
    InProject(project): InProject,
    Sent(query): Sent<Option<RowQuery>>,
) -> Reply {
    let query = query.unwrap_or_default();
    let list = call.store.read(move |db| rows::list(db, &project, &query));
    Ok(json_bytes(list.await?))
}

pub(super) async fn create(
    call: Call,
    InProject(project): InProject,
    Uids(hashes): Uids,
    Sent(options): Sent<Option<LabelOptions>>,
) -> Reply {
    let options = options.unwrap_or_default();
    let branch = options.branch_name.unwrap_or_else(|| "main".to_owned());
    let here = (Arc::clone(&project), hashes.clone(), branch.clone());
    let missing = move |db: &_| labels::missing(db, &here.0, &here.1, &here.2);
    if call.store.read(missing).await? {
        let here = (Arc::clone(&project), hashes.clone(), branch.clone());
        call.write(move |tx| labels::create(tx, &here.0, &here.1, &here.2))
            .await?;
    }
    let link = linker(&call, options.get_signed_url);
    let read = move |db: &_| blob::by_data(db, &project, &hashes, &branch, &link);
    unwrapped(&call, call.store.read(read).await?)
}

pub(super) async fn read(
    call: Call,
    InProject(project): InProject,
    Uids(hashes): Uids,
    Sent(options): Sent<Option<LabelOptions>>,
) -> Reply {
    let options = options.unwrap_or_default();
    let link = linker(&call, options.get_signed_url);
    let filter = FeatureFilter {
        objects: options.include_object_feature_hashes,
        classifications: options.include_classification_feature_hashes,
    };
    let first = hashes.first().copied();
    let here = Arc::clone(&project);
    let read = move |db: &_| blob::by_hash(db, &here, &hashes, &filter, &link);
    let list = call.store.read(read).await?;
    disturb(&call, project, first).await?;
    unwrapped(&call, list)
}

/// Edits the row on behalf of somebody else if an injected fault asks for it.
async fn disturb(call: &Call, project: Arc<Project>, hash: Option<Uuid>) -> Result<(), Refusal> {
    match hash.filter(|_| call.injected.conflict) {
        None => Ok(()),
        Some(hash) => {
            let edit = move |tx: &Tx<'_>| labels::disturb(tx, &project, hash);
            call.store.write(SOMEBODY, edit).await
        }
    }
}

fn linker(call: &Call, sign: Option<bool>) -> impl Fn(&Data) -> String + Send + 'static {
    let (app, expired) = (call.app.clone(), call.injected.expire);
    move |data| match sign {
        Some(true) => app.signed_url(data, expired).unwrap_or_else(|| data.link()),
        _ => data.link(),
    }
}

/// A single UID is answered without the list around its row.
fn unwrapped(call: &Call, list: Vec<u8>) -> Reply {
    let single = call.legacy.as_ref().is_some_and(|l| l.uid.is_string());
    match list.len() {
        _ if !single => Ok(json_bytes(list)),
        0..=2 => Err(not_found!("there is no such label row")),
        end => Ok(json_bytes(list[1..end - 1].to_vec())),
    }
}

/// The rows of a save: several are sent as the list `labels`, one as `labels`, and the older call for
/// one row sends the row itself.
fn saved_rows(payload: &[u8], author: &str, now: i64) -> Result<Vec<ReadyRow>, Refusal> {
    #[derive(Deserialize)]
    struct Payload<'a> {
        #[serde(borrow)]
        labels: Option<&'a RawValue>,
    }
    let rows: Vec<&RawValue> = match serde_json::from_slice::<Payload<'_>>(payload)?.labels {
        Some(labels) if labels.get().starts_with('[') => serde_json::from_str(labels.get())?,
        Some(label) => vec![label],
        None => vec![serde_json::from_slice(payload)?],
    };
    rows.into_iter()
        .map(|row| ReadyRow::read(row.get(), author, now))
        .collect()
}

pub(super) async fn save(call: Call, InProject(project): InProject, Uids(hashes): Uids) -> Reply {
    let payload = call.legacy.as_ref().and_then(|l| l.payload.clone());
    let author = call.caller.clone();
    // Off the async threads: a save may be large.
    let reading = move || saved_rows(&payload.unwrap_or_default(), &author.email, time::now());
    let rows = tokio::task::spawn_blocking(reading)
        .await
        .unwrap_or_else(|e| Err(internal!("a save ended early: {e}")))?;
    if hashes.len() != rows.len() {
        return Err(invalid!(
            "{} label hashes came with {} rows",
            hashes.len(),
            rows.len()
        ));
    }
    disturb(&call, Arc::clone(&project), hashes.first().copied()).await?;
    let pairs: Vec<(Uuid, ReadyRow)> = hashes.into_iter().zip(rows).collect();
    call.change(move |tx| saving::save(tx, &project, pairs))
        .await
}

#[derive(Deserialize)]
pub(super) struct Completion {
    action: CompletionKind,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CompletionKind {
    Complete,
    Reopen,
}

pub(super) async fn complete(
    call: Call,
    InProject(project): InProject,
    Uids(hashes): Uids,
    Sent(sent): Sent<Completion>,
) -> Reply {
    let complete = sent.action == CompletionKind::Complete;
    call.change(move |tx| tasks::complete_or_reopen(tx, &project, &hashes, complete))
        .await
}
