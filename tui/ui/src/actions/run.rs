//! What the actions of screens do: move a cursor, open an overlay, or become a [`Command`] for the
//! engine.

use super::enabled::{selected_task, task_at};
use super::{Action, watchable, watched};
use crate::layer::Layer;
use crate::overlays::{ask, conflicts, number};
use crate::panes::PaneName;
use crate::picture::FrameStep;
use crate::{Screen, Ui};
use wb_core::command::Command;
use wb_core::ids::{StageId, TaskId};
use wb_core::queue::{Queue, Sort};
use wb_core::state::State;
use wb_core::step::{At, Until};

impl Ui {
    /// Starts or stops watching the selected tasks.
    pub(super) fn watch(&mut self, action: Action, state: &State) -> Vec<Command> {
        let Some((stage, rows)) = watchable(self, action, state) else {
            return Vec::new();
        };
        let on = !watched(&rows, state);
        let tasks = crate::text::plural(rows.len(), "task");
        self.notice = Some(match on {
            true => format!(
                "{tasks} watched: dry-run at every build ({{key:Watching}} shows what changes)"
            ),
            false => format!("{tasks} no longer watched"),
        });
        vec![Command::Watch { stage, rows, on }]
    }

    /// Asks a question.
    pub(crate) fn ask(&mut self, ask: ask::Ask, state: &State) -> Vec<Command> {
        self.open(ask::Question::new(ask, state))
    }

    pub(super) fn ask_rate(&mut self, state: &State) -> Vec<Command> {
        let offer = state.rate.map_or_else(String::new, |r| r.to_string());
        self.open(number::Number::new(number::Of::Rate, &offer))
    }

    #[allow(clippy::cast_precision_loss)] // seconds for a person
    pub(super) fn ask_timeout(&mut self, state: &State) -> Vec<Command> {
        let known = state.typed_timeout_ms.or(state.options.timeout_ms);
        let offer = known.map_or_else(String::new, |ms| (ms as f64 / 1000.0).to_string());
        self.open(number::Number::new(number::Of::Timeout, &offer))
    }

    pub(crate) fn open(&mut self, layer: impl Layer + 'static) -> Vec<Command> {
        self.panes.forget(layer.kind());
        self.overlays.push(Box::new(layer));
        Vec::new()
    }

    pub(super) fn open_conflicts(&mut self, state: &State) -> Vec<Command> {
        let layer = conflicts::Conflicts::default();
        let theirs = layer.look(state);
        self.open(layer);
        theirs
    }

    /// Shows a screen; the queue of the selected stage is listed when it is not yet.
    pub(crate) fn go(&mut self, screen: Screen) -> Vec<Command> {
        self.screen = screen;
        match (screen, self.stage) {
            (Screen::Queue, Some(stage)) => vec![Command::OpenStage(stage)],
            _ => Vec::new(),
        }
    }

    pub(super) fn begin_filter(&mut self, state: &State) -> Vec<Command> {
        self.queue.begin_filter(self.stage, state);
        let all = self.go(Screen::Queue);
        self.set_focus(PaneName::Main);
        all
    }

    /// Whether the key of a filter is for stages: where the workflow has the focus.
    pub(crate) fn filters_stages(&self) -> bool {
        self.screen == Screen::Flow && self.overlays.is_empty() && self.in_main()
    }

    pub(super) fn search(&mut self, _: &State) -> Vec<Command> {
        let prompt = self.key_of(Action::Search);
        self.begin_search(prompt);
        Vec::new()
    }

    pub(super) fn turn_match(&mut self, forward: bool) -> Vec<Command> {
        self.go_to_match(forward);
        Vec::new()
    }

    pub(super) fn switch_mode(&mut self, state: &State) -> Vec<Command> {
        if state.live {
            return vec![Command::Live(false)];
        }
        self.ask(ask::Ask::Live, state)
    }

    pub(super) fn quit(&mut self, state: &State) -> Vec<Command> {
        let unwritten = !state.held.is_empty() || !state.conflicts.is_empty();
        if state.busy() || unwritten {
            return self.ask(ask::Ask::Quit, state);
        }
        vec![Command::Quit]
    }

    /// Asks whether the run in the background stops: the oldest, where there are several.
    pub(super) fn ask_stop_background(&mut self, state: &State) -> Vec<Command> {
        match state.background.first() {
            Some(run) => self.ask(ask::Ask::StopBackground(run.run), state),
            None => Vec::new(),
        }
    }

    pub(super) fn turn_drawing(&mut self, _: &State) -> Vec<Command> {
        self.flow.drawing = Some(self.flow.lists(self.room));
        Vec::new()
    }

    pub(super) fn fold(&mut self, state: &State) -> Vec<Command> {
        if let (Some(project), Some(stage)) = (&state.project, self.stage) {
            self.flow.fold(&project.workflow, stage);
        }
        Vec::new()
    }

    pub(super) fn fold_all(&mut self, state: &State) -> Vec<Command> {
        if let Some(project) = &state.project {
            self.flow.fold_all(&project.workflow);
        }
        Vec::new()
    }

    pub(super) fn pan(&mut self, action: Action) -> Vec<Command> {
        self.flow.pan(action);
        Vec::new()
    }

    pub(crate) fn go_frame(&mut self, step: FrameStep) -> Vec<Command> {
        self.pictures.go(step);
        Vec::new()
    }

    pub(super) fn ask_frame(&mut self, _: &State) -> Vec<Command> {
        let count = self.pictures.frames_in_sight().unwrap_or(1);
        self.open(number::Number::new(number::Of::Frame { count }, ""))
    }

    pub(super) fn turn_side(&mut self, _: &State) -> Vec<Command> {
        self.turn_beside();
        Vec::new()
    }

    pub(super) fn turn_preview(&mut self, _: &State) -> Vec<Command> {
        self.queue.picture = Some(!self.queue.shows_picture(self.room));
        Vec::new()
    }

    pub(super) fn turn_image(&mut self, state: &State) -> Vec<Command> {
        let beside = crate::screens::task::has_room_beside(self, state);
        self.task.turn_image(beside, self.room);
        Vec::new()
    }

    pub(super) fn turn_mouse(&mut self, _: &State) -> Vec<Command> {
        self.notice = Some(match self.mouse_off {
            true => "the mouse selects and scrolls panes again".to_owned(),
            false => "the mouse is the terminal's: select text with it ({key:Mouse} takes it back)"
                .to_owned(),
        });
        self.mouse_off = !self.mouse_off;
        Vec::new()
    }

    pub(super) fn go_pane(&mut self, forward: bool) -> Vec<Command> {
        self.turn_focus(forward);
        Vec::new()
    }

    pub(super) fn zoom(&mut self, _: &State) -> Vec<Command> {
        self.turn_zoom();
        Vec::new()
    }

    pub(super) fn turn_tab(&mut self, forward: bool) -> Vec<Command> {
        self.task.turn_tab(forward);
        Vec::new()
    }

    pub(super) fn mark_all(&mut self, on: bool) -> Vec<Command> {
        let mark = |stage| Command::MarkAll { stage, on };
        self.stage.map(mark).into_iter().collect()
    }

    /// Opens the first or the selected task, unless it is the one being stepped already.
    pub(super) fn step_task(&mut self, first: bool, state: &State) -> Vec<Command> {
        let task = match first {
            true => task_at(self, 0, state),
            false => selected_task(self, state),
        };
        let Some((stage, task)) = task else {
            return Vec::new();
        };
        self.open_task(stage, task, state)
    }

    pub(crate) fn open_task(
        &mut self,
        stage: StageId,
        task: TaskId,
        state: &State,
    ) -> Vec<Command> {
        self.stage = Some(stage);
        if state.agent_coming(stage) {
            // Queued; the screen follows once it is stepped.
            return vec![Command::Open { stage, task }];
        }
        self.screen = Screen::Task;
        let same = state
            .step
            .as_ref()
            .is_some_and(|s| s.row.id == task && s.at != At::Committed);
        if same {
            return Vec::new();
        }
        vec![Command::Open { stage, task }]
    }

    /// Whether `Esc` takes a queued task back: on Flow and Queue.
    pub(crate) fn unqueues(&self, state: &State) -> bool {
        let here = matches!(self.screen, Screen::Flow | Screen::Queue);
        state.queued_step.is_some() && here && self.overlays.is_empty()
    }

    pub(super) fn step_on(&mut self, state: &State) -> Vec<Command> {
        self.task.event = None;
        let held = state.step.as_ref().is_some_and(|s| s.held_since.is_some());
        match state.step.as_ref().map(|s| s.at) {
            Some(At::Review) => self.dispatch(Action::CommitTask, state),
            Some(At::Fetching | At::Calling | At::Committing) if !held => Vec::new(),
            _ => vec![Command::Step(Until::Next)],
        }
    }

    pub(super) fn other_task(&mut self, next: bool, state: &State) -> Vec<Command> {
        let Some(step) = &state.step else {
            return Vec::new();
        };
        let stage = step.stage;
        let Some(queue) = state.queues.get(&stage) else {
            return Vec::new();
        };
        let place = match (queue.place_of(step.row.id), next) {
            (Some(place), true) => Some(place + 1),
            (Some(place), false) => place.checked_sub(1),
            // It has left the queue: the next one took its place.
            (None, true) => Some(self.queue.place(stage)),
            (None, false) => self.queue.place(stage).checked_sub(1),
        };
        match place.and_then(|p| queue.at(p).map(|row| (p, row.id))) {
            Some((place, task)) => {
                self.queue.go_to(stage, place, state);
                self.open_task(stage, task, state)
            }
            None => {
                let end = if next { "last" } else { "first" };
                self.notice = Some(format!("this is the {end} task of the queue"));
                Vec::new()
            }
        }
    }

    pub(super) fn mark(&mut self, state: &State) -> Vec<Command> {
        let Some((stage, task)) = selected_task(self, state) else {
            return Vec::new();
        };
        let on = state
            .queues
            .get(&stage)
            .is_some_and(|q| !q.marks.contains(&task));
        self.queue.move_cursor(stage, Action::Down, 1, state);
        vec![Command::Mark {
            stage,
            tasks: vec![task],
            on,
        }]
    }

    /// Marks the task under the cursor and its neighbour, which the cursor goes to.
    pub(super) fn mark_range(&mut self, down: bool, state: &State) -> Vec<Command> {
        let Some((stage, first)) = selected_task(self, state) else {
            return Vec::new();
        };
        let way = if down { Action::Down } else { Action::Up };
        self.queue.move_cursor(stage, way, 1, state);
        let mut tasks = vec![first];
        tasks.extend(selected_task(self, state).map(|(_, task)| task));
        tasks.dedup();
        let on = true;
        vec![Command::Mark { stage, tasks, on }]
    }

    pub(super) fn next_sort(&mut self, state: &State) -> Vec<Command> {
        self.sort(state, |queue| (queue.sort.next(), false))
    }

    pub(super) fn reverse_sort(&mut self, state: &State) -> Vec<Command> {
        self.sort(state, |queue| (queue.sort, !queue.reversed))
    }

    /// Sorts by this; the order that is in use is turned round.
    pub(crate) fn sort_by(&mut self, sort: Sort, state: &State) -> Vec<Command> {
        self.sort(state, |queue| (sort, sort == queue.sort && !queue.reversed))
    }

    fn sort(&self, state: &State, order: impl FnOnce(&Queue) -> (Sort, bool)) -> Vec<Command> {
        let Some(stage) = self.stage else {
            return Vec::new();
        };
        let Some((sort, reversed)) = state.queues.get(&stage).map(order) else {
            return Vec::new();
        };
        vec![Command::Sort(stage, sort, reversed)]
    }

    pub(super) fn ask_commit_task(&mut self, state: &State) -> Vec<Command> {
        let Some(step) = &state.step else {
            return Vec::new();
        };
        self.ask(ask::Ask::Commit(vec![step.row.id]), state)
    }
}
