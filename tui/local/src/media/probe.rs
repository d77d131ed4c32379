//! Properties of media files: the size of images, the frames of MP4 and MOV videos, the length of WAV
//! audio. Only headers are read. Other videos are probed with `ffprobe` if it is installed; the
//! properties of anything else are unknown.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::{Facts, fragments};

/// Larger `moov` boxes are not read.
const HEADER_LIMIT: u64 = 64 << 20;
/// Boxes nested deeper than this are skipped.
const DEPTH: usize = 8;

/// The properties of a file, by its content.
pub(super) fn facts(path: &Path) -> Facts {
    picture(path)
        .or_else(|| video(path))
        .or_else(|| sound(path))
        .or_else(|| other_video(path))
        .unwrap_or_default()
}

fn picture(path: &Path) -> Option<Facts> {
    let reader = image::ImageReader::open(path)
        .ok()?
        .with_guessed_format()
        .ok()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some(Facts {
        width: Some(width),
        height: Some(height),
        ..Facts::default()
    })
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn video(path: &Path) -> Option<Facts> {
    let mut track = Track::default();
    let moov = moov(path)?;
    visit(&moov, 0, &mut track);
    let mut track = track.found?;
    if let Some((frames, ticks)) = fragments::of_track(path, &moov, track.id) {
        track.frames = track.frames.saturating_add(frames);
        track.duration = track.listed.saturating_add(ticks);
    }
    let seconds = track.duration as f64 / f64::from(track.timescale.filter(|t| *t > 0)?);
    let fps = (seconds > 0.0).then(|| f64::from(track.frames) / seconds);
    Some(Facts {
        width: Some(track.width),
        height: Some(track.height),
        frames: Some(track.frames),
        fps: fps.map(|f| (f * 1000.0).round() / 1000.0),
        duration: Some(seconds),
        sample_rate: None,
    })
}

/// The content of the file's `moov` box.
fn moov(path: &Path) -> Option<Vec<u8>> {
    let mut file = BufReader::new(File::open(path).ok()?);
    next_box(&mut file, *b"moov", HEADER_LIMIT)
}

/// The content of the next box of a kind, from here on; boxes larger than `limit` bytes are skipped.
pub(super) fn next_box(
    file: &mut (impl Read + Seek),
    kind: [u8; 4],
    limit: u64,
) -> Option<Vec<u8>> {
    loop {
        let mut head = [0; 16];
        file.read_exact(&mut head[..8]).ok()?;
        let mut length = u64::from(be32(&head, 0)?);
        let mut header = 8;
        if length == 1 {
            file.read_exact(&mut head[8..]).ok()?;
            length = be64(&head, 8)?;
            header = 16;
        }
        let content = length.checked_sub(header)?;
        if head[4..8] == kind && content <= limit {
            let mut out = Vec::new();
            file.take(content).read_to_end(&mut out).ok()?;
            return Some(out);
        }
        file.seek(SeekFrom::Current(i64::try_from(content).ok()?))
            .ok()?;
    }
}

/// The tracks so far; `found` is the first video track.
#[derive(Default)]
struct Track {
    current: TrackFacts,
    found: Option<TrackFacts>,
}

#[derive(Default, Clone, Copy)]
struct TrackFacts {
    is_video: bool,
    id: u32,
    /// Ticks of the frames that the header lists.
    listed: u64,
    width: u32,
    height: u32,
    timescale: Option<u32>,
    duration: u64,
    frames: u32,
}

/// Walks the boxes in `bytes`.
fn visit(bytes: &[u8], depth: usize, track: &mut Track) {
    let mut at = 0;
    while let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let Some(content) = bytes.get(at + 8..at + (length as usize).max(8)) else {
            return;
        };
        match kind {
            b"trak" | b"mdia" | b"minf" | b"stbl" if depth < DEPTH => {
                if kind == b"trak" {
                    track.current = TrackFacts::default();
                }
                visit(content, depth + 1, track);
                if kind == b"trak" && track.current.is_video && track.found.is_none() {
                    track.found = Some(track.current);
                }
            }
            _ => track.current.read(kind, content).unwrap_or_default(),
        }
        at += (length as usize).max(8);
    }
}

impl TrackFacts {
    fn read(&mut self, kind: &[u8], content: &[u8]) -> Option<()> {
        match kind {
            // A track of a MOV file has a second one, for its data.
            b"hdlr" => self.is_video |= content.get(8..12)? == b"vide",
            b"tkhd" => {
                self.id = be32(content, if content.first()? == &1 { 20 } else { 12 })?;
                // The last eight bytes, in 16.16 fixed point.
                let end = content.len();
                self.width = be32(content, end.checked_sub(8)?)? >> 16;
                self.height = be32(content, end.checked_sub(4)?)? >> 16;
            }
            b"mdhd" if content.first()? == &1 => {
                self.timescale = be32(content, 20);
                self.duration = be64(content, 24)?;
            }
            b"mdhd" => {
                self.timescale = be32(content, 12);
                self.duration = u64::from(be32(content, 16)?);
            }
            b"stts" => {
                let entries = be32(content, 4)? as usize;
                let runs = content.get(8..)?.chunks_exact(8).take(entries);
                for run in runs {
                    let (count, ticks) = (be32(run, 0)?, be32(run, 4)?);
                    self.frames = self.frames.saturating_add(count);
                    let ticks = u64::from(count) * u64::from(ticks);
                    self.listed = self.listed.saturating_add(ticks);
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// A video in another container: Matroska and WebM begin with these four bytes, AVI with `RIFF`.
fn other_video(path: &Path) -> Option<Facts> {
    let mut head = [0; 12];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    let is_video = head.starts_with(b"\x1a\x45\xdf\xa3")
        || &head[4..8] == b"ftyp"
        || (head.starts_with(b"RIFF") && &head[8..] == b"AVI ");
    is_video.then(|| ffprobe(path)).flatten()
}

/// The first video track as probed by `ffprobe`, which counts frames by reading the whole file.
fn ffprobe(path: &Path) -> Option<Facts> {
    #[derive(serde::Deserialize)]
    struct Said {
        streams: Vec<Stream>,
    }
    #[derive(serde::Deserialize)]
    struct Stream {
        width: u32,
        height: u32,
        /// A fraction, as in `30000/1001`.
        avg_frame_rate: String,
        nb_read_packets: String,
    }
    let wanted = "stream=width,height,avg_frame_rate,nb_read_packets";
    let mut command = std::process::Command::new("ffprobe");
    // It must not inherit keys and passwords.
    let ours = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.starts_with("ENCORD_") || name.starts_with("WORKBENCH_")
    };
    for name in std::env::vars_os().map(|(name, _)| name).filter(ours) {
        command.env_remove(name);
    }
    let said = command
        .args(["-v", "error", "-select_streams", "v:0", "-count_packets"])
        .args(["-show_entries", wanted, "-of", "json"])
        .arg(path)
        .stdin(std::process::Stdio::null())
        .output()
        .ok()
        .filter(|said| said.status.success())?;
    let said: Said = serde_json::from_slice(&said.stdout).ok()?;
    let stream = said.streams.first()?;
    let frames: u32 = stream.nb_read_packets.parse().ok()?;
    let (over, under) = stream.avg_frame_rate.split_once('/')?;
    let fps = over.parse::<f64>().ok()? / under.parse::<f64>().ok()?;
    let fps = Some(fps).filter(|f| f.is_finite() && *f > 0.0)?;
    Some(Facts {
        width: Some(stream.width),
        height: Some(stream.height),
        frames: Some(frames),
        fps: Some((fps * 1000.0).round() / 1000.0),
        duration: Some(f64::from(frames) / fps),
        sample_rate: None,
    })
}

fn sound(path: &Path) -> Option<Facts> {
    let mut head = Vec::new();
    File::open(path)
        .ok()?
        .take(64 << 10)
        .read_to_end(&mut head)
        .ok()?;
    if head.get(..4)? != b"RIFF" || head.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut rate, mut per_second) = (12, None, 0);
    while let (Some(kind), Some(length)) = (head.get(at..at + 4), le32(&head, at + 4)) {
        if kind == b"fmt " {
            rate = le32(&head, at + 12);
            per_second = le32(&head, at + 16)?;
        } else if kind == b"data" {
            let duration = (per_second > 0).then(|| f64::from(length) / f64::from(per_second));
            return Some(Facts {
                duration,
                sample_rate: rate,
                ..Facts::default()
            });
        }
        // Chunks begin at even places.
        at += 8 + length as usize + (length as usize & 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_clip_is_probed() {
        let found = facts(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/media/bigbuckbunny-3s.mp4"
        )));
        assert_eq!(
            (found.width, found.height, found.frames),
            (Some(320), Some(180), Some(75))
        );
        assert_eq!((found.fps, found.duration), (Some(25.0), Some(3.0)));
    }

    #[test]
    fn frames_in_fragments_are_added_to_those_in_the_header() {
        for (name, frames) in [("fragmented.mp4", 75), ("hybrid.mp4", 60)] {
            let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../media/fixtures");
            let found = facts(&Path::new(place).join(name));
            assert_eq!(found.frames, Some(frames), "{name}");
            let counted = found.duration.unwrap() * found.fps.unwrap();
            assert!(
                (counted - f64::from(frames)).abs() < 0.1,
                "{name}: {found:?}"
            );
        }
    }

    #[test]
    fn the_length_of_a_generated_tone_is_probed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, super::super::made::wav(5)).unwrap();
        assert_eq!(
            facts(&path).duration,
            Some(super::super::made::wav_seconds(5))
        );
        assert_eq!(facts(&path).sample_rate, Some(8_000));
    }

    #[test]
    fn broken_files_are_probed_without_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let clip = include_bytes!("../../media/bigbuckbunny-3s.mp4");
        for cut in (0..clip.len()).step_by(997) {
            let path = folder.path().join("cut.mp4");
            std::fs::write(&path, &clip[cut..]).unwrap();
            facts(&path);
            std::fs::write(&path, &clip[..cut]).unwrap();
            facts(&path);
        }
    }
}
