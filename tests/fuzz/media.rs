//! Fuzz targets of `wb-media`: file signatures, the boxes of an MP4 file, one H.264 sample.

mod check;

use super::h264::{AvcConfig, AvcDecoder};
use super::kind::{self, FileKind, ItemKind};
use super::{mp4, rgb};
use std::io::Write;

check::target!(file_kind, file_kind_of);
check::target!(mp4_boxes, boxes);
check::target!(h264_sample, sample);

fn file_kind_of(input: &[u8]) {
    for item in [ItemKind::Image, ItemKind::Video, ItemKind::Any] {
        let kind = kind::identify(input, item);
        let named = match kind {
            FileKind::OtherStill(name) | FileKind::Undecodable(name) => name,
            FileKind::Document(name) => name,
            _ => continue,
        };
        assert!(named.starts_with("a ") || named.starts_with("an "));
    }
    kind::item(&String::from_utf8_lossy(input), None);
}

fn boxes(input: &[u8]) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input).unwrap();
    let length = u64::try_from(input.len()).unwrap();
    let _ = mp4::read(&file, length);
}

/// The first byte is the length of itself and the codec settings; the sample follows.
fn sample(input: &[u8]) {
    let Some((length, _)) = input.split_first() else {
        return;
    };
    let end = usize::from(*length).clamp(1, input.len());
    let Ok(config) = AvcConfig::new(input[1..end].to_vec(), None) else {
        return;
    };
    let sample = &input[end..];
    config.read_headers(sample.len() as u64, |at, out| {
        let rest = sample.get(at as usize..).unwrap_or_default();
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        n
    });
    if let Ok(picture) = AvcDecoder::new().decode(0, &config, sample)
        && let Some(rgb) = rgb::convert(&picture.frame, picture.colours)
    {
        let pixels = picture.frame.width as usize * picture.frame.height as usize;
        assert_eq!(rgb.len(), pixels * 3);
    }
}
