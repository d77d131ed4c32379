//! `workbench new --upgrade`: the copy of `agent-abi` in a crate is replaced by the one of this program. Files that
//! somebody changed are never lost without `--force`. The author's own files are not touched.

use super::{HEADER, VENDORED, header, usage};
use crate::carried::folder::SourceFolder;
use crate::carried::{self, Files, VERSION};
use crate::cli::NewArgs;
use std::path::{Path, PathBuf};
use wb_core::error::Error;
use wb_core::text::clean;

/// Replaces the copy and prints what changed.
///
/// # Errors
/// The crate has no copy, it has changes of somebody's own, or it cannot be written.
pub(super) fn upgrade(args: &NewArgs) -> Result<(), Error> {
    let copy = find(args.name.as_deref().map(Path::new))?;
    let folder = SourceFolder::open(&copy.dir, copy.files)?;
    let edited = folder.edited();
    if !edited.is_empty() && !args.force {
        let list = edited.join("\n  ");
        return Err(usage(format!(
            "{} has files that were changed since they were written; nothing was changed",
            copy.name
        ))
        .because(format!("  {list}"))
        .hint("save your changes, then replace these files too: workbench new --upgrade --force"));
    }
    let before = clean(folder.version().unwrap_or("an unknown version")).into_owned();
    let changed = folder.write()?;
    let files = if changed == 1 { "file" } else { "files" };
    match changed {
        0 => out!("{} is up to date ({VERSION})", copy.name),
        _ if before == VERSION => {
            out!("{}: {VERSION}, {changed} {files} replaced", copy.name);
        }
        _ => out!(
            "{}: {before} → {VERSION}, {changed} {files} replaced",
            copy.name
        ),
    }
    Ok(())
}

/// A copy of carried files in somebody's crate.
struct Copy {
    /// For messages.
    name: String,
    dir: PathBuf,
    files: Files,
}

/// The copy of the crate in this folder, or else in the one around it that has one.
fn find(named: Option<&Path>) -> Result<Copy, Error> {
    let start = std::path::absolute(named.unwrap_or(Path::new(".")));
    let start = start.map_err(|error| usage(format!("cannot find the crate: {error}")))?;
    let around = if named.is_some() { 1 } else { usize::MAX };
    for dir in start.ancestors().take(around) {
        if dir.join(VENDORED).is_dir() {
            return Ok(Copy {
                name: format!("agent-abi in {VENDORED}"),
                dir: dir.join(VENDORED),
                files: carried::agent_abi()?,
            });
        }
        if dir.join(HEADER).is_file() {
            return Ok(Copy {
                name: HEADER.to_owned(),
                dir: dir.to_owned(),
                files: header()?,
            });
        }
    }
    Err(usage(format!(
        "neither {VENDORED} nor {HEADER} is in {} or a folder around it",
        start.display()
    ))
    .hint("run it inside a crate that `workbench new` made, or name that folder"))
}

#[cfg(test)]
mod tests {
    use super::super::make;
    use super::*;
    use crate::cli::Template;

    fn args(dir: &Path, upgrade: bool, force: bool) -> NewArgs {
        NewArgs {
            name: Some(dir.display().to_string()),
            template: None,
            stage: None,
            upgrade,
            force,
            refresh_ontology: false,
        }
    }

    /// Makes it look as if an older program had written the copy.
    fn age(copy: &Path, file: &str) {
        let record = copy.join(".workbench-sources.json");
        let text = std::fs::read_to_string(&record).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        std::fs::write(copy.join(file), "old").unwrap();
        // SHA-256 of "old".
        value["files"][file] =
            "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4".into();
        value["version"] = "0.0.9".into();
        std::fs::write(&record, value.to_string()).unwrap();
    }

    #[test]
    fn a_changed_file_is_lost_by_force_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine");
        make(&args(&path, false, false), None, None).unwrap();
        let own = path.join("src/lib.rs");
        std::fs::write(&own, "// my agent").unwrap();
        upgrade(&args(&path, true, false)).unwrap();

        let file = path.join(VENDORED).join("src/route.rs");
        let carried = std::fs::read_to_string(&file).unwrap();
        age(&path.join(VENDORED), "src/error.rs");
        std::fs::write(&file, "mine").unwrap();
        let error = upgrade(&args(&path, true, false)).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("src/route.rs"), "{text}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        upgrade(&args(&path, true, true)).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), carried);
        assert_eq!(std::fs::read_to_string(&own).unwrap(), "// my agent");
        let error = upgrade(&args(dir.path(), true, false)).unwrap_err();
        assert!(error.summary.contains("neither"), "{error:?}");
    }

    #[test]
    fn the_header_of_a_c_crate_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine");
        let mut made = args(&path, false, false);
        made.template = Some(Template::C);
        make(&made, None, None).unwrap();
        let header = std::fs::read_to_string(path.join(HEADER)).unwrap();
        assert!(header.contains("wb_agent_module"));
        std::fs::write(path.join(HEADER), "mine").unwrap();
        assert!(upgrade(&args(&path, true, false)).is_err());
        upgrade(&args(&path, true, true)).unwrap();
        assert_eq!(std::fs::read_to_string(path.join(HEADER)).unwrap(), header);
    }
}
