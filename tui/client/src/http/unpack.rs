//! Undoes `Content-Encoding`: for answers of the API in memory, for downloads from file to file.
//!
//! The HTTP library could do it on the way, and would then hide lengths and digests, which are those of
//! the packed bytes, and break downloads that are resumed in their middle.

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use std::fs::File;
use std::io::{self, Read, Write};

/// How a body is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Packing {
    Gzip,
    Deflate,
    /// Packed in a way that we have not asked for and cannot undo.
    Unknown,
}

/// Bodies from this size on are unpacked beside everything else.
const LARGE: usize = 1 << 18;

/// How a body is packed; `None`: as it is.
pub(crate) fn packing(headers: &HeaderMap) -> Option<Packing> {
    let text = headers.get(CONTENT_ENCODING)?.to_str().ok()?;
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => None,
        "gzip" | "x-gzip" => Some(Packing::Gzip),
        "deflate" => Some(Packing::Deflate),
        _ => Some(Packing::Unknown),
    }
}

impl Packing {
    /// What undoes it. A body that does not begin as a packed one is passed on as it is: something in
    /// between has unpacked it and left the header.
    fn reader<'a>(self, head: &[u8], packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        match self {
            Self::Gzip if head.starts_with(&[0x1f, 0x8b]) => {
                Ok(Box::new(MultiGzDecoder::new(packed)))
            }
            // A zlib header: deflate with a window, the two bytes a multiple of 31.
            Self::Deflate
                if matches!(head, [a, b, ..] if a & 15 == 8
                    && (u16::from(*a) << 8 | u16::from(*b)).is_multiple_of(31)) =>
            {
                Ok(Box::new(ZlibDecoder::new(packed)))
            }
            Self::Gzip | Self::Deflate => Ok(Box::new(packed)),
            Self::Unknown => Err(io::Error::other(
                "a Content-Encoding that was not asked for",
            )),
        }
    }
}

/// A body as it was before it was packed; `None`: it is larger than `limit` bytes.
pub(crate) async fn unpacked(
    packing: Packing,
    body: Bytes,
    limit: usize,
) -> io::Result<Option<Bytes>> {
    let small = body.len() < LARGE;
    let work = move || {
        let mut out = Vec::new();
        let most = (limit as u64).saturating_add(1);
        let mut plain = packing.reader(&body, &*body)?.take(most);
        plain.read_to_end(&mut out)?;
        Ok((out.len() <= limit).then(|| out.into()))
    };
    if small {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

/// Unpacks a file into another one; gives the bytes written. Blocks.
///
/// # Errors
/// It is damaged, has more than `limit` bytes, or the disk refuses it.
pub(crate) fn unpack_file(
    packing: Packing,
    packed: &mut File,
    plain: &mut File,
    limit: u64,
) -> io::Result<u64> {
    let mut head = [0; 2];
    let known = packed.read(&mut head)?;
    let rest = io::Cursor::new(&head[..known]).chain(io::BufReader::new(packed));
    let reader = packing.reader(&head[..known], rest)?;
    let written = io::copy(&mut reader.take(limit.saturating_add(1)), plain)?;
    plain.flush()?;
    if written > limit {
        let why = format!("unpacked it has more than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(written)
}
