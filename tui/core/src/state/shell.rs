//! The shell command that does what a person does on screen, as words.
//!
//! Kept in the journal and shown before a write. Words hold no secrets: credentials are never flags.

use super::{Level, State};
use crate::ids::TaskId;
use crate::run::{OnConflict, RunSpec, Source};
use std::collections::BTreeMap;

/// Every command names its project and its libraries; a protected project is confirmed.
fn common(state: &State, agents: bool) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(project) = &state.project {
        words.extend(["--project-hash".to_owned(), project.hash.to_string()]);
        if state.options.level == Some(Level::Protected) {
            words.extend(["--confirm".to_owned(), project.title.clone()]);
        }
    }
    for path in state.options.agents.iter().filter(|_| agents) {
        words.extend(["--agents".to_owned(), path.clone()]);
    }
    words
}

/// `run` over these tasks of one stage or several.
fn run_tasks(state: &State, stages: &[&str], tasks: impl Iterator<Item = TaskId>) -> Vec<String> {
    let mut words = vec!["run".to_owned()];
    words.extend(common(state, true));
    for stage in stages {
        words.extend(["--stage".to_owned(), (*stage).to_owned()]);
    }
    for task in tasks {
        words.extend(["--task".to_owned(), task.to_string()]);
    }
    words
}

/// A commit of held outcomes: the same tasks, run and written.
#[must_use]
pub fn commit(state: &State, tasks: &[TaskId], overwrite: bool) -> Vec<String> {
    let mut stages: BTreeMap<_, &str> = BTreeMap::new();
    let open = state.step.as_ref().filter(|s| tasks.contains(&s.row.id));
    let held = tasks.iter().filter_map(|t| state.held.get(t));
    for stage in held.map(|h| h.stage).chain(open.map(|s| s.stage)) {
        stages.insert(stage, state.stage_title(stage));
    }
    let stages: Vec<&str> = stages.into_values().collect();
    let mut words = run_tasks(state, &stages, tasks.iter().copied());
    if overwrite {
        words.extend(["--on-conflict", "overwrite"].map(str::to_owned));
    }
    words
}

/// A run; without `live` every write is held.
#[must_use]
pub fn run(state: &State, spec: &RunSpec, live: bool) -> Vec<String> {
    let mut words = match &spec.source {
        Source::Stages(stages) => {
            let stages: Vec<&str> = stages.iter().map(|s| state.stage_title(*s)).collect();
            run_tasks(state, &stages, std::iter::empty())
        }
        Source::Tasks(stage, rows) => run_tasks(
            state,
            &[state.stage_title(*stage)],
            rows.iter().map(|r| r.id),
        ),
    };
    let mut chosen: Vec<TaskId> = spec.chosen.iter().flat_map(|c| c.iter().copied()).collect();
    chosen.sort_unstable();
    for task in chosen {
        words.extend(["--task".to_owned(), task.to_string()]);
    }
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let Some(max) = spec.max_tasks {
        flag("--max-tasks-per-stage", max.to_string());
    }
    if spec.concurrency > 1 {
        flag("--concurrency", spec.concurrency.to_string());
    }
    match spec.on_conflict {
        OnConflict::Skip => {}
        OnConflict::Rerun => flag("--on-conflict", "rerun".into()),
        OnConflict::Overwrite => flag("--on-conflict", "overwrite".into()),
    }
    if !live {
        words.push("--dry-run".into());
    }
    words
}

/// An undo of an operation.
#[must_use]
pub fn undo(state: &State, op: i64) -> Vec<String> {
    let mut words = vec!["undo".to_owned(), op.to_string()];
    words.extend(common(state, false));
    words
}

/// The command that finishes what interrupted ones had begun, and goes on with the newest of them.
#[must_use]
pub fn resume(state: &State) -> Vec<String> {
    let mut words = vec!["resume".to_owned()];
    words.extend(common(state, false));
    words
}

/// Words as a shell takes them.
#[must_use]
pub fn quoted(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let words = words.iter().map(|w| {
        if !w.is_empty() && w.chars().all(plain) {
            w.clone()
        } else {
            format!("'{}'", w.replace('\'', "'\\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_takes_them() {
        let words = ["run", "--stage", "Agent 1", "it's", ""].map(str::to_owned);
        assert_eq!(quoted(&words), "run --stage 'Agent 1' 'it'\\''s' ''");
    }
}
