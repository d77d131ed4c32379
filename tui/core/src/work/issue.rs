//! An issue: a comment on a data unit, a frame, a place or a label of it.

use crate::ids::{DataHash, ProjectHash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An issue that is made. The platform names it when it is made; it is recognised by its comment and its place: an open
/// one with the same place, comment and tags is not made again.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct NewIssue {
    /// The project it is in.
    pub project: ProjectHash,
    /// Its title, for people.
    pub project_title: String,
    /// The data unit.
    pub data: DataHash,
    /// Its title, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The comment.
    pub comment: String,
    /// Names of its tags; those that the project does not have yet are made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The frame, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<u32>,
    /// A place on the frame, in shares of its width and height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<(f64, f64)>,
    /// Hash of an object or classification, in place of a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl NewIssue {
    /// Where it is, in the platform's terms.
    #[must_use]
    pub fn anchor(&self) -> Value {
        let data = self.data;
        match (&self.label, self.frame, self.at) {
            (Some(label), ..) => {
                json!({"type": "annotation", "dataUuid": data, "annotationId": label})
            }
            (None, Some(frame), Some((x, y))) => {
                json!({"type": "frameCoordinate", "dataUuid": data, "frameIndex": frame, "x": x, "y": y})
            }
            (None, Some(frame), None) => {
                json!({"type": "frame", "dataUuid": data, "frameIndex": frame})
            }
            (None, None, _) => json!({"type": "dataUnit", "dataUuid": data}),
        }
    }

    /// Where on the data unit it is, for people: `, frame 3`.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.label, self.frame, self.at) {
            (Some(label), ..) => format!(", label {label}"),
            (None, Some(frame), Some((x, y))) => format!(", frame {frame} at {x}, {y}"),
            (None, Some(frame), None) => format!(", frame {frame}"),
            (None, None, _) => String::new(),
        }
    }
}
