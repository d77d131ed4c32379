//! An ontology in a line per entry.

use crate::model::{ModelResult, Ontology};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Builds Encord's `editor` object.
#[derive(Clone, Debug, Default)]
pub struct OntologyBuilder {
    objects: Vec<Value>,
    classifications: Vec<Value>,
    skeletons: Vec<Value>,
}

/// An empty ontology.
#[must_use]
pub fn ontology() -> OntologyBuilder {
    OntologyBuilder::default()
}

impl OntologyBuilder {
    /// A kind of object; `shape` is Encord's word: `bounding_box`, `polygon`, `audio`, …
    #[must_use]
    pub fn object(mut self, name: &str, shape: &str) -> Self {
        let id = (self.objects.len() + 1).to_string();
        self.objects.push(json!({
            "id": id, "name": name, "color": "#D33115", "shape": shape,
            "featureNodeHash": hash(&["object", name]), "attributes": [],
        }));
        self
    }

    /// A kind of object that is drawn as a skeleton with these vertices, and its template.
    #[must_use]
    pub fn skeleton(mut self, name: &str, vertices: &[&str]) -> Self {
        let vertex = |(n, vertex): (usize, &&str)| {
            let share = n as f64 / vertices.len() as f64;
            let entry = json!({
                "x": share, "y": share, "name": vertex, "color": "#D33115",
                "value": vertex.to_lowercase(), "featureHash": hash(&["vertex", name, vertex]),
            });
            (n.to_string(), entry)
        };
        let all: Map<String, Value> = vertices.iter().enumerate().map(vertex).collect();
        self.skeletons.push(json!({"template": {
            "name": name, "width": 0.2, "height": 0.2, "skeleton": all, "skeletonEdges": {},
            "featureNodeHash": hash(&["object", name]), "shape": "skeleton",
        }}));
        self.object(name, "skeleton")
    }

    /// An attribute of the object named last: `kind` is `radio`, `checklist`, `text` or `numeric`.
    ///
    /// # Panics
    /// Without an object before it.
    #[must_use]
    pub fn attribute(self, name: &str, kind: &str, options: &[&str]) -> Self {
        self.add_attribute(name, kind, options, false)
    }

    /// The same, with answers that may change from frame to frame.
    ///
    /// # Panics
    /// Without an object before it.
    #[must_use]
    pub fn dynamic(self, name: &str, kind: &str, options: &[&str]) -> Self {
        self.add_attribute(name, kind, options, true)
    }

    /// A classification with one option to choose.
    #[must_use]
    pub fn radio(self, title: &str, options: &[&str]) -> Self {
        self.classification(title, "radio", options)
    }

    /// A classification with several options to choose.
    #[must_use]
    pub fn checklist(self, title: &str, options: &[&str]) -> Self {
        self.classification(title, "checklist", options)
    }

    /// A classification with free text.
    #[must_use]
    pub fn text(self, title: &str) -> Self {
        self.classification(title, "text", &[])
    }

    /// Encord's `editor` object.
    #[must_use]
    pub fn editor(&self) -> Value {
        json!({
            "objects": self.objects, "classifications": self.classifications,
            "skeleton_templates": self.skeletons,
        })
    }

    /// The ontology, for the model alone.
    ///
    /// # Errors
    /// When a word given here is none of Encord's.
    pub fn build(&self) -> ModelResult<Ontology> {
        Ontology::from_editor(&self.editor())
    }

    fn add_attribute(mut self, name: &str, kind: &str, options: &[&str], dynamic: bool) -> Self {
        let object = self
            .objects
            .last_mut()
            .expect("an attribute needs an object before it");
        let owner = object["name"].as_str().unwrap_or_default().to_owned();
        let count = object["attributes"].as_array().map_or(0, Vec::len);
        let id = format!(
            "{}.{}",
            object["id"].as_str().unwrap_or_default(),
            count + 1
        );
        let entry = question(&owner, &id, name, kind, options, dynamic);
        if let Some(list) = object["attributes"].as_array_mut() {
            list.push(entry);
        }
        self
    }

    fn classification(mut self, title: &str, kind: &str, options: &[&str]) -> Self {
        let id = (self.classifications.len() + 1).to_string();
        let first = question("", &format!("{id}.1"), title, kind, options, false);
        self.classifications.push(json!({
            "id": id, "featureNodeHash": hash(&["classification", title]), "attributes": [first],
        }));
        self
    }
}

fn question(
    owner: &str,
    id: &str,
    name: &str,
    kind: &str,
    options: &[&str],
    dynamic: bool,
) -> Value {
    let choices: Vec<Value> = options
        .iter()
        .enumerate()
        .map(|(i, label)| {
            json!({
                "id": format!("{id}.{}", i + 1), "label": label, "value": label.to_lowercase().replace(' ', "_"),
                "featureNodeHash": hash(&[owner, name, label]),
            })
        })
        .collect();
    let mut entry = json!({
        "id": id, "name": name, "type": kind, "required": false, "dynamic": dynamic,
        "featureNodeHash": hash(&["attribute", owner, name]),
    });
    if !choices.is_empty() {
        entry["options"] = Value::Array(choices);
    }
    entry
}

/// Eight characters that depend on the names alone.
fn hash(names: &[&str]) -> String {
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, names.join("/").as_bytes());
    uuid.simple().to_string()[..8].to_owned()
}
