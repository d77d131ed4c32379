//! Plans: the outcomes of a run with every write held, in one portable file.
//!
//! Gzip over lines of JSON: a header with the form's version, one line for each task, and a last
//! line with the counts, by which a file that was cut off is told. A plan holds what is to be
//! written and the inputs as the agents saw them; no keys, no signed addresses. Making it is left to
//! `run`, showing it to `review`, writing it to `apply`.

mod file;

pub use file::PlanFile;

use crate::journal::{Deed, Stored};
use crate::runtime::{Engine, now};
use flate2::bufread::MultiGzDecoder;
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
        let file = wb_host::open_regular(path).map_err(|e| {
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
