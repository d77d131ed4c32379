//! The error an agent may return: any error at all, with the chain below it and the place of its `?`.
//!
//! What a failure means for the task (retry, conflict, pause) is left to the workbench.

use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;

/// What agents and dependencies return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, boxed, with its chain of causes and the place where it came up.
///
/// Every `std::error::Error` becomes one by `?`. It does not implement `std::error::Error` itself
/// (as in other crates of this kind), but it converts into `Box<dyn Error>`. It may be sent between threads, so
/// that `?` works in closures of scoped threads and of thread pools too.
pub struct Error(Box<Inner>);

/// An error as it is kept.
type Cause = Box<dyn StdError + Send + Sync>;

struct Inner {
    /// Added by [`Context::context`], innermost first.
    context: Vec<String>,
    source: Cause,
    location: &'static Location<'static>,
    /// Where it came up, when the location is not in the agent's code: see [`crate::frames`].
    frames: Vec<u64>,
    kind: Kind,
    retry: bool,
}

/// What sort of no it is, as far as the border to C cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The agent failed.
    Failed,
    /// It saw the request to stop.
    Cancelled,
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Message {}

/// Whether a place is not in the agent's code: the standard library calls a function that it was given
/// (`.map_err(Error::new)`), or this crate itself.
fn is_foreign(place: &Location<'_>) -> bool {
    let own = file!().trim_end_matches("error.rs");
    let file = place.file();
    // Only in its own tests are this crate's files an agent's.
    file.starts_with("/rustc/")
        || file.contains("/library/core/src/")
        || !cfg!(test) && file.starts_with(own)
}

/// The text of an error, and of what caused it.
#[derive(Debug)]
struct Copied {
    text: String,
    cause: Option<Box<Self>>,
}

impl Copied {
    fn of(error: &(dyn StdError + 'static)) -> Self {
        Self {
            text: error.to_string(),
            cause: error.source().map(|cause| Box::new(Self::of(cause))),
        }
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Copied {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// An [`Error`] on its way through `Box<dyn Error>`.
#[derive(Debug)]
struct Boxed(Error);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Boxed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.0.source.source()
    }
}

impl Error {
    /// An error with this text.
    #[must_use]
    #[track_caller]
    pub fn new(message: impl fmt::Display) -> Self {
        Self::boxed(Box::new(Message(message.to_string())))
    }

    #[track_caller]
    pub(crate) fn boxed(source: Cause) -> Self {
        match source.downcast::<Boxed>() {
            Ok(own) => own.0,
            Err(source) => Self(Box::new(Inner {
                context: Vec::new(),
                source,
                location: Location::caller(),
                frames: match is_foreign(Location::caller()) {
                    true => crate::frames::frames(),
                    false => Vec::new(),
                },
                kind: Kind::Failed,
                retry: true,
            })),
        }
    }

    /// Of an error that may not be sent between threads: its text and those of its causes are kept.
    #[track_caller]
    pub(crate) fn copied(error: Box<dyn StdError>) -> Self {
        match error.downcast::<Boxed>() {
            Ok(own) => own.0,
            Err(error) => Self::boxed(Box::new(Copied::of(&*error))),
        }
    }

    #[track_caller]
    pub(crate) fn cancelled() -> Self {
        Self::stopped("stopped, because the workbench asked for it")
    }

    /// The workbench has ended a wait of the attempt's.
    #[track_caller]
    pub(crate) fn stopped(why: &str) -> Self {
        let mut error = Self::new(why);
        error.0.kind = Kind::Cancelled;
        error
    }

    /// The same error, marked: another attempt would give the same, so do not make one.
    #[must_use]
    #[track_caller]
    pub fn permanent(mut self) -> Self {
        self.0.retry = false;
        self.located(Location::caller())
    }

    /// Puts a line in front with what was being done.
    #[must_use]
    #[track_caller]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.context.push(doing.to_string());
        self.located(Location::caller())
    }

    /// Takes this place, if none in the agent's code is known yet.
    fn located(mut self, here: &'static Location<'static>) -> Self {
        if is_foreign(self.0.location) && !is_foreign(here) {
            self.0.location = here;
            self.0.frames.clear();
        }
        self
    }

    /// The causes below the first line, outermost first.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.0.context.iter().rev().skip(1).cloned().collect();
        if !self.0.context.is_empty() {
            lines.push(self.0.source.to_string());
        }
        let mut below = self.0.source.source();
        while let Some(cause) = below {
            lines.push(cause.to_string());
            below = cause.source();
        }
        lines
    }

    /// `file:line` where it became an [`Error`]: the place of the `?` in most cases. After `.map_err(Error::new)`
    /// it is one in the standard library, until context is added; the workbench then reports the place from a trace.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}:{}", self.0.location.file(), self.0.location.line())
    }

    /// The place, where it is one in the agent's code.
    pub(crate) fn place(&self) -> Option<String> {
        (!is_foreign(self.0.location)).then(|| self.location())
    }

    /// Return addresses, where no place is known.
    pub(crate) fn frames(&self) -> Vec<u64> {
        self.0.frames.clone()
    }

    /// Whether another attempt makes sense: not if it is [`permanent`](Self::permanent).
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.0.retry
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Looks for an error of type `E` in it.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.source.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.context.last() {
            Some(outermost) => f.write_str(outermost)?,
            None => write!(f, "{}", self.0.source)?,
        }
        if f.alternate() {
            for cause in self.chain() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        for cause in self.chain() {
            write!(f, "\n  because {cause}")?;
        }
        write!(f, "\n  at {}", self.location())
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::boxed(Box::new(error))
    }
}

impl From<Error> for Box<dyn StdError> {
    fn from(error: Error) -> Self {
        Box::new(Boxed(error))
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Box::new(Boxed(error))
    }
}

/// Adds what was being done when something failed.
pub trait Context<T> {
    /// Puts a line in front of the error.
    ///
    /// # Errors
    /// The error that was there, with the line; for an `Option`, the line alone when it is `None`.
    #[track_caller]
    fn context(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Cause>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Error::boxed(error.into()).context(doing)),
        }
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        match self {
            Some(value) => Ok(value),
            None => Err(Error::new(doing)),
        }
    }
}

/// Returns from the agent with an error: `bail!("no licence plate in {}", task.title())`.
#[macro_export]
macro_rules! bail {
    ($($text:tt)+) => {
        return ::core::result::Result::Err($crate::Error::new(::std::format!($($text)+)).into())
    };
}

#[cfg(test)]
mod tests;
