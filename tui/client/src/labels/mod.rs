//! Label blobs as JSON: an empty one made from metadata, comparing two, carrying the labels of one
//! into another.
//!
//! What a label *means* is left to the authors' label model; here everything unknown is kept.

pub(crate) mod blank;
mod compare;
mod transplant;

pub use compare::same_labels as compare;
pub use compare::saved_as;
pub(crate) use transplant::merge_partial;
pub use transplant::transplant;

/// The parts of a blob that are labels, beside the `labels` of each data unit.
pub(crate) const CONTENT: [&str; 4] = [
    "object_answers",
    "classification_answers",
    "object_actions",
    "spaces",
];
