//! The legacy calls about label rows: created, read, saved, completed and reopened.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::app::Shared;
use crate::endpoint::Endpoint;
use crate::error::Refusal;
use crate::people::SOMEBODY;
use crate::routes::legacy::{Context, Found};
use crate::store::blob::{self, FeatureFilter};
use crate::store::catalog::Project;
use crate::store::items::Data;
use crate::store::labels;
use crate::store::saving::{self, Ready};
use crate::store::tasks;
use crate::time;

#[derive(Default, Deserialize)]
#[serde(default)]
struct LabelOptions {
    branch_name: Option<String>,
    get_signed_url: Option<bool>,
    include_object_feature_hashes: Option<HashSet<String>>,
    include_classification_feature_hashes: Option<HashSet<String>>,
}

/// The rows of a save: several come as the list `labels`, one as `labels`, and the older call for
/// one row sends the row itself.
fn saved_rows(payload: &[u8], author: &str, now: i64) -> Result<Vec<Ready>, Refusal> {
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
        .map(|row| Ready::read(row.get(), author, now))
        .collect()
}

impl Context<'_> {
    pub(super) async fn create_labels(&self, project: Arc<Project>) -> Found {
        let hashes = self.call.uuids()?;
        let options: LabelOptions = self.call.payload::<Option<_>>()?.unwrap_or_default();
        let branch = options.branch_name.unwrap_or_else(|| "main".to_owned());
        let here = (Arc::clone(&project), hashes.clone(), branch.clone());
        let missing = self
            .app
            .store
            .read(move |c| labels::missing(c, &here.0, &here.1, &here.2))
            .await?;
        if missing {
            let here = (
                Arc::clone(&project),
                hashes.clone(),
                branch.clone(),
                self.caller.clone(),
            );
            self.app
                .store
                .write(move |c| {
                    labels::create(c, &here.0, &here.1, &here.2, &here.3.email, time::now())
                })
                .await?;
        }
        let link = self.linker(options.get_signed_url.unwrap_or(false));
        let list = self
            .app
            .store
            .read(move |c| blob::by_data(c, &project, &hashes, &branch, &link))
            .await?;
        self.unwrapped(list)
    }

    pub(super) async fn get_labels(&self, project: Arc<Project>) -> Found {
        let hashes = self.call.uuids()?;
        let options: LabelOptions = self.call.payload::<Option<_>>()?.unwrap_or_default();
        let link = self.linker(options.get_signed_url.unwrap_or(false));
        let filter = FeatureFilter {
            objects: options.include_object_feature_hashes,
            classifications: options.include_classification_feature_hashes,
        };
        let first = hashes.first().copied();
        let here = Arc::clone(&project);
        let list = self
            .app
            .store
            .read(move |c| blob::by_hash(c, &here, &hashes, &filter, &link))
            .await?;
        if self.spoil.conflict
            && let Some(hash) = first
        {
            self.app
                .store
                .write(move |c| labels::disturb(c, &project, hash, SOMEBODY, time::now()))
                .await?;
        }
        self.unwrapped(list)
    }

    fn linker(&self, sign: bool) -> impl Fn(&Data) -> String + Send + 'static {
        let app = Shared::clone(self.app);
        let expired = self.spoil.expire;
        move |data| match sign.then(|| app.signed_url(data, expired)).flatten() {
            Some(url) => url,
            None => data.link(),
        }
    }

    pub(super) async fn save_labels(&self, project: Arc<Project>) -> Found {
        let hashes = self.call.uuids()?;
        let payload = self.call.payload.clone().unwrap_or_default();
        let author = self.caller.clone();
        // Away from the threads that serve connections: a save may be large.
        let reading = move || saved_rows(&payload, &author.email, time::now());
        let rows = tokio::task::spawn_blocking(reading)
            .await
            .unwrap_or_else(|e| Err(Refusal::Internal(format!("a save ended early: {e}"))))?;
        if hashes.len() != rows.len() {
            return Err(Refusal::Invalid(format!(
                "{} label hashes came with {} rows",
                hashes.len(),
                rows.len()
            )));
        }
        if self.spoil.conflict
            && let Some(hash) = hashes.first().copied()
        {
            let here = Arc::clone(&project);
            self.app
                .store
                .write(move |c| labels::disturb(c, &here, hash, SOMEBODY, time::now()))
                .await?;
        }
        let pairs: Vec<(Uuid, Ready)> = hashes.into_iter().zip(rows).collect();
        let author = self.caller.clone();
        let work = move |c: &rusqlite::Connection| {
            saving::save(c, &project, pairs, &author.email, time::now())
        };
        let changed = self.app.store.write(work).await?;
        self.app.tally.changed(Endpoint::SaveLabels, changed);
        Ok(b"true".to_vec())
    }

    pub(super) async fn complete(&self, project: Arc<Project>) -> Found {
        #[derive(Deserialize)]
        struct Payload {
            action: String,
        }
        let complete = match self.call.payload::<Payload>()?.action.as_str() {
            "complete" => true,
            "reopen" => false,
            other => {
                return Err(Refusal::Invalid(format!(
                    "{other:?} is neither complete nor reopen"
                )));
            }
        };
        let hashes = self.call.uuids()?;
        let actor = self.caller.clone();
        let work = move |c: &rusqlite::Connection| {
            tasks::complete_or_reopen(c, &project, &hashes, complete, &actor.email, time::now())
        };
        let changed = self.app.store.write(work).await?;
        self.app.tally.changed(Endpoint::Complete, changed);
        Ok(b"true".to_vec())
    }

    /// One alone is answered without the list around it.
    fn unwrapped(&self, list: Vec<u8>) -> Found {
        if !self.call.single() {
            return Ok(list);
        }
        if list.len() <= 2 {
            return Err(Refusal::NotFound("there is no such label row".to_owned()));
        }
        Ok(list[1..list.len() - 1].to_vec())
    }
}
