//! The state in plain lines, for what is no terminal: a pipe, a log, `--plain`.

use crate::chrome::mode;
use crate::screens::flow::{agent_word, count, ways};
use crate::text::{clean, left, number, plural, right, width};
use wb_core::build::BuildStatus;
use wb_core::state::State;

/// What a non-terminal is shown: project, mode, builds, stages with their counts, run, what is
/// held. Plain text without control codes; lines end with `\n`.
#[must_use]
pub fn plain_summary(state: &State) -> String {
    let mut out = String::new();
    let mut say = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    let Some(project) = &state.project else {
        match &state.project_fault {
            Some(fault) => {
                say(format!(
                    "The project could not be loaded: {}",
                    clean(&fault.summary)
                ));
                for hint in &fault.hints {
                    say(format!("  try: {}", clean(hint)));
                }
            }
            None => say(format!(
                "Loading the project from {}…",
                clean(&state.options.upstream)
            )),
        }
        return out;
    };
    say(format!(
        "{} ({}) · {} · {}",
        clean(&project.title),
        project.hash,
        clean(&state.options.upstream),
        mode(state)
    ));
    for build in state
        .builds
        .all
        .iter()
        .filter(|b| b.status == BuildStatus::Active)
    {
        say(format!(
            "build {} in charge of {}: {}",
            build.id,
            plural(build.stages.len(), "stage"),
            clean(&build.probed.descriptor.name)
        ));
    }
    if state.builds.active().is_none() {
        say("no agents loaded".into());
    }
    if let Some((reason, _)) = &state.rejected {
        say(format!("newest library refused: {}", clean(reason)));
    }
    say(String::new());
    let title_w = project
        .workflow
        .stages
        .iter()
        .map(|s| width(&clean(&s.title)))
        .max()
        .unwrap_or(5)
        .clamp(5, 40);
    for stage in &project.workflow.stages {
        let agent = agent_word(state, stage).map_or_else(String::new, |(text, _)| text);
        say(format!(
            "{} {}  {} {}",
            left(&stage.title, title_w),
            right(&count(state, stage.id), 11),
            left(&agent, 24),
            ways(&project.workflow, stage)
        ));
    }
    if let Some(run) = &state.run {
        let t = &run.totals;
        say(String::new());
        say(format!(
            "run {} {}: {} · {} moved · {} stayed · {} failed · {} conflicts",
            run.id,
            if run.is_over() {
                "finished"
            } else {
                "under way"
            },
            plural(usize::try_from(t.tasks).unwrap_or(0), "task"),
            number(t.moved),
            number(t.stayed),
            number(t.failed),
            number(t.conflicts)
        ));
    }
    if !state.held.is_empty() {
        say(format!(
            "{} held for review; nothing of them was written",
            plural(state.held.len(), "outcome")
        ));
    }
    out
}
