//! The pictures in sight: what tasks hold, drawn with letters at once and with real pixels as soon as they are encoded,
//! with the marks of the labels in them. Fetching and decoding files, parsing labels and writing pixels to the terminal
//! are left to the binary.

mod beside;
mod blocks;
mod drawn;
mod frames;
mod ink;
mod recent;
mod sound;
mod store;
mod text;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use beside::{Beside, LEGEND, side_word};
pub use frames::FrameStep;
pub use store::{LabelsRequest, Medium, ParsedLabels, Shot, Sound, TextFile};
pub(crate) use view::{Look, PictureView};

use crate::pixels::{Encoded, Protocol};
use crate::raster::Picture;
use ratatui::layout::Size;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wb_core::ids::{StageId, TaskId};
use wb_core::marks::LabelMark;
use wb_core::state::Held;
use wb_core::work::{Inputs, Outcome, TaskRow};

/// Pictures as letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Letters {
    /// Two pixels in each cell; needs colours and Unicode.
    #[default]
    HalfBlocks,
    /// One pixel in each cell, as its ground; needs colours.
    Grounds,
    /// Characters from dark to bright.
    Ramp,
}

/// How pictures reach the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Graphics {
    /// Not at all.
    Off,
    /// As letters.
    Letters(Letters),
    /// As pixels, and as letters until those are ready.
    Pixels {
        /// The terminal's way.
        protocol: Protocol,
        /// Pixels of a cell, across and down.
        cell: (u16, u16),
        /// What is shown meanwhile, and below overlays.
        letters: Letters,
    },
}

impl Default for Graphics {
    fn default() -> Self {
        Self::Letters(Letters::default())
    }
}

/// Which picture of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct PictureId {
    /// The task.
    pub task: TaskId,
    /// Frame of its video, image of its group or page, from 0.
    pub frame: u64,
    /// Whether a thumbnail of [`PictureId::SMALL`] pixels is enough.
    pub small: bool,
}

impl PictureId {
    /// Longest side of a thumbnail, in pixels.
    pub const SMALL: u32 = 256;
}

/// A picture that the screen needs.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureRequest {
    /// Which one; [`crate::Ui::set_picture`] takes it back.
    pub id: PictureId,
    /// Stage of the task.
    pub stage: StageId,
    /// The task.
    pub row: TaskRow,
    /// JSON of its `AssetDoc`, when its file was fetched for the agent. Otherwise the binary fetches it, or answers
    /// with a reason.
    pub asset: Option<Arc<str>>,
}

/// Whose picture is drawn, with which labels.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub stage: StageId,
    pub row: &'a TaskRow,
    /// What its agent was given.
    pub inputs: Option<&'a Arc<Inputs>>,
    /// What an earlier build gave: labels are compared with it instead of with the inputs.
    pub earlier: Option<&'a Arc<Outcome>>,
    /// What it gave.
    pub outcome: Option<&'a Arc<Outcome>>,
    /// These two are A and B of a comparison.
    pub compared: bool,
}

impl<'a> Subject<'a> {
    /// A task whose outcome is held.
    pub fn held(held: &'a Held) -> Self {
        Self {
            stage: held.stage,
            row: &held.inputs.row,
            inputs: Some(&held.inputs),
            earlier: None,
            outcome: Some(&held.outcome),
            compared: false,
        }
    }
}

/// What is seen of a picture: the same key, the same pixels.
#[derive(Clone, Debug)]
struct PictureKey {
    id: PictureId,
    cells: Size,
    marks: Arc<[LabelMark]>,
}

impl PartialEq for PictureKey {
    /// The same marks are mostly the very same list: masks in it are not compared for every frame.
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.cells) == (other.id, other.cells)
            && (Arc::ptr_eq(&self.marks, &other.marks) || self.marks == other.marks)
    }
}

/// Pixels to be encoded, beside the screen: this takes milliseconds.
#[derive(Debug)]
pub struct PixelsRequest {
    key: PictureKey,
    picture: Arc<Picture>,
    protocol: Protocol,
    size: (u32, u32),
}

/// Encoded pixels; [`crate::Ui::set_pixels`] takes them.
#[derive(Debug)]
pub struct Pixels {
    key: PictureKey,
    data: Encoded,
}

impl PixelsRequest {
    /// Scales, draws the marks, and encodes.
    #[must_use]
    pub fn encode(self) -> Pixels {
        let mut scaled = self.picture.scaled(self.size.0, self.size.1);
        ink::draw(&mut scaled, &self.key.marks);
        Pixels {
            data: self.protocol.encode(&scaled),
            key: self.key,
        }
    }
}
