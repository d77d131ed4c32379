//! Which endpoint a route of the second generation is, in the words of faults and counters.
//! Legacy calls are told apart by their body, in `legacy`.

use axum::http::Method;

use crate::endpoint::Endpoint;

/// Method, path below `/v2/public` as the router matches it, endpoint.
const NAMES: &[(&str, &str, Endpoint)] = &[
    ("GET", "/projects", Endpoint::ListProjects),
    ("GET", "/projects/{project}", Endpoint::GetProject),
    (
        "PUT",
        "/projects/{project}/status",
        Endpoint::ChangeProjects,
    ),
    (
        "GET",
        "/projects/{project}/datasets",
        Endpoint::ListDatasets,
    ),
    ("GET", "/projects/{project}/users", Endpoint::ListUsers),
    (
        "POST",
        "/projects/{project}/users/bulk-delete",
        Endpoint::ChangeProjects,
    ),
    ("GET", "/projects/{project}/branches", Endpoint::Branches),
    (
        "POST",
        "/projects/{project}/priorities",
        Endpoint::Priorities,
    ),
    (
        "POST",
        "/projects/{project}/label-rows/classifications",
        Endpoint::GetLabels,
    ),
    (
        "POST",
        "/projects/{project}/labels/copy-branch",
        Endpoint::CopyLabels,
    ),
    (
        "GET",
        "/projects/{project}/labels/{label}/validation-state",
        Endpoint::GetLabels,
    ),
    (
        "GET",
        "/projects/{project}/workflow/stages/{stage}/tasks",
        Endpoint::GetTasks,
    ),
    (
        "POST",
        "/projects/{project}/workflow/stages/{stage}/actions",
        Endpoint::Actions,
    ),
    (
        "POST",
        "/projects/{project}/workflow/stages/{stage}/move-tasks",
        Endpoint::MoveTasks,
    ),
    (
        "GET",
        "/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews",
        Endpoint::GetReviews,
    ),
    (
        "POST",
        "/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews/actions",
        Endpoint::ReviewActions,
    ),
    (
        "GET",
        "/projects/{project}/editor-logs",
        Endpoint::Analytics,
    ),
    (
        "GET",
        "/analytics/collaborators/timers",
        Endpoint::Analytics,
    ),
    ("GET", "/analytics/time-spent", Endpoint::Analytics),
    ("GET", "/analytics/task-actions", Endpoint::Analytics),
    ("GET", "/ontologies", Endpoint::ListOntologies),
    ("POST", "/ontologies", Endpoint::ChangeOntologies),
    ("GET", "/ontologies/{ontology}", Endpoint::GetOntology),
    ("PUT", "/ontologies/{ontology}", Endpoint::ChangeOntologies),
    ("POST", "/datasets", Endpoint::ChangeDatasets),
    ("GET", "/datasets/list", Endpoint::ListDatasets),
    ("GET", "/datasets/{dataset}/users", Endpoint::ListUsers),
    (
        "POST",
        "/datasets/{dataset}/users/bulk-delete",
        Endpoint::ChangeDatasets,
    ),
    ("GET", "/presigned-urls", Endpoint::Announce),
    (
        "POST",
        "/storage/folders/{folder}/upload-signed-urls",
        Endpoint::Announce,
    ),
    (
        "POST",
        "/storage/folders/{folder}/data-upload-jobs",
        Endpoint::UploadJobs,
    ),
    (
        "GET",
        "/storage/folders/{folder}/data-upload-jobs/{job}",
        Endpoint::Announce,
    ),
    (
        "POST",
        "/storage/folders/{folder}/data-upload-jobs/{job}/cancel",
        Endpoint::Announce,
    ),
    ("POST", "/storage/items/get-bulk", Endpoint::GetItems),
    ("PATCH", "/storage/items/patch-bulk", Endpoint::PatchItems),
    ("GET", "/storage/items/{item}", Endpoint::GetItems),
    ("GET", "/storage/search/items", Endpoint::GetItems),
    ("GET", "/storage/search/folders", Endpoint::Folders),
    ("GET", "/storage/folders", Endpoint::Folders),
    ("POST", "/storage/folders", Endpoint::ChangeFolders),
    (
        "PATCH",
        "/storage/folders/patch-bulk",
        Endpoint::ChangeFolders,
    ),
    ("POST", "/storage/folders/move", Endpoint::ChangeFolders),
    ("GET", "/storage/folders/{folder}", Endpoint::Folders),
    (
        "PATCH",
        "/storage/folders/{folder}",
        Endpoint::ChangeFolders,
    ),
    (
        "DELETE",
        "/storage/folders/{folder}",
        Endpoint::ChangeFolders,
    ),
    (
        "GET",
        "/storage/folders/{folder}/folders",
        Endpoint::Folders,
    ),
    (
        "GET",
        "/storage/folders/{folder}/summary",
        Endpoint::Folders,
    ),
    ("GET", "/storage/folders/{folder}/items", Endpoint::GetItems),
    (
        "POST",
        "/storage/folders/{folder}/items/move",
        Endpoint::ChangeItems,
    ),
    (
        "POST",
        "/storage/folders/{folder}/items/delete",
        Endpoint::ChangeItems,
    ),
    (
        "POST",
        "/storage/folders/{folder}/create-group-items",
        Endpoint::ChangeItems,
    ),
    (
        "PATCH",
        "/storage/folders/{folder}/items/{item}",
        Endpoint::PatchItems,
    ),
    (
        "GET",
        "/storage/folders/{folder}/items/{item}/summary",
        Endpoint::GetItems,
    ),
    (
        "GET",
        "/storage/folders/{folder}/items/{item}/child-items",
        Endpoint::GetItems,
    ),
    ("GET", "/user/bearer-token", Endpoint::BearerToken),
    ("GET", "/media/{item}/{name}", Endpoint::Download),
    ("HEAD", "/media/{item}/{name}", Endpoint::Download),
    ("PUT", "/uploads/{item}", Endpoint::Upload),
];

/// Paths of what is noted beside the work: issues, tags, groups, collections, presets, schemas.
const NOTES: &[&str] = &[
    "/projects/{project}/issues",
    "/projects/{project}/issue-tags",
    "/projects/{project}/tags",
    "/projects/{project}/groups",
    "/datasets/{dataset}/groups",
    "/ontologies/{ontology}/groups",
    "/storage/folders/{folder}/groups",
    "/organisation/",
    "/user/current-organisation/",
    "/cloud-integrations",
    "/index/",
];

/// Parts of paths that only the platform has: models, its other products, work on videos, cloud folders.
const ELSEWHERE: &[&str] = &[
    "/active/",
    "/ml-models",
    "/models-attachments",
    "/scene/",
    "/dicom-deidentification",
    "/cvat-import",
    "/reencode",
    "/migrate",
    "/cloud-synced-folder",
    "/cloud-linked-folder",
    "/folder-config",
    // Of older clients.
    "/create-group-item",
];

/// Whether this is a call of the platform that a local project does not have.
pub(super) fn is_elsewhere(path: &str) -> bool {
    let inner = path.strip_prefix("/v2/public");
    inner.is_some_and(|p| ELSEWHERE.iter().any(|part| p.contains(part)))
}

/// The endpoint behind a route.
pub(super) fn endpoint(method: &Method, route: &str) -> Endpoint {
    let path = route.strip_prefix("/v2/public").unwrap_or(route);
    let named = NAMES
        .iter()
        .find(|(m, p, _)| *p == path && *m == method.as_str());
    match named {
        Some((.., endpoint)) => *endpoint,
        None if NOTES.iter().any(|p| path.starts_with(p)) => match *method {
            Method::GET => Endpoint::GetNotes,
            _ => Endpoint::ChangeNotes,
        },
        None => Endpoint::Unknown,
    }
}
