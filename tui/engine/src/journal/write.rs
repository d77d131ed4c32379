//! Writing with the journal: note, send, note the answer. What an earlier write left in part of a task is
//! finished first.

use super::points;
use super::settle::complete;
use super::unfinished::{Before, Scope};
use super::{Change, Journal, Stored};
use std::collections::{BTreeMap, HashMap, HashSet};
use wb_client::Writer;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::TaskId;
use wb_core::ledger::{Ledger, Noted};
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{CommitItem, Committed, Project};

use crate::runtime::now;

/// Commits outcomes. With `overwrite`, a row that somebody else changed is written all the same, on
/// what is there now.
///
/// # Errors
/// The journal cannot be written: nothing was sent.
pub async fn write(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
    items: Vec<CommitItem>,
    overwrite: bool,
) -> Result<Vec<(TaskId, Committed)>, Error> {
    let mut changes: Vec<Change> = items
        .into_iter()
        .map(|item| Change::new(item, project))
        .collect();
    before_images(writer, project, &mut changes).await;
    let mut results = perform(writer, journal, project, &changes).await?;
    if overwrite {
        let lost: Vec<usize> = (0..results.len())
            .filter(|i| matches!(results[*i].1, Committed::Conflict { .. }))
            .collect();
        let mut theirs: Vec<Change> = lost.iter().map(|i| changes[*i].clone()).collect();
        let errors = on_theirs(writer, project, &mut theirs).await;
        if errors.is_empty() && !theirs.is_empty() {
            let tasks: Vec<TaskId> = theirs.iter().map(|change| change.item.task).collect();
            journal.release_conflicts(project.hash, Some(&tasks), now().0)?;
            let again = perform(writer, journal, project, &theirs).await?;
            for (place, result) in lost.into_iter().zip(again) {
                results[place] = result;
            }
        }
    }
    Ok(results)
}

/// Puts the rows as they are now in the place of those that the agents saw. What an agent saw only a
/// part of is read in that part again: the rest is not its to replace.
async fn on_theirs(writer: &Writer, project: &Project, changes: &mut [Change]) -> Vec<Error> {
    let mut groups: BTreeMap<String, (InitialiseOptions, Vec<usize>)> = BTreeMap::new();
    for (i, change) in changes.iter().enumerate() {
        let options = change.item.before.as_ref().map(|b| options_of(&b.json));
        let options = options.unwrap_or_default();
        let key = serde_json::to_string(&options).unwrap_or_default();
        let group = groups.entry(key).or_insert_with(|| (options, Vec::new()));
        group.1.push(i);
    }
    let include = IncludeOptions::default();
    let mut errors = Vec::new();
    for (options, members) in groups.into_values() {
        let units: Vec<_> = members
            .iter()
            .map(|i| (changes[*i].item.data, changes[*i].item.branch.clone()))
            .collect();
        let rows = writer
            .reader()
            .label_rows(project.hash, &units, &include, &options)
            .await;
        for (i, row) in members.into_iter().zip(rows) {
            match row {
                Ok(row) => {
                    changes[i].old_priority = changes[i].item.priority.and(row.priority);
                    changes[i].item.before = Some(row);
                    // Theirs may be replaced; what stood there is in the journal.
                    changes[i].item.metadata_before = None;
                }
                Err(error) => errors.push(error),
            }
        }
    }
    errors
}

/// Which part of the labels a row's document holds.
#[must_use]
pub fn options_of(json: &str) -> InitialiseOptions {
    #[derive(serde::Deserialize)]
    struct Doc {
        #[serde(default)]
        initialise: Option<InitialiseOptions>,
    }
    let doc = serde_json::from_str::<Doc>(json).ok();
    doc.and_then(|d| d.initialise).unwrap_or_default()
}

/// Learns what will be overwritten, where the agent's inputs did not tell.
pub async fn before_images(writer: &Writer, project: &Project, changes: &mut [Change]) {
    let unknown: Vec<usize> = (0..changes.len())
        .filter(|i| {
            let change = &changes[*i];
            change.item.metadata.is_some()
                || change.item.priority.is_some() && change.old_priority.is_none()
        })
        .collect();
    if unknown.is_empty() {
        return;
    }
    let units: Vec<_> = unknown
        .iter()
        .map(|i| (changes[*i].item.data, changes[*i].item.branch.clone()))
        .collect();
    let rows = writer.reader().row_metadata(project.hash, &units).await;
    for (i, row) in unknown.into_iter().zip(rows) {
        let Ok(row) = row else { continue };
        let change = &mut changes[i];
        if change.item.priority.is_some() {
            change.old_priority = change.old_priority.or(row.priority);
        }
        if change.item.metadata.is_some() {
            change.item.item = change.item.item.or(row.item);
            change.old_metadata = Some(row.client_metadata.unwrap_or_default());
        }
    }
}

/// The client metadata of a row's document.
#[must_use]
pub fn metadata_of(json: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    let doc: serde_json::Value = serde_json::from_str(json).ok()?;
    match doc.pointer("/metadata/client_metadata") {
        Some(serde_json::Value::Object(map)) => Some(map.clone()),
        Some(serde_json::Value::Null) => Some(serde_json::Map::new()),
        _ => None,
    }
}

/// Notes changes, sends them, notes the answers; results in the order given.
///
/// # Errors
/// The journal cannot be written: nothing was sent.
pub async fn perform(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
    changes: &[Change],
) -> Result<Vec<(TaskId, Committed)>, Error> {
    let mut all = Box::pin(finish_first(writer, journal, project, changes)).await?;
    points::at("before-begin");
    let mut open: Vec<usize> = (0..changes.len()).filter(|i| all[*i].is_none()).collect();
    let mut noted = Vec::new();
    if !open.is_empty() {
        let changes: Vec<Change> = open.iter().map(|i| changes[*i].clone()).collect();
        let (ledger, hash) = (journal.clone(), project.hash);
        let begun = in_background(move || ledger.note(hash, changes, now())).await?;
        for (i, change) in open.iter().zip(begun) {
            match change {
                Some(change) => noted.push(change),
                None => all[*i] = Some(beside()),
            }
        }
        open.retain(|i| all[*i].is_none());
    }
    points::at("begun");
    let entries: Vec<i64> = noted.iter().map(Noted::entry).collect();
    let answers = Box::pin(writer.send(project, noted)).await;
    let answers = answers.into_iter().map(|(_, answer)| in_words(answer));
    let answers: Vec<Committed> = answers.collect();
    points::at("answered");
    let (ledger, given) = (journal.clone(), answers.clone());
    let before = vec![Before::New; entries.len()];
    // The work is done; an entry that stays open is completed by the next start.
    let ended = in_background(move || ledger.end(&entries, &given, &before, now().0)).await;
    if let Err(error) = ended {
        tracing::error!("{error}");
    }
    points::at("ended");
    for (i, answer) in open.into_iter().zip(answers) {
        all[i] = Some(answer);
    }
    let all = all
        .into_iter()
        .map(|answer| answer.unwrap_or(Committed::Done));
    Ok(changes.iter().map(|d| d.item.task).zip(all).collect())
}

/// Finishes what is written in part of the tasks of these changes. A change whose task is one of them has its
/// answer: what was to be written twice is written once.
async fn finish_first(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
    changes: &[Change],
) -> Result<Vec<Option<Committed>>, Error> {
    let tasks: HashSet<String> = changes.iter().map(|d| d.item.task.to_string()).collect();
    let but: HashSet<i64> = changes.iter().filter_map(|d| d.reverts).collect();
    let (book, hash) = (journal.clone(), project.hash);
    let open = in_background(move || book.claim(hash, Scope::Tasks(&tasks, &but))).await?;
    if open.is_empty() {
        return Ok(vec![None; changes.len()]);
    }
    let answers = complete(writer, journal, project, &open).await?;
    let mut found = HashMap::new();
    for (open, answer) in open.into_iter().zip(answers) {
        found.insert(open.change.item.task, (open.change, answer));
    }
    let answer = |change: &Change| match found.get(&change.item.task)? {
        (earlier, Committed::Done)
            if !Stored::brief(change).sets_the_same(&Stored::brief(earlier)) =>
        {
            let by = "an earlier outcome of this task, which is written now".to_owned();
            Some(Committed::Conflict { by })
        }
        // What was written is not there any more: this one takes its place.
        (_, Committed::Refused(error)) if error.kind == ErrorKind::Conflict => None,
        (_, answer) => Some(answer.clone()),
    };
    Ok(changes.iter().map(answer).collect())
}

/// Says of a task that is written in part what is there.
pub(super) fn in_words(answer: Committed) -> Committed {
    match answer {
        Committed::Partial { written, mut error } => {
            let words = written.words();
            if !error.summary.starts_with(&words) {
                error.summary = format!("{words} written, but {}", error.summary);
            }
            let hint =
                "`workbench resume` finishes it; `workbench undo` takes back what was written";
            if !error.hints.iter().any(|known| known == hint) {
                error.hints.insert(0, hint.to_owned());
            }
            Committed::Partial { written, error }
        }
        other => other,
    }
}

/// The answer for a task that another process of this folder is writing: both have looked at it before
/// either wrote, which no look upstream would show.
fn beside() -> Committed {
    Committed::Conflict {
        by: "another workbench process of this folder, at this moment".to_owned(),
    }
}

pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::new(ErrorKind::Bug, format!("the journal's thread ended: {e}")))?
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod refusals;
