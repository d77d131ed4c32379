//! The settings as `workbench config` prints them: each with its value and where it comes from.

use super::{Config, Value};
use crate::attempt_limit::AttemptLimit;
use crate::builder::{BuildSetting, WatchGlobs};
use crate::files;
use std::path::PathBuf;

/// Variables of the connection that `workbench config` lists, and whether their values may be shown.
const VARIABLES: [(&str, bool); 6] = [
    ("ENCORD_DOMAIN", true),
    ("ENCORD_SSH_KEY_FILE", true),
    ("ENCORD_SSH_KEY", false),
    ("ENCORD_SSH_KEY_PASSPHRASE", false),
    ("ENCORD_SSH_KEY_FINGERPRINT", true),
    ("ENCORD_BEARER_TOKEN", false),
];

impl Config {
    fn state_folder(&self) -> Value<PathBuf> {
        self.state.clone().unwrap_or_else(|| Value {
            value: files::state_folder(),
            origin: "default".to_owned(),
        })
    }

    /// Each setting in a line: name, value, origin.
    #[must_use]
    pub fn lines(&self) -> Vec<[String; 3]> {
        let paths = |paths: &Vec<PathBuf>| {
            let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            paths.join(", ")
        };
        let tutorial = |on: &bool| if *on { "on" } else { "off" }.to_owned();
        let limit = self.attempt_limit();
        let mut lines = vec![
            line("project", self.project.as_ref(), String::clone),
            line("agents", Some(&self.agents), paths),
            line("build", self.build.as_ref(), BuildSetting::to_string),
            line("watch", self.watch.as_ref(), WatchGlobs::to_string),
            line("workflow", self.workflow.as_ref(), |path| {
                path.display().to_string()
            }),
            line("state", Some(&self.state_folder()), |path| {
                path.display().to_string()
            }),
            line("rate", self.rate.as_ref(), |rate| format!("{rate}/s")),
            line("level", self.level.as_ref(), |level| {
                level.word().to_lowercase()
            }),
            line("timeout", Some(&limit), AttemptLimit::to_string),
            line("concurrency", self.concurrency.as_ref(), usize::to_string),
            line("on_duplicate", self.on_duplicate.as_ref(), |answer| {
                answer.word().to_owned()
            }),
            line("graphics", self.graphics.as_ref(), String::clone),
            line("links", self.links.as_ref(), String::clone),
            line("notify", self.notify.as_ref(), String::clone),
            line("notify_after", self.notify_after.as_ref(), |after| {
                wb_core::span::spell(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
            }),
            line("tutorial", self.tutorial.as_ref(), tutorial),
        ];
        for (name, shown) in VARIABLES {
            let value = std::env::var(name).ok().filter(|v| !v.is_empty());
            let value = value.map(|value| Value {
                value,
                origin: "environment".to_owned(),
            });
            lines.push(line(name, value.as_ref(), |value| match shown {
                true => value.clone(),
                false => "set (not shown)".to_owned(),
            }));
        }
        lines
    }
}

/// A setting as `workbench config` prints it: name, value, origin.
pub fn line<T>(name: &str, value: Option<&Value<T>>, shown: impl Fn(&T) -> String) -> [String; 3] {
    let (value, origin) = match value {
        Some(value) => (shown(&value.value), value.origin.clone()),
        None => ("–".to_owned(), "default".to_owned()),
    };
    [name.to_owned(), value, origin]
}
