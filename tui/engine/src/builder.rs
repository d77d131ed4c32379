//! Builds agents, with cargo or a command, at the start and whenever one of their files is saved. The library that a
//! build writes is picked up by whoever watches libraries.

mod cargo;
mod process;
mod progress;
mod setting;
mod source;
#[cfg(test)]
mod tests;

pub use setting::{BuildSetting, BuildWord, WatchGlobs};
pub use source::Source;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use source::{Scan, Stamps};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wb_core::event::{BuildEvent, Event};

/// Changes are compared once nothing has changed for so long, so that a checkout of many files is built once.
const QUIET: Duration = Duration::from_millis(50);
/// Files are compared at least this often: network file systems and shared folders of containers report no
/// changes.
const RESCAN: Duration = Duration::from_secs(2);
/// How much earlier than it was written a file may seem to be.
const TICK: Duration = Duration::from_millis(20);
/// Largest file whose content is compared, in bytes.
const LARGEST: u64 = 16 << 20;

/// Builds until it is stopped.
pub struct Builder {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Builder {
    /// Builds now, and again whenever one of the files is saved; its news go to `news`.
    #[must_use]
    pub fn start(sources: Vec<Source>, news: Sender<Event>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            for warning in sources.iter().filter_map(Source::unwatched) {
                let _ = news.send(Event::Build(BuildEvent::Warning(warning))).await;
            }
            keep_built(sources, &news, &mut stopped).await;
        });
        Self { stop, task }
    }

    /// Ends the build that runs, with everything that it has started.
    pub async fn stop(self) {
        let _ = self.stop.send(true); // it has ended by itself
        let _ = self.task.await;
    }
}

/// What a source was built from last.
#[derive(Default)]
struct Built {
    /// The files as the build read them; `None` before the first.
    from: Option<Stamps>,
    /// The same files when it had ended.
    after: Stamps,
    /// Contents of files that changed during a build.
    rewritten: BTreeMap<PathBuf, u64>,
    /// Whether a build has written a library.
    succeeded: bool,
}

impl Built {
    /// Whether a file was saved since.
    fn is_old(&self, scan: &Scan) -> bool {
        self.from.as_ref() != Some(&scan.stamps)
    }

    /// Files that somebody saves between two builds are not written by these.
    fn saved(&mut self, now: &Stamps) {
        let after = &self.after;
        (self.rewritten).retain(|file, _| now.get(file) == after.get(file));
    }

    /// A build began at this time, with the files as they were `before`, and has ended. What was saved meanwhile is
    /// built in the next round; unless the last build wrote the same content there too, and so wrote it itself.
    fn ended(&mut self, began: SystemTime, before: Stamps, now: &Stamps) {
        // The clock of a file system is coarser than the other one.
        let began = began.checked_sub(TICK).unwrap_or(began);
        let mut from = now.clone();
        for (file, stamp) in now {
            let known = before.get(file);
            let changed = known.map_or(stamp.0 >= began, |before| before != stamp);
            if !changed || self.wrote_again(file) {
                continue;
            }
            match known {
                Some(before) => from.insert(file.clone(), *before),
                None => from.remove(file),
            };
        }
        let gone = before
            .into_iter()
            .filter(|(file, _)| !now.contains_key(file));
        from.extend(gone);
        self.from = Some(from);
        self.after.clone_from(now);
    }

    /// Whether a file that changed during a build has the content that it got during an earlier one.
    fn wrote_again(&mut self, file: &Path) -> bool {
        let Some(content) = content(file) else {
            return false;
        };
        self.rewritten.insert(file.to_owned(), content) == Some(content)
    }
}

fn content(file: &Path) -> Option<u64> {
    let bytes = wb_host::read_named(file, LARGEST).ok()?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Some(hasher.finish())
}

/// Builds now and again whenever a file is saved, until it is stopped.
async fn keep_built(sources: Vec<Source>, news: &Sender<Event>, stop: &mut watch::Receiver<bool>) {
    let mut watcher = FileWatcher::start();
    let mut all: Vec<Built> = sources.iter().map(|_| Built::default()).collect();
    loop {
        let (mut folders, mut building) = (BTreeSet::new(), false);
        for (source, built) in sources.iter().zip(&mut all) {
            let Some(mut scan) = scan(source).await else {
                return;
            };
            if built.is_old(&scan) {
                building = true;
                built.saved(&scan.stamps);
                let began = SystemTime::now();
                let libraries = cargo::build(source, !built.succeeded, news, stop).await;
                built.succeeded |= !libraries.is_empty();
                report_places(source, libraries, news).await;
                let Some(now) = self::scan(source).await else {
                    return;
                };
                let before = std::mem::replace(&mut scan, now).stamps;
                built.ended(began, before, &scan.stamps);
            }
            folders.append(&mut scan.folders);
            if *stop.borrow() {
                return;
            }
        }
        // What was saved before its folder was watched is found by scanning once more.
        if !(watcher.watch(folders) || building) {
            tokio::select! {
                () = watcher.changed() => {}
                () = stopped(stop) => return,
            }
        }
    }
}

/// Waits until the builder is stopped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await; // its owner is gone
}

/// Reports where cargo wrote libraries, which a flag of the command may have chosen.
async fn report_places(source: &Source, libraries: Vec<PathBuf>, news: &Sender<Event>) {
    for place in libraries {
        if let Some(library) = source.library_named(&place) {
            let library = library.clone();
            let _ = news
                .send(Event::Build(BuildEvent::Written { library, place }))
                .await;
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
