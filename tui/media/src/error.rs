//! Why there is no picture: what happened, what it means, what to do.
//! Leaves to others: whose fault it is for a task.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::kind::FileKind;

/// Why there is no picture. Every message ends with what to do next.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "a field's name and the message explain it")]
pub enum MediaError {
    /// The file cannot be opened or read at all.
    #[error(
        "cannot read {path}: {source}; the task has no pictures; check that the download is complete and that you may read the file"
    )]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The item is of a kind without pictures, such as audio or text.
    #[error("{what} holds no pictures; take the asset's bytes instead of frames")]
    NoPictures { what: String },
    /// A still picture of a format that is not built in.
    #[error(
        "{path} is {format}, which is not supported; upload it as JPEG, PNG, WebP, GIF, BMP or TIFF"
    )]
    StillFormat { path: PathBuf, format: String },
    /// A still picture that needs ffmpeg, which is not installed.
    #[error(
        "{path} is {format}, which only ffmpeg decodes, and ffmpeg is not on the PATH; upload it as JPEG, PNG or WebP, or install ffmpeg (for example: apt-get install ffmpeg)"
    )]
    StillNeedsFfmpeg { path: PathBuf, format: String },
    /// A document in place of a picture: a web page, an error document.
    #[error("{path} is {what}, not a picture; check the item's file on the platform")]
    NotPicture { path: PathBuf, what: String },
    /// A still picture whose content is damaged.
    #[error("{path} is damaged: {why}; it cannot be decoded; download or upload it again")]
    StillDamaged { path: PathBuf, why: String },
    /// More pixels than this crate decodes.
    #[error(
        "the picture is {width}x{height} pixels, more than {limit} million; scale it down or cut it into tiles"
    )]
    TooLarge {
        width: u64,
        height: u64,
        /// Limit in millions of pixels.
        limit: u64,
    },
    /// The structure of a video file is damaged, so that no frame has a reliable number.
    #[error(
        "{path} is damaged: {why}; its frames cannot be numbered reliably, so none is decoded; download it again, or repair it with: ffmpeg -i FILE -c copy OUT.mp4"
    )]
    VideoDamaged { path: PathBuf, why: String },
    /// One frame is damaged; the numbers of the others stay as they are.
    #[error(
        "frame {frame} is damaged: {why}; the other frames keep their numbers; skip this frame or upload the video again"
    )]
    FrameDamaged { frame: u64, why: String },
    /// One frame is predicted from a damaged picture, so its pixels would be wrong.
    #[error(
        "frame {frame} is predicted from a damaged picture ({why}), so its pixels would be wrong; skip it or upload the video again"
    )]
    FrameUnsure {
        frame: u64,
        /// What is broken in the picture before it.
        why: String,
    },
    /// A codec or container that needs ffmpeg, which is not installed.
    #[error(
        "the video is {codec}, which needs ffmpeg, and ffmpeg is not on the PATH; install ffmpeg (for example: apt-get install ffmpeg) and run the task again"
    )]
    NeedsFfmpeg {
        /// Codec or container, as well as it is known.
        codec: String,
    },
    /// ffmpeg is installed and could not decode the file.
    #[error("ffmpeg cannot decode {path}: {why}; try: ffmpeg -i FILE -f null -")]
    Ffmpeg {
        path: PathBuf,
        /// The last line it logged.
        why: String,
    },
    /// A file that names other files or addresses instead of holding pictures.
    #[error(
        "{path} is a playlist, not a video, and playlists are not followed; upload the video itself"
    )]
    Playlist { path: PathBuf },
}

/// The format of a file with an unknown signature.
const UNKNOWN: &str = "a file of an unknown format";
/// The format of an empty file.
const EMPTY: &str = "an empty file";

impl MediaError {
    /// The error for a file of a kind that is not a still picture.
    pub(super) fn not_a_still(path: &Path, kind: FileKind, head: &[u8]) -> Self {
        let path = path.to_owned();
        let format = match kind {
            FileKind::Playlist => return Self::Playlist { path },
            FileKind::Document(what) => {
                let what = what.to_owned();
                return Self::NotPicture { path, what };
            }
            FileKind::Undecodable(name) | FileKind::OtherStill(name) => name.to_owned(),
            FileKind::OtherVideo(name) => format!("a video ({name})"),
            FileKind::Mp4 => "a video (MP4 or MOV)".to_owned(),
            FileKind::Still | FileKind::Unknown if head.is_empty() => EMPTY.to_owned(),
            FileKind::Still | FileKind::Unknown => UNKNOWN.to_owned(),
        };
        Self::StillFormat { path, format }
    }

    /// The file, if its local copy may be to blame: cut off, damaged, or not a picture. A file of an
    /// unsupported format is not returned, since downloading it again would not help.
    #[must_use]
    pub fn doubtful_file(&self) -> Option<&Path> {
        match self {
            Self::Io { path, source } => {
                let gone = [ErrorKind::NotFound, ErrorKind::UnexpectedEof].contains(&source.kind());
                gone.then_some(path)
            }
            Self::StillFormat { path, format } => {
                [UNKNOWN, EMPTY].contains(&&**format).then_some(path)
            }
            Self::StillDamaged { path, .. }
            | Self::VideoDamaged { path, .. }
            | Self::NotPicture { path, .. }
            | Self::Ffmpeg { path, .. } => Some(path),
            _ => None,
        }
    }
}
