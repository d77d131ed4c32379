//! What an outcome's further changes name, read before the outcome is judged: rows as the agent saw them, those that it
//! was not given as they are now, their tasks and their projects.

use super::calls::{Answers, no_labels};
use super::replies::lock;
use super::seen::{SeenRow, SeenRows};
use agent_abi::model::Ontology;
use agent_abi::wire::{IncludeOptions, InitialiseOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ProjectHash};
use wb_core::patch::{FurtherInput, FurtherInputs, FurtherProject, Wanted, WantedRow};
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
        let mut unseen: BTreeMap<(ProjectHash, String, bool), Vec<WantedRow>> = BTreeMap::new();
        {
            let seen = lock(seen);
            for row in wanted.rows {
                match SeenRow::of(&seen, &row) {
                    Some(input) => around.rows.push(input),
                    None => {
                        let kind = (row.project, row.branch.clone(), row.tasks);
                        unseen.entry(kind).or_default().push(row);
                    }
                }
            }
        }
        for ((project, branch, tasks), rows) in unseen {
            let known = matches!(around.projects.get(&project), Some(Ok(_)));
            if known {
                let read = self.further_rows(project, branch.into(), tasks, rows);
                around.rows.extend(Box::pin(read).await);
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

    async fn further_rows(
        &self,
        project: ProjectHash,
        branch: Arc<str>,
        tasks: bool,
        rows: Vec<WantedRow>,
    ) -> Vec<FurtherInput> {
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
        workflow: project.workflow.clone(),
        ontology,
    }
}

fn not_read(why: String) -> Error {
    let text = format!("what the agent changes cannot be read: {why}");
    Error::new(ErrorKind::Upstream, text)
}
