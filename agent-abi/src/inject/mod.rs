//! How parameters are filled: the traits behind them, the scope of one attempt, its dependencies.
//!
//! Authors meet the traits only in the compiler's messages; the macros write the calls. Where the
//! documents come from is left to a [`Source`]: the C border, or the testing kit.

mod attempt;
mod builtin;
mod checkpoint;
mod children;
mod current;
mod graph;
mod lists;
mod made_of;
mod overheard;
mod provide;
mod resource;
mod scope;
mod twins;
mod upstream;

pub(crate) use attempt::{Finished, Job, attempt, is_unknown_name, text_of_panic};
pub use builtin::{AssetPath, Params};
pub use checkpoint::checkpoint;
pub use children::{Child, Children, TakePart};
pub(crate) use current::{call, emit, install_logger, on_attempt, serve_elsewhere};
pub use current::{check_cancelled, progress};
pub use lists::{Collection, ListedRow, Listing, SignedUrl};
pub(crate) use overheard::{Listener, OverheardLine};
pub use provide::Provide;
pub(crate) use provide::{in_host, retire_all, retire_host};
pub(crate) use resource::answer_of;
pub use resource::{Remote, Resource};
pub use scope::Scope;
pub use twins::{Twin, twin};
pub use upstream::Upstream;

// What only the macros and hosts of agents use.
#[doc(hidden)]
pub use graph::{DependencyNode, DependencyRef};
#[doc(hidden)]
pub use provide::{ByValue, Entry, NoArguments, Pool};
#[doc(hidden)]
pub use scope::{RawFrame, Source};
#[doc(hidden)]
pub use twins::TwinOf;

use crate::error::{Error, Result};
use crate::route::Route;
use std::error::Error as StdError;
use std::ops::{Deref, DerefMut};

/// A value, nothing, or a failure.
pub type Found<T> = Result<Option<T>>;

/// How an attempt or the life of a dependency ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The agent gave a route.
    Done,
    /// The agent or a dependency gave an error.
    Failed,
    /// Something panicked.
    Panicked,
    /// The agent saw that the attempt should stop.
    Cancelled,
    /// The library is being closed (values with `scope = host`).
    Retired,
}

/// Why an attempt gave no route.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stop {
    /// The agent refused.
    Agent(Error),
    /// A parameter could not be filled.
    Dependency {
        /// Which one.
        name: String,
        /// Why.
        error: Error,
    },
}

impl Stop {
    /// An agent's or a dependency's own error.
    #[track_caller]
    pub fn agent(error: impl Into<Box<dyn StdError>>) -> Self {
        Self::Agent(Error::copied(error.into()))
    }

    /// The same, about this parameter, unless one further in was named already.
    pub(crate) fn within(self, parameter: &str) -> Self {
        match self {
            Self::Agent(error) => Self::Dependency {
                name: parameter.to_owned(),
                error,
            },
            named @ Self::Dependency { .. } => named,
        }
    }
}

/// Types that an agent may take by shared reference.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be a parameter of an agent",
    label = "the workbench does not know how to give this",
    note = "by reference there are `&Task`, `&Stage`, `&Project`, `&LabelRow`, `&mut LabelRow`, `&StorageItem`, `&mut StorageItem`; \
            by value `Frame`, `Frames`, `AssetPath`, `Children`, `Upstream` and `Params<T>`",
    note = "for a value of your own write a `#[dependency]` function and mark the parameter `#[depends(function)]`"
)]
pub trait Lend {
    /// What is to be fetched for it, bits of [`crate::table::needs`].
    const NEEDS: u64;
    /// What holds the loan.
    type Guard<'s>: Deref<Target = Self>;
    /// Lends it for this attempt.
    ///
    /// # Errors
    /// When it is there and cannot be had; absent is `Ok(None)`.
    fn lend<'s>(scope: &'s Scope<'_>) -> Found<Self::Guard<'s>>;
}

/// Types that an agent may take by exclusive reference.
#[diagnostic::on_unimplemented(
    message = "`&mut {Self}` cannot be a parameter of an agent",
    label = "this cannot be changed by an agent",
    note = "what can be changed is `&mut LabelRow`, `&mut StorageItem` and a twin, `#[depends(twin(\"…\"))] x: &mut Twin`"
)]
pub trait LendMut {
    /// What is to be fetched for it, bits of [`crate::table::needs`].
    const NEEDS: u64;
    /// What holds the loan.
    type Guard<'s>: DerefMut<Target = Self>;
    /// Lends it for this attempt, once.
    ///
    /// # Errors
    /// When it is there and cannot be had, or is lent already; absent is `Ok(None)`.
    fn lend_mut<'s>(scope: &'s Scope<'_>) -> Found<Self::Guard<'s>>;
}

/// Types that an agent may take by value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an agent",
    label = "the workbench does not know how to give this",
    note = "by value there are `Frame`, `Frames`, `AssetPath`, `Children`, `Upstream`, `Params<T>` and `Option<..>` of every parameter; \
            by reference `&Task`, `&Stage`, `&Project`, `&LabelRow`, `&mut LabelRow`, `&StorageItem`, `&mut StorageItem`",
    note = "for a value of your own write a `#[dependency]` function and mark the parameter `#[depends(function)]`"
)]
pub trait Take<'t>: Sized {
    /// What is to be fetched for it, bits of [`crate::table::needs`].
    const NEEDS: u64;
    /// Makes it for this attempt.
    ///
    /// # Errors
    /// When it is there and cannot be had; absent is `Ok(None)`.
    fn take(scope: &'t Scope<'_>) -> Found<Self>;
}

/// What an agent may return.
#[diagnostic::on_unimplemented(
    message = "an agent returns a `Route`, not `{Self}`",
    label = "not a route",
    note = "return `Route` or `Result<Route>`: `Ok(Route::to(\"complete\"))`, or `Ok(Route::stay())` to leave the task where it is"
)]
pub trait IntoRoute {
    /// The route, or why there is none.
    ///
    /// # Errors
    /// The agent's own.
    fn into_route(self) -> Result<Route, Stop>;
}

impl IntoRoute for Route {
    fn into_route(self) -> Result<Route, Stop> {
        Ok(self)
    }
}

impl<E: Into<Box<dyn StdError>>> IntoRoute for Result<Route, E> {
    fn into_route(self) -> Result<Route, Stop> {
        self.map_err(Stop::agent)
    }
}

/// What a preflight function and a closing function may return.
#[diagnostic::on_unimplemented(
    message = "this function returns `()` or `Result<()>`, not `{Self}`",
    label = "neither nothing nor a `Result<()>`"
)]
pub trait IntoDone {
    /// Done, or why not.
    ///
    /// # Errors
    /// The function's own.
    fn into_done(self) -> Result<()>;
}

impl IntoDone for () {
    fn into_done(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Box<dyn StdError>>> IntoDone for Result<(), E> {
    fn into_done(self) -> Result<()> {
        self.map_err(|error| Error::copied(error.into()))
    }
}

/// For the macros: [`IntoDone::into_done`].
///
/// # Errors
/// The function's own.
#[doc(hidden)]
pub fn closed(done: impl IntoDone) -> Result<()> {
    done.into_done()
}
