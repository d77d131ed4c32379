//! The folder that downloaded files are kept in: limited in size, private to its owner, named by
//! identities only.

use super::content::{HEAD, instead};
use super::item::Item;
use crate::error::ClientError;
use crate::key::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// A file used so recently is not removed to make room: an agent may be about to open it.
const PROTECTED: Duration = Duration::from_secs(600);
/// An unfinished download of this age is given up.
const STALE: Duration = Duration::from_secs(86_400);
/// After this long the folder is counted again: other processes add to it too.
const COUNT_AGAIN: Duration = Duration::from_secs(600);
/// When no room could be made, so long passes before it is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Downloaded files, by content: a file stays until room is needed, the longest unused first.
/// Clones share the folder.
#[derive(Clone, Debug)]
pub struct AssetCache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    limit: u64,
    size: Mutex<Size>,
    /// Downloads under way, so that one file is downloaded once.
    busy: Mutex<HashMap<PathBuf, Weak<tokio::sync::Mutex<()>>>>,
}

/// What the folder holds.
#[derive(Debug, Default)]
struct Size {
    /// Bytes, as counted last and added to since.
    bytes: u64,
    /// When they were counted; `None` until the first file is added.
    counted: Option<SystemTime>,
    /// Not before then is room looked for again: when every file is fresh there is none to be had.
    look: Option<SystemTime>,
}

impl AssetCache {
    /// Uses a folder, made on first need and readable by its owner only. `limit` is in bytes; files
    /// used within the last ten minutes may exceed it together, a single file may not.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, limit: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                dir: dir.into(),
                limit,
                size: Mutex::default(),
                busy: Mutex::new(HashMap::new()),
            }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The limit in bytes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.inner.limit
    }

    /// Where the file of an item is or will be. The name is made of the item's identity, of what
    /// distinguishes its contents, and of a checked extension.
    pub(crate) fn path(&self, item: &Item) -> PathBuf {
        let content = format!("{:?} {:?}", item.url, item.file_size);
        let id = item.uuid.simple().to_string();
        let mark = hex(&Sha256::digest(content.as_bytes())[..6]);
        self.inner
            .dir
            .join(&id[..2])
            .join(format!("{id}-{mark}.{}", item.extension()))
    }

    /// The size of an item's finished file, with its path; marks it as used. A file that cannot be the
    /// item's, as its beginning shows, does not count.
    pub(crate) fn hit(&self, item: &Item, path: &Path) -> Option<u64> {
        let mut file = fs::File::open(path).ok()?;
        let size = file.metadata().ok().filter(fs::Metadata::is_file)?.len();
        // A power cut right after a download may have emptied its file, or cut it short.
        if size == 0 || item.file_size.is_some_and(|announced| size < announced) {
            return None;
        }
        let mut head = Vec::new();
        let look = file.by_ref().take(HEAD as u64).read_to_end(&mut head);
        let fits = item.file_size.is_none_or(|announced| announced == size);
        if look.is_err() || instead(item, &head, fits).is_some() {
            return None;
        }
        // Not being able to mark it costs at most a later download.
        let _ = file.set_modified(SystemTime::now());
        Some(size)
    }

    /// The item that a path of this cache is for; `None`: not a path of this cache.
    pub(crate) fn owner(&self, path: &Path) -> Option<uuid::Uuid> {
        let inside = path.strip_prefix(&self.inner.dir).ok()?;
        let (id, _) = inside.file_name()?.to_str()?.split_once('-')?;
        let owner = uuid::Uuid::try_parse(id).ok()?;
        let folder = id.get(..2)?;
        (inside.parent() == Some(Path::new(folder))).then_some(owner)
    }

    /// Removes a finished file that turned out to be unusable.
    pub(crate) fn discard(&self, path: &Path) {
        // Whoever has it open keeps reading it; one that is gone already is what was wanted.
        let _ = fs::remove_file(path);
    }

    /// Makes the folder of a file.
    pub(crate) fn make_room_for(&self, path: &Path) -> Result<(), ClientError> {
        let folder = path.parent().unwrap_or(&self.inner.dir);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder
            .create(folder)
            .map_err(|source| failed(folder, source))
    }

    /// Puts a finished download in its place, read-only, and removes what is too much.
    pub(crate) fn keep(&self, part: &Path, path: &Path, size: u64) -> Result<(), ClientError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(part, fs::Permissions::from_mode(0o400))
                .map_err(|source| failed(part, source))?;
        }
        fs::rename(part, path).map_err(|source| failed(path, source))?;
        let mut known = self
            .inner
            .size
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let recent = |at: SystemTime| now.duration_since(at).unwrap_or_default() < COUNT_AGAIN;
        let mut total = match known.counted.filter(|at| recent(*at)) {
            Some(_) => known.bytes + size,
            None => {
                known.counted = Some(now);
                self.count(now)
            }
        };
        if total > self.inner.limit && known.look.is_none_or(|look| look <= now) {
            total = self.evict(path);
            known.look = (total > self.inner.limit).then(|| now + LOOK_AGAIN);
        }
        known.bytes = total;
        Ok(())
    }

    /// Bytes in the folder, other processes' included. Downloads that nobody will finish are removed.
    fn count(&self, now: SystemTime) -> u64 {
        let given_up = |file: &Cached| {
            let age = now.duration_since(file.used).unwrap_or_default();
            file.unfinished() && age >= STALE && fs::remove_file(&file.path).is_ok()
        };
        let files = self.files();
        let kept = files.iter().filter(|file| !given_up(file));
        kept.map(|file| file.size).sum()
    }

    /// Removes the longest unused files until nine tenths of the limit are kept; gives what is left.
    fn evict(&self, newest: &Path) -> u64 {
        let mut files = self.files();
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.size).sum();
        let now = SystemTime::now();
        for file in files {
            if total <= self.inner.limit / 10 * 9 {
                break;
            }
            let age = now.duration_since(file.used).unwrap_or_default();
            let spared = age < if file.unfinished() { STALE } else { PROTECTED };
            if !spared && file.path != newest && fs::remove_file(&file.path).is_ok() {
                total -= file.size;
            }
        }
        total
    }

    fn files(&self) -> Vec<Cached> {
        let folders = fs::read_dir(&self.inner.dir)
            .into_iter()
            .flatten()
            .flatten();
        folders
            .filter_map(|folder| fs::read_dir(folder.path()).ok())
            .flat_map(|entries| entries.flatten())
            .filter_map(|entry| {
                let meta = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some(Cached {
                    path: entry.path(),
                    size: meta.len(),
                    used: meta.modified().ok()?,
                })
            })
            .collect()
    }

    /// Whoever holds this downloads the file; the others wait and then find it.
    pub(crate) fn turn(&self, path: &Path) -> Arc<tokio::sync::Mutex<()>> {
        let mut busy = self
            .inner
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        busy.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = busy.get(path).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        busy.insert(path.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

struct Cached {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

impl Cached {
    /// A download under way, or the note about one.
    fn unfinished(&self) -> bool {
        let end = self.path.extension().unwrap_or_default();
        ["part", "note", "new"].iter().any(|known| end == *known)
    }
}

pub(crate) fn failed(path: &Path, source: std::io::Error) -> ClientError {
    ClientError::Cache {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(n: u128, size: u64) -> Item {
        Item {
            uuid: uuid::Uuid::from_u128(n),
            parent: None,
            item_type: "image".to_owned(),
            name: "../../../etc/passwd".to_owned(),
            url: Some("bucket/../x".to_owned()),
            signed_url: None,
            file_size: Some(size),
            mime_type: Some("image/png".to_owned()),
        }
    }

    fn add(cache: &AssetCache, n: u128, size: usize, age: u64) -> PathBuf {
        let path = cache.path(&item(n, 1));
        cache.make_room_for(&path).unwrap();
        let part = path.with_extension("part");
        fs::write(&part, vec![0; size]).unwrap();
        let used = SystemTime::now() - Duration::from_secs(age);
        fs::File::options()
            .write(true)
            .open(&part)
            .unwrap()
            .set_modified(used)
            .unwrap();
        cache.keep(&part, &path, size as u64).unwrap();
        path
    }

    #[test]
    fn no_name_of_an_item_leaves_the_folder() {
        let cache = AssetCache::new("/cache", 1);
        let path = cache.path(&item(7, 1));
        let inside = path.strip_prefix("/cache").unwrap();
        assert_eq!(inside.components().count(), 2);
        assert!(
            path.to_str()
                .unwrap()
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/-.".contains(&b))
        );
        assert_ne!(
            path,
            cache.path(&item(7, 2)),
            "another content is another file"
        );
    }

    #[test]
    fn the_longest_unused_files_make_room_and_fresh_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let cache = AssetCache::new(dir.path(), 1000);
        let old = add(&cache, 1, 400, 9000);
        let older = add(&cache, 2, 400, 9500);
        let fresh = add(&cache, 3, 400, 5);
        assert!(old.exists() && !older.exists() && fresh.exists());
        let big = add(&cache, 4, 900, 0);
        assert!(big.exists() && fresh.exists() && !old.exists());
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let cache = AssetCache::new(dir.path().join("c"), 1000);
        let path = add(&cache, 1, 4, 0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o400);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(cache.dir()), 0o700);
    }
}
