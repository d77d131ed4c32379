//! The limit of one attempt of an agent that declares none: how it is written, and what holds by default.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use wb_core::span;

/// What holds where nothing is set: an agent that never ends costs one task, not the run.
const DEFAULT_MS: u64 = 600_000;

/// A limit in milliseconds, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit(Option<u64>);

impl Default for AttemptLimit {
    fn default() -> Self {
        Self(Some(DEFAULT_MS))
    }
}

impl AttemptLimit {
    /// Milliseconds; `None`: as long as it takes.
    #[must_use]
    pub const fn ms(self) -> Option<u64> {
        self.0
    }

    /// The limit of so many milliseconds.
    #[must_use]
    pub const fn of_ms(ms: Option<u64>) -> Self {
        Self(ms)
    }
}

impl FromStr for AttemptLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self(None));
        }
        match span::read(text)? {
            0 => Err("must be at least 1ms, e.g. 30s; for no limit: none".into()),
            limit => Ok(Self(Some(limit))),
        }
    }
}

impl fmt::Display for AttemptLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ms) => f.write_str(&span::spell(ms)),
            None => f.write_str("none"),
        }
    }
}

/// As it is written on the command line.
impl Serialize for AttemptLimit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// In a settings file a number is seconds.
impl<'de> Deserialize<'de> for AttemptLimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected seconds, e.g. 30, a time such as \"5m\", or \"none\""
        )]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        match Written::deserialize(from)? {
            Written::Text(text) => text.parse().map_err(D::Error::custom),
            Written::Seconds(n) => match Duration::try_from_secs_f64(n).map(|d| d.as_millis()) {
                Ok(ms @ 1..) => Ok(Self(u64::try_from(ms).ok())),
                _ => {
                    let text =
                        format!("{n} seconds are not a limit; write e.g. 30, \"5m\" or \"none\"");
                    Err(D::Error::custom(text))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_time_with_a_unit_or_none() {
        let read = |text: &str| text.parse::<AttemptLimit>();
        assert_eq!(read("30s").unwrap().ms(), Some(30_000));
        assert_eq!(read("none").unwrap().ms(), None);
        assert_eq!(AttemptLimit::default().to_string(), "10m");
        assert!(read("30").unwrap_err().contains("did you mean 30s?"));
        assert!(read("0s").is_err() && read("never").is_err());
    }

    #[test]
    fn in_a_file_a_bare_number_is_seconds() {
        #[derive(Deserialize)]
        struct File {
            timeout: AttemptLimit,
        }
        let read = |line: &str| toml::from_str::<File>(line).map(|file| file.timeout.ms());
        assert_eq!(read("timeout = 30"), Ok(Some(30_000)));
        assert_eq!(read("timeout = 0.5"), Ok(Some(500)));
        assert_eq!(read("timeout = \"1h30m\""), Ok(Some(5_400_000)));
        assert_eq!(read("timeout = \"none\""), Ok(None));
        for line in [
            "0", "-5", "1e300", "nan", "true", "\"30\"", "\"soon\"", "[1]",
        ] {
            let error = read(&format!("timeout = {line}")).unwrap_err();
            assert!(error.message().contains("30"), "{line}: {error}");
        }
    }
}
