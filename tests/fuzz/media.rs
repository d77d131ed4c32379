//! Fuzz targets of `wb-media`: the boxes of an MP4 file.

mod check;

use super::mp4;
use std::io::Write;

check::target!(mp4_boxes, boxes);

fn boxes(input: &[u8]) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input).unwrap();
    let length = u64::try_from(input.len()).unwrap();
    let _ = mp4::read(&file, length);
}
