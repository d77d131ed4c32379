//! The testing kit: an agent in a plain `#[test]`, with no process and no network.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("pre-label")]
//! fn prelabel(labels: &mut LabelRow, frame: Frame<'_>) -> Result<Route> {
//!     let weather = if frame.mean_luma() < 64.0 { "Night" } else { "Sunny" };
//!     labels.classify("Weather", weather)?;
//!     Ok(Route::to("annotate"))
//! }
//!
//! let run = task("dark.jpg")
//!     .ontology(ontology().radio("Weather", &["Sunny", "Night"]))
//!     .image(agent_abi::model::Picture::filled(64, 48, [3, 3, 3]))
//!     .run::<prelabel>();
//! assert_eq!(run.route(), Some("annotate"));
//! assert_eq!(run.labels().classification("Weather").unwrap().answer(), Some("Night".into()));
//! ```
//!
//! It goes the same way as a real run, from the documents to the outcome, without the C border.

mod docs;
mod feed;
mod given;
mod host;
mod ontology;
mod parts;
mod run;
mod task;

pub use host::{TestHost, host};
pub use ontology::{OntologyBuilder, ontology, ontology_of};
pub use run::{LogLine, Run};
pub use task::{TestTask, project, task};
