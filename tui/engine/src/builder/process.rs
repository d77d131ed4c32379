//! A build as a process group of its own: its lines while it runs, and its end. What the lines mean is left to
//! those who started it.

use rustix::process::{Pid, Signal, kill_process_group};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

/// Bytes of one line that are read; the rest of a longer one becomes the next.
const LINE: u64 = 64 * 1024;
/// How long output is read after the end of the build, from what it left running.
const DRAIN: Duration = Duration::from_millis(300);
/// How long a build may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputStream {
    Out,
    Err,
}

/// A build that runs. Dropping it kills the whole group.
pub(super) struct BuildProcess {
    child: Child,
    group: Option<Pid>,
    lines: Receiver<(OutputStream, String)>,
    status: Option<ExitStatus>,
}

impl BuildProcess {
    pub fn start(mut command: std::process::Command) -> std::io::Result<Self> {
        use std::os::unix::process::CommandExt;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = tokio::process::Command::from(command).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let (to, lines) = channel(64);
        if let Some(out) = child.stdout.take() {
            tokio::spawn(read(out, OutputStream::Out, to.clone()));
        }
        if let Some(err) = child.stderr.take() {
            tokio::spawn(read(err, OutputStream::Err, to));
        }
        Ok(Self {
            child,
            group: id.and_then(Pid::from_raw),
            lines,
            status: None,
        })
    }

    /// The next line; `None` when the build has ended.
    pub async fn line(&mut self) -> Option<(OutputStream, String)> {
        while self.status.is_none() {
            tokio::select! {
                biased;
                Some(line) = self.lines.recv() => return Some(line),
                status = self.child.wait() => match status {
                    Ok(status) => self.status = Some(status),
                    Err(_) => return None,
                },
            }
        }
        timeout(DRAIN, self.lines.recv()).await.ok().flatten()
    }

    /// How it ended, once its lines are read.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Asks the group to end, and kills it when it does not.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        if let Ok(Ok(status)) = timeout(GRACE, self.child.wait()).await {
            // What the leader started and left is not given more time.
            self.signal(Signal::KILL);
            self.status = Some(status);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal); // it has ended
        }
    }
}

impl Drop for BuildProcess {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.signal(Signal::KILL);
        }
    }
}

/// Lines, whatever bytes they hold, until the stream or its reader ends.
async fn read(
    from: impl AsyncRead + Unpin,
    stream: OutputStream,
    to: Sender<(OutputStream, String)>,
) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut from).take(LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        if to.send((stream, text)).await.is_err() {
            return;
        }
    }
}
