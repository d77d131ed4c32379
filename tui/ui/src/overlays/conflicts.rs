//! Rows that somebody else changed after the agent read them: what the agent read, their version and
//! ours; and the three answers, for one task or for all of its stage.
//!
//! Requests and writes are left to the engine; overwriting asks first.

mod sides;

use super::ListCursor;
use super::ask::Ask;
use crate::actions::{self, Action, Hints, Scope};
use crate::frames::{foot_of, list_and_details};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::text::{clean, fit, fit_middle, left, number, plural};
use crate::widgets::{lines, list, padded};
use crate::{Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use sides::sides;
use wb_core::command::Command;
use wb_core::ids::TaskId;
use wb_core::run::OnConflict;
use wb_core::state::{State, Theirs};

/// Cursor, and whether an answer is for all tasks of the stage.
#[derive(Default)]
pub struct Conflicts {
    cursor: ListCursor,
    all: bool,
}

impl Conflicts {
    fn task(&self, state: &State) -> Option<TaskId> {
        state.conflicts.keys().nth(self.cursor.at).copied()
    }

    /// Requests their version of the task under the cursor, unless that was done.
    pub fn look(&self, state: &State) -> Vec<Command> {
        let task = self.task(state);
        let unasked = task
            .and_then(|t| state.conflicts.get(&t))
            .is_some_and(|c| matches!(c.theirs, Theirs::Unasked));
        match task {
            Some(task) if unasked => vec![Command::Theirs(vec![task])],
            _ => Vec::new(),
        }
    }

    /// The tasks that an answer applies to.
    fn chosen(&self, state: &State) -> Vec<TaskId> {
        let Some(task) = self.task(state) else {
            return Vec::new();
        };
        let stage = state.conflicts.get(&task).map(|c| c.ours.stage);
        if !self.all {
            return vec![task];
        }
        let same = state
            .conflicts
            .iter()
            .filter(|(_, c)| Some(c.ours.stage) == stage);
        same.map(|(task, _)| *task).collect()
    }
}

impl Layer for Conflicts {
    fn scope(&self) -> Scope {
        Scope::Conflicts
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Conflicts)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        if self.cursor.on(action, state.conflicts.len(), ui) {
            return Handled::Stay(self.look(state));
        }
        let tasks = self.chosen(state);
        match action {
            Action::AllOfGroup => self.all = !self.all,
            Action::Skip => {
                let how = OnConflict::Skip;
                return Handled::Stay(vec![Command::Resolve { tasks, how }]);
            }
            Action::RerunTheirs => {
                ui.screen = Screen::Run;
                let how = OnConflict::Rerun;
                return Handled::CloseAll(vec![Command::Resolve { tasks, how }]);
            }
            Action::Overwrite => return Handled::Stay(ui.ask(Ask::Overwrite(tasks), state)),
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, state: &State) -> bool {
        self.cursor.choose(row, state.conflicts.len());
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[Skip, RerunTheirs, Overwrite, AllOfGroup]);
        if !state.conflicts.is_empty() && ui.in_main() {
            all.push((In, "read on".into()));
        }
        all.extend(actions::hints(ui, state, &[Out]));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let count = state.conflicts.len();
        let title = format!(
            "Conflicts: {} changed by somebody else",
            plural(count, "task")
        );
        let title = (&*title, "nothing of ours was written");
        if count == 0 {
            let room = padded(ui.overlay(buf, area, title));
            let all = [
                Line::default(),
                Line::styled(" Nothing is in conflict.", st.good),
                Line::default(),
                Line::styled(
                    " Just before a row is written it is compared with what the agent saw.",
                    st.dim,
                ),
            ];
            lines(buf, room, &all, 0);
            return;
        }
        self.cursor.at = self.cursor.at.min(count - 1);
        let inner = ui.overlay_of_panes(buf, area, title);
        let columns = usize::from(padded(inner).width).saturating_sub(2);
        let foot = footer(ui, self, state, columns);
        let foot_h = u16::try_from(foot.len()).unwrap_or(0);
        let [body, below] = foot_of(inner, foot_h.min(inner.height / 2));
        if let Some(below) = ui.panes.place(PaneName::Still, below) {
            let room = padded(ui.pane(buf, PaneName::Still, below, ("", "")));
            lines(buf, room, &foot, 0);
        }
        let tasks = u16::try_from(count + 2).unwrap_or(u16::MAX);
        let tasks = tasks.min(body.height / 3).max(4);
        let [list, details] = list_and_details(body, ui.room.narrow(), tasks, body.width * 2 / 5);
        draw_list(ui, buf, list, self, state);
        draw_sides(ui, buf, details, self, state);
    }
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Conflicts, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let st = ui.st;
    let count = state.conflicts.len();
    let place = format!("{}/{}", number(pane.cursor.at + 1), number(count));
    let inner = ui.pane(buf, PaneName::Main, area, ("Tasks", &place));
    let title_w = usize::from(inner.width).saturating_sub(16).max(8);
    let chosen = pane.chosen(state);
    let tasks: Vec<_> = state.conflicts.iter().collect();
    pane.cursor.top = list(
        ui,
        buf,
        inner,
        pane.cursor.top,
        (pane.cursor.at, count),
        |_, place| {
            let (task, conflict) = tasks[place];
            let title = &conflict.ours.inputs.row.title;
            let stage = fit(state.stage_title(conflict.ours.stage), 12);
            Line::from(vec![
                Span::styled(if chosen.contains(task) { "▌" } else { " " }, st.accent),
                Span::styled("! ", st.warn),
                Span::raw(left(&fit_middle(title, title_w), title_w)),
                Span::styled(format!(" {stage}"), st.dim),
            ])
        },
    );
}

fn draw_sides(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &Conflicts, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Details, area) else {
        return;
    };
    let st = &{ ui.st };
    let Some(conflict) = pane.task(state).and_then(|t| state.conflicts.get(&t)) else {
        return;
    };
    let title = fit_middle(
        &conflict.ours.inputs.row.title,
        usize::from(area.width).saturating_sub(24),
    );
    let right = crate::text::build_name(conflict.ours.build);
    let inner = ui.pane(buf, PaneName::Details, area, (&title, &right));
    let sides = sides(conflict, state, usize::from(padded(inner).width), st);
    ui.pane_text(
        buf,
        PaneName::Details,
        inner,
        &sides,
        conflict.ours.inputs.row.id,
    );
}

fn footer<'a>(ui: &Ui, pane: &Conflicts, state: &State, columns: usize) -> Vec<Line<'a>> {
    let task = pane.task(state);
    let stage = task
        .and_then(|t| state.conflicts.get(&t))
        .map_or("–", |c| state.stage_title(c.ours.stage));
    let whom = match pane.all {
        true => format!(
            "all {} of {}",
            number(pane.chosen(state).len()),
            clean(stage)
        ),
        false => "this task".to_owned(),
    };
    let held = match state.live && !state.options.read_only {
        true => "LIVE: its outcome is written",
        false => "its outcome is held for review",
    };
    let whom = fit(&whom, columns.saturating_sub(18));
    vec![
        Line::from(vec![
            Span::styled("The answer is for ", ui.st.dim),
            Span::styled(whom, ui.st.strong),
        ]),
        ui.keyed_line("  {key:Skip}  keep theirs: our outcome is discarded, the task stays"),
        ui.keyed_line(&format!(
            "  {{key:RerunTheirs}}  run the agent again on theirs; {held}"
        )),
        ui.keyed_line(
            "  {key:Overwrite}  write ours over theirs (asks; an undo brings theirs back)",
        ),
    ]
}
