//! Why there was no answer, in as much detail as a person can act on.

use super::clean::clean;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Obstacle {
    /// The name of the host is not known.
    Name,
    /// Nobody listens there.
    Refused,
    /// The connection was not made in time, or there is no way to the host.
    NoWay(String),
    /// Connected, but no answer began within this time.
    Silent(Duration),
    /// The answer began, and then nothing more came for this time.
    Stalled(Duration),
    /// The answer came at so many bytes per second; so many are the least that is accepted.
    TooSlow(u64, u64),
    /// The answer kept coming and was not complete after this time.
    TooLong(Duration),
    /// Its certificate is not to be trusted; nothing was sent.
    Certificate(BadCertificate),
    /// It does not speak TLS.
    NoTls,
    /// The proxy of the environment did not let us through.
    Proxy(String),
    /// The connection broke, or something else in the library's own words.
    Broken(String),
}

/// What is wrong with a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BadCertificate {
    /// Signed by nobody this machine trusts.
    UnknownIssuer,
    /// It is its own authority, which no server's certificate may be.
    SelfSigned,
    /// No longer valid, by this machine's clock.
    Expired,
    /// Not yet valid, by this machine's clock.
    NotYet,
    /// For other names.
    OtherName(Vec<String>),
    /// Anything else, in the library's words.
    Other(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("there is no host of that name"),
            Self::Refused => f.write_str("connection refused: nobody listens there"),
            Self::NoWay(why) => write!(f, "no connection ({why})"),
            Self::Silent(time) => write!(f, "no answer within {}", seconds(*time)),
            Self::Stalled(time) => {
                write!(f, "the answer stalled: nothing came for {}", seconds(*time))
            }
            Self::TooSlow(rate, floor) => write!(
                f,
                "the answer came too slowly: {rate} B/s (given up below {floor} B/s)"
            ),
            Self::TooLong(time) => {
                write!(f, "the answer was not complete after {}", seconds(*time))
            }
            Self::Certificate(bad) => write!(f, "its certificate {bad}"),
            Self::NoTls => f.write_str("it does not speak TLS (https)"),
            Self::Proxy(why) => write!(f, "the proxy did not let us through ({why})"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

/// `0.4 s`, `30 s`.
fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} s", time.as_secs())
    }
}

impl fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => f.write_str("is signed by nobody this machine trusts"),
            Self::SelfSigned => {
                f.write_str("is an authority's own (self-signed), which does not prove a server")
            }
            Self::Expired => f.write_str("has expired"),
            Self::NotYet => f.write_str("is not valid yet"),
            Self::OtherName(names) if names.is_empty() => f.write_str("is for another name"),
            Self::OtherName(names) => write!(f, "is for {}", names.join(", ")),
            Self::Other(why) => write!(f, "is not to be trusted ({why})"),
        }
    }
}

impl Obstacle {
    /// Reads an error of the HTTP library. No address of it is kept: it may be signed.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let mut last = String::new();
        let mut next: Option<&(dyn Error + 'static)> = error.source();
        while let Some(cause) = next {
            if let Some(known) = known(cause) {
                return known;
            }
            last = clean(&cause.to_string());
            next = cause.source();
        }
        if error.is_timeout() && error.is_connect() {
            return Self::NoWay("it was not made in time".to_owned());
        }
        if last.is_empty() {
            "the connection failed".clone_into(&mut last);
        }
        if error.is_connect() {
            Self::NoWay(last)
        } else {
            Self::Broken(last)
        }
    }

    /// Whether the connection was made and the answer did not come, or not fast enough.
    pub(crate) const fn is_slow(&self) -> bool {
        matches!(
            self,
            Self::Silent(_) | Self::Stalled(_) | Self::TooSlow(..) | Self::TooLong(_)
        )
    }

    /// Whether the answer began and then came too slowly, if at all.
    pub(crate) const fn trickles(&self) -> bool {
        matches!(self, Self::Stalled(_) | Self::TooSlow(..))
    }

    /// Whether asking again may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Certificate(_) | Self::NoTls => false,
            // Whoever has run out of files gets none by waiting.
            Self::NoWay(why) | Self::Broken(why) => wb_core::limits::reached(why).is_none(),
            _ => true,
        }
    }
}

fn known(cause: &(dyn Error + 'static)) -> Option<Obstacle> {
    // The resolver's and the proxy's errors have no public type; their words are all there is.
    let text = cause.to_string();
    if text.starts_with("dns error") {
        return Some(Obstacle::Name);
    }
    if let Some(why) = text.strip_prefix("tunnel error: ") {
        // The proxy may not have been reached at all.
        let mut behind = std::iter::successors(cause.source(), |&error| error.source());
        let unreached = behind.find_map(known);
        return Some(unreached.unwrap_or_else(|| Obstacle::Proxy(clean(why))));
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return of_tls(error);
    }
    let io = cause.downcast_ref::<std::io::Error>()?;
    // The source of such an error is the source of what it wraps: look inside by hand.
    if let Some(inner) = io.get_ref() {
        return known(inner);
    }
    match io.kind() {
        std::io::ErrorKind::ConnectionRefused => Some(Obstacle::Refused),
        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
            Some(Obstacle::NoWay(clean(&text)))
        }
        _ => None,
    }
}

fn of_tls(error: &rustls::Error) -> Option<Obstacle> {
    use rustls::CertificateError as Bad;
    let bad = match error {
        rustls::Error::InvalidCertificate(bad) => bad,
        rustls::Error::InvalidMessage(_) => return Some(Obstacle::NoTls),
        _ => return None,
    };
    Some(Obstacle::Certificate(match bad {
        Bad::UnknownIssuer => BadCertificate::UnknownIssuer,
        Bad::Expired | Bad::ExpiredContext { .. } => BadCertificate::Expired,
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => BadCertificate::NotYet,
        Bad::NotValidForName => BadCertificate::OtherName(Vec::new()),
        Bad::NotValidForNameContext { presented, .. } => {
            BadCertificate::OtherName(presented.iter().take(4).map(|name| plain(name)).collect())
        }
        // The verifier's own error has no public type here; its word is all there is.
        other if other.to_string().contains("CaUsedAsEndEntity") => BadCertificate::SelfSigned,
        other => BadCertificate::Other(clean(&other.to_string())),
    }))
}

/// `DnsName("x")` and `IpAddress(x)` as the library writes them, without their wrapping.
fn plain(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    clean(inner.unwrap_or(name).trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_of_certificates_are_shown_bare() {
        for name in ["DnsName(\"a.test\")", "IpAddress(a.test)", "a.test"] {
            assert_eq!(plain(name), "a.test");
        }
    }
}
