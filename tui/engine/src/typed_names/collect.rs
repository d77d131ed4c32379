//! What of a project has a name, in the project's order. Elements that were archived are left out: nobody labels with
//! them any more.

use super::NamedThing;
use agent_abi::model::{Attribute, AttributeKind, Choice, Ontology, Shape};
use agent_abi::model::{OntologyClassification, OntologyObject};
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::work::Project;
use wb_core::workflow::{Pathway, Stage, Workflow};

/// Objects and classifications, with their attributes and options.
pub(super) fn ontology(project: &Project) -> Result<Vec<NamedThing>, Error> {
    let ontology = Ontology::from_editor(&project.doc.ontology)
        .map_err(|error| Error::new(ErrorKind::Upstream, error.to_string()))?;
    let objects = ontology.objects.iter().filter(|o| !o.archived);
    let classifications = ontology.classifications.iter();
    // The question of a classification is archived, or nothing of it is.
    let classifications = classifications.filter(|c| !c.attributes.iter().all(|a| a.archived));
    Ok(objects
        .map(|object| of_object(&ontology, object))
        .chain(classifications.map(|one| of_classification(&ontology, one)))
        .collect())
}

fn of_object(ontology: &Ontology, object: &OntologyObject) -> NamedThing {
    let names = ontology.objects.iter().map(|o| o.name.as_str());
    let mut below = attributes(&object.attributes, &object.attributes);
    if object.shape == Shape::Skeleton
        && let Ok(template) = ontology.skeleton(&object.feature_hash)
    {
        let vertex = |vertex: &agent_abi::model::SkeletonVertex| NamedThing {
            title: vertex.name.clone(),
            kind: "vertex",
            about: String::new(),
            id: (vertex.feature_hash.clone()).unwrap_or_else(|| vertex.name.clone()),
            value: vertex.name.clone(),
            below: Vec::new(),
        };
        below.extend(template.vertices.iter().map(vertex));
    }
    NamedThing {
        title: object.name.clone(),
        kind: "object",
        about: object.shape.word().to_owned(),
        id: object.feature_hash.clone(),
        value: name_or_id(&object.name, &object.feature_hash, names),
        below,
    }
}

/// Its first attribute has the name of the classification itself: the options are right below it.
fn of_classification(ontology: &Ontology, one: &OntologyClassification) -> NamedThing {
    let titles = ontology.classifications.iter();
    let titles = titles.map(OntologyClassification::title);
    let mut below = Vec::new();
    let mut about = "";
    if let Some((first, others)) = one.attributes.split_first() {
        about = kind_word(&first.kind);
        below.extend(options(first, &one.attributes));
        below.extend(attributes(others, &one.attributes));
    }
    NamedThing {
        title: one.title().to_owned(),
        kind: "classification",
        about: about.to_owned(),
        id: one.feature_hash.clone(),
        value: name_or_id(one.title(), &one.feature_hash, titles),
        below,
    }
}

/// Some attributes of an object or a classification, of which `all` are the outermost.
fn attributes(some: &[Attribute], all: &[Attribute]) -> Vec<NamedThing> {
    let mut names = Vec::new();
    names_of(all, &mut names);
    let thing = |attribute: &Attribute| NamedThing {
        title: attribute.name.clone(),
        kind: "attribute",
        about: kind_word(&attribute.kind).to_owned(),
        id: attribute.feature_hash.clone(),
        value: name_or_id(
            &attribute.name,
            &attribute.feature_hash,
            names.iter().copied(),
        ),
        below: options(attribute, all),
    };
    some.iter().filter(|a| !a.archived).map(thing).collect()
}

fn options(attribute: &Attribute, all: &[Attribute]) -> Vec<NamedThing> {
    let labels = || attribute.options.iter().map(|o| o.label.as_str());
    let thing = |choice: &Choice| NamedThing {
        title: choice.label.clone(),
        kind: "option",
        about: String::new(),
        id: choice.feature_hash.clone(),
        value: name_or_id(&choice.label, &choice.feature_hash, labels()),
        below: attributes(&choice.attributes, all),
    };
    let options = attribute.options.iter().filter(|o| !o.archived);
    options.map(thing).collect()
}

/// Names of these attributes and of all nested ones.
fn names_of<'o>(attributes: &'o [Attribute], names: &mut Vec<&'o str>) {
    for attribute in attributes {
        names.push(&attribute.name);
        for choice in &attribute.options {
            names_of(&choice.attributes, names);
        }
    }
}

const fn kind_word(kind: &AttributeKind) -> &str {
    match kind {
        AttributeKind::Radio => "radio",
        AttributeKind::Checklist => "checklist",
        AttributeKind::Text => "text",
        AttributeKind::Numeric => "numeric",
        AttributeKind::Other(_) => "other",
    }
}

/// Agent stages, with the pathways that leave them.
pub(super) fn pathways(workflow: &Workflow) -> Vec<NamedThing> {
    let titles = || workflow.stages.iter().map(|s| s.title.as_str());
    let thing = |stage: &Stage| NamedThing {
        title: stage.title.clone(),
        kind: "stage",
        about: String::new(),
        id: stage.id.0.to_string(),
        value: name_or_id(&stage.title, &stage.id.0.to_string(), titles()),
        below: of_stage(workflow, stage),
    };
    workflow.agent_stages().map(thing).collect()
}

fn of_stage(workflow: &Workflow, stage: &Stage) -> Vec<NamedThing> {
    let names = || stage.pathways.iter().map(|p| p.name.as_str());
    let thing = |pathway: &Pathway| {
        let id = pathway.id.0.to_string();
        let to = workflow.stage(pathway.to).map(|to| to.title.as_str());
        NamedThing {
            title: pathway.name.clone(),
            kind: "pathway",
            about: to.map_or_else(String::new, |to| format!("to {to}")),
            value: name_or_id(&pathway.name, &id, names()),
            id,
            below: Vec::new(),
        }
    };
    stage.pathways.iter().map(thing).collect()
}

/// What finds a thing among all that are looked for by the same kind of name.
fn name_or_id<'a>(name: &str, id: &str, all: impl Iterator<Item = &'a str>) -> String {
    let is_unique = all.filter(|other| *other == name).count() <= 1;
    let finds = is_unique && !name.trim().is_empty() && Uuid::parse_str(name).is_err();
    if finds { name } else { id }.to_owned()
}
