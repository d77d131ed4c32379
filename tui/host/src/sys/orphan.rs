//! A host must not outlive its workbench, whatever its agent is doing.
//!
//! Linux: the kernel asks its supervisor to end it when the spawning thread ends (which is why one
//! thread spawns all hosts and lives as long as they do). Everywhere: a thread of the host's own leaves the process
//! as soon as the other end of the socket is closed.
#![allow(unsafe_code)] // calls between fork and exec, and a raw descriptor in a thread of its own

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// To be called between fork and exec: asks for SIGTERM when the spawning thread ends, and lets
/// the given descriptors through exec. Async-signal-safe: system calls only.
pub(crate) fn before_exec(keep: &[RawFd], parent: i32) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: prctl with PR_SET_PDEATHSIG takes one integer and touches no memory.
        let done = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM, 0, 0, 0) };
        if done != 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    // SAFETY: getppid has no preconditions.
    if unsafe { libc::getppid() } != parent {
        // The parent died before the request above: nobody would ever end this process.
        // SAFETY: _exit has no preconditions and is async-signal-safe.
        unsafe { libc::_exit(0) };
    }
    for fd in keep {
        // SAFETY: F_SETFD takes an integer; a bad descriptor is reported as an error.
        if unsafe { libc::fcntl(*fd, libc::F_SETFD, 0) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Starts the thread that ends this process when `socket`'s other end is closed.
pub(crate) fn end_on_hang_up(socket: OwnedFd) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("wb-hang-up".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            let mut fd = libc::pollfd {
                fd: socket.as_raw_fd(),
                events: 0, // hang-ups and errors are reported without asking
                revents: 0,
            };
            loop {
                // SAFETY: one valid pollfd that lives through the call.
                let n = unsafe { libc::poll(&raw mut fd, 1, -1) };
                if n > 0 && fd.revents != 0 {
                    leave();
                }
            }
        })
        .map(drop)
}

/// Leaves at once, with everything the agent may have started in our group.
fn leave() -> ! {
    // SAFETY: no preconditions; the group is only signalled when it is our own.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::kill(0, libc::SIGKILL);
        }
        libc::_exit(0)
    }
}
