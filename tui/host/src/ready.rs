//! Waiting for the descriptors of one host.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::BorrowedFd;

/// What is ready.
pub(crate) struct Ready {
    /// There is something to read.
    pub socket: bool,
    /// There is room for what is to be sent.
    pub room: bool,
    pub wake: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub ended: bool,
}

impl Ready {
    /// Waits for the socket, the wake pipe, stdout, stderr and the end of the process, or those of them that
    /// are there.
    pub(crate) fn wait(
        watched: [Option<(BorrowedFd<'_>, PollFlags)>; 5],
        timeout: Option<&Timespec>,
    ) -> Self {
        let mut fds = Vec::with_capacity(5);
        for (fd, flags) in watched.iter().flatten() {
            fds.push(PollFd::from_borrowed_fd(*fd, *flags));
        }
        // When it is interrupted, nothing is ready: the caller comes back.
        let ok = poll(&mut fds, timeout).is_ok();
        let mut results = fds.iter().map(PollFd::revents).filter(|_| ok);
        let found = watched.map(|fd| fd.and_then(|_| results.next()));
        let found = found.map(|flags| flags.unwrap_or(PollFlags::empty()));
        let any = |n: usize| !found[n].is_empty();
        Self {
            socket: any(0) && found[0] != PollFlags::OUT,
            room: found[0].contains(PollFlags::OUT),
            wake: any(1),
            stdout: any(2),
            stderr: any(3),
            ended: any(4),
        }
    }
}
