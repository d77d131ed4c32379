//! Where cargo is: on the path, or where rustup puts it. A terminal that was open when Rust was installed, and a
//! program that a desktop starts, do not have that folder on their path.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Cargo's file; its bare name where it is nowhere, so that starting it fails as usual.
#[must_use]
pub fn path() -> PathBuf {
    let variable = std::env::var_os;
    find(
        variable("PATH").as_deref(),
        variable("CARGO_HOME").as_deref(),
        variable("HOME").as_deref(),
    )
    .unwrap_or_else(|| "cargo".into())
}

/// Why cargo did not start, and what to do.
#[must_use]
pub fn not_started(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "cargo was not found; install Rust from https://rustup.rs \
             (looked on the path, in $CARGO_HOME/bin and in ~/.cargo/bin)"
            .to_owned(),
        _ => format!("cannot start cargo: {error}"),
    }
}

fn find(path: Option<&OsStr>, cargo_home: Option<&OsStr>, home: Option<&OsStr>) -> Option<PathBuf> {
    let on_path = path.into_iter().flat_map(std::env::split_paths);
    let own = cargo_home.filter(|dir| !dir.is_empty());
    let own = own.map(|dir| Path::new(dir).join("bin"));
    let usual = home.map(|dir| Path::new(dir).join(".cargo/bin"));
    on_path
        .chain(own)
        .chain(usual)
        .map(|dir| dir.join(format!("cargo{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_path_comes_first_then_cargos_own_folder_then_the_usual_one() {
        let dir = tempfile::tempdir().unwrap();
        let put = |folder: &str, mode: u32| {
            let folder = dir.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join("cargo");
            std::fs::write(&file, "").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            file
        };
        let places = ["a", "b", "own", "home"].map(|name| dir.path().join(name));
        let path = std::env::join_paths(&places[..2]).unwrap();
        let [_, _, own, home] = &places;
        let find = || find(Some(&path), Some(own.as_os_str()), Some(home.as_os_str()));
        assert_eq!(find(), None);
        let usual = put("home/.cargo/bin", 0o755);
        assert_eq!(find(), Some(usual));
        let own = put("own/bin", 0o755);
        assert_eq!(find(), Some(own.clone()));
        put("a", 0o644);
        assert_eq!(find(), Some(own), "a file that cannot be run is not cargo");
        let first = put("b", 0o755);
        assert_eq!(find(), Some(first));
    }

    #[test]
    fn a_missing_cargo_is_reported_with_what_to_do() {
        let text = not_started(&io::ErrorKind::NotFound.into());
        assert!(text.contains("https://rustup.rs"), "{text}");
        let text = not_started(&io::ErrorKind::PermissionDenied.into());
        assert!(text.starts_with("cannot start cargo"), "{text}");
    }
}
