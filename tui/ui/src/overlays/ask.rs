//! Questions. What writes is answered by `y` and nothing else; Enter never confirms a write, a
//! repeated key neither.

use super::Overlay;
use crate::text::{clean, fit, number, plural, wrap};
use crate::widgets::{centred, lines, overlay};
use crate::{Screen, Ui, keys};
use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::ids::{StageId, TaskId};
use wb_core::run::{RunSpec, Source};
use wb_core::state::State;
use wb_core::work::Way;

/// What is asked.
pub enum Ask {
    /// Write these outcomes.
    Commit(Vec<TaskId>),
    /// Write every batch as it finishes, from now on.
    Live,
    /// Leave although something runs or is held.
    Quit,
    /// Start this run.
    Run(Box<RunSpec>),
    /// How many tasks.
    Count {
        /// Of this stage.
        stage: StageId,
        /// In the order and with the filter of the queue.
        from_queue: bool,
        /// The number being typed.
        line: keys::Line,
    },
    /// Throw held outcomes away.
    Drop(Vec<TaskId>),
}

pub fn on_key(ui: &mut Ui, ask: Ask, key: &KeyEvent, name: &str, state: &State) -> Vec<Command> {
    if let Ask::Count {
        stage,
        from_queue,
        line,
    } = ask
    {
        return count_key(ui, (stage, from_queue, line), key, name, state);
    }
    match name {
        "y" if key.kind == KeyEventKind::Press => yes(ui, ask),
        "n" | "Esc" | "q" => Vec::new(),
        _ => {
            ui.overlays.push(Overlay::Ask(ask));
            Vec::new()
        }
    }
}

fn yes(ui: &mut Ui, ask: Ask) -> Vec<Command> {
    match ask {
        Ask::Commit(tasks) => vec![Command::Commit(tasks)],
        Ask::Live => vec![Command::Live(true)],
        Ask::Quit => vec![Command::Quit],
        Ask::Drop(tasks) => vec![Command::Drop(tasks)],
        Ask::Run(spec) => {
            ui.overlays.clear();
            ui.screen = Screen::Run;
            vec![Command::Run(spec)]
        }
        Ask::Count { .. } => Vec::new(),
    }
}

fn count_key(
    ui: &mut Ui,
    (stage, from_queue, mut line): (StageId, bool, keys::Line),
    key: &KeyEvent,
    name: &str,
    state: &State,
) -> Vec<Command> {
    match name {
        "Esc" => return Vec::new(),
        "Enter" => {
            let Some(n) = line.text.parse::<usize>().ok().filter(|n| *n > 0) else {
                ui.notice = Some(format!(
                    "\"{}\" is no number of tasks; type 1 or more",
                    line.text
                ));
                ui.overlays.push(Overlay::Ask(Ask::Count {
                    stage,
                    from_queue,
                    line,
                }));
                return Vec::new();
            };
            if from_queue {
                let rows = state
                    .queues
                    .get(&stage)
                    .map(|q| q.chosen(n))
                    .unwrap_or_default();
                return ui.run_or_ask(Source::Tasks(stage, rows), None, state);
            }
            return ui.run_or_ask(Source::Stages(vec![stage]), Some(n), state);
        }
        _ => {}
    }
    // The first digit replaces the number that was offered.
    let digit = name.len() == 1 && name.bytes().all(|b| b.is_ascii_digit());
    if digit || name.len() > 1 {
        if digit && line.text == "50" && line.at == 2 && key.kind == KeyEventKind::Press {
            line = keys::Line::new("");
        }
        if line.text.len() < 7 || !digit {
            line.key(key);
        }
    }
    ui.overlays.push(Overlay::Ask(Ask::Count {
        stage,
        from_queue,
        line,
    }));
    Vec::new()
}

/// Title, text and the words of the two answers.
fn words(ask: &Ask, state: &State) -> (String, Vec<String>, &'static str, &'static str) {
    let project = state
        .project
        .as_ref()
        .map_or_else(String::new, |p| clean(&p.title).into_owned());
    match ask {
        Ask::Commit(tasks) => {
            let title = format!("Commit {} to \"{project}\"?", plural(tasks.len(), "task"));
            let mut text = will_send(tasks, state);
            text.push("Each row is checked again just before its write; rows that others changed are left and listed.".into());
            (title, text, "write it", "not now")
        }
        Ask::Live => (
            format!("Go LIVE on \"{project}\"?"),
            vec![
                "LIVE runs write each batch as it finishes: labels, priorities, moves. There is no review before it.".into(),
                live_words(state),
                "Stepping one task still asks before it writes. m goes back to dry-run at any time.".into(),
            ],
            "go live",
            "stay in dry-run",
        ),
        Ask::Quit => {
            let mut text = Vec::new();
            if state.busy() {
                text.push("Something is running. What runs is cancelled; its tasks stay where they are.".to_owned());
            }
            if state.commit.as_ref().is_some_and(|c| c.ended.is_none()) {
                text.push("A commit is under way: what was sent is written, the rest is not sent.".into());
            }
            if !state.held.is_empty() {
                text.push(format!("{} held for review will be gone; nothing of them was written.", plural(state.held.len(), "outcome")));
            }
            ("Leave the workbench?".into(), text, "leave", "stay")
        }
        Ask::Run(spec) => run_words(spec, state),
        Ask::Drop(tasks) => (
            format!("Throw {} away?", plural(tasks.len(), "held outcome")),
            vec!["Nothing was written and nothing will be; the tasks stay where they are and can be run again.".into()],
            "throw away",
            "keep",
        ),
        Ask::Count { .. } => (String::new(), Vec::new(), "", ""),
    }
}

/// What is known of a dry run of the very build that would write.
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
            format!("Build {build} has not been dry-run yet: look at a dry run first (n).")
        }
    }
}

fn run_words(spec: &RunSpec, state: &State) -> (String, Vec<String>, &'static str, &'static str) {
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
    if state.live && !state.options.read_only {
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
            "Every write is held for review (v); nothing is sent. X on the Run screen stops it."
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
    let mut count = |outcome: &wb_core::work::Outcome| {
        labels += usize::from(outcome.labels_after.is_some());
        priorities += usize::from(outcome.patch.priority.is_some());
        metadata += usize::from(outcome.patch.metadata.is_some());
        if let Way::Pathway { to, .. } = &outcome.way {
            *moves.entry(*to).or_insert(0_usize) += 1;
        }
    };
    for task in tasks {
        if let Some(held) = state.held.get(task) {
            count(&held.outcome);
        } else if let Some(Ok(outcome)) = open.and_then(|s| s.result.as_ref()) {
            count(outcome);
        }
    }
    let mut all = Vec::new();
    if labels > 0 {
        all.push(format!("• save {}", plural(labels, "label row")));
    }
    if priorities > 0 {
        all.push(format!(
            "• set {}",
            plural(priorities, "priority").replace("prioritys", "priorities")
        ));
    }
    if metadata > 0 {
        all.push(format!(
            "• replace the metadata of {}",
            plural(metadata, "item")
        ));
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

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, ask: &Ask, state: &State) {
    let st = ui.st;
    if let Ask::Count {
        stage,
        from_queue,
        line,
    } = ask
    {
        draw_count(ui, buf, area, (*stage, *from_queue, line), state);
        return;
    }
    let (title, text, yes, no) = words(ask, state);
    let columns = area.width.saturating_sub(4).min(72);
    let inside = usize::from(columns).saturating_sub(6);
    let mut all = vec![Line::default()];
    for part in text {
        let indent = if part.starts_with('•') { "  " } else { "" };
        for (i, t) in wrap(&part, inside).into_iter().enumerate() {
            all.push(Line::from(format!(
                "  {}{t}",
                if i == 0 { "" } else { indent }
            )));
        }
    }
    all.push(Line::default());
    all.push(Line::from(vec![
        Span::raw("  "),
        Span::styled("y", st.key),
        Span::raw(format!(" {yes}      ")),
        Span::styled("n", st.key),
        Span::raw(format!(" {no}")),
    ]));
    let height = u16::try_from(all.len() + 2).unwrap_or(u16::MAX);
    let place = centred(area, columns, height);
    let title = fit(&title, usize::from(columns).saturating_sub(6));
    let inner = overlay(buf, place, &title, "", &st);
    lines(
        buf,
        inner,
        &all,
        all.len().saturating_sub(usize::from(inner.height)),
    );
}

fn draw_count(
    ui: &Ui,
    buf: &mut Buffer,
    area: Rect,
    (stage, from_queue, line): (StageId, bool, &keys::Line),
    state: &State,
) {
    let st = &ui.st;
    let place = centred(area, 66, 8);
    let live = state.live && !state.options.read_only;
    let title = format!(
        "{} how many of {}?",
        if live { "LIVE: run" } else { "Dry-run" },
        fit(state.stage_title(stage), 20)
    );
    let inner = overlay(buf, place, &title, "", st);
    let (before, under, after) = line.parts();
    let under = if under.is_empty() { " " } else { under };
    let order = if from_queue {
        "the first in the order and filter of the queue"
    } else {
        "the first as the platform lists them"
    };
    let what = if live {
        "asks before it writes"
    } else {
        "every write is held; nothing is sent"
    };
    let all = [
        Line::default(),
        Line::from(vec![
            Span::raw("  "),
            Span::styled(before.to_owned(), st.strong),
            Span::styled(under.to_owned(), st.strong.add_modifier(Modifier::REVERSED)),
            Span::styled(after.to_owned(), st.strong),
            Span::raw(" tasks"),
            Span::styled(format!("   {order}"), st.dim),
        ]),
        Line::default(),
        Line::from(vec![
            Span::raw("  "),
            Span::styled("enter", st.key),
            Span::raw(" run      "),
            Span::styled("esc", st.key),
            Span::raw(" not now"),
        ]),
        Line::styled(format!("  {what}"), if live { st.bad } else { st.dim }),
    ];
    lines(buf, inner, &all, 0);
}
