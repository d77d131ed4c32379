//! Many writes in one request, with the truth about each of them.
//!
//! A refused bundle is split by halves until the culprit is alone. A bundle whose answer was lost is
//! looked up, never assumed: what arrived is done, what did not is sent again. A refusal is looked up too,
//! when it comes and again before it is final: a gateway may answer for a platform that has applied the
//! request. What is sent and how it is looked up is left to the [`Bundle`]s.

use crate::error::{ClientError, Meaning};
use crate::http::retry::back_off;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};

/// The result for one member.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Fate {
    /// Written.
    Applied,
    /// The task had left its stage already, and not by this request.
    Gone,
    /// Somebody else changed it; not written.
    Conflict(String),
    /// Refused or failed.
    Refused(Error),
}

/// How one member stands upstream whose request did not end well.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Seen {
    /// Not applied: it may be sent.
    Waiting,
    /// It is as the request would have made it.
    Arrived,
    /// It has ended otherwise.
    Ended(Fate),
}

/// How a request ended that is looked up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Doubt {
    /// The platform itself refused it: what has changed, somebody else did.
    None,
    /// It was refused, and it is not known by whom: it may have been applied.
    Refused,
    /// The answer was lost: it may have been applied.
    Lost,
}

/// Writes of one kind. Members are known by their index.
pub(crate) trait Bundle: Send + Sync {
    /// Sends the members in one request.
    fn send<'a>(&'a self, members: &'a [usize]) -> BoxFuture<'a, Result<(), ClientError>>;

    /// Looks up how the members stand, in the same order; `doubt`: whether an earlier request for them may
    /// have been applied.
    fn look<'a>(
        &'a self,
        members: &'a [usize],
        doubt: Doubt,
    ) -> BoxFuture<'a, Result<Vec<Seen>, ClientError>>;

    /// Waits between two attempts; counted by the connection.
    fn pause(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// Counts earlier writes of this kind.
    fn counter(&self) -> &WriteCounter;
}

/// Counts the writes of one kind, kept from bundle to bundle: the last one of a queue may hold nothing
/// but a culprit or two.
#[derive(Default, Debug)]
pub(crate) struct WriteCounter {
    /// Whether any was let through.
    applied: AtomicBool,
    /// Members that failed alone before any was, see [`ROW_AT_FIRST`].
    row: AtomicU32,
}

/// Largest bundle of priorities, metadata or actions.
pub(super) const BUNDLE: usize = 1000;
/// Attempts of one bundle whose answers are lost.
const ATTEMPTS: u32 = 5;
/// So many members in a row that failed alone for reasons which look like everybody's (no rights,
/// 5xx), with none let through at all: the rest is not tried.
const ROW_AT_FIRST: u32 = 3;
/// The same after some were let through: culprits may be neighbours.
const ROW_LATER: u32 = 8;

struct Part {
    members: Vec<usize>,
    attempts: u32,
    /// Whether an earlier request for these may have been applied.
    doubt: Doubt,
    /// Looked up since a request for them was refused.
    looked: bool,
}

struct Drive<'a> {
    bundle: &'a dyn Bundle,
    stack: Vec<Part>,
    fates: Vec<(usize, Fate)>,
    stopped: Option<Error>,
    /// Members in a row that failed alone after some were let through, see [`ROW_LATER`].
    row: u32,
}

/// Writes all members in bundles of at most `chunk`; gives the fate of each, in no set order.
pub(crate) async fn drive(
    bundle: &dyn Bundle,
    members: Vec<usize>,
    chunk: usize,
) -> Vec<(usize, Fate)> {
    let stack = members
        .chunks(chunk)
        .rev()
        .map(|chunk| Part {
            members: chunk.to_vec(),
            attempts: 0,
            doubt: Doubt::None,
            looked: false,
        })
        .collect();
    let mut drive = Drive {
        bundle,
        stack,
        fates: Vec::with_capacity(members.len()),
        stopped: None,
        row: 0,
    };
    while let Some(part) = drive.stack.pop() {
        if let Some(failure) = drive.stopped.clone() {
            drive.refuse(&part.members, &failure);
        } else {
            drive.step(part).await;
        }
    }
    drive.done()
}

impl Drive<'_> {
    async fn step(&mut self, mut part: Part) {
        part.attempts += 1;
        let error = match self.bundle.send(&part.members).await {
            Ok(()) => {
                self.let_through();
                self.settle(&part.members, &Fate::Applied);
                return;
            }
            Err(error) => error,
        };
        match error.meaning() {
            Meaning::Stop => self.stopped(part, &error).await,
            Meaning::Doubt => self.doubtful(part, &error).await,
            Meaning::Refused => self.refused(part, &error).await,
        }
    }

    /// Nothing further will pass. Whoever answers that the key is not known may stand in between.
    async fn stopped(&mut self, mut part: Part, error: &ClientError) {
        let failure = Error::from(error);
        if matches!(error, ClientError::Unauthenticated { .. }) {
            part.doubt = part.doubt.max(Doubt::Refused);
            match self.look(&part, error).await {
                Some(waiting) => part.members = waiting,
                None => part.members.clear(),
            }
        }
        self.refuse(&part.members, &failure);
        self.stopped = Some(failure);
    }

    async fn doubtful(&mut self, mut part: Part, error: &ClientError) {
        part.doubt = Doubt::Lost;
        let Some(waiting) = self.look(&part, error).await else {
            return;
        };
        part.members = waiting;
        if part.members.is_empty() {
            return;
        }
        if part.attempts < ATTEMPTS {
            self.bundle.pause(back_off(part.attempts)).await;
            part.looked = false;
            self.stack.push(part);
            return;
        }
        let answered = !matches!(
            error,
            ClientError::Lost {
                answered: false,
                ..
            }
        );
        if answered && part.members.len() > 1 {
            self.split(part);
        } else {
            let failure = Error::from(error);
            self.refuse(&part.members, &failure);
            if answered {
                self.failed_alone(failure);
            } else {
                self.stopped = Some(failure);
            }
        }
    }

    async fn refused(&mut self, mut part: Part, error: &ClientError) {
        if !error.is_of_the_platform() {
            part.doubt = part.doubt.max(Doubt::Refused);
        }
        // The members of a bundle are looked up once, and the culprit once more when it is alone.
        if !part.looked || part.members.len() == 1 {
            let before = part.members.len();
            let Some(waiting) = self.look(&part, error).await else {
                return;
            };
            part.members = waiting;
            part.looked = true;
            if part.members.is_empty() {
                return;
            }
            if part.members.len() < before {
                // Those that had left are out of the way: once more as one request.
                self.stack.push(part);
                return;
            }
        }
        if part.members.len() > 1 {
            self.split(part);
            return;
        }
        let failure = Error::from(error);
        self.refuse(&part.members, &failure);
        if failure.kind == ErrorKind::Access || matches!(error, ClientError::Failing { .. }) {
            self.failed_alone(failure);
        }
    }

    /// As long as few were forbidden in a row, it is the matter of these tasks: the caller may write.
    fn done(mut self) -> Vec<(usize, Fate)> {
        let of_their_own = self.stopped.is_none();
        for (_, fate) in &mut self.fates {
            if let Fate::Refused(failure) = fate
                && of_their_own
                && failure.kind == ErrorKind::Access
            {
                failure.kind = ErrorKind::Upstream;
            }
        }
        self.fates
    }

    fn let_through(&mut self) {
        self.bundle.counter().applied.store(true, Ordering::Relaxed);
        self.row = 0;
    }

    /// An outage must not cost two requests for each of a thousand tasks.
    fn failed_alone(&mut self, failure: Error) {
        let counter = self.bundle.counter();
        let over = if counter.applied.load(Ordering::Relaxed) {
            self.row += 1;
            self.row >= ROW_LATER
        } else {
            counter.row.fetch_add(1, Ordering::Relaxed) + 1 >= ROW_AT_FIRST
        };
        if over {
            self.stopped = Some(failure);
        }
    }

    /// Looks the members up; gives those that wait still. `None`: the look failed, and the members
    /// have their fates.
    async fn look(&mut self, part: &Part, error: &ClientError) -> Option<Vec<usize>> {
        let seen = match self.bundle.look(&part.members, part.doubt).await {
            Ok(seen) => seen,
            // It was refused; why will be seen for each member when they are sent one by one.
            Err(look) if part.doubt < Doubt::Lost && part.members.len() > 1 && !stops(&look) => {
                return Some(part.members.clone());
            }
            Err(look) => {
                let mut failure = Error::from(error);
                let also = format!("looking it up failed too: {look}");
                failure.cause = Some(match failure.cause.take() {
                    Some(cause) => format!("{cause}\n{also}"),
                    None => also,
                });
                self.refuse(&part.members, &failure);
                if stops(&look) {
                    self.stopped = Some(Error::from(&look));
                }
                return None;
            }
        };
        let mut waiting = Vec::new();
        for (member, seen) in part.members.iter().zip(seen) {
            match seen {
                Seen::Waiting => waiting.push(*member),
                Seen::Arrived => {
                    self.let_through();
                    self.settle(&[*member], &Fate::Applied);
                }
                Seen::Ended(fate) => self.settle(&[*member], &fate),
            }
        }
        Some(waiting)
    }

    /// Two halves; those of a bundle that keeps failing get two attempts each, not five.
    fn split(&mut self, part: Part) {
        let (first, second) = part.members.split_at(part.members.len() / 2);
        for half in [second, first] {
            self.stack.push(Part {
                members: half.to_vec(),
                attempts: part.attempts.min(ATTEMPTS - 2),
                doubt: part.doubt,
                looked: part.looked,
            });
        }
    }

    fn settle(&mut self, members: &[usize], fate: &Fate) {
        self.fates
            .extend(members.iter().map(|member| (*member, fate.clone())));
    }

    fn refuse(&mut self, members: &[usize], failure: &Error) {
        self.settle(members, &Fate::Refused(failure.clone()));
    }
}

/// Who may not even look may do nothing here.
fn stops(look: &ClientError) -> bool {
    look.meaning() == Meaning::Stop || Error::from(look).kind == ErrorKind::Access
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
