//! What the thread that keeps resources is sent, and what identifies a resource.

use crate::calls::Asked;
use crate::jobs::JobResult;
use crate::pool::HostId;
use crate::store::StagedCopy;
use agent_abi::wire::ResourceSpec;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use wb_core::build::Probed;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{BuildId, JobId, ProbeId};

/// Ready when the processes of a resource are gone.
pub(crate) type Quiet = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What happened elsewhere.
pub(crate) enum ResourceNews {
    /// A content whose agents need resources could be opened.
    Probed {
        probed: Box<Probed>,
        copy: Option<Arc<StagedCopy>>,
    },
    Activated {
        build: BuildId,
        probed: Box<Probed>,
    },
    Discarded(ProbeId),
    /// A retired build has no work any more.
    Gone(BuildId),
    Ask(Box<Asking>),
    /// A job has ended; it may have asked.
    Over(JobId),
    Ended {
        resource: u64,
        number: u64,
        result: JobResult,
    },
    /// The end of the program; answered with what has yet to become quiet.
    Close {
        at_once: bool,
        reply: Option<oneshot::Sender<Vec<Quiet>>>,
    },
}

/// A question of a job.
pub(crate) struct Asking {
    pub build: BuildId,
    pub host: HostId,
    pub job: JobId,
    pub question: Vec<u8>,
    pub asked: Asked,
}

/// The way to the thread.
pub(crate) struct Inbox {
    to: Sender<ResourceNews>,
    /// Questions without an answer.
    open: Arc<AtomicUsize>,
}

impl Inbox {
    pub(crate) fn send(&self, message: ResourceNews) {
        drop(self.to.send(message)); // after the end nobody needs it
    }

    pub(crate) fn ask(
        &self,
        build: BuildId,
        host: HostId,
        job: JobId,
        question: Vec<u8>,
        asked: Asked,
    ) {
        self.open.fetch_add(1, Ordering::SeqCst);
        self.send(ResourceNews::Ask(Box::new(Asking {
            build,
            host,
            job,
            question,
            asked,
        })));
    }

    /// Most jobs ask nothing.
    pub(crate) fn over(&self, job: JobId) {
        if self.open.load(Ordering::SeqCst) > 0 {
            self.send(ResourceNews::Over(job));
        }
    }
}

/// Where the pool of a resource puts answers.
pub(crate) struct ResourceAnswers {
    pub to: Sender<ResourceNews>,
    pub resource: u64,
}

impl ResourceAnswers {
    pub(crate) fn send(&self, number: u64, result: JobResult) {
        drop(self.to.send(ResourceNews::Ended {
            resource: self.resource,
            number,
            result,
        }));
    }
}

/// The end of an [`Inbox`] that the thread takes messages from.
pub(crate) struct InboxEnd {
    pub from: Receiver<ResourceNews>,
    pub to: Sender<ResourceNews>,
    pub open: Arc<AtomicUsize>,
}

/// A way to a thread that is yet to start, and its end.
pub(crate) fn inbox() -> (Inbox, InboxEnd) {
    let (to, from) = channel();
    let open = Arc::new(AtomicUsize::new(0));
    let inbox = Inbox {
        to: to.clone(),
        open: Arc::clone(&open),
    };
    (inbox, InboxEnd { from, to, open })
}

/// Version and files as they are now.
pub(crate) fn identity(spec: &ResourceSpec) -> String {
    let mut text = spec.version.clone();
    for file in &spec.files {
        let found = std::fs::metadata(file);
        let found = found.ok().map(|file| (file.len(), file.modified().ok()));
        text.push_str(&format!("\n{file} {found:?}"));
    }
    text
}

/// What a number given to a pool stands for.
pub(crate) enum Wanted {
    Open,
    Answer {
        host: HostId,
        job: JobId,
        asked: Asked,
        /// The job was reported to wait for loading.
        loading: bool,
    },
}

/// What a pool gave for a question.
pub(crate) fn answer(result: JobResult) -> Result<Vec<u8>, Error> {
    match result {
        JobResult::Outcome(bytes) => Ok(bytes),
        JobResult::Failed(error, _) | JobResult::Crashed(error) | JobResult::TimedOut(error) => {
            Err(error)
        }
        JobResult::Cancelled => Err(Error::new(ErrorKind::Host, "its process was stopped")),
    }
}

/// The error without what is true of tasks only.
pub(crate) fn sentence(error: &Error) -> String {
    let text = error.summary.as_str();
    text.trim_end_matches("; the task stays where it is")
        .to_owned()
}
