//! What an agent declares before it runs, and the options of fetching that go with it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an agent declares, in `wb_agent.spec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentSpec {
    /// Name of the function.
    #[serde(default)]
    pub function: String,
    /// `file:line` of the function.
    #[serde(default)]
    pub location: String,
    /// Pathways the agent may return; empty: not declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// Limit of one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Which parts of the row metadata to fetch.
    #[serde(default)]
    pub include: IncludeOptions,
    /// How to fetch the labels.
    #[serde(default)]
    pub initialise: InitialiseOptions,
    /// JSON schema of the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// Parameters in order, for the screen: `labels: &mut LabelRow`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// Twin projects the agent reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<Value>,
}

/// What a resource declares: its name, and what it is made of. A build keeps the running process of the build
/// before it where all of this is the same and no file has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceSpec {
    /// Unique in its library.
    pub name: String,
    /// Anything that changes when the resource does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Absolute paths of what it reads when it is opened, such as weights: their size and time count too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// `file:line` where it is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
}

/// `LabelRowMetadataIncludeArgs` of the Python package, same names, same defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // names and shape are the platform's
pub struct IncludeOptions {
    /// `include_client_metadata`.
    pub client_metadata: bool,
    /// `include_images_data`.
    pub images_data: bool,
    /// `include_workflow_graph_node` (on in practice: the workbench needs it).
    pub workflow_graph_node: bool,
    /// `include_children`.
    pub children: bool,
    /// `include_all_label_branches`.
    pub all_label_branches: bool,
    /// `branch_name`.
    pub branch_name: Option<String>,
}

/// `LabelRowInitialiseLabelsArgs` of the Python package, same names, same defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InitialiseOptions {
    /// Only objects of these features.
    pub include_object_feature_hashes: Option<Vec<String>>,
    /// Only classifications of these features.
    pub include_classification_feature_hashes: Option<Vec<String>>,
    /// `include_reviews`.
    pub include_reviews: bool,
    /// `overwrite`.
    pub overwrite: bool,
    /// `include_signed_url`.
    pub include_signed_url: bool,
}
