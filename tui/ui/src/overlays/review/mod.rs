//! What is held, in groups by where it goes and what it changes; what a commit would send.
//!
//! Groups are made when what is held changes, not at every frame: there may be a hundred thousand
//! outcomes. Writing is left to the engine, asking to [`super::ask`].

use super::ask::Ask;
use super::{Overlay, moved};
use crate::Ui;
use std::sync::Arc;
use wb_core::command::{Command, Verb};
use wb_core::ids::{StageId, TaskId};
use wb_core::state::State;
use wb_core::work::Route;

mod draw;

pub use draw::draw;

/// Groups, cursor, and the group that is open.
#[derive(Default)]
pub struct Pane {
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
    /// Something is taken away: worth a look.
    removes: bool,
}

#[derive(Clone, Copy, Default)]
struct Send {
    tasks: usize,
    labels: usize,
    priorities: usize,
    metadata: usize,
    moves: usize,
}

impl Pane {
    /// Makes the groups anew when what is held, or what is taken of it, has changed.
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
                self.send.moves += usize::from(matches!(outcome.way, Route::Pathway { .. }));
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

    pub fn move_cursor(&mut self, verb: Verb) {
        match self.inside {
            Some(place) => {
                let last = self
                    .groups
                    .get(self.at)
                    .map_or(0, |g| g.tasks.len().saturating_sub(1));
                self.inside = Some(moved(place, verb, 10).min(last));
            }
            None => self.at = moved(self.at, verb, 10).min(self.groups.len().saturating_sub(1)),
        }
    }

    pub fn select(&mut self, row: usize) {
        match self.inside {
            Some(_) => self.inside = Some(row),
            None => self.at = row,
        }
        self.move_cursor(Verb::Review);
    }

    /// The tasks that a command is about: the one under the cursor, or the group.
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

/// Commands that mean something special here; `None`: not one of them.
pub fn on_verb(ui: &mut Ui, verb: Verb, state: &State) -> Option<Vec<Command>> {
    let Some(Overlay::Review(pane)) = ui.overlays.last_mut() else {
        return None;
    };
    pane.follow(state);
    match verb {
        Verb::In | Verb::Right => {
            if pane.inside.is_none() && !pane.groups.is_empty() {
                pane.inside = Some(0);
            }
            Some(Vec::new())
        }
        Verb::Out | Verb::Left if pane.inside.is_some() => {
            pane.inside = None;
            Some(Vec::new())
        }
        Verb::Left => Some(Vec::new()),
        Verb::Toggle => {
            let tasks = pane.chosen();
            let taken = |t: &TaskId| state.held.get(t).is_some_and(|h| h.taken);
            let on = !tasks.iter().all(taken);
            if pane.inside.is_some() {
                pane.move_cursor(Verb::Down);
            }
            Some(vec![Command::Take { tasks, on }])
        }
        Verb::DropAll => {
            let tasks = pane.chosen();
            Some(if tasks.is_empty() {
                Vec::new()
            } else {
                ui.ask(Ask::Drop(tasks), state)
            })
        }
        Verb::CommitAll => Some(commit(ui, state)),
        _ => None,
    }
}

fn commit(ui: &mut Ui, state: &State) -> Vec<Command> {
    if let Some(why) = crate::allowed::refusal(ui, Verb::CommitAll, state) {
        ui.notice = Some(why);
        return Vec::new();
    }
    let tasks: Vec<TaskId> = state
        .held
        .iter()
        .filter(|(_, h)| h.taken)
        .map(|(t, _)| *t)
        .collect();
    if tasks.is_empty() {
        ui.notice = Some("nothing is taken: space takes a group".into());
        return Vec::new();
    }
    ui.ask(Ask::Commit(tasks), state)
}
