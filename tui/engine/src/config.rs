//! Settings: flag > environment > `./workbench.toml` > user settings > default, each value with
//! its origin. What the settings mean is left to those who use them.

mod lines;

use crate::attempt_limit::AttemptLimit;
use crate::builder::{BuildSetting, BuildWord, WatchGlobs};
use crate::files;
pub use crate::files::{cache_dir, state_dir};
use crate::flags::{self, Flags, paths};
pub use lines::line;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};
use wb_core::run::OnDuplicate;
use wb_core::state::Level;

/// A settings file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// Project hash.
    pub project: Option<String>,
    /// Agent libraries, crate folders or folders of libraries, relative to the file.
    pub agents: Option<Vec<PathBuf>>,
    /// What the screen builds agents with when they are saved: cargo, a command, or nothing.
    pub build: Option<BuildWord>,
    /// Files that a build reads, as patterns relative to the file.
    pub watch: Option<Vec<String>>,
    /// Workflow specification, relative to the file.
    pub workflow: Option<PathBuf>,
    /// Where journal, logs and caches are kept, relative to the file.
    pub state: Option<PathBuf>,
    /// Requests a second.
    pub rate: Option<f64>,
    /// Limit of one attempt.
    pub timeout: Option<AttemptLimit>,
    /// Limit for loading a library or a dependency that stays, such as `5m`.
    #[serde(rename = "load_timeout", alias = "load-timeout")]
    pub load_timeout: Option<String>,
    /// Memory of each host, such as `2GB`, or `none`.
    pub memory: Option<String>,
    /// Log lines of agents that are kept, such as `info,hyper=debug`.
    pub log: Option<String>,
    /// Jobs at a time of `run`, at least 1.
    pub concurrency: Option<std::num::NonZeroUsize>,
    /// `sandbox`, `staging` or `protected`.
    pub level: Option<String>,
    /// `skip` or `add`.
    #[serde(rename = "on_duplicate", alias = "on-duplicate")]
    pub on_duplicate: Option<String>,
    /// Whether the screen explains the first step, outcome and commit.
    pub tutorial: Option<bool>,
    /// Keys of the screen: a table, or the name of a set.
    pub keys: Option<toml::Value>,
    /// Colours of the screen: the name of a theme, or a table.
    pub theme: Option<toml::Value>,
    /// How pictures are shown.
    pub graphics: Option<String>,
    /// Whether addresses are links: `auto`, `on` or `off`.
    pub links: Option<String>,
    /// Command that the screen runs when long work is over.
    pub notify: Option<String>,
    /// How long work takes that is announced, such as `10s`.
    #[serde(rename = "notify_after", alias = "notify-after")]
    pub notify_after: Option<String>,
    /// Parameters of the agents, by stage name.
    #[serde(default)]
    pub params: BTreeMap<String, toml::Table>,
}

/// What one settings file has about keys and colours of the screen.
#[derive(Clone, Debug)]
pub struct Appearance {
    /// The file.
    pub file: String,
    /// `keys`: a table, or the name of a set.
    pub keys: Option<toml::Value>,
    /// `theme`: a table, or the name of a theme.
    pub theme: Option<toml::Value>,
    /// Whether the table `keys` is a whole `keys.toml`, where the heading `[keys]` may be left out.
    pub keys_only: bool,
}

/// A value and where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// `flag or environment`, a file's path, `default`.
    pub origin: String,
}

/// Everything that was decided before a command starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Project hash as written.
    pub project: Option<Value<String>>,
    /// Where to look for agents.
    pub agents: Value<Vec<PathBuf>>,
    /// What the screen builds agents with when they are saved.
    pub build: Option<Value<BuildSetting>>,
    /// Files that a build reads.
    pub watch: Option<Value<WatchGlobs>>,
    /// Workflow specification.
    pub workflow: Option<Value<PathBuf>>,
    /// Where journal, logs and caches are kept, unless in `.workbench`.
    pub state: Option<Value<PathBuf>>,
    /// Requests a second.
    pub rate: Option<Value<f64>>,
    /// Limit of one attempt where the agent declares none.
    pub timeout: Option<Value<AttemptLimit>>,
    /// Limit for loading, in milliseconds.
    pub load_timeout: Option<Value<u64>>,
    /// Bytes of memory of each host; `u64::MAX` for no limit.
    pub memory: Option<Value<u64>>,
    /// Which log lines of agents are kept.
    pub log: Option<Value<String>>,
    /// Jobs at a time of `run`.
    pub concurrency: Option<Value<usize>>,
    /// How careful writes must be.
    pub level: Option<Value<Level>>,
    /// What happens to labels that stand there already.
    pub on_duplicate: Option<Value<OnDuplicate>>,
    /// Whether the screen explains the first step, outcome and commit.
    pub tutorial: Option<Value<bool>>,
    /// How pictures are shown, as written.
    pub graphics: Option<Value<String>>,
    /// Whether addresses are links, as written.
    pub links: Option<Value<String>>,
    /// Command that the screen runs when long work is over.
    pub notify: Option<Value<String>>,
    /// How long work takes that is announced.
    pub notify_after: Option<Value<Duration>>,
    /// Keys and colours of the screen, as the files have them; the most important file first.
    pub appearance: Vec<Appearance>,
    /// Parameters by stage name, each an object.
    pub params: BTreeMap<String, serde_json::Value>,
}

impl Config {
    /// Reads the files and lays flags and environment over them.
    ///
    /// # Errors
    /// A settings file that cannot be read: which, where and why.
    pub fn load(flags: &Flags) -> Result<Self, Error> {
        let mut files = Vec::new();
        for (path, must) in candidates(flags) {
            if let Some(text) = read(&path, must)? {
                files.push((parse(&path, &text)?, path));
            }
        }
        let flag = "flag or environment".to_owned();
        let of = |value: Option<String>| {
            value.filter(|v| !v.trim().is_empty()).map(|value| Value {
                value,
                origin: flag.clone(),
            })
        };
        let mut config = Self {
            project: of(flags.project_hash.clone()),
            agents: Value {
                value: (flags.agents.iter())
                    .flat_map(|value| paths(value))
                    .collect(),
                origin: flag.clone(),
            },
            workflow: flags.workflow.clone().map(|value| Value {
                value,
                origin: flag.clone(),
            }),
            state: files::of_environment().map(|value| Value {
                value,
                origin: files::VARIABLE.to_owned(),
            }),
            ..Self::default()
        };
        for (file, path) in files {
            config.fill(file, &path)?;
        }
        if let Some(path) = user_folder().filter(|_| flags.config.is_none()) {
            config.read_keys(&path.join("keys.toml"))?;
        }
        if config.agents.value.is_empty() {
            config.agents = Value {
                value: vec![PathBuf::from(".")],
                origin: "default".into(),
            };
        }
        Ok(config)
    }

    fn fill(&mut self, file: File, path: &Path) -> Result<(), Error> {
        let origin = path.display().to_string();
        let base = path.parent().unwrap_or(Path::new("."));
        self.fill_limits(&file, &origin)?;
        set(&mut self.project, file.project, &origin);
        let workflow = file.workflow.map(|w| base.join(w));
        set(&mut self.workflow, workflow, &origin);
        let build = file.build.map(|word| BuildSetting::new(word, base));
        set(&mut self.build, build, &origin);
        let watch = file.watch.map(|patterns| WatchGlobs::new(patterns, base));
        let watch = watch.transpose();
        let watch = watch.map_err(|why| settings(format!("{origin}: watch: {why}")))?;
        set(&mut self.watch, watch, &origin);
        set(&mut self.tutorial, file.tutorial, &origin);
        let state = file.state.map(|s| beside(base, &s));
        set(&mut self.state, state, &origin);
        if let (true, Some(agents)) = (self.agents.value.is_empty(), file.agents) {
            let value = agents.into_iter().map(|a| base.join(a)).collect();
            self.agents = Value {
                value,
                origin: origin.clone(),
            };
        }
        let none_of = |name: &str, word: &str, words: &str| {
            settings(format!("{origin}: {name} \"{word}\" is none of {words}"))
        };
        let level = file.level.map(|word| {
            Level::from_word(&word)
                .ok_or_else(|| none_of("level", &word, "sandbox, staging, protected"))
        });
        set(&mut self.level, level.transpose()?, &origin);
        let on_duplicate = file.on_duplicate.map(|word| {
            OnDuplicate::from_word(&word).ok_or_else(|| none_of("on_duplicate", &word, "skip, add"))
        });
        set(&mut self.on_duplicate, on_duplicate.transpose()?, &origin);
        set(&mut self.graphics, file.graphics, &origin);
        set(&mut self.links, file.links, &origin);
        set(&mut self.notify, file.notify, &origin);
        if file.keys.is_some() || file.theme.is_some() {
            self.appearance.push(Appearance {
                file: origin.clone(),
                keys: file.keys,
                theme: file.theme,
                keys_only: false,
            });
        }
        for (stage, table) in file.params {
            if let Ok(value) = serde_json::to_value(table) {
                self.params.entry(stage).or_insert(value);
            }
        }
        Ok(())
    }

    fn fill_limits(&mut self, file: &File, origin: &str) -> Result<(), Error> {
        set(&mut self.rate, file.rate, origin);
        set(&mut self.timeout, file.timeout, origin);
        let written = |name: &str, why: String| settings(format!("{origin}: {name}: {why}"));
        let load = file.load_timeout.as_deref().map(flags::some_time);
        let load = load
            .transpose()
            .map_err(|why| written("load_timeout", why))?;
        let load = load.and_then(|limit| u64::try_from(limit.as_millis()).ok());
        set(&mut self.load_timeout, load, origin);
        let after = file.notify_after.as_deref().map(flags::some_time);
        let after = after
            .transpose()
            .map_err(|why| written("notify_after", why))?;
        set(&mut self.notify_after, after, origin);
        let memory = file.memory.as_deref().map(flags::size);
        let memory = memory.transpose().map_err(|why| written("memory", why))?;
        set(&mut self.memory, memory, origin);
        let log = file.log.as_deref().map(flags::log);
        let log = log.transpose().map_err(|why| written("log", why))?;
        set(&mut self.log, log, origin);
        let concurrency = file.concurrency.map(std::num::NonZeroUsize::get);
        set(&mut self.concurrency, concurrency, origin);
        Ok(())
    }

    fn read_keys(&mut self, path: &Path) -> Result<(), Error> {
        let Some(text) = read(path, false)? else {
            return Ok(());
        };
        let table = toml::from_str(&text).map_err(|error| unreadable(path, &error))?;
        self.appearance.push(Appearance {
            file: path.display().to_string(),
            keys: Some(toml::Value::Table(table)),
            theme: None,
            keys_only: true,
        });
        Ok(())
    }

    /// The project hash as written, when one is named.
    #[must_use]
    pub fn project_named(&self) -> Option<&str> {
        self.project.as_ref().map(|p| p.value.as_str())
    }

    /// Limit of one attempt where neither a flag nor the agent has one.
    #[must_use]
    pub fn attempt_limit(&self) -> Value<AttemptLimit> {
        let by_default = || Value {
            value: AttemptLimit::default(),
            origin: "default".to_owned(),
        };
        self.timeout.clone().unwrap_or_else(by_default)
    }
}

/// A path of a settings file: `~/` is the home folder, anything else is relative to the file.
fn beside(base: &Path, path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => base.join(path),
    }
}

/// Sets what no more important place has set.
fn set<T>(slot: &mut Option<Value<T>>, value: Option<T>, origin: &str) {
    if let (None, Some(value)) = (&slot, value) {
        *slot = Some(Value {
            value,
            origin: origin.to_owned(),
        });
    }
}

/// The settings files that are looked for, whether they are there or not.
#[must_use]
pub fn files(flags: &Flags) -> Vec<PathBuf> {
    candidates(flags)
        .into_iter()
        .map(|(path, _)| path)
        .collect()
}

/// Largest settings file, in bytes.
const SETTINGS: u64 = 4 << 20;

fn candidates(flags: &Flags) -> Vec<(PathBuf, bool)> {
    if let Some(file) = &flags.config {
        return vec![(file.clone(), true)];
    }
    let mut all = vec![(PathBuf::from("workbench.toml"), false)];
    all.extend(user_folder().map(|folder| (folder.join("workbench.toml"), false)));
    all
}

/// The user's configuration folder.
fn user_folder() -> Option<PathBuf> {
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".config")));
    home.map(|home| home.join("workbench"))
}

/// The text of a settings file, if there is one. What is there holds: a level that was passed over
/// would let a protected project be written to.
fn read(path: &Path, must: bool) -> Result<Option<String>, Error> {
    match wb_host::read_named_text(path, SETTINGS) {
        Ok(text) => Ok(Some(text)),
        Err(error) if must || path.symlink_metadata().is_ok() => {
            Err(settings(format!("cannot read {}: {error}", path.display())))
        }
        Err(_) => Ok(None),
    }
}

fn parse(path: &Path, text: &str) -> Result<File, Error> {
    let file: File = toml::from_str(text).map_err(|error| unreadable(path, &error))?;
    let limit = |name: &str, value: Option<f64>, example: &str| match value {
        Some(n) if !(n > 0.0 && Duration::try_from_secs_f64(n).is_ok()) => Err(settings(format!(
            "{}: {name} = {n} is not a limit; write a number above 0, {example}",
            path.display()
        ))),
        _ => Ok(()),
    };
    limit("rate", file.rate, "e.g. 20 requests a second")?;
    Ok(file)
}

fn unreadable(path: &Path, error: &toml::de::Error) -> Error {
    settings(format!("{} is not readable", path.display())).because(error.to_string())
}

fn settings(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, text)
}

#[cfg(test)]
mod tests;
