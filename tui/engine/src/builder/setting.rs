//! `build` and `watch` of the settings: what builds the agents, and which files it is built from.
//! Running it is left to the parent module.

use glob::{MatchOptions, Pattern};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// What `build` may be in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildWord {
    /// `true`: cargo, for the crates among `agents`. `false`: nothing.
    Cargo(bool),
    /// A command for the shell.
    Command(String),
}

impl<'de> Deserialize<'de> for BuildWord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected true, false, or a command such as \"make\""
        )]
        enum WrittenBuild {
            Switch(bool),
            Command(String),
        }
        match WrittenBuild::deserialize(from)? {
            WrittenBuild::Switch(on) => Ok(Self::Cargo(on)),
            WrittenBuild::Command(line) if line.trim().is_empty() => Err(serde::de::Error::custom(
                "the build command is empty; write true, false, or a command such as \"make\"",
            )),
            WrittenBuild::Command(line) => Ok(Self::Command(line)),
        }
    }
}

/// What builds the agents when their sources are saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildSetting {
    /// Nothing.
    Off,
    /// `cargo build` in each crate among `agents`.
    Cargo,
    /// A command for the shell.
    Command {
        /// The command.
        line: String,
        /// The folder of the settings file: it runs there.
        dir: PathBuf,
    },
}

impl BuildSetting {
    /// The setting of a file in this folder.
    #[must_use]
    pub fn new(word: BuildWord, dir: &Path) -> Self {
        match word {
            BuildWord::Cargo(false) => Self::Off,
            BuildWord::Cargo(true) => Self::Cargo,
            BuildWord::Command(line) => Self::Command {
                line,
                dir: absolute(dir),
            },
        }
    }
}

impl fmt::Display for BuildSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("no"),
            Self::Cargo => f.write_str("when saved, with cargo"),
            Self::Command { line, .. } => write!(f, "when saved, with `{line}`"),
        }
    }
}

/// How names are compared with a pattern: `*` stays within a folder, and hidden files are meant only where the
/// pattern has their dot.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Patterns of files, relative to a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchGlobs {
    dir: PathBuf,
    patterns: Vec<String>,
}

impl WatchGlobs {
    /// `watch` of a settings file in this folder.
    ///
    /// # Errors
    /// A pattern that is not one: which, and why.
    pub fn new(patterns: Vec<String>, dir: &Path) -> Result<Self, String> {
        for pattern in &patterns {
            if pattern.contains(['{', '}']) {
                return Err(format!(
                    "\"{pattern}\": braces are not part of a pattern; write one entry for each, \
                     e.g. [\"src/**/*.c\", \"src/**/*.h\"]"
                ));
            }
            Pattern::new(pattern).map_err(|error| format!("\"{pattern}\": {error}"))?;
        }
        Ok(Self {
            dir: absolute(dir),
            patterns,
        })
    }

    /// The files that exist now, at most `most`.
    pub(super) fn files(&self, most: usize) -> Vec<PathBuf> {
        let dir = Pattern::escape(&self.dir.to_string_lossy());
        let all = self.patterns.iter().filter_map(|pattern| {
            let whole = match Path::new(pattern).is_absolute() {
                true => pattern.clone(),
                false => format!("{dir}/{pattern}"),
            };
            // The patterns were parsed before; a folder that cannot be read has no files.
            glob::glob_with(&whole, OPTIONS).ok()
        });
        all.flatten()
            .filter_map(Result::ok)
            .filter(|path| path.is_file())
            .take(most)
            .collect()
    }

    /// Folders in which a file that matches may show up, besides those that have one: the part of each pattern
    /// before its first special character.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        let root = |pattern: &String| {
            let fixed = pattern.split(['*', '?', '[']).next().unwrap_or_default();
            let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
            self.dir.join(folder)
        };
        self.patterns.iter().map(root).collect()
    }
}

impl fmt::Display for WatchGlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.patterns.join(", "))
    }
}

fn absolute(dir: &Path) -> PathBuf {
    let dir = match dir.as_os_str().is_empty() {
        true => Path::new("."),
        false => dir,
    };
    let path = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    // `agents/.` of a settings file that was named without its folder.
    path.components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_relative_to_their_folder_and_stay_out_of_hidden_ones() {
        let dir = tempfile::tempdir().unwrap();
        // A folder whose own name has special characters.
        let root = dir.path().join("a[b]*");
        for file in [
            "src/a.c",
            "src/deep/er/b.c",
            "src/c.h",
            "src/.git/d.c",
            "e.c",
        ] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let globs = WatchGlobs::new(vec!["src/**/*.c".into(), "e.?".into()], &root).unwrap();
        let expected = ["src/a.c", "src/deep/er/b.c", "e.c"].map(|file| root.join(file));
        assert_eq!(globs.files(10), expected);
        assert_eq!(globs.files(1), expected[..1]);
        assert_eq!(globs.roots(), [root.join("src"), root.join("")]);
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_with_its_text() {
        for (pattern, why) in [("src/**.c", "recursive"), ("*.{c,h}", "one entry for each")] {
            let error = WatchGlobs::new(vec![pattern.into()], Path::new(".")).unwrap_err();
            assert!(error.contains(pattern) && error.contains(why), "{error}");
        }
    }
}
