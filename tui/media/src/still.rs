//! Still pictures as packed RGB8, the right way up: JPEG, PNG, GIF (first frame), WebP, BMP, TIFF.
//! Grey, 16-bit, palette and CMYK become RGB8; an alpha channel is dropped, not blended.
//! Leaves to others: video, and formats that only ffmpeg supports.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use super::kind::{self, FileKind, ItemKind};
use super::{MAX_PIXELS, MediaError, Picture};

/// Memory that a decoder may allocate in bytes, beside the picture itself.
const MAX_ALLOC: u64 = 2 << 30;

/// Decodes the picture in `path` as frame `index`.
pub(super) fn read(path: &Path, index: u64) -> Result<Picture, MediaError> {
    let attempt = catch_unwind(AssertUnwindSafe(|| decode(path)));
    let damaged = |why: String| MediaError::StillDamaged {
        path: path.into(),
        why,
    };
    let image = attempt.map_err(|_| damaged("the decoder panicked on this picture".into()))??;
    let rgb = image.into_rgb8();
    let (width, height) = rgb.dimensions();
    Ok(Picture {
        width,
        height,
        stride: width * 3,
        rgb: rgb.into_raw(),
        index,
        pts_us: 0,
    })
}

fn decode(path: &Path) -> Result<DynamicImage, MediaError> {
    let io = |source| MediaError::Io {
        path: path.into(),
        source,
    };
    let mut file = File::open(path).map_err(io)?;
    let head = kind::read_head(&mut file).map_err(io)?;
    let kind = kind::identify(&head, ItemKind::Image);
    if kind != FileKind::Still {
        return Err(MediaError::not_a_still(path, kind, &head));
    }
    file.rewind().map_err(io)?;
    let mut reader = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(io)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let image_error = |error| from_image(path, error);
    let mut decoder = reader.into_decoder().map_err(image_error)?;
    let (width, height) = decoder.dimensions();
    super::check_size(u64::from(width), u64::from(height))?;
    if decoder.total_bytes() > MAX_PIXELS * 8 {
        return Err(super::too_large(u64::from(width), u64::from(height)));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(image_error)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn from_image(path: &Path, error: ImageError) -> MediaError {
    match error {
        ImageError::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            MediaError::Io {
                path: path.into(),
                source,
            }
        }
        ImageError::Unsupported(what) => MediaError::StillFormat {
            path: path.into(),
            format: what.to_string(),
        },
        other => MediaError::StillDamaged {
            path: path.into(),
            why: other.to_string(),
        },
    }
}
