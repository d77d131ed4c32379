//! Resources: values in a process of their own that all hosts share and that outlive rebuilds.
//!
//! How a question and its answer look as bytes is decided here, on both sides. Starting the process, queueing
//! questions and restarting it after a crash is left to the workbench.

use super::current::call;
use super::{Provide, Scope, Stop};
use crate::error::{Error, Result};
use crate::wire::call as names;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;

/// A value that takes long to open, such as a model: `#[resource]` on its `impl` block, its name in `export!`, and
/// agents reach it as [`Remote`].
///
/// It lives in a process of its own, which `-j 8` and every rebuild share, and answers one question at a time, in
/// the order in which they were asked. Where a running agent's attempt ends, its question is dropped, or given
/// ten seconds to end if it is being answered. The process is started again when it crashed; questions that it
/// was answering fail and may be retried.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    label = "no `impl Resource`",
    note = "write `#[resource] impl Resource for {Self} {{ … }}`"
)]
pub trait Resource: Sized + 'static {
    /// For the macro: JSON of [`crate::wire::ResourceSpec`].
    #[doc(hidden)]
    const SPEC: &'static str;
    /// For the macro: the name of the type.
    #[doc(hidden)]
    const NAME: &'static str;
    /// What agents send.
    type Question: Serialize + DeserializeOwned;
    /// What they get.
    type Answer: Serialize + DeserializeOwned;

    /// Makes the value, once per process. Its time counts towards `load_timeout`, not to any task.
    ///
    /// # Errors
    /// The build that needs it is refused, and the last good one stays active.
    fn open() -> Result<Self>;

    /// Answers one question; `bytes` is what was sent beside it, such as pixels. Bytes may go back beside the
    /// answer. A question or an answer takes 64 MB at most.
    ///
    /// # Errors
    /// The agent's `ask` returns it.
    fn answer(&mut self, question: Self::Question, bytes: &[u8])
    -> Result<(Self::Answer, Vec<u8>)>;
}

/// A resource as agents have it: `#[depends] detector: &Remote<Detector>`.
#[derive(Debug)]
pub struct Remote<R: Resource>(PhantomData<fn() -> R>);

impl<R: Resource> Clone for Remote<R> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<R: Resource> Provide for Remote<R> {
    const NAME: &'static str = R::NAME;
    type Args = ();
    type Value = Self;
    fn open(_: &Scope<'_>, (): &()) -> Result<Self, Stop> {
        Ok(Self(PhantomData))
    }
}

/// How an answer begins, as a line of JSON.
#[derive(Serialize, Deserialize)]
enum ResourceReply<A> {
    #[serde(rename = "answer")]
    Answer(A),
    #[serde(rename = "failed")]
    Failed { message: String, retry: bool },
}

impl<R: Resource> Remote<R> {
    /// Asks, waits, and gives the answer with the bytes beside it. On the thread that the agent was called on.
    ///
    /// In tests, and under a workbench that has no resources, the value is opened in this process.
    ///
    /// # Errors
    /// The resource's own; that its process crashed or cannot be started, which may be retried; or that the attempt
    /// is to stop.
    pub fn ask(&self, question: &R::Question, bytes: &[u8]) -> Result<(R::Answer, Vec<u8>)> {
        let mut message = serde_json::to_vec(R::NAME)?;
        message.push(b'\n');
        serde_json::to_writer(&mut message, question)?;
        message.push(b'\n');
        message.extend_from_slice(bytes);
        let about = |why: String| Error::new(format!("resource {}: {why}", R::NAME));
        let reply = match call(names::RESOURCE, &message) {
            None => {
                let why = "asked from a thread that has no task; ask on the agent's own thread";
                return Err(about(why.to_owned()).permanent());
            }
            Some(Ok(Some(reply))) => reply,
            Some(Ok(None)) => here::<R>(&message[R::NAME.len() + 3..])?,
            Some(Err(why)) => return Err(about(why)),
        };
        let (line, bytes) = split(&reply);
        match serde_json::from_slice(line) {
            Ok(ResourceReply::Answer(answer)) => Ok((answer, bytes.to_vec())),
            Ok(ResourceReply::Failed { message, retry }) => {
                let error = about(message);
                Err(if retry { error } else { error.permanent() })
            }
            Err(error) => Err(about(format!(
                "its answer is not of the type that this build expects ({error}); \
                 change `version` in #[resource]"
            ))
            .permanent()),
        }
    }
}

thread_local! {
    /// Values that were opened where no workbench keeps them.
    static HERE: RefCell<HashMap<TypeId, Box<dyn Any>>> = RefCell::default();
}

/// Answers in this process.
fn here<R: Resource>(question: &[u8]) -> Result<Vec<u8>> {
    let known = HERE.with_borrow_mut(|here| here.remove(&TypeId::of::<R>()));
    let mut value = match known.and_then(|value| value.downcast::<R>().ok()) {
        Some(value) => value,
        None => Box::new(R::open()?),
    };
    let reply = answer_of(&mut *value, question);
    HERE.with_borrow_mut(|here| here.insert(TypeId::of::<R>(), value));
    Ok(reply)
}

/// The answer of a value, as bytes; its errors too.
pub(crate) fn answer_of<R: Resource>(value: &mut R, question: &[u8]) -> Vec<u8> {
    let (line, bytes) = split(question);
    let answered = match serde_json::from_slice(line) {
        Ok(question) => value.answer(question, bytes),
        Err(error) => Err(Error::new(format!(
            "its running process cannot read the question ({error}); change `version` in #[resource]"
        ))
        .permanent()),
    };
    let written = answered.and_then(|(answer, bytes)| {
        let mut reply = serde_json::to_vec(&ResourceReply::Answer(answer))?;
        reply.push(b'\n');
        reply.extend_from_slice(&bytes);
        Ok(reply)
    });
    written.unwrap_or_else(|error| {
        let mut message = error.chain();
        message.insert(0, error.to_string());
        message.dedup();
        let reply = ResourceReply::<()>::Failed {
            message: message.join(": "),
            retry: error.may_retry(),
        };
        serde_json::to_vec(&reply).unwrap_or_default()
    })
}

/// The first line, and what follows.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    match message.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&message[..end], &message[end + 1..]),
        None => (message, &[]),
    }
}
