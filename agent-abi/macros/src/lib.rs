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
mod origin;
mod params;
mod renamed;
mod resource;
mod schema;
mod stage;
// A symbolic link to the file of `agent-abi`: the same words as at run time, in a crate below it. Packages hold a copy.
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
/// | `routes = ["complete", "review"]` | the pathways it may return, and stages as `"stage Review"`: compared with the workflow by `check`, and another one is refused |
/// | `params(every: u64 = 10, label: String)` | the stage's parameters in `workbench.toml`, compared by `check`; one without a default must be there |
/// | `timeout = "30s"` | limit of one attempt, e.g. `500ms`, `2m` or `1h30m` |
/// | `idempotent` | may be run again on its own after it was killed half-way |
/// | `serial` | one task at a time |
/// | `cancellable` | checks `check_cancelled` |
/// | `include(client_metadata, images_data, workflow_graph_node, children, all_label_branches, branch_name = "x")` | what to fetch with the row's metadata |
/// | `initialise(objects = ["hash"], classifications = ["hash"], reviews, overwrite, signed_url)` | how to fetch the labels |
/// | `crate = "abi"` | the name of `agent-abi` in this crate, where `Cargo.toml` renames it |
///
/// The function stays an ordinary function that tests can call.
#[proc_macro_attribute]
pub fn stage(args: TokenStream, item: TokenStream) -> TokenStream {
    let place = Place::of_call();
    renamed::expand(args.into(), |args| stage::expand(args, item.into(), &place)).into()
}

/// Makes a function a dependency that agents ask for with `#[depends(name)]`.
///
/// Parameters are injected as in an agent; those marked `#[arg]` are given at the place of use,
/// `#[depends(name(0.5))]`. Options: `scope = host` keeps the value from task to task,
/// `close = function` is called with the value at the end, in reverse order of opening, and
/// `crate = "abi"` is for a renamed `agent-abi`, as in [`macro@stage`].
#[proc_macro_attribute]
pub fn dependency(args: TokenStream, item: TokenStream) -> TokenStream {
    renamed::expand(args.into(), |args| dependency::expand(args, item.into())).into()
}

/// Exports the agents of this crate, in the order in which their stages are worked through.
///
/// ```ignore
/// export![prelabel, checks::validate, preflight = look_at_the_project];
/// ```
///
/// `crate = "abi"` is for a renamed `agent-abi`, as in [`macro@stage`].
#[proc_macro]
pub fn export(items: TokenStream) -> TokenStream {
    renamed::expand(items.into(), export::expand).into()
}

/// Makes a type with an `impl Resource` block a resource: a value in a process of its own, see `agent_abi::inject::Resource`.
///
/// The running process is kept by a rebuild that leaves the file of this block as it is: put it in a file of its
/// own. `version = "2"` is compared instead of that file; `files = ["model.onnx"]`, relative to `Cargo.toml`, are
/// files whose change opens it again.
#[proc_macro_attribute]
pub fn resource(args: TokenStream, item: TokenStream) -> TokenStream {
    let (place, source) = (Place::of_call(), proc_macro::Span::call_site().local_file());
    renamed::expand(args.into(), |args| {
        resource::expand(args, item.into(), &place, source.as_deref())
    })
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
