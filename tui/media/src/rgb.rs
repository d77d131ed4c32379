//! From a decoded YUV picture to packed RGB8, and which way up it is shown.
//! Chroma is taken from the nearest sample, as the fast path of common players does.
//! Leaves to others: decoding, and colour management beyond range and matrix.

use image::metadata::Orientation;
use rust_h264::decoder::{ChromaFormat, Frame};

/// How the samples of a video map to colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColourSpec {
    /// `matrix_coefficients` of H.264, table E-5; 2 = unspecified.
    pub matrix: u8,
    /// 0 to 255 instead of 16 to 235.
    pub full_range: bool,
}

/// The orientation that the matrix a, b, c, d of a track header describes (16.16 fixed point; only signs
/// and zeros count).
pub(super) fn orientation([a, b, c, d]: [i32; 4]) -> Orientation {
    match [a, b, c, d].map(i32::signum) {
        [0, 1, -1, 0] => Orientation::Rotate90,
        [-1, 0, 0, -1] => Orientation::Rotate180,
        [0, -1, 1, 0] => Orientation::Rotate270,
        [-1, 0, 0, 1] => Orientation::FlipHorizontal,
        [0, -1, -1, 0] => Orientation::Rotate270FlipH,
        [1, 0, 0, -1] => Orientation::FlipVertical,
        [0, 1, 1, 0] => Orientation::Rotate90FlipH,
        _ => Orientation::NoTransforms,
    }
}

/// Fixed-point factors, 16 bits after the point, for samples of `depth` bits.
struct Factors {
    luma: i32,
    luma_zero: i32,
    chroma_zero: i32,
    red_v: i32,
    green_u: i32,
    green_v: i32,
    blue_u: i32,
    round: i32,
    shift: u32,
}

impl Factors {
    fn new(colours: ColourSpec, depth: u8) -> Self {
        // Shares of red and blue in luma; unspecified means BT.601 at any size, as in ffmpeg and OpenCV.
        let (kr, kb) = match colours.matrix {
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => (0.299, 0.114),
        };
        let kg = 1.0 - kr - kb;
        let (luma, chroma) = if colours.full_range {
            (1.0, 1.0)
        } else {
            (255.0 / 219.0, 255.0 / 224.0)
        };
        // At 8 bits 65536 stands for one; wider samples are brought back by a longer shift.
        #[allow(clippy::cast_possible_truncation)] // below 2^18
        let fixed = |v: f64| (v * 65536.0).round() as i32;
        let extra = u32::from(depth.saturating_sub(8));
        Self {
            luma: fixed(luma),
            luma_zero: if colours.full_range { 0 } else { 16 << extra },
            chroma_zero: 128 << extra,
            red_v: fixed(chroma * 2.0 * (1.0 - kr)),
            green_u: -fixed(chroma * 2.0 * (1.0 - kb) * kb / kg),
            green_v: -fixed(chroma * 2.0 * (1.0 - kr) * kr / kg),
            blue_u: fixed(chroma * 2.0 * (1.0 - kb)),
            round: 1 << (15 + extra),
            shift: 16 + extra,
        }
    }

    /// What chroma adds to red, green and blue.
    #[inline(always)]
    fn chroma(&self, u: i32, v: i32) -> [i32; 3] {
        let (u, v) = (u - self.chroma_zero, v - self.chroma_zero);
        [
            self.red_v * v + self.round,
            self.green_u * u + self.green_v * v + self.round,
            self.blue_u * u + self.round,
        ]
    }

    #[inline(always)]
    fn pixel(&self, out: &mut [u8; 3], luma: i32, chroma: [i32; 3]) {
        let y = (luma - self.luma_zero) * self.luma;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
        let byte = |c: i32| ((y + c) >> self.shift).clamp(0, 255) as u8;
        *out = chroma.map(byte);
    }
}

/// Packed RGB8 rows without padding; `None` when the picture's planes do not fit its size.
pub(super) fn convert(frame: &Frame, colours: ColourSpec) -> Option<Vec<u8>> {
    let (w, h) = (frame.width as usize, frame.height as usize);
    let halves = usize::from(frame.chroma_format == ChromaFormat::Yuv420);
    let (cw, ch) = (w / 2, h >> halves);
    let bytes = frame.bytes_per_sample();
    if w == 0 || h == 0 || cw == 0 || ch == 0 {
        return None;
    }
    if frame.y.len() < w * h * bytes || frame.u.len().min(frame.v.len()) < cw * ch * bytes {
        return None;
    }
    let factors = Factors::new(colours, frame.bit_depth);
    let mut rgb = vec![0u8; w * h * 3];
    for (row, out) in rgb.chunks_exact_mut(w * 3).enumerate() {
        // An odd last row or column takes the chroma before it.
        let chroma_row = (row >> halves).min(ch - 1) * cw * bytes;
        let y = &frame.y[row * w * bytes..][..w * bytes];
        let u = &frame.u[chroma_row..][..cw * bytes];
        let v = &frame.v[chroma_row..][..cw * bytes];
        if bytes == 1 {
            line(&factors, out, y, u, v);
        } else {
            wide_line(&factors, out, y, u, v);
        }
    }
    Some(rgb)
}

fn line(factors: &Factors, out: &mut [u8], y: &[u8], u: &[u8], v: &[u8]) {
    let (pixels, _) = out.as_chunks_mut::<3>();
    let (pairs, odd) = pixels.as_chunks_mut::<2>();
    let (lumas, odd_luma) = y.as_chunks::<2>();
    let mut chroma = [0; 3];
    for (((pair, luma), u), v) in pairs.iter_mut().zip(lumas).zip(u).zip(v) {
        chroma = factors.chroma(i32::from(*u), i32::from(*v));
        factors.pixel(&mut pair[0], i32::from(luma[0]), chroma);
        factors.pixel(&mut pair[1], i32::from(luma[1]), chroma);
    }
    for (pixel, luma) in odd.iter_mut().zip(odd_luma) {
        factors.pixel(pixel, i32::from(*luma), chroma);
    }
}

fn wide_line(factors: &Factors, out: &mut [u8], y: &[u8], u: &[u8], v: &[u8]) {
    let (pixels, _) = out.as_chunks_mut::<3>();
    let (y, u, v) = (
        y.as_chunks::<2>().0,
        u.as_chunks::<2>().0,
        v.as_chunks::<2>().0,
    );
    let sample = |bytes: [u8; 2]| i32::from(u16::from_le_bytes(bytes));
    for (x, (pixel, luma)) in pixels.iter_mut().zip(y).enumerate() {
        let at = (x / 2).min(u.len() - 1);
        factors.pixel(
            pixel,
            sample(*luma),
            factors.chroma(sample(u[at]), sample(v[at])),
        );
    }
}
