//! The HTTP face: which path leads where, and the door that every request of the API goes through.
//!
//! The door reads the body, names the endpoint, lets faults strike, checks the signature, counts,
//! and packs the answer. What an endpoint does is in the modules below; data are in `store`.

mod admin;
mod analytics;
mod body;
mod changes;
mod collections;
mod datasets;
mod door;
mod folders;
#[cfg(test)]
#[path = "../../../../tests/fuzz/local.rs"]
mod fuzz;
mod groups;
mod issues;
mod jobs;
mod labels;
mod legacy;
mod legacy_datasets;
mod legacy_labels;
mod legacy_projects;
mod listing;
mod media;
mod members;
mod names;
mod ontologies;
mod organisation;
mod projects;
mod reply;
mod reviews;
mod storage;
mod tasks;
mod uploads;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::app::Shared;

pub(crate) use admin::OWN_PAGES;
pub(crate) use body::Room;
pub(crate) use door::DropConnection;

/// Bodies up to this many bytes are taken: a save of a thousand rows with many objects.
pub(crate) const BODY_LIMIT: usize = 256 << 20;

/// All routes.
pub(crate) fn router(app: Shared) -> Router {
    let api = Router::new()
        .route("/public", post(legacy::project_scope))
        .route("/public/user", post(legacy::user_scope))
        .route("/media/{item}/{name}", get(media::download))
        .merge(projects::routes())
        .merge(members::routes())
        .merge(tasks::routes())
        .merge(reviews::routes())
        .merge(labels::routes())
        .merge(ontologies::routes())
        .merge(datasets::routes())
        .merge(storage::routes())
        .merge(listing::routes())
        .merge(folders::routes())
        .merge(changes::routes())
        .merge(uploads::routes())
        .merge(issues::routes())
        .merge(organisation::routes())
        .merge(groups::routes())
        .merge(collections::routes())
        .merge(analytics::routes())
        .fallback(door::unknown_path)
        .method_not_allowed_fallback(door::unknown_method)
        .layer(middleware::from_fn_with_state(
            Shared::clone(&app),
            door::door,
        ))
        .layer(DefaultBodyLimit::disable());
    api.merge(admin::router(&app)).with_state(app)
}
