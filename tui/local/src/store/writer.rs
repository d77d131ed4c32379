//! The writer thread: runs queued writes in one transaction, commits, and acknowledges them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::{Refusal, internal};

/// Called after the commit with its result.
type Settle = Box<dyn FnOnce(Result<(), Refusal>) + Send>;
type Job = Box<dyn FnOnce(&Connection) -> RanWrite + Send>;

/// A write that has run and is not committed yet.
struct RanWrite {
    settle: Settle,
    refusal: Option<Refusal>,
}

/// The number of writes that share a commit, so that the first does not wait too long.
const GROUP: usize = 256;

pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(db: Connection) -> Self {
        let (queue, jobs) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("local-writer".to_owned())
            .spawn(move || run(&db, &jobs))
            .expect("the system starts one more thread");
        Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        }
    }

    pub(super) fn queue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
        answer: impl FnOnce(Result<T, Refusal>) + Send + 'static,
    ) -> Result<(), Refusal> {
        let job: Job = Box::new(move |db| {
            let result = contained(db, work);
            RanWrite {
                refusal: result.as_ref().err().cloned(),
                settle: Box::new(move |committed| answer(committed.and(result))),
            }
        });
        let stopped = || internal!("the server is stopping");
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue
            .as_ref()
            .ok_or_else(stopped)?
            .send(job)
            .map_err(|_| stopped())
    }

    pub(super) fn stop(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the database's writer panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(db: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let begun = db.execute_batch("BEGIN IMMEDIATE").map_err(Refusal::from);
        let mut settles = Vec::new();
        let mut next = Some(first);
        let mut lost = begun.err();
        while let Some(job) = next.take() {
            let done = job(db);
            settles.push(done.settle);
            if lost.is_none() && db.is_autocommit() {
                // On a full disk SQLite rolls back the whole transaction, including earlier writes.
                lost = Some(
                    done.refusal
                        .unwrap_or_else(|| internal!("the database rolled back the transaction")),
                );
            }
            if lost.is_none() && settles.len() < GROUP {
                next = jobs.try_recv().ok();
            }
        }
        let committed = match lost {
            Some(refusal) => Err(refusal),
            None => db.execute_batch("COMMIT").map_err(Refusal::from),
        };
        if committed.is_err() && !db.is_autocommit() {
            // A failed commit leaves the transaction open.
            let _ = db.execute_batch("ROLLBACK");
        }
        for settle in settles {
            settle(committed.clone());
        }
    }
    let _ = db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Runs one write so that all of it takes effect or nothing, even if it panics.
fn contained<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    if db.is_autocommit() {
        return Err(internal!("the database could not begin a transaction"));
    }
    db.execute_batch("SAVEPOINT work")?;
    let result = catch_unwind(AssertUnwindSafe(|| work(db))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(internal!("a bug in the local server: {text}"))
    });
    if db.is_autocommit() {
        // The database has rolled back everything; the savepoint is gone.
        let lost = || internal!("the database rolled back the transaction");
        return result.and_then(|_| Err(lost()));
    }
    let end = if result.is_ok() {
        "RELEASE work"
    } else {
        "ROLLBACK TO work; RELEASE work"
    };
    db.execute_batch(end)?;
    result
}
