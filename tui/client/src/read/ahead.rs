//! The first tasks of a stage, asked for while the project's ontology is still on its way: whoever is
//! going to work through the stage waits for one answer less.

use super::Reader;
use super::tasks::{TaskFilter, TaskPage};
use crate::error::ClientError;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use wb_core::ids::{ProjectHash, StageId};
use wb_core::workflow::Stage;

/// A page that is older than this is not used but asked for again.
const FRESH: Duration = Duration::from_secs(5);

/// At most one page, handed out once.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Option<Asked>>);

struct Asked {
    project: ProjectHash,
    stage: StageId,
    since: Instant,
    page: JoinHandle<Result<TaskPage, ClientError>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.page.abort();
    }
}

impl Reader {
    pub(super) fn ask_ahead(&self, project: ProjectHash, stage: &Stage) {
        let (reader, wanted) = (self.clone(), stage.clone());
        let page = tokio::spawn(async move {
            let all = TaskFilter::default();
            reader.fetch_page(project, &wanted, &all, None).await
        });
        let asked = Asked {
            project,
            stage: stage.id,
            since: Instant::now(),
            page,
        };
        *self.lock_ahead() = Some(asked);
    }

    /// The first page, if it was asked for already and is worth having.
    pub(super) async fn asked_ahead(
        &self,
        project: ProjectHash,
        stage: StageId,
    ) -> Option<Result<TaskPage, ClientError>> {
        let right = |asked: &mut Asked| asked.project == project && asked.stage == stage;
        let mut asked = self.lock_ahead().take_if(right)?;
        if asked.since.elapsed() > FRESH {
            return None;
        }
        (&mut asked.page).await.ok()
    }

    /// Something is about to be written: the tasks of a page that was asked for before may leave by it.
    pub(crate) fn forget_ahead(&self) {
        *self.lock_ahead() = None;
    }

    fn lock_ahead(&self) -> std::sync::MutexGuard<'_, Option<Asked>> {
        self.ahead.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
