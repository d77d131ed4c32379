//! C's stdout in a host: buffered by line, flushed after each task.
//!
//! A pipe makes libc buffer whole blocks, and an agent that prints and then aborts would lose its
//! last words.
#![allow(unsafe_code)] // libc's streams

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

/// Writes out what C's stdout still holds.
pub(crate) fn flush() {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    // SAFETY: `stdout` is libc's own stream, valid for the life of the process.
    unsafe {
        libc::fflush(C_STDOUT);
    }
}
