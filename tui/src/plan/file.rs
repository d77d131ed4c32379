//! A plan that is being written: packed as it grows, under its own name only once it is whole.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Making a plan as small as can be takes longer than making it.
const COMPRESSION: Compression = Compression::fast();
/// Bytes that are packed together.
const PIECE: usize = 64 << 10;

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
