//! Packs images into one video, as image sequences are: Motion JPEG in a QuickTime file, one image per
//! second. Nothing here encodes H.264.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder as _, RgbImage};

/// Frames of a sequence per second.
pub(crate) const FPS: f64 = 1.0;
/// Ticks per second of the file's clock; a frame lasts as many.
const CLOCK: u32 = 1000;
/// Quality of the frames' JPEG.
const QUALITY: u8 = 90;
const IDENTITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// The video of these images, and its width and height in pixels.
///
/// # Errors
/// A sentence about the image that cannot be decoded or differs in size from the first.
pub(crate) fn video(pictures: &[(String, Vec<u8>)]) -> Result<(Vec<u8>, u32, u32), String> {
    let mut frames = Vec::with_capacity(pictures.len());
    let mut size = None;
    for (title, bytes) in pictures {
        let picture = image::load_from_memory(bytes)
            .map_err(|e| format!("\"{title}\" cannot be decoded: {e}"))?
            .into_rgb8();
        let (width, height) = *size.get_or_insert(picture.dimensions());
        if picture.dimensions() != (width, height) {
            return Err(format!(
                "\"{title}\" has {}×{} pixels and the first image {width}×{height}: the images of a sequence must have the \
                 same size; use an image group (`create_video=False`)",
                picture.width(),
                picture.height()
            ));
        }
        frames.push(jpeg(&picture, title)?);
    }
    let (width, height) = size.ok_or("a sequence needs at least one image")?;
    Ok((file(&frames, width, height), width, height))
}

fn jpeg(picture: &RgbImage, title: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .write_image(
            picture,
            picture.width(),
            picture.height(),
            image::ExtendedColorType::Rgb8,
        )
        .map_err(|e| format!("\"{title}\" cannot be packed: {e}"))?;
    Ok(out)
}

/// One box: its length, its name, its content.
fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = ((content.len() + 8) as u32).to_be_bytes().to_vec();
    out.extend_from_slice(name);
    out.extend_from_slice(content);
    out
}

fn words(list: &[u32]) -> Vec<u8> {
    list.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// Frames first, so that their offsets are known when the index is written.
fn file(frames: &[Vec<u8>], width: u32, height: u32) -> Vec<u8> {
    let mut out = boxed(b"ftyp", b"qt  \0\0\0\0qt  ");
    let first = out.len() as u32 + 8;
    out.extend(boxed(b"mdat", &frames.concat()));
    let count = frames.len() as u32;
    let duration = count * CLOCK;
    let mut movie = words(&[0, 0, 0, CLOCK, duration, 0x1_0000, 0x0100_0000, 0, 0]);
    movie.extend(words(&IDENTITY));
    movie.extend(words(&[0, 0, 0, 0, 0, 0, 2]));
    let mut track = words(&[7, 0, 0, 1, 0, duration, 0, 0, 0, 0]);
    track.extend(words(&IDENTITY));
    track.extend(words(&[width << 16, height << 16]));
    let media = words(&[0, 0, 0, CLOCK, duration, 0]);
    let handler = [&words(&[0])[..], b"mhlrvide", &words(&[0, 0, 0]), b"\0"].concat();
    let reference = [&words(&[0, 1])[..], &boxed(b"url ", &words(&[1]))].concat();
    let information = [
        boxed(b"vmhd", &words(&[1, 0, 0])),
        boxed(b"dinf", &boxed(b"dref", &reference)),
        boxed(b"stbl", &index(frames, first, width, height)),
    ]
    .concat();
    let media = [
        boxed(b"mdhd", &media),
        boxed(b"hdlr", &handler),
        boxed(b"minf", &information),
    ]
    .concat();
    let track = [boxed(b"tkhd", &track), boxed(b"mdia", &media)].concat();
    let movie = [boxed(b"mvhd", &movie), boxed(b"trak", &track)].concat();
    out.extend(boxed(b"moov", &movie));
    out
}

/// The sample table: format, duration, size and offset of the frames.
fn index(frames: &[Vec<u8>], first: u32, width: u32, height: u32) -> Vec<u8> {
    let mut entry = words(&[
        0,
        1,
        0,
        0,
        0,
        0,
        width << 16 | height,
        0x48_0000,
        0x48_0000,
        0,
    ]);
    // One frame a sample, a name of 31 bytes, 24 bits of colour, no table of colours.
    entry.extend_from_slice(&[0, 1]);
    entry.extend_from_slice(&[0; 32]);
    entry.extend_from_slice(&[0, 24, 0xff, 0xff]);
    let description = [&words(&[0, 1])[..], &boxed(b"jpeg", &entry)].concat();
    let count = frames.len() as u32;
    let sizes: Vec<u32> = frames.iter().map(|f| f.len() as u32).collect();
    [
        boxed(b"stsd", &description),
        boxed(b"stts", &words(&[0, 1, count, CLOCK])),
        boxed(b"stsc", &words(&[0, 1, 1, count, 1])),
        boxed(b"stsz", &[words(&[0, 0, count]), words(&sizes)].concat()),
        boxed(b"stco", &words(&[0, 1, first])),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{MediaLibrary, MediaSource, probe};

    fn picture(photo: usize) -> (String, Vec<u8>) {
        let bytes = MediaLibrary::default()
            .bytes(&MediaSource::Photo(photo, 0))
            .unwrap();
        (format!("{photo}.jpg"), bytes.to_vec())
    }

    #[test]
    fn frames_and_size_of_a_sequence_are_probed() {
        let (bytes, width, height) = video(&[picture(0), picture(1), picture(6)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sequence.mov");
        std::fs::write(&path, bytes).unwrap();
        let facts = probe::facts(&path);
        assert_eq!((width, height), (512, 512));
        assert_eq!((facts.width, facts.height), (Some(512), Some(512)));
        assert_eq!((facts.frames, facts.fps), (Some(3), Some(FPS)));
    }

    #[test]
    fn images_of_different_sizes_are_refused() {
        let why = video(&[picture(0), picture(2)]).unwrap_err();
        assert!(why.contains("2.jpg") && why.contains("451×300"), "{why}");
        assert!(video(&[("x".to_owned(), b"no picture".to_vec())]).is_err());
        assert!(video(&[]).is_err());
    }
}
