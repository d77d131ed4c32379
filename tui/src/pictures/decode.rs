//! What the file of a task holds, and single pictures of it.

use crate::terminal::expecting_panics;
use agent_abi::wire::AssetDoc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use wb_media::{MediaError, Source};
use wb_ui::{Medium, Picture, PictureId, Shot};

/// Longest side of a picture on the screen, in pixels.
const SIDE: u32 = 1024;

/// Why there is no picture, and the file that may be damaged.
#[derive(Debug)]
pub struct Bad {
    pub why: String,
    pub file: Option<PathBuf>,
}

impl From<MediaError> for Bad {
    fn from(error: MediaError) -> Self {
        Self {
            why: error.to_string(),
            file: error.doubtful_file().map(Path::to_owned),
        }
    }
}

impl From<String> for Bad {
    fn from(why: String) -> Self {
        Self { why, file: None }
    }
}

/// The open file of a task.
pub struct OpenFile {
    source: Source,
    medium: Medium,
}

impl OpenFile {
    /// Opens the file of a task; decodes nothing yet.
    pub fn open(asset: &AssetDoc) -> Result<Self, Bad> {
        let children = asset.children.iter().map(|c| PathBuf::from(&c.path));
        let source = guarded(|| {
            let source = Source::open(
                Path::new(&asset.path),
                asset.mime_type.as_deref(),
                &asset.item_type,
                &children.collect::<Vec<_>>(),
            )?;
            Ok(source)
        })?;
        let medium = Medium::Pictures {
            count: source.frame_count(),
        };
        Ok(Self { source, medium })
    }

    /// What it holds.
    pub const fn medium(&self) -> &Medium {
        &self.medium
    }

    /// Whether opening it again would cost more than keeping it open.
    pub const fn worth_keeping(&self) -> bool {
        matches!(self.medium, Medium::Pictures { count: 2.. })
    }

    /// Decodes one picture, no larger than needed.
    pub fn shot(&mut self, id: PictureId) -> Result<Shot, Bad> {
        let moves = self.source.fps().is_some();
        guarded(|| {
            let frame = (self.source.frame(id.frame)?)
                .ok_or_else(|| format!("there is no frame {}", id.frame))?;
            let at_us = moves.then_some(frame.pts_us);
            let picture = reduced(&frame);
            let side = picture.width.max(picture.height);
            let picture = match id.small && side > PictureId::SMALL {
                true => {
                    let part = |n: u32| (n * PictureId::SMALL / side).max(1);
                    picture.scaled(part(picture.width), part(picture.height))
                }
                false => picture,
            };
            Ok(Shot { picture, at_us })
        })
    }
}

/// Every n-th pixel of a large picture.
fn reduced(frame: &wb_media::Picture) -> Picture {
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
    Picture { width, height, rgb }
}

/// Decoders may panic on damaged files.
fn guarded<T>(work: impl FnOnce() -> Result<T, Bad>) -> Result<T, Bad> {
    expecting_panics(|| catch_unwind(AssertUnwindSafe(work)))
        .unwrap_or_else(|_| Err("the picture cannot be decoded".to_owned().into()))
}
