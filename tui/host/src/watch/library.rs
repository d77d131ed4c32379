//! One watched file: what it looked like, what of it was read, and when a content counts as complete.

use crate::companions::Companions;
use crate::core::Core;
use crate::elf::{self, Flaw};
use crate::events::HostEvent;
use crate::files::{Fingerprint, read_library};
use crate::pool::{News, Probe};
use crate::store::{StagedCopy, hex};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wb_core::ids::{Millis, ProbeId};

/// Time between two reads that must be equal.
const BETWEEN: Duration = Duration::from_millis(15);
/// The same for a content that cannot be complete.
const BETWEEN_FLAWED: Duration = Duration::from_millis(400);
/// A file that never rests is read all the same.
const SETTLE_MAX: Duration = Duration::from_secs(5);
/// A file that is away for longer was removed, not rebuilt.
const MISSING: Duration = Duration::from_secs(2);

/// A first read, waiting to be confirmed.
pub(super) struct Candidate {
    content: io::Result<Vec<u8>>,
    hash: String,
    flaw: Option<Flaw>,
    companions: Companions,
    pub(super) due: Instant,
}

#[derive(Default)]
pub(super) struct Library {
    /// When to read it, and since when it has been restless.
    pub(super) settling: Option<(Instant, Instant)>,
    pub(super) candidate: Option<Candidate>,
    pub(super) fingerprint: Option<Fingerprint>,
    /// What it needs from around its file, as it was when it was read.
    pub(super) companions: Companions,
    /// It was found in a folder, not named: it is passed over when it holds no agents.
    pub(super) found: bool,
    /// Hash of the content that was reported last.
    pub(super) reported: Option<String>,
    pub(super) missing_since: Option<Instant>,
}

impl Library {
    /// Something happened: whatever was read is worth nothing.
    pub(super) fn restless(&mut self, settle: Duration) {
        let now = Instant::now();
        let since = self.settling.map_or(now, |(_, since)| since);
        let due = if now.duration_since(since) < SETTLE_MAX {
            now + settle
        } else {
            now
        };
        self.settling = Some((due, since));
        if now.duration_since(since) < SETTLE_MAX {
            self.candidate = None;
        }
    }

    /// First read. True when the library is gone for good.
    pub(super) fn read(&mut self, path: &Path, core: &Core) -> bool {
        let now = Instant::now();
        self.fingerprint = Fingerprint::at(path);
        let content = read_library(path);
        if let Err(e) = &content
            && e.kind() == io::ErrorKind::NotFound
        {
            return self.is_missing(path, core);
        }
        self.missing_since = None;
        let flaw = match &content {
            Ok(content) => elf::check(content).err(),
            Err(error) => Some(unreadable(error)),
        };
        let wait = if flaw.is_some() {
            BETWEEN_FLAWED
        } else {
            BETWEEN
        };
        // The time until the second read is used for the hash.
        let hash = content.as_deref().map_or_else(|_| String::new(), hash);
        let library = content.as_deref().unwrap_or_default();
        let companions = Companions::of(path, library);
        self.candidate = Some(Candidate {
            companions,
            content,
            hash,
            flaw,
            due: now + wait,
        });
        false
    }

    pub(super) fn is_missing(&mut self, path: &Path, core: &Core) -> bool {
        let now = Instant::now();
        self.fingerprint = None;
        self.settling = None;
        let since = *self.missing_since.get_or_insert(now);
        if now.duration_since(since) < MISSING {
            self.settling = Some((since + MISSING, now));
            return false;
        }
        self.missing_since = None;
        if self.reported.take().is_some() {
            core.events.push(HostEvent::Removed {
                library: path.to_owned(),
            });
        }
        true
    }

    /// Second read.
    pub(super) fn confirm(&mut self, path: &Path, candidate: Candidate, core: &Arc<Core>) {
        let again = read_library(path);
        let same = match (&candidate.content, &again) {
            (Ok(first), Ok(second)) => first == second,
            (Err(first), Err(second)) => first.kind() == second.kind(),
            _ => false,
        };
        self.companions = candidate.companions;
        let needed = core.store.keep(&self.companions);
        let busy = |e: &io::Error| e.kind() == io::ErrorKind::ResourceBusy;
        if !same || !self.companions.stand() || needed.as_ref().is_err_and(busy) {
            return self.restless(core.config.settle);
        }
        self.settling = None;
        let hash = match &needed {
            Ok(needed) if !needed.is_empty() => {
                hash(format!("{} {needed}", candidate.hash).as_bytes())
            }
            _ => candidate.hash,
        };
        let known = self.reported.as_ref() == Some(&hash);
        if let Some(flaw) = candidate.flaw {
            if !known {
                core.events.push(HostEvent::Rejected {
                    library: path.to_owned(),
                    hash: hash.clone(),
                    reason: flaw.reason,
                    hints: vec![flaw.hint.to_owned()],
                });
            }
        } else if let Ok(content) = candidate.content
            && (!known || core.was_refused(path, &hash))
            && !(self.found && elf::is_other_library(&content))
        {
            let staged = needed.and_then(|_| core.store.put(path, &content, &self.companions));
            stage(path, &hash, content.len() as u64, staged, core);
        }
        self.reported = Some(hash);
    }
}

fn unreadable(error: &io::Error) -> Flaw {
    let hint = match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge => {
            "name a library, or move this file out of the folder"
        }
        _ => "check the file's owner and mode",
    };
    Flaw {
        reason: format!("it cannot be read: {error}"),
        hint,
    }
}

fn stage(
    path: &Path,
    hash: &str,
    size: u64,
    staged: io::Result<Arc<StagedCopy>>,
    core: &Arc<Core>,
) {
    match staged {
        Ok(copy) => {
            let probe = Probe {
                id: ProbeId::default(),
                library: path.to_owned(),
                copy,
                hash: hash.to_owned(),
                size,
                modified: modified(path),
            };
            core.on(News::Probe(probe));
        }
        Err(error) => core.events.push(HostEvent::Rejected {
            library: path.to_owned(),
            hash: hash.to_owned(),
            reason: format!(
                "no copy of it could be made in {}: {error}",
                core.config.store.display()
            ),
            hints: vec!["make room there, or choose another folder".into()],
        }),
    }
}

fn modified(path: &Path) -> Millis {
    let time = fs::metadata(path).and_then(|m| m.modified());
    let since = time
        .unwrap_or_else(|_| SystemTime::now())
        .duration_since(UNIX_EPOCH);
    Millis(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(0)))
}

/// First 16 hex digits of the SHA-256.
fn hash(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}
