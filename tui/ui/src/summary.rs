//! The state in plain lines, for pipes, logs and `--plain`.

use crate::Ui;
use crate::chrome::{doing, mode};
use crate::screens::flow::{agent_word, count, routes};
use crate::text::{clean, fit, left, number, plural, right, width};
use wb_core::build::BuildStatus;
use wb_core::state::State;
use wb_core::work::Project;
use wb_core::workflow::Stage;

/// The screen's replacement without a terminal: project, mode, builds, stages with their counts, run, what is
/// held. Plain text without control codes; lines end with `\n`.
#[must_use]
pub fn plain_summary(state: &State) -> String {
    let lines = match &state.project {
        Some(project) => {
            let mut lines = head(state, project);
            lines.push(String::new());
            lines.extend(stages(state, project));
            lines.extend(work(state));
            lines
        }
        None => no_project(state),
    };
    lines
        .iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The title of the terminal's window: project, mode, what is under way.
pub fn window_title(ui: &Ui, state: &State) -> String {
    let title = state.project.as_ref();
    let title = title.map_or("no project", |p| p.title.as_str());
    let mut all = format!("workbench: {} · {}", fit(title, 40), mode(state));
    if let Some(((text, _), _)) = doing(ui, state) {
        all.push_str(&format!(" · {text}"));
    }
    all
}

fn no_project(state: &State) -> Vec<String> {
    let Some(error) = &state.project_error else {
        return vec![format!(
            "Loading the project from {}…",
            clean(&state.options.upstream)
        )];
    };
    let first = format!("The project could not be loaded: {}", clean(&error.summary));
    let hints = error
        .hints
        .iter()
        .map(|hint| format!("  try: {}", clean(hint)));
    std::iter::once(first).chain(hints).collect()
}

/// Project, mode, libraries.
fn head(state: &State, project: &Project) -> Vec<String> {
    let (title, upstream) = (clean(&project.title), clean(&state.options.upstream));
    let mut all = vec![format!(
        "{title} ({}) · {upstream} · {}",
        project.hash,
        mode(state)
    )];
    let active = state
        .builds
        .all
        .iter()
        .filter(|b| b.status == BuildStatus::Active);
    all.extend(active.map(|build| {
        let stages = plural(build.stages.len(), "stage");
        let name = clean(&build.probed.descriptor.name).into_owned();
        format!("build {} active for {stages}: {name}", build.id)
    }));
    if state.builds.active().is_none() {
        all.push("no agents loaded".into());
    }
    if let Some(newest) = state.refused.all().last() {
        let reason = clean(&newest.error.summary);
        all.push(format!("newest library refused: {reason}"));
    }
    all
}

fn stages(state: &State, project: &Project) -> Vec<String> {
    let flow = &project.workflow;
    let widths = flow.stages.iter().map(|s| width(&clean(&s.title)));
    let title_w = widths.max().unwrap_or(5).clamp(5, 40);
    let line = |stage: &Stage| {
        let agent = agent_word(state, stage).map_or_else(String::new, |(text, _)| text);
        let (title, count) = (
            left(&stage.title, title_w),
            right(&count(state, stage.id), 11),
        );
        format!(
            "{title} {count}  {} {}",
            left(&agent, 24),
            routes(flow, stage)
        )
    };
    flow.stages.iter().map(line).collect()
}

/// The newest run and what is held.
fn work(state: &State) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(run) = &state.run {
        let t = &run.totals;
        let word = if run.is_over() {
            "finished"
        } else {
            "in progress"
        };
        let tasks = plural(usize::try_from(t.tasks).unwrap_or(0), "task");
        let [moved, stayed, failed, conflicts] =
            [t.moved, t.stayed, t.failed, t.conflicts].map(number);
        all.push(String::new());
        all.push(format!(
            "run {} {word}: {tasks} · {moved} moved · {stayed} stayed · {failed} failed · {conflicts} conflicts",
            run.id
        ));
    }
    if !state.held.is_empty() {
        let held = plural(state.held.len(), "outcome");
        all.push(format!("{held} held for review; none of them was written"));
    }
    all
}
