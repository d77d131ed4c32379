//! Output lines of a run: one JSON object a task, and a summary; and where they go.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use wb_core::event::NetStats;
use wb_core::fault::{Fault, FaultKind};
use wb_core::run::{Ending, Report, Totals};
use wb_core::work::Way;

/// The line of one task; `patch` is given in a dry run.
#[must_use]
pub fn line(report: &Report, dry: bool) -> Value {
    let (pathway_uuid, pathway_name) = match report.outcome.as_ref().map(|o| &o.way) {
        Some(Way::Pathway { id, name, .. }) => (json!(id), json!(name)),
        _ => (Value::Null, Value::Null),
    };
    let (outcome, fault) = match &report.ending {
        Ending::Moved => ("moved", Value::Null),
        Ending::Stayed => ("stayed", Value::Null),
        Ending::Failed(fault) => ("failed", json!(fault)),
        Ending::Conflict(by) => ("conflict", json!({"kind": "conflict", "summary": by})),
    };
    #[allow(clippy::cast_precision_loss)] // milliseconds
    let run_ms = report.run_us as f64 / 1000.0;
    let mut line = json!({
        "task_uuid": report.row.id,
        "data_hash": report.row.data,
        "data_title": report.row.title,
        "stage_uuid": report.stage,
        "attempts": report.attempts,
        "outcome": outcome,
        "pathway_uuid": pathway_uuid,
        "pathway_name": pathway_name,
        "fault": fault,
        "run_ms": run_ms,
    });
    if let (true, Some(outcome)) = (dry, &report.outcome) {
        line["patch"] = json!(outcome.patch);
    }
    line
}

/// The last line.
#[must_use]
pub fn summary(totals: &Totals, net: NetStats, wall_s: f64) -> Value {
    json!({"summary": {
        "tasks": totals.tasks,
        "moved": totals.moved,
        "stayed": totals.stayed,
        "failed": totals.failed,
        "conflicts": totals.conflicts,
        "writes": net.writes,
        "requests": net.requests,
        "wall_s": (wall_s * 1000.0).round() / 1000.0,
    }})
}

/// The last line for a person.
#[must_use]
pub fn sentence(totals: &Totals, net: NetStats, wall_s: f64, dry: bool) -> String {
    let mut parts = vec![format!("{} tasks in {wall_s:.1} s", totals.tasks)];
    for (n, word) in [
        (totals.moved, "moved"),
        (totals.stayed, "stayed"),
        (totals.failed, "failed"),
        (totals.conflicts, "left: changed by others"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    parts.push(if dry {
        "dry run: nothing was written".to_owned()
    } else {
        format!("{} writing requests", net.writes)
    });
    parts.join(" · ")
}

/// Where task lines go.
pub struct Output {
    stdout: bool,
    file: Option<BufWriter<File>>,
}

impl Output {
    /// To stdout, to a file, both or nowhere.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(stdout: bool, file: Option<&Path>) -> Result<Self, Fault> {
        let file = file.map(File::create).transpose().map_err(|e| {
            Fault::new(
                FaultKind::Usage,
                format!("--jsonl: cannot write the file: {e}; nothing was run"),
            )
        })?;
        Ok(Self {
            stdout,
            file: file.map(BufWriter::new),
        })
    }

    /// Writes a line, which is made only when somebody wants it.
    pub fn write(&mut self, line: &dyn Fn() -> Value) {
        if !self.stdout && self.file.is_none() {
            return;
        }
        let mut text = line().to_string();
        text.push('\n');
        // Whoever read our lines may be gone; the work itself goes on.
        if self.stdout && std::io::stdout().lock().write_all(text.as_bytes()).is_err() {
            self.stdout = false;
        }
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(text.as_bytes())
        {
            eprintln!("workbench: --jsonl: {error}; the run goes on without that file");
            self.file = None;
        }
    }

    /// No more lines.
    pub fn end(&mut self) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.flush()
        {
            eprintln!("workbench: --jsonl: {error}; the file is incomplete");
        }
    }
}
