//! Imports a folder of images, videos, audio, text and PDF files as a dataset.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::error::LocalError;
use crate::item::ItemKind;
use crate::world::{DatasetSpec, ItemSpec, media};

/// The number of reasons shown if nothing could be imported, and of names per reason.
const SHOWN: usize = 5;
/// The extensions in [`known`], for messages.
const ENDINGS: &str = "jpg png gif webp bmp tiff mp4 mov webm wav mp3 txt md pdf";

/// The type and MIME type for a file extension, in lower case and without the dot.
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

pub(crate) fn mime(ending: &str) -> Option<&'static str> {
    known(ending).map(|(_, mime)| mime)
}

/// The files below `folder` that can be labelled, sorted by path, and a note for each reason why others were
/// skipped: how many, and the first few names.
pub(crate) fn dataset(folder: &Path) -> Result<(DatasetSpec, Vec<String>), LocalError> {
    let root = folder
        .canonicalize()
        .map_err(|e| LocalError::file("cannot read the folder", folder, e))?;
    let mut walk = Walk {
        root: &root,
        seen: HashSet::from([root.clone()]),
        files: Vec::new(),
        left: Left::default(),
    };
    walk.folder(&root)?;
    walk.files.sort_unstable();
    let mut left = walk.left;
    let mut items = Vec::new();
    for file in &walk.files {
        match item(&root, file) {
            Ok(item) => items.push(item),
            Err(why) => left.out(&root, file, why),
        }
    }
    let notes = left.notes(items.len());
    if items.is_empty() {
        let mut problem = format!(
            "no image, video, audio, text or PDF file in this folder can be used ({ENDINGS})"
        );
        for note in notes.iter().take(SHOWN) {
            problem.push_str("\n  ");
            problem.push_str(note);
        }
        return Err(LocalError::content(folder, problem));
    }
    let title = root.file_name().map_or_else(
        || "Imported".to_owned(),
        |n| printable(&n.to_string_lossy()),
    );
    let dataset = DatasetSpec {
        id: None,
        title,
        description: "Imported".to_owned(),
        folder: None,
        items,
    };
    Ok((dataset, notes))
}

/// Skipped files and folders by reason: how many, and the first few names.
#[derive(Default)]
struct Left(BTreeMap<String, (usize, Vec<String>)>);

impl Left {
    fn out(&mut self, root: &Path, path: &Path, why: String) {
        let (count, names) = self.0.entry(why).or_default();
        *count += 1;
        if names.len() < SHOWN {
            let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
            let folder = if path.is_dir() { "/" } else { "" };
            names.push(format!("{}{folder}", printable(&name)));
        }
    }

    fn notes(self, imported: usize) -> Vec<String> {
        let all: usize = self.0.values().map(|(count, _)| count).sum();
        let files = if imported == 1 { "file" } else { "files" };
        let total = format!("imported {imported} {files}, skipped {all} files and folders");
        let reason = |(why, (count, names)): (String, (usize, Vec<String>))| {
            let more = match count - names.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = names.join(", ");
            match count {
                1 => format!("not imported: {names}: {why}"),
                _ => format!("not imported ({count}): {names}{more}: {why}"),
            }
        };
        let total = (all > 1).then_some(total);
        total
            .into_iter()
            .chain(self.0.into_iter().map(reason))
            .collect()
    }
}

/// Finds files, following links, but never outside the root.
struct Walk<'a> {
    root: &'a Path,
    /// Visited folders by real path, so that links cannot loop.
    seen: HashSet<PathBuf>,
    files: Vec<PathBuf>,
    left: Left,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) -> Result<(), LocalError> {
        let unreadable = |e| LocalError::file("cannot read the folder", folder, e);
        let entries = std::fs::read_dir(folder).map_err(unreadable)?;
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(unreadable)?.path());
        }
        // Sorted, so that of two paths to the same folder always the same one is used.
        paths.sort_unstable();
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            let done = match name.as_encoded_bytes().starts_with(b".") {
                true => Err("hidden (the name starts with a dot)".to_owned()),
                false => self.entry(&path),
            };
            if let Err(why) = done {
                self.left.out(self.root, &path, why);
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path) -> Result<(), String> {
        let real = path
            .canonicalize()
            .map_err(|e| format!("it cannot be followed: {e}"))?;
        if !real.starts_with(self.root) {
            return Err("the link leads out of the folder".to_owned());
        }
        if real.is_dir() {
            if self.seen.insert(real) {
                self.folder(path).map_err(|e| e.to_string())?;
            }
        } else if real.is_file() {
            let ending = extension(path);
            if known(&ending).is_some() {
                self.files.push(path.to_owned());
            } else if NOT_SERVED.contains(&&*ending) {
                return Err(format!(
                    "a local project has no {ending} files; convert it first"
                ));
            } else {
                return Err(format!("not a supported file type ({ENDINGS})"));
            }
        } else {
            return Err("it is neither a file nor a folder".to_owned());
        }
        Ok(())
    }
}

/// Extensions of media that are not supported, for a clearer message.
const NOT_SERVED: [&str; 18] = [
    "3gp", "aac", "avi", "avif", "dcm", "flac", "flv", "heic", "m4a", "mkv", "mpeg", "mpg", "nii",
    "ogg", "svg", "ts", "wmv", "docx",
];

/// The extension of a file in lower case; empty without one.
pub(crate) fn extension(file: &Path) -> String {
    let extension = file.extension().and_then(|e| e.to_str());
    extension.unwrap_or_default().to_ascii_lowercase()
}

fn item(root: &Path, file: &Path) -> Result<ItemSpec, String> {
    let (kind, _) = known(&extension(file)).ok_or("unknown file extension")?;
    let path = file
        .to_str()
        .ok_or("its name is not UTF-8; rename the file")?;
    media::usable(kind, file)?;
    let title = file.strip_prefix(root).unwrap_or(file).to_string_lossy();
    let mut item = ItemSpec::of(kind).titled(&printable(&title));
    item.media = Some(format!("file/{path}"));
    Ok(item)
}

/// A name without characters that move a terminal's cursor.
fn printable(name: &str) -> String {
    let plain = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(items: &[ItemSpec]) -> Vec<&str> {
        items.iter().map(|i| i.title.as_deref().unwrap()).collect()
    }

    #[test]
    fn files_become_items_sorted_by_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        let clip = include_bytes!("../../media/bigbuckbunny-3s.mp4");
        std::fs::write(folder.path().join("b/two.MP4"), clip).unwrap();
        let photo = include_bytes!("../../media/chelsea.jpg");
        std::fs::write(folder.path().join("a.jpg"), photo).unwrap();
        for name in ["notes.txt", ".hidden.jpg", "other.xyz"] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        let (dataset, notes) = dataset(folder.path()).unwrap();
        let kinds: Vec<_> = dataset.items.iter().map(|i| i.kind).collect();
        assert_eq!(titles(&dataset.items), ["a.jpg", "b/two.MP4", "notes.txt"]);
        assert_eq!(
            kinds,
            [ItemKind::Image, ItemKind::Video, ItemKind::PlainText]
        );
        assert_eq!(
            notes,
            [
                "imported 3 files, skipped 2 files and folders".to_owned(),
                "not imported: .hidden.jpg: hidden (the name starts with a dot)".to_owned(),
                format!("not imported: other.xyz: not a supported file type ({ENDINGS})"),
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn unusual_names_are_imported_and_skipped_files_have_a_reason() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::symlink;
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let here = folder.path();
        let bell = std::ffi::OsStr::from_bytes(b"bell\x07.txt");
        for name in [
            "two words.txt".as_ref(),
            "Grüße 🚗.txt".as_ref(),
            "..dots.txt".as_ref(),
            bell,
        ] {
            std::fs::write(here.join(name), b"x").unwrap();
        }
        std::fs::write(here.join("empty.png"), b"").unwrap();
        std::fs::write(here.join("broken.jpg"), b"no picture").unwrap();
        std::fs::write(here.join("clip.webm"), b"no frames").unwrap();
        std::fs::write(here.join("clip.MKV"), b"x").unwrap();
        std::fs::write(here.join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), b"x").unwrap();
        std::fs::write(outside.path().join("secret.txt"), b"x").unwrap();
        symlink(outside.path().join("secret.txt"), here.join("out.txt")).unwrap();
        symlink(outside.path(), here.join("outside")).unwrap();
        symlink(here, here.join("again")).unwrap();
        symlink(here.join("nowhere"), here.join("broken link.txt")).unwrap();
        let (dataset, notes) = dataset(here).unwrap();
        assert_eq!(
            titles(&dataset.items),
            ["Grüße 🚗.txt", "bell\u{fffd}.txt", "two words.txt"]
        );
        for (name, reason) in [
            ("empty.png", "empty"),
            ("broken.jpg", "not an image"),
            ("clip.webm", "ffprobe"),
            ("clip.MKV", "no mkv files"),
            ("caf\u{fffd}.txt", "UTF-8"),
            ("out.txt", "leads out"),
            ("outside", "leads out"),
            ("broken link.txt", "cannot be followed"),
        ] {
            let found = notes.iter().any(|n| n.contains(name) && n.contains(reason));
            assert!(found, "{name} {reason}: {notes:#?}");
        }
    }

    #[test]
    fn many_skipped_files_are_counted_and_the_first_ones_named() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        std::fs::write(here.join("note.txt"), "x").unwrap();
        for n in 0..12 {
            std::fs::write(here.join(format!("{n:02}.xyz")), "x").unwrap();
            std::fs::write(here.join(format!("{n:02}.png")), "").unwrap();
        }
        std::fs::write(here.join("README"), "x").unwrap();
        std::fs::create_dir_all(here.join(".git/objects")).unwrap();
        std::fs::write(here.join(".git/objects/photo.jpg"), "x").unwrap();
        let (dataset, notes) = dataset(here).unwrap();
        assert_eq!(titles(&dataset.items), ["note.txt"]);
        assert_eq!(notes[0], "imported 1 file, skipped 26 files and folders");
        for words in [
            "(12): 00.png, 01.png, 02.png, 03.png, 04.png and 7 more: it is empty",
            "(13): 00.xyz, 01.xyz, 02.xyz, 03.xyz, 04.xyz and 8 more: not a supported file type",
            "not imported: .git/: hidden",
        ] {
            assert!(
                notes.iter().any(|n| n.contains(words)),
                "{words}: {notes:#?}"
            );
        }
        assert_eq!(notes.len(), 4);
    }

    #[test]
    fn a_folder_without_media_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let problem = || dataset(folder.path()).unwrap_err().to_string();
        assert!(problem().contains("no image"), "{}", problem());
        std::fs::write(folder.path().join("a.png"), b"").unwrap();
        assert!(problem().contains("a.png: it is empty"), "{}", problem());
        let missing = dataset(&folder.path().join("none")).unwrap_err();
        assert!(missing.to_string().contains("cannot read"));
    }
}
