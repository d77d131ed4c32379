//! Log lines of threads that an agent starts: they belong to no attempt, and so to every run of the
//! testing kit that goes on. Outside of tests nobody listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Level, target and message.
pub(crate) type OverheardLine = (u32, String, String);
type Overheard = Arc<Mutex<Vec<OverheardLine>>>;

/// The runs of this process that go on.
static LISTENING: Mutex<Vec<Overheard>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hears log lines until it is dropped.
pub(crate) struct Listener(Overheard);

impl Listener {
    pub(crate) fn new() -> Self {
        let lines = Overheard::default();
        lock(&LISTENING).push(Arc::clone(&lines));
        Self(lines)
    }

    /// What was heard so far.
    pub(crate) fn take(&self) -> Vec<OverheardLine> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        lock(&LISTENING).retain(|lines| !Arc::ptr_eq(lines, &self.0));
    }
}

/// A line of a thread without an attempt; whether a run goes on that hears it.
pub(crate) fn overheard(level: u32, target: &str, message: &str) -> bool {
    let listening = lock(&LISTENING);
    for lines in listening.iter() {
        lock(lines).push((level, target.to_owned(), message.to_owned()));
    }
    !listening.is_empty()
}
