//! Counters of what went over the wire.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What went over the wire since the reader was made; clones and writers count together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Requests sent, each attempt counted, downloads included.
    pub requests: u64,
    /// Those of them that write.
    pub writes: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Time spent waiting: back-off, `Retry-After`, rate limit.
    pub waited: Duration,
    /// Bytes of bodies received (after decompression).
    pub bytes: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    writes: AtomicU64,
    retries: AtomicU64,
    waited_us: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub fn sent(&self, writes: bool, first: bool) {
        self.requests.fetch_add(1, Relaxed);
        if writes {
            self.writes.fetch_add(1, Relaxed);
        }
        if !first {
            self.retries.fetch_add(1, Relaxed);
        }
    }

    pub fn waited(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited_us.fetch_add(us, Relaxed);
    }

    pub fn received(&self, bytes: usize) {
        self.bytes
            .fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }

    pub fn read(&self) -> Stats {
        Stats {
            requests: self.requests.load(Relaxed),
            writes: self.writes.load(Relaxed),
            retries: self.retries.load(Relaxed),
            waited: Duration::from_micros(self.waited_us.load(Relaxed)),
            bytes: self.bytes.load(Relaxed),
        }
    }
}
