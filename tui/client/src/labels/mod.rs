//! Label blobs as JSON: an empty one made from metadata, carrying the labels of one into another.
//!
//! Comparing two is left to the core (`wb_core::labels`), what a label *means* to the authors' label model; here
//! everything unknown is kept.

pub(crate) mod blank;
mod parts;
mod splice;
mod transplant;

pub(crate) use splice::{ObjectFields, splice};
pub(crate) use transplant::merge_partial;
pub use transplant::transplant;
pub(crate) use wb_core::labels::{ANSWERS, same_metadata};
pub use wb_core::labels::{same_labels as compare, saved_as};
