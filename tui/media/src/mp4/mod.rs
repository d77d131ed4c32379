//! The structure of an MP4 or MOV file: which samples a video track has, where they lie, and
//! in which order they are shown. Nothing here trusts the file: every length is checked, every
//! loop and allocation is bounded by the file's own size.
//! Leaves to others: the samples' content (`h264`), reading them (`video`).

mod boxes;
mod fragment;
mod samples;
mod timeline;
mod track;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

pub(super) use boxes::{FourCc, Malformed};
pub(super) use samples::Sample;
pub(super) use timeline::{NOT_SHOWN, ShownFrame, Timeline};
pub(super) use track::Track;

use boxes::{Parsed, boxes, find, required};

/// Samples over all video tracks: 77 hours at 60 frames per second, 400 MB of table.
const MAX_SAMPLES: u64 = 1 << 24;
/// A movie box of this size describes more samples than `MAX_SAMPLES`.
const MAX_MOOV: u64 = 512 << 20;
/// One fragment's table.
const MAX_MOOF: u64 = 64 << 20;
/// Top-level boxes: two per fragment, a fragment per sample.
const MAX_TOP_LEVEL: u64 = 1 << 25;

/// Why a file has no usable table.
#[derive(Debug)]
pub(super) enum MovieError {
    /// The system could not read it.
    Io(io::Error),
    /// Its structure is broken or beyond this reader.
    Malformed(String),
}

impl From<io::Error> for MovieError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Malformed> for MovieError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.0)
    }
}

/// The video track of a file.
#[derive(Debug)]
pub(super) struct Movie {
    /// The track with the most samples, the first of equals.
    pub track: Track,
    /// What is shown, in order.
    pub timeline: Timeline,
}

/// Reads the tables of `file`, `len` bytes long.
///
/// # Errors
/// `MovieError` when the file cannot be read, has no video track, or contradicts itself.
pub(super) fn read(file: &File, len: u64) -> Result<Movie, MovieError> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    reader.seek(SeekFrom::Start(0))?;
    let mut scan = MovieReader {
        budget: len.min(MAX_SAMPLES),
        file_len: len,
        tracks: None,
        movie_timescale: 0,
        fragmented: false,
    };
    let mut at = 0u64;
    let mut seen = 0u64;
    while len - at >= 8 {
        seen += 1;
        if seen > MAX_TOP_LEVEL {
            return Err(MovieError::Malformed("too many boxes".into()));
        }
        let (kind, header, size) = top_level(&mut reader, at, len)?;
        let body = size - header;
        match &kind.0 {
            b"moov" => {
                let data = payload(&mut reader, body, len - at - header, MAX_MOOV, "movie")?;
                scan.moov(&data)?;
            }
            b"moof" => match payload(&mut reader, body, len - at - header, MAX_MOOF, "fragment") {
                Ok(data) => scan.moof(&data, at)?,
                // A recording that was cut off: what came before stays good.
                Err(MovieError::Malformed(_)) if size > len - at && scan.tracks.is_some() => break,
                Err(error) => return Err(error),
            },
            _ => skip(&mut reader, body.min(len - at - header))?,
        }
        at = at.saturating_add(size);
        if at >= len {
            break;
        }
    }
    scan.finish()
}

/// The video track of an MP4 or MOV file as its tables describe it. No picture is decoded: the codec does
/// not matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VideoFacts {
    /// Pixels per row, before rotation.
    pub width: u32,
    /// Rows, before rotation.
    pub height: u32,
    /// Frames in the file, edits not applied.
    pub frames: u64,
    /// Length in seconds, edits not applied.
    pub seconds: f64,
}

impl VideoFacts {
    /// Reads the tables of a file; `None` if it is not an MP4 or MOV file with a readable video track.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let Movie { track, .. } = read(&file, file.metadata().ok()?.len()).ok()?;
        let (width, height) = track.size;
        #[allow(clippy::cast_precision_loss)] // exact below 2^53
        let seconds = track.next_dts as f64 / f64::from(track.timescale);
        Some(Self {
            width,
            height,
            frames: track.samples.len() as u64,
            seconds,
        })
    }
}

/// Kind, header length and whole length of the box at `at`; the length may pass the file's end.
fn top_level(
    reader: &mut BufReader<&File>,
    at: u64,
    len: u64,
) -> Result<(FourCc, u64, u64), MovieError> {
    let mut head = [0u8; 8];
    reader.read_exact(&mut head)?;
    let kind = FourCc([head[4], head[5], head[6], head[7]]);
    let (header, size) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
        0 => (8, len - at),
        1 => {
            let mut large = [0u8; 8];
            if len - at < 16 {
                return Err(MovieError::Malformed(format!("box {kind} is cut off")));
            }
            reader.read_exact(&mut large)?;
            (16, u64::from_be_bytes(large))
        }
        size => (8, u64::from(size)),
    };
    if size < header {
        return Err(MovieError::Malformed(format!(
            "box {kind} has length {size}"
        )));
    }
    Ok((kind, header, size))
}

fn payload(
    reader: &mut BufReader<&File>,
    body: u64,
    left: u64,
    limit: u64,
    what: &str,
) -> Result<Vec<u8>, MovieError> {
    if body > left {
        return Err(MovieError::Malformed(format!(
            "the {what} header is cut off: {left} of {body} bytes are there"
        )));
    }
    if body > limit {
        return Err(MovieError::Malformed(format!(
            "the {what} header has {body} bytes"
        )));
    }
    let mut data = vec![0u8; usize::try_from(body).unwrap_or(0)];
    reader.read_exact(&mut data)?;
    Ok(data)
}

fn skip(reader: &mut BufReader<&File>, bytes: u64) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let step = left.min(i64::MAX as u64);
        reader.seek_relative(i64::try_from(step).unwrap_or(i64::MAX))?;
        left -= step;
    }
    Ok(())
}

/// What has been gathered so far.
struct MovieReader {
    budget: u64,
    file_len: u64,
    tracks: Option<Vec<Track>>,
    movie_timescale: u32,
    fragmented: bool,
}

impl MovieReader {
    fn moov(&mut self, data: &[u8]) -> Parsed<()> {
        if self.tracks.is_some() {
            return Ok(()); // the first one counts, as for ffmpeg
        }
        let mut tracks = Vec::new();
        let mvhd = required(data, b"mvhd", "the movie")?;
        self.movie_timescale = track::timescale(mvhd)?;
        for item in boxes(data) {
            let (kind, body) = item?;
            if &kind.0 == b"trak"
                && let Some(track) = Track::parse(body, self.file_len, &mut self.budget)?
            {
                tracks.push(track);
            }
        }
        if let Some(mvex) = find(data, b"mvex")? {
            for item in boxes(mvex) {
                let (kind, body) = item?;
                if &kind.0 == b"trex" {
                    fragment::defaults(body, &mut tracks)?;
                }
            }
        }
        self.tracks = Some(tracks);
        Ok(())
    }

    fn moof(&mut self, data: &[u8], at: u64) -> Parsed<()> {
        self.fragmented = true;
        let Some(tracks) = self.tracks.as_mut() else {
            return Err(Malformed::new("a fragment comes before the movie header"));
        };
        fragment::append(data, at, tracks, &mut self.budget)
    }

    fn finish(self) -> Result<Movie, MovieError> {
        let Some(tracks) = self.tracks else {
            return Err(MovieError::Malformed(
                "it has no movie header (moov): the recording or the download was cut off".into(),
            ));
        };
        let mut best: Option<Track> = None;
        for track in tracks {
            if best
                .as_ref()
                .is_none_or(|b| track.samples.len() > b.samples.len())
            {
                best = Some(track);
            }
        }
        let Some(track) = best else {
            return Err(MovieError::Malformed("it has no video track".into()));
        };
        let timeline = Timeline::new(&track, self.movie_timescale, self.fragmented)?;
        Ok(Movie { track, timeline })
    }
}
