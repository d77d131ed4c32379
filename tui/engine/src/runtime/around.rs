//! What an outcome's further changes name, read before the outcome is judged: rows as the agent saw them, those that it
//! was not given as they are now, their tasks and their projects.

use super::calls::{Answers, no_labels};
use super::gathered::RowKind;
use super::replies::lock;
use super::seen::{SeenRow, SeenRows};
use agent_abi::model::Ontology;
use agent_abi::wire::{IncludeOptions, InitialiseOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, DatasetHash, ItemId, ProjectHash};
use wb_core::patch::{
    DatasetKey, FurtherDataset, FurtherInput, FurtherInputs, FurtherProject, Wanted, WantedRow,
    dataset_named, unreadable,
};
use wb_core::work::{Project, RowInput};

impl Answers {
    /// Reads what is wanted and was not seen; rows of the same kind together.
    pub(crate) async fn around(
        &self,
        own: (Arc<Project>, Arc<Ontology>),
        wanted: Wanted,
        seen: &SeenRows,
    ) -> FurtherInputs {
        let hash = own.0.hash;
        let mut around = FurtherInputs {
            own: Some(hash),
            ..FurtherInputs::default()
        };
        for project in wanted.projects {
            let found = match project == hash {
                true => Ok(facts(&own.0, own.1.clone())),
                false => self.further_project(project).await,
            };
            around.projects.insert(project, found);
        }
        self.datasets(hash, wanted.datasets, wanted.folder_of, &mut around)
            .await;
        let mut unseen: BTreeMap<RowKind, Vec<WantedRow>> = BTreeMap::new();
        {
            let seen = lock(seen);
            for row in wanted.rows {
                match SeenRow::of(&seen, &row) {
                    Some(input) => around.rows.push(input),
                    None => {
                        let kind = RowKind {
                            project: row.project,
                            branch: row.branch.as_str().into(),
                            tasks: row.tasks,
                        };
                        unseen.entry(kind).or_default().push(row);
                    }
                }
            }
        }
        for (kind, rows) in unseen {
            let known = matches!(around.projects.get(&kind.project), Some(Ok(_)));
            if known {
                around.rows.extend(self.gather(kind, rows).await);
            }
        }
        around
    }

    async fn further_project(&self, hash: ProjectHash) -> Result<FurtherProject, Error> {
        let project = self.project(hash.0).await.map_err(not_read)?;
        let ontology = Ontology::from_editor(&project.doc.ontology);
        let ontology = ontology.map_err(|error| not_read(error.to_string()))?;
        Ok(facts(&project, Arc::new(ontology)))
    }

    /// Reads the datasets of new items, and the folder of the task's own where one of them has none.
    async fn datasets(
        &self,
        own: ProjectHash,
        wanted: Vec<DatasetKey>,
        folder_of: Option<(DataHash, Arc<str>, Option<ItemId>)>,
        around: &mut FurtherInputs,
    ) {
        for key in wanted {
            let named = match around.projects.get(&key.0) {
                Some(Ok(project)) => dataset_named(project, key.1.as_deref()),
                // Its own error comes first.
                _ => continue,
            };
            let found = match named {
                Ok(hash) => self.dataset(hash).await,
                Err(error) => Err(error),
            };
            around.datasets.insert(key, found);
        }
        let mut read = around.datasets.values().flatten();
        let needs = read.any(|dataset| dataset.folder.is_none());
        if let (true, Some((data, branch, item))) = (needs, folder_of) {
            let folder = self.reader.folder_of(own, (data, branch), item).await;
            let folder = folder.map_err(|error| unreadable("the folder", &error));
            around.folder = Some(folder);
        }
    }

    /// A dataset, as it was when it was first asked for.
    async fn dataset(&self, hash: DatasetHash) -> Result<FurtherDataset, Error> {
        if let Some(known) = lock(&self.datasets).get(&hash) {
            return Ok(known.clone());
        }
        let found = self.reader.dataset(hash).await;
        let found = found.map_err(|error| unreadable("the dataset", &Error::from(&error)))?;
        lock(&self.datasets).insert(hash, found.clone());
        Ok(found)
    }

    /// What was read of these rows of one kind, together with those of other outcomes.
    async fn gather(&self, kind: RowKind, rows: Vec<WantedRow>) -> Vec<FurtherInput> {
        let (answers, starts) = self.gathered.add(kind.clone(), rows);
        if starts {
            tokio::spawn(self.clone().read_gathered(kind));
        }
        let mut found = Vec::with_capacity(answers.len());
        for answer in answers {
            // One that is missing is refused as not read.
            found.extend(answer.await);
        }
        found
    }

    /// Reads what waits, until nothing does.
    async fn read_gathered(self, kind: RowKind) {
        while let Some((rows, answers)) = self.gathered.next(&kind) {
            let (this, of) = (self.clone(), kind.clone());
            // A panic costs these rows and not those that wait.
            let read = tokio::spawn(async move { this.further_rows(of, rows).await });
            for (input, answer) in read.await.into_iter().flatten().zip(answers) {
                // Nobody waits where the run is over.
                let _ = answer.send(input);
            }
        }
    }

    /// Reads rows of one kind, in the order given.
    async fn further_rows(&self, kind: RowKind, rows: Vec<WantedRow>) -> Vec<FurtherInput> {
        let RowKind {
            project,
            branch,
            tasks,
        } = kind;
        let data: Vec<DataHash> = rows.iter().map(|row| row.data).collect();
        let units: Vec<_> = data.iter().map(|data| (*data, branch.clone())).collect();
        let include = IncludeOptions {
            workflow_graph_node: tasks,
            ..IncludeOptions::default()
        };
        // A task is found without its labels.
        let initialise = match tasks {
            true => no_labels(),
            false => InitialiseOptions::default(),
        };
        let reader = &self.reader;
        let found = reader.label_rows_if_any(project, &units, &include, &initialise);
        let found = found.await;
        let at = if tasks {
            let texts: Vec<_> = found.iter().cloned().map(in_text).collect();
            self.tasks(project.0, &data, &texts).await
        } else {
            Ok(Default::default())
        };
        let each = rows.into_iter().zip(found);
        each.map(|(row, labels)| {
            let tasks = at.as_ref().map_err(|why| not_read(why.clone()));
            let tasks = tasks.map(|at| at.get(&row.data).map(|(stage, task)| (task.id, *stage)));
            FurtherInput {
                tasks: tasks.map(|task| task.into_iter().collect()),
                labels,
                row,
            }
        })
        .collect()
    }
}

fn in_text(row: Result<Option<RowInput>, Error>) -> Result<Option<RowInput>, String> {
    row.map_err(|error| error.into_facts().summary)
}

fn facts(project: &Project, ontology: Arc<Ontology>) -> FurtherProject {
    FurtherProject {
        title: project.title.clone(),
        datasets: (project.doc.datasets.iter())
            .map(|one| (DatasetHash(one.dataset_hash), one.title.clone()))
            .collect(),
        workflow: project.workflow.clone(),
        ontology,
    }
}

fn not_read(why: String) -> Error {
    let text = format!("what the agent changes cannot be read: {why}");
    Error::new(ErrorKind::Upstream, text)
}
