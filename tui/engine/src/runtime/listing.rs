//! Tasks of a stage, page by page, and what filters ask of their label rows.

use super::World;
use agent_abi::model::{LabelRow, Ontology};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use wb_client::Reader;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Event, ListId, Upstream};
use wb_core::filter::{Asks, Facts, Filter, Known};
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::queue::LastResult;
use wb_core::work::{Project, TaskRow};

impl World {
    pub(super) fn page(
        &self,
        list: ListId,
        stage: StageId,
        token: Option<String>,
        only: Option<Box<Filter>>,
        earlier: Arc<HashMap<TaskId, LastResult>>,
    ) {
        let (reader, news, project) =
            (self.reader.clone(), self.news.clone(), self.project.clone());
        tokio::spawn(async move {
            let event = match one_page(&reader, project, stage, token, only, &earlier).await {
                Ok((rows, next)) => Upstream::Page {
                    list,
                    stage,
                    rows,
                    next,
                },
                Err(error) => Upstream::PageFailed { list, stage, error },
            };
            let _ = news.send(Event::Upstream(event)).await;
        });
    }

    pub(super) fn know(&self, stage: StageId, rows: Vec<TaskRow>, asks: Asks) {
        let (reader, news, project) =
            (self.reader.clone(), self.news.clone(), self.project.clone());
        tokio::spawn(async move {
            let found = match project {
                Some(project) => known(&reader, &project, &rows, asks).await,
                None => Err(gone()),
            };
            let event = match found {
                Ok(found) => Upstream::Known {
                    stage,
                    rows: rows.iter().map(|r| r.id).zip(found).collect(),
                },
                Err(error) => Upstream::KnownFailed { stage, error },
            };
            let _ = news.send(Event::Upstream(event)).await;
        });
    }
}

fn gone() -> Error {
    let text = "the project has no such stage any more";
    Error::new(ErrorKind::Settings, text)
}

/// One page; with a filter that asks of the label rows, only the tasks that match it.
async fn one_page(
    reader: &Reader,
    project: Option<Arc<Project>>,
    stage: StageId,
    token: Option<String>,
    only: Option<Box<Filter>>,
    earlier: &HashMap<TaskId, LastResult>,
) -> Result<(Vec<TaskRow>, Option<String>), Error> {
    let project = project.ok_or_else(gone)?;
    let found = project.workflow.stage(stage).ok_or_else(gone)?;
    let all = wb_client::TaskFilter::default();
    let page = reader
        .tasks_page(project.hash, found, &all, token.as_deref())
        .await?;
    let rows = match only {
        Some(filter) => matching(reader, &project, page.rows, &filter, earlier).await?,
        None => page.rows,
    };
    Ok((rows, page.next))
}

/// The tasks that match a filter, in their order; `earlier` has their last results. Reads what it asks of the label rows, for those
/// alone that it does not refuse already.
///
/// # Errors
/// The label rows cannot be read.
pub async fn matching(
    reader: &Reader,
    project: &Project,
    rows: Vec<TaskRow>,
    filter: &Filter,
    earlier: &HashMap<TaskId, LastResult>,
) -> Result<Vec<TaskRow>, Error> {
    let now = super::now();
    let passes = |filter: &Filter, row: &TaskRow, known: Option<&Known>| {
        filter.matches(&Facts {
            row,
            now,
            result: earlier.get(&row.id),
            known,
        })
    };
    let (asks, cheap) = (filter.asks(), filter.cheap());
    let mut rows = rows;
    rows.retain(|row| passes(&cheap, row, None));
    if !asks.any() || rows.is_empty() {
        return Ok(rows);
    }
    let found = known(reader, project, &rows, asks).await?;
    let both = rows.into_iter().zip(found);
    Ok(both
        .filter(|(row, known)| passes(filter, row, Some(known)))
        .map(|(row, _)| row)
        .collect())
}

/// What a filter asks of label rows, in the order of `rows`. A row that cannot be read is one that
/// nothing is known of; when none can, that is an error.
///
/// # Errors
/// No row could be read.
pub async fn known(
    reader: &Reader,
    project: &Project,
    rows: &[TaskRow],
    asks: Asks,
) -> Result<Vec<Known>, Error> {
    let units: Vec<(DataHash, Arc<str>)> = rows
        .iter()
        .map(|row| (row.data, Arc::clone(&row.branch)))
        .collect();
    let answers: Vec<Result<Known, Error>> = if asks.labels {
        let ontology = Ontology::from_editor(&project.doc.ontology)
            .map_err(|e| Error::new(ErrorKind::Upstream, e.to_string()))?;
        let ontology = Arc::new(ontology);
        let include = wb_core::work::wire::IncludeOptions {
            client_metadata: true,
            ..Default::default()
        };
        let initialise = wb_core::work::wire::InitialiseOptions::default();
        let rows = reader
            .label_rows(project.hash, &units, &include, &initialise)
            .await;
        let read = |json: &str| {
            LabelRow::from_json(json, Arc::clone(&ontology))
                .map(|row| with_labels(&row))
                .map_err(|e| Error::new(ErrorKind::Upstream, e.to_string()))
        };
        rows.into_iter().map(|row| read(&row?.json)).collect()
    } else {
        let rows = reader.row_metadata(project.hash, &units).await;
        let seen = |row: wb_core::work::RowMetadata| Known {
            priority: row.priority,
            metadata: row.client_metadata,
            ..Known::default()
        };
        rows.into_iter().map(|row| row.map(seen)).collect()
    };
    if let (Some(Err(error)), true) = (answers.first(), answers.iter().all(Result::is_err)) {
        return Err(error.clone());
    }
    Ok(answers
        .into_iter()
        .map(|answer| {
            answer.unwrap_or_else(|error| {
                tracing::warn!("a label row that a filter asks for: {error}");
                Known {
                    unreadable: true,
                    ..Known::default()
                }
            })
        })
        .collect())
}

fn with_labels(row: &LabelRow) -> Known {
    let mut labels = BTreeMap::new();
    for object in row.objects() {
        *labels.entry(object.name().to_owned()).or_insert(0) += 1;
    }
    for classification in row.classifications() {
        *labels.entry(classification.title().to_owned()).or_insert(0) += 1;
    }
    Known {
        priority: row.priority(),
        metadata: row.client_metadata().cloned(),
        labels: Some(labels),
        unreadable: false,
    }
}
