//! Pages of results and the tokens that ask for the next one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::error::{Refusal, invalid};

/// A page of results.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub results: Vec<T>,
    pub next_page_token: Option<String>,
}

impl<T> Page<T> {
    /// All results on one page.
    pub(super) fn whole(results: impl IntoIterator<Item = T>) -> Self {
        Self {
            results: results.into_iter().collect(),
            next_page_token: None,
        }
    }

    /// Cuts a list that was read with one entry more than fits a page. `token` makes the token of the
    /// next page from the last entry of this one.
    pub(super) fn cut(mut results: Vec<T>, size: usize, token: impl Fn(&T) -> String) -> Self {
        let more = results.len() > size;
        results.truncate(size);
        let last = results.last().filter(|_| more);
        Self {
            next_page_token: last.map(token),
            results,
        }
    }

    pub(super) fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            results: self.results.into_iter().map(each).collect(),
            next_page_token: self.next_page_token,
        }
    }
}

/// The token of the page that begins after this row. The row itself may be gone by then.
pub(super) fn token(after: i64) -> String {
    encode(&format!("after:{after}"))
}

/// The row number in a page token; 0 without a token.
pub(super) fn after(token: Option<&str>) -> Result<i64, Refusal> {
    let Some(token) = token else { return Ok(0) };
    decode(token, |text| text.strip_prefix("after:")?.parse().ok())
}

/// An opaque token that carries `text`.
pub(super) fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Reads what `read` finds in a token.
pub(super) fn decode<T>(token: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| read(&text))
        .ok_or_else(|| invalid!("the page token was not issued by this server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_tokens_round_trip_and_foreign_ones_are_refused() {
        assert_eq!(after(Some(&token(417))).unwrap(), 417);
        assert_eq!(after(None).unwrap(), 0);
        assert!(after(Some("nonsense")).is_err());
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        let page = Page::cut(vec![1, 2, 3], 2, |n| token(*n));
        let token_of_next = Some(token(2));
        assert_eq!(
            (page.results.len(), page.next_page_token),
            (2, token_of_next)
        );
        assert!(
            Page::cut(vec![1, 2], 2, |n| token(*n))
                .next_page_token
                .is_none()
        );
    }
}
