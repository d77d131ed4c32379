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

/// Lets any process of the same user attach as a debugger, or only those above this one (Linux; elsewhere it may
/// anyway).
pub(crate) fn allow_debugger(on: bool) {
    #[cfg(target_os = "linux")]
    {
        let who = if on { libc::PR_SET_PTRACER_ANY } else { 0 };
        // SAFETY: integers only. Where no such rule holds, it fails and nothing is missing.
        #[allow(unsafe_code)]
        unsafe {
            libc::prctl(libc::PR_SET_PTRACER, who, 0, 0, 0);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = on;
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
