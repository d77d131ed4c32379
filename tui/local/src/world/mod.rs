//! A world: users, ontologies, datasets, workflow templates and projects, as data.
//!
//! The built-in scenarios (`builtin`), an imported folder (`import`) and scenario files all become a
//! [`World`]; `build` writes it into an empty database. The format of scenario files is this
//! structure as JSON, published in `scenario.schema.json`. Every id is optional and fixed when given.

pub(crate) mod build;
pub(crate) mod builtin;
mod check;
mod fill;
pub(crate) mod import;
mod media;
pub(crate) mod ontology;
mod populate;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::LocalError;
use crate::item::ItemKind;
use crate::store::exact::JsonObject;

pub(crate) use check::MOST_ITEMS;

/// The schema of scenario files (JSON Schema, draft 2020-12).
pub const SCENARIO_SCHEMA: &str = include_str!("../../scenario.schema.json");

/// Everything that there is at the beginning.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct World {
    /// Where to find the schema, for editors. Not read.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    pub users: Vec<UserSpec>,
    pub ontologies: Vec<OntologySpec>,
    pub datasets: Vec<DatasetSpec>,
    /// Storage folders beside those of the datasets.
    pub folders: Vec<FolderSpec>,
    pub workflow_templates: Vec<TemplateSpec>,
    pub projects: Vec<ProjectSpec>,
    /// Whether tasks are spread over the stages and some carry labels, as in a project at work.
    #[serde(skip)]
    pub lively: bool,
    /// Notes for people about how the scenario was read.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// A user with a key of their own, besides the owner of the server's key.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserSpec {
    pub email: String,
    /// `ssh-ed25519 AAAA…`
    pub public_key: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OntologySpec {
    pub id: Option<Uuid>,
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// `{"objects": […], "classifications": […]}` as in the API; absent: the built-in one.
    pub structure: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DatasetSpec {
    pub id: Option<Uuid>,
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// UUID of the storage folder.
    pub folder: Option<Uuid>,
    pub items: Vec<ItemSpec>,
}

/// An empty storage folder that no dataset mirrors.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FolderSpec {
    pub id: Option<Uuid>,
    pub title: String,
}

/// One item, or with `count` many of its kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ItemSpec {
    /// The data hash.
    pub id: Option<Uuid>,
    /// UUID of the storage item.
    pub item_id: Option<Uuid>,
    #[serde(rename = "type")]
    pub kind: ItemKind,
    /// A run of `#` becomes the number of the item; absent: a title that fits the medium.
    pub title: Option<String>,
    #[serde(default = "one")]
    pub count: usize,
    #[serde(default)]
    pub description: String,
    pub client_metadata: Option<JsonObject>,
    /// `photo/0/17`, `clip`, `text/1`, `wav/1`, `mp3/1`, `pdf/2`, or a file relative to the scenario
    /// file; absent: generated.
    pub media: Option<String>,
    pub mime_type: Option<String>,
    /// Of a group; absent: a few generated ones.
    #[serde(default)]
    pub children: Vec<Self>,
}

fn one() -> usize {
    1
}

impl ItemSpec {
    pub(crate) fn of(kind: ItemKind) -> Self {
        Self {
            kind,
            count: 1,
            ..Self::default()
        }
    }

    pub(crate) fn titled(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    pub(crate) fn times(mut self, count: usize) -> Self {
        self.count = count;
        self
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TemplateSpec {
    pub id: Option<Uuid>,
    pub title: String,
    /// The nodes in the specification format.
    pub graph_nodes: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProjectSpec {
    pub id: Option<Uuid>,
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// Title or id; absent: the first.
    pub ontology: Option<String>,
    /// Titles or ids; absent: the first.
    #[serde(default)]
    pub datasets: Vec<String>,
    /// Title or id; absent: the first.
    pub workflow_template: Option<String>,
    /// Tasks that do not wait where the workflow begins.
    #[serde(default)]
    pub tasks: Vec<PlacedTask>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PlacedTask {
    /// Title or hash of the data unit.
    pub data: String,
    /// Title or UUID of the stage.
    pub stage: Option<String>,
    /// 0.0 to 1.0.
    pub priority: Option<f64>,
}

impl World {
    /// Reads a scenario file. Paths of media are relative to it.
    pub(crate) fn read(path: &Path) -> Result<Self, LocalError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| LocalError::file("cannot read the scenario", path, e))?;
        let text = text.trim_start_matches('\u{feff}');
        let text = crate::workflow::without_trailing_commas(text);
        let mut reader = serde_json::Deserializer::from_str(&text);
        let read = serde_path_to_error::deserialize(&mut reader)
            .map_err(|e| format!("{}: {}", e.path(), e.inner()))
            .and_then(|world: Self| {
                let after = reader.end().map_err(|e| e.to_string());
                after.map(|()| world)
            });
        let mut world = read.map_err(|problem| {
            LocalError::content(
                path,
                format!(
                    "not a scenario: {problem}. The format is published in tui/local/scenario.schema.json, \
                     and by a running server at /local/scenario-schema"
                ),
            )
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        for (d, dataset) in world.datasets.iter_mut().enumerate() {
            for (i, item) in dataset.items.iter_mut().enumerate() {
                media::resolve(item, folder).map_err(|problem| {
                    LocalError::content(path, format!("datasets[{d}].items[{i}]{problem}"))
                })?;
            }
        }
        world
            .check()
            .map_err(|problem| LocalError::content(path, problem))?;
        world.complete();
        Ok(world)
    }

    /// Adds what a project needs and the file does not specify.
    fn complete(&mut self) {
        let items = self.datasets.iter_mut().flat_map(|d| &mut d.items);
        items.for_each(media::add_children);
        if self.ontologies.is_empty() {
            self.ontologies.push(ontology::spec());
        }
        if self.workflow_templates.is_empty() {
            self.workflow_templates.push(builtin::seed_template());
        }
        if self.projects.is_empty() && !self.datasets.is_empty() {
            self.projects.push(builtin::project("Local project"));
        }
    }
}
