//! Sixel: bands of six rows, one pass for each colour of a band, runs counted. Colours are the 256 that fit the
//! picture best, found by `color_quant`, which reading GIF files brings along.

use crate::raster::Picture;
use color_quant::NeuQuant;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Colours at most.
const COLOURS: usize = 256;
/// Pixels that the colours are searched in, about; of larger pictures a part of the pixels stands for all.
const SEARCHED: usize = 40_000;
/// Rows of a band.
const BAND: usize = 6;

/// The whole command, from DCS to ST.
pub fn encode(pixels: &Picture) -> Vec<u8> {
    let (w, h) = (pixels.width as usize, pixels.height as usize);
    let rgba: Vec<u8> = (pixels.rgb.chunks_exact(3))
        .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255])
        .collect();
    // One is the best and slowest, 30 the coarsest.
    let every = i32::try_from((w * h).div_ceil(SEARCHED))
        .unwrap_or(i32::MAX)
        .clamp(1, 30);
    let palette = NeuQuant::new(every, COLOURS, &rgba);
    let indexes: Vec<usize> = rgba.chunks_exact(4).map(|p| palette.index_of(p)).collect();
    let mut out = format!("\x1bP0;1q\"1;1;{w};{h}");
    let share = |value: u8| (u32::from(value) * 100 + 127) / 255;
    for (n, colour) in palette.color_map_rgb().chunks_exact(3).enumerate() {
        let [r, g, b] = [colour[0], colour[1], colour[2]].map(share);
        let _ = write!(out, "#{n};2;{r};{g};{b}");
    }
    for band in indexes.chunks(BAND * w.max(1)) {
        write_band(band, w, &mut out);
        out.push('-');
    }
    out += "\x1b\\";
    out.into_bytes()
}

/// One band: for each of its colours the columns in which it has pixels.
fn write_band(band: &[usize], w: usize, out: &mut String) {
    let mut colours: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    for (n, colour) in band.iter().enumerate() {
        let (row, column) = (n / w, n % w);
        let columns = colours.entry(*colour).or_insert_with(|| vec![0; w]);
        columns[column] |= 1 << row;
    }
    for (colour, columns) in &colours {
        let _ = write!(out, "#{colour}");
        for run in columns.chunk_by(|a, b| a == b) {
            let letter = char::from(63 + run[0]);
            if run.len() > 3 {
                let _ = write!(out, "!{}{letter}", run.len());
            } else {
                out.extend(std::iter::repeat_n(letter, run.len()));
            }
        }
        out.push('$');
    }
}
