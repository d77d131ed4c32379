//! The database: one writer thread with group commit, readers on connections of their own.
//!
//! A write is acknowledged only after the commit that contains it; with `Durability::Disk`, after the
//! write-ahead log is on disk. The modules below hold the statements; `routes` interprets requests.

pub(crate) mod blob;
pub(crate) mod catalog;
pub(crate) mod copies;
pub(crate) mod exact;
pub(crate) mod folders;
pub(crate) mod history;
pub(crate) mod items;
pub(crate) mod labels;
pub(crate) mod like;
pub(crate) mod records;
pub(crate) mod reviews;
pub(crate) mod row_query;
pub(crate) mod rows;
pub(crate) mod saving;
pub(crate) mod schema;
pub(crate) mod spaces;
pub(crate) mod sql;
pub(crate) mod tasks;
pub(crate) mod tx;
pub(crate) mod units;
pub(crate) mod uses;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, oneshot};

use crate::error::{LocalError, Refusal, internal};
use tx::Tx;
use writer::Writer;

/// What acknowledged writes survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// A crash of the process or the machine.
    Disk,
    /// Nothing: the data are removed with the process.
    Process,
}

/// The number of concurrent reads. Each has its own page cache.
const READERS: usize = 8;

/// The open database.
pub(crate) struct Store {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
}

impl Store {
    /// Opens a database that `schema` has created.
    pub(crate) fn open(path: &Path, durability: Durability) -> Result<Arc<Self>, LocalError> {
        let unusable = |e: rusqlite::Error| {
            let advice = "choose another --data folder, or remove this file to start over";
            LocalError::content(
                path,
                format!("the database cannot be opened ({e}); {advice}"),
            )
        };
        let db = Connection::open(path).map_err(unusable)?;
        prepare(&db).map_err(unusable)?;
        let settings = match durability {
            // FULL: each commit syncs the log before it is acknowledged. The log is truncated after a
            // burst, since a long read may have prevented a checkpoint.
            Durability::Disk => {
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"
            }
            Durability::Process => "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        };
        db.execute_batch(settings).map_err(unusable)?;
        schema::upgrade(&db).map_err(unusable)?;
        schema::check(&db, path)?;
        let writer = Writer::start(db);
        Ok(Arc::new(Self {
            path: path.to_owned(),
            writer,
            readers: Mutex::new(Vec::new()),
            turns: Arc::new(Semaphore::new(READERS)),
        }))
    }

    /// Runs `work` on a read-only connection. All its statements see the same state.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let store = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // Held until the read ends, even if its caller is gone.
            let _turn = turn;
            store.read_here(work)
        })
        .await;
        done.unwrap_or_else(|e| Err(internal!("a read ended early: {e}")))
    }

    /// As [`read`](Self::read), in this thread.
    pub(crate) fn read_here<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let kept = self.readers().pop();
        let db = kept.map_or_else(|| self.reader(), Ok)?;
        let result = match db.unchecked_transaction() {
            Ok(snapshot) => work(&snapshot),
            Err(refused) => Err(refused.into()),
        };
        self.readers().push(db);
        result
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Result<Connection, Refusal> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.path, flags)?;
        prepare(&db)?;
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        db.create_scalar_function("lower_unicode", 1, flags, |context| {
            Ok(context.get::<String>(0)?.to_lowercase())
        })?;
        Ok(db)
    }

    /// Runs `work` on behalf of `actor` in the writer's next transaction and returns after its commit.
    /// When `work` fails, its changes are rolled back; other writes in the same commit are unaffected.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        actor: impl Into<Arc<str>>,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let actor = actor.into();
        let work = move |db: &Connection| work(&Tx::new(db, &actor));
        self.writer.queue(work, move |result| {
            // The caller may be gone; the write is done nevertheless.
            let _ = answer.send(result);
        })?;
        answered
            .await
            .unwrap_or_else(|_| Err(internal!("the database's writer has stopped")))
    }

    /// Finishes the queued writes and closes the database.
    pub(crate) fn close(&self) {
        self.writer.stop();
        self.readers().clear();
    }
}

fn prepare(db: &Connection) -> Result<(), rusqlite::Error> {
    db.set_prepared_statement_cache_capacity(128);
    db.execute_batch(
        "PRAGMA busy_timeout=10000; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;",
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::invalid;

    pub(crate) fn scratch() -> (tempfile::TempDir, Arc<Store>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("project.db");
        schema::create(&Connection::open(&path).unwrap()).unwrap();
        let store = Store::open(&path, Durability::Disk).unwrap();
        (folder, store)
    }

    fn put(db: &Connection, key: &str) -> Result<(), Refusal> {
        db.execute("INSERT INTO meta(key, value) VALUES (?1, 'x')", [key])?;
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refused_write_is_rolled_back_and_others_in_its_commit_stay() {
        let (_folder, store) = scratch();
        let writes = (0..40).map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store
                    .write("", move |c| {
                        put(c, &format!("k{n}"))?;
                        if n % 4 == 0 {
                            Err(invalid!("every fourth"))
                        } else {
                            Ok(n)
                        }
                    })
                    .await
            })
        });
        let mut refused = 0;
        for write in writes.collect::<Vec<_>>() {
            refused += usize::from(write.await.unwrap().is_err());
        }
        let sql = "SELECT count(*) FROM meta WHERE key LIKE 'k%'";
        let kept: i64 = store
            .read(|c| Ok(c.query_row(sql, [], |r| r.get(0))?))
            .await
            .unwrap();
        assert_eq!((refused, kept), (10, 30));
    }

    #[tokio::test]
    async fn the_statements_of_one_read_see_the_same_state() {
        let (_folder, store) = scratch();
        let count = |c: &Connection| -> Result<i64, Refusal> {
            Ok(c.query_row("SELECT count(*) FROM meta", [], |r| r.get(0))?)
        };
        let writer = Arc::clone(&store);
        let (before, after) = store
            .read_here(|c| {
                let before = count(c)?;
                let (done, committed) = std::sync::mpsc::channel();
                let put = |c: &Connection| put(c, "meanwhile");
                writer.writer.queue(put, move |result| {
                    done.send(result.is_ok()).unwrap();
                })?;
                assert!(committed.recv().unwrap());
                Ok((before, count(c)?))
            })
            .unwrap();
        assert_eq!(before, after);
        assert_eq!(store.read_here(count).unwrap(), before + 1);
    }

    #[tokio::test]
    async fn a_panicking_write_is_refused_and_the_writer_survives() {
        let (_folder, store) = scratch();
        let refusal = store
            .write("", |c| {
                put(c, "half")?;
                if true { panic!("on purpose") } else { Ok(()) }
            })
            .await
            .unwrap_err();
        assert!(refusal.message().contains("on purpose"), "{refusal:?}");
        store.write("", |c| put(c, "half")).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn on_a_full_disk_exactly_the_acknowledged_writes_are_kept() {
        let (_folder, store) = scratch();
        let fill = |n: usize| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let text = "x".repeat(n * 3000);
                let work = move |c: &Tx<'_>| {
                    let sql = "INSERT INTO meta(key, value) VALUES (?1, ?2)";
                    c.execute(sql, [format!("k{n}"), text])?;
                    Ok(format!("k{n}"))
                };
                store.write("", work).await
            })
        };
        // The database may grow by a few pages, as on an almost full disk.
        store
            .write("", |c| {
                let pages: i64 = c.query_row("PRAGMA page_count", [], |r| r.get(0))?;
                c.query_row(&format!("PRAGMA max_page_count={}", pages + 12), [], |_| {
                    Ok(())
                })?;
                Ok(())
            })
            .await
            .unwrap();
        let mut acknowledged = Vec::new();
        let mut refused = 0;
        for write in (0..24).map(fill).collect::<Vec<_>>() {
            match write.await.unwrap() {
                Ok(key) => acknowledged.push(key),
                Err(refusal) => {
                    assert!(refusal.message().contains("full"), "{refusal:?}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0);
        let list = |c: &Connection| {
            let sql = "SELECT key FROM meta WHERE key LIKE 'k%'";
            let mut find = c.prepare(sql)?;
            let keys = find.query_map([], |r| r.get(0))?;
            Ok(keys.collect::<Result<Vec<String>, _>>()?)
        };
        let mut kept = store.read(list).await.unwrap();
        kept.sort_unstable();
        acknowledged.sort_unstable();
        assert_eq!(kept, acknowledged);
        store
            .write("", |c| {
                Ok(c.execute("DELETE FROM meta WHERE key LIKE 'k%'", [])?)
            })
            .await
            .unwrap();
        store.write("", |c| put(c, "k1")).await.unwrap();
    }

    #[tokio::test]
    async fn after_closing_writes_are_refused() {
        let (_folder, store) = scratch();
        store.close();
        assert!(store.write("", |c| put(c, "late")).await.is_err());
    }
}
