//! The workflow: stages, pathways, and the edges that are known between them.
//!
//! Encord's API reveals the pathways of agent stages only. Other edges come from a workflow
//! specification (the `graphNodes` format), read by [`Workflow::learn_edges`]. How the graph is
//! laid out and drawn is left to the screen.

pub mod export;

use crate::error::{Error, ErrorKind};
use crate::ids::{PathwayId, StageId};
pub use agent_abi::model::nearest;
use agent_abi::model::{ambiguous, listed, quoted};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What kind of work waits at a stage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum StageKind {
    /// People draw labels.
    Annotation,
    /// Code handles each task.
    Agent,
    /// People approve or reject.
    Review,
    /// A final stage.
    Done,
    /// Anything else, with Encord's name for it.
    Other(String),
}

impl StageKind {
    /// Reads Encord's `stageType`.
    #[must_use]
    pub fn from_wire(name: &str) -> Self {
        match name {
            "ANNOTATION" => Self::Annotation,
            "AGENT" => Self::Agent,
            "REVIEW" => Self::Review,
            "DONE" => Self::Done,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Encord's `stageType`.
    #[must_use]
    pub fn wire(&self) -> &str {
        match self {
            Self::Annotation => "ANNOTATION",
            Self::Agent => "AGENT",
            Self::Review => "REVIEW",
            Self::Done => "DONE",
            Self::Other(name) => name,
        }
    }
}

/// A way out of an agent stage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pathway {
    /// Identity.
    pub id: PathwayId,
    /// Name, as agents return it.
    pub name: String,
    /// Where it leads.
    pub to: StageId,
}

/// One stage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// Identity.
    pub id: StageId,
    /// Title.
    pub title: String,
    /// Kind of work.
    pub kind: StageKind,
    /// Ways out, for agent stages; empty otherwise.
    pub pathways: Vec<Pathway>,
}

impl Stage {
    /// Finds a pathway by UUID or by exact name. A name that several pathways have finds none of them.
    #[must_use]
    pub fn pathway(&self, name_or_uuid: &str) -> Option<&Pathway> {
        if let Ok(id) = Uuid::parse_str(name_or_uuid) {
            return self.pathways.iter().find(|p| p.id.0 == id);
        }
        let mut hits = self.pathways.iter().filter(|p| p.name == name_or_uuid);
        let first = hits.next();
        if hits.next().is_some() { None } else { first }
    }

    /// Why [`Stage::pathway`] has no answer: several pathways of that name, or none; and what helps.
    #[must_use]
    pub fn no_pathway(&self, name: &str) -> (String, Option<String>) {
        let names = || self.pathways.iter().map(|p| p.name.as_str());
        let same = self.pathways.iter().filter(|p| p.name == name);
        let same: Vec<PathwayId> = same.map(|p| p.id).collect();
        let stage = quoted(&self.title);
        if same.len() > 1 {
            let text = ambiguous("pathways", name, "UUID", &same);
            return (format!("stage {stage}: {text}"), None);
        }
        let text = format!(
            "no pathway {} leaves stage {stage}; there are: {}",
            quoted(name),
            listed(names())
        );
        (
            text,
            nearest(name, names()).first().map(|near| quoted(near)),
        )
    }
}

/// An edge that is not a pathway of an agent stage: learned from a specification, never from the API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// From; `None` is the start of the workflow.
    pub from: Option<StageId>,
    /// To.
    pub to: StageId,
    /// `approve`, `reject`, … or empty.
    pub label: String,
}

/// The graph.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Workflow {
    /// Stages in the platform's order.
    pub stages: Vec<Stage>,
    /// Further edges, from a specification.
    pub edges: Vec<Edge>,
}

impl Workflow {
    /// The stage with this identity.
    #[must_use]
    pub fn stage(&self, id: StageId) -> Option<&Stage> {
        self.stages.iter().find(|s| s.id == id)
    }

    /// Finds a stage by UUID or exact title. A title that several stages bear finds none of them.
    #[must_use]
    pub fn find(&self, name_or_uuid: &str) -> Option<&Stage> {
        if let Ok(id) = Uuid::parse_str(name_or_uuid) {
            return self.stage(StageId(id));
        }
        let mut hits = self.stages.iter().filter(|s| s.title == name_or_uuid);
        let first = hits.next();
        if hits.next().is_some() { None } else { first }
    }

    /// Why [`Workflow::find`] has no answer, in words: several stages of that title, or none.
    #[must_use]
    pub fn not_found(&self, name: &str) -> String {
        let same = self.stages.iter().filter(|s| s.title == name);
        let same: Vec<StageId> = same.map(|s| s.id).collect();
        match same.len() {
            0 | 1 => format!("the project has no stage {}", quoted(name)),
            _ => ambiguous("stages", name, "UUID", &same),
        }
    }

    /// The same as an error, with the nearest titles and all there are.
    #[must_use]
    pub fn no_stage(&self, name: &str) -> Error {
        let mut error = Error::new(ErrorKind::Settings, self.not_found(name));
        for near in self.nearest(name).into_iter().filter(|n| *n != name) {
            error = error.hint(format!("did you mean {}?", quoted(near)));
        }
        error
    }

    /// Stages at which agents work, in the platform's order.
    pub fn agent_stages(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().filter(|s| s.kind == StageKind::Agent)
    }

    /// Titles of all stages, for people.
    #[must_use]
    pub fn titles(&self) -> String {
        listed(self.stages.iter().map(|s| s.title.as_str()))
    }

    /// Titles that resemble `name`, best first, at most three.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<&str> {
        nearest(name, self.stages.iter().map(|s| s.title.as_str()))
    }

    /// Adds the edges that a workflow specification (`{"graphNodes": [...]}`) knows beyond the
    /// pathways. Reads `toNode` on any node, and `edges`/`approve`/`reject` style fields whose
    /// value is a node's UUID. Nodes that the project does not have are passed over.
    pub fn learn_edges(&mut self, specification: &Value) {
        let Some(nodes) = specification.get("graphNodes").and_then(Value::as_array) else {
            return;
        };
        let id_of = |v: &Value| {
            v.as_str()
                .and_then(|t| Uuid::parse_str(t).ok())
                .map(StageId)
        };
        for node in nodes {
            let Some(own) = node.get("uuid").and_then(id_of) else {
                continue;
            };
            let start = node.get("nodeType").and_then(Value::as_str) == Some("START");
            if !start && self.stage(own).is_none() {
                continue;
            }
            let from = (!start).then_some(own);
            let Some(fields) = node.as_object() else {
                continue;
            };
            for (key, value) in fields {
                let Some(rest) = key.strip_suffix("Node") else {
                    continue;
                };
                let Some(to) = id_of(value) else { continue };
                let label = if rest == "to" {
                    String::new()
                } else {
                    rest.to_owned()
                };
                self.add_edge(Edge { from, to, label });
            }
        }
    }

    fn add_edge(&mut self, edge: Edge) {
        if self.stage(edge.to).is_some() && !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }
}

/// JSON text without commas before a closing bracket: workflow specifications are pasted with them.
/// Commas inside strings stay.
#[must_use]
pub fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            quoted = true;
        } else if matches!(c, ']' | '}') {
            let kept = out.trim_end().len();
            if out[..kept].ends_with(',') {
                out.truncate(kept - 1);
            }
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
