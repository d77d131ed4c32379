//! Custom dependencies: opened when first asked for, shared within the attempt, closed in reverse.

use super::made_of::MadeOf;
use super::{DependencyNode, DependencyRef, End, Scope, Source, Stop};
use crate::error::{Error, Result};
use crate::wire::call;
use std::any::Any;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Gives a value to agents. `#[dependency]` writes this for a function; a type may do it by itself
/// and is then asked for with a bare `#[depends]`.
#[diagnostic::on_unimplemented(
    message = "this is not a dependency: `{Self}`",
    label = "not marked `#[dependency]`",
    note = "put `#[dependency]` on the function, or implement `agent_abi::inject::Provide` for the type"
)]
pub trait Provide: Sized + 'static {
    /// What messages and the Task screen call it.
    const NAME: &'static str;
    /// What is to be fetched for it, bits of [`crate::table::needs`].
    const NEEDS: u64 = 0;
    /// For the macros: what it asks for, as a graph.
    #[doc(hidden)]
    const ASKED: DependencyRef = DependencyRef::of(&DependencyNode::alone(Self::NAME, Self::NEEDS));
    /// Arguments at the place of use; equal ones share a value.
    type Args: PartialEq + 'static;
    /// The value.
    type Value: 'static;

    /// Makes the value.
    ///
    /// # Errors
    /// The attempt fails; the error names the dependency.
    fn open(scope: &Scope<'_>, args: &Self::Args) -> Result<Self::Value, Stop>;

    /// Where the value stays between tasks; `None`: it lives for one attempt.
    #[must_use]
    fn pool() -> Option<&'static Pool<Self>> {
        None
    }

    /// Ends the value.
    ///
    /// # Errors
    /// The attempt fails, so that nothing is written that depends on it.
    fn close(value: Self::Value, end: End) -> Result<()> {
        let _ = end;
        drop(value);
        Ok(())
    }
}

/// For the macros: the arguments of a dependency that takes none.
#[diagnostic::on_unimplemented(
    message = "this dependency takes arguments: `{Self}`",
    label = "its arguments are missing",
    note = "give them in brackets, in the order of its `#[arg]` parameters: `#[depends(name(0.5))]`"
)]
pub trait NoArguments {
    /// Nothing.
    const NONE: Self;
}

impl NoArguments for () {
    const NONE: Self = ();
}

/// For the macros: a dependency's value taken by value is a clone, because others may read it too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken by value from a dependency",
    label = "the value stays where it is, and this type cannot be cloned",
    note = "take it by reference, `&{Self}` or `&mut {Self}`, or derive `Clone` for it"
)]
pub trait ByValue {
    /// A copy of one's own.
    fn by_value(&self) -> Self;
}

impl<T: Clone> ByValue for T {
    fn by_value(&self) -> Self {
        self.clone()
    }
}

thread_local! {
    /// The host of this thread's attempts: 0 is the process, others are those of tests.
    static HOST: Cell<u64> = const { Cell::new(0) };
}

/// Runs `body` in a host of its own, for tests.
pub(crate) fn in_host<R>(host: u64, body: impl FnOnce() -> R) -> R {
    struct Leave(u64);
    impl Drop for Leave {
        fn drop(&mut self) {
            HOST.set(self.0);
        }
    }
    let _leave = Leave(HOST.replace(host));
    body()
}

/// A value that no attempt is using, and its host.
struct Idle<P: Provide> {
    args: P::Args,
    value: P::Value,
    made_of: MadeOf,
    host: u64,
}

/// Values with `scope = host` that no attempt is using.
pub struct Pool<P: Provide> {
    idle: Mutex<Vec<Idle<P>>>,
    known: AtomicBool,
}

impl<P: Provide> Pool<P> {
    /// An empty pool, for a static.
    #[must_use]
    #[allow(clippy::new_without_default)] // made only in statics
    pub const fn new() -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            known: AtomicBool::new(false),
        }
    }

    /// The value for these arguments. One that was made of something else by now is closed first, so that two
    /// models are never in memory at a time.
    fn take(&self, args: &P::Args, scope: &Scope<'_>) -> Option<(P::Value, MadeOf)> {
        let host = HOST.get();
        let same = |known: &Idle<P>| known.args == *args && known.host == host;
        loop {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let at = idle.iter().position(same)?;
            let known = idle.swap_remove(at);
            drop(idle);
            if known.made_of.fits(scope) {
                return Some((known.value, known.made_of));
            }
            retire::<P>(known.value);
        }
    }
}

/// Empties a pool, of the values of one host or of all.
type Retire = Box<dyn Fn(Option<u64>) + Send>;

/// How to empty every pool in use, in order of first use.
static POOLS: Mutex<Vec<Retire>> = Mutex::new(Vec::new());

/// Closes all values with `scope = host`, last first.
pub(crate) fn retire_all() {
    let pools = std::mem::take(&mut *POOLS.lock().unwrap_or_else(PoisonError::into_inner));
    for retire in pools.iter().rev() {
        retire(None);
    }
}

/// Closes the values of one host, the last used pool first.
pub(crate) fn retire_host(host: u64) {
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    for retire in pools.iter().rev() {
        retire(Some(host));
    }
}

/// An open dependency.
pub struct Entry<P: Provide> {
    args: RefCell<Option<P::Args>>,
    value: RefCell<Option<P::Value>>,
    made_of: RefCell<MadeOf>,
    /// Lent to be changed: after a panic it cannot be trusted.
    touched: Cell<bool>,
}

/// An open dependency of any type.
pub(crate) trait Opened {
    fn name(&self) -> &'static str;
    fn close(&self, end: End) -> Result<()>;
    fn as_any(self: Rc<Self>) -> Rc<dyn Any>;
}

impl<P: Provide> Entry<P> {
    /// Lends the value to be read.
    ///
    /// # Errors
    /// When it is lent to be changed.
    pub fn lend(&self) -> Result<Ref<'_, P::Value>, Stop> {
        let busy = || refused::<P>("is lent to another parameter, to be changed");
        let value = self.value.try_borrow().map_err(|_| busy())?;
        Ref::filter_map(value, Option::as_ref).map_err(|_| refused::<P>("is closed already"))
    }

    /// Lends the value to be changed.
    ///
    /// # Errors
    /// When it is lent already.
    pub fn lend_mut(&self) -> Result<RefMut<'_, P::Value>, Stop> {
        self.touched.set(true);
        let value = self
            .value
            .try_borrow_mut()
            .map_err(|_| refused::<P>("is lent to another parameter"))?;
        RefMut::filter_map(value, Option::as_mut).map_err(|_| refused::<P>("is closed already"))
    }
}

fn refused<P: Provide>(why: &str) -> Stop {
    Stop::Dependency {
        name: P::NAME.to_owned(),
        error: Error::new(format!("{} {why}", P::NAME)).permanent(),
    }
}

impl<P: Provide> Opened for Entry<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn close(&self, end: End) -> Result<()> {
        let (Some(value), Some(args)) = (self.value.take(), self.args.take()) else {
            return Ok(());
        };
        let trusted = end != End::Panicked || !self.touched.get();
        if let Some(pool) = P::pool()
            && trusted
        {
            pool.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Idle {
                    args,
                    value,
                    made_of: self.made_of.take(),
                    host: HOST.get(),
                });
            return Ok(());
        }
        catch_unwind(AssertUnwindSafe(|| P::close(value, end))).unwrap_or_else(|panic| {
            let text = super::text_of_panic(&*panic);
            // Its own drop may panic again.
            std::mem::forget(panic);
            Err(Error::new(format!("panicked: {text}")))
        })
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

impl Scope<'_> {
    /// For the macros: the open dependency with these arguments, opened if it is not yet.
    ///
    /// # Errors
    /// [`Stop::Dependency`] when it cannot be opened, or when it asks for itself.
    pub fn depend<P: Provide>(&self, parameter: &str, args: P::Args) -> Result<Rc<Entry<P>>, Stop> {
        let known = self.open.borrow().iter().find_map(|entry| {
            let entry = Rc::clone(entry).as_any().downcast::<Entry<P>>().ok()?;
            let same = entry.args.borrow().as_ref() == Some(&args);
            same.then_some(entry)
        });
        if let Some(entry) = known {
            self.note_made(&entry.made_of.borrow());
            return Ok(entry);
        }
        self.no_cycle::<P>()?;
        let timer = self.current.begin("dependency", parameter);
        self.opening.borrow_mut().push(P::NAME);
        let kept = P::pool().and_then(|pool| pool.take(&args, self));
        let note = if kept.is_some() { "kept" } else { "" };
        let made = match kept {
            Some((value, made_of)) => {
                self.note_made(&made_of);
                Ok((value, made_of))
            }
            None => {
                let _loading = P::pool().map(|_| Loading::of(self.source, P::NAME));
                self.begin_making();
                let made = P::open(self, &args);
                let made_of = self.end_making();
                made.map(|value| (value, made_of))
            }
        };
        self.opening.borrow_mut().pop();
        let note = if made.is_ok() { note } else { "failed" };
        self.current.end(timer, note);
        let (value, made_of) = made.map_err(|stop| stop.within(P::NAME))?;
        register::<P>();
        let entry = Rc::new(Entry::<P> {
            args: RefCell::new(Some(args)),
            value: RefCell::new(Some(value)),
            made_of: RefCell::new(made_of),
            touched: Cell::new(false),
        });
        self.open
            .borrow_mut()
            .push(Rc::clone(&entry) as Rc<dyn Opened>);
        let held = self.pause("dependency", parameter, note);
        held.map_err(|error| Stop::Agent(error).within(P::NAME))?;
        Ok(entry)
    }

    fn no_cycle<P: Provide>(&self) -> Result<(), Stop> {
        let opening = self.opening.borrow();
        let Some(at) = opening.iter().position(|name| *name == P::NAME) else {
            return Ok(());
        };
        let round: Vec<&str> = opening[at..].iter().copied().chain([P::NAME]).collect();
        let error = Error::new(format!(
            "dependencies ask for each other in a circle: {}",
            round.join(" → ")
        ));
        Err(Stop::Dependency {
            name: P::NAME.to_owned(),
            error: error.permanent(),
        })
    }
}

/// Reports to the host that a value is being made which stays in it, until it is dropped: a panic ends it too.
struct Loading<'s>(&'s dyn Source);

impl<'s> Loading<'s> {
    fn of(source: &'s dyn Source, name: &str) -> Self {
        // A host that does not know the call counts the time as the task's own.
        let name = serde_json::Value::from(name).to_string();
        let _ = source.call(call::LOADING, name.as_bytes());
        Self(source)
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let _ = self.0.call(call::LOADING, b"null");
    }
}

/// Remembers the pool of `P`, once.
fn register<P: Provide>() {
    let Some(pool) = P::pool() else { return };
    if !pool.known.swap(true, Ordering::AcqRel) {
        let retire: Retire = Box::new(|host| {
            if let Some(pool) = P::pool() {
                pool.empty(host);
            }
        });
        POOLS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(retire);
    }
}

/// Closes a value that no attempt is using.
fn retire<P: Provide>(value: P::Value) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| P::close(value, End::Retired))) {
        std::mem::forget(panic);
    }
}

impl<P: Provide> Pool<P> {
    /// Closes what is idle; the next attempt opens it again.
    fn empty(&self, host: Option<u64>) {
        if host.is_none() {
            self.known.store(false, Ordering::Release);
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_gone = |idle: &Idle<P>| host.is_none_or(|host| idle.host == host);
        let (gone, kept): (Vec<_>, Vec<_>) = idle.drain(..).partition(is_gone);
        *idle = kept;
        drop(idle);
        for Idle { value, .. } in gone.into_iter().rev() {
            retire::<P>(value);
        }
    }
}
