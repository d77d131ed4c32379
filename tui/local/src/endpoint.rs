//! The names of endpoints, the groups that faults target, and the counters.
//!
//! Which calls belong to which endpoint is in `table`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

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
pub enum Target {
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

impl Target {
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

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "any" => Ok(Self::Any),
            "get" => Ok(Self::Get),
            "write" => Ok(Self::Write),
            "storage" => Ok(Self::Storage),
            name => {
                let found = Endpoint::ALL.iter().find(|e| e.name() == name);
                found.map(|e| Self::One(*e)).ok_or_else(|| {
                    let groups = ["any", "get", "write", "storage"].into_iter();
                    let names: Vec<&str> = groups
                        .chain(Endpoint::ALL.iter().map(|e| e.name()))
                        .collect();
                    let near = did_you_mean(name, names.iter().copied());
                    if near.is_empty() {
                        format!("unknown target {name:?}; known are {}", names.join(", "))
                    } else {
                        format!("unknown target {name:?}{near}")
                    }
                })
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Get => "get",
            Self::Write => "write",
            Self::Storage => "storage",
            Self::One(one) => one.name(),
        })
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
#[derive(Debug)]
pub(crate) struct LiveCounters {
    cells: [Cell; Endpoint::ALL.len()],
    connections: AtomicU64,
}

impl Default for LiveCounters {
    fn default() -> Self {
        Self {
            cells: std::array::from_fn(|_| Cell::default()),
            connections: AtomicU64::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Cell {
    requests: AtomicU64,
    done: AtomicU64,
    refused: AtomicU64,
    faults: AtomicU64,
    changed: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl LiveCounters {
    fn cell(&self, endpoint: Endpoint) -> &Cell {
        &self.cells[endpoint as usize]
    }

    pub(crate) fn connection(&self) {
        add(&self.connections, 1);
    }

    pub(crate) fn request(&self, endpoint: Endpoint, faults: usize) {
        add(&self.cell(endpoint).requests, 1);
        add(&self.cell(endpoint).faults, u64::from(faults > 0));
    }

    pub(crate) fn answer(&self, endpoint: Endpoint, done: bool) {
        let cell = self.cell(endpoint);
        add(if done { &cell.done } else { &cell.refused }, 1);
    }

    pub(crate) fn changed(&self, endpoint: Endpoint, n: usize) {
        add(&self.cell(endpoint).changed, n as u64);
    }

    pub(crate) fn read(&self) -> Counters {
        let mut out = Counters {
            connections: self.connections.load(Ordering::Relaxed),
            ..Counters::default()
        };
        for endpoint in Endpoint::ALL {
            let cell = self.cell(*endpoint);
            let count = EndpointCount {
                requests: cell.requests.load(Ordering::Relaxed),
                done: cell.done.load(Ordering::Relaxed),
                refused: cell.refused.load(Ordering::Relaxed),
                faults: cell.faults.load(Ordering::Relaxed),
                changed: cell.changed.load(Ordering::Relaxed),
            };
            if count.requests == 0 {
                continue;
            }
            out.requests += count.requests;
            out.writes += if endpoint.writes() { count.done } else { 0 };
            out.endpoints.insert(endpoint.name(), count);
        }
        out
    }
}
