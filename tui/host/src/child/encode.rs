//! The call `encode`, answered in the host process so that agents link no codec.
//! Leaves to others: the encoding itself (`wb-media`).

use agent_abi::wire::EncodeQuestion;
use wb_media::{FileFormat, RgbRows};

/// Encodes a question: one line of JSON ([`EncodeQuestion`]), then the rows of pixels.
///
/// # Errors
/// The question cannot be parsed, or its pixels do not fit its size.
pub(super) fn encode(question: &[u8]) -> Result<Vec<u8>, String> {
    let end = question.iter().position(|b| *b == b'\n');
    let (head, pixels) = end
        .and_then(|end| Some((question.get(..end)?, question.get(end + 1..)?)))
        .ok_or("the question has no line of JSON before its pixels")?;
    let asked: EncodeQuestion =
        serde_json::from_slice(head).map_err(|e| format!("the question cannot be read: {e}"))?;
    let format = match asked.format.as_str() {
        "jpeg" => FileFormat::Jpeg {
            quality: asked.quality,
        },
        "png" => FileFormat::Png,
        other => return Err(format!("unknown format \"{other}\"; use jpeg or png")),
    };
    let rows = RgbRows {
        width: asked.width,
        height: asked.height,
        stride: asked.stride,
        bytes: pixels,
    };
    rows.encode(format).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(json: &str, pixels: &[u8]) -> Result<Vec<u8>, String> {
        encode(&[json.as_bytes(), b"\n", pixels].concat())
    }

    #[test]
    fn jpeg_and_png_are_encoded() {
        for (format, magic) in [("jpeg", &b"\xff\xd8"[..]), ("png", b"\x89PNG")] {
            let json = format!(r#"{{"format":"{format}","width":2,"height":1,"stride":6}}"#);
            let file = ask(&json, &[7; 6]).unwrap();
            assert!(file.starts_with(magic), "{format}");
        }
    }

    #[test]
    fn invalid_questions_are_refused() {
        for json in [
            r#"{"format":"webp","width":1,"height":1,"stride":3}"#,
            r#"{"format":"png","width":3,"height":2,"stride":9}"#,
            "{}",
        ] {
            assert!(ask(json, &[0; 12]).is_err(), "{json}");
        }
        assert!(encode(b"no line").is_err());
    }
}
