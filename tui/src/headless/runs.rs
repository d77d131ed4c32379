//! `workbench runs`: the runs of this folder, and forgetting old ones.

use crate::cli::{Global, RunsArgs};
use serde_json::{Value, json};
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::counted::plural;
use wb_core::error::Error;
use wb_engine::background;
use wb_engine::runtime::now;
use wb_ui::text::clean;

/// `workbench runs`
///
/// # Errors
/// Old ones cannot be removed.
pub fn runs(global: &Global, args: &RunsArgs) -> Result<(), Error> {
    if let Some(keep) = args.prune {
        let forgotten = background::prune(keep, now().0)?;
        notice!(
            "Forgot {}; what is under way stays, and so does the newest.",
            plural(forgotten, "run")
        );
        return Ok(());
    }
    let all = background::all();
    for run in &all {
        match global.json {
            true => out!("{}", object(run)),
            false => out!("{}", sentence(run)),
        }
    }
    if all.is_empty() {
        notice!("No run of this folder is known.");
    }
    Ok(())
}

/// What a run writes, in a word or two.
const fn kind(run: &BackgroundRun) -> &'static str {
    match run.holds {
        true => "dry run",
        false => "run",
    }
}

/// A run as a JSON object.
pub(super) fn object(run: &BackgroundRun) -> Value {
    json!({
        "run": run.run, "kind": kind(run).replace(' ', "_"), "background": run.background,
        "project": run.project, "stage_uuids": run.stage_uuids, "stage": run.stage,
        "began": wb_client::rfc3339(run.began), "ended": run.ended.map(wb_client::rfc3339),
        "done": run.done, "all": run.all, "failed": run.failed, "rate": (run.rate * 100.0).round() / 100.0,
        "state": run.state.word(), "pid": run.pid, "exit_code": run.exit_code, "summary": run.summary,
    })
}

/// A run in a line.
fn sentence(run: &BackgroundRun) -> String {
    format!(
        "{:>5}  {}  {:7}  {}  {}  {}",
        run.run,
        wb_client::rfc3339(run.began),
        kind(run),
        clean(&run.stage),
        figures(run),
        ending(run)
    )
}

/// How far it is: `4,120 of 10,000 · 31/s · 2 failed`.
pub(super) fn figures(run: &BackgroundRun) -> String {
    let mut text = run.progress();
    if run.state.is_alive() {
        text.push_str(&format!(" · {:.0}/s", run.rate));
    }
    if run.failed > 0 {
        text.push_str(&format!(" · {} failed", run.failed));
    }
    text
}

/// Where it is, and the command that helps.
fn ending(run: &BackgroundRun) -> String {
    let (word, number) = (run.state.word(), run.run);
    match run.state {
        BackgroundState::Running => format!("{word} (pid {}): workbench attach {number}", run.pid),
        BackgroundState::Stopping => format!("{word} (pid {})", run.pid),
        BackgroundState::Finished => word.to_owned(),
        BackgroundState::Stopped => match run.exit_code {
            Some(code) => format!("{word} (exit code {code})"),
            None => word.to_owned(),
        },
        BackgroundState::Died => format!("{word}: {}", after_death(run)),
    }
}

/// How a run goes on whose process is gone.
pub(super) const fn after_death(run: &BackgroundRun) -> &'static str {
    match run.holds {
        true => "what it held is kept for review; run the other tasks again",
        false => "`workbench resume` finishes what was written in part, and goes on",
    }
}
