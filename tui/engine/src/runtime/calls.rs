//! What agents ask for by name while they run (lists are in `lists`), and the twins that are fetched ahead for a batch.
//!
//! Everything here reads through the client's [`Reader`]: signed, limited, retried and counted as any
//! other request, and unable to write. The way to the agent and back is left to the hosts; encoding of
//! pictures to the host process.

use super::gathered::Gathered;
use super::lists::{RowLists, listed};
use super::replies::{list, lock, text_of};
use super::seen::{SeenRow, SeenRows};
use super::{Engine, World};
use agent_abi::wire::{
    IncludeOptions, InitialiseOptions, ItemsQuestion, ListQuestion, ProjectQuestion, RowsQuestion,
    TwinQuestion, TwinSpec, call, input,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;
use wb_client::{AssetCache, Reader, rfc3339};
use wb_core::error::Error;
use wb_core::ids::{DataHash, DatasetHash, ItemId, JobId, ProjectHash, StageId};
use wb_core::patch::FurtherDataset;
use wb_core::work::{Project, RowInput, TaskRow};
use wb_host::{Asked, DISCARD, FETCH_AGAIN};

/// Longest wait for one answer; the attempt's own limit may be shorter.
const LIMIT: Duration = Duration::from_secs(60);
/// Batches whose twins are kept: the one that runs, the next one, and what is being retried.
const BATCHES: usize = 8;
/// Rows or items of one question.
const MOST: usize = 3000;
/// The branch that twins and other rows are read from, as in the Python package.
const BRANCH: &str = "main";

/// Documents for one task, with their names.
type Documents = Vec<(Cow<'static, str>, Arc<str>)>;
/// What one task is given: documents, and the rows that are in them.
type Given = (Documents, Vec<SeenRow>);
/// The documents of one batch, by stage and data.
type Batch = HashMap<(StageId, DataHash), Given>;

/// Answers questions of agents. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(super) reader: Reader,
    cache: AssetCache,
    projects: Arc<Mutex<HashMap<ProjectHash, Arc<Project>>>>,
    /// Datasets that new items went to.
    pub(super) datasets: Arc<Mutex<HashMap<DatasetHash, FurtherDataset>>>,
    ahead: Arc<Mutex<VecDeque<Batch>>>,
    lists: Arc<Mutex<RowLists>>,
    pub(super) gathered: Gathered,
}

impl World {
    /// Answers a running job, beside everything else that goes on.
    pub(super) fn asked(&self, job: JobId, name: String, question: Vec<u8>, mut asked: Asked) {
        let answers = self.answers.clone();
        let seen = self.jobs.get(&job).map(|facts| Arc::clone(&facts.seen));
        let seen = seen.unwrap_or_default();
        tokio::spawn(async move {
            let answer = tokio::select! {
                answer = answers.within(&name, &question, &seen) => answer,
                // Nobody waits any more: the request is given up.
                () = asked.over() => return,
            };
            if let Err(why) = &answer {
                tracing::debug!(
                    job = job.0,
                    name,
                    why,
                    "a question of an agent has no answer"
                );
            }
            asked.answer(answer);
        });
    }
}

impl Engine {
    /// Where files of tasks are kept.
    #[must_use]
    pub fn cache(&self) -> &AssetCache {
        &self.world.cache
    }
}

impl Answers {
    pub(crate) fn new(reader: Reader, cache: AssetCache) -> Self {
        Self {
            reader,
            cache,
            projects: Arc::default(),
            datasets: Arc::default(),
            ahead: Arc::default(),
            lists: Arc::default(),
            gathered: Gathered::default(),
        }
    }

    async fn within(
        &self,
        name: &str,
        question: &[u8],
        seen: &SeenRows,
    ) -> Result<Option<Arc<str>>, String> {
        if name == FETCH_AGAIN || name == DISCARD {
            // Downloads have limits of their own.
            let path = std::str::from_utf8(question).map_err(|e| e.to_string())?;
            return self.file(name, Path::new(path)).await.map(Some);
        }
        tokio::time::timeout(LIMIT, self.answer(name, question, seen))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())))
    }

    /// `None`: the name is not known. Rows that it hands out are added to those that the job has seen.
    async fn answer(
        &self,
        name: &str,
        question: &[u8],
        seen: &SeenRows,
    ) -> Result<Option<Arc<str>>, String> {
        match name {
            call::PROJECT => {
                let asked: ProjectQuestion = read(question)?;
                let project = self.project(asked.project).await?;
                Ok(Some(project.json.clone()))
            }
            call::TWIN => {
                let asked: TwinQuestion = read(question)?;
                let found = self.twins(&asked.spec, &[DataHash(asked.data_hash)]).await;
                let twin = found.into_iter().next().unwrap_or(Ok(None))?;
                let Some((document, row)) = twin else {
                    return Ok(Some("null".into()));
                };
                lock(seen).push(row);
                Ok(Some(document))
            }
            call::LABEL_ROWS => self.label_rows(&read(question)?, seen).await.map(Some),
            call::STORAGE_ITEMS => self.items(&read(question)?).await.map(Some),
            call::LIST => self.list(&read(question)?).await.map(Some),
            call::SIGNED_URL => self.signed_url(read(question)?).await.map(Some),
            _ => Ok(None),
        }
    }

    /// A file of the cache that a host cannot decode: where a fresh copy is, or that it is not kept.
    async fn file(&self, name: &str, path: &Path) -> Result<Arc<str>, String> {
        if name == DISCARD {
            self.reader.discard_download(path, &self.cache);
            return Ok("".into());
        }
        let fresh = self.reader.download_again(path, &self.cache).await;
        let fresh = fresh.map_err(|error| text_of(&error.into()))?;
        Ok(fresh.path.to_string_lossy().into())
    }

    /// A project, fetched once.
    pub(super) async fn project(&self, hash: Uuid) -> Result<Arc<Project>, String> {
        let hash = ProjectHash(hash);
        if let Some(known) = lock(&self.projects).get(&hash) {
            return Ok(known.clone());
        }
        let found = self.reader.project(hash).await;
        let project = Arc::new(found.map_err(|error| text_of(&error.into()))?);
        lock(&self.projects).insert(hash, project.clone());
        Ok(project)
    }

    async fn label_rows(&self, asked: &RowsQuestion, seen: &SeenRows) -> Result<Arc<str>, String> {
        few(asked.data_hashes.len())?;
        let branch = asked.include.branch_name.as_deref().unwrap_or(BRANCH);
        let units: Vec<(DataHash, Arc<str>)> = asked
            .data_hashes
            .iter()
            .map(|hash| (DataHash(*hash), branch.into()))
            .collect();
        let project = ProjectHash(asked.project);
        let (include, initialise) = (&asked.include, &asked.initialise);
        let rows = self
            .reader
            .label_rows_if_any(project, &units, include, initialise)
            .await;
        let text = |row: Result<Option<RowInput>, Error>| row.map_err(|error| text_of(&error));
        let rows: Result<Vec<_>, String> = rows.into_iter().map(text).collect();
        let rows = rows?;
        let found = rows.iter().zip(&units);
        let found = found.map(|(row, (data, branch))| SeenRow {
            project,
            data: *data,
            branch: branch.clone(),
            labels: row.clone(),
            tasks: None,
        });
        lock(seen).extend(found);
        Ok(list(rows.iter().map(|row| match row {
            Some(row) => &*row.json,
            None => "null",
        })))
    }

    async fn list(&self, asked: &ListQuestion) -> Result<Arc<str>, String> {
        let project = match asked.project {
            Some(project) if asked.list == "tasks" => Some(self.project(project).await?),
            _ => None,
        };
        listed(&self.reader, &self.lists, asked, project.as_deref()).await
    }

    /// A signed URL as JSON text, or `null`.
    async fn signed_url(&self, item: Uuid) -> Result<Arc<str>, String> {
        let url = self.reader.signed_url(ItemId(item)).await;
        let url = url.map_err(|error| text_of(&error))?;
        Ok(serde_json::json!(url).to_string().into())
    }

    async fn items(&self, asked: &ItemsQuestion) -> Result<Arc<str>, String> {
        few(asked.items.len())?;
        let ids: Vec<ItemId> = asked.items.iter().map(|item| ItemId(*item)).collect();
        let items = self.reader.items(&ids, false).await;
        let items: Result<Vec<_>, String> = items
            .into_iter()
            .map(|i| i.map_err(|f| text_of(&f)))
            .collect();
        Ok(list(items?.iter().map(|item| &**item)))
    }

    /// The twins of data units in their order: JSON of `TwinDoc` and the row in it, `None` where there is none.
    async fn twins(
        &self,
        spec: &TwinSpec,
        data: &[DataHash],
    ) -> Vec<Result<Option<(Arc<str>, SeenRow)>, String>> {
        let units: Vec<(DataHash, Arc<str>)> =
            data.iter().map(|data| (*data, BRANCH.into())).collect();
        let include = IncludeOptions {
            workflow_graph_node: spec.include_task,
            ..IncludeOptions::default()
        };
        let initialise = match spec.init_labels {
            true => InitialiseOptions::default(),
            false => no_labels(),
        };
        let hash = ProjectHash(spec.project);
        let rows = self
            .reader
            .label_rows_if_any(hash, &units, &include, &initialise);
        let text = |row: Result<Option<RowInput>, Error>| row.map_err(|error| text_of(&error));
        let rows: Vec<_> = rows.await.into_iter().map(text).collect();
        let tasks = if spec.include_task {
            self.tasks(spec.project, data, &rows).await
        } else {
            Ok(HashMap::new())
        };
        let twin = |(row, data): (Result<Option<RowInput>, String>, &DataHash)| {
            let Some(row) = row? else {
                return Ok(None);
            };
            let found = tasks.as_ref().map_err(Clone::clone)?.get(data);
            let task = found.map(|(_, task)| task.doc(rfc3339));
            let task = serde_json::to_string(&task).map_err(|e| e.to_string())?;
            let document = format!("{{\"row\":{},\"task\":{task}}}", row.json);
            let tasks = || {
                found
                    .iter()
                    .map(|(stage, task)| (task.id, *stage))
                    .collect()
            };
            let seen = SeenRow {
                project: hash,
                data: *data,
                branch: BRANCH.into(),
                labels: Some(row),
                tasks: spec.include_task.then(tasks),
            };
            Ok(Some((document.into(), seen)))
        };
        rows.into_iter().zip(data).map(twin).collect()
    }

    /// The tasks of data units, each at the stage that its row names.
    pub(super) async fn tasks(
        &self,
        project: Uuid,
        data: &[DataHash],
        rows: &[Result<Option<RowInput>, String>],
    ) -> Result<HashMap<DataHash, (StageId, TaskRow)>, String> {
        let mut at: HashMap<StageId, Vec<DataHash>> = HashMap::new();
        for (data, row) in data.iter().zip(rows) {
            if let Ok(Some(row)) = row
                && let Ok(row) = serde_json::from_str::<Where>(&row.json)
                && let Some(node) = row.metadata.workflow_graph_node
            {
                at.entry(StageId(node.uuid)).or_default().push(*data);
            }
        }
        let project = self.project(project).await?;
        let mut tasks = HashMap::new();
        for (stage, data) in at {
            let Some(stage) = project.workflow.stage(stage) else {
                continue;
            };
            let found = self.reader.tasks_of(project.hash, stage, &data).await;
            for row in found.map_err(|error| text_of(&error.into()))? {
                tasks.insert(row.data, (stage.id, row));
            }
        }
        Ok(tasks)
    }

    /// Fetches the twins that an agent declares for a whole batch. One that cannot be had is left out:
    /// the agent asks for it again and gets the reason.
    pub(super) async fn prepare(&self, stage: StageId, rows: &[TaskRow], twins: &[TwinSpec]) {
        if twins.is_empty() || rows.is_empty() {
            return;
        }
        let data: Vec<DataHash> = rows.iter().map(|row| row.data).collect();
        let mut batch = Batch::new();
        for spec in twins {
            let project = self.project(spec.project).await;
            for (found, data) in self.twins(spec, &data).await.into_iter().zip(&data) {
                let Ok(found) = found else { continue };
                let (given, seen) = batch.entry((stage, *data)).or_default();
                let (document, row) = found.unzip();
                let document = document.unwrap_or_else(|| "null".into());
                given.push((input::twin(spec).into(), document));
                seen.extend(row);
                if let Ok(project) = &project {
                    let name = input::project_of(spec.project);
                    given.push((name.into(), project.json.clone()));
                }
            }
        }
        let mut ahead = lock(&self.ahead);
        if ahead.len() >= BATCHES {
            ahead.pop_front();
        }
        ahead.push_back(batch);
    }

    /// What was fetched ahead for a task, the latest.
    pub(super) fn given(&self, stage: StageId, data: DataHash) -> Given {
        let ahead = lock(&self.ahead);
        let found = ahead.iter().rev().find_map(|b| b.get(&(stage, data)));
        found.cloned().unwrap_or_default()
    }
}

/// What is read of a row to find its task.
#[derive(Deserialize)]
struct Where {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    workflow_graph_node: Option<Node>,
}

#[derive(Deserialize)]
struct Node {
    uuid: Uuid,
}

/// Options that read a row without any of its labels.
pub(super) fn no_labels() -> InitialiseOptions {
    InitialiseOptions {
        include_object_feature_hashes: Some(Vec::new()),
        include_classification_feature_hashes: Some(Vec::new()),
        ..InitialiseOptions::default()
    }
}

fn read<T: DeserializeOwned>(question: &[u8]) -> Result<T, String> {
    serde_json::from_slice(question).map_err(|e| format!("the question cannot be read: {e}"))
}

fn few(n: usize) -> Result<(), String> {
    if n > MOST {
        return Err(format!("{n} at a time; ask for at most {MOST}"));
    }
    Ok(())
}

/// The twins that an agent declares; what is not readable is left to the agent's own question.
pub(super) fn declared(twins: &[serde_json::Value]) -> Vec<TwinSpec> {
    let read = |twin: &serde_json::Value| serde_json::from_value(twin.clone()).ok();
    twins.iter().filter_map(read).collect()
}
