//! Noticing that a child process ended, how it ended, and ending its whole group.
//!
//! Linux: a pidfd, which becomes readable at the end even when a grandchild keeps the socket
//! open. Elsewhere (untested): looking every few milliseconds once the socket is closed.

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// `exit(code)`.
    Code(i32),
    /// Ended by this signal.
    Signal(i32),
    /// Somebody else reaped it.
    Unknown,
}

/// Name of a signal, and what it means.
pub(crate) fn signal_words(signal: i32) -> (String, &'static str) {
    let (name, meaning) = match signal {
        libc::SIGSEGV => ("SIGSEGV", "segmentation fault"),
        libc::SIGBUS => ("SIGBUS", "bus error"),
        libc::SIGILL => ("SIGILL", "illegal instruction"),
        libc::SIGFPE => ("SIGFPE", "arithmetic error"),
        libc::SIGABRT => ("SIGABRT", "abort"),
        libc::SIGTRAP => ("SIGTRAP", "trap"),
        libc::SIGSYS => ("SIGSYS", "forbidden system call"),
        libc::SIGKILL => ("SIGKILL", "killed from outside"),
        libc::SIGTERM => ("SIGTERM", "terminated from outside"),
        libc::SIGALRM => ("SIGALRM", "its alarm went off"),
        libc::SIGPIPE => ("SIGPIPE", "wrote to a closed pipe"),
        libc::SIGXCPU => ("SIGXCPU", "processor time used up"),
        other => return (format!("signal {other}"), "ended by a signal"),
    };
    (name.to_owned(), meaning)
}

/// Watches one child process for its end.
pub(crate) struct ExitWatch {
    pid: Pid,
    fd: Option<OwnedFd>,
}

impl ExitWatch {
    /// Begins to watch a child that has not been reaped.
    pub(crate) fn new(pid: Pid) -> Self {
        #[cfg(target_os = "linux")]
        let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok();
        #[cfg(not(target_os = "linux"))]
        let fd = None;
        Self { pid, fd }
    }

    /// Readable once the process has ended, where the system offers that.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// How it ended, when it has; the process stays unreaped, so that its pid is not given away.
    pub(crate) fn peek(&self) -> Option<Exit> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(None) => None,
            Ok(Some(status)) => Some(
                status
                    .exit_status()
                    .map(Exit::Code)
                    .or_else(|| status.terminating_signal().map(Exit::Signal))
                    .unwrap_or(Exit::Unknown),
            ),
            Err(rustix::io::Errno::INTR) => None,
            Err(_) => Some(Exit::Unknown),
        }
    }

    /// Waits at most `limit` for the end.
    pub(crate) fn wait(&self, limit: Duration) -> Option<Exit> {
        let until = Instant::now() + limit;
        loop {
            if let Some(exit) = self.peek() {
                return Some(exit);
            }
            let left = until.checked_duration_since(Instant::now())?;
            self.pause(left);
        }
    }

    fn pause(&self, limit: Duration) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let Some(fd) = &self.fd else {
            std::thread::sleep(limit.min(Duration::from_millis(2)));
            return;
        };
        let timeout = Timespec::try_from(limit).ok();
        let _ = poll(&mut [PollFd::new(fd, PollFlags::IN)], timeout.as_ref());
    }
}

/// SIGKILL to a whole group.
pub(crate) fn kill_group(leader: Pid) {
    let _ = kill_process_group(leader, Signal::KILL);
}

/// Ends a host with everything it started: its supervisor is asked to, at once (Linux), or its
/// group is killed. `child` must not have been reaped.
pub(crate) fn kill_family(child: Pid) {
    if cfg!(target_os = "linux") {
        let _ = kill_process(child, Signal::TERM);
        // An agent may have stopped it.
        let _ = kill_process(child, Signal::CONT);
    } else {
        kill_group(child);
    }
}

/// SIGKILL to a child that does not end when it is asked to; a host dies with its supervisor.
pub(crate) fn kill_now(child: Pid) {
    let _ = kill_process(child, Signal::KILL);
}
