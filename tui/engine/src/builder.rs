//! Builds agent crates with cargo, at the start and whenever one of their files is saved. What cargo
//! prints goes to the screen; the library that comes of it is seen by whoever watches libraries.

use crate::library::Library;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc::Sender;
use wb_core::event::{BuildEvent, Event};

/// Time between two looks at the files. What was saved counts once two looks are equal, so that a
/// checkout of many files is built once.
const LOOK: Duration = Duration::from_millis(250);
/// Files of one crate that are looked at, at most.
const MOST: usize = 5000;
/// Largest note of what a library was made of, in bytes.
const NOTE: u64 = 16 << 20;
/// Of cargo's messages so much is kept.
const KEPT: usize = 64 * 1024;

/// A crate to build, and how to see that it has to be built again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Folder of its manifest.
    dir: PathBuf,
    /// Where cargo notes what the library was made of: files of other crates of its workspace too.
    made_of: Vec<PathBuf>,
}

impl Source {
    /// The crates among what was named with `--agents`.
    #[must_use]
    pub fn among(paths: &[PathBuf], libraries: &[Library]) -> Vec<Self> {
        let built = libraries.iter().filter(|l| l.package.is_some());
        let made_of: Vec<PathBuf> = built
            .flat_map(|l| std::iter::once(&l.path).chain(&l.twin))
            .map(|library| library.with_extension("d"))
            .collect();
        paths
            .iter()
            .filter(|path| path.join("Cargo.toml").is_file())
            .map(|path| Self {
                dir: path.clone(),
                made_of: made_of.clone(),
            })
            .collect()
    }

    /// When each file was written that the library may be made of.
    fn look(&self) -> Seen {
        let mut seen = Seen::new();
        walk(&self.dir, &mut seen);
        for note in &self.made_of {
            let text = wb_host::read_named_text(note, NOTE).unwrap_or_default();
            for file in dependencies(&text) {
                note_time(&file, &mut seen);
            }
        }
        seen
    }
}

type Seen = BTreeMap<PathBuf, (SystemTime, u64)>;

fn note_time(file: &Path, seen: &mut Seen) {
    if let Ok(meta) = file.metadata()
        && let Ok(time) = meta.modified()
    {
        seen.insert(file.to_owned(), (time, meta.len()));
    }
}

/// Sources and manifests below a folder; not what was built there, nor hidden folders.
fn walk(dir: &Path, seen: &mut Seen) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if seen.len() >= MOST || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            let built = name == "target" || path.join("CACHEDIR.TAG").is_file();
            if !built {
                walk(&path, seen);
            }
        } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
            // The workbench's own settings are not the crate's.
            if name != "workbench.toml" {
                note_time(&path, seen);
            }
        }
    }
}

/// The files of a `.d` file: `made: of these files`, blanks in names behind a backslash.
fn dependencies(text: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for line in text.lines() {
        let Some((_, files)) = line.split_once(": ") else {
            continue;
        };
        let mut name = String::new();
        let mut chars = files.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => name.extend(chars.next()),
                ' ' => all.push(PathBuf::from(std::mem::take(&mut name))),
                c => name.push(c),
            }
        }
        if !name.is_empty() {
            all.push(PathBuf::from(name));
        }
    }
    all
}

/// Builds the crates now and again whenever one of their files is saved; never ends by itself.
pub async fn keep_built(sources: Vec<Source>, news: Sender<Event>) {
    let mut last: Vec<Seen> = vec![Seen::new(); sources.len()];
    let mut built: Vec<Option<Seen>> = vec![None; sources.len()];
    loop {
        for (at, source) in sources.iter().enumerate() {
            let looking = source.clone();
            let Ok(seen) = tokio::task::spawn_blocking(move || looking.look()).await else {
                return;
            };
            let first = built[at].is_none();
            let rests = last[at] == seen;
            if first || rests && built[at].as_ref() != Some(&seen) {
                compile(&source.dir, &news).await;
                // What cargo wrote meanwhile is no change; what a person saved meanwhile is one.
                let mut now = source.look();
                now.retain(|file, _| !seen.contains_key(file));
                now.extend(seen.clone());
                built[at] = Some(now);
            }
            last[at] = seen;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Builds one crate as an author would; cargo's messages are shown on the screen.
async fn compile(dir: &Path, news: &Sender<Event>) {
    let began = Instant::now();
    let child = tokio::process::Command::from(crate::library::cargo())
        .args(["build", "--color", "never", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let result = match child {
        Ok(mut child) => {
            let mut messages = String::new();
            if let Some(pipe) = child.stderr.take() {
                let mut lines = BufReader::new(pipe).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let _ = news
                        .send(Event::Build(BuildEvent::Compiling {
                            line: line.trim().to_owned(),
                        }))
                        .await;
                    if messages.len() < KEPT {
                        messages.push_str(&line);
                        messages.push('\n');
                    }
                }
            }
            match child.wait().await {
                Ok(status) if status.success() => Ok(millis(began.elapsed())),
                _ => Err(messages),
            }
        }
        Err(error) => Err(format!("cargo cannot be started: {error}")),
    };
    let _ = news
        .send(Event::Build(BuildEvent::Compiled { result }))
        .await;
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn names_with_blanks_in_cargos_notes_are_one_file() {
        let text = "/t/lib a.so: /src/my\\ agents/lib.rs /src/b.rs\n\n/src/b.rs:\n";
        let files = ["/src/my agents/lib.rs", "/src/b.rs"].map(PathBuf::from);
        assert_eq!(dependencies(text), files);
    }

    #[test]
    fn a_saved_source_counts_and_what_cargo_or_the_workbench_write_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write(&at("Cargo.toml"), "[package]");
        write(&at("src/lib.rs"), "");
        write(&at("elsewhere/other.rs"), "");
        write(
            &at("target/debug/libx.d"),
            &format!("x: {}\n", at("elsewhere/other.rs").display()),
        );
        let library = Library {
            path: at(&format!("target/debug/libx.{}", crate::library::ENDING)),
            package: Some("x".into()),
            twin: None,
        };
        let sources = Source::among(&[dir.path().to_owned(), at("src")], &[library]);
        assert_eq!(sources.len(), 1, "a folder without a manifest is no crate");
        let first = sources[0].look();
        write(&at("target/debug/build/out.rs"), "x");
        write(&at(".workbench/x.toml"), "x");
        write(&at("workbench.toml"), "rate = 1");
        assert_eq!(sources[0].look(), first);
        for file in [
            "src/lib.rs",
            "elsewhere/other.rs",
            "Cargo.toml",
            "src/new.rs",
        ] {
            write(&at(file), "// longer than before");
            assert_ne!(sources[0].look(), first, "{file}");
        }
    }
}
