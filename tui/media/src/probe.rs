//! The frame index of a file that only ffmpeg can read: one presentation time per frame, sorted.
//! From the container's packets where one packet is one frame for certain, else from decoding all.
//! Leaves to others: the pictures (`ffmpeg`).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::ffmpeg::{FORMATS, Tools, input};
use super::{MediaError, ffmpeg};

/// Frames of one file: 77 hours at 60 per second.
const MAX_FRAMES: usize = 1 << 24;

/// When each frame is shown.
#[derive(Debug)]
pub(super) struct Index {
    /// Presentation times in units of `base`, rising unless `counted`.
    pub pts: Vec<i64>,
    /// Seconds per unit, as a fraction.
    pub base: (u32, u32),
    /// Some frames have no time of their own: they are numbered by counting from the first.
    pub counted: bool,
    /// The container leads to true key frames. Elsewhere reading begins at the beginning.
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
/// `NeedsFfmpeg` (with `name`) when ffprobe is not there, `Ffmpeg` when it cannot make sense of it.
pub(super) fn index(path: &Path, tools: &Tools, name: &str) -> Result<Index, MediaError> {
    let mut packets = list(path, tools, name, &["packet=pts,flags"])?;
    let seekable = packets.container();
    if packets.complete && one_packet_is_one_frame(&packets) {
        // Pictures before the first that can be decoded are never shown.
        let first = list(path, tools, name, &["frame=best_effort_timestamp", "%+#1"])?;
        if let Some(first) = first.pts.first() {
            packets.pts.retain(|pts| pts >= first);
            if packets.pts.first() == Some(first) {
                return finish(path, packets, seekable);
            }
        }
    }
    let frames = list(path, tools, name, &["frame=best_effort_timestamp"])?;
    finish(path, frames, seekable)
}

fn finish(path: &Path, listing: Listing, seekable: bool) -> Result<Index, MediaError> {
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
    Ok(Index {
        pts: listing.pts,
        base,
        counted,
        seekable: seekable && !counted,
    })
}

impl Listing {
    /// Whether the container is one of those whose times and key frames were found to be true.
    fn container(&self) -> bool {
        self.format
            .split(',')
            .any(|f| matches!(f, "mov" | "mp4" | "matroska"))
    }

    /// A frame without a time: it is put a step behind the one before it.
    fn guess(&mut self) {
        let step = match self.pts[..] {
            [.., a, b] => b.saturating_sub(a).max(1),
            _ => 1,
        };
        let next = self.pts.last().map_or(0, |last| last.saturating_add(step));
        self.pts.push(next);
        self.complete = false;
    }
}

/// Containers and codecs in which packets and shown frames were found to agree: no hidden
/// frames in packets of their own, no packed or field-wise packets.
fn one_packet_is_one_frame(listing: &Listing) -> bool {
    listing.container()
        && matches!(
            listing.codec.as_str(),
            "h264" | "hevc" | "av1" | "vp9" | "prores" | "mjpeg" | "png" | "dnxhd" | "ffv1"
        )
}

/// Runs ffprobe for the entries `what[0]`, within the interval `what[1]` if given.
fn list(path: &Path, tools: &Tools, name: &str, what: &[&str]) -> Result<Listing, MediaError> {
    let mut command = Command::new(&tools.ffprobe);
    command
        .args([
            "-v",
            "error",
            "-protocol_whitelist",
            "file",
            "-format_whitelist",
            FORMATS,
        ])
        .args([
            "-select_streams",
            "V:0",
            "-of",
            "compact=print_section=1:nokey=0",
        ])
        .arg("-show_entries")
        .arg(format!(
            "{}:stream=codec_name,time_base:format=format_name",
            what[0]
        ));
    if let Some(interval) = what.get(1) {
        command.args(["-read_intervals", interval]);
    }
    command.arg("-i").arg(input(path));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|e| ffmpeg::not_started(path, name, e))?;
    let said = ffmpeg::tail(child.stderr.take());
    let mut guard = Guard(child);
    let mut listing = Listing {
        complete: true,
        ..Listing::default()
    };
    let read = match guard.0.stdout.take() {
        Some(stdout) => read_lines(BufReader::new(stdout), &mut listing),
        None => Ok(()),
    };
    let failed = |why: String| MediaError::Ffmpeg {
        path: path.into(),
        why,
    };
    if let Err(why) = read {
        return Err(failed(why));
    }
    let status = guard.0.wait().map_err(|e| failed(e.to_string()))?;
    let said = said.join().unwrap_or_default();
    if !status.success() || listing.base.is_none() {
        let why = if said.is_empty() {
            "it has no video stream".into()
        } else {
            said
        };
        return Err(failed(why));
    }
    let mut sorted = listing.pts.clone();
    sorted.sort_unstable();
    listing.complete &= sorted.windows(2).all(|pair| pair[0] < pair[1]);
    if listing.complete {
        listing.pts = sorted;
    }
    Ok(listing)
}

/// Ends a child that is left early.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read_lines(lines: impl BufRead, listing: &mut Listing) -> Result<(), String> {
    for line in lines.lines() {
        let line = line.map_err(|e| e.to_string())?;
        let mut fields = line.split('|');
        let section = fields.next().unwrap_or_default();
        let mut pts = None;
        let mut hidden = false;
        for (key, value) in fields.filter_map(|field| field.split_once('=')) {
            match key {
                "pts" | "best_effort_timestamp" => pts = value.parse::<i64>().ok(),
                // Discarded by an edit list: decoded, not shown.
                "flags" => hidden = value.contains('D'),
                "codec_name" => listing.codec = value.into(),
                "format_name" => listing.format = value.into(),
                "time_base" => listing.base = fraction(value),
                _ => {}
            }
        }
        if matches!(section, "packet" | "frame") && !hidden {
            match pts {
                Some(pts) => listing.pts.push(pts),
                None => listing.guess(),
            }
            if listing.pts.len() > MAX_FRAMES {
                return Err(format!("it has more than {MAX_FRAMES} frames"));
            }
        }
    }
    Ok(())
}

fn fraction(text: &str) -> Option<(u32, u32)> {
    let (over, under) = text.split_once('/')?;
    let fraction = (over.parse().ok()?, under.parse().ok()?);
    (fraction.0 > 0 && fraction.1 > 0).then_some(fraction)
}
