//! The log: a file that rolls daily, written without holding anybody up. Never the terminal.

use std::path::Path;
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
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
    let level = match verbose {
        0 => Level::INFO,
        1 => Level::DEBUG,
        _ => Level::TRACE,
    };
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(writer)
        .try_init();
    Ok(guard)
}
