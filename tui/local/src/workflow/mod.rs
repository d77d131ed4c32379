//! Workflows: stages, pathways, and the edges that the API does not show.
//!
//! A router is not a stage: a task that arrives at one moves on at once. `read` parses the specification
//! format.

mod read;
mod spec;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::ids::{mix, unit};

pub(crate) use read::without_trailing_commas;

/// A workflow: its start and its nodes in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Graph {
    pub start: Uuid,
    pub first: Uuid,
    pub nodes: Vec<Node>,
}

/// One node. Its index in [`Graph::nodes`] is stored with tasks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub uuid: Uuid,
    pub title: String,
    pub kind: NodeKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeKind {
    Agent {
        pathways: Vec<Pathway>,
    },
    Annotation {
        to: Uuid,
    },
    Review {
        approve: Uuid,
        reject: Uuid,
    },
    Done {
        subtype: String,
    },
    Router {
        user: bool,
        exits: Vec<(f64, Pathway)>,
    },
}

/// A named exit of an agent stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pathway {
    pub uuid: Uuid,
    pub name: String,
    pub target: Uuid,
}

impl NodeKind {
    /// `stageType` of the API, `nodeType` of the specification.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Agent { .. } => "AGENT",
            Self::Annotation { .. } => "ANNOTATION",
            Self::Review { .. } => "REVIEW",
            Self::Done { .. } => "DONE",
            Self::Router { user: true, .. } => "USER_ROUTER",
            Self::Router { user: false, .. } => "PERCENTAGE_ROUTER",
        }
    }

    /// The pathways of an agent stage or a router.
    fn pathways(&self) -> impl Iterator<Item = &Pathway> {
        let (agent, router): (&[_], &[_]) = match self {
            Self::Agent { pathways } => (pathways, &[]),
            Self::Router { exits, .. } => (&[], exits),
            _ => (&[], &[]),
        };
        agent
            .iter()
            .chain(router.iter().map(|(_, pathway)| pathway))
    }
}

impl Graph {
    /// The stage with this UUID: its number and node. Routers are not stages.
    pub(crate) fn stage(&self, uuid: Uuid) -> Option<(usize, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .find(|(_, n)| n.uuid == uuid && !matches!(n.kind, NodeKind::Router { .. }))
    }

    /// The stage with this title or UUID.
    pub(crate) fn stage_called(&self, name: &str) -> Option<(usize, &Node)> {
        if let Ok(uuid) = Uuid::parse_str(name) {
            return self.stage(uuid);
        }
        let found = self.nodes.iter().find(|n| n.title == name)?;
        self.stage(found.uuid)
    }

    /// The stage where a task sent to `target` arrives. Routers choose an exit by the task's UUID, so that
    /// the same task always takes the same route.
    pub(crate) fn rest(&self, target: Uuid, task: Uuid) -> Option<usize> {
        let mut at = target;
        for _ in 0..=self.nodes.len() {
            let (index, node) = self.nodes.iter().enumerate().find(|(_, n)| n.uuid == at)?;
            let NodeKind::Router { exits, .. } = &node.kind else {
                return Some(index);
            };
            let whole: f64 = exits.iter().map(|(weight, _)| weight).sum();
            let mut draw = unit(mix(task.as_u64_pair().0 ^ node.uuid.as_u64_pair().1)) * whole;
            let chosen = exits.iter().find(|(weight, _)| {
                draw -= weight;
                draw < 0.0
            });
            at = chosen.or(exits.last())?.1.target;
        }
        None
    }

    /// Where new tasks begin.
    pub(crate) fn first_for(&self, task: Uuid) -> usize {
        self.rest(self.first, task).unwrap_or(0)
    }

    /// The final stage of completed tasks: the first DONE node that is not an archive.
    pub(crate) fn complete(&self) -> Option<usize> {
        let done = |archive_too: bool| {
            self.nodes.iter().position(|n| match &n.kind {
                NodeKind::Done { subtype } => archive_too || subtype != "ARCHIVED",
                _ => false,
            })
        };
        done(false).or_else(|| done(true))
    }

    /// Where a reopened task goes: the first annotation stage, or where new tasks begin.
    pub(crate) fn reopened(&self, task: Uuid) -> usize {
        self.nodes
            .iter()
            .position(|n| matches!(n.kind, NodeKind::Annotation { .. }))
            .unwrap_or_else(|| self.first_for(task))
    }

    /// `workflow.stages` of the API.
    pub(crate) fn stages_json(&self) -> Value {
        let stage = |n: &Node| match &n.kind {
            NodeKind::Router { .. } => None,
            NodeKind::Agent { pathways } => {
                let routes: Vec<Value> = pathways
                    .iter()
                    .map(|p| json!({"uuid": p.uuid, "title": p.name, "destinationUuid": p.target}))
                    .collect();
                Some(
                    json!({"stageType": "AGENT", "uuid": n.uuid, "title": n.title, "pathways": routes}),
                )
            }
            kind => Some(json!({"stageType": kind.name(), "uuid": n.uuid, "title": n.title})),
        };
        Value::Array(self.nodes.iter().filter_map(stage).collect())
    }

    /// The specification, with every edge.
    pub(crate) fn specification(&self) -> Value {
        let mut nodes =
            vec![json!({"uuid": self.start, "nodeType": "START", "toNode": self.first})];
        for node in &self.nodes {
            let mut out =
                json!({"uuid": node.uuid, "nodeType": node.kind.name(), "title": node.title});
            match &node.kind {
                NodeKind::Agent { pathways } => {
                    out["pathways"] = pathways.iter().map(Pathway::specification).collect();
                }
                NodeKind::Annotation { to } => out["toNode"] = json!(to),
                NodeKind::Review { approve, reject } => {
                    out["approveNode"] = json!(approve);
                    out["rejectNode"] = json!(reject);
                }
                NodeKind::Done { subtype } => out["nodeSubtype"] = json!(subtype),
                NodeKind::Router { exits, .. } => {
                    let route = |(weight, p): &(f64, Pathway)| {
                        let mut route = p.specification();
                        route["weight"] = json!(weight);
                        route
                    };
                    out["pathways"] = exits.iter().map(route).collect();
                }
            }
            nodes.push(out);
        }
        json!({"graphNodes": nodes})
    }
}

impl Pathway {
    fn specification(&self) -> Value {
        json!({"uuid": self.uuid, "name": self.name, "targetNode": self.target})
    }
}
