//! Why a text is not a usable key, each reason with what to do.

/// Why a text is not a usable key. No variant carries any part of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// The public half.
    #[error("it is a public key; the private key is the file without `.pub`")]
    Public,
    /// A certificate, of SSH or of TLS.
    #[error("it is a certificate; the private key is the file without `-cert.pub`")]
    Certificate,
    /// PuTTY's own format.
    #[error(
        "it is in PuTTY's format; convert it with `puttygen KEY.ppk -O private-openssh -o id_ed25519`, \
         or in PuTTYgen with Conversions > Export OpenSSH key"
    )]
    Putty,
    /// RSA, ECDSA, …
    #[error(
        "it is {0} key, and Encord accepts Ed25519 keys only; make one with `ssh-keygen -t ed25519` and add \
         its public half on the platform under Settings > Public keys"
    )]
    OtherKind(&'static str),
    /// A PEM block of another format.
    #[error(
        "it is a private key in another format; only OpenSSH keys and unencrypted PKCS#8 keys can be read. \
         Convert a copy with `cp KEY COPY && ssh-keygen -p -N '' -f COPY`"
    )]
    OtherFormat,
    /// PKCS#8 with a passphrase.
    #[error(
        "it is an encrypted PKCS#8 key, and passphrases are supported for OpenSSH keys only; decrypt a copy with \
         `openssl pkcs8 -in KEY -out COPY`"
    )]
    LockedPkcs8,
    /// Protected by a passphrase that nobody gave.
    #[error(
        "it is protected by a passphrase; set ENCORD_SSH_KEY_PASSPHRASE, run the command in a terminal (without \
         --no-input) to be asked for it, or load the key into ssh-agent (`ssh-add KEY`) and leave both \
         ENCORD_SSH_KEY and ENCORD_SSH_KEY_FILE unset"
    )]
    Locked,
    /// The passphrase does not fit.
    #[error("it is protected by a passphrase, and the one that was entered is wrong")]
    WrongPassphrase,
    /// The same, of the environment's passphrase.
    #[error("ENCORD_SSH_KEY_PASSPHRASE is not its passphrase")]
    WrongVariable,
    /// The question for the passphrase was left without an answer.
    #[error("no passphrase was entered")]
    NotEntered,
    /// OpenSSH has more ciphers than this program.
    #[error(
        "it is encrypted with a cipher that is not supported here; encrypt a copy with the usual one: \
         `cp KEY COPY && ssh-keygen -p -Z aes256-ctr -f COPY`"
    )]
    Cipher,
    /// The end is missing.
    #[error("it is incomplete: its text ends too early, at line {line}; copy the whole file again")]
    Truncated {
        /// The last line that is there.
        line: usize,
    },
    /// A character that base64 does not have.
    #[error("line {line} has a character that no key contains; copy the whole file again")]
    Character {
        /// Counted from 1.
        line: usize,
    },
    /// All there, and it does not fit together.
    #[error("it is damaged: its parts do not fit together; copy the whole file again")]
    Damaged,
    /// More keys than one in a file, which OpenSSH allows and never writes.
    #[error("it holds several keys in one block; store one key per file")]
    SeveralKeys,
    /// Something else altogether.
    #[error(
        "it is not a private key; one begins with `-----BEGIN OPENSSH PRIVATE KEY-----` and ends with \
         `-----END OPENSSH PRIVATE KEY-----`"
    )]
    NotAKey,
}
