//! The threads that decode: they take the most urgent picture whose file is here, and keep the files of videos open.
//! Every frame of the screen sets which pictures are wanted, so that nothing else is begun.

use super::ReadyPicture;
use super::decode::{Bad, OpenFile};
use agent_abi::wire::AssetDoc;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use wb_client::{AssetCache, Reader};
use wb_core::ids::TaskId;
use wb_ui::PictureId;

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
                if !was_open {
                    let medium = Ok(open.medium().clone());
                    let _ = self
                        .send
                        .blocking_send(ReadyPicture::Medium(id.task, medium));
                }
                (Some(open), ReadyPicture::Picture(id, shot))
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
    ) -> Result<(OpenFile, Result<wb_ui::Shot, String>), String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};
    use wb_ui::Medium;

    const TASK: TaskId = TaskId(uuid::Uuid::nil());

    fn clip() -> AssetDoc {
        AssetDoc {
            path: concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/local/media/bigbuckbunny-3s.mp4"
            )
            .to_owned(),
            mime_type: Some("video/mp4".to_owned()),
            item_type: "video".to_owned(),
            title: "clip.mp4".to_owned(),
            children: Vec::new(),
        }
    }

    fn id(frame: u64) -> PictureId {
        PictureId {
            task: TASK,
            frame,
            small: false,
        }
    }

    struct Screen {
        bench: Arc<Bench>,
        done: mpsc::Receiver<ReadyPicture>,
        here: HashSet<u64>,
        decoded: usize,
        count: u64,
    }

    impl Screen {
        fn new(asset: AssetDoc) -> Self {
            let (send, done) = mpsc::channel(8);
            let bench = Bench::start(None, send);
            bench.put(TASK, asset);
            Self {
                bench,
                done,
                here: HashSet::new(),
                decoded: 0,
                count: 0,
            }
        }

        /// Takes what is ready.
        fn take(&mut self, ready: ReadyPicture) {
            self.bench.taken(&ready);
            match ready {
                ReadyPicture::Medium(_, Ok(Medium::Pictures { count })) => self.count = count,
                ReadyPicture::Picture(id, shot) => {
                    assert!(shot.is_ok(), "{shot:?}");
                    self.here.insert(id.frame);
                    self.decoded += 1;
                }
                ReadyPicture::Medium(_, Err(why)) => panic!("{why}"),
                _ => {}
            }
        }

        /// Requests these frames until the first is here; how long that took.
        fn show(&mut self, frames: &[u64]) -> Duration {
            let began = Instant::now();
            loop {
                let missing = frames.iter().filter(|frame| !self.here.contains(frame));
                self.bench.want(missing.map(|frame| id(*frame)).collect());
                if self.here.contains(&frames[0]) {
                    return began.elapsed();
                }
                let ready = self.done.blocking_recv().unwrap();
                self.take(ready);
            }
        }
    }

    impl Drop for Screen {
        fn drop(&mut self) {
            self.bench.close();
        }
    }

    #[test]
    #[allow(clippy::print_stdout)] // the figures
    fn scrubbing_through_a_video_is_answered_at_once() {
        let mut screen = Screen::new(clip());
        let opened = screen.show(&[0]);
        let count = screen.count;
        assert!(count > 60, "{count} frames");
        let onwards = |frame: u64| (frame..(frame + 9).min(count)).collect::<Vec<_>>();
        let mut forth: Vec<Duration> = (1..count).map(|n| screen.show(&onwards(n))).collect();
        assert_eq!(screen.decoded as u64, count, "each frame is decoded once");
        screen.here.clear();
        let mut jumps: Vec<Duration> = (0..20).map(|n| screen.show(&[n * 31 % count])).collect();
        forth.sort();
        jumps.sort();
        let (middle, most) = (forth[forth.len() / 2], forth[forth.len() - 1]);
        let (jump, far) = (jumps[jumps.len() / 2], jumps[jumps.len() - 1]);
        println!(
            "opened {opened:?}; on: {middle:?}, at most {most:?}; jumps: {jump:?}, at most {far:?}"
        );
        let limit = Duration::from_millis(100);
        assert!(middle < limit && jump < limit, "{middle:?} {jump:?}");
    }

    #[test]
    fn what_is_no_longer_wanted_is_not_decoded() {
        let mut screen = Screen::new(clip());
        screen.show(&[0]);
        let before = screen.decoded;
        screen.bench.want((1..60).map(id).collect());
        screen.show(&[70]);
        assert!(screen.decoded - before < 20, "{}", screen.decoded);
    }

    #[test]
    fn a_file_that_is_not_a_picture_is_named_once() {
        let asset = AssetDoc {
            path: "/dev/null".to_owned(),
            ..clip()
        };
        let mut screen = Screen::new(asset);
        screen.bench.want(vec![id(0), id(1)]);
        let ready = screen.done.blocking_recv().unwrap();
        let ReadyPicture::Medium(TASK, Err(why)) = &ready else {
            panic!("no reason");
        };
        assert!(!why.is_empty());
        assert!(screen.bench.knows(TASK), "until the screen has taken it");
        screen.bench.taken(&ready);
        assert!(!screen.bench.knows(TASK));
    }
}
