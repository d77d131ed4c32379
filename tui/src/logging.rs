//! The log: a file that rolls daily, written without holding anybody up. Never the terminal.

use std::path::Path;
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use wb_core::fault::Fault;

/// Lines that wait to be written; beyond that they are dropped.
const WAITING: usize = 10_000;

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
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .finish(appender);
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
        .with_writer(writer)
        .with_filter(levels);
    let _ = tracing_subscriber::registry().with(lines).try_init();
    Ok(guard)
}
