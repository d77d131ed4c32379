//! The table of endpoints: every call of the API that this server serves, and those that it refuses by
//! name.
//!
//! To add a call, add a row and write its handler. The routes (`routes::table`), the names in faults and
//! counters ([`crate::Endpoint`]) and `tui/local/ENDPOINTS.md` are generated from this table. An endpoint
//! is written as
//!
//! ```text
//! Variant "name" KIND "What it is." { METHOD STYLE "path" => module::handler; … }
//! ```
//!
//! KIND is `read` or `write` (the fault targets `get` and `write`), or `other` for neither. `write` is
//! what changes tasks, labels, priorities, metadata or projects; creating an empty label row, which
//! reading the labels of a fresh task needs, is not. STYLE is `v2` for paths below `/v2/public`, `signed`
//! for URLs that the server has sealed, and for legacy calls the resource that they are sent to:
//! `user`, `project` or `dataset`, with the query method and the query type in place of method and path.

/// Calls the macro `$make` with the whole table.
macro_rules! endpoints {
    ($make:ident) => {
        $make! {
            GetProject "get_project" read "One project." {
                GET v2 "/projects/{project}" => projects::one;
                GET project "project" => legacy_projects::one;
            }
            ListProjects "list_projects" read "All projects." {
                GET v2 "/projects" => projects::list;
                GET user "projectwithuserrole" => legacy_projects::list;
            }
            GetOntology "get_ontology" read "One ontology." {
                GET v2 "/ontologies/{ontology}" => ontologies::one;
            }
            ListOntologies "list_ontologies" read "All ontologies." {
                GET v2 "/ontologies" => ontologies::list;
            }
            ListDatasets "list_datasets" read "The datasets of a project, or all." {
                GET v2 "/datasets/list" => datasets::list;
                GET v2 "/projects/{project}/datasets" => projects::datasets;
            }
            GetDataset "get_dataset" read "One dataset with its rows." {
                GET dataset "dataset" => legacy_datasets::one;
                GET dataset "datarows" => legacy_datasets::rows;
                GET dataset "datarow" => legacy_datasets::row;
            }
            ListUsers "list_users" read "The users of a project or dataset." {
                GET v2 "/projects/{project}/users" => members::of_project;
                GET v2 "/datasets/{dataset}/users" => members::of_dataset;
            }
            GetTasks "get_tasks" read "The tasks of a stage." {
                GET v2 "/projects/{project}/workflow/stages/{stage}/tasks" => tasks::list;
            }
            Actions "actions" write "Acting on tasks of a stage: proceed, submit, approve, reject, assign." {
                POST v2 "/projects/{project}/workflow/stages/{stage}/actions" => tasks::actions;
            }
            MoveTasks "move_tasks" write "Moving tasks to any stage." {
                POST v2 "/projects/{project}/workflow/stages/{stage}/move-tasks" => tasks::move_tasks;
            }
            Priorities "priorities" write "Setting priorities." {
                POST v2 "/projects/{project}/priorities" => tasks::priorities;
            }
            Branches "branches" read "The label branches of a project." {
                GET v2 "/projects/{project}/branches" => projects::branches;
            }
            GetItems "get_items" read "Storage items: one, several, children, or a search." {
                GET v2 "/storage/items/{item}" => storage::one;
                POST v2 "/storage/items/get-bulk" => storage::bulk;
                GET v2 "/storage/search/items" => listing::search;
                GET v2 "/storage/folders/{folder}/items" => listing::in_folder;
                GET v2 "/storage/folders/{folder}/items/{item}/summary" => changes::summary;
                GET v2 "/storage/folders/{folder}/items/{item}/child-items" => storage::children;
                GET project "datasetdata" => legacy_projects::unit_files;
            }
            PatchItems "patch_items" write "Changing storage items." {
                PATCH v2 "/storage/items/patch-bulk" => storage::patch_bulk;
                PATCH v2 "/storage/folders/{folder}/items/{item}" => storage::patch_one;
            }
            Folders "folders" read "Storage folders." {
                GET v2 "/storage/folders" => folders::list;
                GET v2 "/storage/folders/{folder}" => folders::one;
                GET v2 "/storage/folders/{folder}/folders" => folders::below;
                GET v2 "/storage/folders/{folder}/summary" => folders::summary;
                GET v2 "/storage/search/folders" => folders::search;
            }
            BearerToken "bearer_token" read "A bearer token." {
                GET v2 "/user/bearer-token" => projects::bearer_token;
            }
            LabelRows "label_rows" read "Metadata of label rows." {
                GET project "labelrowmetadata" => legacy_labels::metadata;
            }
            CreateLabels "create_labels" other "Creating empty label rows." {
                PUT project "labelrow" => legacy_labels::create;
            }
            GetLabels "get_labels" read "Reading label rows." {
                GET project "labelrow" => legacy_labels::read;
                POST v2 "/projects/{project}/label-rows/classifications" => labels::classifications;
                GET v2 "/projects/{project}/labels/{label}/validation-state" => labels::validation;
            }
            SaveLabels "save_labels" write "Saving label rows." {
                POST project "labelrow" => legacy_labels::save;
            }
            Complete "complete" write "Completing or reopening tasks by label row." {
                POST project "labelworkflowgraphnode" => legacy_labels::complete;
            }
            CreateProject "create_project" write "Creating a project." {
                POST user "project" => legacy_projects::create;
            }
            DeleteProject "delete_project" write "Deleting a project." {
                DELETE user "project" => legacy_projects::delete;
                DELETE project "project" => legacy_projects::delete;
            }
            CopyProject "copy_project" write "Copying a project." {
                POST project "projectcopy" => legacy_projects::copy;
            }
            ChangeProjects "change_projects" write "Status, people and datasets of a project." {
                PUT v2 "/projects/{project}/status" => projects::set_status;
                POST v2 "/projects/{project}/users/bulk-delete" => members::leave_project;
                POST project "projectusers" => legacy_projects::add_users;
                POST project "projectdataset" => legacy_projects::add_datasets;
                DELETE project "projectdataset" => legacy_projects::remove_datasets;
            }
            ChangeOntologies "change_ontologies" write "Creating and saving ontologies." {
                POST v2 "/ontologies" => ontologies::create;
                PUT v2 "/ontologies/{ontology}" => ontologies::save;
                POST project "project" => legacy_projects::save_ontology;
            }
            ChangeDatasets "change_datasets" write "Creating datasets; linking, renaming and deleting their data units." {
                POST v2 "/datasets" => datasets::create;
                POST v2 "/datasets/{dataset}/users/bulk-delete" => members::leave_dataset;
                POST dataset "datasetlinkitems" => legacy_datasets::link;
                POST dataset "datarow" => legacy_datasets::save_row;
                POST dataset "video" => legacy_datasets::rename;
                DELETE dataset "video" => legacy_datasets::delete;
                POST dataset "datasetusers" => legacy_datasets::add_users;
            }
            ChangeFolders "change_folders" write "Creating, changing, moving and deleting storage folders." {
                POST v2 "/storage/folders" => folders::create;
                PATCH v2 "/storage/folders/patch-bulk" => folders::patch_bulk;
                POST v2 "/storage/folders/move" => folders::move_folders;
                PATCH v2 "/storage/folders/{folder}" => folders::patch_one;
                DELETE v2 "/storage/folders/{folder}" => folders::delete;
            }
            ChangeItems "change_items" write "Grouping, moving and deleting storage items." {
                POST v2 "/storage/folders/{folder}/items/move" => changes::move_items;
                POST v2 "/storage/folders/{folder}/items/delete" => changes::delete_items;
                POST v2 "/storage/folders/{folder}/create-group-items" => changes::create_groups;
            }
            Announce "announce_uploads" read "Asking for upload URLs, and for the state of an upload job." {
                GET v2 "/presigned-urls" => uploads::announce;
                POST v2 "/storage/folders/{folder}/upload-signed-urls" => uploads::announce_in_folder;
                GET v2 "/storage/folders/{folder}/data-upload-jobs/{job}" => uploads::status;
                POST v2 "/storage/folders/{folder}/data-upload-jobs/{job}/cancel" => uploads::cancel;
                GET dataset "datasetdatalongpolling" => legacy_datasets::job_status;
            }
            Upload "upload" other "Files sent by signed URL." {
                PUT signed "/uploads/{item}" => uploads::receive;
            }
            UploadJobs "upload_jobs" write "Making items of files that were sent." {
                POST v2 "/storage/folders/{folder}/data-upload-jobs" => uploads::start;
                POST dataset "datasetdatalongpolling" => legacy_datasets::start_job;
            }
            GetReviews "get_reviews" read "The reviews of a task's labels." {
                GET v2 "/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews" => reviews::list;
            }
            ReviewActions "review_actions" write "Approving, rejecting and reopening single labels." {
                POST v2 "/projects/{project}/workflow/stages/{stage}/tasks/{task}/reviews/actions" => reviews::act;
            }
            CopyLabels "copy_labels" write "Copying labels to another branch." {
                POST v2 "/projects/{project}/labels/copy-branch" => labels::copy_branch;
            }
            GetNotes "get_notes" read "Issues, tags, groups, collections, presets, schemas." {
                GET v2 "/projects/{project}/issues" => issues::list;
                GET v2 "/projects/{project}/issue-tags" => issues::tags;
                GET v2 "/projects/{project}/tags" => organisation::tags_of_project;
                GET v2 "/projects/{project}/groups" => groups::uses;
                GET v2 "/datasets/{dataset}/groups" => groups::uses;
                GET v2 "/ontologies/{ontology}/groups" => groups::uses;
                GET v2 "/storage/folders/{folder}/groups" => groups::uses;
                GET v2 "/user/current-organisation/groups" => groups::list;
                GET v2 "/organisation/groups/{group}" => groups::one;
                GET v2 "/organisation/groups/{group}/users" => groups::people;
                GET v2 "/organisation/users" => organisation::people;
                GET v2 "/organisation/organisation-tags" => organisation::tags;
                GET v2 "/organisation/client-metadata-schema" => organisation::older_schema;
                GET v2 "/organisation/client-metadata-schema-v2" => organisation::schema;
                GET v2 "/cloud-integrations" => organisation::integrations;
                GET v2 "/index/collections" => collections::list;
                GET v2 "/index/collections/{collection}/accessible-items" => collections::items_of;
                GET v2 "/index/collections/{collection}/all-items" => collections::items_of;
                GET v2 "/index/presets" => presets::list;
                GET v2 "/index/presets/{preset}" => presets::one;
            }
            ChangeNotes "change_notes" write "Changing those." {
                POST v2 "/projects/{project}/issues" => issues::add;
                POST v2 "/projects/{project}/issues/delete" => issues::delete;
                POST v2 "/projects/{project}/issue-tags" => issues::add_tags;
                PUT v2 "/projects/{project}/tags/{tag}" => organisation::tag_project;
                DELETE v2 "/projects/{project}/tags/{tag}" => organisation::untag_project;
                POST v2 "/projects/{project}/groups" => groups::add_uses;
                POST v2 "/datasets/{dataset}/groups" => groups::add_uses;
                POST v2 "/ontologies/{ontology}/groups" => groups::add_uses;
                POST v2 "/storage/folders/{folder}/groups" => groups::add_uses;
                DELETE v2 "/projects/{project}/groups" => groups::remove_uses;
                DELETE v2 "/datasets/{dataset}/groups" => groups::remove_uses;
                DELETE v2 "/ontologies/{ontology}/groups" => groups::remove_uses;
                DELETE v2 "/storage/folders/{folder}/groups" => groups::remove_uses;
                POST v2 "/organisation/groups" => groups::create;
                PATCH v2 "/organisation/groups/{group}" => groups::change;
                DELETE v2 "/organisation/groups/{group}" => groups::remove;
                POST v2 "/organisation/groups/{group}/users" => groups::add_people;
                POST v2 "/organisation/groups/{group}/users/bulk-delete" => groups::remove_people;
                POST v2 "/organisation/users" => organisation::add_person;
                DELETE v2 "/organisation/users/{email}" => organisation::remove_person;
                POST v2 "/organisation/organisation-tags" => organisation::add_tag;
                DELETE v2 "/organisation/organisation-tags/{tag}" => organisation::remove_tag;
                POST v2 "/organisation/client-metadata-schema" => organisation::save_older_schema;
                POST v2 "/organisation/client-metadata-schema-v2" => organisation::save_schema;
                POST v2 "/index/collections" => collections::create;
                PATCH v2 "/index/collections/{collection}" => collections::change;
                DELETE v2 "/index/collections/{collection}" => collections::remove;
                POST v2 "/index/collections/{collection}/add-items" => collections::add_items;
                POST v2 "/index/collections/{collection}/remove-items" => collections::remove_items;
                POST v2 "/index/collections/{collection}/add-data-title-items" => collections::add_titles;
                POST v2 "/index/collections/{collection}/add-preset-items" => collections::not_applied;
                POST v2 "/index/collections/{collection}/remove-preset-items" => collections::not_applied;
                POST v2 "/index/presets" => presets::create;
                PATCH v2 "/index/presets/{preset}" => presets::change;
                DELETE v2 "/index/presets/{preset}" => presets::remove;
            }
            Analytics "analytics" read "What was done to tasks, and when." {
                GET v2 "/analytics/task-actions" => analytics::task_actions;
                GET v2 "/analytics/time-spent" => analytics::nothing;
                GET v2 "/analytics/collaborators/timers" => analytics::nothing;
                GET v2 "/projects/{project}/editor-logs" => analytics::no_logs;
                GET project "labellog" => analytics::no_older_logs;
            }
            Download "download" other "Media by signed URL." {
                GET signed "/media/{item}/{name}" => media::download;
            }
            Unknown "unknown" other "Calls that this server does not serve." {}
        }
    };
}

pub(crate) use endpoints;

/// Paths below `/v2/public` that only the platform serves, each with all paths below it, and what to do
/// instead. Refused with 501.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    (
        "/active",
        "Encord Active is not part of it; filter label rows and storage items instead",
    ),
    ("/dicom-deidentification", DICOM),
    ("/ml-models", MODELS),
    (
        "/projects/cvat-import",
        "it imports nothing from CVAT; describe the data in a file for `--scenario-file`",
    ),
    ("/projects/{project}/models-attachments", MODELS),
    (
        "/scene",
        "it has no scenes; use images, videos and data groups",
    ),
    ("/storage/folders/{folder}/cloud-linked-folder-syncs", CLOUD),
    ("/storage/folders/{folder}/cloud-synced-folder-syncs", CLOUD),
    (
        "/storage/folders/{folder}/create-group-item",
        "call `create-group-items` instead, as newer clients do",
    ),
    (
        "/storage/folders/{folder}/folder-config",
        "its folders have no settings; set them on the platform",
    ),
    (
        "/storage/items/migrate-storage",
        "all of its items are in its data folder, and there is no other storage",
    ),
    ("/storage/items/reencode", REENCODE),
];

/// Query types of legacy calls that only the platform serves, and what to do instead.
pub(crate) const REFUSED_LEGACY: &[(&str, &str)] = &[
    ("dicomdeidentifytask", DICOM),
    (
        "imagegroupocr",
        "it reads no text from images; do so in an agent",
    ),
    (
        "labelingalgorithm",
        "it runs no labelling algorithms; interpolate in an agent",
    ),
    ("modelinference", MODELS),
    ("modeltrainingparams", MODELS),
    ("reencodevideotask", REENCODE),
];

const CLOUD: &str = "it has no cloud storage; upload the files instead";
const DICOM: &str = "it has no DICOM items; use images or videos";
const MODELS: &str = "it trains and runs no models; run yours in an agent";
const REENCODE: &str =
    "it does not re-encode videos; re-encode the file yourself and upload it again";
