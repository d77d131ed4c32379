//! What went wrong, whose fault it is, what it means and what to do: one type for every border.
//!
//! Crates below have their own error enums; at the border to the engine they all become a
//! [`Error`]. An agent that refuses a task is an error of kind [`ErrorKind::Agent`]: data, not an error
//! of the program.

use crate::secret;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Whose fault it is; decides the exit code, the colour and whether a retry makes sense.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The command line or a typed value.
    Usage,
    /// Settings, library, stage, ontology: found before any task.
    Settings,
    /// Not logged in, or not allowed.
    Access,
    /// The platform could not be reached, or asked us to wait for too long.
    Network,
    /// The platform refused or answered nonsense.
    Upstream,
    /// The agent's own code: an error, a panic, an unknown pathway.
    Agent,
    /// The process an agent ran in: crash, time limit, protocol.
    Host,
    /// Somebody else changed what the outcome rests on; it is theirs now.
    Conflict,
    /// Refused for safety: read-only, protected, or an answer was needed.
    Refused,
    /// A bug in the workbench.
    Bug,
}

impl ErrorKind {
    /// The exit code when this ends the program (see `commands.md`).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Settings => 3,
            Self::Access => 6,
            // A command that ends because the platform fails could not reach what it needs.
            Self::Network | Self::Upstream => 7,
            Self::Agent | Self::Host => 1,
            Self::Conflict => 5,
            Self::Refused => 8,
            Self::Bug => 70,
        }
    }

    /// One word for the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Settings => "settings",
            Self::Access => "access",
            Self::Network => "network",
            Self::Upstream => "upstream",
            Self::Agent => "agent",
            Self::Host => "host",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Bug => "bug",
        }
    }
}

/// Longest summary and longest hint of a [`bounded`](Error::bounded) error, in bytes.
const SUMMARY: usize = 2 << 10;
/// Longest cause, in bytes.
const CAUSE: usize = 8 << 10;
/// Longest place, in bytes.
const PLACE: usize = 400;
/// Most hints.
const HINTS: usize = 8;

/// The beginning of a text that is longer than `most` bytes, with a note of how much is missing.
#[must_use]
pub fn clip(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mut kept = most;
        while !text.is_char_boundary(kept) {
            kept -= 1;
        }
        let missing = text.len() - kept;
        text.truncate(kept);
        text.push_str(&format!(" … {missing} more bytes"));
        text.shrink_to_fit();
    }
    text
}

/// A text of an agent as it is kept: [`clip`]ped, and without what signs an address.
#[must_use]
pub fn foreign(text: String, most: usize) -> String {
    let clean = match secret::clean(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => Some(clean),
    };
    clip(clean.unwrap_or(text), most)
}

/// Something went wrong. Its [`ErrorFacts`] are its fields; the box keeps every `Result` small.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error(Box<ErrorFacts>);

/// What is known about an [`Error`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorFacts {
    /// Whose fault.
    pub kind: ErrorKind,
    /// One line: what happened, and what it means for the task.
    pub summary: String,
    /// What to do next, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// What it was caused by, outermost first, a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// `src/lib.rs:41`: where in the agent's code it came up, as the compiler writes places: relative to the crate,
    /// or to the workspace that the crate belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Where it ran, last lines of output, frames of a trace: a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Whether another attempt makes sense.
    #[serde(default)]
    pub retry: bool,
    /// It is about a name that the project did not have when it was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_name: bool,
}

impl Error {
    /// An error with one line and nothing else; not worth a retry.
    pub fn new(kind: ErrorKind, summary: impl Into<String>) -> Self {
        Self(Box::new(ErrorFacts {
            kind,
            summary: summary.into(),
            hints: Vec::new(),
            cause: None,
            location: None,
            details: None,
            retry: false,
            unknown_name: false,
        }))
    }

    /// The facts by value.
    #[must_use]
    pub fn into_facts(self) -> ErrorFacts {
        *self.0
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what lies behind it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Another attempt makes sense.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retry = true;
        self
    }

    /// The same with texts of a length that a person may read, and without signed addresses: an agent's reason
    /// can hold anything. Faults are kept for every task, in memory and in files.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let facts = &mut *self.0;
        facts.hints.truncate(HINTS);
        for text in facts.hints.iter_mut().chain([&mut facts.summary]) {
            *text = foreign(std::mem::take(text), SUMMARY);
        }
        facts.cause = (facts.cause.take()).map(|cause| foreign(cause, CAUSE));
        facts.location = (facts.location.take()).map(|place| foreign(place, PLACE));
        facts.details = (facts.details.take()).map(|details| foreign(details, CAUSE));
        self
    }

    /// What comes below the summary, a line each: the causes, the place, the details.
    pub fn explanation(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let details = self.details.iter().flat_map(|details| details.lines());
        self.reasons().chain(details.map(Cow::Borrowed))
    }

    /// The causes and the place, a line each.
    pub fn reasons(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let causes = self.cause.iter().flat_map(|cause| cause.lines());
        let place = self.place().map(|place| Cow::Owned(format!("at {place}")));
        causes.map(Cow::Borrowed).chain(place)
    }

    /// The first cause and the place, in one line; `None` where neither is known.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let cause = self.cause.as_deref().and_then(|cause| cause.lines().next());
        match (cause, self.place()) {
            (Some(cause), Some(place)) => Some(format!("{cause} (at {place})")),
            (Some(cause), None) => Some(cause.to_owned()),
            (None, place) => place.map(|place| format!("at {place}")),
        }
    }

    /// The place, unless the summary has it, as that of a panic does.
    fn place(&self) -> Option<&str> {
        let place = self.location.as_deref()?;
        (!self.summary.contains(place)).then_some(place)
    }

    /// The summary with numbers, hashes and quoted parts taken out: equal for "the same error,
    /// other numbers".
    #[must_use]
    pub fn group_key(&self) -> String {
        let mut key = String::with_capacity(self.summary.len());
        let mut quoted = false;
        let mut blank = false;
        for word in self.summary.split_whitespace() {
            let starts = word.starts_with(['"', '`', '\'']);
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            let ends = word
                .trim_end_matches([',', '.', ':', ';'])
                .ends_with(['"', '`', '\'']);
            let number = bare.chars().any(|c| c.is_ascii_digit());
            if quoted || starts || number {
                if !blank {
                    key.push_str("… ");
                }
                blank = true;
                quoted = (quoted || starts) && !ends;
            } else {
                key.push_str(word);
                key.push(' ');
                blank = false;
            }
        }
        format!("{}: {}", self.kind.word(), key.trim_end())
    }
}

impl Error {
    /// The group as a short number, written as eight hexadecimal digits: the same in every process,
    /// so that `fault:1a2b3c4d` in a filter finds its tasks again.
    #[must_use]
    pub fn group_id(&self) -> u32 {
        // FNV-1a over the key; there are a handful of groups, and the standard hasher may change.
        let key = self.group_key();
        let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        key.bytes().fold(0x811c_9dc5, step)
    }
}

impl Deref for Error {
    type Target = ErrorFacts;

    fn deref(&self) -> &ErrorFacts {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut ErrorFacts {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_cut_to_what_a_person_may_read_and_shows_how_much_is_missing() {
        let mut error =
            Error::new(ErrorKind::Agent, "ä".repeat(1 << 20)).because("c".repeat(1 << 20));
        error.hints = vec!["h".repeat(1 << 20); 100];
        let bounded = error.bounded();
        assert!(bounded.summary.starts_with("ää"));
        assert!(
            bounded.summary.ends_with(" … 2095104 more bytes"),
            "{}",
            bounded.summary.len()
        );
        let long = bounded.hints.iter().chain(&bounded.cause).map(String::len);
        assert!(long.max().unwrap() < 9000 && bounded.hints.len() == HINTS);
        let short = Error::new(ErrorKind::Agent, "short")
            .hint("hint")
            .because("cause");
        assert_eq!(short.clone().bounded(), short);
    }

    #[test]
    fn the_first_cause_and_the_place_are_the_second_line() {
        let mut error = Error::new(ErrorKind::Agent, "asking the model");
        assert_eq!(error.reason(), None);
        error.location = Some("src/lib.rs:41".into());
        assert_eq!(error.reason().unwrap(), "at src/lib.rs:41");
        error = error.because("connection refused\nos error 111");
        error.details = Some("libcars.so build #1".into());
        assert_eq!(
            error.reason().unwrap(),
            "connection refused (at src/lib.rs:41)"
        );
        let lines: Vec<_> = error.explanation().collect();
        assert_eq!(
            lines,
            [
                "connection refused",
                "os error 111",
                "at src/lib.rs:41",
                "libcars.so build #1"
            ]
        );
        error.summary = "panicked at src/lib.rs:41: x".to_owned();
        assert_eq!(error.reason().unwrap(), "connection refused");
    }

    #[test]
    fn a_fault_holds_no_signature_that_an_agent_repeats() {
        let address = "https://h/a.png?X-Amz-Signature=geheim";
        let mut error = Error::new(ErrorKind::Agent, format!("no picture at {address}"));
        error = error
            .because(format!("403 for {address}\nretried"))
            .hint(address);
        let text = format!("{:?}", error.bounded());
        assert!(
            !text.contains("geheim") && text.contains("https://h/a.png?…"),
            "{text}"
        );
    }

    #[test]
    fn the_same_fault_with_other_numbers_is_one_group() {
        let one = Error::new(
            ErrorKind::Agent,
            "index 17 out of bounds for \"cam 3\" at lib.rs:12",
        );
        let two = Error::new(
            ErrorKind::Agent,
            "index 3 out of bounds for \"dog\" at lib.rs:12",
        );
        let other = Error::new(ErrorKind::Agent, "no such object");
        assert_eq!(one.group_key(), two.group_key());
        assert_ne!(one.group_key(), other.group_key());
    }
}
