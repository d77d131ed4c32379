//! Reading a workflow from the specification format (`graphNodes`).
//!
//! Supported: START (`toNode`), AGENT (`pathways` with `name` and `targetNode`), ANNOTATION
//! (`toNode`), REVIEW (`approveNode` or `toNode`, and `rejectNode`), DONE (`nodeSubtype`),
//! PERCENTAGE_ROUTER and USER_ROUTER (`pathways`, with `percentage` or `weight` where given). A comma
//! after the last entry and a byte order mark are tolerated. A missing exit is inferred: annotation leads
//! to the next node of the list, a rejection to the first annotation stage. A wrong exit is an error.

use serde_json::Value;
use uuid::Uuid;

use super::spec::{NodeSpec, WorkflowSpec, distinct};
use super::{Graph, Node, NodeKind};

impl Graph {
    /// Parses a specification.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_noting(text).map(|(graph, _)| graph)
    }

    /// Parses a specification, with a note for each inferred exit.
    pub(crate) fn parse_noting(text: &str) -> Result<(Self, Vec<String>), String> {
        let text = text.trim_start_matches('\u{feff}');
        let value: Value = serde_json::from_str(&without_trailing_commas(text)).map_err(|e| {
            format!("the workflow is not JSON (a comma after the last entry is fine): {e}")
        })?;
        Self::read(&value)
    }

    /// Reads a specification. Errors name the place, as in `graphNodes[3].toNode: …`.
    pub(crate) fn from_value(value: &Value) -> Result<Self, String> {
        Self::read(value).map(|(graph, _)| graph)
    }

    fn read(value: &Value) -> Result<(Self, Vec<String>), String> {
        if value.get("graphNodes").is_none() {
            return Err("a workflow is an object with a list `graphNodes`".to_owned());
        }
        let spec: WorkflowSpec = serde_path_to_error::deserialize(value)
            .map_err(|e| format!("{}: {}", e.path(), e.inner()))?;
        let list = spec.graph_nodes;
        distinct(&list)?;
        let mut start = None;
        let mut nodes = Vec::new();
        let mut notes = Vec::new();
        for (number, node) in list.iter().enumerate() {
            let place = format!("graphNodes[{number}]");
            if node.node_type != "START" {
                nodes.push(node.read(&list, number, &place, &mut notes)?);
                continue;
            }
            let first = node
                .to_node
                .ok_or_else(|| format!("{place}.toNode: missing"))?;
            if start.replace((node.uuid, first)).is_some() {
                return Err(format!(
                    "{place}: a second START; a workflow begins in one place"
                ));
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
        graph.check(&list)?;
        Ok((graph, notes))
    }

    /// Checks that every exit leads to a node and that routers form no circle.
    fn check(&self, list: &[NodeSpec]) -> Result<(), String> {
        let place = |uuid: Uuid| {
            let number = list.iter().position(|spec| spec.uuid == uuid);
            number.map_or_else(|| "the workflow".to_owned(), |n| format!("graphNodes[{n}]"))
        };
        let known = |target: Uuid, from: &str| {
            let there = self.nodes.iter().any(|n| n.uuid == target);
            there.then_some(()).ok_or_else(|| {
                format!("{from}: it leads to {target}, which is not a node of the workflow")
            })
        };
        known(self.first, &format!("{}.toNode", place(self.start)))?;
        for node in &self.nodes {
            let here = place(node.uuid);
            match &node.kind {
                NodeKind::Annotation { to } => known(*to, &format!("{here}.toNode"))?,
                NodeKind::Review { approve, reject } => {
                    known(*approve, &format!("{here}.approveNode"))?;
                    known(*reject, &format!("{here}.rejectNode"))?;
                }
                NodeKind::Agent { .. } | NodeKind::Router { .. } | NodeKind::Done { .. } => {
                    for (n, pathway) in node.kind.pathways().enumerate() {
                        known(pathway.target, &format!("{here}.pathways[{n}].targetNode"))?;
                    }
                }
            }
        }
        let mut fine = Vec::new();
        self.nodes
            .iter()
            .try_for_each(|node| self.ends(node, &mut Vec::new(), &mut fine))
    }

    /// Checks that every exit of a router ends at a stage. `path` holds the routers before this one,
    /// `fine` those that are already checked.
    fn ends<'a>(
        &'a self,
        node: &'a Node,
        path: &mut Vec<&'a Node>,
        fine: &mut Vec<Uuid>,
    ) -> Result<(), String> {
        let NodeKind::Router { exits, .. } = &node.kind else {
            return Ok(());
        };
        if fine.contains(&node.uuid) {
            return Ok(());
        }
        if path.iter().any(|n| n.uuid == node.uuid) {
            let titles: Vec<String> = path
                .iter()
                .chain([&node])
                .map(|n| format!("{:?}", n.title))
                .collect();
            return Err(format!(
                "routers form a circle: {}; one of them must lead to stages only",
                titles.join(" → ")
            ));
        }
        path.push(node);
        for (_, pathway) in exits {
            if let Some(next) = self.nodes.iter().find(|n| n.uuid == pathway.target) {
                self.ends(next, path, fine)?;
            }
        }
        path.pop();
        fine.push(node.uuid);
        Ok(())
    }
}

/// Replaces commas before a closing bracket, outside of strings, by blanks. Lines and columns in later
/// errors stay correct.
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
            out.push(' ');
            continue;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Graph, NodeKind};
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
        let (graph, notes) = Graph::parse_noting(ROUTED).unwrap();
        assert_eq!(
            notes,
            ["graphNodes[2].toNode is missing; using the next node"]
        );
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
    fn a_specification_round_trips() {
        let graph = Graph::parse(ROUTED).unwrap();
        assert_eq!(Graph::from_value(&graph.specification()).unwrap(), graph);
    }

    #[test]
    fn a_pathway_to_a_missing_node_is_reported() {
        let text = r#"{"graphNodes":[{"uuid":"00000000-0000-0000-0000-000000000001","nodeType":"AGENT","title":"A",
            "pathways":[{"uuid":"00000000-0000-0000-0000-000000000002","name":"on","targetNode":"00000000-0000-0000-0000-000000000009"}]}]}"#;
        let problem = Graph::parse(text).unwrap_err();
        assert!(
            problem.contains("graphNodes[0].pathways[0]") && problem.contains("not a node"),
            "{problem}"
        );
    }

    /// A workflow of one agent stage, with a part replaced.
    fn changed(from: &str, to: &str) -> String {
        let text = r#"{"graphNodes":[
            {"uuid":"00000000-0000-0000-0000-000000000001","nodeType":"START","toNode":"00000000-0000-0000-0000-000000000002"},
            {"uuid":"00000000-0000-0000-0000-000000000002","nodeType":"AGENT","title":"A","pathways":[
                {"uuid":"00000000-0000-0000-0000-000000000003","name":"on","targetNode":"00000000-0000-0000-0000-000000000005"},
                {"uuid":"00000000-0000-0000-0000-000000000004","name":"back","targetNode":"00000000-0000-0000-0000-000000000002"}]},
            {"uuid":"00000000-0000-0000-0000-000000000005","nodeType":"DONE","title":"End"}]}"#;
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    }

    #[test]
    fn a_stage_may_lead_back_to_itself_and_a_byte_order_mark_is_tolerated() {
        let text = changed(r#""title":"A""#, r#""title":"B""#);
        Graph::parse(&text).unwrap();
        Graph::parse(&format!("\u{feff}{text}")).unwrap();
    }

    /// A part of the workflow, what replaces it, and the error.
    const MISTAKES: [(&str, &str, &str); 13] = [
        (
            r#""title":"A""#,
            r#""title":true"#,
            "graphNodes[1].title: invalid type: boolean `true`, expected a string",
        ),
        (
            r#""toNode":"00000000-0000-0000-0000-000000000002""#,
            r#""toNode":"here""#,
            "graphNodes[0].toNode: UUID parsing failed",
        ),
        (
            r#""toNode":"00000000-0000-0000-0000-000000000002""#,
            r#""x":1"#,
            "graphNodes[0].toNode: missing",
        ),
        (
            r#""nodeType":"DONE""#,
            r#""nodeType":"DOEN""#,
            "did you mean DONE?",
        ),
        (
            r#""nodeType":"DONE""#,
            r#""x":1"#,
            "graphNodes[2]: missing field `nodeType`",
        ),
        (
            r#""targetNode":"00000000-0000-0000-0000-000000000005""#,
            r#""targetNode":"00000000-0000-0000-0000-000000000009""#,
            "not a node of the workflow",
        ),
        (
            r#""uuid":"00000000-0000-0000-0000-000000000005""#,
            r#""uuid":"00000000-0000-0000-0000-000000000002""#,
            "graphNodes[2] and graphNodes[1] have the same UUID",
        ),
        (
            r#""uuid":"00000000-0000-0000-0000-000000000005""#,
            r#""uuid":"00000000-0000-0000-0000-000000000001""#,
            "same UUID",
        ),
        (
            r#""uuid":"00000000-0000-0000-0000-000000000004""#,
            r#""uuid":"00000000-0000-0000-0000-000000000003""#,
            "graphNodes[1].pathways[1]",
        ),
        (
            r#""pathways":["#,
            r#""pathways":true,"p":["#,
            "graphNodes[1].pathways: invalid type: boolean `true`, expected a sequence",
        ),
        (
            r#""nodeType":"DONE""#,
            r#""nodeType":"START","toNode":"00000000-0000-0000-0000-000000000002""#,
            "a second START",
        ),
        (r#"{"graphNodes""#, r#"[{"graphNodes""#, "not JSON"),
        (r#"{"graphNodes""#, r#"{"nodes""#, "graphNodes"),
    ];

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        for (from, to, words) in MISTAKES {
            let problem = Graph::parse(&changed(from, to)).unwrap_err();
            assert!(problem.contains(words), "{to}: {problem}");
        }
        assert!(
            Graph::parse(r#"{"graphNodes":[]}"#)
                .unwrap_err()
                .contains("no stage")
        );
    }

    #[test]
    fn routers_in_a_circle_are_refused() {
        let text = r#"{"graphNodes":[{"uuid":"00000000-0000-0000-0000-000000000001","nodeType":"USER_ROUTER","title":"R",
            "pathways":[{"name":"on","targetNode":"00000000-0000-0000-0000-000000000001"}]}]}"#;
        let problem = Graph::parse(text).unwrap_err();
        assert!(
            problem.contains("form a circle") && problem.contains("\"R\""),
            "{problem}"
        );
    }

    #[test]
    fn removing_a_trailing_comma_keeps_lines_and_columns() {
        assert_eq!(without_trailing_commas("[1,\n]"), "[1 \n]");
        assert_eq!(without_trailing_commas(r#"["a,]"]"#), r#"["a,]"]"#);
    }
}
