//! Further changes judged: what an outcome names beyond the task's own row, looked up in what was read of it, and in
//! words.
//!
//! Reading those rows, tasks and projects is left to the engine ([`super::wanted()`] names them).

use super::items::new_item;
use super::kinds::{TEXT, fits, refused};
use super::wanted::{FurtherInput, FurtherInputs, FurtherProject, MAIN, WantedRow, row_named};
use super::{changed_labels, of_model, share};
use crate::error::{Error, ErrorKind, foreign};
use crate::ids::{DataHash, ItemId, ProjectHash, StageId, TaskId};
use crate::work::{
    Change, Further, FurtherChange, FurtherRow, Inputs, LabelChange, MAX_FURTHER, NewIssue,
    RowInput, Touched,
};
use crate::workflow::{Stage, Workflow};
use agent_abi::model::{Ontology, quoted};
use agent_abi::wire::{self, ChangeDoc};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;

/// One of the changes that are judged.
struct Judged<'a> {
    author: Option<&'a str>,
    own: ProjectHash,
    inputs: &'a Inputs,
    around: &'a FurtherInputs,
    doc: ChangeDoc,
    row: WantedRow,
    project: &'a FurtherProject,
}

/// The further changes of an answer, in the order of writing; those that change nothing are left out.
pub(super) fn judge(
    author: Option<&str>,
    inputs: &Inputs,
    around: &FurtherInputs,
    docs: Vec<ChangeDoc>,
) -> Result<Vec<Further>, Error> {
    if docs.len() > MAX_FURTHER {
        let text = format!(
            "an outcome has at most {MAX_FURTHER} further changes, not {}",
            docs.len()
        );
        return Err(refused(text));
    }
    let Some(own) = around.own.filter(|_| !docs.is_empty()) else {
        return match docs.is_empty() {
            true => Ok(Vec::new()),
            false => Err(refused("further changes cannot be looked up here".into())),
        };
    };
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (n, doc) in docs.into_iter().enumerate() {
        let about = format!(
            "change {} of \"changes\" ({})",
            n + 1,
            quoted(&foreign(doc.kind.clone(), TEXT))
        );
        let step = one(author, own, inputs, around, doc).map_err(|mut error| {
            error.summary = format!("{about}: {}", error.summary);
            error
        })?;
        if let Some(step) = step {
            let key = (
                step.project(),
                step.kind(),
                step.touched(),
                branch_of(&step),
            );
            // Several issues may be about the same.
            let twice = match step.issue() {
                Some(_) => found.contains(&step),
                None => !seen.insert(key),
            };
            if twice {
                return Err(refused(format!("{about}: it is changed twice")));
            }
            found.push(step);
        }
    }
    found.sort_by_key(Further::phase);
    Ok(found)
}

fn branch_of(step: &Further) -> Arc<str> {
    step.row()
        .map_or_else(|| MAIN.into(), |row| Arc::clone(&row.change.branch))
}

fn one(
    author: Option<&str>,
    own: ProjectHash,
    inputs: &Inputs,
    around: &FurtherInputs,
    doc: ChangeDoc,
) -> Result<Option<Further>, Error> {
    fits(&doc)?;
    let row = row_named(own, inputs, &doc);
    let project = match around.projects.get(&row.project) {
        Some(Ok(project)) => project,
        Some(Err(error)) => return Err(error.clone()),
        None => return Err(refused("its project was not read".into())),
    };
    let judged = Judged {
        author,
        own,
        inputs,
        around,
        doc,
        row,
        project,
    };
    match &*judged.doc.kind {
        "labels" => judged.labels(),
        "priority" => judged.priority().map(Some),
        "metadata" => judged.metadata().map(Some),
        "issue" => judged.issue().map(Some),
        "item" => {
            let project = (judged.row.project, project);
            let item = new_item(own, &inputs.row, around, project, judged.doc)?;
            Ok(Some(Further::Item(Box::new(item))))
        }
        _ => judged.moved(),
    }
}

impl Judged<'_> {
    /// Whether it is about the task's own row, which has a place of its own in an outcome.
    fn is_own(&self) -> bool {
        let task = &self.inputs.row;
        (self.row.project, self.row.data) == (self.own, task.data)
            && self.row.branch == *task.branch
    }

    fn not_own(&self, instead: &str) -> Result<(), Error> {
        match self.is_own() {
            true => Err(refused("it names the task's own row".into()).hint(instead.to_owned())),
            false => Ok(()),
        }
    }

    fn input(&self) -> Result<&FurtherInput, Error> {
        let rows = &self.around.rows;
        rows.iter()
            .find(|input| input.row == self.row)
            .ok_or_else(|| refused("its row was not read".into()))
    }

    fn known(&self) -> Option<&RowInput> {
        let same = |row: &WantedRow| {
            (row.project, row.data) == (self.row.project, self.row.data)
                && row.branch == self.row.branch
        };
        let mut rows = self.around.rows.iter().filter(|input| same(&input.row));
        rows.find_map(|input| input.labels.as_ref().ok()?.as_ref())
    }

    /// A step with this change, which has its row's data unit and title.
    fn step(&self, change: impl FnOnce(Change) -> Change) -> Further {
        let title = self.known().and_then(|row| title_of(&row.json));
        let own = &self.inputs.row;
        let title = title.or_else(|| (self.row.data == own.data).then(|| own.title.to_string()));
        let (task, stage) = (uuid::Uuid::nil(), uuid::Uuid::nil());
        Further::Row(Box::new(FurtherRow {
            project: self.row.project,
            project_title: self.project.title.clone(),
            from_title: None,
            to_title: None,
            change: change(Change {
                title: title.unwrap_or_default().into(),
                branch: self.row.branch.as_str().into(),
                ..Change::empty(TaskId(task), StageId(stage), self.row.data)
            }),
        }))
    }

    fn labels(mut self) -> Result<Option<Further>, Error> {
        self.not_own("change the task's label row itself")?;
        let Some(row) = self.input()?.labels.clone()? else {
            return Err(refused(self.no_data()));
        };
        let given = wire::Outcome {
            labels: self.doc.labels.take(),
            remove: std::mem::take(&mut self.doc.remove),
            add: std::mem::take(&mut self.doc.add),
            answer: std::mem::take(&mut self.doc.answer),
            ..wire::Outcome::default()
        };
        let (_, after, _) = changed_labels(self.author, &self.project.ontology, &row, given)?;
        Ok(after.map(|after| {
            self.step(|change| Change {
                before: Some(row),
                labels_after: Some(after),
                ..change
            })
        }))
    }

    fn priority(self) -> Result<Further, Error> {
        self.not_own("set the priority of the outcome")?;
        let priority = share("a priority", self.doc.priority.unwrap_or_default())
            .map_err(|error| of_model(&error, error.to_string()))?;
        Ok(self.step(|change| Change {
            priority: Some(priority),
            ..change
        }))
    }

    fn metadata(mut self) -> Result<Further, Error> {
        let metadata = self.doc.client_metadata.take();
        let Some(item) = self.doc.item_uuid else {
            self.not_own("set the client metadata of the outcome")?;
            return Ok(self.step(|change| Change { metadata, ..change }));
        };
        if self.doc.data_hash.is_some() {
            return Err(refused(
                "it names a data unit and an item; use one of them".into(),
            ));
        }
        self.row.data = DataHash(uuid::Uuid::nil());
        Ok(self.step(|change| Change {
            metadata,
            item: Some(ItemId(item)),
            ..change
        }))
    }

    fn moved(self) -> Result<Option<Further>, Error> {
        let to = self.doc.to.as_deref().unwrap_or_default();
        let stage = stage_named(&self.project.workflow, to).map_err(|mut error| {
            // It may have been renamed since the project was read.
            error.unknown_name = self.row.project == self.own;
            error
        })?;
        let tasks = self.input()?.tasks.clone()?;
        let wanted = self.doc.task_uuid.map(TaskId);
        let mut tasks = (tasks.iter()).filter(|(task, _)| wanted.is_none_or(|t| t == *task));
        let (task, from) = match (tasks.next(), tasks.next()) {
            (Some(found), None) => *found,
            (None, _) if self.known().is_none() => return Err(refused(self.no_data())),
            (None, _) => return Err(refused("there is no such task".into())),
            (Some(_), Some(_)) => {
                let text = "the data unit has several tasks; name one by \"task_uuid\"";
                return Err(refused(text.into()));
            }
        };
        if task == self.inputs.row.id {
            return Err(refused("it names the task itself".into())
                .hint("move it by the outcome: `Route::to_stage`, or \"stage\" in JSON"));
        }
        if from == stage.id {
            return Ok(None);
        }
        let mut step = self.step(|change| Change {
            task,
            stage: from,
            to: Some(stage.id),
            direct: true,
            ..change
        });
        if let Some(row) = step.row_mut() {
            row.to_title = Some(stage.title.clone());
            let from = self.project.workflow.stage(from);
            row.from_title = from.map(|from| from.title.clone());
        }
        Ok(Some(step))
    }

    fn issue(mut self) -> Result<Further, Error> {
        let own = self.inputs.row.data == self.row.data && self.row.project == self.own;
        if !own && self.input()?.labels.clone()?.is_none() {
            return Err(refused(self.no_data()));
        }
        let step = self.step(|change| change);
        let title = step.row().map(|row| row.change.title.to_string());
        Ok(Further::Issue(Box::new(NewIssue {
            project: self.row.project,
            project_title: self.project.title.clone(),
            data: self.row.data,
            title: title.unwrap_or_default(),
            comment: self.doc.comment.take().unwrap_or_default(),
            tags: std::mem::take(&mut self.doc.tags),
            frame: self.doc.frame,
            at: self.doc.at.map(|[x, y]| (x, y)),
            label: self.doc.label.take(),
        })))
    }

    fn no_data(&self) -> String {
        let title = quoted(&foreign(self.project.title.clone(), TEXT));
        format!("{title} does not have data unit {}", self.row.data)
    }
}

/// A stage that an agent names.
pub(super) fn stage_named<'w>(workflow: &'w Workflow, name: &str) -> Result<&'w Stage, Error> {
    workflow.find(name).ok_or_else(|| {
        let mut error = workflow.no_stage(&foreign(name.to_owned(), TEXT));
        error.kind = ErrorKind::Agent;
        error
    })
}

/// The title of a row's data unit.
fn title_of(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct TitledRow {
        metadata: TitleOnly,
    }
    #[derive(Deserialize)]
    struct TitleOnly {
        data_title: String,
    }
    let row: TitledRow = serde_json::from_str(json).ok()?;
    Some(row.metadata.data_title)
}

/// What further changes are, for people and scripts: computed from what is written and what stood there before.
///
/// # Errors
/// A label row before is missing or not readable.
pub fn changes_of(further: &[Further]) -> Result<Vec<FurtherChange>, Error> {
    // A label has its names with it; only what is added by name needs the ontology, and that is done by now.
    let names = Arc::new(Ontology::default());
    further.iter().map(|step| in_words(&names, step)).collect()
}

fn in_words(ontology: &Arc<Ontology>, step: &Further) -> Result<FurtherChange, Error> {
    let row = match step {
        Further::Row(row) => row,
        Further::Issue(issue) => {
            return Ok(FurtherChange {
                kind: step.kind().to_owned(),
                project: issue.project.to_string(),
                project_title: issue.project_title.clone(),
                data_hash: Some(issue.data),
                title: issue.title.clone(),
                issue: Some((**issue).clone()),
                ..FurtherChange::default()
            });
        }
        Further::Item(item) => {
            let metadata = (!item.client_metadata.is_empty()).then(|| item.client_metadata.clone());
            return Ok(FurtherChange {
                kind: step.kind().to_owned(),
                project: item.project.to_string(),
                project_title: item.project_title.clone(),
                title: item.title.clone(),
                metadata: metadata.filter(|_| !item.delete),
                item: Some((**item).clone()),
                ..FurtherChange::default()
            });
        }
    };
    let change = &row.change;
    let labels: Vec<LabelChange> = match &change.labels_after {
        Some(after) => super::of_labels(ontology, change, after)?,
        None => Vec::new(),
    };
    let (data, item) = match step.touched() {
        Some(Touched::Item(item)) => (None, Some(item)),
        _ => (Some(change.data), None),
    };
    Ok(FurtherChange {
        kind: step.kind().to_owned(),
        project: row.project.to_string(),
        project_title: row.project_title.clone(),
        task_uuid: (!change.task.0.is_nil()).then_some(change.task),
        data_hash: data,
        item_uuid: item,
        title: change.title.to_string(),
        branch: (*change.branch != *MAIN).then(|| change.branch.to_string()),
        labels,
        priority: change.priority.map(|new| (change.old_priority, new)),
        metadata: change.metadata.clone(),
        to: row.to_title.clone(),
        ..FurtherChange::default()
    })
}

#[cfg(test)]
#[path = "further_tests.rs"]
mod tests;
