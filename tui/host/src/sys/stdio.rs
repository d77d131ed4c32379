//! C's stdout in a host: buffered by line, flushed after each task.
//!
//! A pipe makes libc buffer whole blocks, and an agent that prints and then aborts would lose its
//! last words.
#![allow(unsafe_code)] // libc's streams

use crate::page::ControlPage;
use crate::proto::Printed;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe extern "C" {
    #[link_name = "stdout"]
    static C_STDOUT: *mut libc::FILE;
}
#[cfg(target_vendor = "apple")]
unsafe extern "C" {
    #[link_name = "__stdoutp"]
    static C_STDOUT: *mut libc::FILE;
}

/// Makes C's stdout write line by line, even into a pipe.
pub(crate) fn by_line() {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    // SAFETY: before the first output of the process; libc allocates the buffer itself.
    unsafe {
        libc::setvbuf(C_STDOUT, std::ptr::null_mut(), libc::_IOLBF, 1024);
    }
}

/// Most that is waited for the workbench to be done with reading.
const PATIENCE: Duration = Duration::from_millis(100);

/// How much this process has printed in all: what the workbench has read of it, and what waits in the
/// pipes. `None` when the workbench does not get on with reading.
pub(crate) fn printed(page: &ControlPage) -> Option<Printed> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some((read, unread)) = page.requests.read_so_far(unread) {
            return Some(Printed {
                out: read[0].saturating_add(unread[0]),
                err: read[1].saturating_add(unread[1]),
            });
        }
        if Instant::now() > until {
            return None;
        }
        std::thread::yield_now();
    }
}

fn unread() -> [u64; 2] {
    let waiting = |fd: BorrowedFd<'_>| rustix::io::ioctl_fionread(fd).unwrap_or(0);
    [
        waiting(std::io::stdout().as_fd()),
        waiting(std::io::stderr().as_fd()),
    ]
}

/// Writes out what C's stdout still holds.
pub(crate) fn flush() {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    // SAFETY: `stdout` is libc's own stream, valid for the life of the process.
    unsafe {
        libc::fflush(C_STDOUT);
    }
}
