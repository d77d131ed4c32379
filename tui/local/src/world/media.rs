//! Resolves the media of a scenario's items: generated ones, or files relative to the scenario file.

use std::path::Path;

use crate::item::ItemKind;
use crate::media::{MediaLibrary, MediaSource};
use crate::world::ItemSpec;

/// The values of `media` for generated media, for messages.
const MADE: &str =
    "generated media (photo/0-9/0-96, clip, clip/74, text/N, wav/N, mp3/SECONDS, pdf/PAGES)";

/// Resolves an item's media and refuses one of another type. Errors begin with the rest of the path to the
/// mistake.
pub(super) fn resolve(item: &mut ItemSpec, folder: &Path) -> Result<(), String> {
    for (n, child) in item.children.iter_mut().enumerate() {
        resolve(child, folder).map_err(|e| format!(".children[{n}]{e}"))?;
    }
    let (kind, name) = (item.kind, item.kind.item_type());
    let Some(media) = &item.media else {
        return Ok(());
    };
    if !kind.has_media() {
        return Err(format!(
            ".media: an item of type {name} is made of its children"
        ));
    }
    if let Some(source) = MediaSource::parse(media)
        && !matches!(source, MediaSource::File(_))
    {
        return match made_for(&source, kind) {
            true => Ok(()),
            false => Err(format!(".media: {media:?} is not possible for type {name}")),
        };
    }
    let file = folder.join(media.strip_prefix("file/").unwrap_or(media));
    let file = file
        .canonicalize()
        .map_err(|e| format!(".media: {media:?} is neither {MADE} nor a file: {e}"))?;
    if !file.is_file() {
        return Err(format!(".media: {} is not a file", file.display()));
    }
    usable(kind, &file)
        .map_err(|why| format!(".media: {} for type {name}: {why}", file.display()))?;
    item.media = Some(format!("file/{}", file.display()));
    Ok(())
}

fn made_for(source: &MediaSource, kind: ItemKind) -> bool {
    match source {
        MediaSource::Photo(..) => kind == ItemKind::Image,
        MediaSource::Clip | MediaSource::EvenClip => {
            matches!(kind, ItemKind::Video | ItemKind::ImageSequence)
        }
        MediaSource::Wav(_) | MediaSource::Mp3(_) => kind == ItemKind::Audio,
        MediaSource::Text(_) => kind == ItemKind::PlainText,
        MediaSource::Pdf(_) => kind == ItemKind::Pdf,
        MediaSource::File(_) | MediaSource::Uploaded(_) => false,
    }
}

/// Checks that a file is of the type that it is used for.
pub(super) fn usable(kind: ItemKind, file: &Path) -> Result<(), String> {
    let opened = std::fs::File::open(file).and_then(|f| f.metadata());
    let size = opened.map_err(|e| format!("it cannot be read: {e}"))?.len();
    if size == 0 {
        return Err("it is empty".to_owned());
    }
    let facts = MediaLibrary::default().facts(&MediaSource::File(file.to_owned()));
    match kind {
        ItemKind::Image if facts.width.is_none() || facts.frames.is_some() => {
            Err("it is not an image that can be read".to_owned())
        }
        ItemKind::Video | ItemKind::ImageSequence if facts.frames.is_none() => Err(
            "its frames cannot be counted: only complete MP4 and MOV files list them; others need `ffprobe` \
             (part of ffmpeg) in the PATH"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Adds children to groups without any, as other items without media get generated ones.
pub(super) fn add_children(item: &mut ItemSpec) {
    if item.children.is_empty() {
        item.children = match item.kind {
            ItemKind::ImageGroup => vec![ItemSpec::of(ItemKind::Image).times(3)],
            ItemKind::Group => vec![
                ItemSpec::of(ItemKind::Image),
                ItemSpec::of(ItemKind::PlainText),
            ],
            _ => Vec::new(),
        };
    }
    item.children.iter_mut().for_each(add_children);
}
