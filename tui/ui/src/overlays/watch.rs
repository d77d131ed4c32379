//! Tasks that run dry again at every build: what each gave, and what changed against the last build.
//!
//! Running them is left to the engine; how one task looks is in `sides`.

mod sides;

use super::ListCursor;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::frames::{foot_of, list_and_details};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::text::{clean, fit, fit_middle, left, number, plural};
use crate::theme::Styles;
use crate::widgets::{hanging, lines, list, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::state::State;
use wb_core::watch::{Phase, WatchResult, Watched};

/// The watched tasks, with the differences of the chosen one.
#[derive(Default)]
pub struct Watch {
    cursor: ListCursor,
}

impl Watch {
    /// The task under the cursor.
    fn task<'a>(&self, state: &'a State) -> Option<&'a Watched> {
        state.watch.tasks.get(self.cursor.at)
    }

    /// Actions on the chosen task.
    fn on_task(action: Action, task: &Watched, ui: &mut Ui, state: &State) -> Handled {
        let command = match action {
            Action::Again => Command::WatchAgain(vec![task.row.id]),
            Action::HoldWatched if can_hold(task) => Command::HoldWatched(task.row.id),
            Action::HoldWatched => {
                ui.notice = Some("there is no outcome to keep yet".into());
                return Handled::done();
            }
            Action::Unwatch => unwatch(task),
            Action::StepWatched => {
                return Handled::CloseAll(ui.open_task(task.stage, task.row.id, state));
            }
            _ => return Handled::No,
        };
        Handled::Stay(vec![command])
    }
}

fn unwatch(task: &Watched) -> Command {
    Command::Watch {
        stage: task.stage,
        rows: vec![task.row.clone()],
        on: false,
    }
}

impl Layer for Watch {
    fn scope(&self) -> Scope {
        Scope::Watch
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Watching)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        if self.cursor.on(action, state.watch.tasks.len(), ui) {
            return Handled::done();
        }
        match action {
            Action::KeepWatchResults => {
                Handled::Stay(vec![Command::KeepWatchResults(!state.watch.kept)])
            }
            Action::UnwatchAll => Handled::Stay(state.watch.tasks.iter().map(unwatch).collect()),
            _ => match self.task(state) {
                Some(task) => Self::on_task(action, task, ui, state),
                None => Handled::No,
            },
        }
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, state: &State) -> bool {
        self.cursor.choose(row, state.watch.tasks.len());
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[StepWatched, Again]);
        if self.task(state).is_some_and(can_hold) {
            all.extend(actions::hints(ui, state, &[HoldWatched]));
        }
        all.extend(actions::hints(ui, state, &[Unwatch]));
        if self.task(state).is_some() && ui.in_main() {
            all.push((In, "read on".into()));
        }
        all.extend(actions::hints(
            ui,
            state,
            &[Out, KeepWatchResults, WatchPicture, PrevFrame, NextFrame],
        ));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let count = state.watch.tasks.len();
        let (title, right) = match count {
            0 => ("Watch".to_owned(), String::new()),
            _ => (
                format!("Watch: {} at every build", plural(count, "task")),
                against(state),
            ),
        };
        if count == 0 {
            let room = padded(ui.overlay(buf, area, (&title, &right)));
            let how = nothing(ui, usize::from(room.width));
            lines(buf, room, &how, 0);
            return;
        }
        self.cursor.at = self.cursor.at.min(count - 1);
        let inner = ui.overlay_of_panes(buf, area, (&title, &right));
        let [body, below] = foot_of(inner, 1);
        if let Some(below) = ui.panes.place(PaneName::Still, below) {
            let room = padded(ui.pane(buf, PaneName::Still, below, ("", "")));
            let summary = summary(state, usize::from(room.width), &st);
            lines(buf, room, &[summary], 0);
        }
        let tasks = u16::try_from(count + 2).unwrap_or(u16::MAX);
        let tasks = tasks.min(body.height / 3).max(4);
        let [list, details] = list_and_details(body, ui.room.narrow(), tasks, body.width / 2);
        draw_list(ui, buf, list, self, state);
        sides::draw(ui, buf, details, self, state);
    }

    fn value(&self, _: &Ui, state: &State) -> Option<(String, String)> {
        let task = self.task(state)?;
        Some(("the task's UUID".to_owned(), task.row.id.to_string()))
    }
}

/// Whether the newest build gave something that can be held.
pub fn can_hold(task: &Watched) -> bool {
    task.inputs.is_some() && task.now.as_ref().is_some_and(|l| l.result.is_ok())
}

/// What newer builds are compared with.
fn against(state: &State) -> String {
    let kept = state.watch.tasks.iter().filter_map(|t| t.before.as_ref());
    match kept.map(|l| l.build).max() {
        Some(build) if state.watch.kept => format!("against build {build} (pinned)"),
        _ => "against the last build".to_owned(),
    }
}

/// How to begin.
fn nothing<'a>(ui: &Ui, columns: usize) -> Vec<Line<'a>> {
    let text = ui.keyed("{key:WatchTask} on the Queue, Task or Run screen watches tasks: they run at once, and again at every new build, from the same inputs. What changed since the previous build is shown here.");
    let mut all = vec![
        Line::default(),
        Line::from(" No task is watched."),
        Line::default(),
    ];
    all.extend(hanging(" ", ui.st.text, &text, columns, ui.st.text));
    all.push(Line::styled(" Watching writes nothing.", ui.st.dim));
    all
}

fn summary<'a>(state: &State, columns: usize, st: &Styles) -> Line<'a> {
    let tasks = &state.watch.tasks;
    let pending = tasks.iter().filter(|t| t.pending()).count();
    let (differing, failing) = (state.watch.differing(), state.watch.failing());
    let mut text = match (pending, differing) {
        (0, 0) if tasks.iter().any(|t| t.before.is_some()) => "no task differs".to_owned(),
        (0, 0) => "ran once; change the agent and build it".to_owned(),
        (0, 1) => "1 task differs".to_owned(),
        (0, n) => format!("{} tasks differ", number(n)),
        (n, _) => format!("… {} to go", number(n)),
    };
    if failing > 0 {
        text.push_str(&format!(" · {} failed", number(failing)));
    }
    text.push_str(" · nothing was written");
    let style = match (pending, failing, differing) {
        (1.., _, _) => st.accent,
        (_, 1.., _) => st.bad,
        (_, _, 1..) => st.changed,
        _ => st.dim,
    };
    Line::styled(fit(&text, columns), style)
}

/// The sign of a task's newest result, and its style.
pub fn sign(task: &Watched, st: &Styles) -> (&'static str, Style) {
    match task.phase {
        Phase::Running(..) if task.pid.is_some() => ("▶", st.accent),
        Phase::NoAgent => ("!", st.warn),
        _ if task.pending() => ("·", st.dim),
        _ if task.failed() => ("✗", st.bad),
        _ if task.differs() => ("~", st.changed),
        _ if task.before.is_some() => ("=", st.good),
        _ => ("✓", st.good),
    }
}

/// Where the task goes, on both builds when they differ; or why that is not known.
fn result_word(task: &Watched) -> String {
    let word = |given: &WatchResult| match given.result {
        Ok(_) => given.route(),
        Err(_) => "failed".to_owned(),
    };
    match (&task.phase, &task.now, &task.before) {
        (Phase::NoAgent, ..) => "no agent".to_owned(),
        (Phase::Unfetched, ..) => "inputs not read".to_owned(),
        (Phase::Wanted | Phase::Fetching(_), None, _) => "fetching".to_owned(),
        (_, None, _) => "not run yet".to_owned(),
        (_, Some(now), Some(before)) if word(now) != word(before) => {
            format!("{} → {}", word(before), word(now))
        }
        (_, Some(now), _) => match task.differences().map_or(0, |d| d.len()) {
            0 => word(now),
            n => format!("{} · {}", word(now), plural(n, "difference")),
        },
    }
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Watch, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let st = ui.st;
    let count = state.watch.tasks.len();
    let place = format!("{}/{}", number(pane.cursor.at + 1), number(count));
    let inner = ui.pane(buf, PaneName::Main, area, ("Tasks", &place));
    let columns = usize::from(inner.width);
    let title_w = (columns / 2).clamp(8, 40);
    pane.cursor.top = list(
        ui,
        buf,
        inner,
        pane.cursor.top,
        (pane.cursor.at, count),
        |_, place| {
            let task = &state.watch.tasks[place];
            let (sign, style) = sign(task, &st);
            let what = fit(
                &clean(&result_word(task)),
                columns.saturating_sub(title_w + 4),
            );
            Line::from(vec![
                Span::styled(if place == pane.cursor.at { "▌" } else { " " }, st.accent),
                Span::styled(format!("{sign} "), style),
                Span::raw(left(&fit_middle(&task.row.title, title_w), title_w)),
                Span::styled(format!(" {what}"), style),
            ])
        },
    );
}
