//! The client against a server that misbehaves by a script: what goes over the wire, what is sent
//! again and what is not, and what each kind of nonsense is called.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod clock;
mod contents;
mod digits;
mod downloads;
mod errors;
mod limits;
mod moves;
mod rows;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/unjournaled.rs"]
mod unjournaled;
mod wire;

use serde_json::json;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::{Reply, Request, Scripted, seed};
use unjournaled::Unjournaled;
use uuid::Uuid;
use wb_client::{
    AssetCache, Bearer, ClientError, Credential, Limits, Permission, Reader, TaskFilter,
};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, ItemId, Millis, PathwayId, ProjectHash, StageId, TaskId};
use wb_core::work::wire::ProjectDoc;
use wb_core::work::{Change, Committed, FetchSpec, Project, TaskRow, TaskStatus, needs};
use wb_core::workflow::{Stage, StageKind, Workflow};

const EMPTY_PAGE: &str = r#"{"results":[],"nextPageToken":null}"#;

fn hash() -> ProjectHash {
    ProjectHash(Uuid::from_u128(1))
}

fn stage() -> Stage {
    Stage {
        id: StageId(Uuid::from_u128(2)),
        title: "Agent 1".to_owned(),
        kind: StageKind::Agent,
        pathways: Vec::new(),
    }
}

fn project() -> Project {
    Project {
        hash: hash(),
        title: "P".to_owned(),
        viewer: false,
        workflow: Workflow {
            stages: vec![stage()],
            edges: Vec::new(),
        },
        doc: ProjectDoc {
            project_hash: hash().0,
            title: "P".to_owned(),
            description: String::new(),
            ontology: json!({}),
            ontology_title: String::new(),
            stages: Vec::new(),
            datasets: Vec::new(),
        },
        json: "{}".into(),
    }
}

fn mover(n: u128) -> Change {
    let (task, data) = (Uuid::from_u128(n), Uuid::from_u128(1000 + n));
    Change {
        pathway: Some(PathwayId(Uuid::from_u128(9))),
        ..Change::empty(TaskId(task), stage().id, DataHash(data))
    }
}

async fn list(reader: &Reader, filter: TaskFilter) -> Result<usize, ClientError> {
    let page = reader.tasks_page(hash(), &stage(), &filter, None).await?;
    Ok(page.rows.len())
}

async fn listing(
    script: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Result<usize, ClientError>, usize) {
    let server = Scripted::start(move |n, _| script(n)).await;
    let result = list(&server.reader(), TaskFilter::default()).await;
    (result, server.requests().len())
}
