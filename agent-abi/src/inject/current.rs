//! What belongs to the attempt that runs on this thread: its steps, log lines, progress and cancel.
//!
//! A pointer to the attempt lies in a thread-local while it runs, so that `info!` and `checkpoint`
//! work from anywhere below the agent. Threads that an agent starts itself have none: their log lines and checkpoints go
//! to the host, which counts them to the task that runs.
#![allow(unsafe_code)] // a borrowed attempt in a thread-local

use super::Source;
use crate::error::{Error, Result};
use crate::logs::Filter;
use crate::wire::{ChangeDoc, Pause, StepDoc};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::{LazyLock, Once, OnceLock, PoisonError, RwLock};
use std::time::Instant;

/// Steps of one attempt, timed from its beginning.
pub(crate) struct Current {
    started: Instant,
    /// How long a person has held the attempt, in microseconds: not part of any step's time.
    held_us: Cell<u64>,
    steps: RefCell<Vec<StepDoc>>,
    /// What dependencies change beyond the task's own row, as they close.
    changes: RefCell<Vec<ChangeDoc>>,
}

/// The value of a step until it ends; no value of an agent's, which are texts.
const UNENDED: &str = "\0unended";

/// A step that has begun: its place in the list and its time.
pub(crate) struct Timer(usize, u64);

impl Current {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            started: Instant::now(),
            held_us: Cell::new(0),
            steps: RefCell::new(Vec::new()),
            changes: RefCell::new(Vec::new()),
        })
    }

    /// Takes a place in the list, so that steps stand in the order of their beginning. One that is
    /// never ended has panicked.
    pub(crate) fn begin(&self, kind: &str, name: &str) -> Timer {
        self.note(kind, name, UNENDED.to_owned());
        Timer(self.steps.borrow().len() - 1, self.at())
    }

    pub(crate) fn end(&self, timer: Timer, value: &str) {
        let took = self.at().saturating_sub(timer.1);
        if let Some(step) = self.steps.borrow_mut().get_mut(timer.0) {
            value.clone_into(&mut step.value);
            step.took_us = took;
        }
    }

    fn note(&self, kind: &str, name: &str, value: String) {
        let step = StepDoc {
            kind: kind.to_owned(),
            name: name.to_owned(),
            at_us: self.at(),
            took_us: 0,
            value,
        };
        self.steps.borrow_mut().push(step);
    }

    /// What dependencies changed.
    pub(crate) fn take_changes(&self) -> Vec<ChangeDoc> {
        self.changes.take()
    }

    /// All steps.
    pub(crate) fn take(&self) -> Vec<StepDoc> {
        let mut steps = self.steps.take();
        for step in steps.iter_mut().filter(|step| step.value == UNENDED) {
            "panicked".clone_into(&mut step.value);
            step.took_us = self.at().saturating_sub(step.at_us);
        }
        steps
    }

    fn at(&self) -> u64 {
        micros(self.started).saturating_sub(self.held_us.get())
    }

    /// Lets a person hold the attempt at one of its parts, where somebody looks at it.
    pub(crate) fn pause(
        &self,
        source: &dyn Source,
        kind: &str,
        name: &str,
        value: &str,
    ) -> Result<()> {
        if !source.pauses() {
            return Ok(());
        }
        let since = Instant::now();
        let went_on = source.pause(&Pause::new(kind, name), value.as_bytes());
        self.held_us.set(self.held_us.get() + micros(since));
        went_on.map(drop).map_err(|why| Error::stopped(&why))
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// What the thread-local points at.
struct Running<'r> {
    current: &'r Current,
    source: &'r dyn Source,
}

thread_local! {
    static RUNNING: Cell<Option<NonNull<Running<'static>>>> = const { Cell::new(None) };
}

/// Runs `body` as the attempt of this thread.
pub(crate) fn enter<R>(current: &Current, source: &dyn Source, body: impl FnOnce() -> R) -> R {
    struct Leave(Option<NonNull<Running<'static>>>);
    impl Drop for Leave {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let running = Running { current, source };
    let pointer = NonNull::from(&running).cast::<Running<'static>>();
    // Dropped before `running`, also when `body` unwinds.
    let _leave = Leave(RUNNING.replace(Some(pointer)));
    body()
}

/// The attempt of this thread, if there is one.
fn with<R>(look: impl FnOnce(&Current, &dyn Source) -> R) -> Option<R> {
    let pointer = RUNNING.get()?;
    // SAFETY: `enter` put the pointer there, is still on this thread's stack, and takes the pointer
    // away before what it points at ends; the borrow does not leave this function.
    let running = unsafe { pointer.as_ref() };
    Some(look(running.current, running.source))
}

/// Adds a further change to the attempt of this thread.
pub(crate) fn also(change: ChangeDoc) {
    with(|current, _| current.changes.borrow_mut().push(change));
}

/// Whether an attempt runs on this thread.
pub(crate) fn on_attempt() -> bool {
    RUNNING
        .try_with(|running| running.get().is_some())
        .unwrap_or(false)
}

/// Adds the value of a checkpoint to the steps of the attempt of this thread.
pub(super) fn note_checkpoint(name: &str, value: String) {
    with(|current, _| current.note("checkpoint", name, value));
}

/// Does something with the source of the attempt of this thread, else with the host of this process; `None` where
/// there is neither. While it waits, the attempt's clock stands still.
pub(super) fn call_source<R>(mut ask: impl FnMut(&dyn Source) -> R) -> Option<R> {
    let here = with(|current, source| {
        let since = Instant::now();
        let answer = ask(source);
        current.held_us.set(current.held_us.get() + micros(since));
        answer
    });
    if here.is_some() {
        return here;
    }
    let mut answer = None;
    if let Some(elsewhere) = ELSEWHERE.get() {
        elsewhere(&mut |source| answer = Some(ask(source)));
    }
    answer
}

/// Reports how far this task is, 0 to 1.
pub fn progress(share: f64) {
    with(|_, source| source.progress(share.clamp(0.0, 1.0)));
}

/// Stops the agent when the workbench asks it to: call it now and then in long loops, with `?`.
///
/// # Errors
/// An error, when the attempt is to stop.
pub fn check_cancelled() -> Result<()> {
    match with(|_, source| source.is_cancelled()) {
        Some(true) => Err(Error::cancelled()),
        _ => Ok(()),
    }
}

/// Asks the workbench on behalf of the attempt of this thread; `None`: there is no attempt here.
pub(crate) fn call(name: &str, question: &[u8]) -> Option<Result<Option<Vec<u8>>, String>> {
    with(|_, source| source.call(name, question))
}

/// Carries the `log` macros to the attempt's source, from threads without one to the host.
struct Logger;

/// Crates whose agents have run: all of their lines are wanted.
static OWN: RwLock<Vec<&str>> = RwLock::new(Vec::new());
static FILTER: LazyLock<Filter> = LazyLock::new(Filter::of_environment);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = OWN.read().unwrap_or_else(PoisonError::into_inner);
        FILTER.allows(metadata.level() as u8, metadata.target(), &own)
    }

    fn log(&self, record: &Record<'_>) {
        // Nothing is formatted that nobody reads.
        if self.enabled(record.metadata()) {
            let message = record.args().to_string();
            emit(record.level(), record.target(), &message);
        }
    }

    fn flush(&self) {}
}

/// Calls a function with the host of this process, if there is one: for threads without an attempt.
pub(crate) type Elsewhere = fn(&mut dyn FnMut(&dyn Source));

static ELSEWHERE: OnceLock<Elsewhere> = OnceLock::new();

/// Where log lines and checkpoints of threads without an attempt go from now on.
pub(crate) fn serve_elsewhere(host: Elsewhere) {
    let _ = ELSEWHERE.set(host);
}

/// A line of the attempt of this thread, else of the host; printed where there is neither, as in tests.
pub(crate) fn emit(level: Level, target: &str, message: &str) {
    let number = level as u32;
    let carried = with(|_, source| source.log(number, target, message));
    let elsewhere = || {
        let mut logged = false;
        if let Some(elsewhere) = ELSEWHERE.get() {
            elsewhere(&mut |source| {
                source.log(number, target, message);
                logged = true;
            });
        }
        logged
    };
    let heard = || super::overheard::overheard(number, target, message);
    if carried.is_none() && !elsewhere() && !heard() {
        eprintln!("{level} {target}: {message}");
    }
}

/// Formatting trace lines that nobody asked for costs time in release builds.
fn most_detail(asked: Option<u8>, debug_build: bool) -> LevelFilter {
    let trace = Level::Trace as u8;
    match debug_build || asked.is_some_and(|level| level >= trace) {
        true => LevelFilter::Trace,
        false => LevelFilter::Debug,
    }
}

/// Makes [`Logger`] this library's logger, unless the author installed one. `of` is the name of a type or function of
/// the agent's own crate.
pub(crate) fn install_logger(of: Option<&'static str>) {
    static ONCE: Once = Once::new();
    if let Some(own) = of.and_then(|name| name.split("::").next()) {
        let known = |own_crates: &[&str]| own_crates.contains(&own);
        if !known(&OWN.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut crates = OWN.write().unwrap_or_else(PoisonError::into_inner);
            crates.push(own);
        }
    }
    ONCE.call_once(|| {
        if log::set_logger(&Logger).is_ok() {
            log::set_max_level(most_detail(FILTER.finest(), cfg!(debug_assertions)));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_builds_leave_trace_lines_out_until_they_are_asked_for() {
        assert_eq!(most_detail(None, false), LevelFilter::Debug);
        assert_eq!(most_detail(Some(3), false), LevelFilter::Debug);
        assert_eq!(most_detail(Some(5), false), LevelFilter::Trace);
        assert_eq!(most_detail(None, true), LevelFilter::Trace);
    }
}
