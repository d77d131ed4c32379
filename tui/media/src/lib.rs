//! Pictures of a task's asset: still pictures, image groups, and video frames by exact number.
//!
//! Runs inside the agent host process. H.264 in MP4 or MOV is decoded with nothing installed;
//! other codecs and containers go to `ffmpeg`, if it is there. Frame N is the N-th picture that
//! is shown, edit lists and variable frame rates included, and a damaged frame is an error at its
//! own number: the others never shift.
//!
//! Leaves to others: handing pictures over to an agent, encoding, and whose fault an error is.

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
mod probe;
mod rgb;
mod still;
mod stream;
#[cfg(test)]
mod tests;
mod video;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use encode::{EncodeError, FileFormat, RgbRows};
pub use error::MediaError;

use ffmpeg::{External, Tools};
use h264::Fault;
use kind::{Item, Kind};
use mp4::Unreadable;
use video::{FrameFault, Video};

/// Pixels of a picture at most: 16,384 squared, 805 MB as RGB8.
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
    tools: Tools,
    reader: Reader,
}

enum Reader {
    /// One still per frame.
    Stills(Vec<PathBuf>),
    Video(Box<Video>),
    External(Box<External>),
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
    /// Opens an asset. `item_type` is Encord's word for it (`image`, `video`, `image_group`,
    /// `imageSequence`, …; unknown words are fine), `children` are the files of an image group in
    /// their order. What a file is, its first bytes decide; `mime` counts where they say nothing.
    ///
    /// Reads the tables of a video, not its pictures.
    ///
    /// # Errors
    /// `MediaError` when the file cannot be read, holds no pictures, is damaged beyond numbering
    /// its frames, or needs an ffmpeg that is not there.
    pub fn open(
        path: &Path,
        mime: Option<&str>,
        item_type: &str,
        children: &[PathBuf],
    ) -> Result<Self, MediaError> {
        Self::open_with(path, mime, item_type, children, Tools::default())
    }

    fn open_with(
        path: &Path,
        mime: Option<&str>,
        item_type: &str,
        children: &[PathBuf],
        tools: Tools,
    ) -> Result<Self, MediaError> {
        let item = kind::item(item_type, mime);
        let reader = match item {
            Item::Without(what) => return Err(MediaError::NoPictures { what: what.into() }),
            Item::Group if !children.is_empty() => Reader::Stills(children.to_vec()),
            _ => open_file(path, item, &tools)?,
        };
        Ok(Self {
            path: path.into(),
            tools,
            reader,
        })
    }

    /// Decodes frame `index`; `None` past the end. Cheap in order and at random: at random, a
    /// video is decoded from the nearest place before the frame where decoding can begin.
    ///
    /// # Errors
    /// `MediaError` for this frame; other frames may still be had, under their own numbers.
    pub fn frame(&mut self, index: u64) -> Result<Option<Picture>, MediaError> {
        let fault = match &mut self.reader {
            Reader::Stills(paths) => {
                let path = usize::try_from(index).ok().and_then(|i| paths.get(i));
                return path.map(|path| still::read(path, index)).transpose();
            }
            Reader::External(external) => return external.frame(index),
            Reader::Video(video) => match show(video, index) {
                Ok(picture) => return picture,
                Err(unsupported) => unsupported,
            },
        };
        // The stream turned out to be beyond the built-in decoder: the same numbers from ffmpeg.
        let external = External::open(&self.path, &self.tools, &fault, false)?;
        self.reader = Reader::External(Box::new(external));
        self.frame(index)
    }

    /// Number of frames; `None` when only decoding would tell.
    #[must_use]
    pub fn frame_count(&self) -> Option<u64> {
        match &self.reader {
            Reader::Stills(paths) => Some(paths.len() as u64),
            Reader::Video(video) => Some(video.frame_count()),
            Reader::External(external) => Some(external.frame_count()),
        }
    }

    /// Frames per second on average; `None` for stills and for a single frame.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        match &self.reader {
            Reader::Stills(_) => None,
            Reader::Video(video) => video.fps(),
            Reader::External(external) => external.fps(),
        }
    }
}

/// A frame of the built-in reader; `Err` = what the stream is, when that reader cannot follow it.
#[allow(clippy::type_complexity)]
fn show(video: &mut Video, index: u64) -> Result<Result<Option<Picture>, MediaError>, String> {
    let decoded = match video.picture(index) {
        Ok(Some(decoded)) => decoded,
        Ok(None) => return Ok(Ok(None)),
        Err(FrameFault::Unsupported(what)) => return Err(what),
        Err(FrameFault::Damaged(why)) => {
            return Ok(Err(MediaError::FrameDamaged { frame: index, why }));
        }
        Err(FrameFault::Unsure(why)) => {
            return Ok(Err(MediaError::FrameUnsure { frame: index, why }));
        }
    };
    let (w, h) = (decoded.frame.width, decoded.frame.height);
    let Some(rgb) = rgb::convert(&decoded.frame, decoded.look) else {
        let why = format!("its planes do not fit {w}x{h} pixels");
        return Ok(Err(MediaError::FrameDamaged { frame: index, why }));
    };
    let turn = video.turn();
    let (width, height) = turn.size(w, h);
    Ok(Ok(Some(Picture {
        width,
        height,
        stride: width * 3,
        rgb: turn.apply(rgb, w, h),
        index,
        pts_us: video.pts_us(index).unwrap_or(0),
    })))
}

fn open_file(path: &Path, item: Item, tools: &Tools) -> Result<Reader, MediaError> {
    let io = |source| MediaError::Io {
        path: path.into(),
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    let head = head_of(&mut file).map_err(io)?;
    let external = |name: &str, still: bool| -> Result<Reader, MediaError> {
        Ok(Reader::External(Box::new(External::open(
            path, tools, name, still,
        )?)))
    };
    match kind::sniff(&head, item) {
        Kind::Still => Ok(Reader::Stills(vec![path.into()])),
        Kind::Mp4 => open_mp4(path, file, tools),
        Kind::OtherStill(name) => external(name, true).map_err(|error| match error {
            MediaError::NeedsFfmpeg { codec: format } => MediaError::StillNeedsFfmpeg {
                path: path.into(),
                format,
            },
            other => other,
        }),
        Kind::OtherVideo(name) => external(name, false),
        kind @ (Kind::Undecodable(_) | Kind::Document(_) | Kind::Playlist) => {
            Err(no_picture(path, &kind, &head))
        }
        kind @ Kind::Unknown if item == Item::Image => Err(no_picture(path, &kind, &head)),
        Kind::Unknown => external("of an unknown format", false),
    }
}

/// The first bytes of a file, as many as tell what it is.
fn head_of(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.by_ref().take(256).read_to_end(&mut head)?;
    Ok(head)
}

/// Why a file of this kind gives no still picture.
fn no_picture(path: &Path, kind: &Kind, head: &[u8]) -> MediaError {
    let path = path.to_owned();
    let format = match kind {
        Kind::Playlist => return MediaError::Playlist { path },
        Kind::Document(what) => {
            let what = (*what).to_owned();
            return MediaError::NotPicture { path, what };
        }
        Kind::Undecodable(name) | Kind::OtherStill(name) => (*name).to_owned(),
        Kind::OtherVideo(name) => format!("a video ({name})"),
        Kind::Mp4 => "a video (MP4 or MOV)".to_owned(),
        Kind::Still | Kind::Unknown if head.is_empty() => error::EMPTY.to_owned(),
        Kind::Still | Kind::Unknown => error::UNKNOWN.to_owned(),
    };
    MediaError::StillFormat { path, format }
}

fn open_mp4(path: &Path, file: File, tools: &Tools) -> Result<Reader, MediaError> {
    let len = file
        .metadata()
        .map_err(|source| MediaError::Io {
            path: path.into(),
            source,
        })?
        .len();
    let external = |name: &str| External::open(path, tools, name, false);
    let damaged = |why: String| MediaError::VideoDamaged {
        path: path.into(),
        why,
    };
    let movie = match mp4::read(&file, len) {
        Ok(movie) => movie,
        Err(Unreadable::Io(source)) => {
            return Err(MediaError::Io {
                path: path.into(),
                source,
            });
        }
        Err(Unreadable::Malformed(why)) => {
            // ffmpeg forgives more; without it the finding itself is the news.
            return match external("a damaged MP4") {
                Ok(external) => Ok(Reader::External(Box::new(external))),
                Err(_) => Err(damaged(why)),
            };
        }
    };
    if let Some(entry) = movie
        .track
        .entries
        .iter()
        .find(|entry| entry.avcc.is_none())
    {
        let name = codec_name(entry.codec);
        return Ok(Reader::External(Box::new(external(&name)?)));
    }
    match Video::new(file, len, movie) {
        Ok(video) => Ok(Reader::Video(Box::new(video))),
        Err(Fault::Unsupported(what)) => Ok(Reader::External(Box::new(external(&what)?))),
        Err(Fault::Damaged(why)) => Err(damaged(why)),
    }
}

/// The name people know a codec by.
fn codec_name(codec: mp4::FourCc) -> String {
    let name = match &codec.0 {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "HEVC (H.265)",
        b"av01" => "AV1",
        b"vp08" => "VP8",
        b"vp09" => "VP9",
        b"mp4v" => "MPEG-4 part 2",
        b"apcn" | b"apch" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "ProRes",
        b"jpeg" | b"mjpa" | b"mjpb" => "Motion JPEG",
        b"encv" => "encrypted",
        _ => return format!("of the codec {codec}"),
    };
    format!("{name} ({codec})")
}
