//! Crash reports: files in the state folder that other users can neither read nor plant.

use crate::exit::print_error;
use crate::{recorder, terminal};
use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use wb_core::{limits, secret};

/// Any panic that nobody expects, in whatever thread, gives the terminal back and ends the program: what it
/// was about to do can no longer be trusted, and the journal knows the rest. That of a library that has run
/// into a limit of the machine ends it in plain words, any other one with the path of a report.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        if terminal::panic_expected() {
            return;
        }
        terminal::give_back();
        if let Some(error) = limits::reached(&info.to_string()) {
            print_error(&error);
            std::process::exit(i32::from(error.kind.exit_code()));
        }
        let trace = std::backtrace::Backtrace::force_capture();
        let info = info.to_string();
        let info = secret::clean(&info); // it may hold what a program sent
        let recording = recorder::save_now();
        let recorded = recording.as_ref().map_or_else(String::new, |path| {
            format!("recording: {}\n", path.display())
        });
        let version = env!("CARGO_PKG_VERSION");
        let text = format!("workbench {version}\n{recorded}{info}\n{trace}\n");
        notice!(
            "workbench: something broke inside the workbench (not your agent). Nothing was written that the journal does not know; `workbench resume` goes on."
        );
        let folder =
            wb_engine::config::state_dir("crashes").map_err(|error| error.into_facts().summary);
        match folder.and_then(|dir| write(&dir, &text).map_err(|e| e.to_string())) {
            Ok(path) => {
                let path = std::path::absolute(&path).unwrap_or(path);
                notice!("Report: {}", path.display());
            }
            Err(why) => {
                for line in info.lines() {
                    notice!("{line}");
                }
                notice!("no report could be written: {why}");
            }
        }
        if let Some(path) = recording {
            notice!("Recording of this session: {}", path.display());
        }
        std::process::exit(70);
    }));
}

/// Writes a new file with an unpredictable name into a private folder that is not a link.
fn write(dir: &Path, text: &str) -> io::Result<PathBuf> {
    let folder = private(dir)?;
    let name = format!("crash-{}.txt", uuid::Uuid::new_v4());
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(&folder, &name, flags, Mode::RUSR | Mode::WUSR)?;
    File::from(file).write_all(text.as_bytes())?;
    Ok(dir.join(name))
}

/// Opens the folder if this user owns it and nobody else can write to it.
fn private(dir: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let folder = open(dir, flags, Mode::empty())?;
    let stat = fstat(&folder)?;
    let ours = stat.st_uid == rustix::process::geteuid().as_raw();
    let shared = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    if !ours || shared || !FileType::from_raw_mode(stat.st_mode).is_dir() {
        let text = format!("{} is not a private folder of this user", dir.display());
        return Err(io::Error::other(text));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_report_is_a_new_file_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let first = write(dir.path(), "one").unwrap();
        let second = write(dir.path(), "two").unwrap();
        assert_ne!(first, second);
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "one");
        let mode = std::fs::metadata(&first).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_others_may_write_to_or_that_is_a_link_gets_none() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(write(&open, "x").is_err());
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o700)).unwrap();
        let link = dir.path().join("link");
        symlink(&open, &link).unwrap();
        assert!(write(&link, "x").is_err());
        assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
    }
}
