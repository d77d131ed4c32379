//! For all tests of this crate: C libraries made on the spot, and hosts whose events can be waited
//! for with a deadline.
#![allow(dead_code)] // each test file uses a part
#![allow(clippy::unwrap_used)] // a helper that fails is a failed test

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, channel};
use wb_core::event::Priority;
use wb_core::ids::{BuildId, JobId};
use wb_host::{HostConfig, HostEvent, Hosts, JobRequest, JobResult, Probed};

/// Far beyond what a busy machine needs; reached only when something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Stages of `hostile.c` in their order.
pub const HOSTILE: [&str; 22] = [
    "answer",
    "segv",
    "aborts",
    "leaves",
    "loops",
    "listens",
    "prints",
    "last_words",
    "overflows",
    "echoes",
    "not_utf8",
    "too_large",
    "reports",
    "forges",
    "forks",
    "hangs_up",
    "eats",
    "counts_frees",
    "looks",
    "alone",
    "echoes_task",
    "forgets_size",
];

/// Stages of `astray.c` in their order.
pub const ASTRAY: [&str; 12] = [
    "answer",
    "scribbles",
    "scribbles_and_loops",
    "scribbles_and_aborts",
    "leaves_a_daemon",
    "daemon_and_loop",
    "daemon_and_crash",
    "eats",
    "child_eats",
    "depends",
    "explains",
    "daemon_eats",
];

pub fn agent(name: &str) -> usize {
    HOSTILE.iter().position(|n| *n == name).unwrap()
}

/// Compiles one of `tests/agents` into a shared library.
pub fn compile(source: &str, to: &Path, options: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-g", "-O0", "-fno-omit-frame-pointer"])
        // The first folder that has the header counts: options may name another one.
        .args(options)
        .arg("-I")
        .arg(root.join("../../agent-abi/include"))
        .arg("-o")
        .arg(to)
        .arg(root.join("tests/agents").join(source))
        .output()
        .expect("a C compiler named cc");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cc {options:?}: {errors}");
}

/// Hosts in a folder of their own.
pub struct Desk {
    pub hosts: Hosts,
    pub dir: TempDir,
    pub seen: Vec<String>,
    /// Jobs whose start was reported and not asked about yet.
    begun: Vec<(JobId, u32)>,
    pub rt: Runtime,
    events: Receiver<HostEvent>,
    next_job: u64,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut HostConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = HostConfig::new(dir.path().join("store"));
        config.exe = env!("CARGO_BIN_EXE_wb-host-child").into();
        // Parallel tests share two cores: only the test of the limit itself needs it short.
        config.load_timeout = Duration::from_secs(20);
        change(&mut config);
        let (to, events) = channel(64);
        Self {
            hosts: Hosts::start(config, to).unwrap(),
            dir,
            seen: Vec::new(),
            begun: Vec::new(),
            rt: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            events,
            next_job: 0,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Folders with copies of libraries.
    pub fn copies(&self) -> Vec<PathBuf> {
        let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten();
        let stores = entries(&self.path("store")).map(|e| e.path());
        let copies = stores.flat_map(|store| entries(&store).map(|e| e.path()));
        copies.filter(|copy| !copy.ends_with("needed")).collect()
    }

    /// The next event, whatever it is.
    pub fn next(&mut self) -> HostEvent {
        self.next_within(PATIENCE)
            .unwrap_or_else(|| panic!("nothing more after {:#?}", self.seen))
    }

    pub fn next_within(&mut self, limit: Duration) -> Option<HostEvent> {
        let events = &mut self.events;
        let event = self
            .rt
            .block_on(async { tokio::time::timeout(limit, events.recv()).await })
            .ok()
            .flatten()?;
        if let HostEvent::Started { job, pid } = &event {
            self.begun.push((*job, *pid));
        }
        let mut text = format!("{event:?}");
        text.truncate(600);
        self.seen.push(text);
        Some(event)
    }

    /// The next event, without keeping a trace of it: for measuring.
    pub fn raw(&mut self) -> Option<HostEvent> {
        self.events.blocking_recv()
    }

    /// Waits for an event that `wanted` makes something of.
    pub fn wait<T>(&mut self, mut wanted: impl FnMut(&HostEvent) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < until, "waited in vain: {:#?}", self.seen);
            let event = self.next();
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    }

    pub fn probed(&mut self) -> Probed {
        self.wait(|event| match event {
            HostEvent::Probed(probed) => Some(probed.clone()),
            HostEvent::Rejected { reason, .. } => panic!("rejected: {reason}"),
            _ => None,
        })
    }

    /// Reason and hints of a rejection.
    pub fn rejected(&mut self) -> (String, Vec<String>) {
        self.wait(|event| match event {
            HostEvent::Rejected { reason, hints, .. } => Some((reason.clone(), hints.clone())),
            HostEvent::Probed(probed) => panic!("accepted: {probed:?}"),
            _ => None,
        })
    }

    /// Compiles, watches, probes and activates `hostile.c`.
    pub fn hostile(&mut self) -> BuildId {
        let library = self.path("libhostile.so");
        compile("hostile.c", &library, &[]);
        self.hosts.watch(library);
        let probed = self.probed();
        let stages: Vec<_> = probed.descriptor.agents.iter().map(|a| &a.stage).collect();
        assert_eq!(stages, HOSTILE);
        self.hosts.activate(BuildId(1), &probed);
        BuildId(1)
    }

    /// The same of `astray.c`.
    pub fn astray(&mut self) -> BuildId {
        let library = self.path("libastray.so");
        compile("astray.c", &library, &[]);
        self.hosts.watch(library);
        let probed = self.probed();
        let stages: Vec<_> = probed.descriptor.agents.iter().map(|a| &a.stage).collect();
        assert_eq!(stages, ASTRAY);
        self.hosts.activate(BuildId(1), &probed);
        BuildId(1)
    }

    /// A job of `astray.c` with these parameters.
    pub fn stray(&mut self, name: &str, params: &str) -> JobRequest {
        let agent = ASTRAY.iter().position(|n| *n == name).unwrap();
        let mut request = self.request(BuildId(1), agent);
        request.params = params.into();
        request
    }

    pub fn request(&mut self, build: BuildId, agent: usize) -> JobRequest {
        self.next_job += 1;
        JobRequest {
            job: JobId(self.next_job),
            build,
            agent,
            attempt: 1,
            stage_json: r#"{"title":"the stage"}"#.into(),
            task_json: r#"{"title":"the task"}"#.into(),
            params: "".into(),
            inputs: Vec::new(),
            deadline: None,
            pauses: false,
            label: "cam_03.jpg".into(),
            priority: Priority::Bulk,
        }
    }

    pub fn start(&mut self, build: BuildId, name: &str, deadline: Option<Duration>) -> JobId {
        let mut request = self.request(build, agent(name));
        request.deadline = deadline;
        let job = request.job;
        self.hosts.run(request);
        job
    }

    /// Runs one agent to its end.
    pub fn run(&mut self, build: BuildId, name: &str) -> JobResult {
        let job = self.start(build, name, None);
        self.done(job)
    }

    pub fn started(&mut self, job: JobId) -> u32 {
        let until = Instant::now() + PATIENCE;
        loop {
            // Hosts that start at the same time may begin in any order.
            if let Some(at) = self.begun.iter().position(|(begun, _)| *begun == job) {
                return self.begun.remove(at).1;
            }
            assert!(Instant::now() < until, "waited in vain: {:#?}", self.seen);
            self.next();
        }
    }

    pub fn done(&mut self, job: JobId) -> JobResult {
        self.wait(|event| match event {
            HostEvent::Done { job: j, result, .. } if *j == job => Some(result.clone()),
            _ => None,
        })
    }

    /// The workbench lives on: the next task gets its outcome.
    pub fn assert_next_task_runs(&mut self, build: BuildId) {
        assert_eq!(self.run(build, "answer"), outcome(r#"{"route":"one"}"#));
    }
}

pub fn outcome(json: &str) -> JobResult {
    JobResult::Outcome(json.as_bytes().to_vec())
}

/// Waits until no process has this number, or it is a zombie of somebody else's.
pub fn wait_until_gone(pid: u32) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let Ok(fd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
        return;
    };
    let limit = Timespec::try_from(PATIENCE).unwrap();
    let n = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit)).unwrap();
    assert_eq!(n, 1, "process {pid:?} is still there");
}

/// Writes a PNG of one colour.
pub fn write_png(path: &Path, (width, height): (u32, u32), colour: [u8; 3]) {
    let rows = wb_media::RgbRows {
        width,
        height,
        stride: width * 3,
        bytes: &colour.repeat((width * height) as usize),
    };
    let file = rows.encode(wb_media::FileFormat::Png).unwrap();
    std::fs::write(path, file).unwrap();
}
