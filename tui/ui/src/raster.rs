//! Decoded pictures: pixels in memory, in any size. Decoding files is left to the binary.

use image::imageops::thumbnail;
use image::{ImageBuffer, Rgb};

/// A decoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue of each pixel, row by row; `3 × width × height` bytes.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {})", self.width, self.height)
    }
}

impl Picture {
    /// The same in another size; sides are at least 1.
    #[must_use]
    pub fn scaled(&self, width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let whole: Option<ImageBuffer<Rgb<u8>, &[u8]>> =
            ImageBuffer::from_raw(self.width, self.height, &self.rgb);
        let rgb = whole.map(|whole| thumbnail(&whole, width, height).into_raw());
        let rgb = rgb.unwrap_or_else(|| vec![0; width as usize * height as usize * 3]);
        Self { width, height, rgb }
    }
}
