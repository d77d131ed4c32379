//! What the macros call: the C functions of a library, written once, generic over its agents.
//!
//! Every function that C calls catches panics; nothing unwinds over the border. What an attempt does
//! is left to [`crate::inject`].
#![allow(unsafe_code)] // the C border

mod host;
mod panic;
mod resource;

pub use resource::{resource, resource_spec};

use crate::error::{Error, Result};
use crate::inject::{
    Finished, Job, Scope, Source, Stop, attempt, install_logger, is_unknown_name, retire_all,
    serve_elsewhere, text_of_panic,
};
use crate::model::{Project, Stage, Task};
use crate::route::Route;
use crate::table::{self, ABI_MAJOR, ABI_MINOR, Bytes, Host, MAGIC, Module, Out, status};
use crate::wire::{Failure, ProjectDoc, StageDoc, TaskDoc, input};
use host::HostSource;
use serde::Serialize;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One agent, described by `#[stage]`.
#[diagnostic::on_unimplemented(
    message = "this function is not an agent",
    label = "not marked `#[stage(\"…\")]`",
    note = "`export!` lists functions that carry `#[stage(\"name of the stage\")]`; take this one out, or name its stage"
)]
pub trait Agent: 'static {
    /// Name of the function.
    const NAME: &'static str;
    /// Name or UUID of its stage.
    const STAGE: &'static str;
    /// Bits of [`table::flags`].
    const FLAGS: u32;
    /// Bits of [`table::needs`]: the union over its parameters and their dependencies.
    const NEEDS: u64;
    /// JSON of [`crate::wire::AgentSpec`].
    const SPEC: &'static str;
    /// The pathways it may return; empty: any.
    const ROUTES: &'static [&'static str] = &[];
    /// Fills the parameters and calls the function.
    ///
    /// # Errors
    /// The agent's own, or a parameter's.
    fn call(scope: &Scope<'_>) -> Result<Route, Stop>;
}

/// The preflight function of a library.
pub trait Preflight: 'static {
    /// Looks at the project.
    ///
    /// # Errors
    /// Why the agents do not fit it.
    fn look(project: &Project) -> Result<()>;
}

/// The static entry of an agent.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // a few dozen bytes
pub const fn agent<A: Agent>() -> table::Agent {
    table::Agent {
        size: size_of::<table::Agent>() as u32,
        flags: A::FLAGS,
        needs: A::NEEDS,
        stage: Bytes::of(A::STAGE),
        spec: Bytes::of(A::SPEC),
        run: Some(run::<A>),
        user: std::ptr::null(),
    }
}

/// For `export!`: an agent's entry and its stage.
#[must_use]
pub const fn entry<A: Agent>() -> (table::Agent, &'static str) {
    (agent::<A>(), A::STAGE)
}

/// The type of the `preflight` entry.
pub type PreflightFn = unsafe extern "C" fn(*const Host, *mut Out) -> i32;

/// The static description of a library.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // a few dozen bytes
pub const fn module(
    name: &'static str,
    version: &'static str,
    agents: &'static [table::Agent],
    preflight: Option<PreflightFn>,
    resources: &'static [table::Resource],
) -> Module {
    Module {
        magic: MAGIC,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        size: size_of::<Module>() as u32,
        name: Bytes::of(name),
        version: Bytes::of(version),
        sdk: Bytes::of(concat!("agent-abi ", env!("CARGO_PKG_VERSION"))),
        build_info: Bytes::of(BUILD_INFO),
        agents: agents.as_ptr(),
        agent_count: agents.len(),
        agent_stride: size_of::<table::Agent>(),
        init: Some(init),
        shutdown: Some(shutdown),
        preflight,
        resources: resources.as_ptr(),
        resource_count: resources.len(),
        resource_stride: size_of::<table::Resource>(),
    }
}

/// Profile, panic strategy and word size, for messages.
const BUILD_INFO: &str = match (cfg!(debug_assertions), cfg!(panic = "unwind")) {
    (true, true) => "rust debug panic=unwind",
    (true, false) => "rust debug panic=abort",
    (false, true) => "rust release panic=unwind",
    (false, false) => "rust release panic=abort",
};

/// For `export!`: whether no earlier agent names this stage.
#[must_use]
pub const fn is_new(stage: &str, earlier: &[&str]) -> bool {
    let mut i = 0;
    while i < earlier.len() {
        if same(stage.as_bytes(), earlier[i].as_bytes()) {
            return false;
        }
        i += 1;
    }
    true
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

unsafe extern "C" fn init(host: *const Host, _: *mut Out) -> i32 {
    host::remember(host);
    serve_elsewhere(host::with_host);
    install(None);
    status::OK
}

/// Logger and panic hook; also called before each run, for hosts that skip `init`.
fn install(of: Option<&'static str>) {
    install_logger(of);
    panic::install_hook();
}

unsafe extern "C" fn shutdown() {
    for end in [resource::close, retire_all] {
        if let Err(panic) = catch_unwind(end) {
            std::mem::forget(panic);
        }
    }
}

/// The entry of an agent.
///
/// # Safety
/// The pointers are valid as described in [`table`], until this returns.
unsafe extern "C" fn run<A: Agent>(
    _: *const c_void,
    task: *const table::Task,
    host: *const Host,
    out: *mut Out,
) -> i32 {
    install(Some(std::any::type_name::<A>()));
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: promised by the caller. Every host has the fields of 1.0; a reference would claim that it has
        // all that this version knows.
        let (attempt, documents, source) = unsafe {
            let bytes = |field: *const Bytes| field.read().as_slice();
            (
                (&raw const (*task).attempt).read(),
                [
                    bytes(&raw const (*task).task),
                    bytes(&raw const (*task).stage),
                    bytes(&raw const (*task).params),
                ],
                HostSource::new(host),
            )
        };
        run_with::<A>(attempt, documents, &source)
    }));
    // SAFETY: promised by the caller.
    unsafe { answer(guarded, out) }
}

fn run_with<A: Agent>(
    attempt_number: u32,
    [task_json, stage_json, params]: [&[u8]; 3],
    source: &dyn Source,
) -> (i32, Answer) {
    let parsed = (|| -> Result<_> {
        let doc: TaskDoc = serde_json::from_slice(task_json)?;
        let stage: StageDoc = serde_json::from_slice(stage_json)?;
        Ok((doc, stage, std::str::from_utf8(params)?))
    })();
    let (doc, stage, params) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let error = error.context("the task cannot be read");
            return (status::UNSUPPORTED, Answer::Failure(failure(&error)));
        }
    };
    let finished = attempt(Job {
        source,
        task: Task::new(doc, attempt_number.max(1)),
        stage: Stage::new(stage),
        params,
        needs: A::NEEDS,
        routes: A::ROUTES,
        agent: A::call,
        panic_note: panic::take_note,
    });
    match finished {
        Finished::Done(outcome) => (status::OK, Answer::Outcome(Box::new(outcome))),
        Finished::Failed(code, failure) => (code, Answer::Failure(failure)),
    }
}

/// The entry of a library's preflight function.
///
/// # Safety
/// The pointers are valid as described in [`table`], until this returns.
pub unsafe extern "C" fn preflight<P: Preflight>(host: *const Host, out: *mut Out) -> i32 {
    install(Some(std::any::type_name::<P>()));
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: promised by the caller.
        let source = unsafe { HostSource::new(host) };
        let looked = (|| {
            let text = source.input(input::PROJECT).map_err(Error::new)?;
            let text = text.ok_or_else(|| Error::new("the host gave no project to look at"))?;
            let project = Project::from_doc(serde_json::from_str::<ProjectDoc>(text)?)?;
            P::look(&project)
        })();
        match looked {
            Ok(()) => (status::OK, Answer::Nothing),
            Err(error) => (status::ERROR, Answer::Failure(failure(&error))),
        }
    }));
    // SAFETY: promised by the caller.
    unsafe { answer(guarded, out) }
}

fn failure(error: &Error) -> Failure {
    Failure {
        message: error.to_string(),
        chain: error.chain(),
        location: error.place(),
        frames: error.frames(),
        retry: error.may_retry() && !is_unknown_name(error),
        unknown_name: is_unknown_name(error),
        ..Failure::default()
    }
}

/// What goes into [`Out`].
enum Answer {
    Nothing,
    Outcome(Box<crate::wire::Outcome>),
    Failure(Failure),
    Bytes(Vec<u8>),
}

/// Writes the answer, or the panic that was caught instead.
///
/// # Safety
/// `out` is null or valid for writing.
unsafe fn answer(guarded: std::thread::Result<(i32, Answer)>, out: *mut Out) -> i32 {
    let (code, answer) = guarded.unwrap_or_else(|panic| {
        let mut failure = panic::take_note().unwrap_or_default();
        if failure.message.is_empty() {
            failure.message = text_of_panic(&*panic);
        }
        std::mem::forget(panic);
        (status::PANIC, Answer::Failure(failure))
    });
    let written = match answer {
        Answer::Nothing => None,
        Answer::Outcome(outcome) => Some((1, encode(&outcome))),
        Answer::Failure(failure) => Some((3, encode(&failure))),
        Answer::Bytes(bytes) => Some((table::ANSWER, bytes)),
    };
    if let (Some((kind, bytes)), false) = (written, out.is_null()) {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        // SAFETY: `out` is valid for writing; the buffer is given away and comes back in `free`.
        unsafe {
            (*out).kind = kind;
            (*out).data = bytes.as_mut_ptr();
            (*out).len = bytes.len();
            (*out).cap = bytes.capacity();
            (*out).free = Some(free);
        }
    }
    code
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|error| {
        let message = format!("the answer cannot be written as JSON: {error}");
        serde_json::to_vec(&Failure {
            message,
            ..Failure::default()
        })
        .unwrap_or_default()
    })
}

/// Frees what [`answer`] gave away.
///
/// # Safety
/// Called once, with the three values that were in [`Out`].
unsafe extern "C" fn free(data: *mut u8, len: usize, cap: usize) {
    if !data.is_null() {
        // SAFETY: these are the parts of a `Vec` that `answer` took apart.
        drop(unsafe { Vec::from_raw_parts(data, len, cap) });
    }
}
