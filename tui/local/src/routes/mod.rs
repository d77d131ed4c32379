//! The API over HTTP: routes, and a module of handlers for each subject.
//!
//! A request goes through `dispatch`, which reads the body, applies injected faults, checks the
//! signature, and counts. `extract` then turns it into the handler's arguments. Data are in `store`.

mod admin;
mod analytics;
mod body;
mod changes;
mod collections;
mod datasets;
mod dispatch;
mod extract;
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
mod ontologies;
mod organisation;
mod paging;
mod prelude;
mod presets;
mod projects;
mod records;
mod reply;
mod reviews;
mod storage;
mod table;
mod tasks;
mod uploads;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::app::SharedApp;

pub(crate) use admin::OWN_PAGES;
pub(crate) use body::BodyBudget;
pub(crate) use dispatch::DropConnection;

/// Bodies up to this many bytes are taken: a save of a thousand rows with many objects.
pub(crate) const BODY_LIMIT: usize = 256 << 20;

/// All routes.
pub(crate) fn router(app: SharedApp) -> Router {
    table::router()
        .layer(DefaultBodyLimit::disable())
        .merge(admin::router(&app))
        .with_state(app)
}
