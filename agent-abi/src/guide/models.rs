//! Heavy models: what takes long to load, and how often it is loaded.
//!
//! | | loaded | a save of other code | called |
//! |---|---|---|---|
//! | `#[dependency(scope = host)]` | once per process: `-j 4` loads it four times | loads it again | directly |
//! | `#[resource]` | once, for all processes | keeps it | by messages |
//!
//! Choose a resource when loading takes longer than you like to wait after a save, or when `-j` copies do not fit into
//! memory. Choose `scope = host` for what loads in a second, holds a connection, or must not cross a process border.
//!
//! Loading never counts to a task's time limit, nor to its measured time. It has a limit of its own, `load_timeout` in
//! `workbench.toml` or `--load-timeout`, 5 minutes by default, for each of: opening the library with its `init`, what
//! one task loads with `scope = host`, and opening a resource. While something waits for it, the screens and the line
//! of progress show `loading detector · 41 s`. At the limit the process is ended: a task fails with the name of the
//! dependency and is tried again as often as `--num-retries` allows where its agent is `idempotent`; a build is refused,
//! and the last good one stays.
//!
//! # A value in each process
//!
//! A dependency with `scope = host` is loaded by the first task that asks for it, so that a library may have ten models
//! of which a stage loads one. It is kept from task to task and closed with the process. It is made again when its
//! arguments are others; when what it reads of parameters, project or stage is; and after a panic of an agent that had
//! it as `&mut`.
//!
//! ```
//! use agent_abi::prelude::*;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Chosen {
//!     model: String,
//! }
//!
//! struct Classifier(Vec<u8>);
//!
//! /// Another `model` in `workbench.toml` closes this one and loads that; other parameters leave it as it is.
//! #[dependency(scope = host)]
//! fn classifier(chosen: Params<Chosen>) -> Result<Classifier> {
//!     let path = format!("{}/models/{}.onnx", env!("CARGO_MANIFEST_DIR"), chosen.model);
//!     Ok(Classifier(std::fs::read(&path).context(format!("reading {path}"))?))
//! }
//!
//! #[stage("classify")]
//! fn classify(#[depends(classifier)] classifier: &Classifier) -> Route {
//!     info!("{} bytes of weights", classifier.0.len());
//!     Route::to("review")
//! }
//! # fn main() {}
//! ```
//!
//! An error names the dependency, with its place and cause; the attempt may be retried, and loads again.
//!
//! # A resource
//!
//! A resource is a value in a process of its own. Write it in a file of its own: a rebuild keeps the running process
//! as long as that file does not change.
//!
//! ```standalone_crate
//! // src/detector.rs
//! use agent_abi::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/detector.onnx");
//!
//! pub struct Detector {
//!     weights: Vec<u8>,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! pub struct Search {
//!     pub width: u32,
//!     pub height: u32,
//!     pub threshold: f32,
//! }
//!
//! #[resource(files = ["models/detector.onnx"])]
//! impl Resource for Detector {
//!     type Question = Search;
//!     type Answer = Vec<[f32; 4]>;
//!
//!     fn open() -> Result<Self> {
//!         let weights = std::fs::read(WEIGHTS).context("reading the weights")?;
//!         Ok(Self { weights })
//!     }
//!
//!     fn answer(&mut self, search: Search, pixels: &[u8]) -> Result<(Self::Answer, Vec<u8>)> {
//!         let _ = (&self.weights, search.threshold, pixels);
//!         Ok((vec![[0.1, 0.1, 0.5, 0.5]], Vec::new())) // boxes, and no bytes beside them
//!     }
//! }
//!
//! // src/lib.rs
//! #[stage("detect")]
//! fn detect(frame: Frame<'_>, #[depends] detector: &Remote<Detector>) -> Result<Route> {
//!     let search = Search { width: frame.width(), height: frame.height(), threshold: 0.5 };
//!     let pixels = frame.to_picture().data;
//!     let (boxes, _) = detector.ask(&search, &pixels)?;
//!     info!("{} boxes", boxes.len());
//!     Ok(Route::to("review"))
//! }
//!
//! export![detect, resources = [Detector]];
//! # fn main() {}
//! ```
//!
//! Question and answer are any types with serde; bytes such as pixels go beside them as they are, up to 64 MB.
//!
//! - **What identifies it**: the library, the type's name, the text of its source file, and size and time of `files`
//!   (relative to `Cargo.toml`). Code in other files and crates is not seen: `version = "2"` takes the place of the
//!   source file, and is yours to change. The old process ends when no build uses it any more.
//! - **When it opens**: before a new build becomes active. If it fails or takes longer than `load_timeout`, the build is
//!   refused with the reason, and the last good build stays.
//! - **Queue**: questions are answered one at a time, in the order in which they were asked.
//! - **A crash** fails the question that was being answered, with the signal; the attempt may be retried. The process is
//!   started again, and tasks that ask meanwhile wait without losing time of their own. After three crashes within a
//!   minute it rests for a minute, and questions fail at once. After a panic in `answer` the value is opened again.
//! - **Stopping a task** drops its question. One that is being answered may go on for ten seconds, then the process is
//!   ended and started again.
//! - **Memory** (`--memory`) limits its process as it limits every agent process. What it prints and logs is in the log
//!   of the workbench.
//! - **No task**: a resource sees questions only; frames, labels and upstream stay with the agent.
//!
//! In tests, [`testing`](crate::testing) opens the value in the test's own process, once per thread.
//!
//! # Libraries beside the agent
//!
//! Models often bring shared libraries, such as `libonnxruntime.so`. Put them beside the agent library, or where its
//! run path leads from there (`$ORIGIN`, `$ORIGIN/deps`), and set that path in the `main` of the
//! crate's `build.rs`: `println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN");`
//!
//! - **Linked** ones are found there, and belong to the build: a change of one loads it again.
//! - **Opened by name** while the agent runs (`ort` with `load-dynamic`): the same run path is searched.
//! - **Opened by path** from the place of the agent library or of a runtime (providers of ONNX Runtime, plugins of
//!   libtorch): they are found as well. What is opened is not watched: build the
//!   agent again after a change.
