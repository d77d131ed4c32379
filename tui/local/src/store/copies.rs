//! Copies a project's labels into another project, labels from one branch to another, and a dataset's
//! units into another dataset.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::error::Refusal;
use crate::store::catalog::Project;
use crate::store::items;
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;
use crate::store::units::{self, Duplicates};

/// A label row without its project.
struct Copied {
    data: i64,
    data_hash: Uuid,
    hash: Uuid,
    branch: String,
    creator: String,
    editor: String,
    /// Objects, classifications, actions, units, spaces and other fields: JSON as it is stored.
    parts: [String; 6],
}

fn rows(db: &Connection, project: i64) -> Result<Vec<Copied>, Refusal> {
    let sql =
        "SELECT l.data, d.hash, l.hash, l.branch, l.creator, l.editor, l.objects, l.classes, l.actions, l.units, l.spaces, l.extra
         FROM label l JOIN data d ON d.id = l.data WHERE l.project = ?1 ORDER BY l.id";
    db.rows(sql, [project], |r| {
        Ok(Copied {
            data: r.get(0)?,
            data_hash: r.get(1)?,
            hash: r.get(2)?,
            branch: r.get(3)?,
            creator: r.get(4)?,
            editor: r.get(5)?,
            parts: [
                r.get(6)?,
                r.get(7)?,
                r.get(8)?,
                r.get(9)?,
                r.get(10)?,
                r.get(11)?,
            ],
        })
    })
}

fn write(
    tx: &Tx<'_>,
    project: (i64, Uuid),
    (data, data_hash): (i64, Uuid),
    branch: &str,
    row: &Copied,
) -> Result<(), Refusal> {
    let label = Uuid::new_v5(&project.1, format!("label/{branch}/{data_hash}").as_bytes());
    let [objects, classes, actions, units, spaces, extra] = &row.parts;
    tx.run(
        "INSERT INTO label(project, data, branch, hash, created, edited, creator, editor,
                           objects, classes, actions, units, spaces, extra)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT(project, data, branch) DO UPDATE SET edited = ?5, editor = ?7, objects = ?8, classes = ?9,
                           actions = ?10, units = ?11, spaces = ?12, extra = ?13",
        params![
            project.0, data, branch, label, tx.now, row.creator, row.editor, objects, classes, actions, units,
            spaces, extra
        ],
    )?;
    Ok(())
}

/// A data unit and its counterpart in a copy: number and hash of each.
pub(crate) type Pair = ((i64, Uuid), (i64, Uuid));

/// Copies the label rows of one project into another. `pairs` maps the units; `None`: both projects use
/// the same ones. `wanted` are label hashes; `None`: all rows.
pub(crate) fn labels(
    tx: &Tx<'_>,
    from: &Project,
    to: (i64, Uuid),
    pairs: Option<&[Pair]>,
    wanted: Option<&HashSet<Uuid>>,
) -> Result<usize, Refusal> {
    let map: Option<HashMap<i64, (i64, Uuid)>> =
        pairs.map(|list| list.iter().map(|((id, _), new)| (*id, *new)).collect());
    let names: Vec<(String, String)> = pairs
        .unwrap_or_default()
        .iter()
        .map(|((_, old), (_, new))| (old.to_string(), new.to_string()))
        .collect();
    let mut copied = 0;
    for mut row in rows(tx, from.id)? {
        if wanted.is_some_and(|w| !w.contains(&row.hash)) {
            continue;
        }
        let target = match &map {
            None => (row.data, row.data_hash),
            Some(map) => match map.get(&row.data) {
                Some(target) => *target,
                None => continue,
            },
        };
        // Labels on images of groups and on parts of data groups are stored by their hashes, which differ
        // in the copy.
        for (old, new) in &names {
            for part in row.parts.iter_mut().filter(|p| p.contains(old.as_str())) {
                *part = part.replace(old.as_str(), new);
            }
        }
        write(tx, to, target, &row.branch, &row)?;
        copied += 1;
    }
    Ok(copied)
}

/// Copies label rows to another branch of the same project. Existing rows stay unless `overwrite`. Returns
/// how many were written.
pub(crate) fn branch(
    tx: &Tx<'_>,
    project: &Project,
    (from, to): (&str, &str),
    wanted: Option<&HashSet<Uuid>>,
    overwrite: bool,
) -> Result<usize, Refusal> {
    let all = rows(tx, project.id)?;
    let there: HashSet<i64> = all
        .iter()
        .filter(|r| r.branch == to)
        .map(|r| r.data)
        .collect();
    let mut copied = 0;
    for row in all.iter().filter(|r| r.branch == from) {
        let asked = wanted.is_none_or(|w| w.contains(&row.hash));
        if !asked || (!overwrite && there.contains(&row.data)) {
            continue;
        }
        let unit = (row.data, row.data_hash);
        write(tx, (project.id, project.uuid), unit, to, row)?;
        copied += 1;
    }
    Ok(copied)
}

/// Adds the units of some datasets to another one, as further units of the same items. `wanted` lists the
/// units by dataset; empty: all. Returns the counterparts, including children.
pub(crate) fn clone_units(
    tx: &Tx<'_>,
    from: &Project,
    to: i64,
    wanted: &HashMap<Uuid, Vec<Uuid>>,
) -> Result<Vec<Pair>, Refusal> {
    let mut pairs = Vec::new();
    for dataset in &from.datasets {
        let chosen = wanted.get(&dataset.uuid);
        if !wanted.is_empty() && chosen.is_none() {
            continue;
        }
        for unit in items::list(tx, Some(dataset.id), false, 0, usize::MAX >> 1)? {
            if chosen.is_some_and(|list| !list.contains(&unit.hash)) {
                continue;
            }
            let made = units::link(tx, to, &[unit.item], Duplicates::Duplicate)?;
            let Some(copy) = items::by_hash(tx, &made)?.pop() else {
                continue;
            };
            let old = items::children(tx, unit.id)?;
            let new = items::children(tx, copy.id)?;
            pairs.push(((unit.id, unit.hash), (copy.id, copy.hash)));
            let children = old.iter().zip(&new);
            pairs.extend(children.map(|(o, n)| ((o.id, o.hash), (n.id, n.hash))));
        }
    }
    Ok(pairs)
}
