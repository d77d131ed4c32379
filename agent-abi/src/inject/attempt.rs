//! One attempt from beginning to end: call, close, collect what was changed.

use super::current::{Current, enter};
use super::{End, Scope, Source, Stop};
use crate::error::{Error, Kind, Result};
use crate::model::{ModelError, Stage, StorageItem, Task, nearest, share};
use crate::route::Route;
use crate::table::status;
use crate::wire::{Failure, Outcome};
use serde_json::Value;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an attempt is made of.
pub(crate) struct Job<'h> {
    pub source: &'h dyn Source,
    pub task: Task,
    pub stage: Stage,
    pub params: &'h str,
    pub needs: u64,
    /// Pathways that the agent declared; empty: none declared, all allowed.
    pub routes: &'static [&'static str],
    pub agent: fn(&Scope<'_>) -> Result<Route, Stop>,
    /// DependencyRef after a panic: what the hook saw, if one is installed.
    pub panic_note: fn() -> Option<Failure>,
}

/// How it ended.
pub(crate) enum Finished {
    Done(Outcome),
    /// One of [`status`], and why.
    Failed(i32, Failure),
}

/// Runs it. Panics end here.
pub(crate) fn attempt(job: Job<'_>) -> Finished {
    let current = Current::new();
    let scope = Scope::new(
        job.source,
        current.clone(),
        job.task,
        job.stage,
        job.params,
        job.needs,
    );
    // What an earlier attempt left (such as a panic in a destructor) is not about this one.
    drop((job.panic_note)());
    let finished = enter(&current, job.source, || {
        let called = catch_unwind(AssertUnwindSafe(|| (job.agent)(&scope)));
        let end = match &called {
            Ok(Ok(_)) => End::Done,
            Ok(Err(stop)) => stop.end(),
            Err(_) => End::Panicked,
        };
        let note = if end == End::Panicked {
            (job.panic_note)()
        } else {
            None
        };
        // Not popped when its opening panicked.
        let opening = scope.opening.borrow().last().map(|name| (*name).to_owned());
        let closed = scope.close(end);
        match called {
            Ok(Ok(route)) => closed
                .and_then(|()| declared(&route, job.routes, scope.stage()))
                .and_then(|()| collect(route, scope))
                .map_err(failed),
            Ok(Err(stop)) => Err(failed(stop)),
            Err(panic) => {
                let mut failure = note.unwrap_or_default();
                if failure.message.is_empty() {
                    failure.message = text_of_panic(&*panic);
                }
                // The payload's own drop may panic.
                std::mem::forget(panic);
                failure.retry = true;
                failure.dependency = opening;
                Err((status::PANIC, Box::new(failure)))
            }
        }
    });
    match finished {
        Ok(mut outcome) => {
            outcome.steps = current.take();
            Finished::Done(outcome)
        }
        Err((code, mut failure)) => {
            failure.steps = current.take();
            Finished::Failed(code, *failure)
        }
    }
}

impl Stop {
    fn end(&self) -> End {
        let (Self::Agent(error) | Self::Dependency { error, .. }) = self;
        match error.kind() {
            Kind::Cancelled => End::Cancelled,
            Kind::Failed => End::Failed,
        }
    }
}

/// What `check` promised holds: an agent that declares its pathways returns no other one.
fn declared(route: &Route, routes: &[&str], stage: &Stage) -> Result<(), Stop> {
    let Some(to) = route.to.as_ref().filter(|_| !routes.is_empty()) else {
        return Ok(());
    };
    // Either may be written by name or by UUID.
    let same = |a: &str, b: &str| {
        a == b || matches!((stage.pathway(a), stage.pathway(b)), (Ok(a), Ok(b)) if a.uuid == b.uuid)
    };
    let (what, name) = match route.stage {
        true => ("", format!("stage {}", to.0)),
        false => ("pathway ", to.0.clone()),
    };
    if routes.iter().any(|known| same(known, &name)) {
        return Ok(());
    }
    let hint = nearest(&name, routes.iter().copied()).first().map_or_else(
        || ": add it there".to_owned(),
        |near| format!(". Did you mean \"{near}\"?"),
    );
    let text = format!(
        "the agent returned {what}\"{name}\", which it does not declare; its routes are [{}]{hint}",
        routes.join(", ")
    );
    Err(Stop::Agent(Error::new(text).permanent()))
}

/// Route and changes as one outcome, checked as far as this side can.
fn collect(route: Route, scope: Scope<'_>) -> Result<Outcome, Stop> {
    let refuse = |text: String| Err(Stop::Agent(Error::new(text).permanent()));
    let priority = match route.priority.map(|p| share("a priority", p)).transpose() {
        Ok(priority) => priority,
        Err(error) => return refuse(error.to_string()),
    };
    let mut changes = scope.current.take_changes();
    for change in route.also {
        changes.push(change.into_doc().map_err(Stop::Agent)?);
    }
    let (labels, item) = scope.changes();
    let client_metadata = match (route.metadata, item) {
        (Some(Value::Object(map)), None) => Some(map),
        (Some(Value::Object(_)), Some(_)) => {
            return refuse("the client metadata are set by Route::metadata and changed in the storage item; use one".to_owned());
        }
        (Some(other), _) => {
            return refuse(format!("client metadata are a JSON object, not {other}"));
        }
        (None, item) => item.as_ref().map(StorageItem::client_metadata).cloned(),
    };
    let (to, stage) = match (route.to, route.stage) {
        (Some(target), true) => (None, Some(target.0)),
        (target, _) => (target.map(|target| target.0), None),
    };
    Ok(Outcome {
        route: to,
        stage,
        priority,
        labels,
        client_metadata,
        changes,
        ..Outcome::default()
    })
}

/// Whether an error is about a name that the project does not have, whatever was added to it.
pub(crate) fn is_unknown_name(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(ModelError::Unknown(_)))
}

fn failed(stop: Stop) -> (i32, Box<Failure>) {
    let (dependency, error) = match stop {
        Stop::Agent(error) => (None, error),
        Stop::Dependency { name, error } => (Some(name), error),
    };
    let code = match (error.kind(), &dependency) {
        (Kind::Cancelled, _) => status::CANCELLED,
        (Kind::Failed, Some(_)) => status::DEPENDENCY,
        (Kind::Failed, None) => status::ERROR,
    };
    let failure = Failure {
        message: error.to_string(),
        chain: error.chain(),
        location: error.place(),
        frames: error.frames(),
        dependency,
        retry: error.may_retry() && !is_unknown_name(&error),
        unknown_name: is_unknown_name(&error),
        ..Failure::default()
    };
    (code, Box::new(failure))
}

/// The message of a panic.
pub(crate) fn text_of_panic(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    #[test]
    fn an_unknown_name_is_found_behind_what_was_being_done() {
        let unknown: Result<u8, _> = Err(ModelError::Unknown("no object".into()));
        let error = unknown.context("drawing").unwrap_err().context("scoring");
        assert!(is_unknown_name(&error));
        assert!(!is_unknown_name(&ModelError::Invalid("x".into()).into()));
    }
}
