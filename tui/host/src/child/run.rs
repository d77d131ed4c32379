//! One call of an agent, from the order to the answer.
#![allow(unsafe_code)] // the C border

use super::Child;
use super::context::Documents;
use crate::page::Phase;
use crate::proto::{Done, FromHost, MAX_RESULT, Message};
use crate::sys::stdio;
use agent_abi::table::{ANSWER, Bytes, Out, Task, status};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What is to be run; the documents are in the message.
pub(super) struct Order {
    pub job: u64,
    pub agent: usize,
    pub attempt: u32,
    pub build: u32,
    pub pauses: bool,
    pub parts: Vec<(String, usize)>,
}

/// What came back.
struct Answer {
    status: i32,
    written: Result<(u32, Vec<u8>), String>,
    run_ns: u64,
}

impl Child {
    pub(super) fn run(&mut self, order: &Order, message: Message) -> io::Result<()> {
        let (Some(library), Some(context)) = (&self.library, self.context) else {
            return Err(io::Error::other("a task before a library"));
        };
        let Some((run, user)) = library.agents.get(order.agent).copied() else {
            return Err(io::Error::other("a task for an agent that is not there"));
        };
        let documents = Documents::new(&order.parts, Arc::new(message))?;
        let task = Task {
            #[allow(clippy::cast_possible_truncation)] // a few dozen bytes
            size: size_of::<Task>() as u32,
            reserved: 0,
            id: order.job,
            attempt: order.attempt,
            build: order.build,
            stage: documents.borrow("stage"),
            task: documents.borrow("task"),
            params: documents.borrow("params"),
        };
        if let Some(context) = self.context {
            context.look(order.pauses.then_some(order.job));
        }
        let answer = self.call(order.job, Phase::Run, documents, |out| {
            // SAFETY: the table's function with the table's pointer; task, host table and out are
            // valid for the call, as the ABI asks.
            unsafe { run(user, &raw const task, context.table(), out) }
        });
        self.report(order.job, answer)
    }

    pub(super) fn preflight(&mut self, job: u64) -> io::Result<()> {
        let (Some(library), Some(context)) = (&self.library, self.context) else {
            return Err(io::Error::other("a preflight before a library"));
        };
        let preflight = library.preflight;
        let answer = self.call(job, Phase::Preflight, Documents::default(), |out| {
            // SAFETY: as for `run`.
            preflight.map_or(status::OK, |f| unsafe { f(context.table(), out) })
        });
        self.report(job, answer)
    }

    /// Answers a question to the resource; an empty one asks only whether it is open. False when the process can
    /// answer no further one.
    pub(super) fn ask(&self, job: u64, message: Message) -> io::Result<bool> {
        let context = self.context;
        let resource = self.library.as_ref().and_then(|library| library.resource);
        let (Some((ask, user)), Some(context)) = (resource, context) else {
            return Err(io::Error::other("a question before a resource"));
        };
        let question = message.into_parts();
        let answer = self.call(job, Phase::Run, Documents::default(), |out| {
            if question.is_empty() {
                return status::OK;
            }
            // SAFETY: as for `run`; the question lives until the call is over.
            unsafe { ask(user, Bytes::borrow(&question), context.table(), out) }
        });
        // What panicked half-way cannot be trusted.
        let lasts = answer.status != status::PANIC && answer.status != status::UNSUPPORTED;
        self.report(job, answer)?;
        Ok(lasts)
    }

    fn call(
        &self,
        job: u64,
        phase: Phase,
        documents: Documents,
        call: impl FnOnce(*mut Out) -> i32,
    ) -> Answer {
        let mut out = Out::empty();
        if let Some(context) = self.context {
            context.begin(job, documents, self.project.clone());
        }
        self.page.claims.job.store(job, Ordering::SeqCst);
        self.page.claims.enter(phase);
        let began = Instant::now();
        let status = call(&raw mut out);
        let run_ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let written = collect(&mut out);
        if let Some(context) = self.context {
            context.end();
        }
        stdio::flush();
        self.page.claims.enter(Phase::Idle);
        Answer {
            status,
            written,
            run_ns,
        }
    }

    fn report(&self, job: u64, answer: Answer) -> io::Result<()> {
        let (kind, bytes, defect) = match answer.written {
            Ok((kind, bytes)) => (kind, bytes, None),
            Err(defect) => (0, Vec::new(), Some(defect)),
        };
        let done = Done {
            job,
            status: answer.status,
            kind,
            run_ns: answer.run_ns,
            defect,
            printed: stdio::printed(self.page),
        };
        self.reporter.send(&FromHost::Done(done), &[&bytes])
    }
}

/// Copies what a library wrote and gives its memory back, once, on this thread.
///
/// # Errors
/// What is wrong with it, to follow "the agent's answer".
pub(super) fn collect(out: &mut Out) -> Result<(u32, Vec<u8>), String> {
    let copied = if out.data.is_null() || out.len == 0 {
        if out.len > 0 {
            Err(format!("points nowhere but claims {} bytes", out.len))
        } else {
            Ok((out.kind, Vec::new()))
        }
    } else if out.len > MAX_RESULT {
        Err(format!(
            "is {} bytes, more than the {} allowed",
            out.len, MAX_RESULT
        ))
    } else {
        // SAFETY: the library promises `len` readable bytes until `free`.
        let bytes = unsafe { std::slice::from_raw_parts(out.data, out.len) };
        match std::str::from_utf8(bytes) {
            _ if out.kind == ANSWER => Ok((ANSWER, bytes.to_vec())),
            Ok(text) => Ok((out.kind, text.as_bytes().to_vec())),
            Err(_) => Err("is not UTF-8".to_owned()),
        }
    };
    if let (Some(free), false) = (out.free, out.data.is_null()) {
        // SAFETY: the library's own function with the library's own values, called once.
        unsafe { free(out.data, out.len, out.cap) };
    }
    *out = Out::empty();
    copied
}
