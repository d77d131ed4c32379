//! A plan that is being written: packed as it grows, under its own name only once it is whole.

use super::digest::{Digest, Digesting};
use super::*;
use crate::files::OutFile;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use wb_core::run::{Ending, Report};
use wb_core::state::State;
use wb_core::work::Project;

/// Making a plan as small as can be takes longer than making it.
const COMPRESSION: Compression = Compression::fast();
/// Bytes that are packed together.
const PIECE: usize = 64 << 10;

/// Packing small pieces, as JSON is written in, takes several times as long as packing them together.
type Packing = BufWriter<Digesting<GzEncoder<OutFile>>>;

/// A plan that is being written. It appears under its name only when it is whole.
pub struct PlanFile {
    out: Packing,
    path: PathBuf,
    builds: Vec<(BuildId, String)>,
    found: Found,
    broken: Option<std::io::Error>,
}

impl PlanFile {
    /// Begins a plan of the state's project.
    ///
    /// # Errors
    /// There is no project yet.
    pub fn of_state(path: &Path, file: OutFile, state: &State) -> Result<Self, Error> {
        let Some(project) = &state.project else {
            return Err(Error::new(ErrorKind::Bug, "a plan without a project"));
        };
        let builds = state.builds.all.iter();
        let builds = builds.map(|b| (b.id, b.probed.hash.clone())).collect();
        Ok(Self::new(
            path,
            file,
            project,
            builds,
            &state.options.upstream,
        ))
    }

    /// Begins a plan with outcomes of these builds, each with its content hash.
    #[must_use]
    pub fn new(
        path: &Path,
        file: OutFile,
        project: &Project,
        builds: Vec<(BuildId, String)>,
        upstream: &str,
    ) -> Self {
        let header = Header {
            workbench_plan: FORMAT,
            id: Uuid::new_v4(),
            project: project.hash,
            project_title: project.title.clone(),
            upstream: upstream.to_owned(),
            made: now(),
            workbench: env!("CARGO_PKG_VERSION").to_owned(),
            builds: builds.iter().map(|(_, hash)| hash.clone()).collect(),
            stages: project.workflow.stages.clone(),
            ontology: project.doc.ontology.clone(),
        };
        let mut plan = Self {
            out: packing(file),
            path: path.to_owned(),
            builds,
            found: Found::default(),
            broken: None,
        };
        plan.line(&header);
        plan
    }

    fn line(&mut self, line: &impl Serialize) {
        if self.broken.is_none() {
            self.broken = write_line(&mut self.out, line).err();
        }
    }

    /// Adds a task. A full disk is reported at the end.
    pub fn add(&mut self, report: &Report) {
        let item = match (&report.outcome, &report.inputs, &report.ending) {
            (Some(outcome), Some(inputs), Ending::Moved | Ending::Stayed) => {
                wb_core::run::item(outcome, inputs, report.stage)
            }
            _ => None,
        };
        let error = match &report.ending {
            Ending::Failed(error) => Some(error.clone()),
            Ending::Conflict(by) => Some(Error::new(ErrorKind::Upstream, by.clone())),
            Ending::Moved | Ending::Stayed => None,
        };
        let build = self.builds.iter().find(|(id, _)| *id == report.build);
        #[allow(clippy::cast_precision_loss)] // milliseconds
        let run_ms = report.run_us as f64 / 1000.0;
        self.found.outcomes += 1;
        self.found.changes += u64::from(item.is_some());
        let row = &report.row;
        self.line(&PlanLine {
            task: row.id,
            data: row.data,
            title: row.title.to_string(),
            stage: report.stage,
            branch: row.branch.to_string(),
            status: row.status,
            created: row.created,
            updated: row.updated,
            assignee: row.assignee.as_deref().map(str::to_owned),
            build: build.map_or_else(String::new, |(_, hash)| hash.clone()),
            attempts: report.attempts,
            run_ms,
            error,
            follows: report.follows,
            change: item.map(|change| change.whole()),
            stage_title: String::new(),
            way: Route::Stay,
            route: None,
        });
    }

    /// Completes the file.
    ///
    /// # Errors
    /// It could not be written; what was under its name is still there.
    pub fn finish(self) -> Result<Found, Error> {
        let done = match self.broken {
            Some(error) => Err(error),
            None => completed(self.out, self.found).and_then(OutFile::finish),
        };
        done.map(|()| self.found).map_err(|error| {
            let text = format!(
                "the plan could not be written to {}: {error}",
                self.path.display()
            );
            Error::new(ErrorKind::Settings, text)
                .hint("nothing was written upstream; make room and plan again")
        })
    }
}

pub(super) fn packing(file: OutFile) -> Packing {
    let inner = GzEncoder::new(file, COMPRESSION);
    let digest = Digest::default();
    BufWriter::with_capacity(PIECE, Digesting { inner, digest })
}

pub(super) fn write_line(out: &mut Packing, line: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Adds the footer, and ends the packed stream.
pub(super) fn completed(mut out: Packing, found: Found) -> std::io::Result<OutFile> {
    out.flush()?;
    let sha256 = out.get_ref().digest.text();
    write_line(&mut out, &Footer { end: found, sha256 })?;
    let packed = out.into_inner().map_err(IntoInnerError::into_error)?;
    packed.inner.finish()
}
