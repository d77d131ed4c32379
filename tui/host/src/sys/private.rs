//! Keeps other processes from reading the environment and the memory of this one: both may hold a key.
#![allow(unsafe_code)] // prctl, and the memory that the environment came in

use crate::config::is_secret;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

unsafe extern "C" {
    static environ: *const *mut libc::c_char;
}

/// Makes this process unreadable to others of the same user, and keeps it from writing core files (Linux).
/// Keys and passwords are also removed from `/proc/PID/environ`, which root can always read; `std::env`
/// still has them. Call it first in `main`: with more than one thread the environment stays as it is.
pub fn keep_private() {
    #[cfg(target_os = "linux")]
    {
        const CAP_SYS_PTRACE: libc::c_ulong = 19;
        // SAFETY: integers only. Children that are root have the capability only if it may be had.
        unsafe {
            libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
            libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0);
        }
    }
    if !has_one_thread() {
        return;
    }
    // SAFETY: one thread, as just seen: nobody changes the environment or holds a pointer into it.
    for text in unsafe { secrets() } {
        // SAFETY: the strings of the environment are writable, and end with a zero.
        let bytes = unsafe {
            let len = CStr::from_ptr(text).to_bytes().len();
            std::slice::from_raw_parts_mut(text.cast::<u8>(), len)
        };
        let Some(at) = bytes.iter().position(|b| *b == b'=') else {
            continue;
        };
        let (name, value) = (bytes[..at].to_vec(), bytes[at + 1..].to_vec());
        // SAFETY: one thread. This makes a copy elsewhere and puts it in place of the old one.
        unsafe { std::env::set_var(OsStr::from_bytes(&name), OsStr::from_bytes(&value)) };
        bytes[at + 1..].fill(0);
    }
}

/// Always false outside Linux, where no `/proc` shows the environment.
fn has_one_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// The entries of the environment that hold secrets.
unsafe fn secrets() -> Vec<*mut libc::c_char> {
    let mut found = Vec::new();
    // SAFETY: a list of strings that ends with null; nobody changes it meanwhile.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let text = CStr::from_ptr(*entry).to_bytes();
            let name = text.split(|b| *b == b'=').next().unwrap_or_default();
            if is_secret(&String::from_utf8_lossy(name)) {
                found.push(*entry);
            }
            entry = entry.add(1);
        }
    }
    found
}
