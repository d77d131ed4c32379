//! Opens a file with the reader for its content.
//! Leaves to others: identifying the content (`kind`), reading it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::ffmpeg::{FfmpegPaths, FfmpegSource};
use super::h264::AvcError;
use super::kind::{self, FileKind, ItemKind};
use super::mp4::{self, FourCc, MovieError};
use super::video::Video;
use super::{MediaError, Reader};

/// A file to open.
pub(super) struct Opener<'a> {
    pub path: &'a Path,
    pub ffmpeg: &'a FfmpegPaths,
}

impl Opener<'_> {
    pub(super) fn open(&self, item: ItemKind) -> Result<Reader, MediaError> {
        let mut file = File::open(self.path).map_err(|e| self.io(e))?;
        let head = kind::read_head(&mut file).map_err(|e| self.io(e))?;
        match kind::identify(&head, item) {
            FileKind::Still => Ok(Reader::Stills(vec![self.path.into()])),
            FileKind::Mp4 => self.open_mp4(file),
            FileKind::OtherStill(name) => {
                self.with_ffmpeg(name, true).map_err(|error| match error {
                    MediaError::NeedsFfmpeg { codec: format } => MediaError::StillNeedsFfmpeg {
                        path: self.path.into(),
                        format,
                    },
                    other => other,
                })
            }
            FileKind::OtherVideo(name) => self.with_ffmpeg(name, false),
            FileKind::Unknown if item != ItemKind::Image => {
                self.with_ffmpeg("of an unknown format", false)
            }
            kind => Err(MediaError::not_a_still(self.path, kind, &head)),
        }
    }

    fn open_mp4(&self, file: File) -> Result<Reader, MediaError> {
        let len = file.metadata().map_err(|e| self.io(e))?.len();
        let movie = match mp4::read(&file, len) {
            Ok(movie) => movie,
            Err(MovieError::Io(source)) => return Err(self.io(source)),
            // ffmpeg tolerates more; without it, report the damage itself.
            Err(MovieError::Malformed(why)) => {
                return self
                    .with_ffmpeg("a damaged MP4", false)
                    .map_err(|_| self.damaged(why));
            }
        };
        let other_codec = movie.track.entries.iter().find(|e| e.avcc.is_none());
        if let Some(entry) = other_codec {
            return self.with_ffmpeg(&codec_name(entry.codec), false);
        }
        match Video::new(file, len, movie) {
            Ok(video) => Ok(Reader::Video(Box::new(video))),
            Err(AvcError::Unsupported(what)) => self.with_ffmpeg(&what, false),
            Err(AvcError::Damaged(why)) => Err(self.damaged(why)),
        }
    }

    fn with_ffmpeg(&self, name: &str, still: bool) -> Result<Reader, MediaError> {
        let source = FfmpegSource::open(self.path, self.ffmpeg, name, still)?;
        Ok(Reader::Ffmpeg(Box::new(source)))
    }

    fn io(&self, source: io::Error) -> MediaError {
        MediaError::Io {
            path: self.path.into(),
            source,
        }
    }

    fn damaged(&self, why: String) -> MediaError {
        MediaError::VideoDamaged {
            path: self.path.into(),
            why,
        }
    }
}

/// The common name of a codec.
fn codec_name(codec: FourCc) -> String {
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
