//! [`Hosts`]: what the rest of the program sees of all this.

use crate::config::{HostConfig, HostError};
use crate::events::{Events, HostEvent};
use crate::host::PREFLIGHTS;
use crate::jobs::{JobRequest, JobResult};
use crate::pool::{Core, State, Work};
use crate::report;
use crate::store::LibraryStore;
use crate::watch::{self, Watcher};
use crate::{spawn, symbols};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, oneshot};
use wb_core::build::Probed;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{BuildId, JobId};

/// Runs agents in processes of their own; cheap to clone. When the last clone is gone, so are the
/// hosts.
#[derive(Clone)]
pub struct Hosts(Arc<Handle>);

struct Handle {
    core: Arc<Core>,
    watcher: Watcher,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.close(true);
    }
}

impl Hosts {
    /// Opens the library store and starts the threads that spawn, watch and symbolise. News goes to
    /// `events`; a slow receiver slows agents down, it never loses anything.
    ///
    /// # Errors
    /// The library store cannot be used, or the system gives no threads.
    pub fn start(
        config: HostConfig,
        events: tokio::sync::mpsc::Sender<HostEvent>,
    ) -> Result<Self, HostError> {
        let store = LibraryStore::open(&config.store).map_err(|source| HostError::Store {
            path: config.store.clone(),
            source,
        })?;
        let state = State {
            concurrency: config.concurrency.max(1),
            ..State::default()
        };
        let core = Arc::new(Core {
            events: Events::new(events),
            store,
            spawner: spawn::start().map_err(HostError::Thread)?,
            symbols: symbols::start().map_err(HostError::Thread)?,
            quiet: Notify::new(),
            state: Mutex::new(state),
            config,
        });
        let watcher = watch::start(&core).map_err(HostError::Thread)?;
        Core::dispatch(&core); // the first spare
        Ok(Self(Arc::new(Handle { core, watcher })))
    }

    /// Watches a library file, which need not exist yet, or a folder for every library directly in
    /// it. Each new content gives one [`HostEvent::Probed`] or [`HostEvent::Rejected`].
    pub fn watch(&self, path: PathBuf) {
        self.0.watcher.add(path);
    }

    /// Gives the content of a watched library once more, although it has not changed.
    pub fn look_again(&self, path: PathBuf) {
        self.0.watcher.look_again(path);
    }

    /// New work may use this build; a host is kept warm for it. Deleting the watched file does not
    /// touch it.
    pub fn activate(&self, build: BuildId, probed: &Probed) {
        let core = &self.0.core;
        core.activate(build, probed);
        Core::dispatch(core);
    }

    /// Nobody will claim this probed content: its host leaves and its copy is deleted.
    pub fn discard(&self, probed: &Probed) {
        self.0.core.discard(probed);
    }

    /// No new work for this build: what was given to it is finished, then its hosts leave and its
    /// copy is deleted.
    pub fn retire(&self, build: BuildId) {
        self.0.core.retire(build);
    }

    /// The project document (JSON of `wire::ProjectDoc`) for all jobs from now on.
    pub fn set_project(&self, json: Arc<str>) {
        let mut state = self.0.core.lock();
        state.project = Some(json);
        state.project_number += 1;
    }

    /// Takes a job; never blocks. It ends with exactly one [`HostEvent::Done`].
    pub fn run(&self, job: JobRequest) {
        self.run_all([job]);
    }

    /// Takes jobs; those of one priority are begun in this order. Cheaper than one by one.
    pub fn run_all(&self, jobs: impl IntoIterator<Item = JobRequest>) {
        let core = &self.0.core;
        let mut refused = Vec::new();
        {
            let mut state = core.lock();
            for job in jobs {
                state.open += 1;
                match state.refusal(&job) {
                    Some(refusal) => refused.push((Work::Job(job), refusal)),
                    None => state.queue(Work::Job(job)),
                }
            }
        }
        core.finish_all(refused);
        Core::dispatch(core);
    }

    /// Asks a job to stop: one that waits ends at once; one that runs is asked through its host's
    /// `is_cancelled` and killed when it does not listen.
    pub fn cancel(&self, job: JobId) {
        self.0.core.stop(job, false);
        Core::dispatch(&self.0.core);
    }

    /// Ends a job now, with its process.
    pub fn kill(&self, job: JobId) {
        self.0.core.stop(job, true);
        Core::dispatch(&self.0.core);
    }

    /// How many jobs may run at the same time, at least 1; also bounded by the number of hosts.
    pub fn set_concurrency(&self, n: usize) {
        self.0.core.lock().concurrency = n.max(1);
        Core::dispatch(&self.0.core);
    }

    /// Calls the library's preflight with the project set before.
    ///
    /// # Errors
    /// The library refused the project, crashed, or took too long. A library without a preflight
    /// has nothing against it.
    pub async fn preflight(&self, build: BuildId) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.0.core.lock();
            let Some(known) = state.builds.get(&build).filter(|b| !b.retired) else {
                return Err(report::unknown_build(build));
            };
            if !known.preflight {
                return Ok(());
            }
            state.next_preflight += 1;
            let work = Work::Preflight {
                number: PREFLIGHTS + state.next_preflight,
                build,
                reply,
            };
            state.queue_again(work, 0);
        }
        Core::dispatch(&self.0.core);
        answer.await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Host,
                "the workbench ended before the preflight had answered",
            ))
        })
    }

    /// Cancels what waits and runs, lets idle hosts say goodbye, and returns when every host is
    /// gone and every job has had its `Done`.
    pub async fn shutdown(&self) {
        let core = &self.0.core;
        self.0.watcher.stop();
        core.close(false);
        loop {
            let mut change = std::pin::pin!(core.quiet.notified());
            change.as_mut().enable();
            if core.lock().is_quiet() {
                return;
            }
            change.await;
        }
    }
}

impl State {
    fn is_quiet(&self) -> bool {
        self.hosts.is_empty() && self.spawning == 0 && self.burials == 0 && self.open == 0
    }

    fn refusal(&self, job: &JobRequest) -> Option<JobResult> {
        if self.closing {
            return Some(JobResult::Cancelled);
        }
        let error = match self.builds.get(&job.build) {
            Some(build) if build.retired => report::unknown_build(job.build),
            None => report::unknown_build(job.build),
            Some(build) if job.agent >= build.agents.len() => Error::new(
                ErrorKind::Bug,
                format!("build {} has no agent number {}", job.build, job.agent),
            ),
            Some(_) => return None,
        };
        Some(JobResult::Failed(error, None))
    }
}
