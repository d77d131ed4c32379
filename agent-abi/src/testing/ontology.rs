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
    /// Whether an object was added last, or a classification.
    last_is_object: bool,
}

/// An empty ontology, to be filled.
#[must_use]
pub fn ontology() -> OntologyBuilder {
    OntologyBuilder::default()
}

/// The ontology of a project of one's own: Encord's `editor` object, as the Python SDK's
/// `ontology.structure.to_dict()` gives it. More may be added.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn ontology_of(editor: &Value) -> OntologyBuilder {
    Ontology::from_editor(editor).expect("an ontology that can be read");
    let list = |key: &str| editor[key].as_array().cloned().unwrap_or_default();
    OntologyBuilder {
        objects: list("objects"),
        classifications: list("classifications"),
        skeletons: list("skeleton_templates"),
        last_is_object: false,
    }
}

impl OntologyBuilder {
    /// A kind of object; `shape` is Encord's word: `bounding_box`, `polygon`, `audio`, …
    #[must_use]
    pub fn object(mut self, name: &str, shape: &str) -> Self {
        let id = (self.objects.len() + 1).to_string();
        self.last_is_object = true;
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

    /// A classification with a number.
    #[must_use]
    pub fn numeric(self, title: &str) -> Self {
        self.classification(title, "numeric", &[])
    }

    /// A question of the object or classification named last that comes up when `option` of the question
    /// `of` is chosen. Below a dynamic question it is dynamic too.
    ///
    /// # Panics
    /// When there is no such question or option.
    #[must_use]
    pub fn nested(
        mut self,
        of: &str,
        option: &str,
        name: &str,
        kind: &str,
        options: &[&str],
    ) -> Self {
        let list = if self.last_is_object {
            self.objects.last_mut()
        } else {
            self.classifications.last_mut()
        };
        let last = list.expect("a nested question needs an object or a classification before it");
        let attributes = last["attributes"].as_array_mut();
        let above = attributes.and_then(|list| find(list, of));
        let above = above.unwrap_or_else(|| panic!("there is no question \"{of}\" before it"));
        let (dynamic, id) = (above["dynamic"] == true, above["id"].clone());
        let mut choices = options_of(above);
        let choice = choices.find(|choice| choice["label"] == option);
        let choice = choice.unwrap_or_else(|| panic!("\"{of}\" has no option \"{option}\""));
        let owner = format!("{}/{option}", id.as_str().unwrap_or_default());
        let id = format!("{}.1", choice["id"].as_str().unwrap_or_default());
        let entry = question(&owner, &id, name, kind, options, dynamic);
        match choice.get_mut("options").and_then(Value::as_array_mut) {
            Some(list) => list.push(entry),
            None => choice["options"] = json!([entry]),
        }
        drop(choices);
        self
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
        self.last_is_object = false;
        let id = (self.classifications.len() + 1).to_string();
        let first = question("", &format!("{id}.1"), title, kind, options, false);
        self.classifications.push(json!({
            "id": id, "featureNodeHash": hash(&["classification", title]), "attributes": [first],
        }));
        self
    }
}

/// A question by its name, at any depth.
fn find<'q>(questions: &'q mut [Value], name: &str) -> Option<&'q mut Value> {
    for question in questions {
        if question["name"] == name {
            return Some(question);
        }
        for choice in options_of(question) {
            let below = choice.get_mut("options").and_then(Value::as_array_mut);
            if let Some(found) = below.and_then(|below| find(below, name)) {
                return Some(found);
            }
        }
    }
    None
}

fn options_of(entry: &mut Value) -> impl Iterator<Item = &mut Value> {
    let list = entry.get_mut("options").and_then(Value::as_array_mut);
    list.into_iter().flatten()
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
