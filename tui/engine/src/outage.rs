//! Messages about an outage of the platform: one when it lasts, and one when it is over. How often a request
//! is retried is left to the client.

use crate::Notify;
use crate::clock::now;
use std::time::Duration;
use tokio::task::JoinHandle;
use wb_client::Reader;
use wb_core::ids::Millis;
use wb_core::text::{clean, duration};

/// An outage that is over sooner is not worth a line, in milliseconds.
const LASTS_MS: u64 = 2000;
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The present outage, once it was reported.
#[derive(Default)]
pub struct OutageNews {
    since: Option<Millis>,
}

impl OutageNews {
    /// A line, where something changed. `current`: since when, and why.
    pub fn news(&mut self, current: Option<(Millis, &str)>, now: Millis) -> Option<String> {
        match (current, self.since) {
            (Some((since, why)), None) if now.since(since) >= LASTS_MS => {
                self.since = Some(since);
                let why = clean(why);
                Some(format!(
                    "workbench: waiting for the platform: {why}; trying again"
                ))
            }
            (None, Some(since)) => {
                self.since = None;
                let lasted = lasted(since, now);
                Some(format!(
                    "workbench: the platform answers again, after {lasted}"
                ))
            }
            _ => None,
        }
    }

    /// Whether one lasts that was reported.
    #[must_use]
    pub const fn lasts(&self) -> bool {
        self.since.is_some()
    }
}

/// How long an outage lasts, for a person.
#[must_use]
pub fn lasted(since: Millis, now: Millis) -> String {
    #[allow(clippy::cast_precision_loss)] // milliseconds
    duration(now.since(since) as f64)
}

/// Reports outages as long as it is kept, for commands that show no progress.
pub struct OutageReporter(JoinHandle<()>);

impl OutageReporter {
    /// Reports the outages that this reader meets.
    #[must_use]
    pub fn start(reader: &Reader, notify: Notify) -> Self {
        let reader = reader.clone();
        Self(tokio::spawn(async move {
            let mut outage = OutageNews::default();
            let mut look = tokio::time::interval(LOOK);
            loop {
                look.tick().await;
                let current = reader.outage();
                let current = current.as_ref().map(|t| (t.since, t.why.as_str()));
                if let Some(line) = outage.news(current, now()) {
                    notify(&line);
                }
            }
        }))
    }
}

impl Drop for OutageReporter {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lasts_is_reported_and_reported_once() {
        let mut outage = OutageNews::default();
        let current = Some((Millis(1000), "503 \u{1b}[31m"));
        assert_eq!(outage.news(current, Millis(1500)), None);
        assert_eq!(outage.news(None, Millis(1600)), None);
        let line = outage.news(current, Millis(3000)).unwrap();
        assert!(line.contains("503") && !line.contains('\u{1b}'), "{line}");
        assert_eq!(outage.news(current, Millis(9000)), None);
        assert!(outage.lasts());
        let over = outage.news(None, Millis(31_000)).unwrap();
        assert!(over.ends_with("after 30.0 s"), "{over}");
        assert_eq!(outage.news(None, Millis(32_000)), None);
    }
}
