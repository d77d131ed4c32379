//! The names of endpoints, the groups that faults target, and the counters.
//!
//! Which calls belong to which endpoint is in `table`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::suggest::did_you_mean;
use crate::table::endpoints;

macro_rules! make_enum {
    ($($variant:ident $name:literal $kind:ident $doc:literal {$(
        $method:ident $style:ident $path:literal => $($handler:ident)::+;
    )*})+) => {
        /// One endpoint of the API, as faults and counters name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Endpoint { $(#[doc = $doc] $variant,)+ }

        impl Endpoint {
            /// All endpoints.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in faults and counters.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is, in a sentence.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }

            fn kind(self) -> &'static str {
                match self { $(Self::$variant => stringify!($kind),)+ }
            }
        }
    };
}

endpoints!(make_enum);

impl Endpoint {
    /// Whether a successful request changes tasks, labels, priorities, metadata or projects.
    /// Creating an empty label row (which reading the labels of a fresh task needs) does not count.
    #[must_use]
    pub fn writes(self) -> bool {
        self.kind() == "write"
    }

    /// Whether it reads from the API (media not included).
    fn reads(self) -> bool {
        self.kind() == "read"
    }
}

/// What a fault targets: one endpoint or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultTarget {
    /// `any`: every request, media included.
    Any,
    /// `get`: every reading request of the API.
    Get,
    /// `write`: every writing request.
    Write,
    /// `storage`: media by signed URL, as from a bucket.
    Storage,
    /// One endpoint.
    One(Endpoint),
}

impl FaultTarget {
    /// Whether it includes this endpoint.
    #[must_use]
    pub fn covers(self, endpoint: Endpoint) -> bool {
        match self {
            Self::Any => true,
            Self::Get => endpoint.reads(),
            Self::Write => endpoint.writes(),
            Self::Storage => endpoint == Endpoint::Download,
            Self::One(one) => one == endpoint,
        }
    }
}

/// The groups of endpoints by name.
const GROUPS: [(&str, FaultTarget); 4] = [
    ("any", FaultTarget::Any),
    ("get", FaultTarget::Get),
    ("write", FaultTarget::Write),
    ("storage", FaultTarget::Storage),
];

/// All targets by name.
fn targets() -> impl Iterator<Item = (&'static str, FaultTarget)> {
    let endpoints = Endpoint::ALL.iter();
    GROUPS
        .into_iter()
        .chain(endpoints.map(|e| (e.name(), FaultTarget::One(*e))))
}

impl FromStr for FaultTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = targets().find(|(name, _)| *name == text);
        found.map(|(_, target)| target).ok_or_else(|| {
            let names: Vec<&str> = targets().map(|(name, _)| name).collect();
            let near = did_you_mean(text, names.iter().copied());
            if near.is_empty() {
                format!("unknown target {text:?}; known are {}", names.join(", "))
            } else {
                format!("unknown target {text:?}{near}")
            }
        })
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = targets().find(|(_, target)| target == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// The counters of one endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EndpointCount {
    /// Requests that arrived, including those affected by a fault.
    pub requests: u64,
    /// Requests that succeeded, whether or not the answer arrived.
    pub done: u64,
    /// Requests that the server refused.
    pub refused: u64,
    /// Requests that an injected fault affected.
    pub faults: u64,
    /// Tasks, rows or items that were changed.
    pub changed: u64,
}

/// Counters since the server started. Requests to `/local/…` are not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// All requests.
    pub requests: u64,
    /// Writing requests that succeeded (see [`Endpoint::writes`]).
    pub writes: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Per endpoint; endpoints without requests are left out.
    pub endpoints: BTreeMap<&'static str, EndpointCount>,
}

/// The live counters.
#[derive(Debug, Default)]
pub(crate) struct LiveCounters {
    connections: AtomicU64,
    endpoints: Mutex<BTreeMap<Endpoint, EndpointCount>>,
}

impl LiveCounters {
    fn endpoints(&self) -> MutexGuard<'_, BTreeMap<Endpoint, EndpointCount>> {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, endpoint: Endpoint, change: impl FnOnce(&mut EndpointCount)) {
        change(self.endpoints().entry(endpoint).or_default());
    }

    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn request(&self, endpoint: Endpoint, faults: usize) {
        self.count(endpoint, |c| {
            c.requests += 1;
            c.faults += u64::from(faults > 0);
        });
    }

    pub(crate) fn answer(&self, endpoint: Endpoint, done: bool) {
        self.count(endpoint, |c| {
            *(if done { &mut c.done } else { &mut c.refused }) += 1;
        });
    }

    pub(crate) fn changed(&self, endpoint: Endpoint, n: usize) {
        self.count(endpoint, |c| c.changed += n as u64);
    }

    pub(crate) fn read(&self) -> Counters {
        let endpoints = self.endpoints();
        let writing = endpoints.iter().filter(|(endpoint, _)| endpoint.writes());
        Counters {
            requests: endpoints.values().map(|count| count.requests).sum(),
            writes: writing.map(|(_, count)| count.done).sum(),
            connections: self.connections.load(Ordering::Relaxed),
            endpoints: endpoints
                .iter()
                .map(|(e, count)| (e.name(), *count))
                .collect(),
        }
    }
}
