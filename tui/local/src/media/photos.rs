//! The bundled photographs, and deterministic crops of them.
//!
//! Crop `n` of a photograph is the same rectangle, on every machine and for every seed; every third
//! one is darkened as if taken at night. Sources and licences: `media/LICENSES.md`.

use std::sync::OnceLock;

use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};

use crate::ids::{mix, unit};

/// One photograph.
pub(crate) struct Photo {
    /// File name without its ending.
    pub name: &'static str,
    /// What it shows, in a word.
    pub shows: &'static str,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// The file.
    pub bytes: &'static [u8],
}

macro_rules! photo {
    ($name:literal, $shows:literal, $w:literal, $h:literal) => {
        Photo {
            name: $name,
            shows: $shows,
            size: ($w, $h),
            bytes: include_bytes!(concat!("../../media/", $name, ".jpg")),
        }
    };
}

/// The photographs, in the order of their numbers. Append only: numbers are kept in databases.
pub(crate) static PHOTOS: [Photo; 10] = [
    photo!("astronaut", "person", 512, 512),
    photo!("camera", "cameraman", 512, 512),
    photo!("chelsea", "cat", 451, 300),
    photo!("coffee", "cup", 512, 341),
    photo!("rocket", "rocket", 512, 342),
    photo!("hubble_deep_field", "sky", 512, 446),
    photo!("retina", "retina", 512, 512),
    photo!("coins", "coins", 384, 303),
    photo!("brick", "wall", 512, 512),
    photo!("gravel", "gravel", 512, 512),
];

/// How many crops there are of each photograph, numbered from 1.
pub(crate) const CROPS: u16 = 96;
/// Quality of the crops' JPEG.
const QUALITY: u8 = 85;

/// Whether a crop is darkened.
pub(crate) fn is_dark(crop: u16) -> bool {
    crop != 0 && crop.is_multiple_of(3)
}

/// The crop's rectangle in its photograph: left, top, width, height in pixels.
pub(crate) fn crop_of(photo: usize, crop: u16) -> (u32, u32, u32, u32) {
    let (width, height) = PHOTOS[photo].size;
    if crop == 0 {
        return (0, 0, width, height);
    }
    let draw = |n: u64| unit(mix((photo as u64) << 32 | u64::from(crop) << 8 | n));
    // Widths are multiples of 16: JPEG blocks stay whole, and the pictures have similar sizes in a list.
    let w = (160 + (draw(1) * 11.0) as u32 * 16).min(width);
    let h = (w * 3 / 4).min(height);
    let x = (draw(2) * f64::from(width - w + 1)) as u32;
    let y = (draw(3) * f64::from(height - h + 1)) as u32;
    (x, y, w, h)
}

/// Width and height of a picture.
pub(crate) fn picture_size(photo: usize, crop: u16) -> (u32, u32) {
    let (_, _, w, h) = crop_of(photo, crop);
    (w, h)
}

/// The photographs as pixels, each decoded when first needed.
#[derive(Default)]
pub(crate) struct Decoded([OnceLock<RgbImage>; PHOTOS.len()]);

impl Decoded {
    /// The crop as a JPEG file.
    pub(crate) fn crop(&self, photo: usize, crop: u16) -> Vec<u8> {
        let whole = self.0[photo].get_or_init(|| {
            image::load_from_memory(PHOTOS[photo].bytes)
                .expect("the bundled photographs are valid")
                .to_rgb8()
        });
        let (x, y, w, h) = crop_of(photo, crop);
        let mut picture = imageops::crop_imm(whole, x, y, w, h).to_image();
        if is_dark(crop) {
            picture.pixels_mut().for_each(|p| p.0 = night(p.0));
        }
        let mut out = Vec::with_capacity(16 << 10);
        JpegEncoder::new_with_quality(&mut out, QUALITY)
            .encode_image(&picture)
            .expect("a picture of this size is encoded in memory");
        out
    }
}

/// A third of the brightness, with a blue tint.
fn night([r, g, b]: [u8; 3]) -> [u8; 3] {
    let dim = |v: u8, share: u16| u8::try_from(u16::from(v) * share / 256).unwrap_or(u8::MAX);
    [dim(r, 80), dim(g, 84), dim(b, 104)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crop_is_inside_its_photograph() {
        for (photo, known) in PHOTOS.iter().enumerate() {
            let real = image::load_from_memory(known.bytes).unwrap();
            assert_eq!((real.width(), real.height()), known.size, "{}", known.name);
            for crop in 0..=CROPS {
                let (x, y, w, h) = crop_of(photo, crop);
                assert!(w >= 120 && h >= 100, "{} {crop}", known.name);
                assert!(
                    x + w <= known.size.0 && y + h <= known.size.1,
                    "{} {crop}",
                    known.name
                );
            }
        }
    }
}
