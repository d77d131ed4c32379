//! Pictures and video: still pictures, image groups, video frames by exact number, and pixels as files; how loud
//! sounds are.
//!
//! H.264 in MP4 or MOV is decoded in this process; other codecs and containers need an installed
//! `ffmpeg`. Frame N is the N-th picture that is shown, edit lists and variable frame rates included,
//! and a damaged frame is an error at its own number: the others never shift.
//!
//! Leaves to others: downloading files, passing pictures to an agent, drawing them, and whose fault an error is.

mod cache;
mod encode;
mod error;
mod ffmpeg;
#[cfg(test)]
#[path = "../../../tests/fuzz/media.rs"]
mod fuzz;
mod h264;
mod kind;
mod mp4;
mod open;
mod rgb;
mod sound;
mod still;
#[cfg(test)]
mod tests;
mod video;

use std::path::{Path, PathBuf};

pub use encode::{EncodeError, FileFormat, RgbRows};
pub use error::MediaError;
pub use mp4::VideoFacts;
pub use sound::{SoundError, Waveform, waveform};

use image::{DynamicImage, RgbImage};

use ffmpeg::{FfmpegPaths, FfmpegSource};
use kind::ItemKind;
use open::Opener;
use video::{FrameError, Video};

/// The most pixels of a picture: 16,384 squared, 805 MB as RGB8.
const MAX_PIXELS: u64 = 1 << 28;

fn check_size(width: u64, height: u64) -> Result<(), MediaError> {
    if width.saturating_mul(height) > MAX_PIXELS {
        return Err(too_large(width, height));
    }
    Ok(())
}

fn too_large(width: u64, height: u64) -> MediaError {
    MediaError::TooLarge {
        width,
        height,
        limit: MAX_PIXELS / 1_000_000,
    }
}

/// A decoded picture: packed RGB8, upright, sRGB as the file meant it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next: `width * 3`.
    pub stride: u32,
    /// `stride * height` bytes: red, green, blue from the top left.
    pub rgb: Vec<u8>,
    /// Number of the frame, from 0; in an image group, of the child.
    pub index: u64,
    /// Presentation time in microseconds from the start; 0 for stills.
    pub pts_us: i64,
}

/// The pictures of one asset.
pub struct Source {
    path: PathBuf,
    ffmpeg: FfmpegPaths,
    reader: Reader,
}

enum Reader {
    /// One still per frame.
    Stills(Vec<PathBuf>),
    Video(Box<Video>),
    Ffmpeg(Box<FfmpegSource>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("path", &self.path)
            .field("frames", &self.frame_count())
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Opens an asset. `item_type` is Encord's item type (`image`, `video`, `image_group`,
    /// `imageSequence`, …; unknown ones are fine), `children` are the files of an image group in
    /// their order. The first bytes decide the format; `mime` counts only if `item_type` is unknown.
    ///
    /// Reads the tables of a video, not its pictures.
    ///
    /// # Errors
    /// `MediaError` when the file cannot be read, holds no pictures, is too damaged to number its
    /// frames, or needs ffmpeg and that is not installed.
    pub fn open(
        path: &Path,
        mime: Option<&str>,
        item_type: &str,
        children: &[PathBuf],
    ) -> Result<Self, MediaError> {
        Self::open_with(path, mime, item_type, children, FfmpegPaths::default())
    }

    fn open_with(
        path: &Path,
        mime: Option<&str>,
        item_type: &str,
        children: &[PathBuf],
        ffmpeg_paths: FfmpegPaths,
    ) -> Result<Self, MediaError> {
        let item = kind::item(item_type, mime);
        let reader = match item {
            ItemKind::Without(what) => return Err(MediaError::NoPictures { what: what.into() }),
            ItemKind::Group if !children.is_empty() => Reader::Stills(children.to_vec()),
            _ => Opener {
                path,
                ffmpeg: &ffmpeg_paths,
            }
            .open(item)?,
        };
        Ok(Self {
            path: path.into(),
            ffmpeg: ffmpeg_paths,
            reader,
        })
    }

    /// Decodes frame `index`; `None` past the end. Frames in order are decoded once each; at random, a
    /// video is decoded from the nearest place before the frame where decoding can begin.
    ///
    /// # Errors
    /// `MediaError` for this frame; other frames may still decode, under their own numbers.
    pub fn frame(&mut self, index: u64) -> Result<Option<Picture>, MediaError> {
        let unsupported = match &mut self.reader {
            Reader::Stills(paths) => {
                let path = usize::try_from(index).ok().and_then(|i| paths.get(i));
                return path.map(|path| still::read(path, index)).transpose();
            }
            Reader::Ffmpeg(source) => return source.frame(index),
            Reader::Video(video) => match video_frame(video, index) {
                Ok(picture) => return Ok(picture),
                Err(FrameError::Damaged(why)) => {
                    return Err(MediaError::FrameDamaged { frame: index, why });
                }
                Err(FrameError::Unsure(why)) => {
                    return Err(MediaError::FrameUnsure { frame: index, why });
                }
                Err(FrameError::Unsupported(what)) => what,
            },
        };
        // The built-in decoder does not support this stream: ffmpeg gives the same frames.
        let source = FfmpegSource::open(&self.path, &self.ffmpeg, &unsupported, false)?;
        self.reader = Reader::Ffmpeg(Box::new(source));
        self.frame(index)
    }

    /// Number of frames that are shown.
    #[must_use]
    pub fn frame_count(&self) -> u64 {
        match &self.reader {
            Reader::Stills(paths) => paths.len() as u64,
            Reader::Video(video) => video.frame_count(),
            Reader::Ffmpeg(source) => source.frame_count(),
        }
    }

    /// Frames per second on average; `None` for stills and for a single frame.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        match &self.reader {
            Reader::Stills(_) => None,
            Reader::Video(video) => video.fps(),
            Reader::Ffmpeg(source) => source.fps(),
        }
    }
}

/// A frame of the built-in decoder, upright.
fn video_frame(video: &mut Video, index: u64) -> Result<Option<Picture>, FrameError> {
    let Some(decoded) = video.picture(index)? else {
        return Ok(None);
    };
    let (w, h) = (decoded.frame.width, decoded.frame.height);
    let rgb = rgb::convert(&decoded.frame, decoded.colours);
    let Some(image) = rgb.and_then(|rgb| RgbImage::from_raw(w, h, rgb)) else {
        let why = format!("its planes do not fit {w}x{h} pixels");
        return Err(FrameError::Damaged(why));
    };
    let mut image = DynamicImage::from(image);
    image.apply_orientation(video.orientation());
    let rgb = image.into_rgb8();
    let (width, height) = rgb.dimensions();
    Ok(Some(Picture {
        width,
        height,
        stride: width * 3,
        rgb: rgb.into_raw(),
        index,
        pts_us: video.pts_us(index).unwrap_or(0),
    }))
}
