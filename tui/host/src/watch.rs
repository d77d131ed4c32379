//! Watched libraries: from "something happened in that folder" to "this content is complete".
//!
//! Directories are watched, not files (a watch on a file dies with its inode, and a linker's last
//! step is often a hard link, which closes nothing). No event is trusted: each means "check again
//! when it has been quiet". A content counts once two reads some time apart are equal; one that is
//! visibly cut gets longer, because a linker may still be writing it.

mod library;

use crate::core::Core;
use crate::files::Fingerprint;
use library::Library;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

enum Message {
    Add(PathBuf),
    Again(PathBuf),
    Changed(notify::Result<Event>),
    Stop,
}

/// Handle of the watching thread, which ends with it.
pub(crate) struct Watcher {
    to: Mutex<Sender<Message>>,
}

impl Watcher {
    pub(crate) fn add(&self, path: PathBuf) {
        self.send(Message::Add(path));
    }

    pub(crate) fn look_again(&self, path: PathBuf) {
        self.send(Message::Again(path));
    }

    pub(crate) fn stop(&self) {
        self.send(Message::Stop);
    }

    fn send(&self, message: Message) {
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = to.send(message); // the thread has ended: nothing is watched any more
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts the watching thread.
pub(crate) fn start(core: &Arc<Core>) -> io::Result<Watcher> {
    let (to, messages) = channel();
    let from_notify = to.clone();
    let core = Arc::clone(core);
    std::thread::Builder::new()
        .name("wb-watch".into())
        .spawn(move || {
            let handler = move |event| drop(from_notify.send(Message::Changed(event)));
            let mut watch = Watch {
                // Without notifications the regular rescan still finds everything, only later.
                notify: notify::recommended_watcher(handler).ok(),
                core,
                files: Vec::new(),
                folders: Vec::new(),
                attached: BTreeMap::new(),
                libraries: BTreeMap::new(),
            };
            watch.run(&messages);
        })?;
    Ok(Watcher { to: Mutex::new(to) })
}

struct Watch {
    notify: Option<RecommendedWatcher>,
    core: Arc<Core>,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// Watched directories and their inodes: a directory that was replaced needs a new watch.
    attached: BTreeMap<PathBuf, (u64, u64)>,
    libraries: BTreeMap<PathBuf, Library>,
}

impl Watch {
    fn run(&mut self, messages: &Receiver<Message>) {
        let mut rescan = Instant::now() + self.core.config.rescan;
        loop {
            let due = self.next_due().map_or(rescan, |due| due.min(rescan));
            match messages.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Message::Add(path)) => self.add(&path),
                Ok(Message::Again(path)) => self.look_again(&path),
                Ok(Message::Changed(event)) => self.changed(event),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if now >= rescan {
                self.rescan();
                rescan = now + self.core.config.rescan;
            }
            self.check(now);
            self.core.events.wait_for_room();
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let due = |library: &Library| match &library.candidate {
            Some(candidate) => Some(candidate.due),
            None => library.settling.map(|(due, _)| due),
        };
        self.libraries.values().filter_map(due).min()
    }

    fn add(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let is_folder = path.is_dir() || !is_library(&path);
        let list = if is_folder {
            &mut self.folders
        } else {
            &mut self.files
        };
        if !list.contains(&path) {
            list.push(path);
        }
        self.rescan();
    }

    fn look_again(&mut self, path: &Path) {
        if let Some(library) = self.libraries.get_mut(path) {
            library.reported = None;
            library.restless(self.core.config.settle);
        }
    }

    /// Checks everything, without a notification.
    fn rescan(&mut self) {
        self.attach();
        for path in self.files.clone() {
            self.libraries.entry(path).or_default();
        }
        for folder in self.folders.clone() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if is_library(&entry.path()) {
                    self.find(entry.path());
                }
            }
        }
        let settle = self.core.config.settle;
        for (path, library) in &mut self.libraries {
            let found = Fingerprint::at(path);
            let waits = library.settling.is_some() || library.candidate.is_some();
            // A missing file is looked at again, until it has been missing for long enough.
            let changed = found != library.fingerprint || !library.companions.stand();
            if !waits && (changed || library.missing_since.is_some()) {
                library.restless(settle);
            }
        }
    }

    /// A library of a watched folder.
    fn find(&mut self, path: PathBuf) -> &mut Library {
        let named = self.files.contains(&path);
        let library = self.libraries.entry(path).or_default();
        library.found = !named;
        library
    }

    fn attach(&mut self) {
        let parents = self.files.iter().filter_map(|f| f.parent());
        let mut wanted: Vec<PathBuf> = parents.map(Path::to_owned).collect();
        wanted.extend(self.folders.iter().cloned());
        wanted.sort();
        wanted.dedup();
        let Some(notify) = &mut self.notify else {
            return;
        };
        for dir in wanted {
            let inode = fs::metadata(&dir).ok().map(|m| (m.dev(), m.ino()));
            if inode == self.attached.get(&dir).copied() {
                continue;
            }
            if self.attached.remove(&dir).is_some() {
                let _ = notify.unwatch(&dir); // gone with its inode already
            }
            if let Some(inode) = inode
                && notify.watch(&dir, RecursiveMode::NonRecursive).is_ok()
            {
                self.attached.insert(dir, inode);
            }
        }
    }

    fn changed(&mut self, event: notify::Result<Event>) {
        let Ok(event) = event else {
            return self.rescan();
        };
        // Our own reads open the file: without this the watcher would feed itself.
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        if matches!(event.kind, EventKind::Access(_)) && event.kind != closed {
            return;
        }
        if event.need_rescan() || event.paths.iter().any(|p| self.attached.contains_key(p)) {
            self.rescan();
        }
        let settle = self.core.config.settle;
        for path in event.paths {
            let in_folder = || {
                is_library(&path)
                    && path
                        .parent()
                        .is_some_and(|p| self.folders.iter().any(|f| f == p))
            };
            let libraries = self.libraries.values_mut();
            for library in libraries.filter(|l| l.companions.concern(&path)) {
                library.restless(settle);
            }
            if self.libraries.contains_key(&path) {
                self.libraries.entry(path).or_default().restless(settle);
            } else if in_folder() {
                self.find(path).restless(settle);
            }
        }
    }

    /// Reads what has been quiet, confirms what has been read.
    fn check(&mut self, now: Instant) {
        let mut removed = Vec::new();
        for (path, library) in &mut self.libraries {
            if let Some(candidate) = library.candidate.take_if(|c| c.due <= now) {
                library.confirm(path, candidate, &self.core);
            } else if library.candidate.is_none()
                && library.settling.is_some_and(|(due, _)| due <= now)
                && library.read(path, &self.core)
            {
                removed.push(path.clone());
            }
        }
        for path in removed {
            if !self.files.contains(&path) {
                self.libraries.remove(&path);
            }
        }
    }
}

fn is_library(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e == std::env::consts::DLL_EXTENSION)
}
