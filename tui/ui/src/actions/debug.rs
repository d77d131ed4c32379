//! What the actions of the debugger do: run on, pause points, edits, forks, and the debugger of a host.

use crate::edit_of::EditOf;
use crate::overlays::edit_list::EditList;
use crate::overlays::{condition, edit_value};
use crate::screens::task::{chosen_event, chosen_number, chosen_place};
use crate::screens::timeline::What;
use crate::{Screen, Ui};
use wb_core::command::Command;
use wb_core::pause::PointChange;
use wb_core::state::State;
use wb_core::step::{At, Until};

impl Ui {
    pub(super) fn rerun(&mut self, _: &State) -> Vec<Command> {
        self.task.event = None;
        vec![Command::Rerun]
    }

    pub(super) fn run_to_end(&mut self, _: &State) -> Vec<Command> {
        self.task.event = None;
        vec![Command::Step(Until::End)]
    }

    pub(super) fn run_to_return(&mut self, _: &State) -> Vec<Command> {
        self.task.event = None;
        vec![Command::Step(Until::Return)]
    }

    pub(super) fn toggle_point(&mut self, state: &State) -> Vec<Command> {
        let place = chosen_place(self, state);
        let change = PointChange::Toggled;
        let toggle = place.map(|(stage, at, _)| Command::Point { stage, at, change });
        toggle.into_iter().collect()
    }

    pub(super) fn ask_condition(&mut self, state: &State) -> Vec<Command> {
        let Some((stage, at, sight)) = chosen_place(self, state) else {
            return Vec::new();
        };
        self.open(condition::ConditionLine::new(stage, at, sight, state))
    }

    pub(super) fn edit_value(&mut self, state: &State) -> Vec<Command> {
        let Some(step) = &state.step else {
            return Vec::new();
        };
        let task = step.row.id;
        if step.held_at().is_some() {
            return edit_value::edit(EditOf::Place, self, state);
        }
        let about = match chosen_event(self, state) {
            Some(What::Parameters) => return edit_value::edit(EditOf::Params, self, state),
            Some(What::Task | What::Input(_) | What::Call) => {
                return self.open(EditList::given(state));
            }
            _ if step.at == At::Fetched => return self.open(EditList::given(state)),
            Some(What::Effect(effect)) => effect.name(),
            _ => "",
        };
        self.open(EditList::outcome(task, about, state))
    }

    pub(super) fn fork(&mut self, state: &State) -> Vec<Command> {
        let fork = chosen_number(self, state).map(Command::Fork);
        self.task.event = None;
        fork.into_iter().collect()
    }

    pub(super) fn attach(&mut self, state: &State) -> Vec<Command> {
        let step = state.step.as_ref();
        let Some((attached, pid)) = step.and_then(|step| Some((step.attached, step.pid?))) else {
            self.notice = Some("no host has begun with this task yet".to_owned());
            return Vec::new();
        };
        self.notice = Some(match attached {
            true => "the time limit of the attempt goes on".to_owned(),
            false => {
                let gdb = format!("gdb -p {pid}");
                let text = format!(
                    "copied {gdb} (or: lldb -p {pid}); the time limit stands still, {{key:Attach}} lets it go on"
                );
                self.copied = Some(gdb);
                text
            }
        });
        vec![Command::Attach]
    }

    pub(super) fn open_paused(&mut self, state: &State) -> Vec<Command> {
        self.stage = state.paused.first().map(|paused| paused.stage);
        self.screen = Screen::Task;
        vec![Command::OpenPaused]
    }

    pub(super) fn discard(&mut self, _: &State) -> Vec<Command> {
        self.screen = Screen::Queue;
        vec![Command::Discard]
    }
}
