//! What the file of a task holds, and single pictures of it.

use super::bad::Bad;
use super::other;
use super::pdf::Pdf;
use crate::terminal::expecting_panics;
use agent_abi::wire::AssetDoc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use wb_media::Source;
use wb_ui::{Medium, Picture, PictureId, Shot};

/// Longest side of a picture on the screen, in pixels.
const SIDE: u32 = 1024;

/// What to do where pages cannot be drawn.
const NEEDS_RENDERER: &str = "the pages of a PDF are drawn by pdftoppm or mutool, and neither is on the PATH; install one (for example: apt-get install poppler-utils)";

/// The open file of a task.
pub struct OpenFile {
    pictures: OpenPictures,
    medium: Medium,
}

enum OpenPictures {
    Media(Source),
    Pages(Pdf),
    None,
}

impl OpenFile {
    /// Opens the file of a task; decodes no picture yet.
    pub fn open(asset: &AssetDoc) -> Result<Self, Bad> {
        let (pictures, medium) = if let Some(medium) = other::medium(asset)? {
            (OpenPictures::None, medium)
        } else if asset.item_type.eq_ignore_ascii_case("pdf") {
            match Pdf::open(Path::new(&asset.path))? {
                Some(pdf) => {
                    let count = pdf.pages();
                    (OpenPictures::Pages(pdf), Medium::Pictures { count })
                }
                None => {
                    let why = NEEDS_RENDERER.to_owned();
                    (OpenPictures::None, Medium::Listed { why })
                }
            }
        } else {
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
            let count = source.frame_count();
            (OpenPictures::Media(source), Medium::Pictures { count })
        };
        Ok(Self { pictures, medium })
    }

    /// What it holds.
    pub const fn medium(&self) -> &Medium {
        &self.medium
    }

    /// Whether opening it again would cost more than keeping it open.
    pub const fn worth_keeping(&self) -> bool {
        matches!(self.medium, Medium::Pictures { count: 2.. })
    }

    /// Decodes one picture, no larger than needed; nothing where there are no pictures.
    pub fn shot(&mut self, id: PictureId) -> Result<Option<Shot>, Bad> {
        let pictures = &mut self.pictures;
        guarded(|| {
            let (frame, moves) = match pictures {
                OpenPictures::None => return Ok(None),
                OpenPictures::Media(source) => (source.frame(id.frame)?, source.fps().is_some()),
                OpenPictures::Pages(pdf) => (pdf.page(id.frame)?, false),
            };
            let frame = frame.ok_or_else(|| format!("there is no frame {}", id.frame))?;
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
            Ok(Some(Shot { picture, at_us }))
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
