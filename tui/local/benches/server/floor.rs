//! Floors: what the same work costs when nothing but the unavoidable is done.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::common::Client;

/// `time` as a multiple of a floor.
pub fn ratio(what: &str, time: Duration, floor: Duration) -> String {
    format!(
        "{:.1} times {what} ({:.2} ms)",
        time.as_secs_f64() / floor.as_secs_f64(),
        floor.as_secs_f64() * 1000.0
    )
}

/// How long each of these took, one after the other.
pub async fn times_of<T>(jobs: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<Duration> {
    let mut times = Vec::new();
    for job in jobs {
        let at = Instant::now();
        job.await;
        times.push(at.elapsed());
    }
    times
}

/// Data and tasks copied into an empty database with the same tables and indexes.
pub fn copy_of_the_rows(from: &Path, to: &Path) -> Duration {
    let connection = Connection::open(to).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;")
        .unwrap();
    connection
        .execute("ATTACH ?1 AS made", [from.to_str().unwrap()])
        .unwrap();
    let statements = |kind: &str| -> Vec<String> {
        let sql = "SELECT sql FROM made.sqlite_master WHERE type = ?1 AND tbl_name IN ('data', 'task') AND sql IS NOT NULL";
        let mut find = connection.prepare(sql).unwrap();
        find.query_map([kind], |r| r.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    let (tables, indexes) = (statements("table"), statements("index"));
    let began = Instant::now();
    for sql in tables {
        connection.execute_batch(&sql).unwrap();
    }
    connection
        .execute_batch("BEGIN; INSERT INTO data SELECT * FROM made.data; INSERT INTO task SELECT * FROM made.task;")
        .unwrap();
    for sql in indexes {
        connection.execute_batch(&sql).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    let time = began.elapsed();
    connection.close().unwrap();
    std::fs::remove_file(to).unwrap();
    time
}

/// The median time of one row committed to disk.
pub fn one_committed_row(path: &Path) -> Duration {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER);")
        .unwrap();
    let mut times: Vec<Duration> = (0..300)
        .map(|n| {
            let at = Instant::now();
            connection
                .execute("INSERT INTO t(n) VALUES (?1)", [n])
                .unwrap();
            at.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// The median time of a request that reads nothing.
pub async fn request_that_does_nothing(client: &Client) -> Duration {
    client.local("health").await;
    let mut times = times_of((0..500).map(|_| client.local("health"))).await;
    times.sort_unstable();
    times[times.len() / 2]
}
