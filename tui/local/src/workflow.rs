//! The workflow as the server walks it: stages, pathways, and the edges that the API hides.
//!
//! Read from the specification format (`graphNodes`), tolerant of a trailing comma. Understood:
//! START (`toNode`), AGENT (`pathways` with `name` and `targetNode`), ANNOTATION (`toNode`), REVIEW
//! (`approveNode` or `toNode`, and `rejectNode`), DONE (`nodeSubtype`), PERCENTAGE_ROUTER and
//! USER_ROUTER (`pathways`, with `percentage` or `weight` where given). A router is not a stage: a
//! task that arrives at one goes on at once. Where an exit is missing, the nearest guess is taken
//! and the node says which: annotation goes to the next node of the list, a rejection back to the
//! first annotation stage.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::ids::{mix, unit};

/// A workflow: where new tasks begin, and its nodes in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Graph {
    pub start: Uuid,
    pub first: Uuid,
    pub nodes: Vec<Node>,
}

/// One node. Its place in [`Graph::nodes`] is the number under which tasks are kept.
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

    /// Where a task that is sent to `target` comes to rest: routers pass it on by its own UUID, so
    /// that the same task always takes the same way.
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
                let ways: Vec<Value> = pathways
                    .iter()
                    .map(|p| json!({"uuid": p.uuid, "title": p.name, "destinationUuid": p.target}))
                    .collect();
                Some(
                    json!({"stageType": "AGENT", "uuid": n.uuid, "title": n.title, "pathways": ways}),
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
                    let way = |(weight, p): &(f64, Pathway)| {
                        let mut way = p.specification();
                        way["weight"] = json!(weight);
                        way
                    };
                    out["pathways"] = exits.iter().map(way).collect();
                }
            }
            nodes.push(out);
        }
        json!({"graphNodes": nodes})
    }

    /// Reads a specification from text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(&without_trailing_commas(text)).map_err(|e| {
            format!("the workflow is not JSON (a comma after the last entry is fine): {e}")
        })?;
        Self::from_value(&value)
    }

    /// Reads a specification.
    pub(crate) fn from_value(value: &Value) -> Result<Self, String> {
        let list = value
            .get("graphNodes")
            .and_then(Value::as_array)
            .ok_or("a workflow is an object with a list `graphNodes`")?;
        let mut start = None;
        let mut nodes = Vec::new();
        for (place, raw) in list.iter().enumerate() {
            let reader = Reader { raw, place, list };
            match reader.text("nodeType")?.as_str() {
                "START" => start = Some((reader.uuid("uuid")?, reader.uuid("toNode")?)),
                kind => nodes.push(reader.node(kind)?),
            }
        }
        let (start, first) = match (start, nodes.first()) {
            (Some(found), Some(_)) => found,
            (None, Some(node)) => (Uuid::new_v5(&node.uuid, b"start"), node.uuid),
            (_, None) => return Err("the workflow has no stage".to_owned()),
        };
        let graph = Self {
            start,
            first,
            nodes,
        };
        graph.check()?;
        Ok(graph)
    }

    fn check(&self) -> Result<(), String> {
        let known = |target: Uuid, from: &str| {
            let there = self.nodes.iter().any(|n| n.uuid == target);
            there.then_some(()).ok_or(format!(
                "{from} leads to {target}, which is no node of the workflow"
            ))
        };
        known(self.first, "START")?;
        for (place, node) in self.nodes.iter().enumerate() {
            if self.nodes[..place].iter().any(|n| n.uuid == node.uuid) {
                return Err(format!("two nodes have the UUID {}", node.uuid));
            }
            match &node.kind {
                NodeKind::Agent { pathways } => {
                    pathways
                        .iter()
                        .try_for_each(|p| known(p.target, &format!("pathway \"{}\"", p.name)))?;
                }
                NodeKind::Annotation { to } => known(*to, &node.title)?,
                NodeKind::Review { approve, reject } => {
                    known(*approve, &node.title)?;
                    known(*reject, &node.title)?;
                }
                NodeKind::Router { exits, .. } => {
                    exits
                        .iter()
                        .try_for_each(|(_, p)| known(p.target, &node.title))?;
                }
                NodeKind::Done { .. } => {}
            }
        }
        Ok(())
    }
}

impl Pathway {
    fn specification(&self) -> Value {
        json!({"uuid": self.uuid, "name": self.name, "targetNode": self.target})
    }
}

/// One raw node with its surroundings.
struct Reader<'a> {
    raw: &'a Value,
    place: usize,
    list: &'a [Value],
}

impl Reader<'_> {
    fn text(&self, key: &str) -> Result<String, String> {
        let found = self.raw.get(key).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| format!("node {} has no text `{key}`", self.place + 1))
    }

    fn optional(&self, keys: &[&str]) -> Option<Uuid> {
        keys.iter()
            .find_map(|k| Uuid::parse_str(self.raw.get(*k)?.as_str()?).ok())
    }

    fn uuid(&self, key: &str) -> Result<Uuid, String> {
        let text = self.text(key)?;
        Uuid::parse_str(&text)
            .map_err(|_| format!("node {}: `{key}` is not a UUID: {text:?}", self.place + 1))
    }

    fn title(&self, kind: &str) -> String {
        self.text("title")
            .unwrap_or_else(|_| format!("{kind} {}", self.place))
    }

    /// The next node of the list, where an exit is not given.
    fn next(&self) -> Option<Uuid> {
        Uuid::parse_str(self.list.get(self.place + 1)?.get("uuid")?.as_str()?).ok()
    }

    fn first_annotation(&self) -> Option<Uuid> {
        let node = self
            .list
            .iter()
            .find(|n| n.get("nodeType").and_then(Value::as_str) == Some("ANNOTATION"))?;
        Uuid::parse_str(node.get("uuid")?.as_str()?).ok()
    }

    fn pathways(&self) -> Result<Vec<(f64, Pathway)>, String> {
        let list = self
            .raw
            .get("pathways")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        list.iter()
            .enumerate()
            .map(|(n, way)| {
                let inner = Reader {
                    raw: way,
                    place: self.place,
                    list: self.list,
                };
                let name = inner
                    .text("name")
                    .or_else(|_| inner.text("title"))
                    .unwrap_or_else(|_| n.to_string());
                let target = inner
                    .optional(&["targetNode", "toNode", "destinationUuid"])
                    .ok_or_else(|| {
                        format!(
                            "node {}: pathway \"{name}\" has no `targetNode`",
                            self.place + 1
                        )
                    })?;
                let own = inner
                    .optional(&["uuid"])
                    .unwrap_or_else(|| Uuid::new_v5(&target, name.as_bytes()));
                let weight = ["weight", "percentage"]
                    .iter()
                    .find_map(|k| way.get(*k)?.as_f64())
                    .unwrap_or(1.0);
                Ok((
                    weight,
                    Pathway {
                        uuid: own,
                        name,
                        target,
                    },
                ))
            })
            .collect()
    }

    fn node(&self, kind: &str) -> Result<Node, String> {
        let missing = |what: &str| format!("node {} ({kind}) has no `{what}`", self.place + 1);
        let parsed = match kind {
            "AGENT" => {
                let pathways = self.pathways()?.into_iter().map(|(_, p)| p).collect();
                NodeKind::Agent { pathways }
            }
            "ANNOTATION" | "CONSENSUS_ANNOTATION" => {
                let to = self
                    .optional(&["toNode", "submitNode"])
                    .or_else(|| self.next());
                NodeKind::Annotation {
                    to: to.ok_or_else(|| missing("toNode"))?,
                }
            }
            "REVIEW" | "CONSENSUS_REVIEW" => {
                let approve = self
                    .optional(&["approveNode", "toNode"])
                    .or_else(|| self.next());
                let reject = self
                    .optional(&["rejectNode"])
                    .or_else(|| self.first_annotation());
                NodeKind::Review {
                    approve: approve.ok_or_else(|| missing("approveNode"))?,
                    reject: reject.ok_or_else(|| missing("rejectNode"))?,
                }
            }
            "DONE" => NodeKind::Done {
                subtype: self
                    .text("nodeSubtype")
                    .unwrap_or_else(|_| "COMPLETED".into()),
            },
            "PERCENTAGE_ROUTER" | "USER_ROUTER" => {
                let exits = self.pathways()?;
                if exits.is_empty() {
                    return Err(missing("pathways"));
                }
                NodeKind::Router {
                    user: kind == "USER_ROUTER",
                    exits,
                }
            }
            other => {
                return Err(format!(
                    "node {} has the unknown nodeType {other:?}; known are START, AGENT, ANNOTATION, REVIEW, DONE, \
                     PERCENTAGE_ROUTER and USER_ROUTER",
                    self.place + 1
                ));
            }
        };
        Ok(Node {
            uuid: self.uuid("uuid")?,
            title: self.title(kind),
            kind: parsed,
        })
    }
}

/// Removes commas that stand before a closing bracket, outside of strings.
pub(crate) fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for (place, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            quoted = true;
        } else if c == ',' && text[place + 1..].trim_start().starts_with([']', '}']) {
            continue;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTED: &str = r#"{"graphNodes": [
        {"uuid": "00000000-0000-0000-0000-00000000000a", "nodeType": "START", "toNode": "00000000-0000-0000-0000-000000000001"},
        {"uuid": "00000000-0000-0000-0000-000000000001", "nodeType": "PERCENTAGE_ROUTER", "pathways": [
            {"name": "most, or", "targetNode": "00000000-0000-0000-0000-000000000002", "percentage": 75},
            {"name": "few", "targetNode": "00000000-0000-0000-0000-000000000003", "percentage": 25},
        ]},
        {"uuid": "00000000-0000-0000-0000-000000000002", "nodeType": "ANNOTATION", "title": "A, }"},
        {"uuid": "00000000-0000-0000-0000-000000000003", "nodeType": "DONE", "title": "End"},
    ],}"#;

    #[test]
    fn trailing_commas_are_tolerated_and_routers_pass_tasks_on() {
        let graph = Graph::parse(ROUTED).unwrap();
        assert_eq!(graph.nodes[1].title, "A, }");
        assert!(
            matches!(&graph.nodes[1].kind, NodeKind::Annotation { to } if *to == graph.nodes[2].uuid)
        );
        let at_first = (0..1000u128)
            .filter(|n| graph.first_for(Uuid::from_u128(n << 64)) == 1)
            .count();
        assert!((700..800).contains(&at_first), "{at_first}");
        assert_eq!(
            graph.stages_json().as_array().unwrap().len(),
            2,
            "routers are not listed"
        );
    }

    #[test]
    fn a_specification_reads_back_equal() {
        let graph = Graph::parse(ROUTED).unwrap();
        assert_eq!(Graph::from_value(&graph.specification()).unwrap(), graph);
    }

    #[test]
    fn a_pathway_into_nothing_is_named() {
        let text = r#"{"graphNodes":[{"uuid":"00000000-0000-0000-0000-000000000001","nodeType":"AGENT","title":"A",
            "pathways":[{"uuid":"00000000-0000-0000-0000-000000000002","name":"on","targetNode":"00000000-0000-0000-0000-000000000009"}]}]}"#;
        let problem = Graph::parse(text).unwrap_err();
        assert!(
            problem.contains("\"on\"") && problem.contains("no node"),
            "{problem}"
        );
    }

    #[test]
    fn routers_in_a_circle_end() {
        let text = r#"{"graphNodes":[{"uuid":"00000000-0000-0000-0000-000000000001","nodeType":"USER_ROUTER",
            "pathways":[{"name":"on","targetNode":"00000000-0000-0000-0000-000000000001"}]}]}"#;
        let graph = Graph::parse(text).unwrap();
        assert_eq!(graph.rest(graph.first, Uuid::nil()), None);
    }
}
