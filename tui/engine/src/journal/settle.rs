//! Finishing what earlier commands left: entries without an answer, and those written in part.

use super::unfinished::{Before, Open, Scope};
use super::write::{in_background, in_words};
use super::{Change, Entry, Journal};
use crate::runtime::now;
use crate::undo::{self, Stands};
use std::collections::{BTreeMap, HashSet};
use wb_client::Writer;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::journal::Settled;
use wb_core::ledger::Ledger;
use wb_core::work::{Committed, Project, Written};

/// Compares priorities with what stood there when the changes were noted: one that is neither that nor as wished
/// was set by somebody else since, and theirs stays. Metadata are compared by the commit, which is told what to
/// compare them with.
async fn since_noted(
    writer: &Writer,
    project: &Project,
    changes: &mut [Change],
) -> Vec<Option<Committed>> {
    let mut known = Vec::new();
    for (i, change) in changes.iter_mut().enumerate() {
        let seen = &mut change.item.metadata_before;
        *seen = seen.take().or_else(|| change.old_metadata.clone());
        if let (Some(wish), Some(old)) = (change.item.priority, change.old_priority) {
            known.push((i, wish, old));
        }
    }
    let unit = |i: usize| (changes[i].item.data, changes[i].item.branch.clone());
    let units: Vec<_> = known.iter().map(|(i, ..)| unit(*i)).collect();
    let mut theirs: Vec<Option<Committed>> = vec![None; changes.len()];
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
            Err(error) => Some(Committed::Refused(error)),
        };
    }
    theirs
}

/// Finishes what earlier commands had begun to write.
///
/// # Errors
/// The journal cannot be read or completed, or the platform cannot be asked.
pub async fn settle(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
    scope: Scope<'_>,
) -> Result<Settled, Error> {
    let open = journal.claim(project.hash, scope)?;
    if open.is_empty() {
        return Ok(Settled::default());
    }
    let answers = Box::pin(complete(writer, journal, project, &open)).await?;
    let stuck = |answer: &Committed| match answer {
        Committed::Refused(f) => matches!(f.kind, ErrorKind::Network | ErrorKind::Access),
        Committed::Partial { error, .. } => error.kind == ErrorKind::Network,
        _ => false,
    };
    if let Some(error) = answers.iter().find(|a| stuck(a)).and_then(Committed::error) {
        return Err(error.clone());
    }
    let mut settled = Settled {
        found: answers.len(),
        ..Settled::default()
    };
    for (open, answer) in open.iter().zip(answers) {
        match answer {
            Committed::Done | Committed::AlreadyMoved => settled.finished += 1,
            Committed::Partial { error, .. } => {
                settled.in_part += 1;
                settled.why.get_or_insert(error);
            }
            Committed::Conflict { .. } if open.written.labels => settled.changed += 1,
            Committed::Conflict { .. } | Committed::Refused(_) => settled.left += 1,
        }
    }
    Ok(settled)
}

/// Finishes claimed entries and notes the answers, which come in the same order.
///
/// # Errors
/// The answers cannot be noted.
pub(super) async fn complete(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
    open: &[Open],
) -> Result<Vec<Committed>, Error> {
    let mut answers: Vec<Option<Committed>> = vec![None; open.len()];
    let (begun, unknown): (Vec<usize>, Vec<usize>) =
        (0..open.len()).partition(|i| open[*i].written.any());
    let (mut places, mut changes) = (Vec::new(), Vec::new());
    for i in unknown {
        places.push(i);
        changes.push(open[i].change.clone());
    }
    for (i, rest) in Box::pin(rests(writer, project, open, begun)).await {
        match rest {
            Ok(change) => {
                places.push(i);
                changes.push(change);
            }
            Err(answer) => answers[i] = Some(answer),
        }
    }
    let theirs = since_noted(writer, project, &mut changes).await;
    let mut ours = Vec::with_capacity(changes.len());
    for ((i, change), theirs) in places.into_iter().zip(changes).zip(theirs) {
        match theirs {
            Some(theirs) => answers[i] = Some(theirs),
            None => ours.push((i, change)),
        }
    }
    let (mut places, mut noted) = (Vec::new(), Vec::new());
    for (i, change) in ours {
        // Claimed entries are held until they have an answer.
        if let Some(change) = journal.rest_of(open[i].id, change) {
            places.push(i);
            noted.push(change);
        } else {
            let text = format!("entry {} of the journal is not held here", open[i].id);
            answers[i] = Some(Committed::Refused(Error::new(ErrorKind::Bug, text)));
        }
    }
    let sent = Box::pin(writer.send(project, noted)).await;
    for (i, (_, answer)) in places.into_iter().zip(sent) {
        answers[i] = Some(answer);
    }
    let answers: Vec<Committed> = (open.iter().zip(answers))
        .map(|(open, answer)| in_words(with(answer.unwrap_or(Committed::Done), open.written)))
        .collect();
    let ids: Vec<i64> = open.iter().map(|open| open.id).collect();
    let before: Vec<Before> = open.iter().map(before).collect();
    let (book, noted) = (journal.clone(), answers.clone());
    in_background(move || book.end(&ids, &noted, &before, now().0)).await?;
    Ok(answers)
}

const fn before(open: &Open) -> Before {
    match open.refused {
        Some(_) => Before::InPart,
        None => Before::Unanswered,
    }
}

/// The answer of an entry of which this much was written before.
fn with(answer: Committed, written: Written) -> Committed {
    match answer {
        // What was written is not there any more, so that nothing is left in part.
        Committed::Refused(error) if error.kind == ErrorKind::Conflict => Committed::Refused(error),
        Committed::Partial {
            written: more,
            error,
        } => Committed::Partial {
            written: written.and(more),
            error,
        },
        other => other.after(written),
    }
}

/// What is missing of entries that are written in part: without what stands there already. An entry whose task
/// has left, or whose row somebody changed since, has its answer.
async fn rests(
    writer: &Writer,
    project: &Project,
    open: &[Open],
    begun: Vec<usize>,
) -> Vec<(usize, Result<Change, Committed>)> {
    let reader = writer.reader();
    let mut rests = Vec::new();
    let mut stages: BTreeMap<StageId, Vec<(TaskId, DataHash)>> = BTreeMap::new();
    for item in begun.iter().map(|i| &open[*i].change.item) {
        stages
            .entry(item.stage)
            .or_default()
            .push((item.task, item.data));
    }
    let mut waiting: BTreeMap<StageId, Result<HashSet<TaskId>, Error>> = BTreeMap::new();
    for (stage, tasks) in stages {
        let found = reader.still_at(project.hash, stage, &tasks).await;
        waiting.insert(stage, found.map_err(Error::from));
    }
    let mut here = Vec::new();
    for i in begun {
        let item = &open[i].change.item;
        match waiting.get(&item.stage) {
            Some(Err(error)) => rests.push((i, Err(Committed::Refused(error.clone())))),
            Some(Ok(tasks)) if !tasks.contains(&item.task) => {
                rests.push((i, Err(Committed::AlreadyMoved)));
            }
            _ => here.push(i),
        }
    }
    let entries: Vec<Entry> = here
        .iter()
        .map(|i| Entry {
            id: open[*i].id,
            change: open[*i].change.only(open[*i].written),
            overtaken: false,
        })
        .collect();
    let stand = undo::stand(reader, project, &entries).await;
    for (i, stands) in here.into_iter().zip(stand) {
        let rest = match stands {
            Stands::AsWritten => Ok(open[i].change.without(open[i].written)),
            Stands::Changed(by) => Err(Committed::Conflict { by }),
            Stands::TakenBack => {
                let text = "somebody took its labels out again, so nothing was finished";
                Err(Committed::Refused(Error::new(ErrorKind::Conflict, text)))
            }
            Stands::Unknown(error) => Err(Committed::Refused(error)),
        };
        rests.push((i, rest));
    }
    rests
}

/// The same for the screen, which has no command to go on with: its own interrupted commits end here.
///
/// # Errors
/// As [`settle`].
pub async fn finish(
    writer: &Writer,
    journal: &Journal,
    project: &Project,
) -> Result<Settled, Error> {
    let settled = settle(writer, journal, project, Scope::All).await?;
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
