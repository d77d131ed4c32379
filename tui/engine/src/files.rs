//! Files and folders that commands write: where they lie, who may read them, and how they are replaced.
//!
//! `state` is the folder `.workbench` or the one that a setting names (private to its owner, out of version
//! control), `unusable` what is reported where it cannot be had, `output` a file that a person names with a flag,
//! `cards` one in the user's state folder, `points` the pause points of the screen,
//! `recording` one in which a session is recorded. What the files contain is left to those who write them.

mod cards;
mod output;
mod points;
mod recording;
mod state;
mod unusable;

pub use cards::{keep_seen_cards, seen_cards};
pub use output::{OutFile, begin};
pub(crate) use points::{keep_points, kept_points};
pub use recording::create_recording;
pub(crate) use state::of_environment;
pub use state::{
    allow_scratch, cache_dir, existing, keep_state_in, owner_rights_stay, private, remove_scratch,
    state_dir, state_folder, take_note,
};
pub(crate) use unusable::{Unusable, VARIABLE, advice_if_full};
