//! From what a person names with `--agents` to the library files that are watched, and the build
//! of a crate with cargo. Watching and opening are left to the host crate.

use crate::{Notify, cargo_program};
use agent_abi::table::ENTRY_SYMBOL;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wb_core::error::{Error, ErrorKind};
use wb_core::text::clean;

/// A library to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file, or a folder of them; it need not exist yet.
    pub path: PathBuf,
    /// The crate it is built from, when known.
    pub package: Option<String>,
    /// The same library in the other profile (debug or release): a build of it counts as a rebuild.
    pub twin: Option<PathBuf>,
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
                twin: None,
            });
        } else if path.join("Cargo.toml").is_file() {
            found.extend(of_crate(path)?);
        } else if path.is_dir() {
            if paths.len() == 1 && *path == Path::new(".") && !has_library(path) {
                continue;
            }
            found.push(Library {
                path: absolute(path),
                package: None,
                twin: None,
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
        twin: None,
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

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    /// `cdylib` for such a library; an example built as one is an `example`.
    kind: Vec<String>,
}

/// What cargo reports of the packages of a folder.
fn metadata(dir: &Path) -> Result<Metadata, Error> {
    let output = cargo()
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(dir.join("Cargo.toml"))
        .output()
        .map_err(|error| {
            settings(cargo_program::not_started(&error))
                .hint("name the library itself with --agents")
        })?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        settings(format!("cargo cannot read {}", dir.display()))
            .because(String::from_utf8_lossy(&output.stderr).into_owned())
    })
}

/// The dynamic libraries that a crate, or the crates of a workspace, are built to. Of a debug and
/// a release build the newer one is meant.
fn of_crate(dir: &Path) -> Result<Vec<Library>, Error> {
    let metadata = metadata(dir)?;
    let root = absolute(dir);
    let own: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|p| p.manifest_path.parent() == Some(&*canonical(&root)))
        .collect();
    let packages = if own.is_empty() {
        metadata.packages.iter().collect()
    } else {
        own
    };
    let mut found = Vec::new();
    for package in packages {
        for target in package
            .targets
            .iter()
            .filter(|t| t.kind.iter().any(|kind| kind == "cdylib"))
        {
            let name = format!(
                "{}{}.{ENDING}",
                std::env::consts::DLL_PREFIX,
                target.name.replace('-', "_")
            );
            let debug = metadata.target_directory.join("debug").join(&name);
            let release = metadata.target_directory.join("release").join(&name);
            let (path, twin) = if built(&release) > built(&debug) {
                (release, debug)
            } else {
                (debug, release)
            };
            found.push(Library {
                path,
                package: Some(package.name.clone()),
                twin: Some(twin),
            });
        }
    }
    if found.is_empty() {
        return Err(settings(format!(
            "no crate in {} builds a dynamic library",
            dir.display()
        ))
        .hint("add to its Cargo.toml:  [lib] crate-type = [\"cdylib\"]"));
    }
    Ok(found)
}

/// Cargo, and what it starts (build scripts, compilers), without keys and passwords of the workbench.
#[must_use]
pub fn cargo() -> std::process::Command {
    let mut cargo = std::process::Command::new(cargo_program::path());
    for name in wb_host::secret_variables() {
        cargo.env_remove(name);
    }
    cargo
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// When a file was built; the beginning of time when it was not.
fn built(path: &Path) -> SystemTime {
    path.metadata()
        .and_then(|m| m.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The libraries of a crate as `cargo build` makes them, whatever lies in the release folder.
///
/// # Errors
/// As [`find`].
pub fn of_debug_build(dir: &Path) -> Result<Vec<Library>, Error> {
    let mut found = find(&[dir.to_owned()])?;
    for library in &mut found {
        let is_release = library
            .path
            .parent()
            .is_some_and(|p| p.ends_with("release"));
        if let (true, Some(twin)) = (is_release, library.twin.as_mut()) {
            std::mem::swap(&mut library.path, twin);
        }
    }
    Ok(found)
}

fn settings(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_a_dynamic_library_is_told_what_to_add() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("Cargo.toml"),
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[workspace]\n",
        )
        .unwrap();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        std::fs::write(dir.path().join("src/lib.rs"), "").unwrap();
        let error = find(&[dir.path().to_owned()]).unwrap_err();
        assert!(error.hints[0].contains("cdylib"), "{error:?}");
    }

    #[test]
    fn examples_that_are_dynamic_libraries_are_not_the_crates_agents() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"my-agents\"\nversion = \"0.1.0\"\n[lib]\ncrate-type=[\"cdylib\"]\n[[example]]\nname=\"other\"\ncrate-type=[\"cdylib\"]\n[workspace]\n").unwrap();
        for (folder, file) in [("src", "lib.rs"), ("examples", "other.rs")] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join(file), "").unwrap();
        }
        let found = find(&[dir.path().to_owned()]).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_crate_is_found_by_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"my-agents\"\nversion = \"0.1.0\"\n[lib]\ncrate-type=[\"cdylib\"]\n[workspace]\n").unwrap();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        std::fs::write(dir.path().join("src/lib.rs"), "").unwrap();
        let found = find(&[dir.path().to_owned()]).unwrap();
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .path
                .ends_with(format!("target/debug/libmy_agents.{ENDING}")),
            "{found:?}"
        );
    }
}
