//! The project and its stages.

use super::names::only;
use super::{ModelResult, Ontology, suggest};
use crate::wire::{DatasetDoc, PathwayDoc, ProjectDoc, StageDoc};
use std::sync::Arc;
use uuid::Uuid;

/// A project: its stages, datasets and ontology.
#[derive(Clone, Debug)]
pub struct Project {
    doc: ProjectDoc,
    stages: Vec<Stage>,
    ontology: Arc<Ontology>,
}

impl Project {
    /// Whether they were read from equal documents.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.doc == other.doc
    }

    /// Reads the document.
    ///
    /// # Errors
    /// [`Malformed`](super::ModelError::Malformed) when the ontology is not as Encord writes it.
    pub fn from_doc(doc: ProjectDoc) -> ModelResult<Self> {
        let ontology = Arc::new(Ontology::from_editor(&doc.ontology)?.titled(&doc.ontology_title));
        let stages = doc.stages.iter().cloned().map(Stage::new).collect();
        Ok(Self {
            doc,
            stages,
            ontology,
        })
    }

    /// The project's UUID.
    #[must_use]
    pub const fn hash(&self) -> Uuid {
        self.doc.project_hash
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.doc.title
    }

    /// Free text.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.doc.description
    }

    /// What may be labelled.
    #[must_use]
    pub const fn ontology(&self) -> &Arc<Ontology> {
        &self.ontology
    }

    /// Every stage of the workflow.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// A stage by title or UUID.
    ///
    /// # Errors
    /// [`Unknown`](super::ModelError::Unknown) with the nearest titles, [`Ambiguous`](super::ModelError::Ambiguous) with the UUIDs of those
    /// that have the title.
    pub fn stage(&self, name: &str) -> ModelResult<&Stage> {
        let hits = self.stages.iter().filter(|stage| stage.is(name)).collect();
        only(hits, ("stages", name, "UUID"), Stage::uuid, || {
            let hint = suggest::hint(name, self.stages.iter().map(Stage::title));
            format!("the workflow has no stage {}.{hint}", suggest::quoted(name))
        })
    }

    /// Attached datasets.
    #[must_use]
    pub fn datasets(&self) -> &[DatasetDoc] {
        &self.doc.datasets
    }
}

/// A stage of the workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    doc: StageDoc,
}

impl Stage {
    /// Wraps the document.
    #[must_use]
    pub const fn new(doc: StageDoc) -> Self {
        Self { doc }
    }

    /// The stage's UUID.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.doc.uuid
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.doc.title
    }

    /// `AGENT`, `ANNOTATION`, `REVIEW`, `DONE`, …
    #[must_use]
    pub fn stage_type(&self) -> &str {
        &self.doc.stage_type
    }

    /// Ways out (agent stages only).
    #[must_use]
    pub fn pathways(&self) -> &[PathwayDoc] {
        &self.doc.pathways
    }

    /// A way out by name or UUID.
    ///
    /// # Errors
    /// [`Unknown`](super::ModelError::Unknown) with the nearest names, [`Ambiguous`](super::ModelError::Ambiguous) with the UUIDs of those
    /// that have the name.
    pub fn pathway(&self, name: &str) -> ModelResult<&PathwayDoc> {
        let (uuid, all) = (Uuid::parse_str(name).ok(), &self.doc.pathways);
        let is = |p: &&PathwayDoc| p.name == name || Some(p.uuid) == uuid;
        let hits = all.iter().filter(is).collect();
        only(
            hits,
            ("pathways", name, "UUID"),
            |p| p.uuid,
            || {
                let hint = suggest::hint(name, all.iter().map(|p| p.name.as_str()));
                format!(
                    "{} is not a pathway of stage {}.{hint}",
                    suggest::quoted(name),
                    suggest::quoted(&self.doc.title)
                )
            },
        )
    }

    /// Whether `name` is its title or its UUID.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.doc.title == name || Uuid::parse_str(name).is_ok_and(|uuid| uuid == self.doc.uuid)
    }
}
