//! Label blobs as JSON: an empty one made from metadata, comparing two, carrying the labels of one
//! into another.
//!
//! What a label *means* is left to the authors' label model; here everything unknown is kept.

pub(crate) mod blank;
mod compare;
mod parts;
mod splice;
mod transplant;

pub use compare::same_labels as compare;
pub(crate) use compare::same_metadata;
pub use compare::saved_as;
pub(crate) use splice::{ObjectFields, splice};
pub(crate) use transplant::merge_partial;
pub use transplant::transplant;

/// The parts of a blob that describe labels, beside the `labels` of each data unit and of each part of
/// a group.
pub(crate) const ANSWERS: [&str; 3] =
    ["object_answers", "classification_answers", "object_actions"];
