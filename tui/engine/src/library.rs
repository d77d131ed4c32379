//! From what a person names with `--agents` to the library files that are watched. Where cargo writes the libraries
//! of a crate is in `crates`; watching and opening are left to the host crate.

mod crates;

pub use crates::cargo;

use crate::Notify;
use agent_abi::table::ENTRY_SYMBOL;
use std::path::{Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_core::text::clean;

/// A library to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file, or a folder of them; it need not exist yet.
    pub path: PathBuf,
    /// The crate it is built from, when known.
    pub package: Option<String>,
    /// The same library in other profiles and for a target that is named: a build there counts as a rebuild.
    pub twins: Vec<PathBuf>,
}

impl Library {
    /// Everywhere a build of it may be written to.
    pub fn places(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.path).chain(&self.twins)
    }
}

/// Ending of a dynamic library on this machine.
pub const ENDING: &str = std::env::consts::DLL_EXTENSION;

/// Finds what to watch.
///
/// # Errors
/// A path that does not exist, or a crate that builds no dynamic library.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Library>, Error> {
    let mut found = Vec::new();
    for path in paths {
        if path.extension().is_some_and(|e| e == ENDING) {
            found.push(Library {
                path: absolute(path),
                package: None,
                twins: Vec::new(),
            });
        } else if path.join("Cargo.toml").is_file() {
            found.extend(crates::of_crate(path)?);
        } else if path.is_dir() {
            if paths.len() == 1 && *path == Path::new(".") && !has_library(path) {
                continue;
            }
            found.push(Library {
                path: absolute(path),
                package: None,
                twins: Vec::new(),
            });
        } else {
            let what = match path.exists() {
                true => "is not an agent library",
                false => "does not exist",
            };
            return Err(settings(format!("{} {what}", path.display())).hint(format!(
                "name a library (*.{ENDING}), a crate folder or a folder of libraries with --agents"
            )));
        }
    }
    Ok(found)
}

/// The library files themselves, each once: a command that ends must know which ones it waits for.
/// Libraries of a folder that are not agent libraries are skipped, and reported.
///
/// # Errors
/// As [`find`]; or a folder without an agent library.
pub fn files(paths: &[PathBuf], notify: Notify) -> Result<Vec<Library>, Error> {
    let mut files: Vec<Library> = Vec::new();
    for library in find(paths)? {
        let several = if library.path.is_dir() {
            agents_in(&library.path, notify)?
        } else {
            vec![library]
        };
        for one in several {
            if files.iter().all(|known| known.path != one.path) {
                files.push(one);
            }
        }
    }
    Ok(files)
}

fn agents_in(folder: &Path, notify: Notify) -> Result<Vec<Library>, Error> {
    let is_other = |path: &PathBuf| {
        wb_host::read_library(path).is_ok_and(|content| wb_host::is_other_library(&content))
    };
    let (others, agents): (Vec<_>, Vec<_>) = in_folder(folder).into_iter().partition(is_other);
    let names = others
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| name.display().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let others = format!("without agents (no function `{ENTRY_SYMBOL}`): {names}");
    if agents.is_empty() {
        let text = format!(
            "there is no agent library (*.{ENDING}) in {}",
            folder.display()
        );
        let mut error = settings(text);
        if !names.is_empty() {
            error = error.hint(format!("{others}; a Rust crate ends with `export![…]`"));
        }
        return Err(
            error.hint("build one there, or name a crate folder or a library with --agents")
        );
    }
    if !names.is_empty() {
        notify(&format!("note: passed over, {}", clean(&others)));
    }
    let one = |path| Library {
        path,
        package: None,
        twins: Vec::new(),
    };
    Ok(agents.into_iter().map(one).collect())
}

/// The library files at these places, files and folders, that are there now.
#[must_use]
pub fn there(places: &[PathBuf]) -> Vec<PathBuf> {
    let files = |place: &PathBuf| match place.is_dir() {
        true => in_folder(place),
        false => vec![place.clone()],
    };
    let mut found: Vec<PathBuf> = places.iter().flat_map(files).collect();
    found.retain(|file| file.exists());
    found
}

fn has_library(dir: &Path) -> bool {
    !in_folder(dir).is_empty()
}

/// The libraries right in a folder, by name.
fn in_folder(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|x| x == ENDING) && !p.is_dir())
        .collect();
    found.sort();
    found
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The libraries of a crate as `cargo build` makes them, whatever lies in the folders of other profiles.
///
/// # Errors
/// As [`find`].
pub fn of_debug_build(dir: &Path) -> Result<Vec<Library>, Error> {
    let is_debug = |place: &Path| place.parent().is_some_and(|p| p.ends_with("debug"));
    let mut found = find(&[dir.to_owned()])?;
    for library in &mut found {
        if !is_debug(&library.path)
            && let Some(debug) = library.twins.iter_mut().find(|place| is_debug(place))
        {
            std::mem::swap(&mut library.path, debug);
        }
    }
    Ok(found)
}

fn settings(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, text)
}
