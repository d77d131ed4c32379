//! Packs the sources that the program carries (`src/carried.rs`) into one deflated file: what `cargo package` takes
//! of `agent-abi` and its macros, and the sample agents. Unpacking them is left to the program.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::ffi::OsString;
use std::io::{Error, Result, Write};
use std::path::{Path, PathBuf};

/// Packages, and what of each is carried: for the first two their `include` and the manifest.
const CARRIED: &[(&str, &[&str])] = &[
    (
        "agent-abi",
        &[
            "Cargo.toml",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "include",
            "src",
        ],
    ),
    (
        "agent-abi/macros",
        &[
            "Cargo.toml",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "src",
            "tests",
        ],
    ),
    ("sample-agents", &["Cargo.toml", "README.md", "c", "src"]),
    // Versions and features that the manifests above inherit.
    (".", &["Cargo.toml"]),
];

fn main() -> Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    for (package, parts) in CARRIED {
        for part in *parts {
            let path = root.join(package).join(part);
            println!("cargo::rerun-if-changed={}", path.display());
            let name = match *package {
                "." => (*part).to_owned(),
                package => format!("{package}/{part}"),
            };
            pack(&path, &name, &mut packed)?;
        }
    }
    let out = PathBuf::from(variable("OUT_DIR")?).join("carried");
    std::fs::write(out, packed.finish()?)
}

/// A file as a line with its length and name and then its content; a folder as the files in it, by name.
fn pack(path: &Path, name: &str, packed: &mut impl Write) -> Result<()> {
    if !path.is_dir() {
        let content = std::fs::read(path)
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        writeln!(packed, "{} {name}", content.len())?;
        return packed.write_all(&content);
    }
    let mut entries = std::fs::read_dir(path)?
        .map(|entry| entry.map(|e| e.file_name()))
        .collect::<Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        let entry = entry.to_string_lossy();
        if !entry.starts_with('.') {
            pack(&path.join(&*entry), &format!("{name}/{entry}"), packed)?;
        }
    }
    Ok(())
}

fn variable(name: &str) -> Result<OsString> {
    std::env::var_os(name).ok_or_else(|| Error::other(format!("cargo did not set {name}")))
}
