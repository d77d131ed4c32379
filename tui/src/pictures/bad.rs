//! Why the file of a task cannot be shown.

use std::path::{Path, PathBuf};
use wb_media::MediaError;

/// Why there is no picture, and the file that may be damaged.
#[derive(Debug)]
pub struct Bad {
    pub why: String,
    pub file: Option<PathBuf>,
}

impl From<MediaError> for Bad {
    fn from(error: MediaError) -> Self {
        Self {
            why: error.to_string(),
            file: error.doubtful_file().map(Path::to_owned),
        }
    }
}

impl From<String> for Bad {
    fn from(why: String) -> Self {
        Self { why, file: None }
    }
}
