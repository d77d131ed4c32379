//! One `cargo build`: its progress while it runs, and its errors with their places. When to build is left to
//! the parent module.

use crate::cargo_program;
use serde::Deserialize;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc::Sender;
use wb_core::event::{BuildEvent, CompileFailure, Event};
use wb_core::text::clean;

/// Bytes of cargo's output, and of the compiler's, that are kept.
const KEPT: usize = 64 * 1024;

/// A line of `--message-format json`. The crate `cargo_metadata` would bring five more to build for these fields.
#[derive(Deserialize)]
struct CargoMessage {
    /// Of the reason `compiler-message` only.
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<DiagnosticSpan>,
}

#[derive(Deserialize)]
struct DiagnosticSpan {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
}

impl Diagnostic {
    /// `src/lib.rs:88:18: mismatched types`
    fn short(&self) -> String {
        let primary = self.spans.iter().find(|span| span.is_primary);
        let text = primary.map_or_else(
            || self.message.clone(),
            |at| {
                let (line, column) = (at.line_start, at.column_start);
                format!("{}:{line}:{column}: {}", at.file_name, self.message)
            },
        );
        clean(&text).into_owned()
    }
}

/// What the compiler reported.
#[derive(Default)]
struct Diagnostics {
    first_error: Option<String>,
    rendered: String,
}

impl Diagnostics {
    fn add(&mut self, line: &str) {
        let Ok(CargoMessage {
            message: Some(diagnostic),
        }) = serde_json::from_str(line)
        else {
            return;
        };
        if diagnostic.level.starts_with("error") && self.first_error.is_none() {
            self.first_error = Some(diagnostic.short());
        }
        if let Some(text) = &diagnostic.rendered {
            keep(&mut self.rendered, text);
        }
    }
}

fn keep(text: &mut String, more: &str) {
    if text.len() < KEPT {
        text.push_str(more);
    }
}

/// Builds one crate as an author would.
pub(super) async fn build(dir: &Path, news: &Sender<Event>) {
    let began = Instant::now();
    let result = run(dir, news).await.map(|()| {
        let ms = began.elapsed().as_millis();
        u64::try_from(ms).unwrap_or(u64::MAX)
    });
    let ended = Event::Build(BuildEvent::Compiled { result });
    let _ = news.send(ended).await;
}

async fn run(dir: &Path, news: &Sender<Event>) -> Result<(), CompileFailure> {
    let not_started =
        |error: std::io::Error| CompileFailure::from(cargo_program::not_started(&error));
    let mut child = tokio::process::Command::from(crate::library::cargo())
        .args(["build", "--color", "never", "--message-format", "json"])
        .arg("--manifest-path")
        .arg(dir.join("Cargo.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(not_started)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (diagnostics, progress) = tokio::join!(diagnostics(stdout), progress(stderr, news));
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        _ => Err(CompileFailure {
            first: diagnostics.first_error,
            messages: diagnostics.rendered + &progress,
        }),
    }
}

async fn diagnostics(stdout: Option<impl AsyncRead + Unpin>) -> Diagnostics {
    let mut found = Diagnostics::default();
    let Some(stdout) = stdout else { return found };
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        found.add(&line);
    }
    found
}

/// Cargo's own lines, reported as they come: `Compiling …`, and errors that are not the compiler's.
async fn progress(stderr: Option<impl AsyncRead + Unpin>, news: &Sender<Event>) -> String {
    let mut text = String::new();
    let Some(stderr) = stderr else { return text };
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        keep(&mut text, &format!("{line}\n"));
        let line = line.trim().to_owned();
        let _ = news
            .send(Event::Build(BuildEvent::Compiling { line }))
            .await;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler_message(level: &str, message: &str, spans: &str) -> String {
        format!(
            r#"{{"reason":"compiler-message","package_id":"a","message":{{"level":"{level}","message":"{message}",
            "code":null,"children":[],"rendered":"{level}: {message}\n","spans":[{spans}]}}}}"#
        )
    }

    #[test]
    fn the_first_error_has_its_file_line_and_column() {
        let span = |file: &str, primary: bool| {
            format!(
                r#"{{"file_name":"{file}","line_start":88,"column_start":18,"is_primary":{primary}}}"#
            )
        };
        let both = format!("{},{}", span("src/a.rs", false), span("src/b.rs", true));
        let mut found = Diagnostics::default();
        for line in [
            r#"{"reason":"compiler-artifact","package_id":"a","filenames":["x.so"]}"#.to_owned(),
            "not JSON".to_owned(),
            compiler_message("warning", "unused variable", ""),
            compiler_message("error", "mismatched types", &both),
            compiler_message("error", "aborting", ""),
        ] {
            found.add(&line);
        }
        let first = found.first_error.as_deref();
        assert_eq!(first, Some("src/b.rs:88:18: mismatched types"));
        assert_eq!(
            found.rendered,
            "warning: unused variable\nerror: mismatched types\nerror: aborting\n"
        );
    }

    #[test]
    fn an_error_without_a_place_is_its_message() {
        let mut found = Diagnostics::default();
        found.add(&compiler_message("error", "linking failed", ""));
        assert_eq!(found.first_error.as_deref(), Some("linking failed"));
    }
}
