//! What every request handler shares.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use uuid::Uuid;

use crate::auth::Keyring;
use crate::endpoint::LiveCounters;
use crate::error::{Refusal, forbidden};
use crate::fault::Injector;
use crate::media::MediaLibrary;
use crate::routes::BodyBudget;
use crate::store::Store;
use crate::store::catalog::{Catalog, Project};
use crate::store::items::Data;

/// How long a signed URL is valid, in milliseconds: longer than any batch.
const URL_LIFE: i64 = 24 * HOUR;
const HOUR: i64 = 3600 * 1000;

/// The server's shared parts.
pub(crate) struct App {
    pub store: Arc<Store>,
    pub keyring: Keyring,
    pub library: Arc<MediaLibrary>,
    pub injector: Mutex<Injector>,
    pub seed: u64,
    pub counters: LiveCounters,
    /// Memory for large request bodies.
    pub bodies: BodyBudget,
    /// `http://127.0.0.1:PORT`
    pub domain: String,
    pub page_size: usize,
    pub latency: std::time::Duration,
    pub project: Uuid,
    pub catalog: RwLock<Arc<Catalog>>,
    /// One reload at a time: an earlier one must not overwrite the result of a later one.
    pub reloading: tokio::sync::Mutex<()>,
}

pub(crate) type SharedApp = Arc<App>;

impl App {
    /// The current catalogue.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The project with this UUID in any spelling. A malformed one is answered like an unknown one.
    pub(crate) fn project(&self, text: &str) -> Result<Arc<Project>, Refusal> {
        let uuid = Uuid::parse_str(text)
            .map_err(|_| forbidden!("{text:?} is not a project hash: it is not a UUID"))?;
        self.catalog().project(uuid).map(Arc::clone)
    }

    /// The injector of faults.
    pub(crate) fn injector(&self) -> MutexGuard<'_, Injector> {
        self.injector.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the catalogue again after a change.
    pub(crate) async fn reload(&self) -> Result<(), Refusal> {
        let _one = self.reloading.lock().await;
        let catalog = self.store.read(Catalog::load).await?;
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
        Ok(())
    }

    /// The size of an item in bytes. For a crop, this creates the crop; the client will ask for it next.
    pub(crate) fn size_of(&self, data: &Data) -> Option<u64> {
        data.size
            .or_else(|| self.library.size(data.source.as_ref()?))
    }

    /// A URL that lets anybody read an item for a while.
    pub(crate) fn signed_url(&self, data: &Data, expired: bool) -> Option<String> {
        if !data.kind.has_media() {
            return None;
        }
        let now = crate::time::now();
        // Whole hours: the same item has the same URL for a while, which caches can use.
        let expires = if expired {
            now - 1
        } else {
            (now / HOUR + 1) * HOUR + URL_LIFE
        };
        let seal = self.keyring.seal(&format!("{}/{expires}", data.item));
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '_'
            }
        };
        let name: String = data.title.chars().map(plain).collect();
        Some(format!(
            "{}/media/{}/{name}?expires={expires}&seal={seal}",
            self.domain, data.item
        ))
    }
}
