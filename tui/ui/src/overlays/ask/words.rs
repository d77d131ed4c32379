//! The text of each question: title, what yes does, the words of both answers.

use super::Ask;
use crate::text::{clean, counted, fit, number, plural};
use wb_core::background::BackgroundRun;
use wb_core::ids::TaskId;
use wb_core::journal::{Restore, Undoing};
use wb_core::run::{RunSpec, Source};
use wb_core::state::State;
use wb_core::state::shell;

/// Title, text and the words of the two answers.
type Words = (String, Vec<String>, &'static str, &'static str);

pub(super) fn words(ask: &Ask, state: &State) -> Words {
    let project = state
        .project
        .as_ref()
        .map_or_else(String::new, |p| clean(&p.title).into_owned());
    match ask {
        Ask::Commit(tasks) => {
            let title = format!("Commit {} to \"{project}\"?", plural(tasks.len(), "task"));
            let mut text = will_send(tasks, state);
            text.push("Each row is checked again just before it is written; rows changed by others are skipped and listed.".into());
            text.push(same_from_a_script(&shell::commit(state, tasks, false)));
            (title, text, "write it", "not now")
        }
        Ask::Live => (
            format!("Go LIVE on \"{project}\"?"),
            vec![
                "LIVE runs write each batch as it finishes: labels, priorities, moves. There is no review before it.".into(),
                live_words(state),
                "Stepping one task still asks before it writes. {key:Mode} goes back to HOLD at any time.".into(),
            ],
            "go live",
            "stay in HOLD",
        ),
        Ask::Quit => {
            let keeps = state.options.keeps_held && !(state.held.is_empty() && state.conflicts.is_empty());
            let yes = if keeps { "quit and keep them" } else { "quit" };
            ("Quit the workbench?".into(), what_a_quit_ends(state), yes, "stay")
        }
        Ask::Run(spec) => run_words(spec, state),
        Ask::Drop(tasks) => (
            format!("Discard {}?", plural(tasks.len(), "held outcome")),
            vec!["Nothing has been written, and nothing will be. The tasks stay where they are and can be run again.".into()],
            "discard",
            "keep",
        ),
        Ask::Retry(stage, rows) => (
            format!("LIVE: run {} of {} again and write them?", plural(rows.len(), "task"), clean(state.stage_title(*stage))),
            vec!["Each batch is written to the platform as it finishes, without review.".into()],
            "run and write",
            "not now",
        ),
        Ask::Overwrite(tasks) => (
            format!("Overwrite changes by others in {}?", plural(tasks.len(), "task")),
            vec![
                "Our labels replace theirs: whatever they drew since our agent read these rows is removed. The journal keeps it, so an undo restores it.".into(),
                "The tasks then go where our outcome sends them.".into(),
                same_from_a_script(&shell::commit(state, tasks, true)),
            ],
            "overwrite",
            "not now",
        ),
        Ask::Undo(op) => undo_words(*op, state),
        Ask::Finish => finish_words(state),
        Ask::StopBackground(run) => stop_words(*run, state),
    }
}

fn stop_words(number: u64, state: &State) -> Words {
    let run = state.background.iter().find(|run| run.run == number);
    let name = run.map_or_else(|| format!("run #{number}"), BackgroundRun::name);
    let mut text = Vec::new();
    if let Some(run) = run {
        let (stage, progress) = (clean(&run.stage), run.progress());
        text.push(format!("It is at {stage}: {progress} tasks."));
    }
    text.push("What is under way finishes; it takes no further tasks. The others stay where they are and can be run again.".into());
    (format!("Stop {name}?"), text, "stop it", "let it go on")
}

fn what_a_quit_ends(state: &State) -> Vec<String> {
    let mut text = Vec::new();
    if state.busy() {
        let running = "Something is running. It will be cancelled; its tasks stay where they are.";
        text.push(running.to_owned());
    }
    if state.run.as_ref().is_some_and(|run| !run.is_over()) {
        text.push(match state.can_go_on_in_background() {
            Ok(()) => {
                "{key:GoOnInBackground} lets the run go on in the background and quits.".into()
            }
            Err(why) => format!("The run cannot go on in the background: {why}."),
        });
    }
    if state.commit.as_ref().is_some_and(|c| c.ended.is_none()) {
        text.push(
            "A commit is in progress: what was already sent is written, the rest is not sent."
                .into(),
        );
    }
    let held = state.held.len() + state.conflicts.len();
    if held > 0 {
        let outcomes = plural(held, "outcome");
        text.push(match state.options.keeps_held {
            true => format!("{outcomes} held for review: kept for the next start in this folder. Nothing of it was written."),
            false => format!("{outcomes} held for review will be lost; none of them was written."),
        });
        text.push("{key:PlanAndQuit} writes them to a plan file and quits, {key:DropAndQuit} throws them away and quits.".into());
    }
    text
}

/// The shell command, short enough to be read.
fn same_from_a_script(words: &[String]) -> String {
    format!(
        "Same from a script: workbench {}",
        fit(&shell::quoted(words), 150)
    )
}

fn undo_words(op: i64, state: &State) -> Words {
    let restores: &[Restore] = match state.journal.open.as_ref().map(|o| &o.undo) {
        Some(Undoing::Reviewed(restores)) => restores,
        _ => &[],
    };
    let left = restores.iter().filter(|r| r.left.is_some()).count();
    let mut text = vec![format!(
        "{} will be restored: labels, priority, metadata and stage.",
        plural(restores.len() - left, "task")
    )];
    if left > 0 {
        text.push(format!(
            "{} skipped: changed by others since.",
            plural(left, "task")
        ));
    }
    text.push("An undo is an operation too: undoing it redoes the change.".into());
    text.push(same_from_a_script(&shell::undo(state, op)));
    (format!("Undo operation {op}?"), text, "undo it", "not now")
}

fn finish_words(state: &State) -> Words {
    let open = usize::try_from(state.journal.unanswered()).unwrap_or(0);
    let begun = match open {
        0 => "All its writes were answered: it is only recorded as finished.".to_owned(),
        n => format!(
            "{} had begun and {} no answer. Each row is checked first: what arrived is recorded, what did not is written now, what others changed since is skipped.",
            plural(n, "write"),
            if n == 1 { "has" } else { "have" }
        ),
    };
    let in_part = usize::try_from(state.journal.in_part()).unwrap_or(0);
    let rest = (in_part > 0).then(|| {
        format!(
            "{} partly written: what is missing is sent again, unless changed by others since.",
            match in_part {
                1 => "1 task is".to_owned(),
                n => format!("{n} tasks are"),
            }
        )
    });
    let text = [Some(begun).filter(|_| open > 0 || in_part == 0), rest];
    let text = text
        .into_iter()
        .flatten()
        .chain(["Tasks that it had not reached are unchanged and can be run again.".into()]);
    (
        "Finish the interrupted writes?".into(),
        text.collect(),
        "finish them",
        "not now",
    )
}

/// The last dry run of the build that would write.
fn live_words(state: &State) -> String {
    let active = state.builds.active().map(|b| b.id);
    match (&state.run, active) {
        (_, None) => "No agent is loaded: nothing can run now.".into(),
        (Some(run), Some(build)) if run.build == build && run.is_over() => format!(
            "Last dry run on this build {build}: {}, {} failed.",
            plural(usize::try_from(run.totals.tasks).unwrap_or(0), "task"),
            number(run.totals.failed)
        ),
        (_, Some(build)) => {
            format!("Build {build} has not been dry-run yet: do a dry run first ({{key:RunSome}}).")
        }
    }
}

fn run_words(spec: &RunSpec, state: &State) -> Words {
    let (count, at) = match &spec.source {
        Source::Tasks(stage, rows) => (
            plural(rows.len(), "task"),
            clean(state.stage_title(*stage)).into_owned(),
        ),
        Source::Stages(stages) => {
            let names: Vec<_> = stages
                .iter()
                .map(|s| clean(state.stage_title(*s)).into_owned())
                .collect();
            let listed = stages
                .iter()
                .filter_map(|s| state.count(*s))
                .map(|(n, _)| n)
                .sum::<usize>();
            let n = spec.max_tasks.map_or(listed, |max| max.min(listed));
            (plural(n, "task"), names.join(", "))
        }
    };
    if state.writes_at_once() {
        return (
            format!("LIVE: run {count} of {at} and write them?"),
            vec![
                "Each batch is written to the platform as it finishes, without review.".into(),
                live_words(state),
            ],
            "run and write",
            "not now",
        );
    }
    (
        format!("Dry-run {count} of {at}?"),
        vec![
            "Every write is held for review ({key:Review}); nothing is sent. {key:CancelRun} on the Run screen stops it."
                .into(),
        ],
        "run",
        "not now",
    )
}

/// What a commit of these tasks sends.
fn will_send(tasks: &[TaskId], state: &State) -> Vec<String> {
    let (mut labels, mut priorities, mut metadata, mut moves) =
        (0, 0, 0, std::collections::BTreeMap::new());
    let open = state.step.as_ref().filter(|s| tasks.contains(&s.row.id));
    let mut further = std::collections::BTreeMap::new();
    let mut count = |outcome: &wb_core::work::Outcome| {
        for change in &outcome.patch.changes {
            let (kind, project) = (
                change.kind.clone(),
                clean(&change.project_title).into_owned(),
            );
            *further.entry((project, kind)).or_insert(0_usize) += 1;
        }
        labels += usize::from(outcome.labels_after.is_some());
        priorities += usize::from(outcome.patch.priority.is_some());
        metadata += usize::from(outcome.patch.metadata.is_some());
        if let Some(to) = outcome.way.to() {
            *moves.entry(to).or_insert(0_usize) += 1;
        }
    };
    for task in tasks {
        if let Some(held) = state.held.get(task) {
            count(&held.outcome);
        } else if let Some(Ok(outcome)) = open.and_then(|s| s.result.as_ref()) {
            count(outcome);
        }
    }
    let mut all: Vec<String> = [
        (labels, "save", "label row", "label rows"),
        (priorities, "set", "priority", "priorities"),
        (metadata, "replace the metadata of", "item", "items"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, does, one, many)| format!("• {does} {}", counted(n, one, many)))
    .collect();
    for ((project, kind), n) in further {
        all.push(format!("• {} of {kind} in {project}", plural(n, "change")));
    }
    for (to, n) in moves {
        all.push(format!(
            "• move {} to {}",
            plural(n, "task"),
            clean(state.stage_title(to))
        ));
    }
    if all.is_empty() {
        all.push("• nothing: these tasks stay and change nothing".into());
    }
    all
}
