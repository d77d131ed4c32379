//! [`Hosts`]: the interface to the rest of the program.

use crate::asking::{self, ResourceNews};
use crate::config::{HostConfig, HostError};
use crate::core::Core;
use crate::events::{Events, HostEvent};
use crate::jobs::JobRequest;
use crate::pool::News;
use crate::resources;
use crate::store::LibraryStore;
use crate::watch::{self, Watcher};
use crate::{spawn, symbols};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::oneshot;
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
        self.core.on(News::Close { at_once: true });
        self.core.inform(ResourceNews::Close {
            at_once: true,
            reply: None,
        });
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
        let concurrency = config.concurrency;
        let (inbox, messages) = asking::inbox();
        let mut core = Core::new(
            config,
            Events::new(events),
            Arc::new(store),
            spawn::start().map_err(HostError::Thread)?,
            symbols::start().map_err(HostError::Thread)?,
        );
        core.resources = Some(inbox);
        let core = Arc::new(core);
        resources::start(&core, messages).map_err(HostError::Thread)?;
        let watcher = watch::start(&core).map_err(HostError::Thread)?;
        core.on(News::Concurrency(concurrency)); // the first news starts the first spare
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
        let probed = Box::new(probed.clone());
        if !probed.descriptor.resources.is_empty() {
            let probed = probed.clone();
            self.0
                .core
                .inform(ResourceNews::Activated { build, probed });
        }
        self.on(News::Activate { build, probed });
    }

    /// Nobody will claim this probed content: its host leaves and its copy is deleted.
    pub fn discard(&self, probed: &Probed) {
        self.on(News::Discard(probed.id));
        if !probed.descriptor.resources.is_empty() {
            self.0.core.inform(ResourceNews::Discarded(probed.id));
        }
    }

    /// No new work for this build: what was given to it is finished, then its hosts leave and its
    /// copy is deleted.
    pub fn retire(&self, build: BuildId) {
        self.on(News::Retire { build });
    }

    /// This build is no longer active, and is kept: it can be given work, and its hosts leave once they have none.
    pub fn rest(&self, build: BuildId) {
        self.on(News::Rest { build });
    }

    /// The project document (JSON of `wire::ProjectDoc`) for all jobs from now on.
    pub fn set_project(&self, json: Arc<str>) {
        self.on(News::Project(json));
    }

    /// Takes a job; never blocks. It ends with exactly one [`HostEvent::Done`].
    pub fn run(&self, job: JobRequest) {
        self.run_all([job]);
    }

    /// Takes jobs; those of one priority are begun in this order. Cheaper than one by one.
    pub fn run_all(&self, jobs: impl IntoIterator<Item = JobRequest>) {
        self.on(News::Run(jobs.into_iter().collect()));
    }

    /// Asks a job to stop: one that waits ends at once; one that runs is asked through its host's
    /// `is_cancelled` and killed when it does not listen.
    pub fn cancel(&self, job: JobId) {
        self.on(News::Stop { job, kill: false });
    }

    /// Ends a job now, with its process.
    pub fn kill(&self, job: JobId) {
        self.on(News::Stop { job, kill: true });
    }

    /// Lets a job go on that has reached a place ([`HostEvent::Paused`]): with its own value, or with this JSON.
    pub fn go_on(&self, job: JobId, edited: Option<Arc<str>>) {
        self.on(News::GoOn { job, edited });
    }

    /// Lets the limits of a running job stand still for a debugger, until this is called with `false`.
    pub fn attach(&self, job: JobId, on: bool) {
        self.on(News::Attach { job, on });
    }

    /// How many jobs may run at the same time, at least 1; also bounded by the number of hosts.
    pub fn set_concurrency(&self, n: usize) {
        self.on(News::Concurrency(n));
    }

    /// Calls the library's preflight with the project set before.
    ///
    /// # Errors
    /// The library refused the project, crashed, or took too long. A library without a preflight
    /// has nothing against it.
    pub async fn preflight(&self, build: BuildId) -> Result<(), Error> {
        let result = self.0.core.preflight(build);
        result.await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Host,
                "the workbench ended before the preflight had answered",
            ))
        })
    }

    /// Cancels what waits and runs, lets idle hosts leave, and returns when every host is
    /// gone and every job has had its `Done`.
    pub async fn shutdown(&self) {
        let core = &self.0.core;
        self.0.watcher.stop();
        core.on(News::Close { at_once: false });
        core.quiet().await;
        close_resources(core).await;
    }

    fn on(&self, news: News) {
        self.0.core.on(news);
    }
}

/// Ends all resources and waits until their processes are gone.
async fn close_resources(core: &Core) {
    let (reply, closed) = oneshot::channel();
    core.inform(ResourceNews::Close {
        at_once: false,
        reply: Some(reply),
    });
    for resource in closed.await.unwrap_or_default() {
        resource.await;
    }
}
