//! Made-up things: a workflow of two agent stages, its project, tasks, and libraries for them.

use agent_abi::wire::ProjectDoc;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::event::{BuildEvent, Event};
use wb_core::ids::*;
use wb_core::work::*;
use wb_core::workflow::{Pathway, Stage, StageKind, Workflow};

pub fn stage_id(n: u128) -> StageId {
    StageId(Uuid::from_u128(n))
}

pub fn workflow() -> Workflow {
    let stage = |n, title: &str, kind, to: &[(&str, u128)]| Stage {
        id: stage_id(n),
        title: title.into(),
        kind,
        pathways: to
            .iter()
            .enumerate()
            .map(|(i, (name, to))| Pathway {
                id: PathwayId(Uuid::from_u128(n * 100 + i as u128)),
                name: (*name).into(),
                to: stage_id(*to),
            })
            .collect(),
    };
    Workflow {
        stages: vec![
            stage(1, "first", StageKind::Agent, &[("next", 2), ("away", 3)]),
            stage(2, "second", StageKind::Agent, &[("done", 3)]),
            stage(3, "Complete", StageKind::Done, &[]),
        ],
        edges: vec![],
    }
}

pub fn project() -> Arc<Project> {
    let doc = ProjectDoc {
        project_hash: Uuid::from_u128(7),
        title: "P".into(),
        description: String::new(),
        ontology: Value::Null,
        ontology_title: String::new(),
        stages: vec![],
        datasets: vec![],
    };
    Arc::new(Project {
        hash: ProjectHash(doc.project_hash),
        title: "P".into(),
        workflow: workflow(),
        viewer: false,
        json: "{}".into(),
        doc,
    })
}

pub fn row(n: u128) -> TaskRow {
    TaskRow {
        id: TaskId(Uuid::from_u128(1000 + n)),
        data: DataHash(Uuid::from_u128(2000 + n)),
        created: Millis(0),
        updated: Millis(0),
        title: format!("task {n}").into(),
        assignee: None,
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

/// Another content of a library, with agents for these stages.
pub fn content(library: &str, stages: &[&str], flags: u32) -> Probed {
    let agents = stages.iter().map(|stage| AgentDescriptor {
        stage: (*stage).into(),
        flags,
        ..AgentDescriptor::default()
    });
    Probed {
        id: ProbeId::default(),
        library: library.into(),
        copy: library.into(),
        hash: "h".into(),
        size: 1,
        modified: Millis(0),
        descriptor: Descriptor {
            agents: agents.collect(),
            ..Descriptor::default()
        },
    }
}

pub fn probed(library: &str, stages: &[&str], flags: u32) -> Event {
    let content = content(library, stages, flags);
    Event::Build(BuildEvent::Probed(Box::new(content)))
}
