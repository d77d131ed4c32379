//! What is checked before a group of tasks of a plan is written: whether they are where the plan found them, and
//! whether the labels that their outcomes are based on are unchanged.

use super::super::compare::{labels_of, part_of, unit};
use super::super::further;
use super::{Change, Look, PlannedTask, Seen};
use crate::error::{Error, ErrorKind};
use crate::ids::ItemId;
use crate::labels::{same_labels, saved_as};
use crate::work::{Project, Route, RowMetadata};
use std::collections::HashMap;

/// Why each task is left; `None`: nothing speaks against it.
type Refused = Vec<Option<String>>;

/// The storage item that the plan was made for.
fn planned_item(item: &Change) -> Option<ItemId> {
    item.item.or_else(|| item.before.as_ref()?.item)
}

/// Whether what is beside the labels is needed: to compare the storage item, or to keep what is overwritten.
fn needs_metadata(item: &Change) -> bool {
    planned_item(item).is_some() || item.priority.is_some() || item.metadata.is_some()
}

/// Labels that are compared here: those that the agent read and did not change. Those that it changed are compared when
/// they are saved; where nothing is written, here too.
fn compared(item: &Change, writes: bool) -> Option<serde_json::Value> {
    let before = item.before.as_ref();
    let before = before.filter(|_| !writes || item.labels_after.is_none());
    labels_of(&before?.json)
}

/// What is read for these changes. Further changes are looked at before they are written; where nothing is written,
/// with this.
pub(super) fn look(changes: &[Change], writes: bool) -> Look {
    let mut look = Look::default();
    if !writes {
        look.others = further::planned(changes);
    }
    for item in changes {
        look.tasks.entry(item.stage).or_default().push(item.data);
        if needs_metadata(item) {
            look.metadata.push(unit(item));
        }
        if let (Some(before), Some(_)) = (&item.before, compared(item, writes)) {
            look.rows.push((unit(item), part_of(&before.json)));
        }
    }
    look
}

/// What was read beside the labels, for each change that it was read for.
pub(super) fn metadata_of(
    changes: &[Change],
    rows: Vec<Result<RowMetadata, Error>>,
) -> Vec<Option<Result<RowMetadata, Error>>> {
    let mut rows = rows.into_iter();
    let each = changes.iter();
    each.map(|change| needs_metadata(change).then(|| rows.next()).flatten())
        .collect()
}

/// Why tasks are not written, with what was read by [`look`].
///
/// # Errors
/// The platform could not be asked, or a row cannot be read.
pub(super) fn refused(
    tasks: &[PlannedTask],
    changes: &[Change],
    project: &Project,
    seen: &Seen,
    writes: bool,
) -> Result<Refused, Error> {
    let mut refused = Vec::with_capacity(changes.len());
    let mut others = further::changed_since(changes, &seen.others).into_iter();
    let (mut metadata, mut rows) = (seen.metadata.iter(), seen.rows.iter());
    for (task, item) in tasks.iter().zip(changes) {
        let metadata = needs_metadata(item).then(|| metadata.next()).flatten();
        let labels = compared(item, writes);
        let other = others.next().flatten();
        let row = labels.as_ref().and_then(|_| rows.next());
        let why = is_gone(item, seen)?
            .or_else(|| is_rerouted(task, project))
            .or_else(|| is_elsewhere(item, metadata?.as_ref().ok()?));
        refused.push(match (why, labels, row) {
            (None, Some(labels), Some(row)) => {
                let row = row.as_ref().map_err(Clone::clone)?;
                let now = labels_of(&row.json)
                    .ok_or_else(|| Error::new(ErrorKind::Upstream, "a label row cannot be read"))?;
                let ours = item.labels_after.as_ref();
                let ours = ours.is_some_and(|ours| saved_as(&now, &ours.read()));
                let changed = !ours && !same_labels(&now, &labels);
                let why =
                    "its labels changed since the plan was made, and its outcome rests on them";
                changed.then(|| why.to_owned()).or(other)
            }
            (why, ..) => why.or(other),
        });
    }
    Ok(refused)
}

/// A task that is no longer where the plan found it.
fn is_gone(item: &Change, seen: &Seen) -> Result<Option<String>, Error> {
    let there = match seen.tasks.get(&item.stage) {
        Some(Ok(tasks)) => tasks.iter().any(|(task, _)| *task == item.task),
        Some(Err(error)) => return Err(error.clone()),
        None => false,
    };
    let why = "the task has left the stage since the plan was made";
    Ok((!there).then(|| why.to_owned()))
}

/// A task whose pathway is not what it was when the plan was made: it has another name, or another end. Or the stage that
/// it is moved to.
fn is_rerouted(task: &PlannedTask, project: &Project) -> Option<String> {
    let (what, same) = match &task.way {
        Route::Stay => return None,
        Route::Pathway { id, name, to } => {
            let stage = project.workflow.stage(task.stage);
            let now = stage.and_then(|s| s.pathways.iter().find(|p| p.id == *id));
            let same = now.is_some_and(|now| (&now.name, now.to) == (name, *to));
            (format!("its pathway \"{name}\""), same)
        }
        Route::Stage { id, title } => {
            let now = project.workflow.stage(*id);
            let same = now.is_some_and(|now| now.title == *title);
            (
                format!("the stage \"{title}\", which it is moved to,"),
                same,
            )
        }
    };
    (!same).then(|| format!("{what} was changed or removed since the plan was made"))
}

/// A task whose data unit is another file by now: what was reviewed is not about it.
fn is_elsewhere(item: &Change, row: &RowMetadata) -> Option<String> {
    let (planned, now) = (planned_item(item)?, row.item?);
    (planned != now)
        .then(|| "its data lie in another storage item than when the plan was made".to_owned())
}

/// What is read for changes that follow from outcomes which this plan wrote before: their tasks at the stage to which
/// those were sent, and their rows.
pub(super) fn look_after(changes: &[Change]) -> Look {
    let mut look = Look::default();
    for item in changes {
        look.tasks.entry(item.stage).or_default().push(item.data);
        if needs_metadata(item) {
            look.metadata.push(unit(item));
        }
        if item.before.is_some() {
            look.rows.push((unit(item), Default::default()));
        }
    }
    look
}

/// Why tasks are not written, with what was read by [`look_after`]. Each change gets the task as it is at this stage,
/// and its row as it is now, which must be as the outcome before it left it.
///
/// # Errors
/// The stage is gone, the platform could not be asked, or a row cannot be read.
pub(super) fn after(
    changes: &mut [Change],
    project: &Project,
    seen: &Seen,
) -> Result<Refused, Error> {
    let mut there = HashMap::new();
    for (stage, tasks) in &seen.tasks {
        if project.workflow.stage(*stage).is_none() {
            let text = "the project has no such stage any more";
            return Err(Error::new(ErrorKind::Settings, text));
        }
        let tasks = tasks.as_ref().map_err(Clone::clone)?;
        there.extend(tasks.iter().map(|(task, data)| ((*stage, *data), *task)));
    }
    let mut rows = seen.rows.iter();
    let mut refused = Vec::with_capacity(changes.len());
    for item in changes {
        let row = item.before.as_ref().and_then(|_| rows.next());
        let Some(task) = there.get(&(item.stage, item.data)) else {
            let text =
                "the task has not arrived here: the step of this plan before it was not written";
            refused.push(Some(text.to_owned()));
            continue;
        };
        item.task = *task;
        let Some(row) = row else {
            refused.push(None);
            continue;
        };
        let row = row.as_ref().map_err(Clone::clone)?;
        let expected = item.before.as_ref().and_then(|b| labels_of(&b.json));
        let same = (labels_of(&row.json).zip(expected))
            .is_some_and(|(now, expected)| saved_as(&now, &expected));
        refused.push(
            (!same).then(|| {
                "its labels are not as the step of this plan before it left them".to_owned()
            }),
        );
        if same {
            item.before = Some(row.clone());
        }
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::memory::{AGENT, COMPLETE, change, pathway, project};

    fn planned(way: Route) -> PlannedTask {
        let change = change(1, 2);
        PlannedTask {
            task: change.task,
            data: change.data,
            title: "a.jpg".into(),
            stage: AGENT,
            way,
            follows: None,
            change: Some(change),
        }
    }

    #[test]
    fn an_end_that_was_renamed_sent_elsewhere_or_removed_since_the_plan_is_found() {
        let crate::workflow::Pathway { id, name, to } = pathway();
        let through = planned(Route::Pathway { id, name, to });
        let moved = planned(Route::Stage {
            id: COMPLETE,
            title: "Complete".into(),
        });
        let now = project();
        assert_eq!(is_rerouted(&through, &now), None);
        assert_eq!(is_rerouted(&moved, &now), None);

        let changed = |edit: fn(&mut crate::workflow::Workflow)| {
            let mut project = (*now).clone();
            edit(&mut project.workflow);
            project
        };
        let renamed = changed(|w| w.stages[1].title = "Archive".into());
        assert_eq!(
            is_rerouted(&through, &renamed),
            None,
            "it leads to the same stage"
        );
        let why = is_rerouted(&moved, &renamed).unwrap();
        assert_eq!(
            why,
            "the stage \"Complete\", which it is moved to, was changed or removed since the plan was made"
        );
        let removed = changed(|w| w.stages.truncate(1));
        assert!(is_rerouted(&moved, &removed).is_some());
        let elsewhere = changed(|w| w.stages[0].pathways[0].to = AGENT);
        let why = is_rerouted(&through, &elsewhere).unwrap();
        assert!(
            why.starts_with("its pathway \"complete\" was changed"),
            "{why}"
        );
        let other = changed(|w| w.stages[0].pathways[0].name = "done".into());
        assert!(is_rerouted(&through, &other).is_some());
        assert_eq!(is_rerouted(&planned(Route::Stay), &removed), None);
    }
}
