//! The figures of a stage as they are kept. Fields may be added; an older program ignores those that it does not know.

use super::{LastCommit, LastRun, RouteCounts, StageFigures, TakenRoute};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A route with how often it was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct CountedRoute {
    route: TakenRoute,
    ever: u64,
    of_build: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FiguresDocument {
    /// Microseconds, in the order they came.
    times: Vec<u64>,
    routes: Vec<CountedRoute>,
    /// Places in `routes`, in the order they were taken.
    recent: Vec<u16>,
    build: String,
    last_run: Option<LastRun>,
    last_commit: Option<LastCommit>,
}

impl From<StageFigures> for FiguresDocument {
    fn from(figures: StageFigures) -> Self {
        let counts = &figures.routes;
        let mut places = BTreeMap::new();
        let mut routes = Vec::with_capacity(counts.ever.len());
        for (place, (route, ever)) in (0_u16..).zip(&counts.ever) {
            places.insert(*route, place);
            routes.push(CountedRoute {
                route: *route,
                ever: *ever,
                of_build: counts.of_build.get(route).copied().unwrap_or(0),
            });
        }
        let recent = counts.ring.iter().filter_map(|route| places.get(route));
        Self {
            recent: recent.copied().collect(),
            times: figures.times.iter().collect(),
            routes,
            build: counts.build.clone(),
            last_run: figures.last_run,
            last_commit: figures.last_commit,
        }
    }
}

impl From<FiguresDocument> for StageFigures {
    fn from(document: FiguresDocument) -> Self {
        let mut routes = RouteCounts {
            build: document.build,
            ..RouteCounts::default()
        };
        for place in document.recent {
            if let Some(counted) = document.routes.get(usize::from(place)) {
                routes.push_recent(counted.route);
            }
        }
        for counted in document.routes {
            routes.ever.insert(counted.route, counted.ever);
            if counted.of_build > 0 {
                routes.of_build.insert(counted.route, counted.of_build);
            }
        }
        Self {
            times: document.times.into_iter().collect(),
            routes,
            last_run: document.last_run,
            last_commit: document.last_commit,
        }
    }
}
