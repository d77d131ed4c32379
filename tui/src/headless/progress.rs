//! Progress of a run on stderr: a bar on a terminal, a line every few seconds elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use wb_core::event::Outage;
use wb_core::ids::Millis;
use wb_core::state::State;
use wb_engine::outage::{OutageNews, lasted};
use wb_engine::saved::ProgressForm;

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Columns for the stage's title.
const STAGE: usize = 24;

/// How far a run is.
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    last: Instant,
    /// Whether the end was known when the bar was styled last.
    whole: bool,
    outage: OutageNews,
    /// A poller found no task in its last pass, which was reported.
    idle: bool,
}

impl Progress {
    /// As requested; on a terminal a bar, unless output should be plain.
    #[must_use]
    pub fn new(form: ProgressForm, plain: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !plain;
        let (bar, lines) = match form {
            ProgressForm::Auto => (terminal, !terminal),
            ProgressForm::Bar => (true, false),
            ProgressForm::Plain => (false, true),
            ProgressForm::None => (false, false),
        };
        let bar = bar.then(|| {
            let bar = ProgressBar::no_length();
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar
        });
        let mut progress = Self {
            bar,
            lines,
            last: Instant::now(),
            whole: true,
            outage: OutageNews::default(),
            idle: false,
        };
        progress.style(false);
        progress
    }

    /// A bar when the end is known; until then a count, which would lie as a bar.
    fn style(&mut self, whole: bool) {
        let Some(bar) = self.bar.as_ref().filter(|_| whole != self.whole) else {
            return;
        };
        self.whole = whole;
        let form = if whole {
            "{prefix} {wide_bar:.cyan/dim} {human_pos}/{human_len} {msg}"
        } else {
            "{prefix} {spinner} {human_pos} done {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
    }

    /// Shows where the run is.
    pub fn show(&mut self, state: &State, waiting: Option<u64>) {
        self.outage(state);
        let Some(run) = &state.run else { return };
        if run.decided() > 0 || run.has_work() {
            self.tasks_come();
        }
        let stage = run.stage().map_or("", |s| state.stage_title(s));
        let stage = wb_ui::text::fit(stage, STAGE);
        let done = run.decided();
        let all = waiting.map(|waiting| run.totals.tasks + waiting);
        let mut words = words(run.totals.failed, run.rate(state.now), done, all);
        if let Some(loading) = run.loading().and_then(|loading| loading.words(state.now)) {
            words = format!("· {loading}");
        }
        if let Some(outage) = state.outage.as_ref().filter(|_| self.outage.lasts()) {
            words = waiting_for(outage, state.now);
        }
        self.style(all.is_some());
        if let Some(bar) = &self.bar {
            bar.set_prefix(stage);
            if let Some(all) = all {
                bar.set_length(all.max(done));
            }
            bar.set_position(done);
            bar.set_message(words);
        } else if self.line_due() {
            self.last = Instant::now();
            let of = all.map_or_else(String::new, |all| format!(" of {all}"));
            notice!("{stage}: {done}{of} tasks done {words}");
        }
    }

    /// Whether it is time for a line; an idle poller has none.
    fn line_due(&self) -> bool {
        self.lines && !self.idle && self.last.elapsed() >= LINE_EVERY
    }

    /// A pass of a poller found no task: reported once, until some come.
    pub fn idles(&mut self, every: u64) {
        if !self.idle && self.shows() {
            self.notice(&format!(
                "workbench: no task is waiting; looking again every {every} s"
            ));
        }
        self.idle = true;
    }

    /// A poller has tasks again.
    pub fn tasks_come(&mut self) {
        if self.idle && self.shows() {
            self.notice("workbench: tasks have come");
        }
        self.idle = false;
    }

    /// Reports that the platform does not answer, once it lasts, and that it answers again.
    pub fn outage(&mut self, state: &State) {
        let outage = state.outage.as_ref().map(|t| (t.since, t.why.as_str()));
        let Some(line) = self.outage.news(outage, state.now) else {
            return;
        };
        if self.shows() {
            self.notice(&line);
        }
    }

    /// Whether anybody sees it.
    #[must_use]
    pub const fn shows(&self) -> bool {
        self.bar.is_some() || self.lines
    }

    /// Prints a line without breaking the bar.
    pub fn notice(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| notice!("{line}")),
            None => notice!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What stands in the place of rate and time left while the platform does not answer.
fn waiting_for(outage: &Outage, now: Millis) -> String {
    let since = lasted(outage.since, now);
    let next = match outage.again.since(now) {
        0 => String::new(),
        wait => format!(", next try in {} s", wait.div_ceil(1000)),
    };
    format!("· waiting for the platform, {since}{next}")
}

/// Rate, failures, time left.
#[allow(clippy::cast_precision_loss)] // figures for a person
fn words(failed: u64, rate: f64, done: u64, all: Option<u64>) -> String {
    let mut words = format!("· {rate:.0}/s");
    if failed > 0 {
        let _ = write!(words, " · {failed} failed");
    }
    let left = all.map_or(0, |all| all.saturating_sub(done));
    if left > 0 && done > 0 && rate > 0.0 {
        let ms = left as f64 / rate * 1000.0;
        let _ = write!(words, " · {} left", wb_ui::text::duration(ms));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_poller_has_no_line_until_tasks_come() {
        let mut progress = Progress::new(ProgressForm::Plain, true);
        progress.last = Instant::now().checked_sub(LINE_EVERY).unwrap();
        assert!(progress.line_due());
        progress.idles(1);
        assert!(!progress.line_due());
        progress.tasks_come();
        assert!(progress.line_due());
    }

    #[test]
    fn the_time_left_is_shown_only_when_the_end_is_known() {
        assert_eq!(words(0, 40.0, 400, None), "· 40/s");
        assert_eq!(
            words(3, 40.0, 400, Some(3000)),
            "· 40/s · 3 failed · 1 min left"
        );
        assert_eq!(words(0, 0.0, 0, Some(10)), "· 0/s");
        assert_eq!(words(0, 40.0, 10, Some(10)), "· 40/s");
    }
}
