//! What is looked at before a chunk of a plan is written: whether its tasks are where the plan found them, and whether
//! the labels that their outcomes rest on still say the same.

use super::Applying;
use crate::journal::Deed;
use crate::plan::PlanLine;
use std::collections::{BTreeMap, HashMap};
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{DataHash, ItemId, StageId, TaskId};
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};

/// A deed with the labels that its outcome rests on.
type Rested<'a> = (&'a Deed, serde_json::Value);

impl Applying<'_> {
    /// The rows as they are now take the place of those that were expected, where they are equal but
    /// for what the platform fills in.
    pub(super) async fn rest_on_what_was_written(
        &self,
        deeds: &mut [Deed],
        refused: &mut HashMap<TaskId, String>,
    ) -> Result<(), Fault> {
        let open: Vec<usize> = (0..deeds.len())
            .filter(|i| deeds[*i].item.before.is_some())
            .filter(|i| !refused.contains_key(&deeds[*i].item.task))
            .collect();
        let units: Vec<_> = open
            .iter()
            .map(|i| (deeds[*i].item.data, deeds[*i].item.branch.clone()))
            .collect();
        let (project, include) = (self.hands.project.hash, IncludeOptions::default());
        let options = InitialiseOptions::default();
        let reader = &self.hands.reader;
        let rows = reader.label_rows(project, &units, &include, &options).await;
        for (i, row) in open.into_iter().zip(rows) {
            let (row, deed) = (row?, &mut deeds[i]);
            let labels = |json: &str| -> Option<serde_json::Value> {
                serde_json::from_str::<serde_json::Value>(json)
                    .ok()?
                    .get_mut("labels")
                    .map(serde_json::Value::take)
            };
            let expected = deed.item.before.as_ref().and_then(|b| labels(&b.json));
            match (labels(&row.json), expected) {
                (Some(now), Some(expected)) if wb_client::saved_as(&now, &expected) => {
                    deed.item.before = Some(row);
                }
                _ => {
                    let text = "its labels are not as the step of this plan before it left them";
                    refused.insert(deed.item.task, text.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Tasks whose pathway is not what it was when the plan was made: another name, or another end.
    pub(super) fn rerouted(
        &self,
        chunk: &[(PlanLine, Deed)],
        refused: &mut HashMap<TaskId, String>,
    ) {
        for (line, deed) in chunk {
            let Some(planned) = &line.pathway else {
                continue;
            };
            let stage = self.hands.project.workflow.stage(line.stage);
            let now = stage.and_then(|s| s.pathways.iter().find(|p| p.id == planned.id));
            if now != Some(planned) {
                let text = format!(
                    "its pathway \"{}\" was changed or removed since the plan was made",
                    planned.name
                );
                refused.entry(deed.item.task).or_insert(text);
            }
        }
    }

    /// Tasks whose data unit is another file by now: what was reviewed is not about it.
    pub(super) async fn elsewhere(&self, deeds: &[Deed], refused: &mut HashMap<TaskId, String>) {
        let known = |deed: &Deed| deed.item.item.or_else(|| deed.item.before.as_ref()?.item);
        let open: Vec<(&Deed, ItemId)> = deeds
            .iter()
            .filter(|deed| !refused.contains_key(&deed.item.task))
            .filter_map(|deed| Some((deed, known(deed)?)))
            .collect();
        if open.is_empty() {
            return;
        }
        let units: Vec<_> = open
            .iter()
            .map(|(d, _)| (d.item.data, d.item.branch.clone()))
            .collect();
        let hands = &self.hands;
        let rows = hands.reader.row_metadata(hands.project.hash, &units).await;
        for ((deed, planned), row) in open.into_iter().zip(rows) {
            // A row that cannot be read is the commit's to report.
            let now = row.ok().and_then(|row| row.item);
            if now.is_some_and(|now| now != planned) {
                let text =
                    "its data lie in another storage item than when the plan was made".to_owned();
                refused.insert(deed.item.task, text);
            }
        }
    }

    /// Tasks that are no longer where the plan found them.
    pub(super) async fn gone(&self, deeds: &[Deed]) -> Result<HashMap<TaskId, String>, Fault> {
        let mut stages: BTreeMap<StageId, Vec<(TaskId, DataHash)>> = BTreeMap::new();
        for deed in deeds {
            stages
                .entry(deed.item.stage)
                .or_default()
                .push((deed.item.task, deed.item.data));
        }
        let mut gone = HashMap::new();
        for (stage, tasks) in stages {
            let there = self
                .hands
                .reader
                .still_at(self.hands.project.hash, stage, &tasks)
                .await?;
            let missing = tasks.into_iter().filter(|(task, _)| !there.contains(task));
            gone.extend(missing.map(|(task, _)| {
                (
                    task,
                    "the task has left the stage since the plan was made".to_owned(),
                )
            }));
        }
        Ok(gone)
    }

    /// Tasks whose labels were read but not changed by the agent, and changed by somebody since. (Those
    /// that it changed are compared by the save itself.)
    pub(super) async fn stale(
        &self,
        deeds: &[Deed],
        refused: &mut HashMap<TaskId, String>,
    ) -> Result<(), Fault> {
        #[derive(serde::Deserialize)]
        struct Seen {
            labels: serde_json::Value,
            #[serde(default)]
            initialise: Option<InitialiseOptions>,
        }
        let mut groups: BTreeMap<String, (InitialiseOptions, Vec<Rested<'_>>)> = BTreeMap::new();
        for deed in deeds
            .iter()
            .filter(|d| d.item.labels_after.is_none() && !refused.contains_key(&d.item.task))
        {
            let Some(before) = &deed.item.before else {
                continue;
            };
            let Ok(seen) = serde_json::from_str::<Seen>(&before.json) else {
                continue;
            };
            let options = seen.initialise.unwrap_or_default();
            let key = serde_json::to_string(&options).unwrap_or_default();
            groups
                .entry(key)
                .or_insert_with(|| (options, Vec::new()))
                .1
                .push((deed, seen.labels));
        }
        for (options, members) in groups.into_values() {
            let units: Vec<_> = members
                .iter()
                .map(|(d, _)| (d.item.data, d.item.branch.clone()))
                .collect();
            let project = self.hands.project.hash;
            let rows = self
                .hands
                .reader
                .label_rows(project, &units, &IncludeOptions::default(), &options)
                .await;
            for ((deed, seen), row) in members.into_iter().zip(rows) {
                let now: Seen = match serde_json::from_str(&row?.json) {
                    Ok(now) => now,
                    Err(error) => {
                        return Err(Fault::new(
                            FaultKind::Upstream,
                            format!("a label row cannot be read: {error}"),
                        ));
                    }
                };
                if !wb_client::compare(&now.labels, &seen) {
                    let text =
                        "its labels changed since the plan was made, and its outcome rests on them";
                    refused.insert(deed.item.task, text.to_owned());
                }
            }
        }
        Ok(())
    }
}
