//! A message as every broker carries it, and what its headers record of earlier attempts.

use serde_json::{Map, Value, json};

/// Attempts that ended with an error.
const ATTEMPTS: &str = "x-workbench-attempts";
/// When the first of them ended, RFC 3339.
const FIRST_AT: &str = "x-workbench-first-at";
/// When the last of them ended, RFC 3339.
const LAST_AT: &str = "x-workbench-last-at";
/// What went wrong the last time.
const REASON: &str = "x-workbench-reason";
/// The stage of the worker.
const STAGE: &str = "x-workbench-stage";
/// Times it was taken by a worker that never came to an end with it.
const LOST: &str = "x-workbench-lost";
/// All of them.
const HEADERS: [&str; 6] = [ATTEMPTS, FIRST_AT, LAST_AT, REASON, STAGE, LOST];
/// Longest reason in a header, in bytes: a broker has limits on headers.
const REASON_LENGTH: usize = 4 << 10;

/// A message: what Celery calls properties and headers, and the body as bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueMessage {
    /// Headers; Celery keeps the task's name and id there.
    pub headers: Map<String, Value>,
    /// What the body is, e.g. `application/json`.
    pub content_type: Option<String>,
    /// Its character set.
    pub content_encoding: Option<String>,
    /// The task's id once more.
    pub correlation_id: Option<String>,
    /// Queue that the result goes to.
    pub reply_to: Option<String>,
    /// Priority, 0 to 9.
    pub priority: Option<u8>,
    /// When it was published, seconds since 1970.
    pub timestamp: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
    /// Not written to disk, as results are.
    pub transient: bool,
}

/// What happened to a message before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Attempts that ended with an error.
    pub attempts: u64,
    /// When the first of them ended, RFC 3339.
    pub first_at: Option<String>,
    /// When the last of them ended, RFC 3339.
    pub last_at: Option<String>,
    /// What went wrong the last time.
    pub reason: Option<String>,
    /// The stage of the worker that took it.
    pub stage: Option<String>,
    /// Times it was taken by a worker that never came to an end with it.
    pub lost: u64,
}

impl QueueMessage {
    /// What happened to it before.
    #[must_use]
    pub fn history(&self) -> History {
        let number = |name| self.headers.get(name).and_then(Value::as_u64);
        let text = |name| {
            let value = self.headers.get(name).and_then(Value::as_str);
            value.map(str::to_owned)
        };
        History {
            attempts: number(ATTEMPTS).unwrap_or(0),
            first_at: text(FIRST_AT),
            last_at: text(LAST_AT),
            reason: text(REASON),
            stage: text(STAGE),
            lost: number(LOST).unwrap_or(0),
        }
    }

    /// The same message with this history; an empty one leaves it as its producer made it.
    #[must_use]
    pub fn with_history(mut self, history: History) -> Self {
        for name in HEADERS {
            self.headers.remove(name);
        }
        let numbers = [(ATTEMPTS, history.attempts), (LOST, history.lost)];
        for (name, number) in numbers.into_iter().filter(|(_, n)| *n > 0) {
            self.headers.insert(name.into(), json!(number));
        }
        let reason = history
            .reason
            .map(|reason| wb_core::error::clip(reason, REASON_LENGTH));
        for (name, text) in [
            (FIRST_AT, history.first_at),
            (LAST_AT, history.last_at),
            (REASON, reason),
            (STAGE, history.stage),
        ] {
            if let Some(text) = text {
                self.headers.insert(name.into(), json!(text));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_comes_back_from_the_headers_and_leaves_with_them() {
        let plain = QueueMessage {
            headers: Map::from_iter([("task".to_owned(), json!("x"))]),
            ..QueueMessage::default()
        };
        assert_eq!(plain.history(), History::default());
        let history = History {
            attempts: 2,
            first_at: Some("2026-01-01T00:00:00Z".into()),
            last_at: Some("2026-01-01T00:01:00Z".into()),
            reason: Some("é".repeat(REASON_LENGTH)),
            stage: Some("Agent 1".into()),
            lost: 1,
        };
        let marked = plain.clone().with_history(history.clone());
        let read = marked.history();
        assert!(read.reason.as_ref().unwrap().len() <= REASON_LENGTH + 64);
        let reason = read.reason.clone();
        assert_eq!(read, History { reason, ..history });
        assert_eq!(marked.with_history(History::default()), plain);
    }
}
