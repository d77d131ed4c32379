//! One object of a specification with its position: its typed fields, its exits, and the node or pathway
//! that it describes.

use serde_json::Value;
use uuid::Uuid;

use super::{Node, NodeKind, Pathway};
use crate::suggest::did_you_mean;

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

/// The UUID of a raw node.
pub(super) fn uuid_of(raw: &Value) -> Option<Uuid> {
    Uuid::parse_str(raw.get("uuid")?.as_str()?).ok()
}

/// A raw object and its position.
pub(super) struct Place<'a> {
    pub raw: &'a Value,
    pub name: String,
}

/// The JSON type of a value, for messages.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Place<'_> {
    fn wrong(&self, key: &str, what: &str, value: &Value) -> String {
        let mut shown = value.to_string();
        if shown.chars().count() > 40 {
            shown = shown.chars().take(40).chain(['…']).collect();
        }
        format!(
            "{}.{key}: {what} is required, {shown} is {}",
            self.name,
            kind_of(value)
        )
    }

    /// A field. Null counts as missing.
    fn field(&self, key: &str) -> Option<&Value> {
        self.raw.get(key).filter(|v| !v.is_null())
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.field(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong(key, "a text", other)),
        }
    }

    pub(super) fn uuid(&self, key: &str) -> Result<Option<Uuid>, String> {
        let parsed = |text: String| {
            Uuid::parse_str(&text)
                .map_err(|_| format!("{}.{key}: {text:?} is not a UUID", self.name))
        };
        self.text(key)?.map(parsed).transpose()
    }

    pub(super) fn needed<T>(
        &self,
        key: &str,
        read: impl Fn(&Self, &str) -> Result<Option<T>, String>,
    ) -> Result<T, String> {
        read(self, key)?.ok_or_else(|| format!("{}.{key}: missing", self.name))
    }

    /// An exit under the first of its spellings that is present.
    fn exit(&self, keys: &[&str]) -> Result<Option<Uuid>, String> {
        for key in keys {
            if let Some(found) = self.uuid(key)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn pathways(&self) -> Result<Vec<(f64, Pathway)>, String> {
        let list = match self.field("pathways") {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => return Err(self.wrong("pathways", "a list", other)),
        };
        let mut out: Vec<(f64, Pathway)> = Vec::new();
        for (number, raw) in list.iter().enumerate() {
            let place = Place {
                raw,
                name: format!("{}.pathways[{number}]", self.name),
            };
            let route = place.pathway(number)?;
            if out.iter().any(|(_, other)| other.uuid == route.1.uuid) {
                return Err(format!(
                    "{}: two pathways have the UUID {}",
                    place.name, route.1.uuid
                ));
            }
            out.push(route);
        }
        Ok(out)
    }

    fn pathway(&self, number: usize) -> Result<(f64, Pathway), String> {
        let name = match self.text("name")? {
            Some(name) => name,
            None => self.text("title")?.unwrap_or_else(|| number.to_string()),
        };
        let target = self.exit(&["targetNode", "toNode", "destinationUuid"])?;
        let target = target.ok_or_else(|| format!("{}.targetNode: missing", self.name))?;
        let own = self.uuid("uuid")?;
        let mut weight = 1.0;
        if let Some((key, value)) = ["weight", "percentage"]
            .iter()
            .find_map(|k| Some((k, self.field(k)?)))
        {
            let number = value.as_f64().filter(|n| *n >= 0.0);
            weight = number.ok_or_else(|| self.wrong(key, "a number of 0 or more", value))?;
        }
        let pathway = Pathway {
            uuid: own.unwrap_or_else(|| Uuid::new_v5(&target, name.as_bytes())),
            name,
            target,
        };
        Ok((weight, pathway))
    }

    fn missing(&self, key: &str) -> String {
        format!("{}.{key}: missing, and it cannot be inferred", self.name)
    }

    /// An exit, or the inferred one with a note. `keys` are its spellings.
    fn exit_or(
        &self,
        keys: &[&str],
        (inferred, what): (Option<Uuid>, &str),
        notes: &mut Vec<String>,
    ) -> Result<Uuid, String> {
        if let Some(found) = self.exit(keys)? {
            return Ok(found);
        }
        let inferred = inferred.ok_or_else(|| self.missing(keys[0]))?;
        let (name, key) = (&self.name, keys[0]);
        notes.push(format!("{name}.{key} is missing; using {what}"));
        Ok(inferred)
    }

    /// Reads a node. Missing exits are inferred, with a note for each.
    pub(super) fn node(
        &self,
        kind: &str,
        list: &[Value],
        number: usize,
        notes: &mut Vec<String>,
    ) -> Result<Node, String> {
        let next = (list.get(number + 1).and_then(uuid_of), "the next node");
        let is_annotation =
            |n: &&Value| n.get("nodeType").and_then(Value::as_str) == Some("ANNOTATION");
        let annotation = list.iter().find(is_annotation).and_then(uuid_of);
        let annotation = (annotation, "the first annotation stage");
        let parsed = match kind {
            "AGENT" => NodeKind::Agent {
                pathways: self.pathways()?.into_iter().map(|(_, p)| p).collect(),
            },
            "ANNOTATION" | "CONSENSUS_ANNOTATION" => NodeKind::Annotation {
                to: self.exit_or(&["toNode", "submitNode"], next, notes)?,
            },
            "REVIEW" | "CONSENSUS_REVIEW" => NodeKind::Review {
                approve: self.exit_or(&["approveNode", "toNode"], next, notes)?,
                reject: self.exit_or(&["rejectNode"], annotation, notes)?,
            },
            "DONE" => NodeKind::Done {
                subtype: self
                    .text("nodeSubtype")?
                    .unwrap_or_else(|| "COMPLETED".into()),
            },
            "PERCENTAGE_ROUTER" | "USER_ROUTER" => {
                let exits = self.pathways()?;
                if exits.is_empty() {
                    return Err(self.missing("pathways"));
                }
                NodeKind::Router {
                    user: kind == "USER_ROUTER",
                    exits,
                }
            }
            other => {
                return Err(format!(
                    "{}.nodeType: unknown type {other:?}{}; known are {}",
                    self.name,
                    did_you_mean(other, KINDS),
                    KINDS.join(", ")
                ));
            }
        };
        Ok(Node {
            uuid: self.needed("uuid", Place::uuid)?,
            title: self
                .text("title")?
                .unwrap_or_else(|| format!("{kind} {number}")),
            kind: parsed,
        })
    }
}
