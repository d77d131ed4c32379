//! Plan, apply, undo, resume and conflicts, in this process against the local server: the real client over
//! loopback, so that the platform's side of each case is the server's own records and not a second model of it.

use crate::files::OutFile;
use crate::journal::Operation;
use crate::local_world::{TASKS, World};
use crate::operation::{Hooks, Operator, Performer, PlanSource};
use crate::plan::{Found, Plan, PlanFile};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wb_core::filter::Filter;
use wb_core::ids::BuildId;
use wb_core::ledger::Applied;
use wb_core::run::{Ending, Report};
use wb_core::work::TaskRow;

const ALL: u64 = TASKS as u64;

impl World {
    /// A plan of what the agents would give for every waiting task.
    async fn plan(&self) -> (PathBuf, Found) {
        let path = self.dir.path().join("p.wbplan");
        let out = OutFile::create(&path).unwrap();
        let mut plan = PlanFile::new(&path, out, &self.project, Vec::new(), &self.name);
        for (inputs, outcome) in self.judged().await {
            plan.add(&Report {
                row: inputs.row.clone(),
                stage: self.stage.id,
                build: BuildId(1),
                attempts: 1,
                ending: Ending::Moved,
                outcome: Some(Arc::new(outcome)),
                inputs: Some(Arc::new(inputs)),
                run_us: 1,
                gone: false,
                follows: None,
            });
        }
        (path, plan.finish().unwrap())
    }

    /// Applies a plan as a command of its own does.
    async fn apply(&self, plan: &Path, writes: bool) -> Applied {
        let mut plan = Plan::verified(plan).unwrap();
        let journal = self.journal();
        let operation = Operation {
            kind: "apply",
            plan: Some(plan.header.id.to_string()),
            ..Operation::default()
        };
        journal
            .operate(self.project.hash, &operation, &[], 1)
            .unwrap();
        let writer = writes.then(|| self.writer());
        let (reader, project) = (self.reader.clone(), self.project.clone());
        let performer = Performer::new(reader, writer, journal.clone(), project);
        let hooks = Hooks {
            stopped: &|| false,
            report: &mut |_| {},
        };
        let source = PlanSource {
            plan: &mut plan,
            only: &Filter::default(),
        };
        let applied = Operator::new(performer).apply(source, hooks).await;
        journal.close(2);
        applied.unwrap()
    }

    fn last_operation(&self) -> i64 {
        self.journal().ops().unwrap().last().unwrap().id
    }

    fn edited_by_somebody_else(&self, row: &TaskRow) {
        let edit = json!({"data_hash": row.data, "by": "ann@example.com"}).to_string();
        tokio::task::block_in_place(|| self.records("POST", "/local/edit", &edit));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_applied_once_and_undone_to_what_was_there() {
    let world = World::new().await;
    let before = world.tasks().await;
    let (plan, found) = world.plan().await;
    assert_eq!((found.outcomes, found.changes), (ALL, ALL));
    assert_eq!(world.tasks().await, before, "a plan writes nothing");
    let moved = Applied {
        moved: ALL,
        ..Applied::default()
    };
    assert_eq!(world.apply(&plan, false).await, moved);
    assert_eq!(world.tasks().await, before, "a dry run writes nothing");
    assert_eq!(world.apply(&plan, true).await, moved);
    let after = world.tasks().await;
    assert!(after.iter().all(|(.., boxes)| *boxes == 1), "{after:?}");
    let op = world.last_operation();
    let saved = world.changed("save_labels");
    let again = world.apply(&plan, true).await;
    assert_eq!((again.earlier, again.moved), (ALL, 0));
    assert_eq!(world.changed("save_labels"), saved);
    assert_eq!(world.undo(op).await.unwrap(), (ALL, 0));
    assert_eq!(world.tasks().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_somebody_else_changed_are_left_by_apply_and_by_undo() {
    let world = World::new().await;
    let (plan, _) = world.plan().await;
    let rows = world.rows().await;
    world.edited_by_somebody_else(&rows[0]);
    let applied = world.apply(&plan, true).await;
    assert_eq!((applied.moved, applied.conflicts), (ALL - 1, 1));
    let op = world.last_operation();
    world.edited_by_somebody_else(&rows[1]);
    assert_eq!(world.undo(op).await.unwrap(), (ALL - 2, 1));
    let boxes: Vec<usize> = world.tasks().await.into_iter().map(|task| task.2).collect();
    assert_eq!(boxes.iter().filter(|n| **n > 0).count(), 1, "{boxes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_were_noted_and_not_sent_are_sent_once_by_the_next_command() {
    let world = World::new().await;
    let (_, items) = world.outcomes().await;
    world.die_while_writing(world.journal(), items).await;
    assert_eq!(world.changed("save_labels"), 0, "nothing was sent");
    for finished in [TASKS, 0] {
        let settled = world.settle(world.journal()).await;
        assert_eq!(settled.finished, finished);
        assert_eq!(world.changed("save_labels"), ALL);
        assert_eq!(world.changed("actions"), ALL);
    }
}
