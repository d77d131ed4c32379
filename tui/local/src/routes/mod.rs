//! The HTTP face: which path leads where, and the door that every request of the API goes through.
//!
//! The door reads the body, names the endpoint, lets faults strike, checks the signature, counts,
//! and packs the answer. What an endpoint does is in the modules below; data are in `store`.

mod admin;
mod door;
mod folders;
mod legacy;
mod legacy_projects;
mod media;
mod projects;
mod reply;
mod storage;
mod tasks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware;
use axum::routing::{get, patch, post};

use crate::app::Shared;
use crate::endpoint::Endpoint;

pub(crate) use door::DropConnection;

/// Bodies up to this many bytes are taken: a save of a thousand rows with many objects.
pub(crate) const BODY_LIMIT: usize = 256 << 20;

/// All routes.
pub(crate) fn router(app: Shared) -> Router {
    let api = Router::new()
        .route("/public", post(legacy::project_scope))
        .route("/public/user", post(legacy::user_scope))
        .route("/v2/public/projects", get(projects::list))
        .route("/v2/public/projects/{project}", get(projects::one))
        .route(
            "/v2/public/projects/{project}/datasets",
            get(projects::datasets),
        )
        .route(
            "/v2/public/projects/{project}/branches",
            get(projects::branches),
        )
        .route("/v2/public/projects/{project}/users", get(projects::users))
        .route(
            "/v2/public/projects/{project}/priorities",
            post(tasks::priorities),
        )
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/tasks",
            get(tasks::list),
        )
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/actions",
            post(tasks::actions),
        )
        .route(
            "/v2/public/projects/{project}/workflow/stages/{stage}/move-tasks",
            post(tasks::move_tasks),
        )
        .route("/v2/public/ontologies", get(projects::ontologies))
        .route("/v2/public/ontologies/{ontology}", get(projects::ontology))
        .route("/v2/public/datasets/list", get(projects::all_datasets))
        .route("/v2/public/storage/items/get-bulk", post(storage::bulk))
        .route(
            "/v2/public/storage/items/patch-bulk",
            patch(storage::patch_bulk),
        )
        .route("/v2/public/storage/items/{item}", get(storage::one))
        .route("/v2/public/storage/search/items", get(storage::search))
        .route("/v2/public/storage/folders", get(folders::list))
        .route("/v2/public/storage/folders/{folder}", get(folders::one))
        .route(
            "/v2/public/storage/folders/{folder}/items",
            get(storage::in_folder),
        )
        .route(
            "/v2/public/storage/folders/{folder}/items/{item}",
            patch(storage::patch_one),
        )
        .route(
            "/v2/public/storage/folders/{folder}/items/{item}/child-items",
            get(storage::children),
        )
        .route("/v2/public/user/bearer-token", get(projects::bearer_token))
        .route("/media/{item}/{name}", get(media::download))
        .fallback(door::unknown_path)
        .method_not_allowed_fallback(door::unknown_method)
        .layer(middleware::from_fn_with_state(
            Shared::clone(&app),
            door::door,
        ))
        .layer(DefaultBodyLimit::disable());
    api.merge(admin::router()).with_state(app)
}

/// The endpoint behind a route. Legacy calls are told apart by their body.
fn endpoint(method: &Method, route: &str) -> Endpoint {
    let rest = route.strip_prefix("/v2/public").unwrap_or(route);
    match (method.as_str(), rest) {
        ("GET", "/projects") => Endpoint::ListProjects,
        ("GET", "/projects/{project}") => Endpoint::GetProject,
        ("GET", "/projects/{project}/datasets" | "/datasets/list") => Endpoint::ListDatasets,
        ("GET", "/projects/{project}/users") => Endpoint::ListUsers,
        ("GET", "/projects/{project}/branches") => Endpoint::Branches,
        ("POST", "/projects/{project}/priorities") => Endpoint::Priorities,
        ("GET", "/projects/{project}/workflow/stages/{stage}/tasks") => Endpoint::GetTasks,
        ("POST", "/projects/{project}/workflow/stages/{stage}/actions") => Endpoint::Actions,
        ("POST", "/projects/{project}/workflow/stages/{stage}/move-tasks") => Endpoint::MoveTasks,
        ("GET", "/ontologies") => Endpoint::ListOntologies,
        ("GET", "/ontologies/{ontology}") => Endpoint::GetOntology,
        ("GET", "/storage/folders" | "/storage/folders/{folder}") => Endpoint::Folders,
        ("PATCH", _) => Endpoint::PatchItems,
        ("GET" | "POST", path) if path.starts_with("/storage/") => Endpoint::GetItems,
        ("GET", "/user/bearer-token") => Endpoint::BearerToken,
        ("GET" | "HEAD", path) if path.starts_with("/media/") => Endpoint::Download,
        _ => Endpoint::Unknown,
    }
}
