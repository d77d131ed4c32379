//! Lines that agents log and print: into the log file, and to whoever wants to hear them.

use wb_ui::text::clean;

/// Level of a line that says how things are.
const INFO: u8 = 3;

/// What is kept for the face.
pub(super) struct Lines {
    /// The finest level that is told; 0: none.
    finest: u8,
    told: Vec<String>,
}

impl Lines {
    /// Tells nothing, what informs, or everything, as `-v` and `-vv` wish.
    pub(super) const fn new(verbose: u8) -> Self {
        let finest = match verbose {
            0 => 0,
            1 => INFO,
            _ => u8::MAX,
        };
        Self {
            finest,
            told: Vec::new(),
        }
    }

    /// One line of a task, or of a library that is being opened.
    pub(super) fn take(&mut self, task: Option<&str>, level: u8, target: &str, text: &str) {
        let task = task.unwrap_or("-");
        match level {
            0 | 1 => tracing::error!(target: "agent", task, from = target, "{text}"),
            2 => tracing::warn!(target: "agent", task, from = target, "{text}"),
            3 => tracing::info!(target: "agent", task, from = target, "{text}"),
            4 => tracing::debug!(target: "agent", task, from = target, "{text}"),
            _ => tracing::trace!(target: "agent", task, from = target, "{text}"),
        }
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
        self.told
            .push(format!("{}: {word}: {}", clean(task), clean(text)));
    }

    /// What came since the last time.
    pub(super) fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(verbose: u8) -> Vec<String> {
        let mut lines = Lines::new(verbose);
        lines.take(Some("a.jpg"), 2, "mine", "care\x1b[2Jful");
        lines.take(Some("a.jpg"), 2, "stderr", "printed");
        lines.take(None, 3, "mine", "opened");
        lines.take(Some("a.jpg"), 4, "mine", "detail");
        lines.told()
    }

    #[test]
    fn nothing_what_informs_or_everything_is_told_without_control_codes() {
        assert_eq!(told(0), Vec::<String>::new());
        assert_eq!(told(1).len(), 3);
        assert!(told(1)[0].starts_with("a.jpg: warning: care"));
        assert!(!told(1)[0].contains('\x1b'));
        assert_eq!(told(1)[1..], ["a.jpg: stderr: printed", "-: info: opened"]);
        assert_eq!(told(2)[3], "a.jpg: debug: detail");
    }
}
