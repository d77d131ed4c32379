//! How far a `cargo build` is: the crates that it has finished against the crates that it needs. What the compiler
//! reports is left to the parent module.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc::Sender;
use wb_core::event::{BuildEvent, CrateProgress, Event};
use wb_core::text::clean;

/// Kind of the target that a build script is.
const BUILD_SCRIPT: &str = "custom-build";

/// A line of `--message-format json`.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum ArtifactMessage {
    CompilerArtifact(Artifact),
    #[serde(other)]
    Other,
}

/// A finished part of a crate.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: BuiltTarget,
    #[serde(default)]
    fresh: bool,
}

#[derive(Deserialize)]
struct BuiltTarget {
    kind: Vec<String>,
}

/// The counters of one build, sent at each change.
pub(super) struct CrateCounter<'a> {
    news: &'a Sender<Event>,
    crates: Mutex<(CrateProgress, BTreeSet<String>)>,
}

impl<'a> CrateCounter<'a> {
    /// A build that begins.
    pub async fn begin(news: &'a Sender<Event>) -> Self {
        let counter = Self {
            news,
            crates: Mutex::default(),
        };
        counter.change(|_, _| true).await;
        counter
    }

    /// Takes a line of cargo's in, from either stream; any other line changes nothing.
    pub async fn take(&self, line: &str) {
        if line.starts_with('{') {
            if let Ok(ArtifactMessage::CompilerArtifact(artifact)) = serde_json::from_str(line) {
                self.finished(artifact).await;
            }
            return;
        }
        let mut words = line.split_whitespace();
        if let (Some("Compiling"), Some(name)) = (words.next(), words.next()) {
            let newest = clean(name).into_owned();
            self.change(|crates, _| {
                crates.newest = newest;
                true
            })
            .await;
        }
    }

    /// A crate is finished once its library is; one that is compiled for build scripts too counts once.
    async fn finished(&self, artifact: Artifact) {
        if artifact.target.kind.iter().any(|kind| kind == BUILD_SCRIPT) {
            return;
        }
        self.change(|crates, finished| {
            let is_new = finished.insert(artifact.package_id);
            if is_new {
                crates.done += 1;
                crates.fresh += usize::from(artifact.fresh);
            }
            is_new
        })
        .await;
    }

    /// Counts the crates that a build of this folder needs, if it is one of cargo's; never ends by itself.
    pub async fn count(&self, dir: Option<&Path>) {
        let total = match dir {
            Some(dir) => crates_of(dir).await,
            None => None,
        };
        if let Some(total) = total {
            self.change(|crates, _| {
                crates.total = Some(total);
                true
            })
            .await;
        }
        std::future::pending::<()>().await;
    }

    async fn change(&self, change: impl FnOnce(&mut CrateProgress, &mut BTreeSet<String>) -> bool) {
        let now = {
            let mut crates = self.crates.lock().unwrap_or_else(PoisonError::into_inner);
            let (crates, finished) = &mut *crates;
            change(crates, finished).then(|| crates.clone())
        };
        if let Some(now) = now {
            self.send(BuildEvent::Crates(now)).await;
        }
    }

    pub async fn send(&self, event: BuildEvent) {
        let _ = self.news.send(Event::Build(event)).await; // nobody listens any more
    }
}

/// How many crates cargo builds for the default packages of a folder, features and platform considered.
/// `cargo tree` resolves them as `cargo build` does; `cargo metadata` lists those of the whole workspace.
pub(super) async fn crates_of(dir: &Path) -> Option<usize> {
    let output = tokio::process::Command::from(crate::library::cargo())
        .args(["tree", "--quiet", "--color", "never"])
        .args(["--edges", "no-dev", "--prefix", "none", "--format", "{p}"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    output
        .status
        .success()
        .then(|| count(&String::from_utf8_lossy(&output.stdout)))
}

/// The crates of a tree, each once. A crate whose dependencies stand elsewhere in it ends with `(*)`.
fn count(tree: &str) -> usize {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    let crates: BTreeSet<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('['))
        .collect();
    crates.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::channel;

    #[test]
    fn a_crate_of_the_tree_counts_once() {
        let tree = "a v0.1.0 (/a)\nserde v1.0.0\nsyn v3.0.0\n[build-dependencies]\nserde v1.0.0 (*)\n\nb v0.1.0\n";
        assert_eq!(count(tree), 4);
    }

    #[tokio::test]
    async fn build_scripts_and_second_builds_of_a_crate_count_for_nothing() {
        let (news, mut events) = channel(100);
        let counter = CrateCounter::begin(&news).await;
        let artifact = |id: &str, kind: &str, fresh: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{id}","target":{{"kind":["{kind}"]}},"fresh":{fresh}}}"#
            )
        };
        for line in [
            "   Compiling serde v1.0.0".to_owned(),
            "    Blocking waiting for file lock".to_owned(),
            artifact("serde", BUILD_SCRIPT, false),
            r#"{"reason":"build-script-executed","package_id":"serde"}"#.to_owned(),
            artifact("serde", "lib", false),
            artifact("serde", "lib", false),
            artifact("syn", "lib", true),
            "{ not JSON".to_owned(),
        ] {
            counter.take(&line).await;
        }
        drop(counter);
        drop(news);
        let mut seen = Vec::new();
        while let Some(Event::Build(BuildEvent::Crates(crates))) = events.recv().await {
            seen.push((crates.done, crates.fresh, crates.newest));
        }
        let serde = || "serde".to_owned();
        let all = [
            (0, 0, String::new()),
            (0, 0, serde()),
            (1, 0, serde()),
            (2, 1, serde()),
        ];
        assert_eq!(seen, all);
    }
}
