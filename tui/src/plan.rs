//! Plans: the outcomes of a run with every write held, in one portable file.
//!
//! Gzip over lines of JSON: a header with the form's version, one line for each task, and a last
//! line with the counts, by which a file that was cut off is told. A plan holds what is to be
//! written and the inputs as the agents saw them; no keys, no signed addresses. Making it is left to
//! `run`, showing it to `review`, writing it to `apply`.

use crate::journal::{Deed, Stored};
use crate::runtime::{Engine, now};
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;
use wb_core::fault::{Fault, FaultKind};
use wb_core::filter::Known;
use wb_core::ids::{BuildId, DataHash, Millis, ProjectHash, StageId, TaskId};
use wb_core::queue::LastResult;
use wb_core::run::{Ending, Report};
use wb_core::work::{Patch, Project, TaskRow, TaskStatus, Way};

/// The form of the file that this version writes.
const FORM: u32 = 2;
/// Making a plan as small as can be takes longer than making it.
const COMPRESSION: Compression = Compression::fast();
/// Bytes that are packed together.
const PIECE: usize = 64 << 10;
/// The oldest form that it reads: without what follows from an outcome of the same plan.
const OLDEST: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Header {
    /// Version of the form.
    pub workbench_plan: u32,
    /// Identity of the plan: it is applied once.
    pub id: Uuid,
    /// The project it is for.
    pub project: ProjectHash,
    /// Its title, for people.
    pub project_title: String,
    /// Host name of the platform.
    pub upstream: String,
    /// When it was made.
    pub made: Millis,
    /// Version of the program that made it.
    pub workbench: String,
    /// Content hashes of the agent libraries.
    pub builds: Vec<String>,
}

/// One task.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct PlanLine {
    /// The task.
    pub task: TaskId,
    /// Its data unit.
    pub data: DataHash,
    /// Title of the data unit.
    pub title: String,
    /// Where it was.
    pub stage: StageId,
    /// Title of that stage.
    pub stage_title: String,
    branch: String,
    status: TaskStatus,
    created: Millis,
    updated: Millis,
    assignee: Option<String>,
    /// Content hash of the build it ran on.
    pub build: String,
    /// Attempts made.
    pub attempts: u32,
    /// How long the last one ran, in milliseconds.
    pub run_ms: f64,
    /// Where it goes.
    pub pathway: Option<String>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// What changes, for people.
    pub patch: Patch,
    /// The stage whose outcome in this plan its inputs rest on: it is written after that one. The
    /// task may have another identity by then; its data unit is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<StageId>,
    /// What is written; nothing for a task that failed or changes nothing.
    pub deed: Option<Stored>,
}

#[derive(Serialize, Deserialize)]
struct End {
    end: Found,
}

/// Counts of a plan.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Tasks.
    pub outcomes: u64,
    /// Of these, such that something would be written.
    pub changes: u64,
}

impl PlanLine {
    /// `moved`, `stayed` or `failed`, as in the lines of a run.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match (&self.fault, &self.pathway) {
            (Some(_), _) => "failed",
            (None, Some(_)) => "moved",
            (None, None) => "stayed",
        }
    }

    /// The task as a queue knows it, for filters.
    #[must_use]
    pub fn row(&self) -> TaskRow {
        TaskRow {
            id: self.task,
            data: self.data,
            created: self.created,
            updated: self.updated,
            title: self.title.as_str().into(),
            assignee: self.assignee.as_deref().map(Arc::from),
            last_actioned_by: None,
            branch: self.branch.as_str().into(),
            status: self.status,
        }
    }

    /// What it would set, for filters: the labels are those that it adds or changes.
    #[must_use]
    pub fn known(&self) -> Known {
        let mut labels = BTreeMap::new();
        for change in self.patch.labels.iter().filter(|c| c.sign != '-') {
            *labels.entry(change.name.clone()).or_insert(0) += 1;
        }
        Known {
            priority: self.patch.priority.map(|(_, after)| after),
            metadata: self.patch.metadata.clone(),
            labels: Some(labels),
        }
    }

    /// Its result as a queue knows it, for filters.
    #[must_use]
    pub fn result(&self) -> LastResult {
        let text = match (&self.fault, &self.pathway) {
            (Some(fault), _) => fault.summary.clone(),
            (None, Some(name)) => name.clone(),
            (None, None) => "stay".to_owned(),
        };
        LastResult {
            build: BuildId(0),
            text,
            failed: self.fault.is_some(),
            group: self.fault.as_ref().map(Fault::group_id),
            labels: self.patch.counts(),
            ms: self.run_ms,
            at: now(),
        }
    }
}

/// A plan that is being written. It appears under its name only when it is whole.
pub struct PlanFile {
    /// Packing small pieces, as JSON is written in, takes several times as long as packing them together.
    out: BufWriter<GzEncoder<BufWriter<File>>>,
    path: PathBuf,
    part: PathBuf,
    project: Arc<Project>,
    builds: Vec<(BuildId, String)>,
    found: Found,
    broken: Option<std::io::Error>,
}

impl PlanFile {
    /// Begins a plan of the engine's project.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path, engine: &Engine) -> Result<Self, Fault> {
        let Some(project) = engine.state.project.clone() else {
            return Err(Fault::new(FaultKind::Bug, "a plan without a project"));
        };
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part);
        let file = file.map_err(|e| {
            Fault::new(
                FaultKind::Usage,
                format!("-o {}: {e}; nothing was run", path.display()),
            )
        })?;
        let all = &engine.state.builds.all;
        let builds: Vec<(BuildId, String)> =
            all.iter().map(|b| (b.id, b.probed.hash.clone())).collect();
        let header = Header {
            workbench_plan: FORM,
            id: Uuid::new_v4(),
            project: project.hash,
            project_title: project.title.clone(),
            upstream: engine.state.options.upstream.clone(),
            made: now(),
            workbench: env!("CARGO_PKG_VERSION").to_owned(),
            builds: builds.iter().map(|(_, hash)| hash.clone()).collect(),
        };
        let out = GzEncoder::new(BufWriter::new(file), COMPRESSION);
        let out = BufWriter::with_capacity(PIECE, out);
        let path = path.to_owned();
        let mut plan = Self {
            out,
            path,
            part,
            project,
            builds,
            found: Found::default(),
            broken: None,
        };
        plan.line(&header);
        Ok(plan)
    }

    fn line(&mut self, line: &impl Serialize) {
        if self.broken.is_some() {
            return;
        }
        let written = serde_json::to_writer(&mut self.out, line).map_err(std::io::Error::from);
        self.broken = written.and_then(|()| self.out.write_all(b"\n")).err();
    }

    /// Adds a task. That the disk is full is told at the end.
    pub fn add(&mut self, report: &Report) {
        let deed = match (&report.outcome, &report.inputs, &report.ending) {
            (Some(outcome), Some(inputs), Ending::Moved | Ending::Stayed) => {
                wb_core::run::item(outcome, inputs, report.stage)
            }
            _ => None,
        };
        let (fault, outcome) = match &report.ending {
            Ending::Failed(fault) => (Some(fault.clone()), None),
            Ending::Conflict(by) => (Some(Fault::new(FaultKind::Upstream, by.clone())), None),
            Ending::Moved | Ending::Stayed => (None, report.outcome.as_ref()),
        };
        let stage = self.project.workflow.stage(report.stage);
        let build = self.builds.iter().find(|(id, _)| *id == report.build);
        #[allow(clippy::cast_precision_loss)] // milliseconds
        let run_ms = report.run_us as f64 / 1000.0;
        self.found.outcomes += 1;
        self.found.changes += u64::from(deed.is_some());
        let row = &report.row;
        self.line(&PlanLine {
            task: row.id,
            data: row.data,
            title: row.title.to_string(),
            stage: report.stage,
            stage_title: stage.map_or_else(String::new, |s| s.title.clone()),
            branch: row.branch.to_string(),
            status: row.status,
            created: row.created,
            updated: row.updated,
            assignee: row.assignee.as_deref().map(str::to_owned),
            build: build.map_or_else(String::new, |(_, hash)| hash.clone()),
            attempts: report.attempts,
            run_ms,
            pathway: outcome.and_then(|o| match &o.way {
                Way::Pathway { name, .. } => Some(name.clone()),
                Way::Stay => None,
            }),
            fault,
            patch: outcome.map(|o| o.patch.clone()).unwrap_or_default(),
            follows: report.follows,
            deed: deed.map(|item| Stored::whole(&Deed::new(item, &self.project))),
        });
    }

    /// Completes the file.
    ///
    /// # Errors
    /// It could not be written; nothing stands under its name then.
    pub fn finish(mut self) -> Result<Found, Fault> {
        let found = self.found;
        self.line(&End { end: found });
        let (path, part, broken) = (self.path, self.part, self.broken);
        let done = match broken {
            Some(error) => Err(error),
            None => packed(self.out).and_then(|out| {
                let file = out
                    .into_inner()
                    .map_err(std::io::IntoInnerError::into_error)?;
                file.sync_all()?;
                std::fs::rename(&part, &path)
            }),
        };
        match done {
            Ok(()) => Ok(found),
            Err(error) => {
                let _ = std::fs::remove_file(&part);
                let text = format!(
                    "the plan could not be written to {}: {error}",
                    path.display()
                );
                Err(Fault::new(FaultKind::Settings, text)
                    .hint("nothing was written upstream; make room and plan again"))
            }
        }
    }
}

/// The end of the packed stream.
fn packed(out: BufWriter<GzEncoder<BufWriter<File>>>) -> std::io::Result<BufWriter<File>> {
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .finish()
}

/// A plan that is being read.
pub struct Plan {
    /// Its header.
    pub header: Header,
    path: PathBuf,
    lines: Box<dyn BufRead>,
    ended: bool,
}

impl Plan {
    /// Opens a plan.
    ///
    /// # Errors
    /// There is no such file, it is no plan, or a newer workbench made it.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path).map_err(|e| {
            Fault::new(FaultKind::Usage, format!("{}: {e}", path.display()))
                .hint("make a plan first: workbench plan … -o FILE")
        })?;
        let lines: Box<dyn BufRead> =
            Box::new(BufReader::new(MultiGzDecoder::new(BufReader::new(file))));
        let no_plan = |why: String| {
            Fault::new(
                FaultKind::Usage,
                format!("{} is no plan: {why}", path.display()),
            )
            .hint("a plan is made by: workbench plan … -o FILE")
        };
        let mut first = String::new();
        let mut lines = lines;
        lines
            .read_line(&mut first)
            .map_err(|e| no_plan(e.to_string()))?;
        let value: serde_json::Value =
            serde_json::from_str(&first).map_err(|e| no_plan(e.to_string()))?;
        match value["workbench_plan"].as_u64() {
            Some(form) if (u64::from(OLDEST)..=u64::from(FORM)).contains(&form) => {}
            Some(form) => {
                let text = format!(
                    "{} has form {form}; this workbench reads forms {OLDEST} to {FORM}",
                    path.display()
                );
                return Err(Fault::new(FaultKind::Usage, text)
                    .hint("nothing was done; use the workbench that made it, or plan anew"));
            }
            None => return Err(no_plan("its first line is no header".to_owned())),
        }
        let header = serde_json::from_value(value).map_err(|e| no_plan(e.to_string()))?;
        Ok(Self {
            header,
            path: path.to_owned(),
            lines,
            ended: false,
        })
    }

    /// The next task; `None` after the last.
    ///
    /// # Errors
    /// The file is damaged or cut off.
    pub fn next(&mut self) -> Result<Option<PlanLine>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let mut text = String::new();
        let damaged = |why: String| {
            Fault::new(
                FaultKind::Usage,
                format!("{} is damaged: {why}", self.path.display()),
            )
            .hint("plan again, or fetch the file again from where it came")
        };
        let read = self
            .lines
            .read_line(&mut text)
            .map_err(|e| damaged(e.to_string()))?;
        if read == 0 {
            return Err(damaged("its end is missing".to_owned()));
        }
        if text.starts_with("{\"end\"") {
            self.ended = true;
            return Ok(None);
        }
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|e| damaged(e.to_string()))
    }

    /// Reads a plan to its end and back, so that a damaged one is found before anything is done.
    ///
    /// # Errors
    /// As [`Plan::next`].
    pub fn verified(path: &Path) -> Result<Self, Fault> {
        let mut plan = Self::open(path)?;
        while plan.next()?.is_some() {}
        Self::open(path)
    }
}
