//! Pictures for the screen: files are fetched, pictures decoded, labels parsed and pixels encoded in the background.
//! Only what the newest frame needs is begun; what it no longer needs is dropped.
//!
//! Decoding is left to `wb-media`; how pictures look to `wb-ui`.

mod bad;
mod bench;
mod decode;
mod other;
mod pdf;

use bench::{Bench, Refresh};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use wb_core::ids::TaskId;
use wb_engine::runtime::Engine;
use wb_ui::{
    LabelsRequest, Medium, ParsedLabels, PictureId, PictureRequest, Pixels, PixelsRequest, Shot,
};

/// Files that are fetched at a time.
const FETCHES: usize = 4;
/// Answers that wait for the screen.
const WAITING: usize = 8;

/// What became ready.
pub enum ReadyPicture {
    /// What the file of a task holds, or why it cannot be shown.
    Medium(TaskId, Result<Medium, String>),
    /// A decoded picture, or why there is none.
    Picture(PictureId, Result<Shot, String>),
    /// The labels of a task.
    Labels(ParsedLabels),
    /// A picture, encoded for the terminal.
    Pixels(Pixels),
}

/// Everything that pictures need beside the screen.
pub struct Pictures {
    done: mpsc::Receiver<ReadyPicture>,
    send: mpsc::Sender<ReadyPicture>,
    /// Begins with the first picture.
    bench: Option<Arc<Bench>>,
    fetching: HashMap<TaskId, JoinHandle<()>>,
}

impl Pictures {
    /// Nothing requested yet.
    #[must_use]
    pub fn new() -> Self {
        let (send, done) = mpsc::channel(WAITING);
        Self {
            done,
            send,
            bench: None,
            fetching: HashMap::new(),
        }
    }

    /// What is wanted from now on, the most urgent first.
    pub fn want(&mut self, wanted: Vec<PictureRequest>, engine: &Engine) {
        if wanted.is_empty() && self.bench.is_none() {
            return;
        }
        let send = &self.send;
        let bench = Arc::clone(self.bench.get_or_insert_with(|| {
            let refresh = Refresh {
                reader: engine.reader().clone(),
                cache: engine.cache().clone(),
                runtime: Handle::current(),
            };
            Bench::start(Some(refresh), send.clone())
        }));
        self.fetching.retain(|task, fetch| {
            let wanted = wanted.iter().any(|request| request.id.task == *task);
            if !wanted {
                fetch.abort();
            }
            wanted && !fetch.is_finished()
        });
        bench.want(wanted.iter().map(|request| request.id).collect());
        for request in wanted {
            let task = request.id.task;
            if self.fetching.len() >= FETCHES {
                return;
            }
            if self.fetching.contains_key(&task) || bench.knows(task) {
                continue;
            }
            let asset = engine.asset(request.stage, request.row, request.asset);
            let (bench, send) = (Arc::clone(&bench), self.send.clone());
            let fetch = tokio::spawn(async move {
                match asset.await {
                    Ok(asset) => bench.put(task, asset),
                    Err(error) => {
                        bench.failed(task);
                        let why = error.into_facts().summary;
                        let _ = send.send(ReadyPicture::Medium(task, Err(why))).await;
                    }
                }
            });
            self.fetching.insert(task, fetch);
        }
    }

    /// Parses labels on a thread for blocking work.
    pub fn parse(&self, request: LabelsRequest) {
        let send = self.send.clone();
        tokio::task::spawn_blocking(move || {
            let _ = send.blocking_send(ReadyPicture::Labels(request.parse()));
        });
    }

    /// Encodes pixels on a thread for blocking work.
    pub fn encode(&self, request: PixelsRequest) {
        let send = self.send.clone();
        tokio::task::spawn_blocking(move || {
            let _ = send.blocking_send(ReadyPicture::Pixels(request.encode()));
        });
    }

    /// What becomes ready next.
    pub async fn next(&mut self) -> ReadyPicture {
        let Some(ready) = self.done.recv().await else {
            return std::future::pending().await;
        };
        if let Some(bench) = &self.bench {
            bench.taken(&ready);
        }
        ready
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.fetching.values().for_each(JoinHandle::abort);
        if let Some(bench) = &self.bench {
            bench.close();
        }
    }
}
