//! Adds a reason to hyper's own error responses.
//!
//! A request line that is too long or malformed never reaches a route: hyper answers with a status and no
//! body, and closes. This layer below hyper replaces such a response by one with the reason, as JSON
//! like every other refusal.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Hyper's own responses: the status line, and the reason.
const REASONS: [(&[u8], &str); 3] = [
    (
        b"HTTP/1.1 414 ",
        "the request target is longer than 65534 bytes; ask for fewer things at a time",
    ),
    (
        b"HTTP/1.1 431 ",
        "the request headers are larger than this server accepts",
    ),
    (b"HTTP/1.1 400 ", "this is not an HTTP/1.1 request"),
];

/// A connection that adds reasons.
pub(super) struct Plain<S> {
    inner: S,
    /// The replacement being written: its bytes, how many are written, and how many it replaces.
    instead: Option<(Vec<u8>, usize, usize)>,
}

impl<S> Plain<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            instead: None,
        }
    }
}

/// The response with its reason, if it is one of hyper's own: only those have an empty body.
fn with_reason(answer: &[u8]) -> Option<Vec<u8>> {
    let (start, reason) = REASONS
        .iter()
        .find(|(start, _)| answer.starts_with(start))?;
    let head = std::str::from_utf8(answer).ok()?;
    if !head.contains("\r\ncontent-length: 0\r\n") || !head.ends_with("\r\n\r\n") {
        return None;
    }
    let status = std::str::from_utf8(start.get(9..12)?).ok()?;
    let body = json!({"message": reason}).to_string();
    let length = body.len();
    Some(
        format!(
            "HTTP/1.1 {status} \r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes(),
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        if this.instead.is_none() {
            this.instead = with_reason(bytes).map(|answer| (answer, 0, bytes.len()));
        }
        let Some((answer, written, replaced)) = &mut this.instead else {
            return Pin::new(&mut this.inner).poll_write(context, bytes);
        };
        while *written < answer.len() {
            *written += ready!(Pin::new(&mut this.inner).poll_write(context, &answer[*written..]))?;
        }
        let replaced = *replaced;
        this.instead = None;
        Poll::Ready(Ok(replaced))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let first = pieces.iter().find(|p| !p.is_empty());
        match first {
            Some(first) if this.instead.is_some() || with_reason(first).is_some() => {
                Pin::new(this).poll_write(context, first)
            }
            _ => Pin::new(&mut this.inner).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_responses_without_a_body_get_a_reason() {
        let own = b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let answer = String::from_utf8(with_reason(own).unwrap()).unwrap();
        assert!(answer.contains("65534 bytes"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
        let ours =
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 20\r\n\r\n{\"message\":\"refused\"}";
        assert_eq!(with_reason(ours), None);
        assert_eq!(
            with_reason(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            None
        );
    }
}
