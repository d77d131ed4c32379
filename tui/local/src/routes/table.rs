//! The routes that the table of endpoints describes.

use std::pin::Pin;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodFilter, any, on, post};

use super::dispatch::{Destination, dispatch};
use super::{
    analytics, changes, collections, datasets, folders, groups, issues, labels, legacy_datasets,
    legacy_labels, legacy_projects, listing, media, members, ontologies, organisation, presets,
    projects, reviews, storage, tasks, uploads,
};
use crate::app::SharedApp;
use crate::endpoint::Endpoint;
use crate::table::{REFUSED, REFUSED_LEGACY, endpoints};

/// How a call is made and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types)] // as the table spells them
pub(super) enum Style {
    /// A signed request to a path below `/v2/public`.
    v2,
    /// A URL that is sealed by the server.
    signed,
    /// A legacy call sent to the user, …
    user,
    /// … to a project, …
    project,
    /// … or to a dataset.
    dataset,
}

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// One row of the table.
pub(super) struct EndpointRow {
    pub endpoint: Endpoint,
    pub style: Style,
    /// The HTTP method, or the query method of a legacy call.
    pub method: &'static str,
    /// The path, below `/v2/public` for v2, or the query type of a legacy call.
    pub path: &'static str,
    pub handler: fn(Request, SharedApp) -> Answering,
}

fn run<T, H>(handler: H, request: Request, app: SharedApp) -> Answering
where
    H: Handler<T, SharedApp, Future = Answering>,
{
    handler.call(request, app)
}

macro_rules! make_rows {
    ($($variant:ident $name:literal $kind:ident $doc:literal {$(
        $method:ident $style:ident $path:literal => $($handler:ident)::+;
    )*})+) => {
        /// All rows of the table.
        pub(super) const ROWS: &[EndpointRow] = &[$($(EndpointRow {
            endpoint: Endpoint::$variant,
            style: Style::$style,
            method: stringify!($method),
            path: $path,
            handler: |request, app| run($($handler)::+, request, app),
        },)*)+];
    };
}

endpoints!(make_rows);

/// The row of a legacy call.
pub(super) fn legacy(style: Style, method: &str, query: &str) -> Option<&'static EndpointRow> {
    let fits = |row: &&EndpointRow| row.path == query && row.method == method && row.style == style;
    ROWS.iter().find(fits)
}

/// What to do instead of a legacy call that only the platform serves.
pub(super) fn refused_legacy(query: &str) -> Option<&'static str> {
    let found = REFUSED_LEGACY.iter().find(|(name, _)| *name == query);
    found.map(|(_, instead)| *instead)
}

/// The routes of the API. Every request goes through [`dispatch`].
pub(super) fn router() -> Router<SharedApp> {
    let to = |route: Destination| {
        move |State(app): State<SharedApp>, request: Request| dispatch(app, route, request)
    };
    let mut router = Router::new()
        .route("/public", post(to(Destination::Legacy)))
        .route("/public/user", post(to(Destination::Legacy)));
    for row in ROWS {
        let path = match row.style {
            Style::v2 => format!("/v2/public{}", row.path),
            Style::signed => row.path.to_owned(),
            Style::user | Style::project | Style::dataset => continue,
        };
        let method = Method::from_bytes(row.method.as_bytes()).ok();
        let filter = method.and_then(|m| MethodFilter::try_from(m).ok());
        let filter = filter.expect("the table names methods that HTTP has");
        router = router.route(&path, on(filter, to(Destination::Row(row))));
    }
    for (path, instead) in REFUSED {
        for path in [
            format!("/v2/public{path}"),
            format!("/v2/public{path}/{{*rest}}"),
        ] {
            router = router.route(&path, any(to(Destination::Refused(instead))));
        }
    }
    router
        .fallback(to(Destination::UnknownPath))
        // For the routes that exist by now.
        .method_not_allowed_fallback(to(Destination::WrongMethod))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn no_call_has_two_rows_and_every_endpoint_has_one() {
        for (place, row) in ROWS.iter().enumerate() {
            let same =
                |r: &EndpointRow| (r.style, r.method, r.path) == (row.style, row.method, row.path);
            assert!(
                !ROWS[..place].iter().any(same),
                "{} {}",
                row.method,
                row.path
            );
        }
        for endpoint in Endpoint::ALL {
            let has_row = ROWS.iter().any(|r| r.endpoint == *endpoint);
            assert_eq!(has_row, *endpoint != Endpoint::Unknown, "{endpoint:?}");
        }
    }

    fn reference() -> String {
        let mut out = "# Endpoints of the local server\n\n\
            Made from `src/table.rs` by `UPDATE_README=1 cargo test -p wb-local endpoints_md`.\n\n\
            Faults (`workbench serve --fault`) and counters use the names in the first column. Legacy calls show \
            the resource that they are sent to, the query method and the query type.\n\n\
            | endpoint | what it is | calls |\n|---|---|---|\n"
            .to_owned();
        for endpoint in Endpoint::ALL {
            let rows = ROWS.iter().filter(|r| r.endpoint == *endpoint);
            let call = |r: &EndpointRow| match r.style {
                Style::v2 | Style::signed => format!("`{} {}`", r.method, r.path),
                legacy => format!("`{legacy:?}: {} {}`", r.method, r.path),
            };
            let calls: Vec<String> = rows.map(call).collect();
            let (name, doc) = (endpoint.name(), endpoint.doc());
            let _ = writeln!(out, "| `{name}` | {doc} | {} |", calls.join("<br>"));
        }
        out.push_str(
            "\n## Refused\n\nThe platform serves these; a local project refuses them with status 501, and v2 paths \
             with everything below them.\n\n| call | reason |\n|---|---|\n",
        );
        for (call, instead) in REFUSED.iter().chain(REFUSED_LEGACY) {
            let _ = writeln!(out, "| `{call}` | {instead} |");
        }
        out
    }

    #[test]
    fn endpoints_md_lists_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ENDPOINTS.md");
        if std::env::var_os("UPDATE_README").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == reference(),
            "run UPDATE_README=1 cargo test -p wb-local endpoints_md"
        );
    }
}
