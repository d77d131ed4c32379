//! Downloads of media by signed URL, with support for ranges.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::media::MediaSource;
use crate::routes::prelude::*;

/// Files are read in chunks of this many bytes.
const PIECE: usize = 64 << 10;

/// Refuses a URL that this server has not signed, or that has expired.
pub(super) fn check_url(call: &Call, pairs: &Pairs, what: &str) -> Result<(), Refusal> {
    let text = |key: &str| pairs.first(key).unwrap_or_default();
    let (expires, seal) = (text("expires"), text("seal"));
    if !call.keyring.sealed(&format!("{what}/{expires}"), seal) {
        return Err(forbidden!("the URL's signature does not match"));
    }
    if call.injected.expire || expires.parse::<i64>().unwrap_or(0) < time::now() {
        return Err(forbidden!("the URL has expired; ask for another one"));
    }
    Ok(())
}

pub(super) async fn download(
    call: Call,
    ItemId(item): ItemId,
    pairs: Pairs,
    headers: HeaderMap,
) -> Reply {
    check_url(&call, &pairs, &item.to_string())?;
    let app = call.app.clone();
    let read = call.store.read(move |db| {
        let data = items::one(db, item)?;
        let content = Content::of(&app, data.source.as_ref())?;
        Ok((data, content))
    });
    let (data, content) = read.await?;
    let length = content.len();
    let tag = format!("\"{item}-{length}{}\"", content.age());
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    // A client with the beginning of another file must not get the end of this one.
    let same = text(header::IF_RANGE).is_none_or(|asked| asked == tag);
    let range = match text(header::RANGE).filter(|_| same) {
        None => None,
        Some(text) => match parse_range(text, length) {
            Range::Whole => None,
            Range::Part(from, to) => Some((from, to)),
            Range::Outside => return Ok(unsatisfiable(length)),
        },
    };
    let (from, to) = range.unwrap_or((0, length));
    let mut response = Response::new(content.body(from, to).await?);
    let out = response.headers_mut();
    let mime = data.mime.as_deref().unwrap_or("application/octet-stream");
    out.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(mime).unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if range.is_some() {
        let text = format!("bytes {from}-{}/{length}", to - 1);
        out.insert(
            header::CONTENT_RANGE,
            HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("bytes */*")),
        );
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Where the bytes are.
enum Content {
    Memory(Bytes),
    File(std::path::PathBuf, std::fs::Metadata),
}

impl Content {
    fn of(app: &App, source: Option<&MediaSource>) -> Result<Self, Refusal> {
        let none = || not_found!("this item has no bytes of its own");
        let source = source.ok_or_else(none)?;
        match app.library.file(source) {
            Some(path) => {
                let facts = std::fs::metadata(&path).map_err(unreadable)?;
                Ok(Self::File(path, facts))
            }
            None => app
                .library
                .bytes(source)
                .map(Self::Memory)
                .map_err(unreadable),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, facts) => facts.len(),
        }
    }

    /// The modification time, which distinguishes a file from an earlier one of the same name.
    fn age(&self) -> String {
        let changed = match self {
            Self::Memory(_) => None,
            Self::File(_, facts) => facts.modified().ok(),
        };
        let since = changed.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        since.map_or_else(String::new, |t| format!("-{}", t.as_nanos()))
    }

    /// The bytes from `from` up to, not including, `to`.
    async fn body(self, from: u64, to: u64) -> Result<Body, Refusal> {
        let path = match self {
            Self::Memory(bytes) => return Ok(Body::from(bytes.slice(from as usize..to as usize))),
            Self::File(path, _) => path,
        };
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        file.seek(SeekFrom::Start(from)).await.map_err(unreadable)?;
        let pieces = stream::try_unfold(
            (file.take(to - from), vec![0; PIECE]),
            async |(mut file, mut buffer)| {
                let n = file.read(&mut buffer).await?;
                let piece = Bytes::copy_from_slice(&buffer[..n]);
                Ok::<_, std::io::Error>((n > 0).then_some((piece, (file, buffer))))
            },
        );
        Ok(Body::from_stream(pieces))
    }
}

fn unreadable(error: std::io::Error) -> Refusal {
    not_found!("the item's file cannot be read: {error}")
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part(u64, u64),
    Outside,
}

/// One range in bytes. Several ranges, or another unit, may be answered with the whole file.
fn parse_range(text: &str, length: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|r| r.split_once('-')) else {
        return Range::Whole;
    };
    let number = |t: &str| t.trim().parse::<u64>().ok();
    let (from, to) = match (number(first), number(last)) {
        (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(length)),
        (Some(from), None) if last.trim().is_empty() => (from, length),
        (None, Some(tail)) if first.trim().is_empty() => (length.saturating_sub(tail), length),
        _ => return Range::Whole,
    };
    if from < to {
        Range::Part(from, to)
    } else {
        Range::Outside
    }
}

fn unsatisfiable(length: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_limited_to_the_length() {
        assert_eq!(parse_range("bytes=0-9", 100), Range::Part(0, 10));
        assert_eq!(parse_range("bytes=90-", 100), Range::Part(90, 100));
        assert_eq!(parse_range("bytes=90-900", 100), Range::Part(90, 100));
        assert_eq!(parse_range("bytes=-5", 100), Range::Part(95, 100));
        assert_eq!(parse_range("bytes=100-", 100), Range::Outside);
        assert_eq!(parse_range("bytes=0-1,5-6", 100), Range::Whole);
        assert_eq!(parse_range("lines=0-1", 100), Range::Whole);
        assert_eq!(parse_range("bytes=9-0", 100), Range::Whole);
    }
}
