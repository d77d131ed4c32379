//! Everything an agent file needs: `use agent_abi::prelude::*;`.

pub use crate::bail;
pub use crate::change::Change;
pub use crate::error::{Context, Error, Result};
pub use crate::inject::{
    AssetPath, Child, Children, End, Params, Remote, Resource, Twin, Upstream, check_cancelled,
    checkpoint, progress, twin,
};
pub use crate::model::{
    Answer, Batched, Bitmask, BoundingBox, Classification, DataType, Frame, Frames, GroupPart,
    GroupPartMut, LabelRow, Object, ObjectMut, Ontology, Picture, Point, Project, Shape, Stage,
    StorageItem, Task,
};
pub use crate::route::Route;
pub use agent_abi_macros::{dependency, export, resource, stage};
pub use log::{debug, error, info, trace, warn};
pub use serde_json::{Value, json};
pub use uuid::Uuid;
