//! What `y` and `Y` hand to the terminal's clipboard: what the cursor is on, and the command that does
//! the same in a shell. Sending it there is left to the binary.

use crate::allowed::watchable;
use crate::overlays::{Overlay, messages};
use crate::screens::task;
use crate::{Screen, Ui};
use wb_core::command::Verb;
use wb_core::error::Error;
use wb_core::run::{RunSpec, Source};
use wb_core::state::State;
use wb_core::twin;

/// More than this many bytes are refused by common terminals.
const MOST: usize = 64 * 1024;
/// Tasks that a command names one by one; beyond that it would not be readable, nor fit.
const NAMED: usize = 50;

impl Ui {
    /// Copies what the cursor is on, or the command that does the same.
    pub(crate) fn copy(&mut self, verb: Verb, state: &State) {
        let found = match verb {
            Verb::CopyCommand => command(self, state).map(|text| ("the command".to_owned(), text)),
            _ => value(self, state),
        };
        self.notice = Some(match found {
            None => "there is nothing to copy here".into(),
            Some((what, text)) if text.len() > MOST => {
                format!(
                    "{what}: too long for a clipboard ({} kB)",
                    text.len() / 1024
                )
            }
            Some((what, text)) => {
                self.copied = Some(text);
                format!("copied {what}; a terminal that knows OSC 52 has it in its clipboard")
            }
        });
    }

    /// What is to be put into the clipboard, once.
    pub fn take_copied(&mut self) -> Option<String> {
        self.copied.take()
    }
}

/// What the cursor is on: its name and its text.
fn value(ui: &Ui, state: &State) -> Option<(String, String)> {
    let named = |what: &str, text: String| Some((what.to_owned(), text));
    match ui.overlays.last() {
        Some(Overlay::Messages(pane)) => named("the message", messages::text(pane, state)?),
        Some(Overlay::Builds(_)) => {
            let compiler = state.compiling.as_ref().and_then(|c| c.failed.clone());
            let refused = state.rejected.as_ref().map(|(why, _)| why.clone());
            named("what is wrong with the build", compiler.or(refused)?)
        }
        Some(Overlay::Watch(pane)) => {
            let task = pane.task(state)?;
            named("the task's UUID", task.row.id.to_string())
        }
        Some(_) => None,
        None => match ui.screen {
            Screen::Flow => named("the stage's UUID", ui.stage?.to_string()),
            Screen::Queue => {
                let (_, rows) = watchable(ui, Verb::WatchTask, state)?;
                let all: Vec<String> = rows.iter().map(|r| r.id.to_string()).collect();
                let what = crate::text::plural(all.len(), "task UUID");
                named(&what, all.join("\n"))
            }
            Screen::Task => task::shown_text(ui, state),
            Screen::Run => {
                let group = state.failures.get(ui.run.at)?;
                named("the fault", error_text(&group.first))
            }
        },
    }
}

fn error_text(error: &Error) -> String {
    let mut all = vec![error.summary.clone()];
    all.extend(error.hints.iter().map(|hint| format!("→ {hint}")));
    all.extend(error.cause.clone());
    all.join("\n")
}

/// The command that does in a shell what the screen is about; it holds every write where the screen
/// does.
fn command(ui: &Ui, state: &State) -> Option<String> {
    let live = state.live && !state.options.read_only;
    let words = match ui.overlays.last() {
        Some(Overlay::Ask(question)) => question.ask.twin(state)?,
        Some(Overlay::Journal(_)) => {
            let open = state.journal.open.as_ref()?;
            let ops = state.journal.ops.as_deref()?;
            ops.iter().find(|o| o.id == open.id)?.words.clone()
        }
        Some(Overlay::Review(_)) => {
            let taken = state.held.iter().filter(|(_, held)| held.taken);
            let tasks: Vec<_> = taken.map(|(task, _)| *task).take(NAMED).collect();
            twin::commit(state, &tasks, false)
        }
        Some(_) => return None,
        None => match ui.screen {
            Screen::Run => {
                let run = state.run.as_ref()?;
                twin::run(state, &run.spec, live)
            }
            Screen::Task => {
                let step = state.step.as_ref()?;
                let source = Source::Tasks(step.stage, vec![step.row.clone()]);
                of_source(state, source, live)
            }
            Screen::Flow => of_source(state, Source::Stages(vec![ui.stage?]), live),
            Screen::Queue => of_queue(ui, state, live)?,
        },
    };
    Some(format!("workbench {}", twin::quoted(&words)))
}

/// The marked tasks while they are few, or what the filter leaves.
fn of_queue(ui: &Ui, state: &State, live: bool) -> Option<Vec<String>> {
    let stage = ui.stage?;
    let queue = state.queues.get(&stage)?;
    if (1..=NAMED).contains(&queue.marks.len()) {
        let source = Source::Tasks(stage, queue.chosen(0));
        return Some(of_source(state, source, live));
    }
    let mut words = of_source(state, Source::Stages(vec![stage]), live);
    if !queue.filter.is_empty() {
        words.extend(["--filter".to_owned(), queue.filter_text.clone()]);
    }
    Some(words)
}

fn of_source(state: &State, source: Source, live: bool) -> Vec<String> {
    let spec = RunSpec {
        source,
        ..RunSpec::default()
    };
    twin::run(state, &spec, live)
}
