//! Properties of media files: the size of images, the frames of MP4 and MOV videos, the length of WAV
//! audio, the pages of PDFs. Only headers are read, of PDFs the whole file. Other videos are probed with `ffprobe` if it is installed; the
//! properties of anything else are unknown.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use hayro_syntax::Pdf;
use wb_media::VideoFacts;

use super::Facts;

/// The properties of a file, by its content.
pub(super) fn facts(path: &Path) -> Facts {
    picture(path)
        .or_else(|| video(path))
        .or_else(|| sound(path))
        .or_else(|| pages(path))
        .or_else(|| other_video(path))
        .unwrap_or_default()
}

fn picture(path: &Path) -> Option<Facts> {
    let reader = image::ImageReader::open(path)
        .ok()?
        .with_guessed_format()
        .ok()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some(Facts::picture(width, height))
}

fn pages(path: &Path) -> Option<Facts> {
    let mut head = [0; 5];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    if &head != b"%PDF-" {
        return None;
    }
    let pdf = Pdf::new(std::fs::read(path).ok()?).ok()?;
    Some(Facts::pages(u32::try_from(pdf.pages().len()).ok()?))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn video(path: &Path) -> Option<Facts> {
    let video = VideoFacts::read(path)?;
    let frames = u32::try_from(video.frames).ok()?;
    Some(Facts::video(
        video.width,
        video.height,
        frames,
        video.seconds,
    ))
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
    struct Output {
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
    let output = command
        .args(["-v", "error", "-select_streams", "v:0", "-count_packets"])
        .args(["-show_entries", wanted, "-of", "json"])
        .arg(path)
        .stdin(std::process::Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let output: Output = serde_json::from_slice(&output.stdout).ok()?;
    let stream = output.streams.first()?;
    let frames: u32 = stream.nb_read_packets.parse().ok()?;
    let (over, under) = stream.avg_frame_rate.split_once('/')?;
    let fps = over.parse::<f64>().ok()? / under.parse::<f64>().ok()?;
    let fps = Some(fps).filter(|f| f.is_finite() && *f > 0.0)?;
    let seconds = f64::from(frames) / fps;
    Some(Facts::video(stream.width, stream.height, frames, seconds))
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
    fn pages_of_a_pdf_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("three.pdf");
        std::fs::write(&path, crate::media::made::pdf(3)).unwrap();
        assert_eq!(facts(&path).frames, Some(crate::media::made::pdf_pages(3)));
        std::fs::write(&path, "%PDF-1.7 and nothing else").unwrap();
        assert_eq!(facts(&path).frames, None);
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
