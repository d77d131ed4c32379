//! A workflow as the specification format has it: nodes of any type with their exits.

use std::collections::HashMap;

use serde::Deserialize;
use uuid::Uuid;

use super::{Node, NodeKind, Pathway};
use crate::suggest::did_you_mean;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkflowSpec {
    pub graph_nodes: Vec<NodeSpec>,
}

/// A node of any type. Which exits it has depends on the type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeSpec {
    pub uuid: Uuid,
    pub node_type: String,
    title: Option<String>,
    pub to_node: Option<Uuid>,
    submit_node: Option<Uuid>,
    approve_node: Option<Uuid>,
    reject_node: Option<Uuid>,
    node_subtype: Option<String>,
    pathways: Option<Vec<PathwaySpec>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PathwaySpec {
    uuid: Option<Uuid>,
    #[serde(alias = "title")]
    name: Option<String>,
    #[serde(alias = "toNode", alias = "destinationUuid")]
    target_node: Uuid,
    #[serde(alias = "percentage")]
    weight: Option<f64>,
}

/// The types of nodes.
const KINDS: [&str; 9] = [
    "START",
    "AGENT",
    "ANNOTATION",
    "REVIEW",
    "DONE",
    "PERCENTAGE_ROUTER",
    "USER_ROUTER",
    "CONSENSUS_ANNOTATION",
    "CONSENSUS_REVIEW",
];

impl NodeSpec {
    /// The node. Missing exits are inferred, with a note for each.
    pub(super) fn read(
        &self,
        list: &[Self],
        number: usize,
        place: &str,
        notes: &mut Vec<String>,
    ) -> Result<Node, String> {
        let next = (list.get(number + 1), "the next node");
        let annotation = list.iter().find(|n| n.node_type == "ANNOTATION");
        let annotation = (annotation, "the first annotation stage");
        let missing = |key: &str| format!("{place}.{key}: missing, and it cannot be inferred");
        let mut exit = |key: &str, given: Option<Uuid>, (inferred, what): (Option<&Self>, &str)| {
            if let Some(given) = given {
                return Ok(given);
            }
            let inferred = inferred.ok_or_else(|| missing(key))?;
            notes.push(format!("{place}.{key} is missing; using {what}"));
            Ok::<_, String>(inferred.uuid)
        };
        let kind = match self.node_type.as_str() {
            "AGENT" => NodeKind::Agent {
                pathways: self.pathways(place)?.into_iter().map(|(_, p)| p).collect(),
            },
            "ANNOTATION" | "CONSENSUS_ANNOTATION" => NodeKind::Annotation {
                to: exit("toNode", self.to_node.or(self.submit_node), next)?,
            },
            "REVIEW" | "CONSENSUS_REVIEW" => NodeKind::Review {
                approve: exit("approveNode", self.approve_node.or(self.to_node), next)?,
                reject: exit("rejectNode", self.reject_node, annotation)?,
            },
            "DONE" => NodeKind::Done {
                subtype: self
                    .node_subtype
                    .clone()
                    .unwrap_or_else(|| "COMPLETED".into()),
            },
            "PERCENTAGE_ROUTER" | "USER_ROUTER" => {
                let exits = self.pathways(place)?;
                if exits.is_empty() {
                    return Err(missing("pathways"));
                }
                NodeKind::Router {
                    user: self.node_type == "USER_ROUTER",
                    exits,
                }
            }
            other => return Err(unknown_type(other, place)),
        };
        let title = self.title.clone();
        Ok(Node {
            uuid: self.uuid,
            title: title.unwrap_or_else(|| format!("{} {number}", self.node_type)),
            kind,
        })
    }

    /// The pathways with their weights.
    fn pathways(&self, place: &str) -> Result<Vec<(f64, Pathway)>, String> {
        let mut out: Vec<(f64, Pathway)> = Vec::new();
        for (number, spec) in self.pathways.iter().flatten().enumerate() {
            let place = format!("{place}.pathways[{number}]");
            let weight = spec.weight.unwrap_or(1.0);
            if weight < 0.0 {
                return Err(format!("{place}.weight: {weight} is below 0"));
            }
            let name = spec.name.clone().unwrap_or_else(|| number.to_string());
            let target = spec.target_node;
            let derived = || Uuid::new_v5(&target, name.as_bytes());
            let uuid = spec.uuid.unwrap_or_else(derived);
            if out.iter().any(|(_, other)| other.uuid == uuid) {
                return Err(format!("{place}: two pathways have the UUID {uuid}"));
            }
            out.push((weight, Pathway { uuid, name, target }));
        }
        Ok(out)
    }
}

fn unknown_type(kind: &str, place: &str) -> String {
    format!(
        "{place}.nodeType: unknown type {kind:?}{}; known are {}",
        did_you_mean(kind, KINDS),
        KINDS.join(", ")
    )
}

/// No two nodes have the same UUID.
pub(super) fn distinct(list: &[NodeSpec]) -> Result<(), String> {
    let mut seen = HashMap::new();
    for (number, node) in list.iter().enumerate() {
        if let Some(before) = seen.insert(node.uuid, number) {
            return Err(format!(
                "graphNodes[{number}] and graphNodes[{before}] have the same UUID {}",
                node.uuid
            ));
        }
    }
    Ok(())
}
