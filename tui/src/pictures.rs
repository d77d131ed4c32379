//! Pictures for the screen: fetched, decoded, scaled and encoded in the background, only the newest request.
//!
//! Decoding is left to `wb-media`; how pictures look to `wb-ui`.

use crate::terminal::expecting_panics;
use agent_abi::wire::AssetDoc;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use wb_client::{AssetCache, Reader};
use wb_core::ids::TaskId;
use wb_engine::runtime::Engine;
use wb_media::{MediaError, Source};
use wb_ui::{Picture, PictureRequest, Pixels, PixelsRequest};

/// Longest side of a picture on the screen, in pixels.
const SIDE: u32 = 1024;

/// What became ready.
pub enum ReadyPicture {
    /// A decoded picture, or why there is none.
    Picture(TaskId, Result<Picture, String>),
    /// Its pixels, encoded for the terminal.
    Pixels(Pixels),
}

/// Decodes the pictures that the screen shows.
pub struct Pictures {
    done: mpsc::Receiver<ReadyPicture>,
    send: mpsc::Sender<ReadyPicture>,
    last: Option<TaskId>,
    work: Option<tokio::task::JoinHandle<()>>,
}

impl Pictures {
    /// Nothing requested yet.
    #[must_use]
    pub fn new() -> Self {
        let (send, done) = mpsc::channel(2);
        Self {
            done,
            send,
            last: None,
            work: None,
        }
    }

    /// Begins to fetch and decode, unless that very picture was requested last; an older request that
    /// is not done yet is dropped.
    pub fn request(&mut self, request: PictureRequest, engine: &Engine) {
        if self.last == Some(request.task) {
            return;
        }
        self.last = Some(request.task);
        if let Some(work) = self.work.take() {
            work.abort();
        }
        let (send, asset) = (self.send.clone(), engine.asset(request.task));
        let (reader, cache) = (engine.reader().clone(), engine.cache().clone());
        self.work = Some(tokio::spawn(async move {
            let picture = match asset.await {
                Ok(asset) => shown(asset, &reader, &cache).await,
                Err(error) => Err(error.into_facts().summary),
            };
            let _ = send
                .send(ReadyPicture::Picture(request.task, picture))
                .await;
        }));
    }

    /// Encodes pixels on a thread for blocking work.
    pub fn encode(&self, request: PixelsRequest) {
        let send = self.send.clone();
        tokio::task::spawn_blocking(move || {
            let _ = send.blocking_send(ReadyPicture::Pixels(request.encode()));
        });
    }

    /// The next finished picture, or its pixels.
    pub async fn next(&mut self) -> ReadyPicture {
        match self.done.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }
}

/// Decodes the first picture of an asset. A file that cannot be decoded is downloaded again, once; what is
/// still bad then is not kept.
async fn shown(
    mut asset: AssetDoc,
    reader: &Reader,
    cache: &AssetCache,
) -> Result<Picture, String> {
    let bad = match beside(asset.clone()).await {
        Ok(picture) => return Ok(picture),
        Err(bad) => bad,
    };
    let Some(file) = bad.file else {
        return Err(bad.why);
    };
    let Ok(fresh) = reader.download_again(&file, cache).await else {
        return Err(bad.why);
    };
    let children = asset.children.iter_mut().map(|child| &mut child.path);
    for path in children.chain([&mut asset.path]) {
        if Path::new(path.as_str()) == file {
            *path = fresh.path.to_string_lossy().into_owned();
        }
    }
    beside(asset).await.map_err(|still| {
        if still.file.is_some() {
            reader.discard_download(&fresh.path, cache);
        }
        format!("{} (it was downloaded again, and is the same)", still.why)
    })
}

/// Why there is no picture, and the file that may be damaged.
struct Bad {
    why: String,
    file: Option<PathBuf>,
}

impl From<MediaError> for Bad {
    fn from(error: MediaError) -> Self {
        Self {
            why: error.to_string(),
            file: error.doubtful_file().map(Path::to_owned),
        }
    }
}

/// Decodes on a thread for blocking work.
async fn beside(asset: AssetDoc) -> Result<Picture, Bad> {
    let done = tokio::task::spawn_blocking(move || expecting_panics(|| decode(&asset)));
    done.await.unwrap_or_else(|_| {
        Err(Bad {
            why: "the picture cannot be decoded".to_owned(),
            file: None,
        })
    })
}

fn decode(asset: &AssetDoc) -> Result<Picture, Bad> {
    let children: Vec<PathBuf> = asset
        .children
        .iter()
        .map(|c| PathBuf::from(&c.path))
        .collect();
    let mut source = Source::open(
        Path::new(&asset.path),
        asset.mime_type.as_deref(),
        &asset.item_type,
        &children,
    )?;
    let frame = source.frame(0)?.ok_or_else(|| Bad {
        why: "there is no first frame".to_owned(),
        file: None,
    })?;
    let step = frame.width.max(frame.height).div_ceil(SIDE).max(1);
    let (width, height) = (frame.width / step, frame.height / step);
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        let row = (y * step) as usize * frame.stride as usize;
        for x in 0..width {
            let at = row + (x * step) as usize * 3;
            rgb.extend_from_slice(&frame.rgb[at..at + 3]);
        }
    }
    Ok(Picture { width, height, rgb })
}
