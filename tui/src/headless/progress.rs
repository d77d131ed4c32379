//! Progress of a run on stderr: a bar on a terminal, a line every few seconds elsewhere.

use crate::cli::Progress as Wish;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use wb_core::ids::Millis;
use wb_core::state::State;

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How far a run is.
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    last: Instant,
}

impl Progress {
    /// As wished; on a terminal a bar, unless output should be plain.
    #[must_use]
    pub fn new(wish: Wish, plain: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !plain;
        let (bar, lines) = match wish {
            Wish::Auto => (terminal, !terminal),
            Wish::Bar => (true, false),
            Wish::Plain => (false, true),
            Wish::None => (false, false),
        };
        let bar = bar.then(|| {
            let bar = ProgressBar::no_length();
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template(
                "{prefix} {bar:30} {pos}/{len} · {per_sec} · {msg} · left {eta}",
            ) {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            lines,
            last: Instant::now(),
        }
    }

    /// Shows where the run is.
    pub fn show(&mut self, state: &State, waiting: Option<u64>) {
        let Some(run) = &state.run else { return };
        let stage = run.stage().map_or("", |s| state.stage_title(s));
        let stage = wb_ui::text::clean(stage);
        if let Some(bar) = &self.bar {
            bar.set_prefix(stage.to_string());
            bar.set_position(run.totals.tasks);
            if let Some(waiting) = waiting {
                bar.set_length(run.totals.tasks + waiting);
            }
            bar.set_message(format!("{} failed", run.totals.failed));
        } else if self.lines && self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            tell!(
                "{stage}: {}",
                line(
                    run.totals.tasks,
                    run.totals.failed,
                    run.rate(state.now),
                    state.now
                )
            );
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(tasks: u64, failed: u64, rate: f64, _now: Millis) -> String {
    format!("{tasks} tasks done, {failed} failed, {rate:.0}/s")
}
