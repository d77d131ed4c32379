//! Further changes in the ledger: what they overwrite is read before they are noted. What takes them back is made in
//! `back`.

use super::compare::{keep_before, labels_of, rows_of, unit};
use super::{Change, Look, Seen};
use crate::error::Error;
use crate::ids::{ItemId, ProjectHash, StageId};
use crate::labels::{same_labels, saved_as};
use crate::work::{Further, FurtherRow, ItemStand, NewItem, RowInput, Touched};
use std::collections::{BTreeMap, HashSet};

/// Steps for rows by their project: each with the place of its change and its own.
pub(super) type Rows<'a> = BTreeMap<ProjectHash, Vec<(usize, usize, &'a FurtherRow)>>;

pub(super) fn by_project(changes: &[Change]) -> Rows<'_> {
    let mut rows = Rows::new();
    for (i, change) in changes.iter().enumerate() {
        for (step, further) in change.further.iter().enumerate() {
            if let Some(row) = further.row() {
                let steps = rows.entry(row.project).or_default();
                steps.push((i, step, row));
            }
        }
    }
    rows
}

/// Everything that a change writes to, so that two that write to the same go one after the other.
pub(super) fn touched(change: &Change) -> impl Iterator<Item = Touched> {
    let further = change.further.iter().filter_map(Further::touched);
    // Several steps of one change may touch the same.
    let all: HashSet<Touched> = further.chain([Touched::Data(change.data)]).collect();
    all.into_iter()
}

/// A storage item that is named itself, not by a data unit.
pub(super) fn item_of(change: &Change) -> Option<ItemId> {
    change.item.filter(|_| change.data.0.is_nil())
}

/// Whether a step overwrites something that is not known.
const fn overwrites(change: &Change) -> bool {
    change.priority.is_some() && change.old_priority.is_none()
        || change.metadata.is_some() && change.old_metadata.is_none()
}

/// What is read to know what further changes overwrite.
pub(super) fn unknown(changes: &[Change]) -> Look {
    let mut look = Look::default();
    for (project, steps) in by_project(changes) {
        let mut other = Look::default();
        for (_, _, row) in steps {
            match item_of(&row.change) {
                _ if !overwrites(&row.change) => {}
                Some(item) => other.items.push(item),
                None => other.metadata.push(unit(&row.change)),
            }
        }
        if !other.is_empty() {
            look.others.insert(project, other);
        }
    }
    for (project, items) in new_items(changes, |item| !item.delete) {
        look.others.entry(project).or_default().new_items = items;
    }
    look
}

/// The new items by their project, in the order of the changes.
fn new_items(
    changes: &[Change],
    wanted: impl Fn(&NewItem) -> bool,
) -> BTreeMap<ProjectHash, Vec<NewItem>> {
    let mut items: BTreeMap<ProjectHash, Vec<NewItem>> = BTreeMap::new();
    let all = changes.iter().flat_map(|change| &change.further);
    for item in all.filter_map(Further::item).filter(|item| wanted(item)) {
        items.entry(item.project).or_default().push(item.clone());
    }
    items
}

/// Keeps what was read for [`unknown`], so that it can be taken back.
pub(super) fn keep(changes: &mut [Change], seen: Seen) {
    let each = |seen: Seen| {
        let (metadata, items) = (seen.metadata.into_iter(), seen.items.into_iter());
        (metadata, items, seen.new_items.into_iter())
    };
    let mut seen: BTreeMap<_, _> = (seen.others.into_iter())
        .map(|(project, seen)| (project, each(seen)))
        .collect();
    // In the order of `by_project`: within a project as the changes stand.
    for step in changes.iter_mut().flat_map(|change| &mut change.further) {
        let Some((metadata, items, made)) = seen.get_mut(&step.project()) else {
            continue;
        };
        if let Some(item) = step.item_mut().filter(|item| !item.delete) {
            match made.next() {
                Some(Ok(ItemStand::There { .. })) => item.existed = true,
                Some(Ok(ItemStand::Absent)) => item.absent = true,
                // It is looked for again when it is sent.
                Some(Err(_)) | None => {}
            }
        }
        let Some(row) = step.row_mut() else { continue };
        let change = &mut row.change;
        if !overwrites(change) {
            continue;
        }
        if item_of(change).is_some() {
            change.old_metadata = items.next().and_then(Result::ok);
        } else if let Some(Ok(known)) = metadata.next() {
            keep_before(change, Some(known));
        }
    }
}

/// The rows of further labels, as they are now: what they are written over where a person decided so.
pub(super) fn rows_again(changes: &[Change]) -> BTreeMap<ProjectHash, Look> {
    let mut others = BTreeMap::new();
    for (project, steps) in by_project(changes) {
        let rows: Vec<Change> = steps.iter().map(|(_, _, row)| labels_only(row)).collect();
        let look = Look {
            rows: rows_of(&rows).map(|(_, row)| row).collect(),
            ..Look::default()
        };
        if !look.is_empty() {
            others.insert(project, look);
        }
    }
    others
}

/// The change of a step for labels; of another one, a change that writes nothing.
fn labels_only(row: &FurtherRow) -> Change {
    let change = row.change.clone();
    Change {
        priority: None,
        metadata: None,
        ..change
    }
}

/// The rows that were read for [`rows_again`] take the place of those that the agents saw; what the other steps
/// overwrite is read again.
///
/// # Errors
/// A row cannot be read.
pub(super) fn over_theirs(
    changes: &mut [Change],
    seen: BTreeMap<ProjectHash, Seen>,
) -> Result<(), ()> {
    let mut rows: BTreeMap<_, _> = (seen.into_iter())
        .map(|(project, seen)| (project, seen.rows.into_iter()))
        .collect();
    for row in changes.iter_mut().flat_map(|change| &mut change.further) {
        let Some(row) = row.row_mut() else { continue };
        let change = &mut row.change;
        (change.old_priority, change.old_metadata) = (None, None);
        change.metadata_before = None;
        if change.labels_after.is_some() {
            let now = rows.get_mut(&row.project).and_then(Iterator::next);
            change.before = Some(now.ok_or(())?.map_err(|_| ())?);
        }
    }
    Ok(())
}

/// What is read to compare the rows and tasks of further changes with what their plan saw.
pub(super) fn planned(changes: &[Change]) -> BTreeMap<ProjectHash, Look> {
    let mut others = rows_again(changes);
    for (project, steps) in by_project(changes) {
        for (change, to) in steps
            .iter()
            .filter_map(|(.., row)| Some((&row.change, row.change.to?)))
        {
            let look = others.entry(project).or_default();
            for stage in [change.stage, to] {
                look.tasks.entry(stage).or_default().push(change.data);
            }
        }
    }
    others
}

/// Why each change is not written, with what was read for [`planned`]: somebody has changed a row or moved a task that it
/// writes to. What is there already speaks against nothing.
pub(super) fn changed_since(
    changes: &[Change],
    seen: &BTreeMap<ProjectHash, Seen>,
) -> Vec<Option<String>> {
    let mut found = vec![None; changes.len()];
    for (project, steps) in by_project(changes) {
        let Some(seen) = seen.get(&project) else {
            continue;
        };
        let mut rows = seen.rows.iter();
        for (i, _, row) in steps {
            let change = &row.change;
            let now = change.labels_after.as_ref().and_then(|_| rows.next());
            let why = match (now, change.to) {
                (Some(now), _) => labels_since(change, now),
                (None, Some(to)) => moved_since(change, to, seen),
                (None, None) => None,
            };
            if let (Some(why), place @ None) = (why, &mut found[i]) {
                let (title, project) = (&change.title, &row.project_title);
                *place = Some(format!("\"{title}\" in {project}: {why}"));
            }
        }
    }
    found
}

fn labels_since(change: &Change, now: &Result<RowInput, Error>) -> Option<String> {
    let now = match now {
        Ok(row) => labels_of(&row.json),
        Err(error) => return Some(error.summary.clone()),
    };
    let before = (change.before.as_ref()).and_then(|before| labels_of(&before.json));
    let same = now == before
        || now.is_some_and(|now| {
            let after = change.labels_after.as_ref();
            before.is_some_and(|before| same_labels(&now, &before))
                || after.is_some_and(|after| saved_as(&now, &after.read()))
        });
    (!same).then(|| "its labels changed since the plan was made".to_owned())
}

fn moved_since(change: &Change, to: StageId, seen: &Seen) -> Option<String> {
    let at = |stage| {
        seen.tasks
            .get(stage)
            .map_or(Ok(&[][..]), |tasks| tasks.as_deref())
    };
    let (here, there) = match (at(&change.stage), at(&to)) {
        (Ok(here), Ok(there)) => (here, there),
        (Err(error), _) | (_, Err(error)) => return Some(error.summary.clone()),
    };
    let waits = here.iter().any(|(task, _)| *task == change.task);
    let same = waits || there.iter().any(|(_, data)| *data == change.data);
    (!same).then(|| "its task has left the stage since the plan was made".to_owned())
}

/// What is read before the further changes of entries are taken back.
pub(super) fn look_at(changes: &[Change]) -> BTreeMap<ProjectHash, Look> {
    let mut looks: BTreeMap<ProjectHash, Look> = looks_at_rows(changes);
    for (project, items) in new_items(changes, is_ours) {
        let look = looks.entry(project).or_default();
        (look.new_items, look.uses) = (items, true);
    }
    looks
}

/// Whether taking an item back may delete it.
pub(super) const fn is_ours(item: &NewItem) -> bool {
    !item.delete && !item.existed
}

fn looks_at_rows(changes: &[Change]) -> BTreeMap<ProjectHash, Look> {
    let looks = by_project(changes).into_iter().map(|(project, steps)| {
        let rows: Vec<Change> = steps.iter().map(|(_, _, row)| row.change.clone()).collect();
        let mut look = Look {
            client_metadata: true,
            rows: rows_of(&rows).map(|(_, row)| row).collect(),
            items: rows.iter().filter_map(item_of).collect(),
            ..Look::default()
        };
        for change in &rows {
            if let Some(to) = change.to {
                look.tasks.entry(to).or_default().push(change.data);
            }
        }
        (project, look)
    });
    looks.collect()
}
