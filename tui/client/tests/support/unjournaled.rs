//! A ledger that keeps nothing, for tests and benches that look at what is sent and not at what is noted.

use wb_client::Writer;
use wb_core::error::Error;
use wb_core::ids::{DataHash, Millis, ProjectHash, StageId, TaskId};
use wb_core::ledger::{Change, Ledger, Noted};
use wb_core::work::{Committed, Project};

struct Nowhere;

impl Ledger for Nowhere {
    fn record(
        &self,
        _: ProjectHash,
        changes: &[Change],
        _: Millis,
    ) -> Result<Vec<Option<i64>>, Error> {
        Ok(vec![Some(0); changes.len()])
    }

    fn holds(&self, _: i64) -> bool {
        false
    }
}

/// Sends without a journal.
#[allow(dead_code)] // not every test or bench does both
pub trait Unjournaled {
    /// Sends outcomes.
    async fn commit(&self, project: &Project, items: Vec<Change>) -> Vec<(TaskId, Committed)>;

    /// Moves tasks from one stage to any other.
    async fn move_tasks(
        &self,
        project: &Project,
        from: StageId,
        to: StageId,
        tasks: &[(TaskId, DataHash)],
    ) -> Vec<(TaskId, Committed)>;
}

fn noted(project: &Project, changes: Vec<Change>) -> Vec<Noted<Change>> {
    let noted = Nowhere.note(project.hash, changes, Millis(0));
    noted.into_iter().flatten().flatten().collect()
}

impl Unjournaled for Writer {
    async fn commit(&self, project: &Project, items: Vec<Change>) -> Vec<(TaskId, Committed)> {
        self.send(project, noted(project, items)).await
    }

    async fn move_tasks(
        &self,
        project: &Project,
        from: StageId,
        to: StageId,
        tasks: &[(TaskId, DataHash)],
    ) -> Vec<(TaskId, Committed)> {
        let change = |(task, data): &(TaskId, DataHash)| Change {
            to: Some(to),
            direct: true,
            ..Change::empty(*task, from, *data)
        };
        let changes = tasks.iter().map(change).collect();
        self.send(project, noted(project, changes)).await
    }
}
