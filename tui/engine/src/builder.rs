//! Builds agent crates with cargo, at the start and whenever one of their files is saved. The library that a
//! build writes is picked up by whoever watches libraries.

mod cargo;
mod progress;

use crate::library::Library;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use wb_core::event::Event;

/// Changes are compared once nothing has changed for so long, so that a checkout of many files is built once.
const QUIET: Duration = Duration::from_millis(50);
/// Files are compared at least this often: network file systems and shared folders of containers report no
/// changes.
const RESCAN: Duration = Duration::from_secs(2);
/// Source files of one crate that are compared, at most.
const MOST: usize = 5000;
/// Largest `.d` file of a library, in bytes.
const DEP_INFO: u64 = 16 << 20;

/// A crate to build, and what it is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Folder of its manifest.
    dir: PathBuf,
    /// Where cargo lists the files that the libraries were built from: path dependencies and inputs of build
    /// scripts too.
    dep_info: Vec<PathBuf>,
}

/// When each file that the library is built from was written, and its length.
type Stamps = BTreeMap<PathBuf, (SystemTime, u64)>;

/// The files of a crate at one moment.
#[derive(Debug, Default)]
struct Scan {
    stamps: Stamps,
    /// Where a change may show up.
    folders: BTreeSet<PathBuf>,
}

impl Source {
    /// The crates among what was named with `--agents`.
    #[must_use]
    pub fn among(paths: &[PathBuf], libraries: &[Library]) -> Vec<Self> {
        let built = libraries.iter().filter(|l| l.package.is_some());
        let dep_info: Vec<PathBuf> = built
            .flat_map(|l| std::iter::once(&l.path).chain(&l.twin))
            .map(|library| library.with_extension("d"))
            .collect();
        paths
            .iter()
            .filter(|path| path.join("Cargo.toml").is_file())
            .map(|path| Self {
                dir: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
                dep_info: dep_info.clone(),
            })
            .collect()
    }

    fn scan(&self) -> Scan {
        let mut scan = Scan::default();
        scan.walk(&self.dir);
        scan.add_manifests(&self.dir);
        for path in &self.dep_info {
            let text = wb_host::read_named_text(path, DEP_INFO).unwrap_or_default();
            for file in dependencies(&text) {
                let folder = file.parent().map(Path::to_owned);
                scan.add(file);
                if let Some(folder) = folder
                    && scan.folders.insert(folder.clone())
                {
                    scan.add_manifests(&folder);
                }
            }
        }
        scan
    }
}

impl Scan {
    fn add(&mut self, file: PathBuf) {
        if let Ok(meta) = file.metadata()
            && let Ok(time) = meta.modified()
        {
            self.stamps.insert(file, (time, meta.len()));
        }
    }

    /// Sources and manifests below a folder; neither what was built there nor hidden folders.
    fn walk(&mut self, dir: &Path) {
        self.folders.insert(dir.to_owned());
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if self.stamps.len() >= MOST || name.to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                let built = name == "target" || path.join("CACHEDIR.TAG").is_file();
                if !built {
                    self.walk(&path);
                }
            } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
                // The workbench's own settings do not belong to the crate.
                if name != "workbench.toml" {
                    self.add(path);
                }
            }
        }
    }

    /// The manifests of the package and the workspace that a folder belongs to.
    fn add_manifests(&mut self, dir: &Path) {
        for folder in dir.ancestors() {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file() {
                self.add(manifest);
                self.folders.insert(folder.to_owned());
            }
        }
    }
}

/// The files of a `.d` file: `built: from these files`, with a backslash before blanks in names.
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
    let mut watcher = FileWatcher::start();
    let mut built: Vec<Option<Stamps>> = vec![None; sources.len()];
    loop {
        let (mut folders, mut building) = (BTreeSet::new(), false);
        for (source, built) in sources.iter().zip(&mut built) {
            let Some(mut scan) = scan(source).await else {
                return;
            };
            if built.as_ref() != Some(&scan.stamps) {
                building = true;
                cargo::build(&source.dir, &news).await;
                // A file that is new since was generated by the build; a known one that changed was saved by
                // a person, and is built in the next round.
                let before = std::mem::take(&mut scan.stamps);
                let Some(now) = self::scan(source).await else {
                    return;
                };
                scan = now;
                scan.stamps.extend(before);
                *built = Some(scan.stamps);
            }
            folders.append(&mut scan.folders);
        }
        // What was saved before its folder was watched is found by scanning once more.
        if !(watcher.watch(folders) || building) {
            watcher.changed().await;
        }
    }
}

async fn scan(source: &Source) -> Option<Scan> {
    let source = source.clone();
    let scan = tokio::task::spawn_blocking(move || source.scan());
    scan.await.ok()
}

/// Wakes up when something changes in some folders.
struct FileWatcher {
    /// `None` where the system's limit of watchers is reached: then only rescans find changes.
    notify: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    changes: Receiver<()>,
}

impl FileWatcher {
    fn start() -> Self {
        let (changed, changes) = channel(1);
        let handler = move |event: notify::Result<notify::Event>| {
            // The compiler reads the files; an error of the watcher may hide a change.
            let read = event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
            if !read {
                let _ = changed.try_send(());
            }
        };
        Self {
            notify: notify::recommended_watcher(handler).ok(),
            folders: BTreeSet::new(),
            changes,
        }
    }

    /// Watches these folders from now on; whether they differ from the ones before. Each is registered again,
    /// since one that was removed and created again is a different folder to the system.
    fn watch(&mut self, folders: BTreeSet<PathBuf>) -> bool {
        for folder in &folders {
            if let Some(notify) = &mut self.notify {
                // A folder that cannot be watched is left to the rescans.
                let _ = notify.watch(folder, RecursiveMode::NonRecursive);
            }
        }
        let differ = folders != self.folders;
        self.folders = folders;
        differ
    }

    /// Waits for a change and for the end of the changes that follow at once, or for the next rescan.
    async fn changed(&mut self) {
        if self.notify.is_none() {
            return tokio::time::sleep(RESCAN).await;
        }
        if let Ok(Some(())) = timeout(RESCAN, self.changes.recv()).await {
            while let Ok(Some(())) = timeout(QUIET, self.changes.recv()).await {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wb_core::event::{BuildEvent, CompileFailure};

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn names_with_blanks_in_dep_info_are_one_file() {
        let text = "/t/lib a.so: /src/my\\ agents/lib.rs /src/b.rs\n\n/src/b.rs:\n";
        let files = ["/src/my agents/lib.rs", "/src/b.rs"].map(PathBuf::from);
        assert_eq!(dependencies(text), files);
    }

    #[test]
    fn a_saved_source_is_a_change_and_build_output_is_not() {
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
        assert_eq!(
            sources.len(),
            1,
            "a folder without a manifest is not a crate"
        );
        let first = sources[0].scan().stamps;
        write(&at("target/debug/build/out.rs"), "x");
        write(&at(".workbench/x.toml"), "x");
        write(&at("workbench.toml"), "rate = 1");
        assert_eq!(sources[0].scan().stamps, first);
        for file in [
            "src/lib.rs",
            "elsewhere/other.rs",
            "Cargo.toml",
            "src/new.rs",
        ] {
            write(&at(file), "// longer than before");
            assert_ne!(sources[0].scan().stamps, first, "{file}");
        }
    }

    #[test]
    fn manifests_of_path_dependencies_and_the_workspace_are_watched() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["Cargo.toml", "agents/Cargo.toml", "helper/Cargo.toml"] {
            write(&at(name), "[package]");
        }
        write(&at("helper/src/lib.rs"), "");
        write(&at("helper/prompt.txt"), "");
        let files = ["helper/src/lib.rs", "helper/prompt.txt"].map(at);
        let [lib, prompt] = files.each_ref().map(|path| path.display());
        write(&at("target/debug/libx.d"), &format!("x: {lib} {prompt}\n"));
        let source = Source {
            dir: at("agents"),
            dep_info: vec![at("target/debug/libx.d")],
        };
        let scan = source.scan();
        for name in ["Cargo.toml", "helper/Cargo.toml", "helper/prompt.txt"] {
            assert!(scan.stamps.contains_key(&at(name)), "{name}");
        }
        for name in ["", "agents", "helper", "helper/src"] {
            let folder = dir.path().join(name);
            assert!(scan.folders.iter().any(|f| *f == folder), "{name}");
        }
        assert!(!scan.folders.contains(&at("target/debug")));
    }

    #[tokio::test]
    async fn a_file_that_replaces_another_wakes_the_watcher_and_reading_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write(&at("lib.rs"), "old");
        let mut watcher = FileWatcher::start();
        let folders = BTreeSet::from([dir.path().to_owned()]);
        assert!(watcher.watch(folders.clone()));
        assert!(!watcher.watch(folders), "the same folders");
        std::fs::read(at("lib.rs")).unwrap();
        assert!(watcher.changes.try_recv().is_err());
        // As editors save: a new file takes the place of the old one.
        write(&at("lib.rs~"), "new");
        std::fs::rename(at("lib.rs~"), at("lib.rs")).unwrap();
        assert_eq!(watcher.changes.recv().await, Some(()));
    }

    async fn compiled(events: &mut Receiver<Event>) -> Result<u64, CompileFailure> {
        let deadline = Duration::from_secs(60);
        loop {
            let event = timeout(deadline, events.recv()).await.unwrap().unwrap();
            if let Event::Build(BuildEvent::Compiled { result }) = event {
                return result;
            }
        }
    }

    #[tokio::test]
    async fn a_saved_file_is_built_and_its_error_has_a_place() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write(
            &at("Cargo.toml"),
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        );
        write(&at("src/lib.rs"), "pub fn a() {}");
        let sources = Source::among(&[dir.path().to_owned()], &[]);
        let (news, mut events) = channel(1000);
        let builder = tokio::spawn(keep_built(sources, news));
        assert!(compiled(&mut events).await.is_ok());
        write(&at("src/lib.rs~"), "pub fn a() -> u8 { \"\" }");
        std::fs::rename(at("src/lib.rs~"), at("src/lib.rs")).unwrap();
        let failure = compiled(&mut events).await.unwrap_err();
        let first = failure.first.as_deref();
        assert_eq!(first, Some("src/lib.rs:1:20: mismatched types"));
        assert!(
            failure.messages.contains("could not compile"),
            "{failure:?}"
        );
        builder.abort();
    }
}
