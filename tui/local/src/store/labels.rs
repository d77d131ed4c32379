//! Creates empty label rows, and simulates edits by somebody else. Saving is in `saving`, reading in
//! `blob`.

use rusqlite::{Connection, params};
use serde_json::json;
use serde_json::value::to_raw_value;
use uuid::Uuid;

use crate::error::{Refusal, not_found};
use crate::store::catalog::Project;
use crate::store::exact::{self, Fields};
use crate::store::sql::Sql as _;
use crate::store::tx::Tx;
use crate::time;

/// Whether a label row of these data units is missing on the branch.
pub(crate) fn missing(
    db: &Connection,
    project: &Project,
    data_hashes: &[Uuid],
    branch: &str,
) -> Result<bool, Refusal> {
    let mut find = db.prepare_cached(
        "SELECT 1 FROM label l JOIN data d ON d.id = l.data WHERE l.project = ?1 AND d.hash = ?2 AND l.branch = ?3",
    )?;
    for hash in data_hashes {
        if !find.exists(params![project.id, hash, branch])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Creates missing label rows. Idempotent.
pub(crate) fn create(
    tx: &Tx<'_>,
    project: &Project,
    data_hashes: &[Uuid],
    branch: &str,
) -> Result<(), Refusal> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO label(project, data, branch, hash, created, edited, creator, editor,
                           objects, classes, actions, units, spaces)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?6, '{}', '{}', '{}', '{}', '{}')
         ON CONFLICT(project, data, branch) DO NOTHING",
    )?;
    for hash in data_hashes {
        let (data, dataset) = data_in_project(tx, project, *hash)?;
        debug_assert!(project.dataset(dataset).is_some());
        // Derived from project, branch and data unit: the same row has the same hash in every run.
        let label = Uuid::new_v5(&project.uuid, format!("label/{branch}/{hash}").as_bytes());
        insert.execute(params![project.id, data, branch, label, tx.now, tx.actor])?;
    }
    Ok(())
}

fn data_in_project(db: &Connection, project: &Project, hash: Uuid) -> Result<(i64, i64), Refusal> {
    let sql = "SELECT id, dataset FROM data WHERE hash = ?1";
    let found: Option<(i64, i64)> = db.row(sql, [hash], |r| r.try_into())?;
    found
        .filter(|(_, dataset)| project.dataset(*dataset).is_some())
        .ok_or_else(|| not_found!("data unit {hash} is not in this project"))
}

/// Edits a row on behalf of somebody else: sets a text classification, or removes all classifications if
/// the ontology has no text classification.
pub(crate) fn disturb(tx: &Tx<'_>, project: &Project, label: Uuid) -> Result<(), Refusal> {
    let sql = "SELECT id, classes FROM label WHERE hash = ?1 AND project = ?2";
    let found: Option<(i64, String)> = tx.row(sql, params![label, project.id], |r| r.try_into())?;
    let Some((id, classes)) = found else {
        return Ok(());
    };
    let mut classes: Fields<'_> = serde_json::from_str(&classes)?;
    let edited;
    let hash = crate::ids::short_hash(crate::ids::mix(tx.now.unsigned_abs()));
    let ontology = exact::value(&project.ontology.editor).map_err(Refusal::Internal)?;
    let text = ontology["classifications"]
        .as_array()
        .and_then(|list| list.iter().find(|c| c["attributes"][0]["type"] == "text"));
    if let Some(found) = text {
        let attribute = &found["attributes"][0];
        let name = attribute["name"].as_str().unwrap_or_default();
        let entry = json!({
            "classificationHash": hash, "featureHash": found["featureNodeHash"], "spaces": {}, "range": [[0, 0]],
            "createdBy": tx.actor, "createdAt": time::long(tx.now), "lastEditedBy": tx.actor,
            "lastEditedAt": time::long(tx.now), "confidence": 1.0, "manualAnnotation": true,
            "classifications": [{
                "name": name, "value": name.to_lowercase(), "answers": "edited by somebody else",
                "featureHash": attribute["featureNodeHash"], "manualAnnotation": true,
            }],
        });
        let feature = found["featureNodeHash"].as_str();
        classes.retain(|_, c| exact::text(c, "featureHash").as_deref() != feature);
        edited = to_raw_value(&entry)?;
        classes.insert(hash, &edited);
    } else {
        classes.clear();
    }
    let sql = "UPDATE label SET classes = ?2, edited = ?3, editor = ?4 WHERE id = ?1";
    let classes = serde_json::to_string(&classes)?;
    tx.run(sql, params![id, classes, tx.now, tx.actor])?;
    Ok(())
}
