//! What a host sets for itself before it opens a library.

use rustix::process::{Resource, Rlimit, setrlimit};

/// No core files: they would hold what the agent worked on. What cannot be set is not worth a refusal.
pub(crate) fn no_core_files() {
    let limit = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, limit);
}

/// The highest `oom_score_adj`.
const FIRST: &str = "1000";

/// When the machine is out of memory, this process and its children are ended before any other
/// (Linux; elsewhere there is nothing to set).
pub(crate) fn die_first() {
    let _ = std::fs::write("/proc/self/oom_score_adj", FIRST);
}

/// Whether a process (a number, or `self`) or one above it has called [`die_first`].
#[cfg(target_os = "linux")]
pub(crate) fn is_first_to_die(process: &str) -> bool {
    let score = std::fs::read_to_string(format!("/proc/{process}/oom_score_adj"));
    score.is_ok_and(|score| score.trim() == FIRST)
}
