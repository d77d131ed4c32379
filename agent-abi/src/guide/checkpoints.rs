//! Checkpoints: values that a person sees, and may edit, while the workbench holds the task there.
//!
//! A person who steps a task on screen stops at each input, at each dependency, at the call and at each
//! [`checkpoint`](crate::prelude::checkpoint), sees the value as it is there, and may edit it (`e`) before the agent
//! goes on with it: go on with what the checkpoint gives back. A value is anything that is `Clone`, `Serialize` and
//! `DeserializeOwned`; a text or a slice comes back as a `String` or a `Vec`.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Detection {
//!     class: String,
//!     score: f64,
//! }
//!
//! #[stage("detect")]
//! fn detect() -> Result<Route> {
//!     let found = vec![Detection { class: "car".into(), score: 0.4 }];
//!     let found = checkpoint("detections", &found)?;
//!     Ok(Route::to(if found.iter().any(|d| d.score > 0.5) { "annotate" } else { "skip" }))
//! }
//!
//! let run = task("a.jpg").run::<detect>();
//! assert_eq!(run.route(), Some("skip"));
//! assert!(run.steps().iter().any(|step| step.name == "detections"));
//! ```
//!
//! Holding blocks the thread that called `checkpoint`, inside of that call; nothing of the agent has to cooperate. The
//! time limit of the attempt stands still meanwhile. Other threads of the agent go on until they ask the workbench for
//! something themselves, such as a frame: questions are answered one after the other. An agent without checkpoints is
//! held before its call and after its end. Where nobody
//! steps and no pause point asks for it, a checkpoint costs a few microseconds. Values are shown: keep secrets out of them.
