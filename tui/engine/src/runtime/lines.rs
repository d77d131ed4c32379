//! Lines that agents log and print: into the log file, and to whoever subscribes.

use std::time::{Duration, Instant};
use wb_core::error::clip;
use wb_core::step::is_printed;
use wb_core::text::clean;

/// Level of a line that informs.
const INFO: u8 = 3;

/// Longest line in the log, in bytes.
const LINE: usize = 2 << 10;
/// Bytes that a day may add to the log of what agents print, and as many of what they log.
const DAILY: usize = 32 << 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is kept for the face.
pub(super) struct Lines {
    /// The finest level that is kept; 0: none.
    finest: u8,
    kept: Vec<String>,
    /// What the log may still take today, logged and printed, and since when.
    left: [usize; 2],
    since: Instant,
}

impl Lines {
    /// Keeps nothing, infos, or everything, as set by `-v` and `-vv`.
    pub(super) fn new(verbose: u8) -> Self {
        let finest = match verbose {
            0 => 0,
            1 => INFO,
            _ => u8::MAX,
        };
        Self {
            finest,
            kept: Vec::new(),
            left: [DAILY; 2],
            since: Instant::now(),
        }
    }

    /// A line for the log, unless agents have filled it for today.
    fn log(&mut self, task: &str, level: u8, target: &str, text: &str) {
        if self.since.elapsed() >= DAY {
            (self.left, self.since) = ([DAILY; 2], Instant::now());
        }
        let text = clip(text.to_owned(), LINE);
        let printed = is_printed(target);
        let left = &mut self.left[usize::from(printed)];
        if *left == 0 {
            return;
        }
        *left = left.saturating_sub(text.len() + target.len() + task.len());
        match level {
            0 | 1 => tracing::error!(target: "agent", task, from = target, "{text}"),
            2 => tracing::warn!(target: "agent", task, from = target, "{text}"),
            3 => tracing::info!(target: "agent", task, from = target, "{text}"),
            4 => tracing::debug!(target: "agent", task, from = target, "{text}"),
            _ => tracing::trace!(target: "agent", task, from = target, "{text}"),
        }
        if *left == 0 {
            let what = if printed { "printed" } else { "logged" };
            tracing::warn!(
                "agents have {what} {DAILY} bytes; what else they do so today is left out"
            );
        }
    }

    /// One line of a task, or of a library that is being opened.
    pub(super) fn take(&mut self, task: Option<&str>, level: u8, target: &str, text: &str) {
        let task = task.unwrap_or("-");
        self.log(task, level, target, text);
        if level > self.finest {
            return;
        }
        let word = match (target, level) {
            ("stdout" | "stderr", _) => target,
            (_, 0 | 1) => "error",
            (_, 2) => "warning",
            (_, 3) => "info",
            (_, 4) => "debug",
            _ => "trace",
        };
        self.kept
            .push(format!("{}: {word}: {}", clean(task), clean(text)));
    }

    /// What came since the last time.
    pub(super) fn drain(&mut self) -> Vec<String> {
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(verbose: u8) -> Vec<String> {
        let mut lines = Lines::new(verbose);
        lines.take(Some("a.jpg"), 2, "mine", "care\x1b[2Jful");
        lines.take(Some("a.jpg"), 2, "stderr", "printed");
        lines.take(None, 3, "mine", "opened");
        lines.take(Some("a.jpg"), 4, "mine", "detail");
        lines.drain()
    }

    #[test]
    fn what_agents_add_to_the_log_is_bounded_for_each_day() {
        let mut lines = Lines::new(0);
        let long = "x".repeat(1 << 20);
        for _ in 0..DAILY / LINE + 10 {
            lines.take(None, 3, "stdout", &long);
        }
        assert_eq!(lines.left, [DAILY, 0]);
        lines.take(None, 3, "mine", "logged");
        assert!(
            lines.left[0] < DAILY,
            "prints leave room for what is logged"
        );
        if let Some(yesterday) = Instant::now().checked_sub(DAY) {
            lines.since = yesterday;
            lines.take(None, 3, "stdout", "short");
            assert!(lines.left[1] > DAILY / 2, "a new day");
        }
    }

    #[test]
    fn nothing_infos_or_everything_is_kept_without_control_codes() {
        assert_eq!(output(0), Vec::<String>::new());
        assert_eq!(output(1).len(), 3);
        assert!(output(1)[0].starts_with("a.jpg: warning: care"));
        assert!(!output(1)[0].contains('\x1b'));
        assert_eq!(
            output(1)[1..],
            ["a.jpg: stderr: printed", "-: info: opened"]
        );
        assert_eq!(output(2)[3], "a.jpg: debug: detail");
    }
}
