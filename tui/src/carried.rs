//! Sources that travel in the program, so that `new` and `demo` need no checkout: `agent-abi` with its macros, and the
//! sample agents. `build.rs` packs them. Where they are written, and how a person's changes to them are kept, is
//! left to [`folder`].

pub mod folder;
mod manifest;

use flate2::read::DeflateDecoder;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use wb_core::error::{Error, ErrorKind};

/// Contents by path, relative to where the sources are written.
pub type Files = BTreeMap<String, Vec<u8>>;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/carried"));

/// Version of the sources: the workspace has one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `agent-abi`, with its macros in a folder inside, as a crate that needs no workspace.
///
/// # Errors
/// The program file is damaged.
pub fn agent_abi() -> Result<Files, Error> {
    let mut files = unpacked()?;
    let workspace = take(&mut files, "Cargo.toml")?;
    let mut own = below(files, "agent-abi/");
    for (manifest, package) in [
        ("Cargo.toml", "agent-abi"),
        ("macros/Cargo.toml", "agent-abi/macros"),
    ] {
        let text = take(&mut own, manifest)?;
        let text = manifest::standalone(&text, &workspace, package)?;
        own.insert(manifest.to_owned(), text.into_bytes());
    }
    Ok(own)
}

/// The sample agents in `sample-agents`, and `agent-abi` beside them.
///
/// # Errors
/// The program file is damaged.
pub fn sample_agents() -> Result<Files, Error> {
    let mut files = unpacked()?;
    let workspace = take(&mut files, "Cargo.toml")?;
    let text = take(&mut files, "sample-agents/Cargo.toml")?;
    let text = manifest::standalone_root(&text, &workspace, "sample-agents")?;
    let samples = below(files, "sample-agents/");
    let mut all: Files = samples
        .into_iter()
        .map(|(name, content)| (format!("sample-agents/{name}"), content))
        .collect();
    all.insert("sample-agents/Cargo.toml".to_owned(), text.into_bytes());
    let abi = agent_abi()?.into_iter();
    all.extend(abi.map(|(name, content)| (format!("agent-abi/{name}"), content)));
    Ok(all)
}

/// The files below a folder, relative to it.
fn below(files: Files, folder: &str) -> Files {
    let inside = |(name, content): (String, Vec<u8>)| {
        let name = name.strip_prefix(folder)?.to_owned();
        Some((name, content))
    };
    files.into_iter().filter_map(inside).collect()
}

/// The text of a file, which is then no longer among the others.
fn take(files: &mut Files, name: &str) -> Result<String, Error> {
    let content = files.remove(name).ok_or_else(|| damaged(name))?;
    String::from_utf8(content).map_err(|error| damaged(&error.to_string()))
}

/// Everything, by its path in the checkout.
fn unpacked() -> Result<Files, Error> {
    let mut packed = BufReader::new(DeflateDecoder::new(PACKED));
    let mut files = Files::new();
    let mut line = String::new();
    loop {
        line.clear();
        let read = packed.read_line(&mut line);
        if read.map_err(|error| damaged(&error.to_string()))? == 0 {
            return Ok(files);
        }
        let (length, name) = line.trim_end().split_once(' ').unwrap_or_default();
        let length = length.parse().map_err(|_| damaged(name))?;
        let mut content = vec![0; length];
        let read = packed.read_exact(&mut content);
        read.map_err(|error| damaged(&error.to_string()))?;
        files.insert(name.to_owned(), content);
    }
}

fn damaged(what: &str) -> Error {
    let text = format!("the sources in this program cannot be read: {what}");
    Error::new(ErrorKind::Settings, text).hint("install the workbench again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    /// What `cargo package` takes, without what it generates.
    fn packaged(package: &str) -> Vec<String> {
        let output = Command::new(env!("CARGO"))
            .args(["package", "--list", "--allow-dirty", "--offline", "-p"])
            .arg(package)
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let generated = ["Cargo.lock", "Cargo.toml.orig", ".cargo_vcs_info.json"];
        let listed = String::from_utf8(output.stdout).unwrap();
        let mut listed: Vec<String> = listed.lines().map(str::to_owned).collect();
        listed.retain(|file| !generated.contains(&file.as_str()));
        listed.sort();
        listed
    }

    #[test]
    fn what_is_carried_is_what_cargo_packages_and_equals_the_checkout() {
        let carried = unpacked().unwrap();
        for (name, content) in &carried {
            assert_eq!(
                &std::fs::read(root().join(name)).unwrap(),
                content,
                "{name}"
            );
        }
        let macros = below(carried.clone(), "agent-abi/macros/");
        let mut own = below(carried, "agent-abi/");
        own.retain(|name, _| !name.starts_with("macros/"));
        for (package, files) in [("agent-abi", own), ("agent-abi-macros", macros)] {
            let files: Vec<String> = files.into_keys().collect();
            assert_eq!(files, packaged(package), "{package}");
        }
    }

    #[test]
    fn manifests_stand_alone_and_name_only_their_own_folders() {
        let (abi, samples) = (agent_abi().unwrap(), sample_agents().unwrap());
        let text = |files: &Files, name: &str| String::from_utf8(files[name].clone()).unwrap();
        for manifest in [
            text(&abi, "Cargo.toml"),
            text(&abi, "macros/Cargo.toml"),
            text(&samples, "sample-agents/Cargo.toml"),
            text(&samples, "agent-abi/Cargo.toml"),
        ] {
            let table: toml::Table = manifest.parse().unwrap();
            assert!(!manifest.contains("workspace = true"), "{manifest}");
            assert!(!table.contains_key("dev-dependencies"), "{manifest}");
            assert_eq!(table["package"]["version"].as_str(), Some(VERSION));
            assert!(!manifest.contains(env!("CARGO_MANIFEST_DIR")), "{manifest}");
        }
        let table: toml::Table = text(&abi, "Cargo.toml").parse().unwrap();
        let macros = &table["dependencies"]["agent-abi-macros"];
        assert_eq!(macros["path"].as_str(), Some("macros"));
        let table: toml::Table = text(&samples, "sample-agents/Cargo.toml").parse().unwrap();
        let abi = &table["dependencies"]["agent-abi"];
        assert_eq!(abi["path"].as_str(), Some("../agent-abi"));
        assert!(table["dependencies"].get("ureq").is_none());
    }
}
