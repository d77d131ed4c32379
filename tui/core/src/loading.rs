//! What is being loaded and since when: models and other values that stay in a host, resources, libraries.
//! Who waits for it is left to runs, the stepped task, watched tasks and builds.

use crate::ids::Millis;
use crate::text::clean;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Loading that is over sooner is not shown, in milliseconds.
const SHORT_MS: u64 = 1_000;

/// The part of a library that is being opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opening {
    /// The file and its `init`.
    Library,
    /// A value in a process of its own.
    Resource(String),
    /// Nothing any more.
    Over,
}

/// Something that is being loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loading {
    /// What, as it came; may hold control codes.
    pub name: String,
    /// Since when.
    pub since: Millis,
}

impl Loading {
    /// A part of a library; `None` once it is open.
    pub(crate) fn of(library: &Path, part: Opening, since: Millis) -> Option<Self> {
        let name = match part {
            Opening::Library => library.file_name()?.to_string_lossy().into_owned(),
            Opening::Resource(name) => name,
            Opening::Over => return None,
        };
        Some(Self { name, since })
    }

    /// `loading model · 41 s`; `None` while it is too short to be worth reading.
    #[must_use]
    pub fn words(&self, now: Millis) -> Option<String> {
        let ms = now.since(self.since);
        let took = match ms / 1000 {
            s @ 0..600 => format!("{s} s"),
            s => format!("{} min", s / 60),
        };
        (ms >= SHORT_MS).then(|| format!("loading {} · {took}", clean(&self.name)))
    }
}

/// The time at which something began, if the time from `from` until `now` had not passed.
pub(crate) const fn without(began: Millis, from: Millis, now: Millis) -> Millis {
    Millis(began.0.saturating_add(now.0.saturating_sub(from.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_what_is_loaded_and_for_how_long() {
        let loading = Loading {
            name: "mo\u{1b}[2Jdel".into(),
            since: Millis(1_000),
        };
        let words = |at| loading.words(Millis(at));
        assert_eq!(words(1_999), None);
        assert_eq!(words(42_900).unwrap(), "loading model · 41 s");
        assert_eq!(words(901_000).unwrap(), "loading model · 15 min");
    }
}
