//! Starts the process that does what is left of a run. It is a process of its own session, with files of the run's folder in
//! place of a terminal, and holds the lock of the folder as its stdin, so that there is no moment in which it seems to be gone.

use super::{BackgroundRequest, LINES, MESSAGES, RunFolder, STATUS};
use crate::clock::now;
use crate::files;
use crate::flags::Flags;
use crate::saved::{ProgressForm, RunRequest};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{ProjectHash, StageId};
use wb_core::run::{RunRest, Sink, Source};

/// What the screen was started with.
#[derive(Clone, Debug)]
pub struct BackgroundFlags {
    /// Its options.
    pub flags: Flags,
    /// Its project.
    pub project: ProjectHash,
}

/// Starts a process for what is left of a run; gives how far it is.
///
/// # Errors
/// The state folder cannot be written, or no process can be started. Then nothing is left behind.
pub fn begin(rest: &RunRest, screen: &BackgroundFlags) -> Result<BackgroundRun, Error> {
    let (folder, lock) = RunFolder::create()?;
    let begun = start(rest, screen, &folder, lock);
    if begun.is_err() {
        let _ = std::fs::remove_dir_all(&folder.dir);
    }
    begun
}

fn start(
    rest: &RunRest,
    screen: &BackgroundFlags,
    folder: &RunFolder,
    lock: File,
) -> Result<BackgroundRun, Error> {
    let unusable = |error: io::Error| super::unusable(&folder.dir, &error);
    let mut agents = Vec::new();
    for (number, (library, copy)) in rest.libraries.iter().enumerate() {
        let place = folder.dir.join("agents").join(number.to_string());
        agents.push(keep(library, copy, &place).map_err(unusable)?);
    }
    let Source::Stages(stages) = &rest.spec.source else {
        let text = "what is left of a run is listed at its stages";
        return Err(Error::new(ErrorKind::Bug, text));
    };
    let flags = Flags {
        project_hash: Some(screen.project.to_string()),
        agents,
        dry_run: holds(rest),
        ask: None,
        ..screen.flags.clone()
    };
    let flags = rest.confirmed.iter().fold(flags, |mut flags, title| {
        let first = flags.confirm.replace(title.clone());
        flags.also_confirm.extend(first);
        flags
    });
    let request = BackgroundRequest {
        run: run_request(rest, stages.iter().map(ToString::to_string).collect()),
        flags,
        words: rest.words.clone(),
        typed_timeout_ms: rest.typed_timeout_ms,
        chosen: rest.spec.chosen.clone(),
        done: (*rest.spec.left_out).clone(),
        spent: (*rest.spec.spent).clone(),
        before: rest.before,
    };
    request.write(folder)?;
    let mut run = status(rest, screen.project, folder.number, stages);
    let note = |run: &BackgroundRun| {
        let text = serde_json::to_vec(run).map_err(io::Error::other)?;
        folder.write(STATUS, &text)
    };
    // The process replaces it as soon as it has begun.
    note(&run).map_err(unusable)?;
    run.pid = spawn(folder, &request.flags, lock).map_err(|error| {
        let text = format!("no process can be started: {error}");
        Error::new(ErrorKind::Settings, text)
    })?;
    Ok(run)
}

/// How far the run is before its process has begun.
fn status(rest: &RunRest, project: ProjectHash, number: u64, stages: &[StageId]) -> BackgroundRun {
    BackgroundRun {
        run: number,
        project,
        background: true,
        holds: holds(rest),
        stage_uuids: stages.to_vec(),
        stage: rest.stage.clone(),
        began: rest.before.began,
        noted: now(),
        ended: None,
        done: rest.before.tasks,
        all: rest.before.all,
        failed: rest.before.failed,
        rate: 0.0,
        pid: 0,
        state: BackgroundState::Running,
        exit_code: None,
        summary: None,
    }
}

fn holds(rest: &RunRest) -> bool {
    rest.spec.sink != Sink::Commit
}

fn run_request(rest: &RunRest, stage: Vec<String>) -> RunRequest {
    let spec = &rest.spec;
    let mut task: Vec<String> = match &spec.chosen {
        Some(chosen) => chosen.iter().map(ToString::to_string).collect(),
        None => Vec::new(),
    };
    task.sort_unstable();
    RunRequest {
        refresh_every: None,
        num_retries: spec.retries,
        task_batch_size: spec.batch_size,
        max_tasks_per_stage: spec.max_tasks,
        stage,
        filter: None,
        task,
        concurrency: Some(spec.concurrency),
        rate: rest.rate,
        timeout: None,
        max_failures: spec.max_failures,
        max_time: None,
        on_conflict: spec.on_conflict,
        on_duplicate: None,
        progress: ProgressForm::None,
        report: None,
        junit: None,
        jsonl: None,
    }
}

/// Keeps the content of a library that a run works with, whatever is built meanwhile, with what lies beside our copy of it.
fn keep(library: &Path, copy: &Path, place: &Path) -> io::Result<PathBuf> {
    let mut folder = DirBuilder::new();
    folder.recursive(true).mode(0o700).create(place)?;
    let name = library.file_name().unwrap_or(library.as_os_str());
    let beside = copy.parent().map(std::fs::read_dir);
    for entry in beside.into_iter().flatten().flatten().flatten() {
        let (here, theirs) = (place.join(entry.file_name()), entry.path());
        let kind = entry.file_type();
        // What is not found beside it, an agent reports.
        let _ = match (std::fs::read_link(&theirs), library.parent()) {
            (Ok(target), _) => symlink(target, here),
            (Err(_), Some(original)) if kind.is_ok_and(|kind| kind.is_dir()) => {
                symlink(original.join(entry.file_name()), here)
            }
            _ => same_file(&theirs, &here),
        };
    }
    let kept = place.join(name);
    if !kept.exists() {
        same_file(copy, &kept)?;
    }
    std::path::absolute(kept)
}

fn same_file(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(drop))
}

fn spawn(folder: &RunFolder, flags: &Flags, lock: File) -> io::Result<u32> {
    let file = |name: &str| {
        let mut options = files::private();
        options
            .create_new(true)
            .append(true)
            .open(folder.dir.join(name))
    };
    let mut command = Command::new(program());
    command
        .arg0("workbench")
        .args(["background", &folder.number.to_string()])
        .stdin(Stdio::from(lock))
        .stdout(Stdio::from(file(LINES)?))
        .stderr(Stdio::from(file(MESSAGES)?));
    if let Some(config) = &flags.config {
        command.arg("--config").arg(config);
    }
    // Not waited for: it outlives this process.
    command.spawn().map(|child| child.id())
}

/// This very program, whatever lies at its path by now.
fn program() -> PathBuf {
    match cfg!(target_os = "linux") {
        true => "/proc/self/exe".into(),
        false => std::env::current_exe().unwrap_or_else(|_| "workbench".into()),
    }
}
