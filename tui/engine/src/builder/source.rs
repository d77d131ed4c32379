//! What is built, with which command, and which files it is built from. When to build is left to the parent
//! module.

use super::setting::{BuildSetting, WatchGlobs};
use crate::cargo_program;
use crate::library::{Library, cargo};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Source files of one crate that are compared, at most.
const MOST: usize = 5000;
/// Largest `.d` file of a library, in bytes.
const DEP_INFO: u64 = 16 << 20;
/// Endings of the files that a build command without `watch` is taken to read.
const ENDINGS: [&str; 12] = [
    "c", "cc", "cpp", "cxx", "go", "h", "hh", "hpp", "hxx", "rs", "toml", "zig",
];
/// Names of further such files.
const NAMES: [&str; 6] = [
    "Makefile",
    "makefile",
    "GNUmakefile",
    "CMakeLists.txt",
    "meson.build",
    "justfile",
];

/// How something is built.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Recipe {
    /// `cargo build` in the folder of a manifest.
    Cargo,
    /// A command for the shell.
    Shell(String),
}

/// Something to build, and what it is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    recipe: Recipe,
    /// Where it is built: the folder of a manifest, or of the settings.
    dir: PathBuf,
    /// Folders of the crates whose files are compared.
    crates: Vec<PathBuf>,
    /// Where cargo lists the files that the libraries were built from: path dependencies and inputs of build
    /// scripts too.
    dep_info: Vec<PathBuf>,
    /// Further files that are compared.
    globs: Option<WatchGlobs>,
    /// Libraries that it builds, by the place where they are watched.
    libraries: Vec<PathBuf>,
}

/// When each file that the library is built from was written, and its length.
pub(super) type Stamps = BTreeMap<PathBuf, (SystemTime, u64)>;

/// The files of a source at one moment.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub stamps: Stamps,
    /// Where a change may show up.
    pub folders: BTreeSet<PathBuf>,
}

impl Source {
    /// Folders of what is built, with all its sources.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        let crates = self.crates.iter().map(PathBuf::as_path);
        crates.chain([self.dir.as_path()])
    }

    /// What is built of the things that `--agents` names.
    #[must_use]
    pub fn among(
        setting: &BuildSetting,
        watch: Option<&WatchGlobs>,
        paths: &[PathBuf],
        libraries: &[Library],
    ) -> Vec<Self> {
        let built = || libraries.iter().filter(|l| l.package.is_some());
        let dep_info: Vec<PathBuf> = built()
            .flat_map(Library::places)
            .map(|library| library.with_extension("d"))
            .collect();
        let crates: Vec<PathBuf> = paths
            .iter()
            .filter(|path| path.join("Cargo.toml").is_file())
            .map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()))
            .collect();
        let source = |recipe, dir, crates| Self {
            recipe,
            dir,
            crates,
            dep_info: dep_info.clone(),
            globs: watch.cloned(),
            libraries: built().map(|l| l.path.clone()).collect(),
        };
        match setting {
            BuildSetting::Off => Vec::new(),
            BuildSetting::Cargo => crates
                .into_iter()
                .map(|dir| source(Recipe::Cargo, dir.clone(), vec![dir]))
                .collect(),
            BuildSetting::Command { line, dir } => {
                vec![source(Recipe::Shell(line.clone()), dir.clone(), crates)]
            }
        }
    }

    /// The command that builds it. Cargo is run in the folder itself, so that the `.cargo/config.toml` there counts.
    pub(super) fn command(&self) -> Command {
        let mut command = match &self.recipe {
            Recipe::Cargo => {
                let mut cargo = cargo();
                cargo.args(["build", "--color", "never", "--message-format", "json"]);
                cargo
            }
            Recipe::Shell(line) => {
                let mut shell = Command::new("/bin/sh");
                for name in wb_host::secret_variables() {
                    shell.env_remove(name);
                }
                shell.arg("-c").arg(with_messages(line).as_ref());
                if let Some(path) = path_with_cargo() {
                    shell.env("PATH", path);
                }
                shell
            }
        };
        command.current_dir(&self.dir);
        command
    }

    /// The folder whose crates can be counted beforehand: a command may choose other features and packages.
    pub(super) fn counted(&self) -> Option<&Path> {
        (self.recipe == Recipe::Cargo).then_some(&*self.dir)
    }

    /// What is run, for messages.
    pub(super) fn name(&self) -> &str {
        match &self.recipe {
            Recipe::Cargo => "cargo build",
            Recipe::Shell(line) => line,
        }
    }

    /// Why it did not start, and what to do.
    pub(super) fn not_started(&self, error: &std::io::Error) -> String {
        match &self.recipe {
            Recipe::Cargo => cargo_program::not_started(error),
            Recipe::Shell(_) => format!("cannot start /bin/sh: {error}"),
        }
    }

    /// The library that a file with this name is.
    pub(super) fn library_named(&self, file: &Path) -> Option<&PathBuf> {
        let name = file.file_name()?;
        self.libraries.iter().find(|l| l.file_name() == Some(name))
    }

    /// A warning for a build command of which nobody wrote what it reads.
    pub(super) fn unwatched(&self) -> Option<String> {
        let Recipe::Shell(line) = &self.recipe else {
            return None;
        };
        if self.globs.is_some() {
            return None;
        }
        let what = match self.crates.as_slice() {
            [] => format!(
                "*.{} and build files such as Makefile below {}",
                ENDINGS.join(" *."),
                self.dir.display()
            ),
            crates => {
                let crates: Vec<String> = crates.iter().map(|c| c.display().to_string()).collect();
                format!("the Rust sources and manifests of {}", crates.join(", "))
            }
        };
        Some(format!(
            "`{line}` has no `watch`: it runs when one of these files is saved: {what}; \
             to choose them: watch = [\"src/**/*.c\"] in workbench.toml"
        ))
    }

    pub(super) fn scan(&self) -> Scan {
        let mut scan = Scan::default();
        for dir in &self.crates {
            scan.walk(dir, &|name| {
                has_ending(name, &["rs", "toml"]) && name != "workbench.toml"
            });
            scan.add_manifests(dir);
        }
        if let Some(globs) = &self.globs {
            scan.folders.extend(globs.roots());
            for file in globs.files(MOST) {
                scan.folders.extend(file.parent().map(Path::to_owned));
                scan.add(file);
            }
        } else if self.crates.is_empty() {
            scan.walk(&self.dir, &|name| {
                // The workbench's own settings do not belong to the agents.
                (has_ending(name, &ENDINGS) || NAMES.contains(&name)) && name != "workbench.toml"
            });
        }
        for path in &self.dep_info {
            let text = wb_host::read_named_text(path, DEP_INFO).unwrap_or_default();
            for file in dependencies(&text) {
                let folder = file.parent().map(Path::to_owned);
                scan.add(file);
                if let Some(folder) = folder
                    && scan.folders.insert(folder.clone())
                {
                    scan.add_manifests(&folder);
                }
            }
        }
        scan
    }
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| endings.contains(&ending))
}

impl Scan {
    fn add(&mut self, file: PathBuf) {
        if let Ok(meta) = file.metadata()
            && let Ok(time) = meta.modified()
        {
            self.stamps.insert(file, (time, meta.len()));
        }
    }

    /// Files below a folder whose names are meant; neither what cargo built there nor hidden folders.
    fn walk(&mut self, dir: &Path, is_meant: &dyn Fn(&str) -> bool) {
        self.folders.insert(dir.to_owned());
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if self.stamps.len() >= MOST || name.starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                let built = name == "target" || path.join("CACHEDIR.TAG").is_file();
                if !built {
                    self.walk(&path, is_meant);
                }
            } else if is_meant(&name) {
                self.add(path);
            }
        }
    }

    /// The manifests of the package and the workspace that a folder belongs to, and cargo's settings for it.
    fn add_manifests(&mut self, dir: &Path) {
        for folder in dir.ancestors() {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file() {
                self.add(manifest);
                self.folders.insert(folder.to_owned());
            }
            let settings = folder.join(".cargo/config.toml");
            if settings.is_file() {
                self.add(settings);
                self.folders.insert(folder.join(".cargo"));
            }
        }
    }
}

/// The path, with the folder of cargo at its end, where a terminal that is older than Rust does not have it.
fn path_with_cargo() -> Option<OsString> {
    let cargo = cargo_program::path();
    let folder = cargo.parent().filter(|dir| dir.is_absolute())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([folder.to_owned()]);
    std::env::join_paths(folders).ok()
}

/// The same command with cargo's messages as JSON, where it begins with a build by cargo whose output goes to us;
/// `FLAG=… cargo +nightly build …` too.
pub(super) fn with_messages(line: &str) -> std::borrow::Cow<'_, str> {
    let is_plain = !line.contains(['|', '>', '`']) && !line.contains("--message-format");
    let mut rest = line.trim_start();
    let mut seen_cargo = false;
    while let Some(word) = rest.split_whitespace().next().filter(|_| is_plain) {
        let after = &rest[word.len()..];
        match word {
            "build" | "b" if seen_cargo => {
                let upto = line.len() - after.len();
                let flags = " --color never --message-format json";
                return format!("{}{flags}{after}", &line[..upto]).into();
            }
            "cargo" if !seen_cargo => seen_cargo = true,
            toolchain if seen_cargo && toolchain.starts_with('+') => {}
            // A value in quotes may hold anything.
            set if !seen_cargo && set.contains('=') && !set.contains(['"', '\'', '$']) => {}
            _ => break,
        }
        rest = after.trim_start();
    }
    line.into()
}

/// The files of a `.d` file: `built: from these files`, with a backslash before blanks in names.
pub(super) fn dependencies(text: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for line in text.lines() {
        let Some((_, files)) = line.split_once(": ") else {
            continue;
        };
        let mut name = String::new();
        let mut chars = files.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => name.extend(chars.next()),
                ' ' => all.push(PathBuf::from(std::mem::take(&mut name))),
                c => name.push(c),
            }
        }
        if !name.is_empty() {
            all.push(PathBuf::from(name));
        }
    }
    all
}
