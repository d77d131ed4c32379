//! The log: a file for each day, or the one that a person names; written without holding anybody up. Never
//! the terminal.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use wb_core::error::{Error, ErrorKind};
use wb_engine::files;
use wb_engine::runtime::now;

/// Files that are kept.
const KEPT: usize = 7;
/// What the files of the folder are called, around their day.
const NAME: (&str, &str) = ("workbench.", ".log");
/// Lines that wait to be written; beyond that they are dropped.
const WAITING: usize = 10_000;

/// Starts logging; what is returned writes the rest when it is dropped.
///
/// # Errors
/// The file or its folder cannot be made.
pub fn start(file: Option<&Path>, verbose: u8) -> Result<WorkerGuard, Error> {
    let (writer, guard) = match file {
        Some(path) => behind(named(path)?),
        None => {
            let daily = Daily::open(wb_engine::config::state_dir("log")?);
            behind(daily.map_err(|error| unwritable("the log", &error))?)
        }
    };
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
        "wb_engine",
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

/// Writes on a thread of its own, without keeping anybody waiting.
fn behind(file: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .finish(file)
}

/// A log that a person names: what is there stays, whatever it is.
fn named(path: &Path) -> Result<File, Error> {
    let opened = files::private().append(true).create(true).open(path);
    opened.map_err(|error| unwritable(&format!("the log {}", path.display()), &error))
}

fn unwritable(what: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Settings, format!("cannot write {what}: {error}"))
        .hint("name another file: --log-file FILE; or another state folder: WORKBENCH_STATE=PATH")
}

/// The file of the day, in a folder that keeps some of them.
struct Daily {
    folder: PathBuf,
    day: String,
    file: File,
}

impl Daily {
    fn open(folder: PathBuf) -> io::Result<Self> {
        let day = today();
        let file = of_day(&folder, &day)?;
        forget_old(&folder);
        Ok(Self { folder, day, file })
    }
}

impl Write for Daily {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let day = today();
        if day != self.day {
            self.file = of_day(&self.folder, &day)?;
            self.day = day;
            forget_old(&self.folder);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// `2026-11-29`, in UTC.
fn today() -> String {
    wb_client::rfc3339(now()).chars().take(10).collect()
}

fn of_day(folder: &Path, day: &str) -> io::Result<File> {
    let path = folder.join(format!("{}{day}{}", NAME.0, NAME.1));
    files::private().append(true).create(true).open(path)
}

/// Removes the oldest files. Names sort by day.
fn forget_old(folder: &Path) {
    let is_log = |name: &str| name.starts_with(NAME.0) && name.ends_with(NAME.1);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut logs: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_log))
        .map(|entry| entry.path())
        .collect();
    logs.sort();
    let old = logs.len().saturating_sub(KEPT);
    for path in logs.drain(..old) {
        let _ = std::fs::remove_file(path);
    }
}

/// Each event comes in one call and leaves as one line without secrets, its control and invisible characters escaped:
/// what agents, titles, servers and libraries of ours hold can neither forge a line nor steer a terminal that shows
/// the log, nor leave a key in it.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = wb_core::secret::clean(text.strip_suffix('\n').unwrap_or(&text));
        let line = wb_core::text::escape(&text);
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_log_of_today_is_private_and_the_oldest_of_many_days_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for day in 1..=7 {
            std::fs::write(
                dir.path().join(format!("workbench.2020-01-0{day}.log")),
                "x",
            )
            .unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "x").unwrap();
        let mut log = Daily::open(dir.path().to_owned()).unwrap();
        log.write_all(b"a line\n").unwrap();
        let path = dir.path().join(format!("workbench.{}.log", today()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a line\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!dir.path().join("workbench.2020-01-01.log").exists());
        assert!(dir.path().join("workbench.2020-01-02.log").exists());
        assert!(dir.path().join("notes.txt").exists());
    }

    #[test]
    fn no_library_of_ours_can_log_a_key() {
        let mut out = Vec::new();
        let event =
            "TRACE hyper::proto: headers={\"authorization\": \"Bearer geheim\", \"host\": \"h\"}\n";
        OneLine(&mut out).write_all(event.as_bytes()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("geheim") && text.contains("host"), "{text}");
    }

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
