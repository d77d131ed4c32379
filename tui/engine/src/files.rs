//! Files and folders that commands write: where they lie, who may read them, and how they are replaced.
//!
//! `state` is the folder `.workbench` (private to its owner, out of version control), `output` is a file
//! that a person names with a flag, `cards` a file in the user's state folder. What the files contain is left to those who write them.

mod cards;
mod output;
mod state;

pub use cards::{keep_seen_cards, seen_cards};
pub use output::{OutFile, begin};
pub use state::{
    allow_scratch, existing, owner_rights_stay, private, remove_scratch, state_dir, take_note,
};
