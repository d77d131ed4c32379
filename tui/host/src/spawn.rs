//! Starting host processes, all of them from one thread.
//!
//! Linux ties the parent-death signal to the *thread* that forked: a host started from a thread
//! that ends would be killed at once. So one thread starts every host, and lives until the last of
//! them is gone.

use crate::HostConfig;
use crate::config::secret_variables;
use crate::core::Core;
use crate::link::Link;
use crate::page::ControlPage;
use crate::pool::News;
use crate::sys::{adopted, exit::ExitWatch, orphan};
use rustix::process::Pid;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

/// A started host: the shared end, and what only its thread touches.
pub(crate) struct Started {
    pub link: Arc<Link>,
    pub child: Child,
    pub socket: UnixStream,
    pub stdout: ChildStdout,
    pub stderr: ChildStderr,
    pub wake: OwnedFd,
    pub exit: ExitWatch,
}

/// Asks the spawning thread for one more blank host.
pub(crate) type SpawnRequest = Arc<Core>;

/// Starts the spawning thread; it ends when the sender is dropped.
pub(crate) fn start() -> io::Result<Sender<SpawnRequest>> {
    let (to, requests) = channel::<SpawnRequest>();
    adopted::adopt();
    std::thread::Builder::new()
        .name("wb-spawner".into())
        .spawn(move || {
            while let Ok(core) = requests.recv() {
                match spawn(&core.config) {
                    Ok(started) => core.spawned(started),
                    Err(error) => core.on(News::SpawnFailed(error.to_string())),
                }
            }
        })?;
    Ok(to)
}

fn spawn(config: &HostConfig) -> io::Result<Started> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (page, page_fds) = ControlPage::create()?;
    // Above the numbers that the spawning of a process uses for itself.
    let theirs = above(&OwnedFd::from(theirs))?;
    let requests = above(&page_fds.requests)?;
    let claims = above(&page_fds.claims)?;
    let keep = [&theirs, &requests, &claims].map(AsRawFd::as_raw_fd);
    let mut command = Command::new(&config.exe);
    command
        .arg0("workbench")
        .args(&config.exe_args)
        .arg(child_argument(keep))
        .env("RUST_BACKTRACE", "0") // symbolising is done here, from the staged copy
        .env(agent_abi::logs::VARIABLE, &config.log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    for name in secret_variables().iter().chain(&config.env_remove) {
        command.env_remove(name);
    }
    let parent = rustix::process::getpid().as_raw_nonzero().get();
    #[allow(unsafe_code)] // between fork and exec
    // SAFETY: the closure makes system calls only; it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || orphan::before_exec(&keep, parent));
    }
    let mut child = command.spawn()?;
    let pipes = (child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = pipes else {
        return Err(io::Error::other("no pipes for the output of a host"));
    };
    non_blocking(&stdout)?;
    non_blocking(&stderr)?;
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("a process without a number"))?;
    let (wake, wake_to) = rustix::pipe::pipe()?;
    for end in [&wake, &wake_to] {
        non_blocking(end)?;
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    let socket = ours.try_clone()?;
    Ok(Started {
        link: Arc::new(Link::new(pid, page, ours, wake_to)),
        child,
        socket,
        stdout,
        stderr,
        wake,
        exit: ExitWatch::new(pid),
    })
}

/// `socket,requests,claims,parent`: what [`crate::child_main`] reads.
fn child_argument([socket, requests, claims]: [RawFd; 3]) -> OsString {
    let parent = std::process::id();
    format!("{socket},{requests},{claims},{parent}").into()
}

fn above(fd: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 20)?)
}

fn non_blocking(fd: impl AsFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(&fd)?;
    Ok(rustix::fs::fcntl_setfl(
        &fd,
        flags | rustix::fs::OFlags::NONBLOCK,
    )?)
}
