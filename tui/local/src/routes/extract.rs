//! The arguments of handlers. An extractor refuses the request if something is missing or malformed, in the
//! envelope of the request's API; handlers do not check again.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app::{App, SharedApp};
use crate::auth::Caller;
use crate::endpoint::Endpoint;
use crate::error::{Refusal, forbidden, internal, invalid, not_found};
use crate::routes::legacy::LegacyCall;
use crate::routes::paging;
use crate::routes::reply::{Reply, json_bytes};
use crate::store::catalog::{Dataset, Ontology, Project};
use crate::store::folders::Folder;
use crate::store::tx::Tx;
use crate::time;

/// An authenticated request: its sender, its endpoint, and the effects of injected faults. It dereferences to
/// the server's shared parts.
#[derive(Clone)]
pub(super) struct Call {
    pub app: SharedApp,
    pub caller: Caller,
    pub endpoint: Endpoint,
    pub injected: Injected,
    pub body: Bytes,
    pub legacy: Option<Arc<LegacyCall>>,
}

/// The effects of injected faults on the handler itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Injected {
    /// Somebody else interferes.
    pub conflict: bool,
    /// Signed URLs have expired.
    pub expire: bool,
}

impl Deref for Call {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Call {
    /// Writes on behalf of the caller; see [`Store::write`](crate::store::Store::write).
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let caller = Arc::clone(&self.caller.email);
        self.store.write(caller, work).await
    }

    /// Counts changed tasks, rows or items.
    pub(super) fn count(&self, changed: usize) {
        self.counters.changed(self.endpoint, changed);
    }

    /// Writes, and counts what `work` returns. Replies as to an action, which clients ignore.
    pub(super) async fn change(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<usize, Refusal> + Send + 'static,
    ) -> Reply {
        self.count(self.write(work).await?);
        Ok(self.null())
    }

    /// As [`change`](Self::change), and reads the catalogue again.
    pub(super) async fn change_catalog(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<usize, Refusal> + Send + 'static,
    ) -> Reply {
        let changed = self.write(work).await?;
        self.reload().await?;
        self.count(changed);
        Ok(self.null())
    }

    /// The reply to an action: null, or true in the legacy API.
    pub(super) fn null(&self) -> Response {
        match self.legacy {
            Some(_) => json_bytes("true"),
            None => json_bytes("null"),
        }
    }
}

impl FromRequestParts<SharedApp> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _app: &SharedApp) -> Result<Self, Refusal> {
        Ok(call(parts)?.clone())
    }
}

fn call(parts: &Parts) -> Result<&Call, Refusal> {
    let found = parts.extensions.get();
    found.ok_or_else(|| internal!("a route without its call"))
}

/// The JSON of a request: the body, or the payload of a legacy call (null if absent).
pub(super) struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<SharedApp> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _app: &SharedApp) -> Result<Self, Refusal> {
        let call = call(parts)?;
        let text: &[u8] = match &call.legacy {
            Some(legacy) => legacy.payload.as_deref().unwrap_or(b"null"),
            None => &call.body,
        };
        Ok(Self(serde_json::from_slice(text)?))
    }
}

impl<T> Deref for Sent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A parameter of the path. A legacy call names its resource in a header instead.
async fn named(parts: &mut Parts, name: &str) -> Result<String, Refusal> {
    match &call(parts)?.legacy {
        Some(legacy) => Ok(legacy.resource.clone()),
        None => parameter(parts, |key| key == name).await,
    }
}

/// The first parameter of the path with a fitting name.
async fn parameter(parts: &mut Parts, fits: impl Fn(&str) -> bool) -> Result<String, Refusal> {
    let found = RawPathParams::from_request_parts(parts, &()).await;
    let found = found.map_err(|_| invalid!("the path is not UTF-8"))?;
    let value = found.iter().find(|(key, _)| fits(key));
    let value = value.ok_or_else(|| internal!("a route without its parameter"))?;
    Ok(value.1.to_owned())
}

async fn uuid_in_path(parts: &mut Parts, name: &str) -> Result<Uuid, Refusal> {
    uuid(&named(parts, name).await?, name)
}

/// Parses a UUID. `what` it identifies is named in the refusal.
pub(super) fn uuid(text: &str, what: &str) -> Result<Uuid, Refusal> {
    Uuid::parse_str(text).map_err(|_| invalid!("{what} {text:?} is not a UUID"))
}

macro_rules! uuids_in_paths {
    ($($name:ident $part:literal)+) => {$(
        #[doc = concat!("The UUID at `{", $part, "}` in the path.")]
        pub(super) struct $name(pub Uuid);

        impl FromRequestParts<SharedApp> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _app: &SharedApp) -> Result<Self, Refusal> {
                Ok(Self(uuid_in_path(parts, $part).await?))
            }
        }
    )+};
}

uuids_in_paths! {
    CollectionId "collection"
    FolderId "folder"
    GroupId "group"
    ItemId "item"
    JobId "job"
    LabelId "label"
    PresetId "preset"
    TagId "tag"
    TaskId "task"
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident($($field:ty),+) = |$parts:ident, $app:ident| $body:expr;)+) => {$(
        $(#[$doc])*
        pub(super) struct $name($(pub $field),+);

        impl FromRequestParts<SharedApp> for $name {
            type Rejection = Refusal;

            async fn from_request_parts($parts: &mut Parts, $app: &SharedApp) -> Result<Self, Refusal> {
                $body
            }
        }
    )+};
}

extractors! {
    /// The text at `{email}` in the path.
    Email(String) = |parts, _app| Ok(Self(named(parts, "email").await?));

    /// The UUIDs that a legacy call is about; a single one is a list of one.
    Uids(Vec<Uuid>) = |parts, _app| {
        let legacy = call(parts)?.legacy.as_ref();
        Ok(Self(legacy.map_or_else(|| Ok(Vec::new()), |l| l.uuids())?))
    };

    /// The project of the request.
    InProject(Arc<Project>) = |parts, app| Ok(Self(app.project(&named(parts, "project").await?)?));

    /// The dataset of the request.
    InDataset(Arc<Dataset>) = |parts, app| {
        let wanted = uuid_in_path(parts, "dataset").await?;
        Ok(Self(Arc::clone(app.catalog().dataset(wanted)?)))
    };

    /// The storage folder of the request.
    InFolder(Arc<Folder>) = |parts, app| {
        let wanted = uuid_in_path(parts, "folder").await?;
        Ok(Self(Arc::clone(app.catalog().folder(wanted)?)))
    };

    /// The ontology of the request.
    OfOntology(Arc<Ontology>) = |parts, app| {
        let wanted = uuid_in_path(parts, "ontology").await?;
        Ok(Self(Arc::clone(app.catalog().ontology(wanted)?)))
    };

    /// The project of the request and the number of one of its stages.
    AtStage(Arc<Project>, usize) = |parts, app| {
        let InProject(project) = InProject::from_request_parts(parts, app).await?;
        let wanted = uuid_in_path(parts, "stage").await?;
        let found = project.graph.stage(wanted).map(|(number, _)| number);
        let missing = || not_found!("the project has no stage {wanted}");
        Ok(Self(project, found.ok_or_else(missing)?))
    };

    /// The project, dataset, ontology or folder in the path, whichever it is.
    Shareable(Uuid) = |parts, app| {
        let wanted = uuid(&parameter(parts, |_| true).await?, "UUID")?;
        let unknown = || forbidden!("there is nothing with the UUID {wanted} on this server, or you have no access to it");
        app.catalog().has(wanted).then_some(Self(wanted)).ok_or_else(unknown)
    };
}

macro_rules! dereference {
    ($($name:ident => $target:ty;)+) => {$(
        impl Deref for $name {
            type Target = Arc<$target>;

            fn deref(&self) -> &Arc<$target> {
                &self.0
            }
        }
    )+};
}

dereference! {
    InProject => Project;
    InDataset => Dataset;
    InFolder => Folder;
    OfOntology => Ontology;
}

/// The query's pairs, decoded.
pub(super) struct Pairs {
    uri: Uri,
    pairs: Vec<(String, String)>,
}

impl FromRequestParts<SharedApp> for Pairs {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _app: &SharedApp) -> Result<Self, Refusal> {
        let (uri, pairs) = (parts.uri.clone(), query(&parts.uri)?);
        Ok(Self { uri, pairs })
    }
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    let parsed = Query::try_from_uri(uri).map_err(|e| invalid!("{}", e.body_text()))?;
    Ok(parsed.0)
}

impl Pairs {
    /// The query as a structure, in which every key is present at most once.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        query(&self.uri)
    }

    /// The instant at a key, in milliseconds since 1970.
    pub(super) fn instant(&self, key: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.first(key) else {
            return Ok(None);
        };
        let instant = time::parse(text).ok_or_else(|| invalid!("{key} {text:?} is not a date"))?;
        Ok(Some(instant))
    }

    pub(super) fn first(&self, key: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(k, _)| k == key);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.pairs.iter().filter(move |(k, _)| k == key);
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a key, collected.
    pub(super) fn texts<C: FromIterator<String>>(&self, key: &str) -> C {
        self.all(key).map(str::to_owned).collect()
    }

    pub(super) fn uuids(&self, key: &str) -> Result<Vec<Uuid>, Refusal> {
        self.all(key).map(|text| uuid(text, key)).collect()
    }

    /// Python spells booleans `True` and `False`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.first(key)
            .is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
    }

    /// The row after which the page begins; 0 for the first page.
    pub(super) fn after(&self) -> Result<i64, Refusal> {
        paging::after(self.first("pageToken"))
    }

    /// The page size asked for, 1 to 1000.
    pub(super) fn page_size(&self, default: usize) -> usize {
        let asked = self.first("pageSize").and_then(|n| n.parse().ok());
        asked.unwrap_or(default).clamp(1, 1000)
    }
}
