//! Taking entries back: what is read before, and the change that takes each of them back, its further changes included.

use super::compare::{Skipped, by_place, place_of, rows_of, skipped, taken_back};
use super::{Change, Look, Seen, StandingEntry, back, further};
use crate::error::Error;
use crate::ids::{DataHash, StageId};
use crate::work::Project;
use std::collections::BTreeMap;

/// What is read before entries are taken back: where their tasks are, and their rows.
pub(super) fn look_at(entries: &[StandingEntry], project: &Project) -> Look {
    let mut tasks: BTreeMap<StageId, Vec<DataHash>> = BTreeMap::new();
    for change in entries.iter().map(|entry| &entry.change) {
        if let Some(to) = change.to.filter(|to| project.workflow.stage(*to).is_some()) {
            tasks.entry(to).or_default().push(change.data);
        }
    }
    Look {
        tasks,
        rows: rows_of(&changes_of(entries)).map(|(_, row)| row).collect(),
        client_metadata: true,
        others: further::look_at(&changes_of(entries)),
        ..Look::default()
    }
}

/// What takes an entry back.
pub(super) struct ChangeBack {
    /// What is written.
    pub change: Change,
    /// What of the entry cannot be taken back, and why.
    pub stays: Vec<String>,
}

fn changes_of(entries: &[StandingEntry]) -> Vec<Change> {
    entries.iter().map(|entry| entry.change.clone()).collect()
}

/// The change that takes each entry back, in the order given.
///
/// # Errors
/// The platform could not be asked where the tasks are.
pub(super) fn inverse(
    entries: &[StandingEntry],
    project: &Project,
    seen: &Seen,
) -> Result<Vec<Result<ChangeBack, Skipped>>, Error> {
    if let Some(error) = seen.tasks.values().find_map(|tasks| tasks.as_ref().err()) {
        return Err(error.clone());
    }
    let mut others = seen.others.values().flat_map(|seen| seen.tasks.values());
    if let Some(error) = others.find_map(|tasks| tasks.as_ref().err()) {
        return Err(error.clone());
    }
    let changes = changes_of(entries);
    let mut further = back::inverse(&changes, &seen.others).into_iter();
    let rows = by_place(&changes, &seen.rows);
    let each = entries.iter().enumerate().map(|(i, entry)| {
        let place = place_of(&entry.change, seen);
        if let (Some(to), None) = (entry.change.to, place) {
            let stage = project.workflow.stage(to);
            let stage = stage.map_or("its stage", |s| s.title.as_str());
            let why = format!("the task is no longer at \"{stage}\", where it was sent");
            return Err(Skipped(why));
        }
        let further = further.next().unwrap_or_else(|| Ok(Default::default()));
        let (further, stays) = further?;
        let back = match rows.get(&i) {
            Some(Ok(row)) => taken_back(entry, place, Some(row)),
            Some(Err(error)) => skipped(&error.summary),
            None => taken_back(entry, place, None),
        };
        back.map(|back| ChangeBack {
            change: Change { further, ..back },
            stays,
        })
    });
    Ok(each.collect())
}
