//! The endpoints by name, their groups, and the counters of what was asked.
//!
//! One table names every endpoint: faults, counters and the access log use the same words.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::guess::meant;

macro_rules! endpoints {
    ($($variant:ident, $name:literal, $writes:literal, $doc:literal;)+) => {
        /// One endpoint of the API, as faults and counters name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Endpoint { $(#[doc = $doc] $variant,)+ }

        impl Endpoint {
            /// All endpoints.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in faults and counters.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Whether a successful request changes tasks, labels, priorities, metadata or projects.
            /// Creating an empty label row (which reading the labels of a fresh task needs) does not
            /// count.
            #[must_use]
            pub fn writes(self) -> bool {
                match self { $(Self::$variant => $writes,)+ }
            }
        }
    };
}

endpoints! {
    GetProject, "get_project", false, "One project.";
    ListProjects, "list_projects", false, "All projects.";
    GetOntology, "get_ontology", false, "One ontology.";
    ListOntologies, "list_ontologies", false, "All ontologies.";
    ListDatasets, "list_datasets", false, "The datasets of a project, or all.";
    GetDataset, "get_dataset", false, "One dataset with its rows.";
    ListUsers, "list_users", false, "The users of a project.";
    GetTasks, "get_tasks", false, "The tasks of a stage.";
    Actions, "actions", true, "Acting on tasks of a stage: proceed, submit, approve, reject, assign.";
    MoveTasks, "move_tasks", true, "Moving tasks to any stage.";
    Priorities, "priorities", true, "Setting priorities.";
    Branches, "branches", false, "The label branches of a project.";
    GetItems, "get_items", false, "Storage items: one, several, children, or a search.";
    PatchItems, "patch_items", true, "Changing storage items.";
    Folders, "folders", false, "Storage folders.";
    BearerToken, "bearer_token", false, "A bearer token.";
    LabelRows, "label_rows", false, "Metadata of label rows.";
    CreateLabels, "create_labels", false, "Creating empty label rows.";
    GetLabels, "get_labels", false, "Reading label rows.";
    SaveLabels, "save_labels", true, "Saving label rows.";
    Complete, "complete", true, "Completing or reopening tasks by label row.";
    CreateProject, "create_project", true, "Creating a project.";
    DeleteProject, "delete_project", true, "Deleting a project.";
    CopyProject, "copy_project", true, "Copying a project.";
    ChangeProjects, "change_projects", true, "Status, people and datasets of a project.";
    ChangeOntologies, "change_ontologies", true, "Making and saving ontologies.";
    ChangeDatasets, "change_datasets", true, "Making datasets, linking, renaming and deleting their data units.";
    ChangeFolders, "change_folders", true, "Making, changing, moving and deleting storage folders.";
    ChangeItems, "change_items", true, "Grouping, moving and deleting storage items.";
    Announce, "announce_uploads", false, "Asking for upload URLs, and what became of an upload.";
    Upload, "upload", false, "Files sent by signed URL.";
    UploadJobs, "upload_jobs", true, "Making items of files that were sent.";
    GetReviews, "get_reviews", false, "The reviews of a task's labels.";
    ReviewActions, "review_actions", true, "Approving, rejecting and reopening single labels.";
    CopyLabels, "copy_labels", true, "Copying labels to another branch.";
    GetNotes, "get_notes", false, "Issues, tags, groups, collections, presets, schemas.";
    ChangeNotes, "change_notes", true, "Changing those.";
    Analytics, "analytics", false, "What was done to tasks, and when.";
    Download, "download", false, "Media by signed URL.";
    Unknown, "unknown", false, "Anything that this server does not know.";
}

impl Endpoint {
    /// Whether it is a read of the API (media not included).
    fn reads(self) -> bool {
        !self.writes()
            && !matches!(
                self,
                Self::Download | Self::Upload | Self::CreateLabels | Self::Unknown
            )
    }
}

/// What a fault aims at: one endpoint or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// `any`: every request, media included.
    Any,
    /// `get`: every reading request of the API.
    Get,
    /// `write`: every writing request.
    Write,
    /// `storage`: media by signed URL, as from a bucket.
    Storage,
    /// One endpoint.
    One(Endpoint),
}

impl Target {
    /// Whether requests to this endpoint are meant.
    #[must_use]
    pub fn covers(self, endpoint: Endpoint) -> bool {
        match self {
            Self::Any => true,
            Self::Get => endpoint.reads(),
            Self::Write => endpoint.writes(),
            Self::Storage => endpoint == Endpoint::Download,
            Self::One(one) => one == endpoint,
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "any" => Ok(Self::Any),
            "get" => Ok(Self::Get),
            "write" => Ok(Self::Write),
            "storage" => Ok(Self::Storage),
            name => {
                let found = Endpoint::ALL.iter().find(|e| e.name() == name);
                found.map(|e| Self::One(*e)).ok_or_else(|| {
                    let groups = ["any", "get", "write", "storage"].into_iter();
                    let names: Vec<&str> = groups
                        .chain(Endpoint::ALL.iter().map(|e| e.name()))
                        .collect();
                    let near = meant(name, names.iter().copied());
                    if near.is_empty() {
                        format!("{name:?} is no target; known are {}", names.join(", "))
                    } else {
                        format!("{name:?} is no target{near}")
                    }
                })
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Get => "get",
            Self::Write => "write",
            Self::Storage => "storage",
            Self::One(one) => one.name(),
        })
    }
}

/// What one endpoint has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EndpointCount {
    /// Requests that arrived, those spoilt by a fault included.
    pub requests: u64,
    /// Requests whose work was done, whether or not the answer arrived.
    pub done: u64,
    /// Requests that the server refused.
    pub refused: u64,
    /// Requests that an injected fault struck.
    pub faults: u64,
    /// Tasks, rows or items that were changed.
    pub changed: u64,
}

/// What the server has seen since it started. Requests to `/local/…` are not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// All requests.
    pub requests: u64,
    /// Writing requests whose work was done (see [`Endpoint::writes`]).
    pub writes: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Per endpoint; endpoints that were never asked are left out.
    pub endpoints: BTreeMap<&'static str, EndpointCount>,
}

/// The live counters.
#[derive(Debug)]
pub(crate) struct Tally {
    cells: [Cell; Endpoint::ALL.len()],
    connections: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            cells: std::array::from_fn(|_| Cell::default()),
            connections: AtomicU64::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Cell {
    requests: AtomicU64,
    done: AtomicU64,
    refused: AtomicU64,
    faults: AtomicU64,
    changed: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Tally {
    fn cell(&self, endpoint: Endpoint) -> &Cell {
        &self.cells[endpoint as usize]
    }

    pub(crate) fn connection(&self) {
        add(&self.connections, 1);
    }

    pub(crate) fn request(&self, endpoint: Endpoint, faults: usize) {
        add(&self.cell(endpoint).requests, 1);
        add(&self.cell(endpoint).faults, u64::from(faults > 0));
    }

    pub(crate) fn answer(&self, endpoint: Endpoint, done: bool) {
        let cell = self.cell(endpoint);
        add(if done { &cell.done } else { &cell.refused }, 1);
    }

    pub(crate) fn changed(&self, endpoint: Endpoint, n: usize) {
        add(&self.cell(endpoint).changed, n as u64);
    }

    pub(crate) fn read(&self) -> Counters {
        let mut out = Counters {
            connections: self.connections.load(Ordering::Relaxed),
            ..Counters::default()
        };
        for endpoint in Endpoint::ALL {
            let cell = self.cell(*endpoint);
            let count = EndpointCount {
                requests: cell.requests.load(Ordering::Relaxed),
                done: cell.done.load(Ordering::Relaxed),
                refused: cell.refused.load(Ordering::Relaxed),
                faults: cell.faults.load(Ordering::Relaxed),
                changed: cell.changed.load(Ordering::Relaxed),
            };
            if count.requests == 0 {
                continue;
            }
            out.requests += count.requests;
            out.writes += if endpoint.writes() { count.done } else { 0 };
            out.endpoints.insert(endpoint.name(), count);
        }
        out
    }
}
