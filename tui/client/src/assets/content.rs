//! Whether a downloaded file matches its item, judged by its first bytes and by what its store announced.
//!
//! A login page, an error document or a message in place of a picture comes with status 200 like the picture
//! itself. Whether a picture can be decoded is left to the hosts.

use super::item::Item;
use crate::error::clean;
use crate::http::answer::beginning;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};

/// So many bytes are looked at.
pub(super) const HEAD: usize = 1024;

/// What a store announces of the bytes that it sends.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Promised {
    sha256: Option<Vec<u8>>,
    md5: Option<Vec<u8>>,
}

/// The digests of the bytes that came.
#[derive(Clone, Default)]
pub(super) struct Digests {
    pub sha256: Sha256,
    md5: Md5,
}

impl Digests {
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.md5.update(bytes);
    }

    /// The name of a digest that is not the announced one.
    pub fn differ(&self, promised: &Promised) -> Option<&'static str> {
        let other =
            |announced: &Option<Vec<u8>>, is: &[u8]| announced.as_ref().is_some_and(|a| a != is);
        if other(&promised.sha256, &self.sha256.clone().finalize()) {
            return Some("SHA-256");
        }
        other(&promised.md5, &self.md5.clone().finalize()).then_some("MD5")
    }
}

impl Promised {
    /// Reads the digests of the whole file from the headers of an answer: of RFC 9530, of S3, of Google
    /// and of Azure. An `ETag` is not one: with some encryptions it is another number of the same form.
    pub fn read(headers: &HeaderMap, whole: bool) -> Self {
        let mut all = Self::default();
        let texts = |name: &'static str| {
            let values = headers.get_all(name).into_iter();
            values.filter_map(|value| value.to_str().ok())
        };
        for text in texts("repr-digest").chain(texts("x-goog-hash")) {
            all.take(text);
        }
        // Of a part of the file these are about the part.
        if whole {
            for text in texts("content-digest").chain(texts("digest")) {
                all.take(text);
            }
            all.md5 = texts("content-md5").find_map(|t| bytes(t, 16)).or(all.md5);
        }
        let s3 = texts("x-amz-checksum-sha256").find_map(|text| bytes(text, 32));
        all.sha256 = s3.or(all.sha256);
        let azure = texts("x-ms-blob-content-md5").find_map(|text| bytes(text, 16));
        all.md5 = azure.or(all.md5);
        all
    }

    /// Reads `sha-256=:…:, md5=…`.
    fn take(&mut self, text: &str) {
        for part in text.split(',') {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "sha-256" => self.sha256 = bytes(value, 32).or(self.sha256.take()),
                "md5" => self.md5 = bytes(value, 16).or(self.md5.take()),
                _ => {}
            }
        }
    }
}

fn bytes(text: &str, count: usize) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.trim().trim_matches(':')).ok()?;
    (bytes.len() == count).then_some(bytes)
}

/// What came in place of the item's file; `None`: as far as its beginning shows it may be the file. `fits`:
/// its length is the item's, or the item has none.
pub(super) fn instead(item: &Item, head: &[u8], fits: bool) -> Option<String> {
    let found = document(head)?;
    if is_text(item) {
        // A text may be any document, but a page of another length is somebody else's.
        let mime = item.mime_type.as_deref().unwrap_or_default();
        let page = found.starts_with("a web page") && !mime.contains("html");
        return (!fits && (page || head.is_empty())).then_some(found);
    }
    Some(found)
}

/// The document that a file without pictures or sound begins as.
fn document(head: &[u8]) -> Option<String> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    if text.is_empty() {
        return Some(
            if head.is_empty() {
                "an empty file"
            } else {
                "nothing but blanks"
            }
            .to_owned(),
        );
    }
    let shown = beginning(text);
    let lower = text[..text.len().min(HEAD)].to_ascii_lowercase();
    let starts = |marks: &[&str]| marks.iter().any(|mark| lower.starts_with(mark.as_bytes()));
    let holds = |mark: &str| {
        lower
            .windows(mark.len())
            .any(|part| part == mark.as_bytes())
    };
    if starts(&["<!doctype html", "<html", "<head", "<body", "<script"])
        || (starts(&["<!--", "<?xml"]) && holds("<html"))
    {
        let page = if shown.starts_with("a web page") {
            shown
        } else {
            "a web page".to_owned()
        };
        return Some(format!("{page} (HTML)"));
    }
    if starts(&["<svg"]) || (starts(&["<?xml", "<!--", "<!doctype svg"]) && holds("<svg")) {
        return None; // a picture, though not one that can be decoded
    }
    if starts(&["<?xml", "<error"]) {
        // A manifest names other files; the decoder reports it.
        let manifest = holds("<mpd") || holds("<smil");
        return (!manifest).then(|| format!("an XML document{}", of_store(text)));
    }
    if starts(&["{", "["]) && printable(text) {
        return Some(format!("a JSON document: {shown}"));
    }
    None
}

/// Whether the item is a text, so that nothing of the sort can be out of place.
fn is_text(item: &Item) -> bool {
    let mime = item.mime_type.as_deref().unwrap_or_default();
    let binary = [
        "image",
        "video",
        "imageSequence",
        "audio",
        "pdf",
        "nifti",
        "dicomFile",
    ];
    if !binary.contains(&item.item_type.as_str()) {
        let parts = ["image/", "video/", "audio/"];
        return !parts.iter().any(|part| mime.starts_with(part));
    }
    mime.starts_with("text/") || mime.ends_with("json") || mime == "application/xml"
}

/// `: AccessDenied, Request has expired` from the error document of a store.
fn of_store(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>"))
            .map(|(part, _)| clean(part))
    };
    let parts: Vec<String> = [part("Code"), part("Message")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    }
}

fn printable(text: &[u8]) -> bool {
    text.iter()
        .all(|b| !b.is_ascii_control() || b.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn item(kind: &str, mime: Option<&str>) -> Item {
        serde_json::from_value(serde_json::json!({
            "uuid": uuid::Uuid::nil(), "itemType": kind, "mimeType": mime,
        }))
        .unwrap()
    }

    #[test]
    fn what_comes_in_place_of_a_picture_is_called_by_its_name() {
        for (bytes, name) in [
            (&b""[..], "an empty file"),
            (b" \n\t", "nothing but blanks"),
            (b"<!DOCTYPE html><html><title>Log in</title>", "a web page titled \"Log in\" (HTML)"),
            (b"\xef\xbb\xbf\n <HTML><body>", "a web page (HTML)"),
            (b"<!-- portal --><html>", "a web page (HTML)"),
            (
                b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
                "an XML document: AccessDenied, Request has expired",
            ),
            (b"<Error><Code>NoSuchKey</Code></Error>", "an XML document: NoSuchKey"),
            (b"{\"error\": \"quota\"}", "a JSON document: {\"error\": \"quota\"}"),
        ] {
            for kind in ["image", "video", "audio", "pdf", "nifti"] {
                assert_eq!(instead(&item(kind, None), bytes, true).as_deref(), Some(name), "{kind}");
            }
        }
    }

    #[test]
    fn files_that_may_be_right_are_taken() {
        for bytes in [
            &b"\x89PNG\r\n\x1a\n"[..],
            b"\xff\xd8\xff",
            b"<svg xmlns=\"x\">",
            b"<?xml version=\"1.0\"?>\n<svg>",
            b"[\x00\x01",
            b"P3\n1 1\n255\n0 0 0",
            b"#EXTM3U",
            b"anything",
        ] {
            assert_eq!(
                instead(&item("image", Some("image/png")), bytes, false),
                None,
                "{bytes:?}"
            );
        }
        for (kind, mime) in [
            ("plainText", Some("text/html")),
            ("plainText", None),
            ("timeseries", None),
        ] {
            assert_eq!(instead(&item(kind, mime), b"<html>{}", true), None);
            assert_eq!(instead(&item(kind, mime), b"", true), None);
            let page = instead(&item(kind, mime), b"<html>log in", false);
            assert_eq!(page.is_some(), mime.is_none(), "{kind} of another length");
        }
    }

    #[test]
    fn digests_are_read_wherever_a_store_writes_them() {
        let mut digests = Digests::default();
        digests.update(b"abc");
        let (sha, md5) = (
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "kAFQmDzST7DWlj99KOF/cg==",
        );
        let headers = |name: &str, value: String| {
            let mut map = HeaderMap::new();
            map.append(
                HeaderName::try_from(name).unwrap(),
                HeaderValue::try_from(value).unwrap(),
            );
            map
        };
        for (name, form, digest) in [
            ("repr-digest", "sha-512=:xx:, sha-256=:{}:", sha),
            ("content-digest", "sha-256=:{}:", sha),
            ("digest", "SHA-256={}", sha),
            ("x-amz-checksum-sha256", "{}", sha),
            ("x-goog-hash", "crc32c=AAAAAA==,md5={}", md5),
            ("content-md5", "{}", md5),
            ("x-ms-blob-content-md5", "{}", md5),
        ] {
            let right = Promised::read(&headers(name, form.replace("{}", digest)), true);
            assert_ne!(right, Promised::default(), "{name}");
            assert_eq!(digests.differ(&right), None, "{name}");
            let wrong = digest
                .replacen('9', "8", 1)
                .replacen('u', "v", 1)
                .replacen('k', "l", 1);
            let wrong = Promised::read(&headers(name, form.replace("{}", &wrong)), true);
            assert!(digests.differ(&wrong).is_some(), "{name}");
            let junk = Promised::read(&headers(name, form.replace("{}", "?")), true);
            assert_eq!(junk, Promised::default(), "{name}");
        }
        let part = Promised::read(&headers("content-md5", md5.to_owned()), false);
        assert_eq!(part, Promised::default(), "of a part of the file");
    }
}
