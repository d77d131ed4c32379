//! The frame index of a file that only ffmpeg can read: one presentation time per frame, sorted.
//! Built from the container's packets where each packet is one frame, else by decoding everything.
//! Leaves to others: the pictures (the parent module).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{FORMATS, FfmpegPaths, file_url, last_line, not_started};
use crate::MediaError;

/// Frames of one file: 77 hours at 60 per second.
const MAX_FRAMES: usize = 1 << 24;
/// The entries that list decoded frames.
const FRAME_TIMES: &str = "frame=best_effort_timestamp";

/// Presentation times of all frames.
#[derive(Debug)]
pub(super) struct FrameIndex {
    /// Presentation times in units of `base`, rising unless `counted`.
    pub pts: Vec<i64>,
    /// Seconds per unit, as a fraction.
    pub base: (u32, u32),
    /// Some frames have no time, so frames are numbered by counting from the first.
    pub counted: bool,
    /// Seeking in the container is reliable. Otherwise reading starts at the first frame.
    pub seekable: bool,
}

#[derive(Default)]
struct Listing {
    codec: String,
    format: String,
    base: Option<(u32, u32)>,
    pts: Vec<i64>,
    /// Every entry had its own presentation time.
    complete: bool,
}

/// Builds the index of `path`.
///
/// # Errors
/// `NeedsFfmpeg` (with `name`) when ffprobe is not installed, `Ffmpeg` when it cannot read the file.
pub(super) fn index(
    path: &Path,
    paths: &FfmpegPaths,
    name: &str,
) -> Result<FrameIndex, MediaError> {
    let mut packets = list(path, paths, name, "packet=pts,flags", None)?;
    let seekable = packets.seekable();
    if packets.complete && one_packet_is_one_frame(&packets) {
        // Pictures before the first that can be decoded are never shown.
        let first = list(path, paths, name, FRAME_TIMES, Some("%+#1"))?;
        if let Some(first) = first.pts.first() {
            packets.pts.retain(|pts| pts >= first);
            if packets.pts.first() == Some(first) {
                return finish(path, packets, seekable);
            }
        }
    }
    let frames = list(path, paths, name, FRAME_TIMES, None)?;
    finish(path, frames, seekable)
}

fn finish(path: &Path, listing: Listing, seekable: bool) -> Result<FrameIndex, MediaError> {
    let failed = |why: &str| MediaError::Ffmpeg {
        path: path.into(),
        why: why.into(),
    };
    let base = listing
        .base
        .ok_or_else(|| failed("it has no video stream"))?;
    if listing.pts.is_empty() {
        return Err(failed("it has no frame that can be shown"));
    }
    let counted = !listing.complete;
    Ok(FrameIndex {
        pts: listing.pts,
        base,
        counted,
        seekable: seekable && !counted,
    })
}

impl Listing {
    /// Parses ffprobe's compact output.
    fn read(lines: impl BufRead) -> Result<Self, String> {
        let mut listing = Self {
            complete: true,
            ..Self::default()
        };
        for line in lines.lines() {
            listing.read_line(&line.map_err(|e| e.to_string())?)?;
        }
        Ok(listing)
    }

    fn read_line(&mut self, line: &str) -> Result<(), String> {
        let mut fields = line.split('|');
        let section = fields.next().unwrap_or_default();
        let mut pts = None;
        let mut hidden = false;
        for (key, value) in fields.filter_map(|field| field.split_once('=')) {
            match key {
                "pts" | "best_effort_timestamp" => pts = value.parse::<i64>().ok(),
                // Discarded by an edit list: decoded, not shown.
                "flags" => hidden = value.contains('D'),
                "codec_name" => self.codec = value.into(),
                "format_name" => self.format = value.into(),
                "time_base" => self.base = fraction(value),
                _ => {}
            }
        }
        if matches!(section, "packet" | "frame") && !hidden {
            match pts {
                Some(pts) => self.pts.push(pts),
                None => self.push_estimate(),
            }
            if self.pts.len() > MAX_FRAMES {
                return Err(format!("it has more than {MAX_FRAMES} frames"));
            }
        }
        Ok(())
    }

    /// Sorts the times. Equal ones cannot number frames: then the order of listing stays.
    fn sort(&mut self) {
        let mut sorted = self.pts.clone();
        sorted.sort_unstable();
        self.complete &= sorted.windows(2).all(|pair| pair[0] < pair[1]);
        if self.complete {
            self.pts = sorted;
        }
    }

    /// Whether the container is one whose times and key frames have proved reliable.
    fn seekable(&self) -> bool {
        self.format
            .split(',')
            .any(|f| matches!(f, "mov" | "mp4" | "matroska"))
    }

    /// Adds a frame without a time: one step after the frame before it.
    fn push_estimate(&mut self) {
        let step = match self.pts[..] {
            [.., a, b] => b.saturating_sub(a).max(1),
            _ => 1,
        };
        let next = self.pts.last().map_or(0, |last| last.saturating_add(step));
        self.pts.push(next);
        self.complete = false;
    }
}

/// Whether each packet is one shown frame. True of these containers and codecs: they have no hidden
/// frames in packets of their own, and no packets with several frames or single fields.
fn one_packet_is_one_frame(listing: &Listing) -> bool {
    listing.seekable()
        && matches!(
            listing.codec.as_str(),
            "h264" | "hevc" | "av1" | "vp9" | "prores" | "mjpeg" | "png" | "dnxhd" | "ffv1"
        )
}

/// Lists `entries` of the video stream with ffprobe, within `interval` if given.
fn list(
    path: &Path,
    paths: &FfmpegPaths,
    name: &str,
    entries: &str,
    interval: Option<&str>,
) -> Result<Listing, MediaError> {
    let failed = |why: String| MediaError::Ffmpeg {
        path: path.into(),
        why,
    };
    let mut child = ffprobe(path, paths, entries, interval)
        .spawn()
        .map_err(|e| not_started(path, name, e))?;
    let last_error = last_line(child.stderr.take());
    let mut child = KillOnDrop(child);
    let mut listing = match child.0.stdout.take() {
        Some(stdout) => Listing::read(BufReader::new(stdout)).map_err(failed)?,
        None => Listing::default(),
    };
    let status = child.0.wait().map_err(|e| failed(e.to_string()))?;
    let last_error = last_error.join().unwrap_or_default();
    if !status.success() || listing.base.is_none() {
        return Err(failed(if last_error.is_empty() {
            "it has no video stream".into()
        } else {
            last_error
        }));
    }
    listing.sort();
    Ok(listing)
}

fn ffprobe(path: &Path, paths: &FfmpegPaths, entries: &str, interval: Option<&str>) -> Command {
    let mut command = Command::new(&paths.ffprobe);
    command
        .args(["-v", "error", "-protocol_whitelist", "file"])
        .args(["-format_whitelist", FORMATS, "-select_streams", "V:0"])
        .args(["-of", "compact=print_section=1:nokey=0", "-show_entries"])
        .arg(format!(
            "{entries}:stream=codec_name,time_base:format=format_name"
        ));
    if let Some(interval) = interval {
        command.args(["-read_intervals", interval]);
    }
    command.arg("-i").arg(file_url(path));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Ends ffprobe when its output is not read to the end.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn fraction(text: &str) -> Option<(u32, u32)> {
    let (over, under) = text.split_once('/')?;
    let fraction = (over.parse().ok()?, under.parse().ok()?);
    (fraction.0 > 0 && fraction.1 > 0).then_some(fraction)
}
