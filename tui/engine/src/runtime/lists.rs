//! Lists that agents ask for, a page at a time, and addresses of files. The platform gives the rows of a project in one
//! answer; it is kept for a while and handed out in pages.

use super::replies::{list, lock, text_of};
use agent_abi::wire::ListQuestion;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use wb_client::{DocumentList, Reader, TaskFilter, rfc3339};
use wb_core::ids::ProjectHash;
use wb_core::work::Project;

/// Rows of one page.
const PAGE: usize = 1000;
/// Answers that are kept; an agent that reads on from an older one must start over.
const KEPT: usize = 8;

/// The rows of projects that are being read in pages, the latest last.
#[derive(Default)]
pub(super) struct RowLists {
    made: u64,
    kept: VecDeque<(u64, Arc<[Arc<str>]>)>,
}

impl RowLists {
    fn keep(&mut self, rows: Arc<[Arc<str>]>) -> u64 {
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.made += 1;
        self.kept.push_back((self.made, rows));
        self.made
    }

    fn get(&self, number: u64) -> Option<Arc<[Arc<str>]>> {
        let found = self.kept.iter().find(|(known, _)| *known == number);
        found.map(|(_, rows)| Arc::clone(rows))
    }

    fn remove(&mut self, number: u64) {
        self.kept.retain(|(known, _)| *known != number);
    }
}

fn needed<T>(value: Option<T>, asked: &ListQuestion, field: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("the list \"{}\" needs \"{field}\"", asked.list))
}

/// The JSON of a `ListPage`.
fn page<'a>(entries: impl Iterator<Item = &'a str>, next: Option<&str>) -> Arc<str> {
    let next = serde_json::json!(next);
    format!("{{\"entries\":{},\"next\":{next}}}", list(entries)).into()
}

/// The page of a list, as JSON; `project` is the one of `tasks`.
pub(super) async fn listed(
    reader: &Reader,
    lists: &Mutex<RowLists>,
    asked: &ListQuestion,
    project: Option<&Project>,
) -> Result<Arc<str>, String> {
    let of = || needed(asked.of, asked, "of");
    let documents = match asked.list.as_str() {
        "label_rows" => return listed_rows(reader, lists, asked).await,
        "tasks" => return listed_tasks(reader, asked, project).await,
        "folder_items" => DocumentList::FolderItems {
            folder: of()?,
            search: asked.title.as_deref(),
            recursive: asked.recursive,
        },
        "collections" => DocumentList::Collections(asked.of),
        "collection_items" => DocumentList::CollectionItems(of()?),
        other => {
            return Err(format!(
                "\"{other}\" is not a list; there are label_rows, tasks, folder_items, collections and collection_items"
            ));
        }
    };
    let found = reader.documents_page(documents, asked.token.as_deref());
    let found = found.await.map_err(|error| text_of(&error.into()))?;
    let entries = found.entries.iter().map(|entry| &**entry);
    Ok(page(entries, found.next.as_deref()))
}

async fn listed_tasks(
    reader: &Reader,
    asked: &ListQuestion,
    project: Option<&Project>,
) -> Result<Arc<str>, String> {
    let project = needed(project, asked, "project")?;
    let name = needed(asked.stage.as_deref(), asked, "stage")?;
    let stage = project.workflow.find(name).ok_or_else(|| {
        let stages = project.workflow.stages.iter().map(|s| s.title.as_str());
        let stages: Vec<&str> = stages.collect();
        format!(
            "the project has no single stage \"{name}\"; its stages are {}",
            stages.join(", ")
        )
    })?;
    let filter = TaskFilter {
        title: asked.title.clone(),
        ..TaskFilter::default()
    };
    let token = asked.token.as_deref();
    let found = reader.tasks_page(project.hash, stage, &filter, token);
    let found = found.await.map_err(|error| text_of(&error.into()))?;
    let tasks = found.rows.iter().map(|row| row.doc(rfc3339));
    let tasks: Result<Vec<String>, _> = tasks.map(|task| serde_json::to_string(&task)).collect();
    let tasks = tasks.map_err(|error| error.to_string())?;
    Ok(page(
        tasks.iter().map(String::as_str),
        found.next.as_deref(),
    ))
}

async fn listed_rows(
    reader: &Reader,
    lists: &Mutex<RowLists>,
    asked: &ListQuestion,
) -> Result<Arc<str>, String> {
    let project = ProjectHash(needed(asked.project, asked, "project")?);
    let (number, from, rows) = match &asked.token {
        None => {
            let rows = reader.all_rows(project, asked.title.as_deref());
            let rows = rows.await.map_err(|error| text_of(&error.into()))?;
            let rows: Arc<[Arc<str>]> = rows.into();
            (lock(lists).keep(Arc::clone(&rows)), 0, rows)
        }
        Some(token) => {
            let place = token.split_once(':');
            let place = place.and_then(|(n, at)| Some((n.parse().ok()?, at.parse().ok()?)));
            let (number, from): (u64, usize) =
                place.ok_or_else(|| "the token is not one of this list".to_owned())?;
            let rows = lock(lists).get(number);
            let rows = rows.ok_or("the list is no longer kept; start over")?;
            (number, from.min(rows.len()), rows)
        }
    };
    let to = (from + PAGE).min(rows.len());
    let next = (to < rows.len()).then(|| format!("{number}:{to}"));
    if next.is_none() {
        lock(lists).remove(number);
    }
    let entries = rows[from..to].iter().map(|row| &**row);
    Ok(page(entries, next.as_deref()))
}
