//! Rows of pixels as a JPEG or PNG file, for APIs that take files.

use std::borrow::Cow;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

/// RGB8 rows from the top, possibly padded.
#[derive(Clone, Copy, Debug)]
pub struct RgbRows<'p> {
    /// Pixels per row.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
    /// Bytes from one row to the next, at least `width * 3`.
    pub stride: u32,
    /// The pixels; the last row needs no padding.
    pub bytes: &'p [u8],
}

/// A file format to encode to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// JPEG with a quality from 1 to 100; values outside are clamped.
    Jpeg {
        /// 100 is the best.
        quality: u8,
    },
    /// PNG, lossless.
    Png,
}

/// Why pixels were not encoded.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "a field's name and the message explain it")]
pub enum EncodeError {
    /// The bytes are too few, or the size or stride is impossible.
    #[error("{bytes} bytes do not fit a picture of {width}x{height} with {stride} bytes per row")]
    Size {
        bytes: usize,
        width: u32,
        height: u32,
        stride: u32,
    },
    /// The encoder refused the picture, for example because JPEG cannot be that large.
    #[error("the picture cannot be encoded: {0}")]
    Encoder(#[from] ImageError),
}

impl RgbRows<'_> {
    /// Encodes the rows as a file.
    ///
    /// # Errors
    /// [`EncodeError`] when the pixels do not fit their size or the encoder refuses them.
    pub fn encode(&self, format: FileFormat) -> Result<Vec<u8>, EncodeError> {
        let rgb = self.packed()?;
        let mut file = Vec::new();
        let (width, height, color) = (self.width, self.height, ExtendedColorType::Rgb8);
        match format {
            FileFormat::Jpeg { quality } => {
                JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100))
                    .write_image(&rgb, width, height, color)?;
            }
            FileFormat::Png => {
                PngEncoder::new(&mut file).write_image(&rgb, width, height, color)?;
            }
        }
        Ok(file)
    }

    /// The rows without padding.
    fn packed(&self) -> Result<Cow<'_, [u8]>, EncodeError> {
        let (row, stride) = (self.width as usize * 3, self.stride as usize);
        let rows = self.height as usize;
        let needed = stride.checked_mul(rows.saturating_sub(1)).map(|n| n + row);
        let fits = needed.is_some_and(|needed| needed <= self.bytes.len());
        if row == 0 || rows == 0 || stride < row || !fits {
            return Err(EncodeError::Size {
                bytes: self.bytes.len(),
                width: self.width,
                height: self.height,
                stride: self.stride,
            });
        }
        if stride == row {
            return Ok(Cow::Borrowed(&self.bytes[..row * rows]));
        }
        let lines = self.bytes.chunks(stride).take(rows);
        Ok(Cow::Owned(
            lines.flat_map(|line| &line[..row]).copied().collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(size: (u32, u32, u32), bytes: &[u8]) -> RgbRows<'_> {
        let (width, height, stride) = size;
        RgbRows {
            width,
            height,
            stride,
            bytes,
        }
    }

    #[test]
    fn a_png_holds_the_same_pixels_and_no_padding() {
        let padded = [1, 2, 3, 4, 5, 6, 99, 99, 7, 8, 9, 10, 11, 12];
        let file = rows((2, 2, 8), &padded).encode(FileFormat::Png).unwrap();
        let image = image::load_from_memory(&file).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), (2, 2));
        assert_eq!(image.into_raw(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }

    /// As the guide of the authors has it, for tests without a workbench.
    fn encoder_of_the_guide(pixels: &[u8], size: (u32, u32), format: &str, quality: u8) -> Vec<u8> {
        let mut file = Vec::new();
        let (w, h, color) = (size.0, size.1, ExtendedColorType::Rgb8);
        match format {
            "jpeg" => {
                JpegEncoder::new_with_quality(&mut file, quality).write_image(pixels, w, h, color)
            }
            _ => PngEncoder::new(&mut file).write_image(pixels, w, h, color),
        }
        .unwrap();
        file
    }

    #[test]
    fn a_test_with_the_encoder_of_the_guide_gets_the_bytes_of_a_run() {
        let pixels: Vec<u8> = (0..40 * 30 * 3_u32).map(|i| (i * 37 % 251) as u8).collect();
        let padded: Vec<u8> = (pixels.chunks(120))
            .flat_map(|row| row.iter().copied().chain([99; 8]))
            .collect();
        let own = |format| rows((40, 30, 128), &padded).encode(format).unwrap();
        for quality in [0, 1, 85, 100, 255] {
            let guide = encoder_of_the_guide(&pixels, (40, 30), "jpeg", quality);
            assert_eq!(own(FileFormat::Jpeg { quality }), guide, "{quality}");
        }
        let guide = encoder_of_the_guide(&pixels, (40, 30), "png", 0);
        assert_eq!(own(FileFormat::Png), guide);
    }

    #[test]
    fn a_lower_quality_makes_a_smaller_jpeg() {
        let pixels: Vec<u8> = (0..64 * 64 * 3_u32).map(|i| (i * 37 % 251) as u8).collect();
        let size = |quality| {
            let format = FileFormat::Jpeg { quality };
            let file = rows((64, 64, 192), &pixels).encode(format).unwrap();
            let image = image::load_from_memory(&file).unwrap();
            assert_eq!((image.width(), image.height()), (64, 64));
            file.len()
        };
        assert!(size(20) < size(95));
    }

    #[test]
    fn pixels_that_do_not_fit_their_size_are_refused() {
        for size in [
            (3, 2, 9),
            (0, 2, 9),
            (3, 1, 2),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            let refused = rows(size, &[0; 12]).encode(FileFormat::Png);
            assert!(matches!(refused, Err(EncodeError::Size { .. })), "{size:?}");
        }
    }
}
