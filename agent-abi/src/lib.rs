//! Write Encord workflow agents in Rust, as a dynamic library behind a stable C ABI.
//!
//! An agent is a function for one stage of a workflow. It asks for what it needs by the types of its
//! parameters, changes labels, and returns where the task goes next:
//!
//! ```no_run
//! use agent_abi::prelude::*;
//!
//! #[stage("pre-label", routes = ["annotate", "skip"])]
//! fn prelabel(task: &Task, labels: &mut LabelRow, frame: Option<Frame<'_>>) -> Result<Route> {
//!     let Some(frame) = frame else { return Ok(Route::to("skip")) };
//!     let ontology = labels.ontology();
//!     let car = ontology.object("Car")?;
//!     labels.add(car.bounding_box(0.1, 0.2, 0.3, 0.4)?.on_frame(0).answer("Colour", "Red")?)?;
//!     info!("{}: {} by {} pixels", task.title(), frame.width(), frame.height());
//!     Ok(Route::to("annotate").priority(0.7))
//! }
//!
//! export![prelabel];
//! # fn main() {}
//! ```
//!
//! **[The guide](guide)** is the author's manual: every parameter, answer, option and dependency, with examples.
//!
//! The crate is built as a `cdylib`. The workbench opens it in a child process, gives it tasks, and
//! holds every write until a person or a command lets it out.
//!
//! # Parameters
//!
//! | type | what it is |
//! |---|---|
//! | `&Task`, `&Stage`, `&Project` | the task, the stage it waits at, the project with its ontology |
//! | `&LabelRow` | the labels, to read |
//! | `&mut LabelRow` | the labels, to change; what was changed is part of the outcome |
//! | `&StorageItem`, `&mut StorageItem` | the item behind the data; its client metadata |
//! | `Frame` | the first picture, RGB8, decoded by the host |
//! | `Frames` | any picture of a video or an image group, by number or in order |
//! | `AssetPath` | the file, downloaded |
//! | `Children` | the images of a group, file and picture of each |
//! | `Upstream` | read-only questions to the platform, through the workbench |
//! | `#[depends(twin("PROJECT-HASH"))] x: Option<Twin>` | the label row of the same data in another project |
//! | `#[depends(twin("PROJECT-HASH"))] x: &mut Twin` | the same, to change: its labels are written like the task's own |
//! | `Params<T>` | the stage's parameters from `workbench.toml`, changed without a rebuild |
//! | `Option<…>` of these | absent is `None`; what is there but fails stays a failure |
//! | `#[depends(f)] x: &T` | the value of a [`macro@dependency`] function |
//!
//! Each type declares at compile time what it needs, so the workbench fetches it before the agent runs,
//! for a whole batch at once.
//!
//! # Answers
//!
//! [`Route::to`] a pathway by name or UUID, or [`Route::stay`]; with `.priority(0.0 … 1.0)` and
//! `.metadata(json!({…}))`, and [`Route::also`] changes of other rows and tasks. An agent may return `Route` or `Result<Route, E>` with any error. An
//! error or a panic costs that one attempt: nothing of it is written. An agent that declares its
//! `routes` may return those only: another pathway is an error, so that what `workbench check` compared
//! with the workflow holds.
//!
//! # Dependencies
//!
//! ```no_run
//! use agent_abi::prelude::*;
//!
//! struct Model { limit: f64 }
//!
//! #[dependency(scope = host)]
//! fn model(#[arg] limit: f64) -> Result<Model> {
//!     Ok(Model { limit })
//! }
//!
//! #[stage("review")]
//! fn review(task: &Task, #[depends(model(0.5))] model: &Model) -> Route {
//!     if task.title().len() as f64 > model.limit { Route::to("complete") } else { Route::stay() }
//! }
//! # fn main() {}
//! ```
//!
//! A value is made once per task and shared by all that ask for it with equal arguments, or kept from
//! task to task with `scope = host`. Values are closed in reverse order of opening, after success, an
//! error and a panic alike.
//!
//! # Tests
//!
//! [`testing`] runs an agent in a plain `#[test]`, with no process and no network.
//!
//! # Floors of this crate
//!
//! [`table`] is the C border, [`wire`] the JSON that crosses it, [`model`] what authors and the
//! workbench read and write, [`inject`] how parameters are filled, `glue` what the macros call.
//! Running, watching and reloading libraries is left to the workbench.

// The macros name this crate `::agent_abi`, here too.
#[allow(unused_extern_crates)]
extern crate self as agent_abi;

mod change;
mod error;
mod frames;
#[doc(hidden)]
pub mod glue;
pub mod guide;
pub mod inject;
#[doc(hidden)]
pub mod logs;
pub mod model;
pub mod prelude;
mod route;
pub mod table;
pub mod testing;
pub mod wire;

pub use agent_abi_macros::{dependency, export, resource, stage};
pub use change::Change;
pub use error::{Context, Error, Result};
pub use inject::End;
pub use model::Project;
pub use route::{Route, Target};

// The README's example is compiled and run with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
