//! What people do: annotate and review at a steady rate, or act at the worst moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::app::Shared;
use crate::error::Refusal;
use crate::ids::{mix, unit};
use crate::store::catalog::Project;
use crate::store::tasks::{self, Action, ActionKind, TaskFilter};
use crate::time;
use crate::workflow::NodeKind;

/// Who acts in between when a conflict is injected.
pub(crate) const SOMEBODY: &str = "somebody.else@example.test";
/// Who annotates and reviews.
const ANNOTATOR: &str = "annotator1@example.test";
const REVIEWER: &str = "reviewer1@example.test";
/// The share of reviewed tasks that are sent back.
const REJECTED: f64 = 0.2;

/// Somebody else takes one task out of its stage. A task that is elsewhere already stays there.
pub(crate) async fn intrude(
    app: &Shared,
    project: &Arc<Project>,
    stage: usize,
    task: Uuid,
) -> Result<(), Refusal> {
    let node = &project.graph.nodes[stage];
    let kind = match &node.kind {
        NodeKind::Agent { pathways } => {
            let Some(way) = pathways.first() else {
                return Ok(());
            };
            ActionKind::Pathway {
                uuid: Some(way.uuid),
                name: None,
            }
        }
        NodeKind::Annotation { .. } => ActionKind::Submit,
        NodeKind::Review { .. } => ActionKind::Approve,
        NodeKind::Done { .. } | NodeKind::Router { .. } => return Ok(()),
    };
    let project = Arc::clone(project);
    let actions = [Action { task, kind }];
    let work = move |c: &rusqlite::Connection| {
        tasks::act(c, &project, stage, &actions, SOMEBODY, time::now())
    };
    match app.store.write(work).await {
        Ok(_) | Err(Refusal::Invalid(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Annotates and reviews in the main project, `rate` tasks per second, until told to stop.
pub(crate) async fn work(app: Shared, rate: f64, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut turn = 0u64;
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = ticks.tick() => {}
        }
        turn += 1;
        if let Err(refusal) = one_task(&app, turn).await {
            tracing::debug!(reason = refusal.message(), "a person found nothing to do");
        }
    }
}

/// Takes the oldest task of a stage where people work and finishes it.
async fn one_task(app: &Shared, turn: u64) -> Result<(), Refusal> {
    let project = Arc::clone(app.catalog().project(app.project)?);
    let manned =
        |kind: &NodeKind| matches!(kind, NodeKind::Annotation { .. } | NodeKind::Review { .. });
    let stages: Vec<usize> = (0..project.graph.nodes.len())
        .filter(|s| manned(&project.graph.nodes[*s].kind))
        .collect();
    for offset in 0..stages.len() as u64 {
        let stage = stages[((turn + offset) % stages.len() as u64) as usize];
        let here = Arc::clone(&project);
        let waiting = app
            .store
            .read(move |c| tasks::page(c, &here, stage, &TaskFilter::default(), 0, 1))
            .await?;
        let Some(task) = waiting.first().map(|t| t.uuid) else {
            continue;
        };
        let review = matches!(project.graph.nodes[stage].kind, NodeKind::Review { .. });
        let (kind, who) = match review {
            true if unit(mix(app.seed ^ turn)) < REJECTED => (ActionKind::Reject, REVIEWER),
            true => (ActionKind::Approve, REVIEWER),
            false => (ActionKind::Submit, ANNOTATOR),
        };
        let actions = [Action { task, kind }];
        let work = move |c: &rusqlite::Connection| {
            tasks::act(c, &project, stage, &actions, who, time::now())
        };
        app.store.write(work).await?;
        return Ok(());
    }
    Ok(())
}
