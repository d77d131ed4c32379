//! Where a broker is, and who logs in there. The address holds a password: nothing here prints it.

use std::fmt;
use std::time::Duration;
use url::Url;
use wb_core::error::{Error, ErrorKind};
use wb_core::secret;

/// The brokers that are supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    /// `amqp://` and `amqps://`
    RabbitMq,
    /// `redis://` and `rediss://`
    Redis,
}

/// The address of a broker, as Celery's `broker_url` writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
    kind: BrokerKind,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// Not an address, or not of a broker that is supported. The error does not repeat what was given.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            Error::new(
                ErrorKind::Settings,
                format!("the broker's address cannot be used: {why}"),
            )
            .hint("write it as for Celery: amqp://USER:PASSWORD@HOST:5672/VHOST or redis://HOST:6379/0")
        };
        let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
        let kind = match url.scheme() {
            "amqp" | "amqps" => BrokerKind::RabbitMq,
            "redis" | "rediss" => BrokerKind::Redis,
            // A password may stand before the first colon of a mistyped address.
            _ => {
                return Err(wrong(
                    "it must begin with amqp://, amqps://, redis:// or rediss://",
                ));
            }
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        Ok(Self { url, kind })
    }

    /// Which broker it is.
    #[must_use]
    pub const fn kind(&self) -> BrokerKind {
        self.kind
    }

    /// Whether it holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.url.password().is_some()
    }

    /// Whether the connection is encrypted.
    pub(crate) fn tls(&self) -> bool {
        matches!(self.url.scheme(), "amqps" | "rediss")
    }

    /// The whole address, with its password.
    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    /// User and password, decoded; Celery's defaults where none are given.
    pub(crate) fn login(&self) -> (String, String) {
        let user = decoded(self.url.username());
        let password = self.url.password().map(decoded);
        match (user.as_str(), self.kind) {
            ("", BrokerKind::RabbitMq) => ("guest".into(), password.unwrap_or("guest".into())),
            _ => (user, password.unwrap_or_default()),
        }
    }

    /// The virtual host as Celery reads it: `/` unless something else is named.
    pub(crate) fn virtual_host(&self) -> String {
        match decoded(self.url.path().strip_prefix('/').unwrap_or_default()) {
            host if host.is_empty() => "/".to_owned(),
            host => host,
        }
    }

    /// A parameter of the address.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// A text of the broker or its library, without the password of this address.
    pub(crate) fn clean(&self, text: &str) -> String {
        let text = secret::clean(text);
        let (_, decoded) = self.login();
        let raw = self.url.password().unwrap_or_default();
        [raw, decoded.as_str()]
            .into_iter()
            .filter(|password| password.len() > 2 && *password != "guest")
            .fold(text.into_owned(), |text, password| {
                text.replace(password, "…")
            })
    }

    /// The broker and the place on it: the virtual host, or the number of the database.
    #[must_use]
    pub fn place(&self) -> String {
        match self.kind {
            BrokerKind::RabbitMq => format!("{self} {}", self.virtual_host()),
            BrokerKind::Redis => format!("{self} {}", self.url.path().trim_matches('/')),
        }
    }

    /// There is no such queue, and none is to be made.
    pub(crate) fn no_queue(&self, queue: &str) -> Error {
        let text = format!("{self} has no queue \"{queue}\"");
        Error::new(ErrorKind::Settings, text)
            .hint("check --queue; the first producer, `queue push` or `worker` makes the queue")
    }

    /// The first connection takes longer than usual.
    pub(crate) fn waiting(&self, patience: Duration, cause: &str) -> String {
        let (seconds, cause) = (patience.as_secs(), self.clean(cause));
        format!("{self} cannot be reached; tried for {seconds} s ({cause})")
    }

    /// The login was refused.
    pub(crate) fn not_allowed(&self, cause: &str) -> Error {
        Error::new(ErrorKind::Access, format!("{self} refused the login"))
            .because(self.clean(cause))
            .hint(match self.kind {
                BrokerKind::RabbitMq => {
                    "check user, password and virtual host of the broker's address"
                }
                BrokerKind::Redis => "check user and password of the broker's address",
            })
    }

    /// The broker cannot be reached.
    pub(crate) fn away(&self, cause: &str) -> Error {
        Error::new(ErrorKind::Network, format!("{self} cannot be reached"))
            .because(self.clean(cause))
            .hint("check that the broker runs and that its address is right")
    }

    /// The broker was reached and refused.
    pub(crate) fn refused(&self, what: &str, cause: &str) -> Error {
        Error::new(ErrorKind::Upstream, format!("{self} refused {what}")).because(self.clean(cause))
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Without user, password and parameters.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.url.scheme())?;
        match self.url.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_virtual_host_and_the_login_are_those_of_celery() {
        for (text, host, user, password) in [
            ("amqp://localhost", "/", "guest", "guest"),
            ("amqp://localhost/", "/", "guest", "guest"),
            ("amqp://a:b@localhost:5672//", "/", "a", "b"),
            ("amqp://a:p%40ss@localhost/%2f", "/", "a", "p@ss"),
            ("amqps://a@[::1]:1/team", "team", "a", ""),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.virtual_host(), host, "{text}");
            assert_eq!(
                address.login(),
                (user.to_owned(), password.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn places_differ_by_virtual_host_and_database() {
        let place = |text: &str| Address::parse(text).unwrap().place();
        assert_eq!(place("amqp://a:b@h"), place("amqp://h//"));
        assert_ne!(place("amqp://h/a"), place("amqp://h/b"));
        assert_eq!(place("redis://:b@h/1"), "redis://h 1");
    }

    #[test]
    fn a_password_is_in_no_text() {
        let address = Address::parse("amqp://ann:s3cr%40t!@broker:1/x?a=b").unwrap();
        assert!(address.has_password());
        let error = address.away("login of ann with s3cr@t! or s3cr%40t! failed");
        for text in [
            format!("{address} {address:?}"),
            format!("{error:?}"),
            error.explanation().collect::<Vec<_>>().join("\n"),
        ] {
            assert!(text.contains("amqp://broker:1") || text.contains("login of"));
            assert!(!text.contains("s3cr"), "{text}");
        }
        for wrong in ["ann:s3cr@t", "http://ann:s3cr@host", "amqp://", "s3cr"] {
            let error = Address::parse(wrong).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cr"), "{error:?}");
        }
    }
}
