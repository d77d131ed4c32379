//! What takes further changes back, made of what stands there now. What they overwrite is kept in `further`.

use super::compare::{Skipped, by_place, place_of, skipped, taken_back};
use super::further::{by_project, is_ours, item_of};
use super::{Change, Seen, StandingEntry};
use crate::error::Error;
use crate::ids::{ProjectHash, TaskId};
use crate::work::{Further, FurtherRow, ItemStand, NewItem, RowInput};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
