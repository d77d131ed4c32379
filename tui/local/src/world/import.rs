//! A folder of one's own pictures, videos, sounds and texts as a dataset.

use std::path::{Path, PathBuf};

use crate::error::LocalError;
use crate::item::ItemKind;
use crate::world::{DatasetSpec, ItemSpec};

/// Folders below this depth are not looked into: a link that leads back would never end.
const DEPTH: usize = 16;

/// The kind and MIME type of a file by its ending, lower case and without the dot.
fn known(ending: &str) -> Option<(ItemKind, &'static str)> {
    Some(match ending {
        "jpg" | "jpeg" => (ItemKind::Image, "image/jpeg"),
        "png" => (ItemKind::Image, "image/png"),
        "gif" => (ItemKind::Image, "image/gif"),
        "webp" => (ItemKind::Image, "image/webp"),
        "bmp" => (ItemKind::Image, "image/bmp"),
        "tif" | "tiff" => (ItemKind::Image, "image/tiff"),
        "mp4" | "m4v" => (ItemKind::Video, "video/mp4"),
        "mov" => (ItemKind::Video, "video/quicktime"),
        "webm" => (ItemKind::Video, "video/webm"),
        "wav" => (ItemKind::Audio, "audio/wav"),
        "mp3" => (ItemKind::Audio, "audio/mpeg"),
        "txt" | "md" => (ItemKind::PlainText, "text/plain"),
        "pdf" => (ItemKind::Pdf, "application/pdf"),
        _ => return None,
    })
}

pub(super) fn mime(ending: &str) -> Option<&'static str> {
    known(ending).map(|(_, mime)| mime)
}

/// The files below `folder` that can be labelled, in the order of their paths.
pub(crate) fn dataset(folder: &Path) -> Result<DatasetSpec, LocalError> {
    let root = folder
        .canonicalize()
        .map_err(|e| LocalError::file("cannot read the folder", folder, e))?;
    let mut files = Vec::new();
    collect(&root, 0, &mut files)?;
    files.sort_unstable();
    let items: Vec<ItemSpec> = files.iter().filter_map(|file| item(&root, file)).collect();
    if items.is_empty() {
        return Err(LocalError::content(
            folder,
            "no picture, video, sound, text or PDF in this folder (jpg png gif webp bmp tiff mp4 mov webm wav mp3 txt \
             md pdf)",
        ));
    }
    let title = root.file_name().map_or_else(
        || "Imported".to_owned(),
        |n| n.to_string_lossy().into_owned(),
    );
    Ok(DatasetSpec {
        id: None,
        title,
        description: "Imported".to_owned(),
        folder: None,
        items,
    })
}

fn collect(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), LocalError> {
    let entries = std::fs::read_dir(folder)
        .map_err(|e| LocalError::file("cannot read the folder", folder, e))?;
    for entry in entries {
        let path = entry
            .map_err(|e| LocalError::file("cannot read the folder", folder, e))?
            .path();
        let hidden = path
            .file_name()
            .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth < DEPTH {
                collect(&path, depth + 1, out)?;
            }
        } else {
            out.push(path);
        }
    }
    Ok(())
}

fn item(root: &Path, file: &Path) -> Option<ItemSpec> {
    let ending = file.extension()?.to_str()?.to_ascii_lowercase();
    let (kind, _) = known(&ending)?;
    let title = file.strip_prefix(root).unwrap_or(file).to_str()?;
    let mut item = ItemSpec::of(kind).titled(title);
    item.media = Some(format!("file/{}", file.to_str()?));
    Some(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_items_in_the_order_of_paths() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in [
            "b/two.MP4",
            "a.jpg",
            "notes.txt",
            ".hidden.jpg",
            "other.xyz",
        ] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        let items = dataset(folder.path()).unwrap().items;
        let found: Vec<_> = items
            .iter()
            .map(|i| (i.title.as_deref().unwrap(), i.kind))
            .collect();
        assert_eq!(
            found,
            [
                ("a.jpg", ItemKind::Image),
                ("b/two.MP4", ItemKind::Video),
                ("notes.txt", ItemKind::PlainText)
            ]
        );
    }

    #[test]
    fn a_folder_without_media_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            dataset(folder.path())
                .unwrap_err()
                .to_string()
                .contains("no picture")
        );
        assert!(
            dataset(&folder.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("cannot read")
        );
    }
}
