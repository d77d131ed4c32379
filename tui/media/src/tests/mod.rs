//! Tests of pictures and video: every generated frame shows its number, and the tests read it back.
//! The fixtures and the script that makes them are in `fixtures`.

mod damage;
mod exact;
mod ffmpeg;
mod hostile;
mod sounds;
mod speed;
mod stills;

use std::path::PathBuf;

use super::{MediaError, Picture, Source};
use crate::ffmpeg::FfmpegPaths;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn real(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../local/media")
        .join(name)
}

/// A machine without ffmpeg.
fn no_tools() -> FfmpegPaths {
    let nowhere = PathBuf::from("/nonexistent/ffmpeg");
    FfmpegPaths {
        ffmpeg: nowhere.clone(),
        ffprobe: nowhere,
    }
}

fn open_alone(path: &std::path::Path, item: &str) -> Result<Source, MediaError> {
    Source::open_with(path, None, item, &[], no_tools())
}

fn video(name: &str) -> Source {
    open_alone(&fixture(name), "video").unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = (y * picture.stride + x * 3) as usize;
    [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
}

/// The number that the generating script drew, read through `place` (upright to actual).
fn number_by(picture: &Picture, place: impl Fn(u32, u32) -> (u32, u32)) -> u64 {
    (0..10)
        .filter(|bit| {
            let (x, y) = place(bit % 5 * 32 + 16, bit / 5 * 32 + 16);
            pixel(picture, x, y)[1] > 127
        })
        .map(|bit| 1 << bit)
        .sum()
}

fn number(picture: &Picture) -> u64 {
    number_by(picture, |x, y| (x, y))
}

/// Every number below `n`, shuffled the same way every time.
fn shuffled(n: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    let mut random = Random(0x9e37_79b9);
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i as u64 + 1) as usize);
    }
    order
}

/// A small generator of numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
