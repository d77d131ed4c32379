//! One build: its lines while it runs, and its errors with their places. Counting crates is left to `progress`, when to
//! build to the parent module, what is run to `source`.

use super::process::{BuildProcess, OutputStream};
use super::progress::CrateCounter;
use super::source::Source;
use super::stopped;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Instant;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use wb_core::event::{BuildEvent, CompileError, CompileFailure, Event};
use wb_core::text::clean;

/// Bytes of a build's output, and of the compiler's messages, that are kept.
const KEPT: usize = 64 * 1024;
/// Errors of a build that are listed.
const ERRORS: usize = 100;

/// A line of `--message-format json`. The crate `cargo_metadata` would bring five more to build for these fields.
#[derive(Deserialize)]
struct CargoMessage {
    /// Of the reason `compiler-message` only.
    message: Option<Diagnostic>,
    /// Of the reason `compiler-artifact` only.
    #[serde(default)]
    filenames: Vec<PathBuf>,
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

/// What a build reported.
#[derive(Default)]
struct Diagnostics {
    first_error: Option<String>,
    errors: Vec<CompileError>,
    rendered: String,
    /// Lines that are not messages of cargo's, kept beside them.
    plain: String,
    /// Libraries that were written.
    libraries: Vec<PathBuf>,
}

impl Diagnostics {
    /// Takes a message of cargo's in; false for any other line.
    fn add(&mut self, line: &str) -> bool {
        if !line.starts_with('{') {
            return false;
        }
        let Ok(CargoMessage { message, filenames }) = serde_json::from_str(line) else {
            return false;
        };
        let library = |file: &PathBuf| {
            file.extension()
                .is_some_and(|e| e == crate::library::ENDING)
        };
        self.libraries.extend(filenames.into_iter().filter(library));
        let Some(diagnostic) = message else {
            return true;
        };
        if diagnostic.level.starts_with("error") {
            self.add_error(&diagnostic);
        }
        if let Some(text) = &diagnostic.rendered {
            keep(&mut self.rendered, text);
        }
        true
    }

    fn add_error(&mut self, diagnostic: &Diagnostic) {
        let short = diagnostic.short();
        self.first_error.get_or_insert_with(|| short.clone());
        // The last one only counts the others.
        let counts =
            diagnostic.spans.is_empty() && diagnostic.message.starts_with("aborting due to");
        if !counts && self.errors.len() < ERRORS {
            let rendered = diagnostic.rendered.clone().unwrap_or_default();
            self.errors.push(CompileError { short, rendered });
        }
    }

    fn add_plain(&mut self, line: &str) {
        if self.first_error.is_none() {
            self.first_error = placed_error(line);
        }
        keep(&mut self.plain, &format!("{line}\n"));
    }
}

/// `agent.c:12:5: error: expected ';'` of a C compiler, or of another that writes its errors so, without the word.
fn placed_error(line: &str) -> Option<String> {
    let line = clean(line);
    let (place, message) = [": error: ", ": fatal error: "]
        .iter()
        .find_map(|word| line.split_once(word))?;
    let mut parts = place.rsplit(':');
    let is_number = |part: Option<&str>| part.is_some_and(|p| p.parse::<u32>().is_ok());
    is_number(parts.next()).then(|| format!("{place}: {message}"))
}

fn keep(text: &mut String, more: &str) {
    if text.len() < KEPT {
        text.push_str(more);
    }
}

/// Builds as an author would; the libraries that cargo wrote. A stop ends it without a result. The crates are counted
/// for a `first` build only: later ones are over before anybody reads how far they are.
pub(super) async fn build(
    source: &Source,
    first: bool,
    news: &Sender<Event>,
    stop: &mut watch::Receiver<bool>,
) -> Vec<PathBuf> {
    let began = Instant::now();
    let mut found = Diagnostics::default();
    let counter = CrateCounter::begin(news).await;
    // The count may have to wait for what cargo downloads; the build does not wait for the count.
    let result = tokio::select! {
        result = run(source, &counter, &mut found, stop) => result,
        () = counter.count(source.counted().filter(|_| first)) => None,
    };
    let Some(result) = result else {
        return Vec::new();
    };
    let result = result.map(|()| {
        let ms = began.elapsed().as_millis();
        u64::try_from(ms).unwrap_or(u64::MAX)
    });
    let ended = Event::Build(BuildEvent::Compiled { result });
    let _ = news.send(ended).await;
    found.libraries
}

/// `None`: stopped.
async fn run(
    source: &Source,
    counter: &CrateCounter<'_>,
    found: &mut Diagnostics,
    stop: &mut watch::Receiver<bool>,
) -> Option<Result<(), CompileFailure>> {
    let mut process = match BuildProcess::start(source.command()) {
        Ok(process) => process,
        Err(error) => {
            return Some(Err(source.not_started(&error).into()));
        }
    };
    loop {
        let line = tokio::select! {
            line = process.line() => line,
            () = stopped(stop) => {
                process.stop().await;
                return None;
            }
        };
        let Some((stream, line)) = line else { break };
        counter.take(&line).await;
        if stream == OutputStream::Out && found.add(&line) {
            continue;
        }
        found.add_plain(&line);
        let line = line.trim().to_owned();
        counter.send(BuildEvent::Compiling { line }).await;
    }
    let status = process.ended();
    if status.is_some_and(|status| status.success()) {
        return Some(Ok(()));
    }
    let mut messages = std::mem::take(&mut found.rendered) + &found.plain;
    if let Some(status) = status {
        messages.push_str(&format!("`{}` ended with {status}\n", source.name()));
    }
    Some(Err(CompileFailure {
        first: found.first_error.take(),
        errors: std::mem::take(&mut found.errors),
        messages,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::BuildSetting;
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
            r#"{"reason":"compiler-artifact","package_id":"a","filenames":["x.so","x.d"]}"#
                .to_owned(),
            compiler_message("warning", "unused variable", ""),
            compiler_message("error", "mismatched types", &both),
            compiler_message("error", "aborting due to 1 previous error", ""),
        ] {
            assert!(found.add(&line));
        }
        assert!(!found.add("not JSON"));
        assert_eq!(found.libraries, [PathBuf::from("x.so")]);
        let first = found.first_error.as_deref();
        assert_eq!(first, Some("src/b.rs:88:18: mismatched types"));
        assert_eq!(
            found.rendered,
            "warning: unused variable\nerror: mismatched types\nerror: aborting due to 1 previous error\n"
        );
        let listed = CompileError {
            short: "src/b.rs:88:18: mismatched types".into(),
            rendered: "error: mismatched types\n".into(),
        };
        assert_eq!(found.errors, [listed], "what only counts them is not one");
    }

    #[test]
    fn a_c_compilers_error_keeps_its_place() {
        let mut found = Diagnostics::default();
        for line in [
            "cc -c agent.c",
            "agent.c:3:1: warning: unused",
            "agent.c:12:5: \u{1b}[31merror: \u{1b}[mexpected ';' before '}'",
            "a.c:1:10: fatal error: x.h: No such file",
        ] {
            found.add_plain(line);
        }
        let first = found.first_error.as_deref();
        assert_eq!(first, Some("agent.c:12:5: expected ';' before '}'"));
        assert_eq!(placed_error("make: *** [Makefile:2: all] Error 1"), None);
        assert_eq!(placed_error("ld: error: no input"), None);
    }

    #[test]
    fn an_error_without_a_place_is_its_message() {
        let mut found = Diagnostics::default();
        found.add(&compiler_message("error", "linking failed", ""));
        assert_eq!(found.first_error.as_deref(), Some("linking failed"));
    }

    #[tokio::test]
    async fn the_crates_of_a_build_are_counted_and_those_of_an_earlier_one_are_fresh() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let manifest = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
        };
        // `c` is needed by the build script only, `unused` by nothing that is built.
        let needs = "[workspace]\n[dependencies]\nb = { path = \"b\" }\nunused = { path = \"unused\", optional = true }\n\
                     [build-dependencies]\nc = { path = \"c\" }\n";
        write("Cargo.toml", &manifest("a", needs));
        write("build.rs", "fn main() { c::c() }");
        write("src/lib.rs", "");
        for name in ["b", "c", "unused"] {
            write(&format!("{name}/Cargo.toml"), &manifest(name, ""));
            write(
                &format!("{name}/src/lib.rs"),
                &format!("pub fn {name}() {{}}"),
            );
        }
        assert_eq!(super::super::progress::crates_of(dir.path()).await, Some(3));
        let paths = [dir.path().to_owned()];
        let sources = Source::among(&BuildSetting::Cargo, None, &paths, &[]);
        for fresh in [0, 3] {
            let (news, mut events) = tokio::sync::mpsc::channel(1000);
            let (_owner, mut stop) = watch::channel(false);
            build(&sources[0], true, &news, &mut stop).await;
            drop(news);
            let (mut last, mut ended) = (None, None);
            while let Some(event) = events.recv().await {
                match event {
                    Event::Build(BuildEvent::Crates(crates)) => last = Some(crates),
                    Event::Build(BuildEvent::Compiled { result }) => ended = Some(result),
                    _ => {}
                }
            }
            assert!(matches!(ended, Some(Ok(_))), "{ended:?}");
            let last = last.unwrap();
            assert_eq!((last.done, last.fresh), (3, fresh), "{last:?}");
            assert!(last.total.is_none_or(|total| total == 3), "{last:?}");
        }
    }
}
