//! Which cards of the screen a person has seen, kept in a file of the user's state folder: they are shown once per
//! person, not once per project. What the cards are is left to the ui crate.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Largest such file, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The file: `workbench/cards` in the user's state folder, which need not exist.
fn file(var: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let folder = |name| var(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("workbench/cards"))
}

/// The names of the cards that were seen.
#[must_use]
pub fn seen_cards() -> Vec<String> {
    let file = file(|name| std::env::var_os(name));
    file.map_or_else(Vec::new, |file| read(&file).into_iter().collect())
}

/// Keeps the names. Without a place for them, or when they cannot be written, the cards come again next time.
pub fn keep_seen_cards(names: &[String]) {
    if let Some(file) = file(|name| std::env::var_os(name))
        && let Err(error) = write(&file, names)
    {
        tracing::info!(%error, file = %file.display(), "the seen cards were not kept");
    }
}

fn read(file: &Path) -> BTreeSet<String> {
    let text = wb_host::read_named_text(file, LIMIT).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Replaces the file as a whole, so that another screen never reads half of it.
fn write(file: &Path, names: &[String]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    io::Write::write_all(&mut new, text.as_bytes())?;
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_is_the_users_own() {
        let of = |vars: &[(&str, &str)]| {
            file(|name| {
                let found = vars.iter().find(|(n, _)| *n == name);
                found.map(|(_, value)| (*value).into())
            })
        };
        let path = |text: &str| Some(PathBuf::from(text));
        let home = ("HOME", "/home/a");
        assert_eq!(of(&[home]), path("/home/a/.local/state/workbench/cards"));
        let state = ("XDG_STATE_HOME", "/s");
        assert_eq!(of(&[home, state]), path("/s/workbench/cards"));
        let relative = ("XDG_STATE_HOME", "s");
        assert_eq!(of(&[home, relative]), of(&[home]));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new/cards");
        assert_eq!(read(&file), BTreeSet::new());
        let names = ["first-step".to_owned(), "first-outcome".to_owned()];
        write(&file, &names[..1]).unwrap();
        write(&file, &names).unwrap();
        assert_eq!(read(&file), BTreeSet::from(names));
    }
}
