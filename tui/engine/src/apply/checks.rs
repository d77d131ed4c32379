//! What is checked before a group of tasks of a plan is written: whether they are where the plan found them, and
//! whether the labels that their outcomes are based on are unchanged.

use super::Applying;
use crate::journal::Change;
use crate::plan::PlanLine;
use std::collections::{BTreeMap, HashMap};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ItemId, StageId, TaskId};
use wb_core::work::wire::{IncludeOptions, InitialiseOptions};

/// A change with the labels that its outcome rests on.
type Rested<'a> = (&'a Change, serde_json::Value);

impl Applying<'_> {
    /// The rows as they are now take the place of those that were expected, where they are equal but
    /// for what the platform fills in.
    pub(super) async fn rest_on_what_was_written(
        &self,
        changes: &mut [Change],
        refused: &mut HashMap<TaskId, String>,
    ) -> Result<(), Error> {
        let open: Vec<usize> = (0..changes.len())
            .filter(|i| changes[*i].item.before.is_some())
            .filter(|i| !refused.contains_key(&changes[*i].item.task))
            .collect();
        let units: Vec<_> = open
            .iter()
            .map(|i| (changes[*i].item.data, changes[*i].item.branch.clone()))
            .collect();
        let (project, include) = (self.connection.project.hash, IncludeOptions::default());
        let options = InitialiseOptions::default();
        let reader = &self.connection.reader;
        let rows = reader.label_rows(project, &units, &include, &options).await;
        for (i, row) in open.into_iter().zip(rows) {
            let (row, change) = (row?, &mut changes[i]);
            let labels = |json: &str| -> Option<serde_json::Value> {
                serde_json::from_str::<serde_json::Value>(json)
                    .ok()?
                    .get_mut("labels")
                    .map(serde_json::Value::take)
            };
            let expected = change.item.before.as_ref().and_then(|b| labels(&b.json));
            match (labels(&row.json), expected) {
                (Some(now), Some(expected)) if wb_client::saved_as(&now, &expected) => {
                    change.item.before = Some(row);
                }
                _ => {
                    let text = "its labels are not as the step of this plan before it left them";
                    refused.insert(change.item.task, text.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Tasks whose pathway is not what it was when the plan was made: another name, or another end.
    pub(super) fn rerouted(
        &self,
        chunk: &[(PlanLine, Change)],
        refused: &mut HashMap<TaskId, String>,
    ) {
        for (line, change) in chunk {
            let Some(planned) = &line.pathway else {
                continue;
            };
            let stage = self.connection.project.workflow.stage(line.stage);
            let now = stage.and_then(|s| s.pathways.iter().find(|p| p.id == planned.id));
            if now != Some(planned) {
                let text = format!(
                    "its pathway \"{}\" was changed or removed since the plan was made",
                    planned.name
                );
                refused.entry(change.item.task).or_insert(text);
            }
        }
    }

    /// Tasks whose data unit is another file by now: what was reviewed is not about it.
    pub(super) async fn elsewhere(
        &self,
        changes: &[Change],
        refused: &mut HashMap<TaskId, String>,
    ) {
        let known = |change: &Change| {
            change
                .item
                .item
                .or_else(|| change.item.before.as_ref()?.item)
        };
        let open: Vec<(&Change, ItemId)> = changes
            .iter()
            .filter(|change| !refused.contains_key(&change.item.task))
            .filter_map(|change| Some((change, known(change)?)))
            .collect();
        if open.is_empty() {
            return;
        }
        let units: Vec<_> = open
            .iter()
            .map(|(d, _)| (d.item.data, d.item.branch.clone()))
            .collect();
        let connection = self.connection;
        let rows = connection
            .reader
            .row_metadata(connection.project.hash, &units)
            .await;
        for ((change, planned), row) in open.into_iter().zip(rows) {
            // A row that cannot be read is the commit's to report.
            let now = row.ok().and_then(|row| row.item);
            if now.is_some_and(|now| now != planned) {
                let text =
                    "its data lie in another storage item than when the plan was made".to_owned();
                refused.insert(change.item.task, text);
            }
        }
    }

    /// Tasks that are no longer where the plan found them.
    pub(super) async fn gone(&self, changes: &[Change]) -> Result<HashMap<TaskId, String>, Error> {
        let mut stages: BTreeMap<StageId, Vec<(TaskId, DataHash)>> = BTreeMap::new();
        for change in changes {
            stages
                .entry(change.item.stage)
                .or_default()
                .push((change.item.task, change.item.data));
        }
        let mut gone = HashMap::new();
        for (stage, tasks) in stages {
            let there = self
                .connection
                .reader
                .still_at(self.connection.project.hash, stage, &tasks)
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
        changes: &[Change],
        refused: &mut HashMap<TaskId, String>,
    ) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        struct Seen {
            labels: serde_json::Value,
            #[serde(default)]
            initialise: Option<InitialiseOptions>,
        }
        let mut groups: BTreeMap<String, (InitialiseOptions, Vec<Rested<'_>>)> = BTreeMap::new();
        for change in changes
            .iter()
            .filter(|d| d.item.labels_after.is_none() && !refused.contains_key(&d.item.task))
        {
            let Some(before) = &change.item.before else {
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
                .push((change, seen.labels));
        }
        for (options, members) in groups.into_values() {
            let units: Vec<_> = members
                .iter()
                .map(|(d, _)| (d.item.data, d.item.branch.clone()))
                .collect();
            let project = self.connection.project.hash;
            let rows = self
                .connection
                .reader
                .label_rows(project, &units, &IncludeOptions::default(), &options)
                .await;
            for ((change, seen), row) in members.into_iter().zip(rows) {
                let now: Seen = match serde_json::from_str(&row?.json) {
                    Ok(now) => now,
                    Err(error) => {
                        return Err(Error::new(
                            ErrorKind::Upstream,
                            format!("a label row cannot be read: {error}"),
                        ));
                    }
                };
                if !wb_client::compare(&now.labels, &seen) {
                    let text =
                        "its labels changed since the plan was made, and its outcome rests on them";
                    refused.insert(change.item.task, text.to_owned());
                }
            }
        }
        Ok(())
    }
}
