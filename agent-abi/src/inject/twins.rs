//! `twin`: the label row of the same data in another project.
//!
//! Declared on an agent it is fetched ahead, for a whole batch at once; inside a dependency it is asked
//! for when the task runs.

use super::current::also;
use super::scope::{json, read_project};
use super::{End, Provide, Scope, Stop};
use crate::change::Change;
use crate::error::{Context, Error, Result};
use crate::model::{LabelRow, Project, Task};
use crate::table::needs;
use crate::wire::{ProjectQuestion, TwinDoc, TwinQuestion, TwinSpec, call, input};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// The label row of the same data in another project: `#[depends(twin("PROJECT-HASH"))] twin: Option<Twin>`.
///
/// Options, with the defaults of the Python package: `twin("…", init_labels = false)` gives the row
/// without its labels, `twin("…", include_task = true)` its task there too. `None`: the other project
/// does not have the data.
#[allow(non_camel_case_types)] // named like the dependency functions it stands beside
pub struct twin {}

/// A twin. Taken as `&mut Twin` or `Option<&mut Twin>`, what is changed in its labels is part of the outcome: held,
/// reviewed and written like the labels of the task. Taken by value it is a copy, to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Twin {
    /// Its label row.
    pub labels: LabelRow,
    /// Its task, with `include_task = true` and when it has one.
    pub task: Option<Task>,
    /// The project it belongs to, with its ontology.
    pub project: Arc<Project>,
}

/// Which twin; made by `twin("…")` at the place of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwinOf {
    project: &'static str,
    init_labels: bool,
    include_task: bool,
}

impl TwinOf {
    /// The row with its labels, without its task.
    #[must_use]
    pub const fn new(project: &'static str) -> Self {
        Self {
            project,
            init_labels: true,
            include_task: false,
        }
    }

    /// Whether its labels are wanted.
    #[must_use]
    pub const fn init_labels(mut self, wanted: bool) -> Self {
        self.init_labels = wanted;
        self
    }

    /// Whether its task is wanted.
    #[must_use]
    pub const fn include_task(mut self, wanted: bool) -> Self {
        self.include_task = wanted;
        self
    }
}

impl From<&'static str> for TwinOf {
    fn from(project: &'static str) -> Self {
        Self::new(project)
    }
}

impl Provide for twin {
    const NAME: &'static str = "twin";
    const NEEDS: u64 = needs::TWIN;
    type Args = (TwinOf,);
    type Value = Option<Twin>;

    /// What was changed in it is part of the outcome.
    fn close(value: Self::Value, end: End) -> Result<()> {
        let changed = value.filter(|twin| end == End::Done && twin.labels.changed());
        if let Some(twin) = changed {
            let project = twin.project.hash();
            also(Change::labels(project, twin.labels).into_doc()?);
        }
        Ok(())
    }

    fn open(scope: &Scope<'_>, (of,): &Self::Args) -> Result<Self::Value, Stop> {
        find(scope, of).map_err(|error| {
            let text = format!("the twin in project {} cannot be had: {error}", of.project);
            Stop::agent(error.context(text))
        })
    }
}

fn find(scope: &Scope<'_>, of: &TwinOf) -> Result<Option<Twin>> {
    let Ok(project) = Uuid::parse_str(of.project) else {
        return Err(Error::new("its project hash is not a UUID").permanent());
    };
    let spec = TwinSpec {
        project,
        init_labels: of.init_labels,
        include_task: of.include_task,
        write: false,
    };
    let known = scope.source.input(&input::twin(&spec));
    let text = match known.map_err(Error::new)? {
        Some(text) => text.to_owned(),
        None => {
            let data_hash = scope.task().data_hash();
            ask(scope, call::TWIN, &TwinQuestion { spec, data_hash })?
        }
    };
    let Some(doc) = json::<Option<TwinDoc>>(&text)? else {
        return Ok(None);
    };
    let known = scope.source.input(&input::project_of(project));
    let project = match known.map_err(Error::new)? {
        Some(text) => read_project(text)?,
        None => read_project(&ask(scope, call::PROJECT, &ProjectQuestion { project })?)?,
    };
    Ok(Some(Twin {
        labels: LabelRow::from_doc(doc.row, Arc::clone(project.ontology())),
        task: doc.task.map(|doc| Task::new(doc, 1)),
        project,
    }))
}

fn ask(scope: &Scope<'_>, name: &str, question: &impl Serialize) -> Result<String> {
    super::upstream::ask(scope.source, name, question)
}

/// For [`super::Upstream`] too.
pub(super) fn text_of(name: &str, answer: Vec<u8>) -> Result<String> {
    String::from_utf8(answer).context(format!("the answer to \"{name}\" is not text"))
}
