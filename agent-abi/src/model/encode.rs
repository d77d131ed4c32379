//! Pictures as files for model APIs: JPEG, PNG, base64, data URLs.
//!
//! The encoding is done by the host process, so that agents link no codec.

use super::{Frame, Picture};
use crate::error::{Error, Result};
use crate::inject;
use crate::wire::{EncodeQuestion, call};
use std::ops::Deref;

/// An encoded picture: its bytes, and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    bytes: Vec<u8>,
    mime_type: &'static str,
}

impl Encoded {
    /// `image/jpeg` or `image/png`.
    #[must_use]
    pub const fn mime_type(&self) -> &'static str {
        self.mime_type
    }

    /// The file.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The file in base64, as most model APIs take it.
    #[must_use]
    pub fn base64(&self) -> String {
        base64(&self.bytes)
    }

    /// `data:image/jpeg;base64,…`.
    #[must_use]
    pub fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.mime_type, self.base64())
    }
}

impl Deref for Encoded {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Frame<'_> {
    /// This picture as a JPEG file; the quality is 1 to 100, 85 is usual.
    ///
    /// # Errors
    /// When the host cannot encode it.
    pub fn jpeg(&self, quality: u8) -> Result<Encoded> {
        let size = (self.width(), self.height(), self.stride());
        encode("jpeg", quality, size, self.data())
    }

    /// This picture as a PNG file.
    ///
    /// # Errors
    /// When the host cannot encode it.
    pub fn png(&self) -> Result<Encoded> {
        let size = (self.width(), self.height(), self.stride());
        encode("png", 0, size, self.data())
    }
}

impl Picture {
    /// This picture as a JPEG file; the quality is 1 to 100, 85 is usual.
    ///
    /// # Errors
    /// When the host cannot encode it, or no task runs on this thread.
    pub fn jpeg(&self, quality: u8) -> Result<Encoded> {
        encode("jpeg", quality, self.size(), &self.data)
    }

    /// This picture as a PNG file.
    ///
    /// # Errors
    /// When the host cannot encode it, or no task runs on this thread.
    pub fn png(&self) -> Result<Encoded> {
        encode("png", 0, self.size(), &self.data)
    }

    const fn size(&self) -> (u32, u32, u32) {
        (self.width, self.height, self.width * 3)
    }
}

fn encode(
    format: &str,
    quality: u8,
    (width, height, stride): (u32, u32, u32),
    pixels: &[u8],
) -> Result<Encoded> {
    let head = EncodeQuestion {
        format: format.to_owned(),
        width,
        height,
        stride,
        quality,
    };
    let mut question = serde_json::to_vec(&head)?;
    question.reserve(pixels.len() + 1);
    question.push(b'\n');
    question.extend_from_slice(pixels);
    let Some(answer) = inject::call(call::ENCODE, &question) else {
        return Err(Error::new(
            "pictures are encoded by the host: do it on the thread that the agent was called on",
        )
        .permanent());
    };
    match answer.map_err(Error::new)? {
        Some(bytes) => Ok(Encoded {
            bytes,
            mime_type: if format == "png" {
                "image/png"
            } else {
                "image/jpeg"
            },
        }),
        None => {
            Err(Error::new("this workbench does not encode pictures; use a newer one").permanent())
        }
    }
}

/// Standard base64 with padding (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for n in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * n)) as usize & 63];
            text.push(if n > chunk.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base64_is_the_one_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }
}
