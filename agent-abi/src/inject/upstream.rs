//! `Upstream`: read-only questions to the platform for what no parameter covers.
//!
//! They go through the workbench, which signs, retries, limits and counts them; agents link no HTTP
//! client and hold no key. Lists are in `lists`. What is fetched ahead for a batch is faster: prefer a parameter.

use super::scope::{json, read_project};
use super::twins::text_of;
use super::{Found, Scope, Source, Take};
use crate::error::{Error, Result};
use crate::model::{LabelRow, ModelResult, Project, StorageItem};
use crate::table::needs;
use crate::wire::{
    IncludeOptions, InitialiseOptions, ItemsQuestion, ProjectQuestion, RowDoc, RowsQuestion, call,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// Reads from the platform while the agent runs; it cannot write. Each method waits for its answer, at
/// most as long as the attempt may take, and ends with an error when the attempt is to stop.
#[derive(Clone, Copy)]
pub struct Upstream<'t> {
    pub(super) source: &'t dyn Source,
}

impl<'t> Take<'t> for Upstream<'t> {
    const NEEDS: u64 = needs::UPSTREAM;
    fn take(scope: &'t Scope<'_>) -> Found<Self> {
        Ok(Some(Self {
            source: scope.source,
        }))
    }
}

impl Upstream<'_> {
    /// Another project: its stages, datasets and ontology.
    ///
    /// # Errors
    /// When it is not there, not allowed or not readable.
    pub fn project(&self, hash: Uuid) -> Result<Arc<Project>> {
        let question = ProjectQuestion { project: hash };
        read_project(&ask(self.source, call::PROJECT, &question)?)
    }

    /// The label rows of data units in another project, on its branch `main`, in the order asked; `None`
    /// where the project does not have the data.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn label_rows(&self, project: Uuid, data: &[Uuid]) -> Result<Vec<Option<LabelRow>>> {
        let (include, initialise) = (IncludeOptions::default(), InitialiseOptions::default());
        self.label_rows_with(project, data, include, initialise)
    }

    /// The same with the options of `#[stage(…, include(…), initialise(…))]`.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn label_rows_with(
        &self,
        project: Uuid,
        data: &[Uuid],
        include: IncludeOptions,
        initialise: InitialiseOptions,
    ) -> Result<Vec<Option<LabelRow>>> {
        let question = RowsQuestion {
            project,
            data_hashes: data.to_vec(),
            include,
            initialise,
        };
        let rows: Vec<Option<RowDoc>> = self.read(call::LABEL_ROWS, &question)?;
        let ontology = Arc::clone(self.project(project)?.ontology());
        let row = |doc: RowDoc| LabelRow::from_doc(doc, Arc::clone(&ontology));
        Ok(rows.into_iter().map(|doc| doc.map(row)).collect())
    }

    /// Storage items in the order asked.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub fn storage_items(&self, items: &[Uuid]) -> Result<Vec<StorageItem>> {
        let question = ItemsQuestion {
            items: items.to_vec(),
        };
        let docs: Vec<Value> = self.read(call::STORAGE_ITEMS, &question)?;
        let items = docs.into_iter().map(StorageItem::read);
        Ok(items.collect::<ModelResult<_>>()?)
    }

    /// Any question by name, for what a newer workbench supports: JSON in, JSON out.
    ///
    /// # Errors
    /// When the name is not known, or the workbench refuses.
    pub fn ask(&self, name: &str, question: &Value) -> Result<Value> {
        self.read(name, question)
    }

    fn read<T: DeserializeOwned>(&self, name: &str, question: &impl Serialize) -> Result<T> {
        read(self.source, name, question)
    }
}

/// Asks for a document.
pub(super) fn read<T: DeserializeOwned>(
    source: &dyn Source,
    name: &str,
    question: &impl Serialize,
) -> Result<T> {
    json(&ask(source, name, question)?)
}

/// Asks, and waits.
pub(super) fn ask(source: &dyn Source, name: &str, question: &impl Serialize) -> Result<String> {
    let question = serde_json::to_vec(question)?;
    match source.call(name, &question).map_err(Error::new)? {
        Some(answer) => text_of(name, answer),
        None => Err(Error::new(format!(
            "this workbench does not know \"{name}\"; use a newer one"
        ))
        .permanent()),
    }
}
