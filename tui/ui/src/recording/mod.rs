//! A recorded session as lines of JSON: a [`RecordingHeader`], then one [`RecordedLine`] for each thing that the screen
//! was given. [`Player`] gives them to a [`crate::Ui`] again, which then draws the same frames.
//!
//! Files, clocks and threads are left to the binary.

mod input;
mod media;
mod player;
mod secrets;

pub use input::{RecordedInput, RecordedKey};
pub use media::{RecordedMedium, RecordedShot};
pub use player::{Played, Player};

use crate::keymap::Patch;
use crate::picture::{Letters, PictureId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use wb_core::event::Event;
use wb_core::ids::{Millis, StageId, TaskId};
use wb_core::state::Options;

/// The newest format that is read, and the one that is written.
pub const FORMAT: u64 = 1;

/// The first line of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingHeader {
    /// The format, [`FORMAT`]. No other file has this field.
    pub workbench_recording: u64,
    /// The version of the program that wrote it.
    pub workbench: String,
    /// The time at its start.
    pub started: Millis,
    /// What the state started with.
    pub options: Options,
    /// What the screen started with.
    pub screen: RecordedScreen,
}

/// The settings of a screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedScreen {
    /// Columns and rows.
    pub size: (u16, u16),
    /// The theme's name.
    pub theme: String,
    /// Styles that the settings replace: name and style.
    pub colours: Vec<(String, String)>,
    /// The set of keys, by its name.
    pub key_set: Option<String>,
    /// Keys that the settings replace.
    pub keys: Vec<Patch>,
    /// Seconds east of Greenwich.
    pub utc_offset_s: i32,
    /// Whether the terminal draws Unicode.
    pub unicode: bool,
    /// Whether it was read line by line.
    pub linear: bool,
    /// Pictures as letters; `None`: no pictures.
    pub letters: Option<Letters>,
    /// The cards that were seen before; `None`: no cards.
    pub seen_cards: Option<Vec<String>>,
    /// The terminal, by its variables: for people.
    pub terminal: Vec<(String, String)>,
    /// Whether pictures, texts and sounds that were shown are in it.
    pub pictures: bool,
}

/// One line after the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedLine {
    /// Milliseconds since the start.
    pub t: u64,
    /// What happened.
    pub entry: RecordedEntry,
}

/// What the screen was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedEntry {
    /// An event of the state.
    Event(Box<Event>),
    /// A key, the mouse, pasted text, another size.
    Input(RecordedInput),
    /// A line that was typed, in linear mode.
    Line(String),
    /// A frame was drawn, in this size.
    Frame(u16, u16),
    /// Linear mode wrote what was new; whether nothing was under way.
    Lines(bool),
    /// A note of the binary in the last row.
    Notice(String),
    /// The stage of an earlier screen was selected.
    Stage(StageId),
    /// What else an earlier screen left.
    View {
        /// A stage of each group that Flow shows as one box.
        folded: BTreeSet<StageId>,
        /// The mouse is the terminal's.
        mouse_off: bool,
    },
    /// How pictures are drawn; `None`: not at all.
    Letters(Option<Letters>),
    /// What the file of a task holds.
    Medium(TaskId, Result<RecordedMedium, String>),
    /// A decoded picture.
    Shot(PictureId, Result<RecordedShot, String>),
    /// So many entries are missing here: they could not be written in time.
    Missing(u64),
    /// The session ended.
    End,
}

impl RecordedLine {
    /// The line, without a line break; no secret of a kind that is known is in it.
    ///
    /// # Errors
    /// It holds what JSON cannot have.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|json| secrets::without(&json).into_owned())
    }
}

impl RecordingHeader {
    /// The line, as of [`RecordedLine::to_json`].
    ///
    /// # Errors
    /// It holds what JSON cannot have.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|json| secrets::without(&json).into_owned())
    }

    /// Reads the first line of a file.
    ///
    /// # Errors
    /// Why it is not a recording that this version plays.
    pub fn read(line: &str) -> Result<Self, NotPlayable> {
        #[derive(Deserialize)]
        struct Format {
            workbench_recording: u64,
            #[serde(default)]
            workbench: String,
        }
        let format: Format = serde_json::from_str(line).map_err(|_| NotPlayable::Foreign)?;
        if format.workbench_recording != FORMAT {
            return Err(NotPlayable::Newer(format.workbench_recording));
        }
        serde_json::from_str(line).map_err(|error| NotPlayable::Damaged {
            version: format.workbench,
            why: error.to_string(),
        })
    }
}

/// Why a file is not played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPlayable {
    /// It is something else.
    Foreign,
    /// It has this format, which is newer.
    Newer(u64),
    /// Its header cannot be read.
    Damaged {
        /// The version of the program that wrote it.
        version: String,
        /// What is wrong.
        why: String,
    },
}
