//! How the further changes of a batch stand upstream, before anything of it is written.

use super::super::Writer;
use super::super::bundle::Fate;
use super::{FurtherStep, Left, by_project, steps};
use crate::labels::same_metadata;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ItemId, ProjectHash, StageId, TaskId};
use wb_core::labels::same_priority;
use wb_core::work::{Change, Committed, RowMetadata, WritePhase, Written};
use wb_core::workflow::{Stage, StageKind};

/// What a conflict names where only the move is known.
pub(in super::super) const MOVED_ON: &str = "whoever moved the task on meanwhile";
/// What a conflict names where another outcome writes the same.
const SAME_BATCH: &str = "another outcome, which is written at the same time";

/// How a step stands.
enum Stand {
    /// As it is to be.
    Ours,
    /// As it was: it may be written; metadata to this storage item.
    Free(Option<ItemId>),
    /// It must not be written.
    Ended(Fate),
}

type Stands = HashMap<(usize, usize), Stand>;

impl Writer {
    /// Looks at the further changes of the tasks that have not ended, and at the labels of the tasks themselves. Where
    /// something was changed by others, the task ends here, and nothing of it is written. `gone` are tasks that have
    /// left their stage: it may have been we who moved them on, before a crash; they end here unless everything of
    /// theirs is there.
    pub(in super::super) async fn look_further(
        &self,
        project: ProjectHash,
        items: &[Change],
        gone: &[usize],
        ends: &mut [Option<Committed>],
        written: &mut [Written],
    ) -> Left {
        let mut left = Left::default();
        let any = |i: &usize| ends[*i].is_none() && !items[*i].further.is_empty();
        let tasks: Vec<usize> = (0..items.len()).filter(any).collect();
        if tasks.is_empty() {
            return left;
        }
        self.look_at_own(project, items, &tasks, ends).await;
        let wanted: Vec<FurtherStep<'_>> = (steps(items, ends).into_iter())
            .filter(|step| items[step.task].further_written & (1 << step.step) == 0)
            .collect();
        let mut stands = self.stands(&wanted).await;
        let mut seen = HashSet::new();
        for step in wanted {
            let place = (step.task, step.step);
            let stand = match stands.remove(&place) {
                Some(Stand::Free(_)) if gone.contains(&step.task) => {
                    Stand::Ended(Fate::Conflict(MOVED_ON.to_owned()))
                }
                // Label rows are looked at again right before they are saved.
                Some(Stand::Free(_)) if !is_labels(&step) && !seen.insert(key(&step)) => {
                    Stand::Ended(Fate::Conflict(SAME_BATCH.to_owned()))
                }
                Some(stand) => stand,
                None => {
                    let text = "it was not looked at";
                    Stand::Ended(Fate::Refused(Error::new(ErrorKind::Bug, text)))
                }
            };
            match stand {
                Stand::Ours => written[step.task].add_step(step.step),
                Stand::Free(item) => {
                    left.steps.push(place);
                    left.items.extend(item.map(|item| (place, item)));
                }
                Stand::Ended(fate) => {
                    let end = match fate {
                        Fate::Refused(error) => Committed::Refused(step.about(error)),
                        Fate::Conflict(by) => Committed::Conflict { by },
                        Fate::Applied | Fate::Gone => continue,
                    };
                    ends[step.task].get_or_insert(end);
                }
            }
        }
        left
    }

    /// Tasks whose own labels somebody else has changed end before their further changes are written.
    async fn look_at_own(
        &self,
        project: ProjectHash,
        items: &[Change],
        tasks: &[usize],
        ends: &mut [Option<Committed>],
    ) {
        let labelled: Vec<usize> = (tasks.iter().copied())
            .filter(|i| items[*i].labels_after.is_some())
            .collect();
        for (i, row) in self.rows_now(project, items, &labelled).await {
            let Ok(row) = row else { continue };
            if let Err(Fate::Conflict(by)) = self.decide(project, i, &items[i], row).await {
                ends[i] = Some(Committed::Conflict { by });
            }
        }
    }

    async fn stands(&self, steps: &[FurtherStep<'_>]) -> Stands {
        let of = |phase: WritePhase| {
            let steps = steps.iter().copied();
            steps.filter(move |step| phase_of(step) == phase)
        };
        let mut stands = Stands::new();
        for (project, steps) in by_project(of(WritePhase::Labels).collect()) {
            stands.extend(self.label_stands(project, &steps).await);
        }
        let by_item = |step: &FurtherStep<'_>| step.row.change.data.0.is_nil();
        let (items, units): (Vec<FurtherStep<'_>>, Vec<FurtherStep<'_>>) =
            of(WritePhase::Values).partition(by_item);
        stands.extend(self.item_stands(&items).await);
        for (project, steps) in by_project(units) {
            let units = steps.iter().map(|step| &step.row.change);
            let units: Vec<_> = units
                .map(|change| (change.data, Arc::clone(&change.branch)))
                .collect();
            let rows = self.reader.row_metadata(project, &units).await;
            let each = steps.iter().zip(rows);
            stands.extend(each.map(|(step, row)| (place(step), value_stand(step, row))));
        }
        let mut moves: BTreeMap<(ProjectHash, StageId, StageId), Vec<FurtherStep<'_>>> =
            BTreeMap::new();
        for step in of(WritePhase::Moves) {
            if let Some(to) = step.row.change.to {
                let way = (step.row.project, step.row.change.stage, to);
                moves.entry(way).or_default().push(step);
            }
        }
        for ((project, from, to), steps) in moves {
            stands.extend(self.move_stands(project, from, to, &steps).await);
        }
        stands
    }

    async fn label_stands(&self, project: ProjectHash, steps: &[FurtherStep<'_>]) -> Stands {
        let rows: Vec<Change> = steps.iter().map(|step| step.row.change.clone()).collect();
        let all: Vec<usize> = (0..rows.len()).collect();
        let mut now = self.rows_now(project, &rows, &all).await;
        // Rows that were not there when the agent looked.
        let new: Vec<usize> = (all.iter().copied())
            .filter(|i| !now.contains_key(i))
            .collect();
        now.extend(self.rows_since(project, &rows, &new).await);
        let mut stands = Stands::new();
        for (i, step) in steps.iter().enumerate() {
            let stand = match now.remove(&i) {
                None => Stand::Free(None),
                Some(Err(error)) => Stand::Ended(Fate::Refused(error)),
                Some(Ok(row)) => match self.decide(project, i, &rows[i], row).await {
                    Ok(Some(_)) => Stand::Free(None),
                    Ok(None) => Stand::Ours,
                    Err(fate) => Stand::Ended(fate),
                },
            };
            stands.insert(place(step), stand);
        }
        stands
    }

    /// Client metadata of storage items that are named themselves.
    async fn item_stands(&self, steps: &[FurtherStep<'_>]) -> Stands {
        let items: Vec<ItemId> = steps
            .iter()
            .filter_map(|step| step.row.change.item)
            .collect();
        let now = self.reader.client_metadata(&items).await;
        let each = steps.iter().zip(items).zip(now);
        each.map(|((step, item), now)| {
            let stand = match now {
                Ok(now) => metadata_stand(&step.row.change, &now, item),
                Err(error) => Stand::Ended(Fate::Refused(error)),
            };
            (place(step), stand)
        })
        .collect()
    }

    async fn move_stands(
        &self,
        project: ProjectHash,
        from: StageId,
        to: StageId,
        steps: &[FurtherStep<'_>],
    ) -> Stands {
        let asked: Vec<(TaskId, DataHash)> = steps
            .iter()
            .map(|step| (step.row.change.task, step.row.change.data))
            .collect();
        let here = match self.reader.still_at(project, from, &asked).await {
            Ok(here) => here,
            Err(error) => return refused(steps, &Error::from(&error)),
        };
        let gone: Vec<DataHash> = (asked.iter())
            .filter(|(task, _)| !here.contains(task))
            .map(|(_, data)| *data)
            .collect();
        let stage = Stage {
            id: to,
            title: String::new(),
            kind: StageKind::Other(String::new()),
            pathways: Vec::new(),
        };
        let there = match gone.is_empty() {
            true => Ok(Vec::new()),
            false => self.reader.tasks_of(project, &stage, &gone).await,
        };
        let there: HashSet<DataHash> = match there {
            Ok(there) => there.into_iter().map(|row| row.data).collect(),
            Err(error) => return refused(steps, &Error::from(&error)),
        };
        let stand = |step: &FurtherStep<'_>| {
            let change = &step.row.change;
            // It may have another identity at the stage that it was moved to.
            match (here.contains(&change.task), there.contains(&change.data)) {
                (true, _) => Stand::Free(None),
                (false, true) => Stand::Ours,
                (false, false) => Stand::Ended(Fate::Conflict(MOVED_ON.to_owned())),
            }
        };
        steps
            .iter()
            .map(|step| (place(step), stand(step)))
            .collect()
    }
}

fn place(step: &FurtherStep<'_>) -> (usize, usize) {
    (step.task, step.step)
}

fn phase_of(step: &FurtherStep<'_>) -> WritePhase {
    step.row.phase()
}

fn is_labels(step: &FurtherStep<'_>) -> bool {
    phase_of(step) == WritePhase::Labels
}

/// What two steps of a batch must not both write.
fn key(step: &FurtherStep<'_>) -> (ProjectHash, DataHash, Option<ItemId>, &'static str) {
    let change = &step.row.change;
    let item = change.item.filter(|_| change.data.0.is_nil());
    (step.row.project, change.data, item, step.row.kind())
}

fn refused(steps: &[FurtherStep<'_>], error: &Error) -> Stands {
    let each = steps.iter().map(place);
    each.map(|place| (place, Stand::Ended(Fate::Refused(error.clone()))))
        .collect()
}

fn value_stand(step: &FurtherStep<'_>, row: Result<RowMetadata, Error>) -> Stand {
    let change = &step.row.change;
    let row = match row {
        Ok(row) => row,
        Err(error) => return Stand::Ended(Fate::Refused(error)),
    };
    if let Some(ours) = change.priority {
        let old = change.old_priority;
        return match row.priority {
            Some(now) if same_priority(now, ours) => Stand::Ours,
            Some(now) if old.is_some_and(|old| !same_priority(now, old)) => {
                let by = format!("somebody else (priority {now})");
                Stand::Ended(Fate::Conflict(by))
            }
            _ => Stand::Free(None),
        };
    }
    let Some(item) = change.item.or(row.item) else {
        let text = "the platform names no storage item for the data unit";
        return Stand::Ended(Fate::Refused(Error::new(ErrorKind::Upstream, text)));
    };
    metadata_stand(change, &row.client_metadata.unwrap_or_default(), item)
}

fn metadata_stand(change: &Change, now: &Map<String, Value>, item: ItemId) -> Stand {
    let is = |known: &Option<Map<String, Value>>| {
        known
            .as_ref()
            .is_some_and(|known| same_metadata(known, now))
    };
    let before = match &change.metadata_before {
        Some(_) => &change.metadata_before,
        None => &change.old_metadata,
    };
    if is(&change.metadata) {
        Stand::Ours
    } else if before.is_none() || is(before) {
        Stand::Free(Some(item))
    } else {
        let by = "somebody else (client metadata)".to_owned();
        Stand::Ended(Fate::Conflict(by))
    }
}
