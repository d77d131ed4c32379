//! The call `encode`, answered here: pixels become JPEG or PNG for APIs that want files. Agents link no
//! codec, and nothing of it concerns the workbench.

use agent_abi::wire::EncodeQuestion;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::borrow::Cow;

/// Encodes: a line of JSON ([`EncodeQuestion`]), then the rows.
///
/// # Errors
/// A question that is none, or pixels that do not fit it.
pub(super) fn encode(question: &[u8]) -> Result<Vec<u8>, String> {
    let end = question.iter().position(|b| *b == b'\n');
    let (head, pixels) = end
        .and_then(|end| Some((question.get(..end)?, question.get(end + 1..)?)))
        .ok_or("the question has no line of JSON before its pixels")?;
    let asked: EncodeQuestion =
        serde_json::from_slice(head).map_err(|e| format!("the question cannot be read: {e}"))?;
    let rgb = packed(&asked, pixels)?;
    let mut file = Vec::new();
    let (width, height, color) = (asked.width, asked.height, ExtendedColorType::Rgb8);
    let done = match asked.format.as_str() {
        "jpeg" => JpegEncoder::new_with_quality(&mut file, asked.quality.clamp(1, 100))
            .write_image(&rgb, width, height, color),
        "png" => PngEncoder::new(&mut file).write_image(&rgb, width, height, color),
        other => {
            return Err(format!(
                "\"{other}\" is no format here; there are jpeg and png"
            ));
        }
    };
    done.map_err(|e| format!("the picture cannot be encoded: {e}"))?;
    Ok(file)
}

/// Rows without padding.
fn packed<'p>(asked: &EncodeQuestion, pixels: &'p [u8]) -> Result<Cow<'p, [u8]>, String> {
    let (row, stride) = (asked.width as usize * 3, asked.stride as usize);
    let rows = asked.height as usize;
    let needed = stride.checked_mul(rows.saturating_sub(1)).map(|n| n + row);
    let fits = needed.is_some_and(|needed| needed <= pixels.len());
    if row == 0 || rows == 0 || stride < row || !fits {
        return Err(format!(
            "{} bytes are no picture of {}x{} with {stride} bytes per row",
            pixels.len(),
            asked.width,
            asked.height
        ));
    }
    if stride == row {
        return Ok(Cow::Borrowed(&pixels[..row * rows]));
    }
    let lines = pixels.chunks(stride).take(rows);
    Ok(Cow::Owned(
        lines.flat_map(|line| &line[..row]).copied().collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(json: &str, pixels: &[u8]) -> Result<Vec<u8>, String> {
        encode(&[json.as_bytes(), b"\n", pixels].concat())
    }

    #[test]
    fn a_png_holds_the_same_pixels_and_no_padding() {
        let padded = [1, 2, 3, 4, 5, 6, 99, 99, 7, 8, 9, 10, 11, 12];
        let file = ask(
            r#"{"format":"png","width":2,"height":2,"stride":8}"#,
            &padded,
        )
        .unwrap();
        let image = image::load_from_memory(&file).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), (2, 2));
        assert_eq!(image.into_raw(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }

    #[test]
    fn a_lower_quality_makes_a_smaller_jpeg() {
        let pixels: Vec<u8> = (0..64 * 64 * 3_u32).map(|i| (i * 37 % 251) as u8).collect();
        let size = |quality: u8| {
            let json = format!(
                r#"{{"format":"jpeg","width":64,"height":64,"stride":192,"quality":{quality}}}"#
            );
            let file = ask(&json, &pixels).unwrap();
            let image = image::load_from_memory(&file).unwrap();
            assert_eq!((image.width(), image.height()), (64, 64));
            file.len()
        };
        assert!(size(20) < size(95));
    }

    #[test]
    fn pixels_that_do_not_fit_their_size_are_refused() {
        for json in [
            r#"{"format":"png","width":3,"height":2,"stride":9}"#,
            r#"{"format":"png","width":0,"height":2,"stride":9}"#,
            r#"{"format":"png","width":3,"height":1,"stride":2}"#,
            r#"{"format":"png","width":4294967295,"height":4294967295,"stride":4294967295}"#,
            r#"{"format":"webp","width":1,"height":1,"stride":3}"#,
            "{}",
        ] {
            assert!(ask(json, &[0; 12]).is_err(), "{json}");
        }
        assert!(encode(b"no line").is_err());
    }
}
