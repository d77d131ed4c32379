//! The threads that decode: they take the most urgent picture whose file is here, and keep the files of videos open.
//! Every frame of the screen sets which pictures are wanted, so that nothing else is begun.

#[cfg(test)]
mod tests;

use super::ReadyPicture;
use super::bad::Bad;
use super::decode::OpenFile;
use agent_abi::wire::AssetDoc;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use wb_client::{AssetCache, Reader};
use wb_core::ids::TaskId;
use wb_ui::{Medium, PictureId};

/// Threads that decode.
const THREADS: usize = 2;
/// Videos that are kept open: each keeps decoded pictures of its own.
const OPEN: usize = 2;
/// Fetched files that are remembered.
const FILES: usize = 512;

/// What downloads a file again that cannot be decoded.
pub struct Refresh {
    pub reader: Reader,
    pub cache: AssetCache,
    pub runtime: Handle,
}

/// What the threads share.
pub struct Bench {
    queue: Mutex<DecodeQueue>,
    changed: Condvar,
    send: mpsc::Sender<ReadyPicture>,
    refresh: Option<Refresh>,
}

#[derive(Default)]
struct DecodeQueue {
    wanted: Vec<PictureId>,
    files: HashMap<TaskId, AssetDoc>,
    /// The newest last.
    open: Vec<(TaskId, OpenFile)>,
    /// Tasks whose file a thread has.
    used: HashSet<TaskId>,
    /// Decoded, or being decoded, and not on the screen yet.
    begun: HashSet<PictureId>,
    /// Files that could not be had; the screen does not know it yet.
    failed: HashSet<TaskId>,
    closed: bool,
}

/// One picture to decode.
struct PictureWork {
    id: PictureId,
    asset: AssetDoc,
    open: Option<OpenFile>,
}

impl DecodeQueue {
    fn next(&mut self) -> Option<PictureWork> {
        let ready = |id: &&PictureId| {
            self.files.contains_key(&id.task)
                && !self.used.contains(&id.task)
                && !self.begun.contains(*id)
        };
        let id = *self.wanted.iter().find(ready)?;
        let asset = self.files.get(&id.task)?.clone();
        let open = self.open.iter().position(|(task, _)| *task == id.task);
        let open = open.map(|at| self.open.remove(at).1);
        self.used.insert(id.task);
        self.begun.insert(id);
        Some(PictureWork { id, asset, open })
    }
}

impl Bench {
    /// Starts the threads; they end when it is closed.
    pub fn start(refresh: Option<Refresh>, send: mpsc::Sender<ReadyPicture>) -> Arc<Self> {
        let bench = Arc::new(Self {
            queue: Mutex::default(),
            changed: Condvar::new(),
            send,
            refresh,
        });
        for _ in 0..THREADS {
            let own = Arc::clone(&bench);
            let thread = std::thread::Builder::new().name("pictures".to_owned());
            if let Err(error) = thread.spawn(move || own.work()) {
                tracing::warn!(%error, "no thread for pictures");
            }
        }
        bench
    }

    fn lock(&self) -> MutexGuard<'_, DecodeQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wanted from now on, the most urgent first.
    pub fn want(&self, wanted: Vec<PictureId>) {
        let mut queue = self.lock();
        if queue.wanted != wanted {
            queue.wanted = wanted;
            self.changed.notify_all();
        }
    }

    /// Whether the file of a task is here, or was found to be out of reach.
    pub fn knows(&self, task: TaskId) -> bool {
        let queue = self.lock();
        queue.files.contains_key(&task) || queue.failed.contains(&task)
    }

    /// The file of a task is here.
    pub fn put(&self, task: TaskId, asset: AssetDoc) {
        let mut queue = self.lock();
        if queue.files.len() >= FILES {
            queue.files.clear();
        }
        queue.files.insert(task, asset);
        self.changed.notify_all();
    }

    /// The file of a task cannot be had.
    pub fn failed(&self, task: TaskId) {
        self.lock().failed.insert(task);
    }

    /// The screen has taken an answer: what it requests again is done again.
    pub fn taken(&self, ready: &ReadyPicture) {
        let mut queue = self.lock();
        match ready {
            ReadyPicture::Medium(task, Err(_)) => {
                queue.failed.remove(task);
                queue.begun.retain(|id| id.task != *task);
            }
            ReadyPicture::Medium(
                task,
                Ok(Medium::Text(_) | Medium::Sound(_) | Medium::Listed { .. }),
            ) => {
                queue.begun.retain(|id| id.task != *task);
            }
            ReadyPicture::Picture(id, _) => {
                queue.begun.remove(id);
            }
            _ => {}
        }
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn work(&self) {
        loop {
            let mut queue = self.lock();
            let work = loop {
                if queue.closed {
                    return;
                }
                match queue.next() {
                    Some(work) => break work,
                    None => {
                        let waited = self.changed.wait(queue);
                        queue = waited.unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            drop(queue);
            self.decode(work);
        }
    }

    fn decode(&self, work: PictureWork) {
        let PictureWork { id, asset, open } = work;
        let was_open = open.is_some();
        let (open, answer) = match self.shown(id, asset, open) {
            Ok((open, shot)) => {
                let medium = || ReadyPicture::Medium(id.task, Ok(open.medium().clone()));
                let answer = match shot.transpose() {
                    None => medium(),
                    Some(shot) => {
                        if !was_open {
                            let _ = self.send.blocking_send(medium());
                        }
                        ReadyPicture::Picture(id, shot)
                    }
                };
                (Some(open), answer)
            }
            Err(why) => (None, ReadyPicture::Medium(id.task, Err(why))),
        };
        let mut queue = self.lock();
        queue.used.remove(&id.task);
        match open {
            Some(open) if open.worth_keeping() => {
                queue.open.push((id.task, open));
                if queue.open.len() > OPEN {
                    queue.open.remove(0);
                }
            }
            Some(_) => {}
            // The next attempt fetches it again.
            None => {
                queue.files.remove(&id.task);
                queue.failed.insert(id.task);
            }
        }
        self.changed.notify_all();
        drop(queue);
        let _ = self.send.blocking_send(answer);
    }

    /// Decodes a picture. A file that cannot be decoded is downloaded again, once; what is still bad then is not kept.
    #[allow(clippy::type_complexity)]
    fn shown(
        &self,
        id: PictureId,
        asset: AssetDoc,
        open: Option<OpenFile>,
    ) -> Result<(OpenFile, Result<Option<wb_ui::Shot>, String>), String> {
        let attempt = |asset: &AssetDoc, open: Option<OpenFile>| {
            let mut open = open.map_or_else(|| OpenFile::open(asset), Ok)?;
            let shot = open.shot(id);
            Ok::<_, Bad>((open, shot))
        };
        let (bad, open) = match attempt(&asset, open) {
            Ok((open, Ok(shot))) => return Ok((open, Ok(shot))),
            Ok((open, Err(bad))) => (bad, Some(open)),
            Err(bad) => (bad, None),
        };
        let first = |why: String| match open {
            Some(open) => Ok((open, Err(why))),
            None => Err(why),
        };
        let (Some(file), Some(refresh)) = (&bad.file, &self.refresh) else {
            return first(bad.why);
        };
        let again = refresh.reader.download_again(file, &refresh.cache);
        let Ok(fresh) = refresh.runtime.block_on(again) else {
            return first(bad.why);
        };
        let path = fresh.path.to_string_lossy().into_owned();
        let asset = with_file(asset, file, &path);
        self.lock().files.insert(id.task, asset.clone());
        let still = |bad: Bad| {
            if bad.file.is_some() {
                refresh.reader.discard_download(&fresh.path, &refresh.cache);
            }
            format!("{} (it was downloaded again, and is the same)", bad.why)
        };
        match attempt(&asset, None) {
            Ok((open, shot)) => Ok((open, shot.map_err(still))),
            Err(bad) => Err(still(bad)),
        }
    }
}

/// The asset with another file in place of this one.
fn with_file(mut asset: AssetDoc, old: &Path, new: &str) -> AssetDoc {
    let children = asset.children.iter_mut().map(|child| &mut child.path);
    for path in children.chain([&mut asset.path]) {
        if Path::new(path.as_str()) == old {
            *path = new.to_owned();
        }
    }
    asset
}
