//! Output lines of a run: one JSON object a task, and a summary; and where they go.

use crate::print;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_core::event::NetStats;
use wb_core::run::{Ending, ErrorGroup, Report, Totals};
use wb_core::state::shell;
use wb_core::work::Route;
use wb_engine::config::Config;
use wb_engine::files::{self, OutFile};
use wb_engine::flags::Flags;
use wb_ui::text::{clean, plural};

/// The line of one task; `patch` is given in a dry run.
#[must_use]
pub fn line(report: &Report, dry: bool) -> Value {
    let (outcome, error) = match &report.ending {
        Ending::Moved => ("moved", Value::Null),
        Ending::Stayed => ("stayed", Value::Null),
        Ending::Failed(error) => ("failed", named(error, report.attempts)),
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
        "fault": error,
        "run_ms": run_ms,
    });
    add_route(&mut line, report.outcome.as_ref().map(|o| &o.way));
    if let (true, Some(outcome)) = (dry, &report.outcome) {
        line["patch"] = json!(outcome.patch);
    }
    if let Some(stage) = report.follows {
        line["follows_stage_uuid"] = json!(stage);
    }
    line
}

/// Where a task goes, as fields of its line: the pathway, or the stage that it is moved to without one.
pub fn add_route(line: &mut Value, way: Option<&Route>) {
    line["pathway_uuid"] = json!(way.and_then(Route::pathway));
    line["pathway_name"] = match way {
        Some(Route::Pathway { name, .. }) => json!(name),
        _ => Value::Null,
    };
    if let Some(Route::Stage { id, title }) = way {
        line["to_stage_uuid"] = json!(id);
        line["to_stage_title"] = json!(title);
    }
}

/// An error with the name of its group, as `--filter fault:…` takes it, and whether it came after other attempts.
#[must_use]
pub fn named(error: &Error, attempts: u32) -> Value {
    let mut value = json!(error);
    value["retried"] = json!(attempts > 1);
    value["group"] = json!(group_name(error.group_id()));
    value
}

/// The name of a group of failures.
#[must_use]
pub fn group_name(id: u32) -> String {
    format!("{id:08x}")
}

/// `1 task`, `3 tasks`.
#[must_use]
pub fn tasks(n: u64) -> String {
    plural(n, "task")
}

/// Groups that are printed; a report lists all.
const PRINTED: usize = 5;

/// Failures in groups, the largest first, for a person.
#[must_use]
pub fn groups(totals: &Totals) -> Vec<String> {
    let mut lines: Vec<String> = totals
        .groups
        .iter()
        .take(PRINTED)
        .map(|group| {
            let reason = group.first.reason();
            let reason = reason.map(|reason| format!("\n  {}", clean(&reason)));
            format!(
                "failed ({}, fault:{}): {} — first: {}{}",
                tasks(group.count),
                group_name(group.id),
                clean(&group.first.summary),
                clean(&group.title),
                reason.unwrap_or_default()
            )
        })
        .collect();
    if totals.groups.len() > PRINTED {
        let more = plural(totals.groups.len() - PRINTED, "more group");
        lines.push(format!(
            "and {more} of failures; --report and --json list all"
        ));
    }
    lines
}

/// What a run that writes nothing could not follow.
#[must_use]
pub fn not_carried(tasks: u64) -> String {
    format!(
        "{} would go on to a later stage of this run without being followed there: an agent sees \
         only a part of the labels, so that what it would be given is known once the first stage is written.",
        self::tasks(tasks)
    )
}

/// What later stages of a run that writes nothing could not see.
#[must_use]
pub fn further_unseen(n: u64) -> String {
    let those = tasks(n);
    format!(
        "{those} went on to a later stage of this run, which saw their own rows as this run changes them, but not what \
         their outcomes change beyond these: other rows, tasks and items are as they are now."
    )
}

/// This command up to its filter, as a shell takes it.
#[must_use]
pub fn again(flags: &Flags, config: &Config) -> String {
    let mut words = vec!["run".to_owned()];
    if let Some(project) = &config.project {
        words.extend(["--project-hash".to_owned(), project.value.clone()]);
    }
    for path in &config.agents.value {
        words.extend(["--agents".to_owned(), path.display().to_string()]);
    }
    if let Some(file) = &flags.config {
        words.extend(["--config".to_owned(), file.display().to_string()]);
    }
    for title in flags.confirmed() {
        words.extend(["--confirm".to_owned(), title.clone()]);
    }
    format!("workbench {}", clean(&shell::quoted(&words)))
}

/// The commands that run failed tasks again: all of them, and where there are several, a group.
#[must_use]
pub fn retries(totals: &Totals, again: &str, dry: bool) -> Vec<String> {
    let held = if dry { " --dry-run" } else { "" };
    let all = format!("{again}{held} --filter result:error");
    match totals.groups.as_slice() {
        [] => Vec::new(),
        [_] => vec![all],
        [largest, ..] => {
            let one = format!("{again}{held} --filter fault:{}", group_name(largest.id));
            vec![all, one]
        }
    }
}

/// The last line.
#[must_use]
pub fn summary(totals: &Totals, in_part: usize, net: NetStats, wall_s: f64) -> Value {
    json!({"summary": {
        "tasks": totals.tasks,
        "moved": totals.moved,
        "stayed": totals.stayed,
        "failed": totals.failed,
        "conflicts": totals.conflicts,
        "in_part": in_part,
        "already_there": totals.already_there,
        "writes": net.writes,
        "requests": net.requests,
        "wall_s": (wall_s * 1000.0).round() / 1000.0,
        "groups": totals.groups.iter().map(group).collect::<Vec<_>>(),
    }})
}

fn group(group: &ErrorGroup) -> Value {
    json!({
        "fault": group_name(group.id),
        "kind": group.first.kind,
        "summary": group.first.summary,
        "tasks": group.count,
        "first_task_uuid": group.task,
        "first_title": group.title,
    })
}

/// The last line for a person.
#[must_use]
pub fn sentence(totals: &Totals, net: NetStats, wall_s: f64, dry: bool) -> String {
    let mut parts = vec![format!("{} in {wall_s:.1} s", tasks(totals.tasks))];
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
    if totals.already_there > 0 {
        let labels = usize::try_from(totals.already_there).unwrap_or(usize::MAX);
        let labels = plural(labels, "label");
        parts.push(format!("{labels} there already, not added again"));
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
    file: Option<OutFile>,
    path: PathBuf,
    /// Why lines are missing.
    broken: Option<Error>,
}

impl Output {
    /// To stdout, to a file, both or nowhere.
    ///
    /// # Errors
    /// The file cannot be made.
    pub async fn new(stdout: bool, path: Option<&Path>) -> Result<Self, Error> {
        let file = match path {
            Some(path) => Some(files::begin("--jsonl", path).await?),
            None => None,
        };
        Ok(Self {
            stdout,
            file,
            path: path.unwrap_or(Path::new("")).to_owned(),
            broken: None,
        })
    }

    /// Writes a line, which is made only where it is printed.
    pub fn write(&mut self, line: &dyn Fn() -> Value) {
        if !self.stdout && self.file.is_none() {
            return;
        }
        let mut text = wb_core::text::json(&line().to_string()).into_owned();
        text.push('\n');
        if self.stdout {
            let written = std::io::stdout().lock().write_all(text.as_bytes());
            self.stdout = print::kept(written);
        }
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(text.as_bytes())
        {
            self.file = None;
            self.lost(&error);
        }
    }

    /// A pass of several is over: its lines can be read from now on.
    pub fn pass_over(&mut self) {
        if let Some(file) = self.file.take() {
            match file.publish() {
                Ok(file) => self.file = Some(file),
                Err(error) => self.lost(&error),
            }
        }
    }

    /// No more lines.
    ///
    /// # Errors
    /// Some could not be written.
    pub fn end(&mut self) -> Result<(), Error> {
        if let Some(file) = self.file.take()
            && let Err(error) = file.finish()
        {
            self.lost(&error);
        }
        self.broken.take().map_or(Ok(()), Err)
    }

    /// The work itself goes on.
    fn lost(&mut self, error: &std::io::Error) {
        let text = format!(
            "--jsonl: cannot write {}: {error}; its lines are incomplete, the work itself is done",
            self.path.display()
        );
        self.broken = Some(Error::new(ErrorKind::Settings, text));
    }
}
