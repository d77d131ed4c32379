//! Where cargo writes the libraries of a crate: by what `cargo metadata` reports, the target that is configured for
//! the folder, and the profiles of the workspace.

use super::{ENDING, Library, absolute, settings};
use crate::cargo_program;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wb_core::error::Error;

/// Largest manifest or settings file of cargo's, in bytes.
const TOML: u64 = 4 << 20;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
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

/// What cargo reports of the packages of a folder. It is run there: settings in `.cargo/config.toml` count by the
/// folder that cargo is run in.
fn metadata(dir: &Path) -> Result<Metadata, Error> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(dir)
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

/// The dynamic libraries that a crate, or the crates of a workspace, are built to. Of several builds in different
/// profiles the newest is meant.
pub(super) fn of_crate(dir: &Path) -> Result<Vec<Library>, Error> {
    let metadata = metadata(dir)?;
    let root = canonical(&absolute(dir));
    let own: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|p| p.manifest_path.parent().map(canonical) == Some(root.clone()))
        .collect();
    let packages = if own.is_empty() {
        metadata.packages.iter().collect()
    } else {
        own
    };
    let folders = folders(&metadata, &root);
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
            let mut places: Vec<PathBuf> = folders.iter().map(|dir| dir.join(&name)).collect();
            // The first of those that are equally new: none of them is built yet.
            let newest = (0..places.len()).rev().max_by_key(|at| built(&places[*at]));
            let path = places.remove(newest.unwrap_or_default());
            found.push(Library {
                path,
                package: Some(package.name.clone()),
                twins: places,
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

/// The folders that builds of a package may end in, the one of a plain `cargo build` first.
fn folders(metadata: &Metadata, dir: &Path) -> Vec<PathBuf> {
    let files = settings_files(dir);
    let root = &metadata.target_directory;
    let mut targets = configured_targets(&files);
    targets.push(String::new());
    targets.extend(built_targets(root));
    let mut profiles = vec!["debug".to_owned(), "release".to_owned()];
    let manifest = read(&metadata.workspace_root.join("Cargo.toml"));
    for table in files.iter().chain(&manifest) {
        let own = table.get("profile").and_then(toml::Value::as_table);
        let own = own.into_iter().flat_map(toml::Table::keys);
        // These are built into the folders above.
        let known = ["dev", "test", "release", "bench"];
        profiles.extend(own.filter(|name| !known.contains(&name.as_str())).cloned());
    }
    let mut seen = BTreeSet::new();
    let all = targets
        .iter()
        .flat_map(|target| profiles.iter().map(move |p| root.join(target).join(p)));
    all.filter(|folder| seen.insert(folder.clone())).collect()
}

/// Cargo's settings for a folder, the most important first: of the folder and those around it, and of the user.
fn settings_files(dir: &Path) -> Vec<toml::Table> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|h| Path::new(&h).join(".cargo")));
    let around = dir.ancestors().map(|folder| folder.join(".cargo"));
    let files = around
        .chain(home)
        .flat_map(|folder| ["config.toml", "config"].map(|name| folder.join(name)));
    files.filter_map(|file| read(&file)).collect()
}

/// What cargo cannot read it reports itself.
fn read(file: &Path) -> Option<toml::Table> {
    toml::from_str(&wb_host::read_named_text(file, TOML).ok()?).ok()
}

/// The targets of `build.target`: their builds end in a folder of their own.
fn configured_targets(files: &[toml::Table]) -> Vec<String> {
    let named = std::env::var("CARGO_BUILD_TARGET").ok();
    let named = named.filter(|target| !target.is_empty());
    let named = named.map(toml::Value::String).or_else(|| {
        let target = |table: &toml::Table| table.get("build")?.get("target").cloned();
        files.iter().find_map(target)
    });
    let several = match named {
        Some(toml::Value::Array(several)) => several,
        one => one.into_iter().collect(),
    };
    let folder = |target: &toml::Value| {
        let target = target.as_str()?;
        // The description of a target of one's own gives its name; only rustc knows what the host's is.
        let stem = Path::new(target)
            .file_stem()
            .filter(|_| target.ends_with(".json"));
        let name = stem.map_or_else(|| target.to_owned(), |s| s.to_string_lossy().into_owned());
        (name != "host-tuple").then_some(name)
    };
    several.iter().filter_map(folder).collect()
}

/// Targets for this machine that something was built for already.
fn built_targets(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_ours = |name: &String| {
        let rest = name.strip_prefix(std::env::consts::ARCH);
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    let mut found: Vec<String> = names.filter(is_ours).collect();
    found.sort();
    found
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

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    #[test]
    fn a_crate_without_a_dynamic_library_is_answered_with_what_to_add() {
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

    #[test]
    fn targets_and_profiles_of_the_settings_around_a_crate_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let write = |name: &str, text: &str| {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), text).unwrap();
        };
        let triple = format!("{}-unknown-other", std::env::consts::ARCH);
        write(
            ".cargo/config.toml",
            &format!("[build]\ntarget = \"{triple}\"\ntarget-dir = \"out\"\n"),
        );
        write(
            "a/Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[lib]\ncrate-type=[\"cdylib\"]\n[workspace]\n[profile.fast]\ninherits = \"release\"\n",
        );
        write("a/src/lib.rs", "");
        let library = || find(&[at("a")]).unwrap().remove(0);
        let name = format!("{}a.{ENDING}", std::env::consts::DLL_PREFIX);
        let place = |folder: &str| canonical(dir.path()).join("out").join(folder).join(&name);
        let debug = place(&format!("{triple}/debug"));
        assert_eq!(library().path, debug, "as `cargo build` will write it");
        // What is there is newer than what is not.
        let fast = place("fast");
        std::fs::create_dir_all(fast.parent().unwrap()).unwrap();
        std::fs::write(&fast, "").unwrap();
        assert_eq!(library().path, fast);
        assert!(library().twins.contains(&debug), "{:?}", library().twins);
    }
}
