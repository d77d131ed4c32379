//! Further changes in the ledger: what they overwrite is read before they are noted, and what takes them back is made of
//! what stands there now.

use super::compare::{
    Skipped, by_place, keep_before, place_of, rows_of, skipped, taken_back, unit,
};
use super::{Change, Look, Seen, StandingEntry};
use crate::error::Error;
use crate::ids::{ItemId, ProjectHash, TaskId};
use crate::work::{Further, FurtherRow, ItemStand, NewItem, RowInput, Touched};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// Steps for rows by their project: each with the place of its change and its own.
type Rows<'a> = BTreeMap<ProjectHash, Vec<(usize, usize, &'a FurtherRow)>>;

fn by_project(changes: &[Change]) -> Rows<'_> {
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
fn item_of(change: &Change) -> Option<ItemId> {
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
const fn is_ours(item: &NewItem) -> bool {
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

/// What takes the further changes of a change back, and why parts of it stay.
pub(super) type StepsBack = (Vec<Further>, Vec<String>);

/// What takes the further changes of each change back, the last one first; or why they are left.
pub(super) fn inverse(
    changes: &[Change],
    seen: &BTreeMap<ProjectHash, Seen>,
) -> Vec<Result<StepsBack, Skipped>> {
    let mut back = rows_back(changes, seen);
    let mut made: BTreeMap<_, _> = (seen.iter())
        .map(|(project, seen)| (*project, seen.new_items.iter()))
        .collect();
    for (change, back) in changes.iter().zip(&mut back) {
        for step in &change.further {
            let stays = step.stays().map(str::to_owned);
            let found = match step.item() {
                None => Ok((None, stays)),
                Some(item) if is_ours(item) => {
                    let stand = made.get_mut(&item.project).and_then(Iterator::next);
                    deleted(item, stand)
                }
                Some(item) => Ok((item.delete.then(|| inverted(item)), stays)),
            };
            match (&mut *back, found) {
                (Ok((steps, staying)), Ok((step, stays))) => {
                    steps.extend(step);
                    staying.extend(stays);
                }
                (Ok(_), Err(why)) => *back = Err(why),
                (Err(_), _) => {}
            }
        }
    }
    for (steps, _) in back.iter_mut().flatten() {
        steps.reverse();
        steps.sort_by_key(Further::phase);
    }
    back
}

/// The same of further rows only.
fn rows_back(
    changes: &[Change],
    seen: &BTreeMap<ProjectHash, Seen>,
) -> Vec<Result<StepsBack, Skipped>> {
    let mut back: Vec<Result<StepsBack, Skipped>> = vec![Ok(StepsBack::default()); changes.len()];
    for (project, steps) in by_project(changes) {
        let rows: Vec<Change> = steps.iter().map(|(_, _, row)| row.change.clone()).collect();
        let nothing = Seen::default();
        let seen = seen.get(&project).unwrap_or(&nothing);
        let (now, mut items) = (by_place(&rows, &seen.rows), seen.items.iter());
        for (n, (i, _, row)) in steps.iter().enumerate() {
            let item = item_of(&row.change).and_then(|_| items.next());
            let found = match (now.get(&n), item) {
                (Some(Err(error)), _) | (_, Some(Err(error))) => skipped(&error.summary),
                (now, item) => {
                    let now = now.and_then(|now| now.as_ref().ok());
                    let item = item.and_then(|item| item.as_ref().ok());
                    step_back(row, place_of(&row.change, seen), now, item)
                }
            };
            let found = found.map_err(|Skipped(why)| {
                let title = &row.project_title;
                Skipped(format!("a further change in {title}: {why}"))
            });
            match (&mut back[*i], found) {
                (Ok((steps, _)), Ok(step)) => steps.push(Further::Row(Box::new(step))),
                (place @ Ok(_), Err(why)) => *place = Err(why),
                (Err(_), _) => {}
            }
        }
    }
    back
}

/// What deletes an item that was made, as it stands now; or why it stays.
fn deleted(
    item: &NewItem,
    stand: Option<&Result<ItemStand, Error>>,
) -> Result<(Option<Further>, Option<String>), Skipped> {
    let title = &item.title;
    match stand {
        Some(Ok(ItemStand::Absent)) => Ok((None, None)),
        Some(Ok(ItemStand::There { used: None })) => Ok((Some(inverted(item)), None)),
        Some(Ok(ItemStand::There { used: Some(why) })) => {
            let stays = format!("the item \"{title}\" stays, because {why}");
            Ok((None, Some(stays)))
        }
        Some(Err(error)) => skipped(&format!("its item \"{title}\": {}", error.summary)),
        None => skipped(&format!("its item \"{title}\" was not looked for")),
    }
}

/// The step that takes the making or the deletion of an item back.
fn inverted(item: &NewItem) -> Further {
    Further::Item(Box::new(NewItem {
        delete: !item.delete,
        existed: false,
        absent: false,
        ..item.clone()
    }))
}

fn step_back(
    row: &FurtherRow,
    place: Option<TaskId>,
    now: Option<&RowInput>,
    item: Option<&Map<String, Value>>,
) -> Result<FurtherRow, Skipped> {
    let was = &row.change;
    if was.to.is_some() && place.is_none() {
        let to = row.to_title.as_deref().unwrap_or("its stage");
        return skipped(&format!(
            "the task is no longer at \"{to}\", where it was sent"
        ));
    }
    if let (Some(wrote), Some(item)) = (&was.metadata, item)
        && item != wrote
    {
        return skipped("its client metadata were changed since");
    }
    let entry = StandingEntry {
        id: 0,
        change: was.clone(),
        overtaken: false,
    };
    let change = Change {
        reverts: None,
        ..taken_back(&entry, place, now)?
    };
    Ok(FurtherRow {
        project: row.project,
        project_title: row.project_title.clone(),
        change,
        to_title: row.from_title.clone(),
        from_title: row.to_title.clone(),
    })
}
