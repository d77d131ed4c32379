//! Tasks of a stage, page by page.

use super::Reader;
use crate::error::ClientError;
use crate::http::target::Target;
use crate::http::{Call, V2};
use crate::time::parse_time;
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::ids::{DataHash, ProjectHash, StageId, TaskId};
use wb_core::work::{TaskRow, TaskStatus};
use wb_core::workflow::{Stage, StageKind};

/// Which tasks to list; the default is all of them. Fields are joined by *and*, the entries of one
/// field by *or*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Part of the title.
    pub title: Option<String>,
    /// Data units. At most some hundreds: they travel in the request line.
    pub data: Vec<DataHash>,
    /// Datasets.
    pub datasets: Vec<Uuid>,
    /// States; final stages know none.
    pub statuses: Vec<TaskStatus>,
    /// E-mail addresses of people the tasks are assigned to; final stages know none.
    pub users: Vec<String>,
}

/// One page of tasks.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TaskPage {
    /// The tasks in the platform's order.
    pub rows: Vec<TaskRow>,
    /// Asks for the next page; `None`: this was the last.
    pub next: Option<String>,
}

/// A task of any kind of stage. What a kind of stage does not have is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskWire<'a> {
    uuid: Uuid,
    data_hash: Uuid,
    #[serde(borrow)]
    data_title: Cow<'a, str>,
    #[serde(borrow)]
    created_at: Cow<'a, str>,
    #[serde(borrow)]
    updated_at: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    label_branch_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    assignee: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    last_actioned_by: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct TasksWire<'a> {
    #[serde(borrow)]
    results: Vec<TaskWire<'a>>,
    #[serde(default, rename = "nextPageToken")]
    next: Option<String>,
}

/// Data hashes of one question about where tasks are: about 8 kB of request line.
const ASK_CHUNK: usize = 150;
/// Such questions at the same time.
const AT_ONCE: usize = 4;

impl Reader {
    /// One page of the tasks that wait at a stage; `token` is `next` of the page before. Pages
    /// survive tasks that leave meanwhile, as far as the platform's tokens do.
    ///
    /// # Errors
    /// As any request; [`ClientError::Nonsense`] names a missing field.
    pub async fn tasks_page(
        &self,
        project: ProjectHash,
        stage: &Stage,
        filter: &TaskFilter,
        token: Option<&str>,
    ) -> Result<TaskPage, ClientError> {
        if token.is_none()
            && *filter == TaskFilter::default()
            && let Some(page) = self.asked_ahead(project, stage.id).await
        {
            return page;
        }
        self.fetch_page(project, stage, filter, token).await
    }

    pub(super) async fn fetch_page(
        &self,
        project: ProjectHash,
        stage: &Stage,
        filter: &TaskFilter,
        token: Option<&str>,
    ) -> Result<TaskPage, ClientError> {
        let call = Call::get(target(project, stage, filter, token));
        let body = self.wire.send(&call).await?;
        let wire: TasksWire<'_> = self.parse(&call, "the tasks", &body)?;
        let next = self.following(&call, token, wire.next)?;
        let rows = self
            .names()
            .with(|name| rows(&stage.kind, &wire.results, name))
            .map_err(|what| self.wire.nonsense(&call, what))?;
        Ok(TaskPage { rows, next })
    }

    /// All tasks that pass the filter, in memory: for questions about known tasks.
    pub(crate) async fn tasks(
        &self,
        project: ProjectHash,
        stage: &Stage,
        filter: &TaskFilter,
    ) -> Result<Vec<TaskRow>, ClientError> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .tasks_page(project, stage, filter, token.as_deref())
                .await?;
            all.extend(page.rows);
            token = page.next;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// The tasks of these data units at a stage, in any number: for known tasks, such as those of a
    /// queue. Units without a task there are left out.
    ///
    /// # Errors
    /// As any request.
    pub async fn tasks_of(
        &self,
        project: ProjectHash,
        stage: &Stage,
        data: &[DataHash],
    ) -> Result<Vec<TaskRow>, ClientError> {
        // Collected first: a stream over a borrowing closure is not general enough to be spawned.
        let questions: Vec<_> = data
            .chunks(ASK_CHUNK)
            .map(|chunk| {
                let filter = TaskFilter {
                    data: chunk.to_vec(),
                    ..TaskFilter::default()
                };
                Box::pin(async move { self.tasks(project, stage, &filter).await })
            })
            .collect();
        let answers: Vec<Vec<TaskRow>> = futures_util::stream::iter(questions)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// Which of these tasks are still at the stage.
    ///
    /// # Errors
    /// As any request.
    pub async fn still_at(
        &self,
        project: ProjectHash,
        stage: StageId,
        tasks: &[(TaskId, DataHash)],
    ) -> Result<HashSet<TaskId>, ClientError> {
        // Only the identity is needed, which every kind of stage has.
        let stage = Stage {
            id: stage,
            title: String::new(),
            kind: StageKind::Other(String::new()),
            pathways: Vec::new(),
        };
        let data: Vec<DataHash> = tasks.iter().map(|(_, data)| *data).collect();
        let rows = self.tasks_of(project, &stage, &data).await?;
        let there: HashSet<TaskId> = rows.into_iter().map(|row| row.id).collect();
        Ok(tasks
            .iter()
            .map(|(task, _)| *task)
            .filter(|task| there.contains(task))
            .collect())
    }
}

fn target(project: ProjectHash, stage: &Stage, filter: &TaskFilter, token: Option<&str>) -> String {
    let path = format!("{V2}/projects/{project}/workflow/stages/{}/tasks", stage.id);
    let mut target = Target::new(&path);
    let done = stage.kind == StageKind::Done;
    if let Some(token) = token {
        target.push("pageToken", token);
    }
    for user in filter.users.iter().filter(|_| !done) {
        target.push("userEmails", user);
    }
    for data in &filter.data {
        target.push("dataHashes", &data.to_string());
    }
    for dataset in &filter.datasets {
        target.push("datasetHashes", &dataset.to_string());
    }
    if let Some(title) = filter.title.as_deref().filter(|title| !title.is_empty()) {
        target.push("dataTitleContains", title);
    }
    for status in filter.statuses.iter().filter(|_| !done) {
        target.push("statuses", status.wire());
    }
    target.done()
}

fn rows(
    kind: &StageKind,
    wire: &[TaskWire<'_>],
    name: &mut dyn FnMut(&str) -> Arc<str>,
) -> Result<Vec<TaskRow>, String> {
    let has_status = matches!(
        kind,
        StageKind::Agent | StageKind::Annotation | StageKind::Review
    );
    let has_branch = matches!(kind, StageKind::Agent | StageKind::Annotation);
    let mut rows = Vec::with_capacity(wire.len());
    for task in wire {
        let lacks = |field: &str| format!("task {} has no `{field}`", task.uuid);
        let status = match &task.status {
            Some(word) => TaskStatus::from_wire(word),
            None if has_status => return Err(lacks("status")),
            None if *kind == StageKind::Done => TaskStatus::Completed,
            None => TaskStatus::Unknown,
        };
        let branch = match &task.label_branch_name {
            Some(branch) => branch,
            None if has_branch => return Err(lacks("labelBranchName")),
            None => "main",
        };
        rows.push(TaskRow {
            id: TaskId(task.uuid),
            data: DataHash(task.data_hash),
            created: parse_time(&task.created_at).ok_or_else(|| lacks("readable createdAt"))?,
            updated: parse_time(&task.updated_at).ok_or_else(|| lacks("readable updatedAt"))?,
            title: task.data_title.as_ref().into(),
            assignee: task.assignee.as_deref().map(&mut *name),
            last_actioned_by: task.last_actioned_by.as_deref().map(&mut *name),
            branch: name(branch),
            status,
        });
    }
    Ok(rows)
}

/// Reads a page as it came, for tests: the tasks and the token of the next page.
#[cfg(test)]
pub(crate) fn read_page(
    kind: &StageKind,
    body: &[u8],
) -> Result<(Vec<TaskRow>, Option<String>), String> {
    let page: TasksWire<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let rows = rows(kind, &page.results, &mut |name| Arc::from(name))?;
    Ok((rows, page.next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(kind: StageKind) -> Stage {
        Stage {
            id: StageId(Uuid::from_u128(2)),
            title: "Agent 1".to_owned(),
            kind,
            pathways: Vec::new(),
        }
    }

    fn read(kind: StageKind, tasks: &str) -> Result<Vec<TaskRow>, String> {
        let wire: Vec<TaskWire<'_>> = serde_json::from_str(tasks).map_err(|e| e.to_string())?;
        rows(&kind, &wire, &mut |name| Arc::from(name))
    }

    const AGENT: &str = r#"[{"uuid":"00000000-0000-0000-0000-000000000005","createdAt":"2026-11-22T07:57:06.478303Z",
        "updatedAt":"2026-11-22T07:57:07Z","status":"REOPENED","dataHash":"00000000-0000-0000-0000-000000000003",
        "dataTitle":"a\u00e9 \"b\"","labelBranchName":"main","assignee":null,"lastActionedBy":"ann@example.test","new":1}]"#;

    #[test]
    fn a_task_of_an_agent_stage_is_read_whole() {
        let rows = read(StageKind::Agent, AGENT).unwrap();
        assert_eq!(rows[0].title.as_ref(), "aé \"b\"");
        assert_eq!(rows[0].status, TaskStatus::Reopened);
        assert_eq!(
            rows[0].doc(crate::rfc3339).last_actioned_by.as_deref(),
            Some("ann@example.test")
        );
        assert_eq!(rows[0].updated.0 - rows[0].created.0, 522);
    }

    #[test]
    fn each_kind_of_stage_has_its_own_fields() {
        let done = r#"[{"uuid":"00000000-0000-0000-0000-000000000005","createdAt":"2026-11-22T07:57:06Z",
            "updatedAt":"2026-11-22T07:57:07Z","dataHash":"00000000-0000-0000-0000-000000000003","dataTitle":"x"}]"#;
        assert_eq!(
            read(StageKind::Done, done).unwrap()[0].status,
            TaskStatus::Completed
        );
        assert!(
            read(StageKind::Agent, done)
                .unwrap_err()
                .contains("has no `status`")
        );
        let review = done.replace(
            "\"dataTitle\"",
            "\"status\":\"NEW\",\"assignee\":null,\"dataTitle\"",
        );
        assert_eq!(
            &*read(StageKind::Review, &review).unwrap()[0].branch,
            "main"
        );
        let untitled = AGENT.replace("dataTitle", "title");
        assert!(
            read(StageKind::Agent, &untitled)
                .unwrap_err()
                .contains("missing field `dataTitle`")
        );
    }

    #[test]
    fn filters_become_a_query_and_final_stages_take_fewer() {
        let filter = TaskFilter {
            title: Some("night shift".to_owned()),
            data: vec![DataHash(Uuid::from_u128(3)), DataHash(Uuid::from_u128(4))],
            statuses: vec![TaskStatus::New],
            ..TaskFilter::default()
        };
        let agent = target(
            ProjectHash(Uuid::from_u128(1)),
            &stage(StageKind::Agent),
            &filter,
            Some("t/+"),
        );
        let query = agent.split_once('?').unwrap().1;
        assert_eq!(
            query,
            "pageToken=t%2F%2B&dataHashes=00000000-0000-0000-0000-000000000003&dataHashes=00000000-0000-0000-0000-000000000004&dataTitleContains=night+shift&statuses=NEW"
        );
        let done = target(
            ProjectHash(Uuid::from_u128(1)),
            &stage(StageKind::Done),
            &filter,
            None,
        );
        assert!(!done.contains("statuses"));
    }
}
