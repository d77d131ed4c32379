//! Simulated people: they annotate and review at a steady rate, or interfere when a conflict is injected.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::error::Refusal;
use crate::ids::{mix, unit};
use crate::store::catalog::Project;
use crate::store::tasks::{self, Action, ActionKind, TaskFilter};
use crate::store::tx::Tx;
use crate::workflow::NodeKind;

/// Who interferes when a conflict is injected.
pub(crate) const SOMEBODY: &str = "somebody.else@example.test";
/// Who annotates and reviews.
const ANNOTATOR: &str = "annotator1@example.test";
const REVIEWER: &str = "reviewer1@example.test";
/// The share of reviewed tasks that are sent back.
const REJECTED: f64 = 0.2;

/// Moves a task out of its stage on behalf of somebody else. Does nothing if it has left already.
pub(crate) async fn intrude(
    app: &SharedApp,
    project: &Arc<Project>,
    stage: usize,
    task: Uuid,
) -> Result<(), Refusal> {
    let node = &project.graph.nodes[stage];
    let kind = match &node.kind {
        NodeKind::Agent { pathways } => {
            let Some(route) = pathways.first() else {
                return Ok(());
            };
            ActionKind::Pathway {
                uuid: Some(route.uuid),
                name: None,
            }
        }
        NodeKind::Annotation { .. } => ActionKind::Submit,
        NodeKind::Review { .. } => ActionKind::Approve,
        NodeKind::Done { .. } | NodeKind::Router { .. } => return Ok(()),
    };
    let project = Arc::clone(project);
    let actions = [Action::new(task, kind)];
    let act = app.store.write(SOMEBODY, move |tx| {
        tasks::act(tx, &project, stage, &actions)
    });
    match act.await {
        Ok(_) | Err(Refusal::Invalid(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Annotates and reviews in the main project, `rate` tasks per second, until `stop`.
pub(crate) async fn work(app: SharedApp, rate: f64, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut crew = Crew {
        seed: app.seed,
        ..Crew::default()
    };
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = ticks.tick() => {}
        }
        if let Err(refusal) = crew.one_task(&app).await {
            // The task has left in the meantime, or the project was deleted.
            tracing::debug!(
                reason = refusal.message(),
                "a simulated person could not finish a task"
            );
        }
    }
}

/// The state of the simulated people.
#[derive(Default)]
struct Crew {
    seed: u64,
    /// Finished tasks: stages take turns.
    turn: usize,
    /// How often each task has been reviewed.
    reviews: HashMap<Uuid, u64>,
}

impl Crew {
    /// Takes the oldest task of a stage where people work and finishes it.
    async fn one_task(&mut self, app: &SharedApp) -> Result<(), Refusal> {
        let project = Arc::clone(app.catalog().project(app.project)?);
        let manned =
            |kind: &NodeKind| matches!(kind, NodeKind::Annotation { .. } | NodeKind::Review { .. });
        let stages: Vec<usize> = (0..project.graph.nodes.len())
            .filter(|s| manned(&project.graph.nodes[*s].kind))
            .collect();
        for offset in 0..stages.len() {
            let stage = stages[(self.turn + offset) % stages.len()];
            let here = Arc::clone(&project);
            let waiting = app
                .store
                .read(move |c| tasks::page(c, &here, stage, &TaskFilter::default(), 0, 1))
                .await?;
            let Some(task) = waiting.first().map(|t| t.uuid) else {
                continue;
            };
            let is_review = matches!(project.graph.nodes[stage].kind, NodeKind::Review { .. });
            let (kind, who) = if is_review {
                (self.verdict(task), REVIEWER)
            } else {
                (ActionKind::Submit, ANNOTATOR)
            };
            let actions = [Action::new(task, kind)];
            let act = move |tx: &Tx<'_>| tasks::act(tx, &project, stage, &actions);
            app.store.write(who, act).await?;
            self.turn += 1;
            if is_review {
                *self.reviews.entry(task).or_default() += 1;
            }
            return Ok(());
        }
        Ok(())
    }

    /// Depends only on the seed, the task and how often it was reviewed: the same task is sent back
    /// equally often in every run.
    fn verdict(&self, task: Uuid) -> ActionKind {
        let times = self.reviews.get(&task).copied().unwrap_or_default();
        let draw = unit(mix(self.seed ^ mix(task.as_u64_pair().0 ^ mix(times))));
        if draw < REJECTED {
            ActionKind::Reject
        } else {
            ActionKind::Approve
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_tasks_is_sent_back_and_the_same_ones_in_every_run() {
        let crew = |seed| Crew {
            seed,
            ..Crew::default()
        };
        let sent_back = |crew: &Crew| -> Vec<u128> {
            let tasks = 0..2000u128;
            tasks
                .filter(|n| crew.verdict(Uuid::from_u128(n << 64)) == ActionKind::Reject)
                .collect()
        };
        let first = sent_back(&crew(1));
        assert!((300..500).contains(&first.len()), "{}", first.len());
        assert_eq!(first, sent_back(&crew(1)));
        assert_ne!(first, sent_back(&crew(2)));
        let mut again = crew(1);
        again.reviews = (0..2000u128)
            .map(|n| (Uuid::from_u128(n << 64), 1))
            .collect();
        assert_ne!(first, sent_back(&again), "the next round is another draw");
    }
}
