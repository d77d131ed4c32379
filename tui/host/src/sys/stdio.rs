//! C's stdout in a host: buffered by line, flushed after each task.
//!
//! A pipe makes libc buffer whole blocks, and an agent that prints and then aborts would lose its
//! last words.
#![allow(unsafe_code)] // libc's streams

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

/// Most that is waited for somebody to read what was printed.
const PATIENCE: Duration = Duration::from_millis(100);
const NAP: Duration = Duration::from_micros(50);

/// Waits until the workbench has read what was printed: what is printed from now on belongs to the
/// next task. Almost always nothing was printed.
pub(crate) fn wait_until_read() {
    let until = Instant::now() + PATIENCE;
    while unread() && Instant::now() < until {
        std::thread::sleep(NAP);
    }
}

fn unread() -> bool {
    let waiting = |bytes: rustix::io::Result<u64>| bytes.is_ok_and(|n| n > 0);
    waiting(rustix::io::ioctl_fionread(std::io::stdout()))
        || waiting(rustix::io::ioctl_fionread(std::io::stderr()))
}

/// Writes out what C's stdout still holds.
pub(crate) fn flush() {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    // SAFETY: `stdout` is libc's own stream, valid for the life of the process.
    unsafe {
        libc::fflush(C_STDOUT);
    }
}
