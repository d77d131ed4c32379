//! Writing with the journal: note, send, note the answer; and finishing what a dead process left.

use super::points;
use super::{Deed, Journal};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wb_client::Writer;
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};
use wb_core::work::{CommitItem, Committed, Project};

use crate::runtime::now;
use wb_core::journal::Settled;

/// Commits outcomes. With `overwrite`, a row that somebody else changed is written all the same, on
/// what is there now.
///
/// # Errors
/// The journal cannot be written: nothing was sent.
pub async fn write(
    writer: &Writer,
    journal: Option<Journal>,
    project: &Project,
    items: Vec<CommitItem>,
    overwrite: bool,
) -> Result<Vec<(TaskId, Committed)>, Fault> {
    let mut deeds: Vec<Deed> = items
        .into_iter()
        .map(|item| Deed::new(item, project))
        .collect();
    before_images(writer, project, &mut deeds).await;
    let mut results = perform(writer, journal.as_ref(), project, &deeds).await?;
    if overwrite {
        let lost: Vec<usize> = (0..results.len())
            .filter(|i| matches!(results[*i].1, Committed::Conflict { .. }))
            .collect();
        let mut theirs: Vec<Deed> = lost.iter().map(|i| deeds[*i].clone()).collect();
        let faults = on_theirs(writer, project, &mut theirs).await;
        if faults.is_empty() && !theirs.is_empty() {
            let again = perform(writer, journal.as_ref(), project, &theirs).await?;
            for (place, result) in lost.into_iter().zip(again) {
                results[place] = result;
            }
        }
    }
    Ok(results)
}

/// Puts the rows as they are now in the place of those that the agents saw. What an agent saw only a
/// part of is read in that part again: the rest is not its to replace.
async fn on_theirs(writer: &Writer, project: &Project, deeds: &mut [Deed]) -> Vec<Fault> {
    let mut groups: BTreeMap<String, (InitialiseOptions, Vec<usize>)> = BTreeMap::new();
    for (i, deed) in deeds.iter().enumerate() {
        let options = deed.item.before.as_ref().map(|b| options_of(&b.json));
        let options = options.unwrap_or_default();
        let key = serde_json::to_string(&options).unwrap_or_default();
        let group = groups.entry(key).or_insert_with(|| (options, Vec::new()));
        group.1.push(i);
    }
    let include = IncludeOptions::default();
    let mut faults = Vec::new();
    for (options, members) in groups.into_values() {
        let units: Vec<_> = members
            .iter()
            .map(|i| (deeds[*i].item.data, deeds[*i].item.branch.clone()))
            .collect();
        let rows = writer
            .reader()
            .label_rows(project.hash, &units, &include, &options)
            .await;
        for (i, row) in members.into_iter().zip(rows) {
            match row {
                Ok(row) => {
                    deeds[i].old_priority = deeds[i].item.priority.and(row.priority);
                    deeds[i].item.before = Some(row);
                    // Theirs may be replaced; what stood there is in the journal.
                    deeds[i].item.metadata_before = None;
                }
                Err(fault) => faults.push(fault),
            }
        }
    }
    faults
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
pub async fn before_images(writer: &Writer, project: &Project, deeds: &mut [Deed]) {
    let unknown: Vec<usize> = (0..deeds.len())
        .filter(|i| {
            let deed = &deeds[*i];
            deed.item.metadata.is_some()
                || deed.item.priority.is_some() && deed.old_priority.is_none()
        })
        .collect();
    if unknown.is_empty() {
        return;
    }
    let units: Vec<_> = unknown
        .iter()
        .map(|i| (deeds[*i].item.data, deeds[*i].item.branch.clone()))
        .collect();
    let rows = writer.reader().row_metadata(project.hash, &units).await;
    for (i, row) in unknown.into_iter().zip(rows) {
        let Ok(row) = row else { continue };
        let deed = &mut deeds[i];
        if deed.item.priority.is_some() {
            deed.old_priority = deed.old_priority.or(row.priority);
        }
        if deed.item.metadata.is_some() {
            deed.item.item = deed.item.item.or(row.item);
            deed.old_metadata = Some(row.client_metadata.unwrap_or_default());
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

/// Notes deeds, sends them, notes the answers; results in the order given.
///
/// # Errors
/// The journal cannot be written: nothing was sent.
pub async fn perform(
    writer: &Writer,
    journal: Option<&Journal>,
    project: &Project,
    deeds: &[Deed],
) -> Result<Vec<(TaskId, Committed)>, Fault> {
    points::at("before-begin");
    let entries = match journal {
        Some(journal) => {
            let (book, noted, hash) = (journal.clone(), deeds.to_vec(), project.hash);
            in_background(move || book.begin(hash, &noted, now().0)).await?
        }
        None => Vec::new(),
    };
    points::at("begun");
    let ours = |i: &usize| entries.get(*i).is_none_or(Option::is_some);
    let open: Vec<usize> = (0..deeds.len()).filter(ours).collect();
    let sent: Cow<'_, [Deed]> = match open.len() == deeds.len() {
        true => deeds.into(),
        false => open.iter().map(|i| deeds[*i].clone()).collect(),
    };
    let answers = Box::pin(send(writer, project, &sent)).await;
    points::at("answered");
    if let Some(journal) = journal {
        let (book, noted) = (journal.clone(), answers.clone());
        let entries: Vec<i64> = entries.into_iter().flatten().collect();
        // The work is done; an entry that stays open is looked at by the next start.
        if let Err(fault) = in_background(move || book.end(&entries, &noted, false, now().0)).await
        {
            tracing::error!("{fault}");
        }
    }
    points::at("ended");
    let mut all: Vec<Committed> = vec![beside(); deeds.len()];
    for (i, answer) in open.into_iter().zip(answers) {
        all[i] = answer;
    }
    Ok(deeds.iter().map(|d| d.item.task).zip(all).collect())
}

/// The answer for a task that another process of this folder is writing: both have looked at it before
/// either wrote, which no look upstream would show.
fn beside() -> Committed {
    Committed::Conflict {
        by: "another workbench process of this folder, at this moment".to_owned(),
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Fault::new(FaultKind::Bug, format!("the journal's thread ended: {e}")))?
}

/// Labels, priority, metadata, then the move.
async fn send(writer: &Writer, project: &Project, deeds: &[Deed]) -> Vec<Committed> {
    let items: Vec<CommitItem> = deeds.iter().map(|d| d.item.clone()).collect();
    let mut answers: Vec<Committed> = Box::pin(writer.commit(project, items))
        .await
        .into_iter()
        .map(|(_, c)| c)
        .collect();
    let mut moves: BTreeMap<(StageId, StageId), Vec<usize>> = BTreeMap::new();
    for (i, deed) in deeds.iter().enumerate() {
        if let (true, Some(to), Committed::Done) = (deed.direct, deed.to, &answers[i]) {
            moves.entry((deed.item.stage, to)).or_default().push(i);
        }
    }
    let moved = !moves.is_empty();
    for ((from, to), places) in moves {
        let tasks: Vec<(TaskId, DataHash)> = places
            .iter()
            .map(|i| (deeds[*i].item.task, deeds[*i].item.data))
            .collect();
        let results = writer.move_tasks(project.hash, from, to, &tasks).await;
        for (i, (_, result)) in places.into_iter().zip(results) {
            answers[i] = result;
        }
    }
    if moved {
        points::at("moves");
    }
    answers
}

/// Compares priorities with what stood there when the deeds were noted: one that is neither that nor as wished
/// was set by somebody else since, and theirs stays. Metadata are compared by the commit, which is told what to
/// compare them with.
async fn since_noted(
    writer: &Writer,
    project: &Project,
    deeds: &mut [Deed],
) -> Vec<Option<Committed>> {
    let mut known = Vec::new();
    for (i, deed) in deeds.iter_mut().enumerate() {
        let seen = &mut deed.item.metadata_before;
        *seen = seen.take().or_else(|| deed.old_metadata.clone());
        if let (Some(wish), Some(old)) = (deed.item.priority, deed.old_priority) {
            known.push((i, wish, old));
        }
    }
    let unit = |i: usize| (deeds[i].item.data, deeds[i].item.branch.clone());
    let units: Vec<_> = known.iter().map(|(i, ..)| unit(*i)).collect();
    let mut theirs: Vec<Option<Committed>> = vec![None; deeds.len()];
    if units.is_empty() {
        return theirs;
    }
    let rows = writer.reader().row_metadata(project.hash, &units).await;
    for ((i, wish, old), row) in known.into_iter().zip(rows) {
        let changed =
            |now| !wb_client::same_priority(now, wish) && !wb_client::same_priority(now, old);
        theirs[i] = match row {
            Ok(row) => row
                .priority
                .filter(|now| changed(*now))
                .map(|now| Committed::Conflict {
                    by: format!("somebody else (priority {now})"),
                }),
            Err(fault) => Some(Committed::Refused(fault)),
        };
    }
    theirs
}

/// Finishes what dead processes had begun to write.
///
/// # Errors
/// The journal cannot be read or completed, or the platform cannot be asked.
pub async fn settle(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
) -> Result<Settled, Fault> {
    let mut pending = journal.pending(project.hash)?;
    if pending.deeds.is_empty() {
        return Ok(Settled::default());
    }
    let theirs = since_noted(writer, project, &mut pending.deeds).await;
    let ours: Vec<Deed> = (pending.deeds.iter().zip(&theirs))
        .filter(|(_, theirs)| theirs.is_none())
        .map(|(deed, _)| deed.clone())
        .collect();
    let mut sent = Box::pin(send(writer, project, &ours)).await.into_iter();
    let answers: Vec<Committed> = (theirs.into_iter())
        .filter_map(|theirs| theirs.or_else(|| sent.next()))
        .collect();
    journal.end(&pending.entries, &answers, true, now().0)?;
    let stuck = |f: &Fault| matches!(f.kind, FaultKind::Network | FaultKind::Access);
    if let Some(fault) = answers.iter().find_map(|a| match a {
        Committed::Refused(fault) if stuck(fault) => Some(fault.clone()),
        _ => None,
    }) {
        return Err(fault);
    }
    let finished = answers
        .iter()
        .filter(|a| matches!(a, Committed::Done | Committed::AlreadyMoved))
        .count();
    let found = answers.len();
    Ok(Settled {
        found,
        finished,
        left: found - finished,
    })
}

/// The same for the screen, which has no command to go on with: its own interrupted commits end here.
///
/// # Errors
/// As [`settle`].
pub async fn finish(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
) -> Result<Settled, Fault> {
    let settled = settle(writer, journal, project).await?;
    for op in journal
        .view(project.hash)?
        .iter()
        .filter(|op| op.finishable())
    {
        if op.open == 0 {
            journal.gone_on(project.hash, op.id, now().0)?;
        }
    }
    Ok(settled)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
