//! The macros of `agent-abi`: `#[stage]`, `#[dependency]` and `export!`.
//!
//! They write descriptors and one line per parameter, each with the span of what the author wrote,
//! so that the compiler's messages point there. What those lines call is left to `agent_abi::inject`
//! and `agent_abi::glue`; nothing is decided here that a trait can decide.

mod dependency;
mod export;
mod json;
mod lookup;
mod options;
mod params;
mod schema;
mod stage;
// The same words as at run time; this crate lies below the one that has them.
#[path = "../../src/model/suggest.rs"]
mod suggest;
mod twin;
mod types;

use proc_macro::TokenStream;

/// Makes a function the agent of one stage.
///
/// The first argument is the stage's name or its UUID. The rest are options:
///
/// | option | meaning |
/// |---|---|
/// | `overwrite` | may take the stage over from another library |
/// | `routes = ["complete", "review"]` | the pathways it may return: compared with the workflow by `check`, and another one is refused |
/// | `params(every: u64 = 10, label: String)` | the stage's parameters in `workbench.toml`, compared by `check`; one without a default must be there |
/// | `timeout = "30s"` | limit of one attempt, e.g. `500ms`, `2m` or `1h30m` |
/// | `idempotent` | may be run again on its own after it was killed half-way |
/// | `serial` | one task at a time |
/// | `cancellable` | checks `check_cancelled` |
/// | `include(client_metadata, images_data, workflow_graph_node, children, all_label_branches, branch_name = "x")` | what to fetch with the row's metadata |
/// | `initialise(objects = ["hash"], classifications = ["hash"], reviews, overwrite, signed_url)` | how to fetch the labels |
///
/// The function stays an ordinary function that tests can call.
#[proc_macro_attribute]
pub fn stage(args: TokenStream, item: TokenStream) -> TokenStream {
    let place = Place::of_call();
    stage::expand(args.into(), item.into(), &place)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a function a dependency that agents ask for with `#[depends(name)]`.
///
/// Parameters are injected as in an agent; those marked `#[arg]` are given at the place of use,
/// `#[depends(name(0.5))]`. Options: `scope = host` keeps the value from task to task, and
/// `close = function` is called with the value at the end, in reverse order of opening.
#[proc_macro_attribute]
pub fn dependency(args: TokenStream, item: TokenStream) -> TokenStream {
    dependency::expand(args.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Exports the agents of this crate, in the order in which their stages are worked through.
///
/// ```ignore
/// export![prelabel, checks::validate, preflight = look_at_the_project];
/// ```
#[proc_macro]
pub fn export(items: TokenStream) -> TokenStream {
    export::expand(items.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Where the macro was called, for the descriptor.
struct Place(String);

impl Place {
    fn of_call() -> Self {
        let span = proc_macro::Span::call_site();
        Self(format!("{}:{}", span.file(), span.line()))
    }
}
