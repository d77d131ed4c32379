//! The forms that keys come in, and what is reported of texts that are not usable.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Cipher, Kdf, LineEnding};

const KEY_ID: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const FINGERPRINT: &str = "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg";

pub(crate) fn seed() -> [u8; 32] {
    std::array::from_fn(|i| u8::try_from(i).unwrap())
}

fn private_key() -> ssh_key::PrivateKey {
    let pair: KeypairData = Ed25519Keypair::from_seed(&seed()).into();
    ssh_key::PrivateKey::new(pair, "me@example.test").unwrap()
}

pub(crate) fn ed25519_pem() -> String {
    private_key()
        .to_openssh(LineEnding::LF)
        .unwrap()
        .to_string()
}

/// The key, encrypted with "geheim".
pub(crate) fn locked_pem() -> String {
    let kdf = Kdf::Bcrypt {
        salt: vec![7; 16],
        rounds: 2,
    };
    let key = private_key();
    let locked = key.encrypt_with(Cipher::Aes256Ctr, kdf, 4711, "geheim");
    locked
        .unwrap()
        .to_openssh(LineEnding::LF)
        .unwrap()
        .to_string()
}

fn utf16(text: &str, mark: u16, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(mark).chain(text.encode_utf16());
    units.flat_map(bytes).collect()
}

fn key(bytes: &[u8]) -> Result<Key, KeyError> {
    match Key::read(bytes)? {
        KeyFile::Key(key) => Ok(key),
        KeyFile::Locked(_) => Err(KeyError::Locked),
    }
}

#[test]
fn openssh_text_gives_the_key_of_the_vectors() {
    let key = Key::from_openssh(&ed25519_pem()).unwrap();
    assert_eq!(key.id(), KEY_ID);
    assert_eq!(key.comment(), "me@example.test");
    assert_eq!(
        key.public_line(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    );
    assert_eq!(key.fingerprint(), FINGERPRINT);
}

#[test]
fn every_form_that_people_have_keys_in_is_read() {
    let pem = ed25519_pem();
    let body: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
    let der = [
        &[
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ][..],
        &seed(),
    ]
    .concat();
    let pkcs8 = STANDARD.encode(der);
    let texts = [
        ("as it is", pem.clone()),
        ("without its last line end", pem.trim().to_owned()),
        ("blanks around", format!("\n  {pem}  \n")),
        ("indented", pem.replace('\n', "\n    ")),
        ("CRLF", pem.replace('\n', "\r\n")),
        ("CR", pem.replace('\n', "\r")),
        ("\\n as two characters", pem.trim().replace('\n', "\\n")),
        ("\\r\\n as four", pem.replace('\n', "\\r\\n")),
        ("folded to one line", pem.replace('\n', " ")),
        ("folded without blanks", pem.replace('\n', "")),
        ("a byte order mark", format!("\u{feff}{pem}")),
        ("double quotes", format!("\"{pem}\"")),
        ("single quotes", format!("'{}'\n", pem.trim())),
        (
            "comments",
            format!("# of the build server\nComment: x\n{pem}# end\n"),
        ),
        (
            "JSON",
            format!("{{\"key\": \"{}\"}}", pem.replace('\n', "\\n")),
        ),
        ("base64 of the whole", STANDARD.encode(&pem)),
        (
            "base64 without padding",
            STANDARD.encode(&pem).replace('=', ""),
        ),
        (
            "base64 in lines",
            STANDARD
                .encode(&pem)
                .as_bytes()
                .chunks(76)
                .map(|l| String::from_utf8_lossy(l))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        (
            "base64 of the file with CRLF",
            STANDARD.encode(pem.replace('\n', "\r\n")),
        ),
        ("the body alone", body),
        (
            "without its last line",
            pem.replace("-----END OPENSSH PRIVATE KEY-----\n", ""),
        ),
        (
            "a public key before it",
            format!("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n{pem}"),
        ),
        (
            "PKCS#8",
            format!("-----BEGIN PRIVATE KEY-----\n{pkcs8}\n-----END PRIVATE KEY-----\n"),
        ),
    ];
    for (form, text) in texts {
        let read = key(text.as_bytes()).map(|key| key.id().to_owned());
        assert_eq!(read.as_deref(), Ok(KEY_ID), "{form}");
    }
    let files = [
        (
            "UTF-16 of Windows",
            utf16(&pem.replace('\n', "\r\n"), 0xfeff, u16::to_le_bytes),
        ),
        (
            "UTF-16, the other order",
            utf16(&pem, 0xfeff, u16::to_be_bytes),
        ),
        (
            "not base64 at all",
            private_key().to_bytes().unwrap().to_vec(),
        ),
    ];
    for (form, bytes) in files {
        assert_eq!(key(&bytes).unwrap().id(), KEY_ID, "{form}");
    }
}

#[test]
fn every_kind_of_wrong_text_is_named() {
    let pem = ed25519_pem();
    let lines: Vec<&str> = pem.lines().collect();
    let of_kind = |kind: &str| {
        let mut blob = openssh::MAGIC.to_vec();
        for part in ["none", "none", ""] {
            blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            blob.extend(part.bytes());
        }
        blob.extend(1_u32.to_be_bytes());
        blob.extend(u32::try_from(kind.len() + 4).unwrap().to_be_bytes());
        blob.extend(u32::try_from(kind.len()).unwrap().to_be_bytes());
        blob.extend(kind.bytes());
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
            STANDARD.encode(blob)
        )
    };
    let block = |label: &str| format!("-----BEGIN {label}-----\nMIIE\n-----END {label}-----\n");
    let head = |n: usize| lines[..n].join("\n");
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().join("\n");
    let doubled = [&lines[..3], &lines[2..]].concat().join("\n");
    let public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me".to_owned();
    for (form, error) in [
        (String::new(), KeyError::Empty),
        ("  \n".to_owned(), KeyError::Empty),
        ("\"\"".to_owned(), KeyError::Empty),
        (public, KeyError::Public),
        (block("PUBLIC KEY"), KeyError::Public),
        (
            "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA".to_owned(),
            KeyError::Public,
        ),
        (
            "ssh-ed25519-cert-v01@openssh.com AAAA me".to_owned(),
            KeyError::Certificate,
        ),
        (block("CERTIFICATE"), KeyError::Certificate),
        (
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none".to_owned(),
            KeyError::Putty,
        ),
        ("hello".to_owned(), KeyError::NotAKey),
        ("0123456789abcdef".to_owned(), KeyError::NotAKey),
        (block("RSA PRIVATE KEY"), KeyError::OtherKind("an RSA")),
        (block("EC PRIVATE KEY"), KeyError::OtherKind("an ECDSA")),
        (block("DSA PRIVATE KEY"), KeyError::OtherKind("a DSA")),
        (block("ENCRYPTED PRIVATE KEY"), KeyError::LockedPkcs8),
        (block("SSH2 ENCRYPTED PRIVATE KEY"), KeyError::OtherFormat),
        (of_kind("ssh-rsa"), KeyError::OtherKind("an RSA")),
        (
            of_kind("ecdsa-sha2-nistp256"),
            KeyError::OtherKind("an ECDSA"),
        ),
        (
            of_kind("sk-ssh-ed25519@openssh.com"),
            KeyError::OtherKind("a hardware security (FIDO)"),
        ),
        (head(1), KeyError::Truncated { line: 1 }),
        (head(3), KeyError::Truncated { line: 3 }),
        (
            format!("# a comment\n{}", head(3)),
            KeyError::Truncated { line: 4 },
        ),
        (pem[..200].to_owned(), KeyError::Truncated { line: 4 }),
        (pem[..25].to_owned(), KeyError::Truncated { line: 1 }),
        (
            without(3),
            KeyError::Truncated {
                line: lines.len() - 2,
            },
        ),
        (without(2), KeyError::Damaged),
        (doubled, KeyError::Damaged),
        (
            pem.replacen("b3BlbnNz", "b3Bl…nNz", 1),
            KeyError::Character { line: 2 },
        ),
        (pem.replacen("b3BlbnNz", "b3BlbnNy", 1), KeyError::Damaged),
        (locked_pem(), KeyError::Locked),
    ] {
        assert_eq!(Key::from_openssh(&form).unwrap_err(), error, "{form:?}");
        let shown = error.to_string();
        assert!(
            !shown.contains("b3Bl") && !shown.contains("MIIE"),
            "{shown}"
        );
    }
}

#[test]
fn a_key_with_a_passphrase_opens_with_that_passphrase_only() {
    let KeyFile::Locked(locked) = Key::read(locked_pem().as_bytes()).unwrap() else {
        panic!("it is encrypted");
    };
    assert_eq!(locked.fingerprint(), FINGERPRINT);
    for wrong in ["", "Geheim", "geheim "] {
        let error = locked.unlock(wrong).unwrap_err();
        assert_eq!(error, KeyError::WrongPassphrase, "{wrong:?}");
    }
    let key = locked.unlock("geheim").unwrap();
    assert_eq!((key.id(), key.comment()), (KEY_ID, "me@example.test"));
}

#[test]
fn debug_shows_the_public_part_only() {
    let shown = format!("{:?}", Key::from_seed(&seed()));
    assert!(shown.contains("03a107bf"));
    assert!(!shown.contains("00010203"), "{shown}");
}
