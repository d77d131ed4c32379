//! A key's text as people have it: with a byte order mark, quotes or comments around it, CR line ends, `\n` as two
//! characters, folded to one line, encoded in base64 once more, or without its first and last line.
//!
//! What the decoded bytes hold is left to `openssh`.

use super::KeyError;
use super::openssh::MAGIC;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// What a text holds.
pub(super) enum Content {
    /// The bytes of an `openssh-key-v1`, and the last line of its text, counted from 1.
    OpenSsh(Zeroizing<Vec<u8>>, usize),
    /// The private bytes of an Ed25519 key in PKCS#8.
    Seed(Zeroizing<[u8; 32]>),
}

/// Both alphabets of base64 have their own engine, because padding is often lost.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Finds the key in the content of a file or variable.
pub(super) fn read(bytes: &[u8]) -> Result<Content, KeyError> {
    if bytes.starts_with(MAGIC) {
        return Ok(Content::OpenSsh(Zeroizing::new(bytes.to_vec()), 1));
    }
    let text = decoded(bytes);
    let text = stripped(&text);
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    match block(&text) {
        Some(block) => of_block(&block),
        None => without_marks(&text),
    }
}

/// UTF-8 or UTF-16, as Windows writes it.
fn decoded(bytes: &[u8]) -> Zeroizing<String> {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units = bytes[2..]
            .chunks_exact(2)
            .map(|pair| of([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    Zeroizing::new(match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// Without what shells, editors and JSON leave around and inside it.
fn stripped(text: &str) -> Zeroizing<String> {
    let around =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\u{feff}' | '\u{200b}');
    let text = text.trim_matches(around);
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '\r']) {
        out.push_str(&rest[..at]);
        let (line_end, length) = match &rest[at..] {
            end if end.starts_with("\\r\\n") => (true, 4),
            end if end.starts_with("\\n") || end.starts_with("\\r") => (true, 2),
            end if end.starts_with("\r\n") => (true, 2),
            end if end.starts_with('\r') => (true, 1),
            // At the end of a line, a shell's or a Dockerfile's mark that it continues.
            end => (false, end.len().min(1)),
        };
        if line_end {
            out.push('\n');
        }
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// A PEM block.
struct Block<'a> {
    label: &'a str,
    body: &'a str,
    /// The line that the body begins on, counted from 1.
    line: usize,
}

/// The first private key in the text, else its first block.
fn block(text: &str) -> Option<Block<'_>> {
    let mut first = None;
    let mut from = 0;
    while let Some(at) = text[from..].find(BEGIN).map(|at| from + at) {
        from = at + BEGIN.len();
        let Some(length) = text[from..].find(DASHES) else {
            break;
        };
        let body = from + length + DASHES.len();
        let end = text[body..].find(END).map_or(text.len(), |end| body + end);
        let block = Block {
            label: text[from..from + length].trim(),
            body: &text[body..end],
            line: 1 + text[..body].matches('\n').count(),
        };
        if block.label.contains("PRIVATE KEY") {
            return Some(block);
        }
        first = first.or(Some(block));
        from = end;
    }
    first
}

fn of_block(block: &Block<'_>) -> Result<Content, KeyError> {
    match block.label {
        "OPENSSH PRIVATE KEY" => {
            let (bytes, last) = body(block)?;
            Ok(Content::OpenSsh(bytes, last))
        }
        "PRIVATE KEY" => pkcs8(&body(block)?.0),
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::LockedPkcs8),
        "RSA PRIVATE KEY" => Err(KeyError::OtherKind("an RSA")),
        "EC PRIVATE KEY" => Err(KeyError::OtherKind("an ECDSA")),
        "DSA PRIVATE KEY" => Err(KeyError::OtherKind("a DSA")),
        label if label.contains("PRIVATE KEY") => Err(KeyError::OtherFormat),
        label if label.contains("PUBLIC KEY") => Err(KeyError::Public),
        label if label.contains("CERTIFICATE") => Err(KeyError::Certificate),
        _ => Err(KeyError::NotAKey),
    }
}

/// The decoded base64 of a block, and its last line.
fn body(block: &Block<'_>) -> Result<(Zeroizing<Vec<u8>>, usize), KeyError> {
    let mut base64 = Zeroizing::new(String::with_capacity(block.body.len()));
    let mut last = block.line;
    for (line, text) in (block.line..).zip(block.body.lines()) {
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            if !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')) {
                return Err(KeyError::Character { line });
            }
            base64.push(c);
            last = line;
        }
    }
    Ok((lenient(&base64), last))
}

/// As much as can be decoded: what is missing shows in the lengths inside.
fn lenient(base64: &str) -> Zeroizing<Vec<u8>> {
    let data = base64.split('=').next().unwrap_or_default();
    // A single character left over carries fewer bits than a byte.
    let whole = data.len() - usize::from(data.len() % 4 == 1);
    Zeroizing::new(STANDARD.decode(&data[..whole]).unwrap_or_default())
}

/// The private key in PKCS#8 (RFC 8410), or the name of its kind.
fn pkcs8(der: &[u8]) -> Result<Content, KeyError> {
    /// AlgorithmIdentifier of Ed25519, and the two headers of the octet string in an octet string.
    const ED25519: [u8; 11] = [
        0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    const KINDS: [(&[u8], &str); 4] = [
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01], "an RSA"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], "an ECDSA"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "a DSA"),
        (&[0x06, 0x03, 0x2b, 0x65, 0x71], "an Ed448"),
    ];
    // The sequence and the version come first: at most 8 bytes for keys of these kinds.
    let head = |part: &[u8]| der.windows(part.len()).take(20).position(|at| at == part);
    if let Some(at) = head(&ED25519) {
        let seed = der
            .get(at + ED25519.len()..)
            .and_then(|rest| rest.first_chunk());
        let seed: &[u8; 32] = seed.ok_or(KeyError::Damaged)?;
        return Ok(Content::Seed(Zeroizing::new(*seed)));
    }
    let kind = KINDS.iter().find(|(oid, _)| head(oid).is_some());
    Err(kind.map_or(KeyError::OtherFormat, |(_, kind)| KeyError::OtherKind(kind)))
}

/// A text without a block: another program's format, a public key, or base64.
fn without_marks(text: &str) -> Result<Content, KeyError> {
    let line = |start: &str| {
        text.lines()
            .any(|line| line.trim_start().starts_with(start))
    };
    if line("PuTTY-User-Key-File-") {
        return Err(KeyError::Putty);
    }
    if line("---- BEGIN SSH2 PUBLIC KEY") {
        return Err(KeyError::Public);
    }
    if line("---- BEGIN SSH2 ") {
        return Err(KeyError::OtherFormat);
    }
    if line(BEGIN) {
        return Err(KeyError::Truncated { line: 1 });
    }
    if ["ssh-", "ecdsa-", "sk-"].iter().any(|start| line(start)) {
        let certificate = text.contains("-cert-v01@");
        return Err(match certificate {
            true => KeyError::Certificate,
            false => KeyError::Public,
        });
    }
    let base64: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
    // The body of a key cut off at its end is still recognised by how it begins.
    if base64.starts_with("b3BlbnNzaC1rZXktdjE") {
        let (bytes, last) = body(&Block {
            label: "",
            body: text,
            line: 1,
        })?;
        return Ok(Content::OpenSsh(bytes, last));
    }
    let bytes = (STANDARD.decode(&*base64)).or_else(|_| URL_SAFE.decode(&*base64));
    let bytes = Zeroizing::new(bytes.map_err(|_| KeyError::NotAKey)?);
    let inner = decoded(&bytes);
    match block(&stripped(&inner)) {
        Some(block) => of_block(&block),
        None => Err(KeyError::NotAKey),
    }
}
