//! Checks that an uploaded file is of the announced type, and reads its properties. Only headers are read,
//! except for MP3, whose frames must be counted, and PDF.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::{Facts, probe};
use crate::item::ItemKind;
use crate::world::import;

/// How many bytes at the beginning are read to identify a file.
const HEAD: u64 = 64 << 10;
/// How much of a file is read to count its pages or frames.
const WHOLE: u64 = 256 << 20;

/// Inspects an uploaded file that was announced as this type.
///
/// # Errors
/// A sentence about why the file is not of that type, or cannot be read.
pub(crate) fn inspect(
    path: &Path,
    kind: ItemKind,
    title: &str,
) -> Result<(Facts, Option<String>), String> {
    let head = read(path, HEAD)?;
    if head.is_empty() {
        return Err(format!("\"{title}\" is empty"));
    }
    let ending = import::extension(Path::new(title));
    let by_title = import::mime(&ending);
    let facts = probe::facts(path);
    match kind {
        ItemKind::Image => {
            let format = image::guess_format(&head).ok();
            let mime = format.filter(|_| facts.width.is_some() && facts.frames.is_none());
            let mime = mime.ok_or_else(|| {
                format!("\"{title}\" is not an image that can be read; supported are JPEG, PNG, GIF, WebP, BMP and TIFF")
            })?;
            Ok((facts, Some(mime.to_mime_type().to_owned())))
        }
        ItemKind::Video => {
            if facts.frames.is_none() {
                return Err(format!(
                    "\"{title}\" is not an MP4 or MOV video whose frames can be counted; pass `video_metadata` for other videos"
                ));
            }
            let mime = by_title.filter(|m| m.starts_with("video/"));
            Ok((facts, Some(mime.unwrap_or("video/mp4").to_owned())))
        }
        ItemKind::Audio => sound(path, facts, &head, title),
        ItemKind::Pdf => {
            if !head.starts_with(b"%PDF-") {
                return Err(format!("\"{title}\" is not a PDF document"));
            }
            let facts = Facts::pages(pages(&read(path, WHOLE)?));
            Ok((facts, Some("application/pdf".to_owned())))
        }
        ItemKind::PlainText => Ok((Facts::default(), Some(text_mime(&ending)))),
        ItemKind::ImageGroup | ItemKind::ImageSequence | ItemKind::Group => {
            Err(format!("\"{title}\": groups are made of items"))
        }
    }
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut out))
        .map_err(|e| format!("nothing was uploaded under this URL: {e}"))?;
    Ok(out)
}

fn text_mime(ending: &str) -> String {
    match ending {
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "csv" => "text/csv",
        "md" => "text/markdown",
        _ => "text/plain",
    }
    .to_owned()
}

fn sound(
    path: &Path,
    facts: Facts,
    head: &[u8],
    title: &str,
) -> Result<(Facts, Option<String>), String> {
    if facts.duration.is_some() && facts.frames.is_none() {
        return Ok((facts, Some("audio/wav".to_owned())));
    }
    let is_mp3 = head.starts_with(b"ID3") || frame(head).is_some();
    let found = is_mp3.then(|| read(path, WHOLE)).transpose()?;
    let found = found.and_then(|bytes| mp3(&bytes)).ok_or_else(|| {
        format!("\"{title}\" is not a WAV or MP3 file with a known length; pass `audio_metadata` for others")
    })?;
    Ok((found, Some("audio/mpeg".to_owned())))
}

/// The number of pages of a PDF: its page objects, or the count in its page tree if the objects are
/// compressed. At least one.
fn pages(bytes: &[u8]) -> u32 {
    let after = |at: usize| bytes[at..].iter().position(|b| !b.is_ascii_whitespace());
    let mut objects = 0;
    let mut counted = 0;
    for at in 0..bytes.len().saturating_sub(7) {
        if bytes[at..].starts_with(b"/Type") {
            let rest = &bytes[at + 5..];
            let rest = after(at + 5).map_or(rest, |skip| &rest[skip..]);
            let one = rest.starts_with(b"/Page") && rest.get(5) != Some(&b's');
            objects += u32::from(one);
        } else if bytes[at..].starts_with(b"/Count ") {
            let digits: String = bytes[at + 7..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .take(9)
                .map(|b| char::from(*b))
                .collect();
            counted = counted.max(digits.parse().unwrap_or(0));
        }
    }
    if objects > 0 { objects } else { counted.max(1) }
}

/// Length in bytes, samples, and samples per second of the MPEG layer III frame at the beginning.
fn frame(bytes: &[u8]) -> Option<(usize, u32, u32)> {
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    const KBITS_1: [u32; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const KBITS_2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [sync, kind, sizes, _] = *bytes.first_chunk::<4>()?;
    if sync != 0xff || kind & 0xe6 != 0xe2 {
        return None;
    }
    // Versions: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5 with half the rate again.
    let (divisor, first) = match kind >> 3 & 3 {
        3 => (1, true),
        2 => (2, false),
        0 => (4, false),
        _ => return None,
    };
    let rate = RATES.get(usize::from(sizes >> 2 & 3))? / divisor;
    let table = if first { &KBITS_1 } else { &KBITS_2 };
    let kbits = *table.get(usize::from(sizes >> 4)).filter(|k| **k > 0)?;
    let samples = if first { 1152 } else { 576 };
    let padding = u32::from(sizes >> 1 & 1);
    Some((
        (samples / 8 * kbits * 1000 / rate + padding) as usize,
        samples,
        rate,
    ))
}

/// Length and rate of an MP3, frame by frame.
fn mp3(bytes: &[u8]) -> Option<Facts> {
    let mut at = 0;
    if bytes.starts_with(b"ID3") {
        // Four bytes of seven bits each, header not included.
        let size = bytes.get(6..10)?;
        at = 10
            + size
                .iter()
                .fold(0, |sum, b| sum << 7 | usize::from(b & 0x7f));
    }
    let (mut samples, mut rate) = (0u64, None);
    while let Some((length, count, per_second)) = bytes.get(at..).and_then(frame) {
        samples += u64::from(count);
        rate = rate.or(Some(per_second));
        at += length;
    }
    let rate = rate?;
    Some(Facts::sound(samples as f64 / f64::from(rate), rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::made;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upload");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn generated_media_are_recognised() {
        let (_f, clip) = file(include_bytes!("../../media/bigbuckbunny-3s.mp4"));
        let (facts, mime) = inspect(&clip, ItemKind::Video, "a.mp4").unwrap();
        assert_eq!(
            (facts.frames, mime.as_deref()),
            (Some(75), Some("video/mp4"))
        );
        let (_f, wav) = file(&made::wav(5));
        let (facts, mime) = inspect(&wav, ItemKind::Audio, "a.wav").unwrap();
        assert_eq!(facts.duration, Some(made::wav_seconds(5)));
        assert_eq!(mime.as_deref(), Some("audio/wav"));
        let (_f, mp3) = file(&made::mp3(3));
        let (facts, mime) = inspect(&mp3, ItemKind::Audio, "a.mp3").unwrap();
        assert!(
            (facts.duration.unwrap() - made::mp3_seconds(3)).abs() < 0.03,
            "{facts:?}"
        );
        assert_eq!(mime.as_deref(), Some("audio/mpeg"));
        let (_f, pdf) = file(&made::pdf(7));
        assert_eq!(
            inspect(&pdf, ItemKind::Pdf, "a.pdf").unwrap().0.frames,
            Some(7)
        );
        let (_f, text) = file(b"hello");
        let (_, mime) = inspect(&text, ItemKind::PlainText, "page.HTML").unwrap();
        assert_eq!(mime.as_deref(), Some("text/html"));
    }

    #[test]
    fn a_file_of_another_type_is_refused_with_its_title() {
        let (_f, text) = file(b"hello");
        for kind in [
            ItemKind::Image,
            ItemKind::Video,
            ItemKind::Audio,
            ItemKind::Pdf,
        ] {
            let why = inspect(&text, kind, "fake.bin").unwrap_err();
            assert!(why.contains("\"fake.bin\" is not a"), "{why}");
        }
        let (_f, empty) = file(b"");
        assert!(inspect(&empty, ItemKind::PlainText, "a.txt").is_err());
        assert!(inspect(Path::new("/nowhere"), ItemKind::Image, "a.jpg").is_err());
    }
}
