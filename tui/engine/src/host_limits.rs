//! What agents may use: time to load, and memory. Flags, settings, and defaults from this machine.

use crate::config::{Config, Value};
use crate::flags::Flags;
use agent_abi::logs::VARIABLE;
use std::path::PathBuf;
use std::time::Duration;
use wb_core::span;
use wb_host::HostConfig;

/// How long a library, and what a task loads to stay, may take.
const LOADING: Duration = Duration::from_secs(300);
/// Share of the machine's memory that all hosts together get by default.
const SHARE: (u64, u64) = (4, 5);
/// No host gets less than this by default.
const LEAST: u64 = 500_000_000;

/// Limits of the processes that agents run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// Limit for loading.
    pub load_timeout: Duration,
    /// Bytes of memory of each host; `None` for no limit.
    pub memory: Option<u64>,
    /// Which log lines of agents are kept, as [`agent_abi::logs::Filter`] reads it; empty for its default.
    pub log: String,
}

impl HostLimits {
    /// The limits when so many jobs run at a time.
    #[must_use]
    pub fn of(flags: &Flags, config: &Config, concurrency: usize) -> Self {
        let [load_timeout, memory] = [load_timeout(flags, config), memory(flags, config)];
        let machine = wb_host::memory_of_machine();
        Self {
            load_timeout: load_timeout.map_or(LOADING, |v| Duration::from_millis(v.value)),
            memory: match memory {
                Some(value) => Some(value.value).filter(|bytes| *bytes < u64::MAX),
                None => machine.map(|total| share(total, concurrency)),
            },
            log: log(flags, config).map_or_else(String::new, |log| log.value),
        }
    }

    /// The limit for loading in words.
    #[must_use]
    pub fn spelled(&self) -> String {
        let ms = u64::try_from(self.load_timeout.as_millis());
        span::spell(ms.unwrap_or(u64::MAX))
    }

    /// Hosts with these limits and copies of libraries in `store`. Where somebody watches, a rebuild is a
    /// matter of moments.
    #[must_use]
    pub fn hosts(self, store: PathBuf, watched: bool) -> HostConfig {
        let mut config = HostConfig::new(store);
        config.spare = watched;
        config.load_timeout = self.load_timeout;
        config.memory_limit = self.memory;
        config.log = self.log;
        config
    }

    /// All as `workbench config` prints them, with where they come from.
    #[must_use]
    pub fn lines(flags: &Flags, config: &Config) -> Vec<[String; 3]> {
        let jobs = config.concurrency.as_ref().map_or(1, |c| c.value);
        let limits = Self::of(flags, config, jobs);
        let origin = |value: Option<Value<u64>>| {
            value.map_or_else(|| "default".to_owned(), |value| value.origin)
        };
        vec![
            [
                "load_timeout".into(),
                limits.spelled(),
                origin(load_timeout(flags, config)),
            ],
            [
                "memory".into(),
                limits.memory.map_or_else(
                    || "no limit".into(),
                    |bytes| format!("{} a host", wb_host::bytes(bytes)),
                ),
                origin(memory(flags, config)),
            ],
            match log(flags, config) {
                Some(log) => ["log".into(), log.value, log.origin],
                None => {
                    let text = "the agents' own crates: all; others: warn";
                    ["log".into(), text.into(), "default".into()]
                }
            },
        ]
    }
}

fn load_timeout(flags: &Flags, config: &Config) -> Option<Value<u64>> {
    let flag = flags.load_timeout.map(|limit| limit.as_millis());
    let flag = flag.and_then(|ms| u64::try_from(ms).ok());
    flagged(flag).or_else(|| config.load_timeout.clone())
}

/// The flag, else the environment, else the settings.
fn log(flags: &Flags, config: &Config) -> Option<Value<String>> {
    let flag = flags.log.clone().map(|value| (value, "flag"));
    let variable = || Some((std::env::var(VARIABLE).ok()?, VARIABLE));
    let given = flag
        .or_else(variable)
        .filter(|(value, _)| !value.is_empty());
    let given = given.map(|(value, origin)| Value {
        value,
        origin: origin.into(),
    });
    given.or_else(|| config.log.clone())
}

fn memory(flags: &Flags, config: &Config) -> Option<Value<u64>> {
    flagged(flags.memory).or_else(|| config.memory.clone())
}

fn flagged(value: Option<u64>) -> Option<Value<u64>> {
    value.map(|value| Value {
        value,
        origin: "flag".into(),
    })
}

fn share(total: u64, concurrency: usize) -> u64 {
    let jobs = u64::try_from(concurrency).unwrap_or(u64::MAX).max(1);
    (total / SHARE.1 * SHARE.0 / jobs).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_share_most_of_the_memory_and_none_gets_too_little_to_work() {
        assert_eq!(share(10_000_000_000, 1), 8_000_000_000);
        assert_eq!(share(10_000_000_000, 4), 2_000_000_000);
        assert_eq!(share(10_000_000_000, 1000), LEAST);
        assert_eq!(share(0, 0), LEAST);
    }
}
