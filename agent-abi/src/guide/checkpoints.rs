//! Checkpoints: values that a person sees, and may edit, while the workbench holds the task there.
//!
//! A person who steps a task on screen stops at each dependency and at each
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
//! While a task is held, the time limit of the attempt stands still. Other threads of the agent go on. Where nobody
//! steps and no pause point asks for it, a checkpoint costs a few microseconds. Values are shown: keep secrets out of them.
