//! What agents read and write: task, stage, project, ontology, labels, item, pictures.
//!
//! All of it works without a host: the workbench itself uses the same code to apply and to compare
//! labels. Where the documents come from is left to [`crate::inject`] and to the workbench.

mod answer;
mod batches;
mod bitmask;
mod boxes;
mod coco;
mod described;
mod diff;
mod duplicates;
mod encode;
mod figures;
mod frame;
mod geometry;
mod item;
mod labels;
mod names;
mod ontology;
mod phrases;
mod project;
mod suggest;
mod task;
mod when;

pub use answer::Answer;
pub use batches::{Batched, Batches};
pub use bitmask::Bitmask;
pub use boxes::{BoundingBox, nms, nms_by_class};
pub use described::{AnswerFact, LabelFacts};
pub use diff::{LabelChange, LabelChangeKind, diff};
pub use duplicates::duplicates;
pub use encode::{Encoded, base64};
pub use figures::{
    Circle, Cuboid, CuboidBack, Ellipse, HtmlPlace, HtmlRange, RotatableBox, Vertex, Visibility,
};
pub use frame::{Frame, Frames, Picture};
pub use geometry::{Point, ring_area, share};
pub use item::StorageItem;
pub use labels::{
    Classification, DataType, GroupPart, GroupPartMut, LabelRow, NewClassification, NewLabel,
    NewObject, Object, ObjectMut, PartKey, Problem,
};
pub use names::{ambiguous, listed};
pub use ontology::{
    Attribute, AttributeKind, Choice, Element, Ontology, OntologyClassification, OntologyObject,
    Shape, SkeletonTemplate, SkeletonVertex,
};
pub use project::{Project, Stage};
pub use suggest::{edit_distance, nearest, plain, quoted};
pub use task::Task;

use std::fmt;

/// Why something in the model could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelError {
    /// A name that is not there; the text names the nearest ones.
    Unknown(String),
    /// A name that several things have; the text names them.
    Ambiguous(String),
    /// A value that the ontology or the data does not allow; the text includes what it allows.
    Invalid(String),
    /// A document that is not as Encord writes it; nothing was changed.
    Malformed(String),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(text)
            | Self::Ambiguous(text)
            | Self::Invalid(text)
            | Self::Malformed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ModelError {}

/// `Result` of the model.
pub type ModelResult<T> = Result<T, ModelError>;
