//! How hosts are started and the limits they are given.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of [`crate::Hosts`]; begin with [`HostConfig::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Program that calls [`crate::child_main`]. Default: this very program, even after its file
    /// was replaced (Linux).
    pub exe: PathBuf,
    /// Its arguments; one more is appended, for `child_main`. Default `["host"]`.
    pub exe_args: Vec<OsString>,
    /// Folder for copies of libraries; created when missing. Each workbench process has a folder
    /// of its own in it, held by a lock, and clears away those that nobody holds.
    pub store: PathBuf,
    /// Limit for opening a library: loader, constructors, `init`; and for the dependencies with
    /// `scope = host` that one task loads. Default 5 min.
    pub load_timeout: Duration,
    /// Limit for a library's preflight. Default 30 s.
    pub preflight_timeout: Duration,
    /// How long an agent that checks the cancel flag may take to stop before its process is
    /// killed. Default 2 s.
    pub grace: Duration,
    /// The same for an agent that does not declare that it checks. Default 100 ms.
    pub short_grace: Duration,
    /// Limit for a library's `shutdown` before its process is killed. Default 2 s.
    pub shutdown_timeout: Duration,
    /// Which log lines of agents are kept: directives of [`agent_abi::logs::Filter`]. Default: empty, for its default.
    pub log: String,
    /// Bytes of memory that each host and the processes it starts may hold; `None` for no limit.
    /// It is measured ten times a second.
    pub memory_limit: Option<u64>,
    /// Hosts that hold a build, at most, all builds together; at least 1. Blank spares and probes
    /// come on top. Default: number of cores, at most 4.
    pub max_hosts: usize,
    /// Jobs at the same time until [`crate::Hosts::set_concurrency`] changes it. Default 1.
    pub concurrency: usize,
    /// Tasks after which a host is replaced by a fresh one. Default 10,000.
    pub recycle_after: u32,
    /// Keep a blank host ready at all times, so that a reload does not wait for a process to start.
    /// Otherwise only from the first host on that died. Default true.
    pub spare: bool,
    /// Environment variables that hosts do not inherit, beside [`secret_variables`]. Default: none.
    pub env_remove: Vec<OsString>,
    /// How long a library file must have been quiet before it is read. Default 15 ms.
    pub settle: Duration,
    /// How often watched places are checked without a notification. Default 2 s.
    pub rescan: Duration,
}

impl HostConfig {
    /// The defaults, with copies kept in `store`.
    #[must_use]
    pub fn new(store: impl Into<PathBuf>) -> Self {
        Self {
            exe: this_program(),
            exe_args: vec!["host".into()],
            store: store.into(),
            load_timeout: Duration::from_secs(300),
            preflight_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(2),
            short_grace: Duration::from_millis(100),
            shutdown_timeout: Duration::from_secs(2),
            log: String::new(),
            memory_limit: None,
            max_hosts: std::thread::available_parallelism().map_or(2, |n| n.get().min(4)),
            concurrency: 1,
            recycle_after: 10_000,
            spare: true,
            env_remove: Vec::new(),
            settle: Duration::from_millis(15),
            rescan: Duration::from_secs(2),
        }
    }
}

/// Names of the environment variables of this process that hold keys, passphrases and passwords of
/// the workbench. No process that it starts inherits them.
#[must_use]
pub fn secret_variables() -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names
        .filter(|name| is_secret(&name.to_string_lossy()))
        .collect()
}

pub(crate) fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 9] = [
        "KEY",
        "PASS",
        "TOKEN",
        "SECRET",
        "CREDENTIAL",
        "AUTH",
        "BROKER",
        "BACKEND",
        "SIGN",
    ];
    let name = name.to_uppercase();
    let ours = name.starts_with("ENCORD_") || name.starts_with("WORKBENCH_");
    ours && PARTS.iter().any(|part| name.contains(part))
}

fn this_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        // Names the running image, not the file that may have replaced it since.
        return "/proc/self/exe".into();
    }
    std::env::current_exe().unwrap_or_else(|_| "workbench".into())
}

/// Why hosts cannot be had at all.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The folder for copies cannot be used; choose another one.
    #[error("the folder for copies of libraries, {}, cannot be used: {source}", path.display())]
    Store {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The system gives no more threads.
    #[error("no thread for starting hosts: {0}")]
    Thread(std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_of_the_workbench_are_secret_and_nothing_else_is() {
        for name in [
            "ENCORD_SSH_KEY",
            "ENCORD_SSH_KEY_FILE",
            "ENCORD_SSH_KEY_PASSPHRASE",
            "ENCORD_SSH_KEY_FINGERPRINT",
            "WORKBENCH_BROKER",
            "WORKBENCH_RESULT_BACKEND",
            "WORKBENCH_API_TOKEN",
            "WORKBENCH_PASSWORD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "ENCORD_DOMAIN",
            "WORKBENCH_PROJECT",
            "PATH",
            "SSH_AUTH_SOCK",
            "API_KEY",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
