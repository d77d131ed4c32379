//! The log: a file that rolls daily, written without holding anybody up. Never the terminal.

use std::io::Write;
use std::path::Path;
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use wb_core::fault::Fault;

/// Starts logging; what is returned writes the rest when it is dropped.
///
/// # Errors
/// The folder cannot be made.
pub fn start(file: Option<&Path>, verbose: u8) -> Result<WorkerGuard, Fault> {
    let appender = match file {
        Some(file) => {
            let dir = file
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            tracing_appender::rolling::never(dir, file.file_name().unwrap_or_default())
        }
        None => {
            let dir = crate::config::state_dir("log")?;
            RollingFileAppender::builder()
                .rotation(Rotation::DAILY)
                .filename_prefix("workbench")
                .filename_suffix("log")
                .max_log_files(7)
                .build(dir)
                .map_err(|e| {
                    Fault::new(
                        wb_core::fault::FaultKind::Settings,
                        format!("cannot write the log: {e}"),
                    )
                })?
        }
    };
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let (ours, others) = match verbose {
        0 => (Level::INFO, Level::INFO),
        1 => (Level::DEBUG, Level::INFO),
        _ => (Level::TRACE, Level::DEBUG),
    };
    // Two lines for each request about its connection would be most of the log.
    let mut levels = Targets::new().with_default(others);
    for name in [
        "workbench",
        "wb_client",
        "wb_core",
        "wb_host",
        "wb_local",
        "wb_ui",
    ] {
        levels = levels.with_target(name, ours);
    }
    // A second start in one process (tests) keeps the first.
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || OneLine(writer.clone()))
        .with_filter(levels);
    let _ = tracing_subscriber::registry().with(lines).try_init();
    Ok(guard)
}

/// Each event comes in one call and leaves as one line, its control and invisible characters escaped: what
/// agents, titles and servers hold can neither forge a line nor steer a terminal that shows the log.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = wb_core::text::escape(text.strip_suffix('\n').unwrap_or(&text));
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        let mut out = Vec::new();
        let event = "INFO from=\"a\u{202e}b\" x\n2026-01-01 ERROR forged\u{9b}2J\n";
        OneLine(&mut out).write_all(event.as_bytes()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "INFO from=\"a\\u{202e}b\" x\\n2026-01-01 ERROR forged\\u{9b}2J\n"
        );
    }
}
