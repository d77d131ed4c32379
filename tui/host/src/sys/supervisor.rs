//! A small process above each host, so that everything an agent starts ends with the host.
//!
//! A process leaves its group with `setsid`, and an orphan is adopted by the nearest subreaper. On Linux
//! the new host process therefore forks before it does anything else: the parent is a subreaper that
//! waits for the child (the host itself), kills every process left below it, and then exits with the
//! host's own status or signal, which is what the workbench sees. SIGTERM makes it kill the host; the
//! kernel sends it when the workbench dies. A supervisor that is killed itself is dealt with in
//! `adopted`. Elsewhere (untested) the host stays one process, and only its group ends with it.
#![allow(unsafe_code)] // fork, signals and wait

#[cfg(target_os = "linux")]
pub(crate) use linux::split;

/// Splits nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn split() -> std::io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::sys::usage::children_of_this_thread;
    use libc::{c_int, pid_t, sigset_t};
    use std::io;
    use std::time::{Duration, Instant};

    /// How long the remaining processes may take to end after SIGKILL.
    const LAST: Duration = Duration::from_secs(3);

    /// Returns in the host only, which leads a group of its own. To be called while the process has
    /// one thread.
    pub(crate) fn split() -> io::Result<()> {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let awaited = signals(&[libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP]);
        set_mask(&awaited);
        // SAFETY: getpid has no preconditions; there is one thread, so that the child may do anything.
        let (supervisor, host) = unsafe { (libc::getpid(), libc::fork()) };
        if host < 0 {
            return Err(io::Error::last_os_error());
        }
        if host > 0 {
            supervise(host, &awaited);
        }
        set_mask(&signals(&[]));
        // SAFETY: integers only; the parent that is asked about is the supervisor.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
            if libc::getppid() != supervisor {
                libc::_exit(0);
            }
            libc::setpgid(0, 0);
        }
        Ok(())
    }

    fn supervise(host: pid_t, awaited: &sigset_t) -> ! {
        // Otherwise a reader of the host's pipes or socket would see their end only when this process ends.
        // SAFETY: no descriptor is used in this process from here on.
        unsafe { libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) };
        let end = loop {
            if let Some(end) = reap_until(host) {
                break end;
            }
            // SAFETY: a valid set; SIGCHLD is blocked, so that none is lost.
            let signal = unsafe { libc::sigwaitinfo(awaited, std::ptr::null_mut()) };
            if signal > 0 && signal != libc::SIGCHLD {
                // SAFETY: the host has not been reaped, so that the number is its own.
                unsafe { libc::kill(host, libc::SIGKILL) };
            }
        };
        end_family(awaited);
        end_like(end)
    }

    /// Reaps what has ended; gives the wait status of the host once it has.
    fn reap_until(host: pid_t) -> Option<c_int> {
        loop {
            let mut end = 0;
            // SAFETY: `end` is writable.
            match unsafe { libc::waitpid(-1, &raw mut end, libc::WNOHANG) } {
                pid if pid == host => return Some(end),
                pid if pid > 0 => {}
                _ => return None,
            }
        }
    }

    /// Kills what was left below the host. Each that ends leaves its own children to this process.
    fn end_family(awaited: &sigset_t) {
        let until = Instant::now() + LAST;
        while Instant::now() < until {
            let left = children_of_this_thread();
            if left.is_empty() {
                return;
            }
            for child in left {
                // SAFETY: a child of ours that has not been reaped.
                unsafe { libc::kill(child, libc::SIGKILL) };
            }
            let pause = libc::timespec {
                tv_sec: 0,
                tv_nsec: 20_000_000,
            };
            // SAFETY: valid pointers; an ending child wakes us, and so does the time limit.
            unsafe { libc::sigtimedwait(awaited, std::ptr::null_mut(), &raw const pause) };
            reap_until(-1);
        }
    }

    fn end_like(end: c_int) -> ! {
        // SAFETY: no preconditions; the signal has its default action and is not blocked.
        unsafe {
            if libc::WIFEXITED(end) {
                libc::_exit(libc::WEXITSTATUS(end));
            }
            let signal = libc::WTERMSIG(end);
            libc::signal(signal, libc::SIG_DFL);
            set_mask(&signals(&[]));
            libc::raise(signal);
            libc::_exit(128 + signal)
        }
    }

    fn signals(numbers: &[c_int]) -> sigset_t {
        // SAFETY: a zeroed set is valid memory for sigemptyset, which initialises it.
        unsafe {
            let mut set: sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for number in numbers {
                libc::sigaddset(&raw mut set, *number);
            }
            set
        }
    }

    fn set_mask(set: &sigset_t) {
        // SAFETY: a valid set.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) };
    }
}
