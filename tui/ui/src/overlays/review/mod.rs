//! The held outcomes, grouped by route and kind of change; what a commit would send.
//!
//! Groups are made when the held outcomes change, not at every frame: there may be a hundred thousand of
//! them. Writing is left to the engine, questions to [`super::ask`].

use super::ask::Ask;
use super::edit_list::EditList;
use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use wb_core::command::Command;
use wb_core::ids::{StageId, TaskId};
use wb_core::state::State;
use wb_core::state::shell;
use wb_core::work::Route;

mod draw;
mod sheet;

use sheet::Sheet;

/// Tasks that a shell command names one by one.
const NAMED: usize = 50;

/// Groups, cursor, and the group that is open.
#[derive(Default)]
pub struct Review {
    groups: Vec<Group>,
    made_of: Option<u64>,
    at: usize,
    inside: Option<usize>,
    top: usize,
    send: Send,
}

struct Group {
    stage: StageId,
    name: String,
    tasks: Vec<TaskId>,
    taken: usize,
    /// Labels are removed.
    removes: bool,
}

#[derive(Clone, Copy, Default)]
struct Send {
    tasks: usize,
    labels: usize,
    priorities: usize,
    metadata: usize,
    moves: usize,
    further: usize,
}

impl Review {
    /// Makes the groups again when the held outcomes, or which of them are selected, have changed.
    fn follow(&mut self, state: &State) {
        let mut print = state.held.len() as u64;
        for held in state.held.values() {
            let at = Arc::as_ptr(&held.outcome) as u64;
            print = print.rotate_left(5) ^ at ^ u64::from(held.taken);
        }
        if self.made_of == Some(print) {
            return;
        }
        self.made_of = Some(print);
        self.groups.clear();
        self.send = Send::default();
        for (task, held) in &state.held {
            let name = held.group();
            let known = self
                .groups
                .iter_mut()
                .find(|g| g.stage == held.stage && g.name == name);
            let group = match known {
                Some(group) => group,
                None => {
                    let removes = held.outcome.patch.counts().2 > 0;
                    self.groups.push(Group {
                        stage: held.stage,
                        name,
                        tasks: Vec::new(),
                        taken: 0,
                        removes,
                    });
                    let last = self.groups.len() - 1;
                    &mut self.groups[last]
                }
            };
            group.tasks.push(*task);
            if held.taken {
                group.taken += 1;
                let outcome = &held.outcome;
                self.send.tasks += 1;
                self.send.labels += usize::from(outcome.labels_after.is_some());
                self.send.priorities += usize::from(outcome.patch.priority.is_some());
                self.send.metadata += usize::from(outcome.patch.metadata.is_some());
                self.send.moves += usize::from(outcome.way != Route::Stay);
                self.send.further += outcome.patch.changes.len();
            }
        }
        self.groups.sort_by(|a, b| {
            b.tasks
                .len()
                .cmp(&a.tasks.len())
                .then_with(|| a.name.cmp(&b.name))
        });
        self.at = self.at.min(self.groups.len().saturating_sub(1));
        if self.groups.is_empty() {
            self.inside = None;
        }
    }

    fn move_cursor(&mut self, action: Action, page: usize) {
        match self.inside {
            Some(place) => {
                let group = self.groups.get(self.at);
                let last = group.map_or(0, |g| g.tasks.len().saturating_sub(1));
                self.inside = Some(moved(place, action, page).min(last));
            }
            None => {
                let last = self.groups.len().saturating_sub(1);
                self.at = moved(self.at, action, page).min(last);
            }
        }
    }

    /// Goes into a group, then into the details of a task.
    fn go_in(&mut self, ui: &mut Ui) {
        match self.inside {
            None if !self.groups.is_empty() => self.inside = Some(0),
            // In linear mode the details are read with the list.
            _ if !ui.linear => ui.set_focus(PaneName::Details),
            _ => {}
        }
    }

    /// The tasks that an action applies to: the one under the cursor, or the group.
    fn chosen(&self) -> Vec<TaskId> {
        let Some(group) = self.groups.get(self.at) else {
            return Vec::new();
        };
        match self.inside {
            Some(place) => group.tasks.get(place).copied().into_iter().collect(),
            None => group.tasks.clone(),
        }
    }

    fn task(&self) -> Option<TaskId> {
        let group = self.groups.get(self.at)?;
        group.tasks.get(self.inside.unwrap_or(0)).copied()
    }
}

impl Layer for Review {
    fn scope(&self) -> Scope {
        Scope::Review
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Review)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        self.follow(state);
        match action {
            Action::In | Action::Right if ui.in_main() => self.go_in(ui),
            Action::Out | Action::Left if !ui.in_main() => ui.set_focus(PaneName::Main),
            Action::Out | Action::Left if self.inside.is_some() => self.inside = None,
            Action::In | Action::Right | Action::Left => {}
            Action::Toggle => {
                let tasks = self.chosen();
                let taken = |t: &TaskId| state.held.get(t).is_some_and(|h| h.taken);
                let on = !tasks.iter().all(taken);
                if self.inside.is_some() {
                    self.move_cursor(Action::Down, 1);
                }
                return Handled::Stay(vec![Command::Take { tasks, on }]);
            }
            Action::ContactSheet => {
                if let Some(group) = self.groups.get(self.at) {
                    let sheet = Sheet::new(group, self.inside.unwrap_or(0));
                    return Handled::Stay(ui.open(sheet));
                }
            }
            Action::EditHeld => {
                if let Some(task) = self.task().filter(|_| self.inside.is_some()) {
                    return Handled::Stay(ui.open(EditList::outcome(task, "", state)));
                }
                ui.notice = Some("choose a task of the group first ({key:In})".into());
            }
            Action::DropAll => {
                let tasks = self.chosen();
                if !tasks.is_empty() {
                    return Handled::Stay(ui.ask(Ask::Drop(tasks), state));
                }
            }
            Action::CommitAll => {
                let tasks = taken(state, usize::MAX);
                if !tasks.is_empty() {
                    return Handled::Stay(ui.ask(Ask::Commit(tasks), state));
                }
                ui.notice = Some("nothing selected ({key:Toggle} selects a group)".into());
            }
            _ if action.moves() && ui.in_main() => self.move_cursor(action, ui.page()),
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, _: &State) -> bool {
        match self.inside {
            Some(_) => self.inside = Some(row),
            None => self.at = row,
        }
        self.move_cursor(Action::Review, 1);
        true
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        Some(draw::lines_of(ui, self, state))
    }

    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Option<Vec<Command>> {
        self.follow(state);
        let count = match self.inside {
            Some(_) => self.groups.get(self.at)?.tasks.len(),
            None => self.groups.len(),
        };
        (row < count).then(|| {
            self.on_click(row, ui, state);
            Vec::new()
        })
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let mut all = actions::hints(
            ui,
            state,
            &[Action::Toggle, Action::CommitAll, Action::ContactSheet],
        );
        if !state.held.is_empty() && ui.in_main() {
            let word = if self.inside.is_none() {
                "its tasks"
            } else {
                "read on"
            };
            all.push((Action::In, word.into()));
        }
        if self.inside.is_some() {
            all.extend(actions::hints(ui, state, &[Action::EditHeld]));
        }
        let rest = [
            Action::Out,
            Action::DropAll,
            Action::ReviewPicture,
            Action::PrevFrame,
            Action::NextFrame,
        ];
        all.extend(actions::hints(ui, state, &rest));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        draw::draw(ui, buf, area, self, state);
    }

    fn shell_command(&self, _: &Ui, state: &State) -> Option<Vec<String>> {
        Some(shell::commit(state, &taken(state, NAMED), false))
    }
}

/// The held tasks that are selected, at most this many.
fn taken(state: &State, most: usize) -> Vec<TaskId> {
    let taken = state.held.iter().filter(|(_, held)| held.taken);
    taken.map(|(task, _)| *task).take(most).collect()
}
