//! The commit of a batch: labels, then priority and metadata, then the move. Before any of it the client
//! metadata are looked at (`metadata`), so that a conflict there leaves the whole task as it was, and it is
//! asked whether the tasks still wait (`waiting`).
//!
//! Requests are bundled over the tasks, but a task is atomic in meaning: one that fails at a step does
//! not go on to the next, and none fails because of another.

use super::Writer;
use super::bundle::{BUNDLE, Fate, drive};
use super::further::{Over, in_part};
use super::moves::{Move, Moves, Way, committed};
use super::values::{Metadata, Priorities};
use super::waiting::{about_values, has_values};
use crate::error::clean;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ItemId, ProjectHash, StageId, TaskId};
use wb_core::ledger::{Change, Noted};
use wb_core::patch::share;
use wb_core::work::{Committed, Project, Written};

impl Writer {
    /// Sends changes; the result of each, in the order given. One that is refused after some of it was written
    /// is [`Committed::Partial`]. May be called again with the same changes after a crash: what is there already
    /// is not written twice.
    ///
    /// Only what a ledger has noted can be sent:
    /// ```
    /// # async fn f(writer: wb_client::Writer, project: wb_core::work::Project,
    /// #     changes: Vec<wb_core::ledger::Noted<wb_core::ledger::Change>>) {
    /// writer.send(&project, changes).await;
    /// # }
    /// ```
    /// ```compile_fail,E0308
    /// # async fn f(writer: wb_client::Writer, project: wb_core::work::Project,
    /// #     changes: Vec<wb_core::ledger::Change>) {
    /// writer.send(&project, changes).await;
    /// # }
    /// ```
    pub async fn send(
        &self,
        project: &Project,
        changes: Vec<Noted<Change>>,
    ) -> Vec<(TaskId, Committed)> {
        let items = changes.iter().map(|noted| noted.get().clone());
        Box::pin(self.commit(project, items.collect())).await
    }

    async fn commit(&self, project: &Project, items: Vec<Change>) -> Vec<(TaskId, Committed)> {
        self.reader.forget_ahead();
        let refused = |item: &Change| check(item).or_else(|| self.protected(project.hash, item));
        let mut ends: Vec<Option<Committed>> = items.iter().map(refused).collect();
        let mut written: Vec<Written> = items.iter().map(known).collect();
        let (patches, mut left) = Box::pin(self.look(project.hash, &items, &mut ends)).await;
        let look = self.look_further(project.hash, &items, &left, &mut ends, &mut written);
        let further = Box::pin(look).await;
        let over = &mut Over::of(&mut ends, &mut written);
        Box::pin(self.further_deletions(&items, over)).await;
        Box::pin(self.further_items(&items, &left, over)).await;
        Box::pin(self.further_labels(&items, &further, Over::of(&mut ends, &mut written))).await;
        (self.steps)("further-labels");
        // A row is looked at once; tasks that are refused already must not reach it.
        let open: Vec<Change> = items
            .iter()
            .zip(&ends)
            .filter(|(_, end)| end.is_none())
            .map(|(item, _)| item.clone())
            .collect();
        let places: Vec<usize> = (0..items.len()).filter(|i| ends[*i].is_none()).collect();
        let fates = Box::pin(self.save_labels(project.hash, &open)).await;
        for (i, fate) in fates {
            written[places[i]].labels = matches!(fate, Fate::Applied | Fate::Gone);
            ends[places[i]] = match fate {
                Fate::Applied => None,
                Fate::Refused(error) => Some(Committed::Refused(error)),
                Fate::Conflict(by) => Some(Committed::Conflict { by }),
                Fate::Gone => {
                    left.push(places[i]);
                    None
                }
            };
        }
        (self.steps)("labels");
        let stand = Box::pin(self.already_ours(project.hash, &items, left, &mut ends)).await;
        Box::pin(self.commit_priorities(project, &items, &stand, &mut ends)).await;
        note(&items, &ends, &mut written, |item, written| {
            written.priority = item.priority.is_some();
        });
        (self.steps)("priorities");
        let patches = patches.into_iter().filter(|(i, _)| !stand.contains(i));
        Box::pin(self.commit_metadata(&items, patches.collect(), &mut ends)).await;
        note(&items, &ends, &mut written, |item, written| {
            written.metadata = item.metadata.is_some();
        });
        (self.steps)("metadata");
        Box::pin(self.further_values(&items, &further, Over::of(&mut ends, &mut written))).await;
        (self.steps)("further-values");
        Box::pin(self.further_issues(&items, &stand, Over::of(&mut ends, &mut written))).await;
        (self.steps)("issues");
        Box::pin(self.further_moves(&items, &further, Over::of(&mut ends, &mut written))).await;
        (self.steps)("further-moves");
        Box::pin(self.commit_moves(project, &items, &mut ends)).await;
        Box::pin(self.commit_direct_moves(project.hash, &items, &mut ends)).await;
        (self.steps)("moves");
        let ends = ends.into_iter().zip(written);
        let ends = ends.map(|(end, written)| in_part(end.unwrap_or(Committed::Done), written));
        items.iter().map(|item| item.task).zip(ends).collect()
    }

    /// A task whose outcome changes another project that is protected.
    fn protected(&self, own: ProjectHash, item: &Change) -> Option<Committed> {
        let confirmed = self.confirmed.as_ref()?;
        let mut others = item.further.iter().filter(|step| step.project() != own);
        let step =
            others.find(|step| confirmed.iter().all(|title| title != step.project_title()))?;
        let title = clean(step.project_title());
        let text = format!("project \"{title}\" is protected; nothing of the task was written");
        let error = Error::new(ErrorKind::Refused, text);
        let error = error.hint(format!("to write to it too: --confirm \"{title}\""));
        Some(Committed::Refused(error))
    }

    /// What is looked at before anything of the batch is written: client metadata, and whether the tasks still wait;
    /// not where labels alone are saved, whose save looks itself. Gives the metadata that are to be set, and
    /// the tasks that have left.
    async fn look(
        &self,
        project: ProjectHash,
        items: &[Change],
        ends: &mut [Option<Committed>],
    ) -> (Vec<(usize, ItemId)>, Vec<usize>) {
        let valued: Vec<usize> = (0..items.len())
            .filter(|i| ends[*i].is_none() && waits(&items[*i]))
            .collect();
        let (patches, waiting) = tokio::join!(
            self.look_at_metadata(project, items, ends),
            self.waiting(project, items, &valued),
        );
        let mut left = Vec::new();
        for i in valued {
            let item = &items[i];
            if ends[i].is_some() {
                // Its metadata are somebody else's.
            } else if waiting.left(item) {
                left.push(i);
            } else if !waiting.has(item)
                && let Fate::Refused(error) = waiting.why(item, about_values)
            {
                ends[i] = Some(Committed::Refused(error));
            }
        }
        (patches, left)
    }

    async fn commit_priorities(
        &self,
        project: &Project,
        items: &[Change],
        stand: &HashSet<usize>,
        ends: &mut [Option<Committed>],
    ) {
        let (places, priorities): (Vec<usize>, Vec<(DataHash, f64)>) = items
            .iter()
            .enumerate()
            .filter(|(i, _)| ends[*i].is_none() && !stand.contains(i))
            .filter_map(|(i, item)| Some((i, item.data, item.priority?)))
            // Refused by `check` where it is none.
            .filter_map(|(i, data, priority)| {
                Some((i, (data, share("a priority", priority).ok()?)))
            })
            .unzip();
        let branches = places.iter().map(|i| Arc::clone(&items[*i].branch));
        let bundle = Priorities {
            writer: self,
            project: project.hash,
            priorities: &priorities,
            branches: &branches.collect::<Vec<_>>(),
        };
        let fates = drive(&bundle, (0..priorities.len()).collect(), BUNDLE).await;
        end(ends, &places, fates, "the priority was not set");
    }

    async fn commit_metadata(
        &self,
        items: &[Change],
        wanted: Vec<(usize, ItemId)>,
        ends: &mut [Option<Committed>],
    ) {
        let mut places = Vec::new();
        let mut patches: Vec<(ItemId, &Map<String, Value>)> = Vec::new();
        for (i, item) in wanted {
            if let (None, Some(metadata)) = (&ends[i], &items[i].metadata) {
                places.push(i);
                patches.push((item, metadata));
            }
        }
        let bundle = Metadata {
            writer: self,
            items: &patches,
        };
        let fates = drive(&bundle, (0..patches.len()).collect(), BUNDLE).await;
        end(ends, &places, fates, "the client metadata were not set");
    }

    async fn commit_moves(
        &self,
        project: &Project,
        items: &[Change],
        ends: &mut [Option<Committed>],
    ) {
        let mut stages: BTreeMap<StageId, (Vec<usize>, Vec<Move>)> = BTreeMap::new();
        for (i, item) in items.iter().enumerate().filter(|(i, _)| ends[*i].is_none()) {
            if let Some(pathway) = item.pathway {
                let stage = project.workflow.stage(item.stage);
                let leads = stage.and_then(|s| s.pathways.iter().find(|p| p.id == pathway));
                let (places, moves) = stages.entry(item.stage).or_default();
                places.push(i);
                moves.push(Move {
                    task: item.task,
                    data: item.data,
                    way: Way::Pathway(pathway),
                    to: leads.map(|leads| leads.to),
                });
            }
        }
        for (from, (places, moves)) in stages {
            let bundle = Moves {
                writer: self,
                project: project.hash,
                from,
                moves: &moves,
            };
            for (i, fate) in drive(&bundle, (0..moves.len()).collect(), BUNDLE).await {
                ends[places[i]] = Some(committed(fate));
            }
        }
    }

    /// Moves to a stage without a pathway.
    async fn commit_direct_moves(
        &self,
        project: ProjectHash,
        items: &[Change],
        ends: &mut [Option<Committed>],
    ) {
        let mut moves: BTreeMap<(StageId, StageId), Vec<usize>> = BTreeMap::new();
        for (i, item) in items.iter().enumerate().filter(|(i, _)| ends[*i].is_none()) {
            if let (true, Some(to)) = (item.direct, item.to) {
                moves.entry((item.stage, to)).or_default().push(i);
            }
        }
        for ((from, to), places) in moves {
            let tasks = places.iter().map(|i| (items[*i].task, items[*i].data));
            let tasks: Vec<_> = tasks.collect();
            let moved = self.move_tasks(project, from, to, &tasks).await;
            for (i, (_, end)) in places.into_iter().zip(moved) {
                ends[i] = Some(end);
            }
        }
    }
}

/// What can be refused before anything is sent. Outcomes were judged by the same rule; a plan may be older.
fn check(item: &Change) -> Option<Committed> {
    let error = share("a priority", item.priority?).err()?;
    let error = Error::new(
        ErrorKind::Agent,
        format!("{error}; nothing of the task was written"),
    )
    .hint("return a priority from 0.0 to 1.0");
    Some(Committed::Refused(error))
}

/// Whether it is asked first if the task still waits.
const fn waits(item: &Change) -> bool {
    !item.further.is_empty() || item.labels_after.is_none() && has_values(item)
}

/// What is upstream of a change before it is sent.
fn known(item: &Change) -> Written {
    Written {
        further: item.further_written,
        ..Written::default()
    }
}

/// A step is over: those that have not ended have passed it.
fn note(
    items: &[Change],
    ends: &[Option<Committed>],
    written: &mut [Written],
    step: impl Fn(&Change, &mut Written),
) {
    for ((item, end), written) in items.iter().zip(ends).zip(written) {
        if end.is_none() {
            step(item, written);
        }
    }
}

fn end(ends: &mut [Option<Committed>], places: &[usize], fates: Vec<(usize, Fate)>, what: &str) {
    for (i, fate) in fates {
        if let Fate::Refused(mut error) = fate {
            error.summary = format!("{what}: {}", error.summary);
            ends[places[i]] = Some(Committed::Refused(error));
        }
    }
}
