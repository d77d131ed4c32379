//! `workbench new`: a folder with an agent that builds, tests and loads at once.
//!
//! The files are templates under `new/`, and the crate `agent-abi` from the program itself (`carried.rs`), so that the
//! folder needs neither this program's checkout nor a registry that has `agent-abi`. Nothing that exists is ever
//! overwritten. Refreshing that copy is left to [`upgrade`], names of a project to [`refresh`], building to cargo or make.

mod from_project;
mod refresh;
mod upgrade;

use crate::carried::folder::SourceFolder;
use crate::carried::{self, Files};
use crate::cli::{Global, NewArgs, Template};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_core::work::Project;
use wb_engine::config::Config;

/// Where a Rust crate keeps its copy of `agent-abi`.
const VENDORED: &str = "vendor/agent-abi";
/// The header of C and C++ agents.
const HEADER: &str = "workbench_agent.h";

/// What becomes of a template.
struct Plan {
    stage: String,
    files: Vec<(&'static str, &'static str)>,
    next: &'static [&'static str],
}

const RUST: &[&str] = &[
    "cargo test",
    "cargo build",
    "workbench check",
    "workbench run --dry-run",
];
const C: &[&str] = &[
    "make test",
    "make",
    "workbench check",
    "workbench run --dry-run",
];

fn plan(args: &NewArgs) -> Plan {
    let template = args.template.unwrap_or_default();
    let source = match template {
        Template::Prelabel => include_str!("new/prelabel.rs"),
        Template::Route => include_str!("new/route.rs"),
        Template::Priority => include_str!("new/priority.rs"),
        Template::Twin => include_str!("new/twin.rs"),
        Template::Video => include_str!("new/video.rs"),
        Template::C => include_str!("new/agent.c"),
        Template::Cpp => include_str!("new/agent.cpp"),
    };
    let settings = match template {
        Template::Video => include_str!("new/video.toml"),
        Template::C | Template::Cpp => include_str!("new/c.toml"),
        _ => include_str!("new/rust.toml"),
    };
    let own = match template {
        Template::Route | Template::C => "route",
        _ => "pre-label",
    };
    let mut files = vec![
        ("workbench.toml", settings),
        (".gitignore", include_str!("new/ignore.txt")),
    ];
    files.extend(match template {
        Template::C => vec![
            ("agent.c", source),
            ("test.c", include_str!("new/test.c")),
            ("Makefile", include_str!("new/make.txt")),
        ],
        Template::Cpp => vec![
            ("agent.cpp", source),
            ("test.cpp", include_str!("new/test.cpp")),
            ("Makefile", include_str!("new/make_cpp.txt")),
        ],
        _ => vec![
            ("src/lib.rs", source),
            ("Cargo.toml", include_str!("new/cargo.txt")),
        ],
    });
    Plan {
        stage: args.stage.clone().unwrap_or_else(|| own.to_owned()),
        files,
        next: if template.is_rust() { RUST } else { C },
    }
}

/// Makes the folder and prints how to continue; or refreshes what a crate has from this program or its project.
///
/// # Errors
/// A name that is none, a folder that exists, no right to write, or a project that cannot
/// be had.
pub async fn new(global: &Global, config: &Config, args: &NewArgs) -> Result<(), Error> {
    let named = args.name.as_deref();
    if args.upgrade {
        return upgrade::upgrade(args);
    }
    if args.refresh_ontology {
        return refresh::refresh(global, config, named.map(Path::new)).await;
    }
    // Nobody waits for a platform to learn that a name cannot be used.
    may_be_made(named)?;
    // A template is one for any project.
    let own = args.template.is_none() && args.stage.is_none() && global.project_hash.is_some();
    let project = match own {
        true => Some(from_project::load(global, config).await.map_err(|error| {
            error.hint("to begin without the project: workbench new NAME --template prelabel")
        })?),
        false => None,
    };
    make(args, config.project_named(), project.as_ref())
}

/// Whether a folder of that name can be made; the crate's name.
fn may_be_made(named: Option<&str>) -> Result<(PathBuf, String), Error> {
    let dir = PathBuf::from(named.unwrap_or_default());
    let name = name_of(&dir)?;
    if dir.exists() {
        return Err(usage(format!(
            "{} exists already; nothing was changed",
            dir.display()
        ))
        .hint("take another name, or move it away first"));
    }
    Ok((dir, name))
}

/// Makes the folder, for the agent stages of a project if there is one.
fn make(args: &NewArgs, hash: Option<&str>, project: Option<&Project>) -> Result<(), Error> {
    let (dir, name) = may_be_made(args.name.as_deref())?;
    let mut plan = plan(args);
    let sources = project.map(from_project::files).transpose()?;
    if sources.is_some() {
        plan.files.retain(|(file, _)| *file != "src/lib.rs");
    }
    if plan.stage.trim().is_empty() || plan.stage.contains(['"', '\\', '\n']) {
        return Err(usage(
            "a stage is named by its title or UUID, without quotes",
        ));
    }
    let text = |template: &str| {
        let project = hash.map_or_else(
            || "# project = \"UUID of your project\"".to_owned(),
            |hash| format!("project = {hash:?}"),
        );
        template
            .replace("{{name}}", &name)
            .replace("{{stage}}", &plan.stage)
            .replace("{{project}}", &project)
            .replace("{{ending}}", std::env::consts::DLL_EXTENSION)
    };
    for (file, template) in &plan.files {
        write(&dir.join(file), text(template).as_bytes())?;
    }
    for (file, text) in sources.iter().flatten() {
        write(&dir.join(file), text.as_bytes())?;
    }
    match args.template.unwrap_or_default().is_rust() {
        true => SourceFolder::open(&dir.join(VENDORED), carried::agent_abi()?)?.write()?,
        false => SourceFolder::open(&dir, header()?)?.write()?,
    };
    match project {
        Some(project) => out!(
            "made {} for project \"{}\": {}",
            dir.display(),
            project.title,
            from_project::summary(project)
        ),
        None => out!("made {} for stage \"{}\"", dir.display(), plan.stage),
    }
    print_next(args, &dir, &plan, hash.is_some());
    Ok(())
}

/// The header alone, for an agent in C or C++.
fn header() -> Result<Files, Error> {
    let include = format!("include/{HEADER}");
    let mut files = carried::agent_abi()?;
    files.retain(|name, _| *name == include);
    let files = files.into_values();
    Ok(files.map(|content| (HEADER.to_owned(), content)).collect())
}

/// Prints what was made, and the next steps.
fn print_next(args: &NewArgs, dir: &Path, plan: &Plan, has_project: bool) {
    if args.template.unwrap_or_default().is_rust() {
        out!(
            "agent-abi {}, which agents are written with, is in {VENDORED}: commit it with your code",
            carried::VERSION
        );
    }
    out!("\nnext:\n  cd {}", dir.display());
    if args.template == Some(Template::Twin) {
        out!("  write the hash of the other project into src/lib.rs, in place of the zeros");
    }
    for line in plan.next {
        out!("  {line}");
    }
    if !has_project {
        out!(
            "\nthe last two need a project: --project-hash=UUID, or the line in workbench.toml.\n\
             none at hand? `workbench serve` starts one on this machine and prints how to reach it"
        );
    }
}

/// The crate's name: the last part of the path.
fn name_of(dir: &Path) -> Result<String, Error> {
    let Some(name) = dir.file_name() else {
        return Err(usage("a new folder is made; it needs a name")
            .hint("workbench new my-agents, or with its path: workbench new ../my-agents"));
    };
    let name = name.to_str().unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let reserved = [
        "test",
        "core",
        "std",
        "alloc",
        "proc-macro",
        "agent-abi",
        "agent_abi",
    ];
    if reserved.contains(&name) {
        return Err(usage(format!(
            "a crate that is named \"{name}\" would hide one of that name"
        ))
        .hint("take another name: my-agents"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(letters) {
        return Err(usage(format!("\"{name}\" cannot be the name of a crate"))
            .hint("letters, digits, - and _, a letter first: my-agents"));
    }
    Ok(name.to_owned())
}

/// Writes a new file, with its folders; never over another one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |e: std::io::Error| {
        Error::new(
            ErrorKind::Settings,
            format!("cannot write {}: {e}", path.display()),
        )
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(failed)
}

fn usage(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    fn args(name: &Path) -> NewArgs {
        NewArgs {
            name: Some(name.display().to_string()),
            template: None,
            stage: None,
            upgrade: false,
            force: false,
            refresh_ontology: false,
        }
    }

    #[test]
    fn what_exists_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("Cargo.toml"), "precious").unwrap();
        let error = make(&args(&path), None, None).unwrap_err();
        assert!(error.summary.contains("exists already"), "{error:?}");
        let kept = std::fs::read_to_string(path.join("Cargo.toml")).unwrap();
        assert_eq!(kept, "precious");
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_cannot_be_a_crate_is_refused_before_anything_is_made() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1st", "my agents", "ünder", "core", "..", "a;b"] {
            let path = dir.path().join(name);
            assert!(make(&args(&path), None, None).is_err(), "{name}");
        }
        for place in ["", ".", "..", "/", "a/.."] {
            let error = make(&args(Path::new(place)), None, None).unwrap_err();
            assert!(error.summary.contains("needs a name"), "{place}: {error:?}");
        }
        let mut quoted = args(&dir.path().join("fine"));
        quoted.stage = Some("a \"stage\"".into());
        assert!(make(&quoted, None, None).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    /// Every file below a folder.
    fn all_files(dir: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).unwrap().flatten();
        let below = entries.flat_map(|entry| match entry.path() {
            path if path.is_dir() => all_files(&path),
            path => vec![path],
        });
        below.collect()
    }

    #[test]
    fn no_file_has_a_placeholder_or_an_absolute_path() {
        let dir = tempfile::tempdir().unwrap();
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let places = [dir.path(), checkout].map(|place| place.display().to_string());
        for (n, &template) in Template::value_variants().iter().enumerate() {
            let path = dir.path().join(format!("agent-{n}"));
            let mut args = args(&path);
            args.template = Some(template);
            make(&args, Some("a-hash"), None).unwrap();
            let made = all_files(&path);
            for (file, _) in plan(&args).files {
                assert!(made.contains(&path.join(file)), "{template:?} {file}");
            }
            for file in made {
                let text = std::fs::read_to_string(&file).unwrap();
                let ours = !file.starts_with(path.join("vendor"));
                assert!(!ours || !text.contains("{{"), "{}", file.display());
                for place in &places {
                    assert!(!text.contains(place), "{} has {place}", file.display());
                }
            }
        }
    }

    #[test]
    fn an_agent_crate_has_its_own_copy_of_agent_abi_and_no_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine");
        make(&args(&path), None, None).unwrap();
        let manifest = std::fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let abi = &manifest["dependencies"]["agent-abi"];
        assert_eq!(abi["path"].as_str(), Some(VENDORED));
        assert!(path.join(VENDORED).join("macros/src/suggest.rs").is_file());
        assert!(!path.join("Cargo.lock").exists());
    }
}
