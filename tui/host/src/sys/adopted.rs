//! Ending what is left below a host whose supervisor was killed.
//!
//! The workbench is the next subreaper above a supervisor, so that orphans become its children (Linux).
//! They are distinguished from the workbench's own children by the `oom_score_adj` that a host gives to itself
//! and to everything it starts. Where the workbench itself runs with that score, as it may in a container,
//! nothing is ended here.

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{adopt, end_adopted};
#[cfg(target_os = "linux")]
pub(crate) use linux::{adopt, end_adopted};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    pub(crate) const fn adopt() {}
    pub(crate) const fn end_adopted() {}
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::sys::{limits, usage};
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    /// How long the processes may take to be gone after SIGKILL.
    const LAST: Duration = Duration::from_secs(3);
    const PAUSE: Duration = Duration::from_millis(5);

    /// Orphans below this process become its children from now on.
    pub(crate) fn adopt() {
        // Without this only what a killed supervisor leaves is not ended.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }

    /// Kills and reaps adopted processes until none is left. Each that ends leaves its own children to
    /// this process.
    pub(crate) fn end_adopted() {
        // One thread at a time: nobody else reaps a process between its being listed and killed.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        if limits::is_first_to_die("self") {
            return;
        }
        let until = Instant::now() + LAST;
        loop {
            let mut left = usage::children(std::process::id());
            left.retain(|pid| limits::is_first_to_die(&pid.to_string()));
            if left.is_empty() || Instant::now() >= until {
                return;
            }
            for pid in left.into_iter().filter_map(|pid| i32::try_from(pid).ok()) {
                let Some(pid) = Pid::from_raw(pid) else {
                    continue;
                };
                let _ = kill_process(pid, Signal::KILL);
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
            std::thread::sleep(PAUSE);
        }
    }
}
