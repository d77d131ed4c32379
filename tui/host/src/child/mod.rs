//! The host process: opens one library and runs its agents, one task at a time, on its main thread.
//!
//! Nothing here is trusted by the other side. It keeps no state between tasks but the library and
//! the project document, and ends with the workbench, whatever the agent is doing.

mod context;
mod encode;
mod flaw;
mod functions;
mod incoming;
mod load;
mod pausing;
mod refusal;
mod resources;
mod run;

use crate::page::{ControlPage, PageFds, Phase};
use crate::proto::{FromHost, PROTOCOL, ToHost, write};
use crate::sys::{crash, limits, orphan, stdio, supervisor};
use context::{Context, Reporter};
use incoming::Incoming;
use load::Library;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;

/// The whole of `workbench host`: `args` are the arguments after the subcommand. Returns when the
/// workbench requests it; a library that could not be opened is reported, not an error here.
///
/// Call it before anything else in the process has started threads or opened files.
pub fn child_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Some(started) = args.into_iter().next().and_then(|a| Started::parse(&a)) else {
        eprintln!("this command is started by the workbench itself; run `workbench --help`");
        return ExitCode::from(2);
    };
    match serve(started) {
        Ok(()) => ExitCode::SUCCESS,
        // The workbench closed the connection: there is nobody to report to.
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("host: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the workbench passes on the command line.
struct Started {
    socket: RawFd,
    requests: RawFd,
    claims: RawFd,
    parent: i32,
}

impl Started {
    fn parse(arg: &OsString) -> Option<Self> {
        let mut parts = arg.to_str()?.split(',');
        let started = Self {
            socket: parts.next()?.parse().ok().filter(|fd| *fd > 2)?,
            requests: parts.next()?.parse().ok().filter(|fd| *fd > 2)?,
            claims: parts.next()?.parse().ok().filter(|fd| *fd > 2)?,
            parent: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(started)
    }
}

fn serve(started: Started) -> io::Result<()> {
    let parent = rustix::process::getppid().map_or(0, |p| p.as_raw_nonzero().get());
    if parent != started.parent {
        return Ok(()); // it died before this process could ask to die with it
    }
    limits::no_core_files();
    supervisor::split()?;
    limits::die_first();
    let socket = UnixStream::from(adopt(started.socket)?);
    let fds = PageFds {
        requests: adopt(started.requests)?,
        claims: adopt(started.claims)?,
    };
    // Mapped for ever: the crash handler needs it until the last instruction.
    let page: &'static ControlPage = Box::leak(Box::new(ControlPage::open(&fds)?));
    drop(fds);
    orphan::end_on_hang_up(socket.as_fd().try_clone_to_owned()?)?;
    crash::install(&page.claims)?;
    stdio::by_line();
    let reporter = Reporter::new(socket.try_clone()?);
    reporter.send(
        &FromHost::Hello {
            protocol: PROTOCOL,
            pid: std::process::id(),
        },
        &[],
    )?;
    let mut child = Child {
        page,
        reporter: Arc::new(reporter),
        context: None,
        library: None,
        project: None,
        incoming: Arc::new(Incoming::new(socket)),
    };
    loop {
        let message = child.incoming.next()?;
        if !child.handle(message)? {
            return Ok(());
        }
    }
}

/// Takes over a descriptor by number, and keeps the agent's own children from inheriting it.
fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    #[allow(unsafe_code)]
    // SAFETY: asking for a descriptor's flags touches nothing; a wrong number is an error.
    let valid = unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0;
    if !valid {
        return Err(io::Error::last_os_error());
    }
    #[allow(unsafe_code)]
    // SAFETY: it is open, as just seen, and nothing else in this process uses it: it was handed
    // over by number on the command line, to be owned here.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

struct Child {
    page: &'static ControlPage,
    reporter: Arc<Reporter>,
    context: Option<&'static Context>,
    library: Option<Library>,
    project: Option<Arc<Vec<u8>>>,
    incoming: Arc<Incoming>,
}

impl Child {
    /// False when it is time to go.
    fn handle(&mut self, message: crate::proto::Message) -> io::Result<bool> {
        let header: ToHost = message.header()?;
        match header {
            ToHost::Load { path, resource, .. } => self.load(&path, resource.as_deref())?,
            ToHost::Project => self.project = Some(Arc::new(message.into_parts())),
            ToHost::Run {
                job,
                ticket,
                agent,
                attempt,
                build,
                pauses,
                parts,
            } => {
                if !self.begin(ticket)? {
                    return Ok(true);
                }
                let order = run::Order {
                    job,
                    agent,
                    attempt,
                    build,
                    pauses,
                    parts,
                };
                self.run(&order, message)?;
            }
            ToHost::Preflight { job, ticket } => {
                if self.begin(ticket)? {
                    self.preflight(job)?;
                }
            }
            ToHost::Ask { job, ticket } => {
                if self.begin(ticket)? {
                    return self.ask(job, message);
                }
            }
            // To a question that nobody waits with any more.
            ToHost::Answer { .. } => {}
            ToHost::Retire => {
                self.page.claims.enter(Phase::Shutdown);
                if let Some(library) = &self.library {
                    library.shutdown();
                }
                stdio::flush();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// False when the work was taken back before it began; this is reported.
    fn begin(&self, ticket: u64) -> io::Result<bool> {
        let begun = self.page.begin(ticket);
        if !begun {
            self.reporter.send(&FromHost::TakenBack { ticket }, &[])?;
        }
        Ok(begun)
    }

    fn load(&mut self, path: &std::path::Path, resource: Option<&str>) -> io::Result<()> {
        let context = Context::leak(
            self.page,
            Arc::clone(&self.reporter),
            Arc::clone(&self.incoming),
        );
        match Library::open(path, self.page, context, resource) {
            Ok((library, descriptor, base)) => {
                self.page.claims.enter(Phase::Idle);
                self.library = Some(library);
                self.context = Some(context);
                stdio::flush();
                self.reporter
                    .send(&FromHost::Loaded { descriptor, base }, &[])
            }
            Err(flaw) => {
                stdio::flush();
                let (reason, hints) = (flaw.reason, flaw.hints);
                self.reporter
                    .send(&FromHost::LoadFailed { reason, hints }, &[])
            }
        }
    }
}

/// Sends a message over a blocking socket.
fn send(socket: &UnixStream, header: &FromHost, parts: &[&[u8]]) -> io::Result<()> {
    write(socket, header, parts)
}
