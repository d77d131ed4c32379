//! What each command does on the screen: moves a cursor, opens an overlay, or becomes a
//! [`Command`] for the engine. Which commands make sense now is decided here too, for hints and
//! help alike.

use crate::overlays::{
    Overlay, ask, conflicts, help, journal, messages, number, palette, review, watch,
};
use crate::screens::{flow, run};
use crate::{Screen, Ui};
use wb_core::command::{Command, Verb};
use wb_core::ids::{StageId, TaskId};
use wb_core::state::State;
use wb_core::step::At;

use crate::allowed::{refusal, selected_task, watchable, watched};

mod runs;

impl Ui {
    /// Does what a command says.
    pub(crate) fn act(&mut self, verb: Verb, state: &State) -> Vec<Command> {
        if let Some(why) = refusal(self, verb, state) {
            self.notice = Some(why);
            return Vec::new();
        }
        match verb {
            Verb::ShowFlow => self.go(Screen::Flow, state),
            Verb::ShowQueue => self.go(Screen::Queue, state),
            Verb::ShowTask => self.go(Screen::Task, state),
            Verb::ShowRun => self.go(Screen::Run, state),
            Verb::In => self.go_in(state),
            Verb::Out => self.go_out(state),
            Verb::Help => self.open(Overlay::Help(help::Pane::new(self))),
            Verb::Palette => self.open(Overlay::Palette(palette::Pane::new(self, state))),
            Verb::Builds => self.open(Overlay::Builds(0)),
            Verb::Messages => self.open(Overlay::Messages(messages::Pane::default())),
            Verb::Review => self.open(Overlay::Review(review::Pane::default())),
            Verb::Conflicts => conflicts::open(self, state),
            Verb::Journal => journal::open(self, false, state),
            Verb::UndoLast => journal::open(self, true, state),
            Verb::Watching => self.open(Overlay::Watch(watch::Pane::default())),
            Verb::WatchTask | Verb::WatchOpen | Verb::WatchFailed => self.watch(verb, state),
            Verb::Rate => self.ask_rate(state),
            Verb::Timeout => self.ask_timeout(state),
            Verb::Mode => self.mode(state),
            Verb::Refresh => vec![Command::Refresh(None)],
            Verb::Copy | Verb::CopyCommand => {
                self.copy(verb, state);
                Vec::new()
            }
            Verb::Quit => self.quit(state),
            Verb::Suspend => vec![Command::Suspend],
            Verb::Up
            | Verb::Down
            | Verb::Left
            | Verb::Right
            | Verb::Top
            | Verb::Bottom
            | Verb::PageUp
            | Verb::PageDown => self.move_cursor(verb, state),
            Verb::NextPane | Verb::PrevPane => {
                if self.screen == Screen::Task {
                    self.task.turn_tab(verb == Verb::NextPane);
                }
                Vec::new()
            }
            Verb::Filter => {
                self.screen = Screen::Queue;
                self.queue.begin_filter(self.stage, state);
                self.stage.map(Command::OpenStage).into_iter().collect()
            }
            Verb::Drawing => {
                self.flow.drawing = Some(self.flow.lists(self.room));
                Vec::new()
            }
            Verb::StepFirst | Verb::Step => self.step_task(verb, state),
            Verb::RunSome | Verb::RunMarked | Verb::RunEvery | Verb::RunMatching => {
                self.begin_run(verb, state)
            }
            Verb::Mark => self.mark(state),
            Verb::MarkAll | Verb::MarkNone => self
                .stage
                .map(|stage| Command::MarkAll {
                    stage,
                    on: verb == Verb::MarkAll,
                })
                .into_iter()
                .collect(),
            Verb::Sort => self.stage.map(Command::Sort).into_iter().collect(),
            Verb::StepOn => self.step_on(state),
            Verb::ToEnd => vec![Command::ToEnd],
            Verb::Rerun => {
                self.task.event = None;
                vec![Command::Rerun]
            }
            Verb::Discard => {
                self.screen = Screen::Queue;
                vec![Command::Discard]
            }
            Verb::Accept => vec![Command::Accept],
            Verb::CommitTask => self.ask_commit_task(state),
            Verb::KillJob => vec![Command::KillJob],
            Verb::NextTask | Verb::PrevTask => self.other_task(verb == Verb::NextTask, state),
            Verb::Preview => {
                self.queue.picture = Some(!self.queue.shows_picture(self.room));
                Vec::new()
            }
            Verb::Image => {
                self.task.turn_image();
                Vec::new()
            }
            Verb::Pause => vec![Command::PauseRun],
            Verb::More => vec![Command::Concurrency(1)],
            Verb::Fewer => vec![Command::Concurrency(-1)],
            Verb::CancelRun => vec![Command::CancelRun],
            Verb::StepFailed => self.step_failed(state),
            Verb::RetryGroup => self.retry_group(state),
            Verb::RetryAll => self.retry_all(state),
            // Keys of the review overlay, which sees them first.
            Verb::Toggle | Verb::CommitAll | Verb::DropAll => {
                self.open(Overlay::Review(review::Pane::default()))
            }
            Verb::Skip | Verb::RerunTheirs | Verb::Overwrite | Verb::AllOfGroup => {
                conflicts::open(self, state)
            }
            Verb::UndoOp => journal::open(self, true, state),
            Verb::FinishOp => journal::open(self, false, state),
            // Keys of the watch overlay.
            Verb::StepWatched
            | Verb::Again
            | Verb::KeepWatchResults
            | Verb::HoldWatched
            | Verb::Unwatch
            | Verb::UnwatchAll => self.open(Overlay::Watch(watch::Pane::default())),
        }
    }

    /// Watches the tasks that the screen is about; or no longer, when it watches them all.
    fn watch(&mut self, verb: Verb, state: &State) -> Vec<Command> {
        let Some((stage, rows)) = watchable(self, verb, state) else {
            return Vec::new();
        };
        let on = !watched(&rows, state);
        let room = wb_core::watch::MOST - state.watch.tasks.len();
        let new = rows.iter().filter(|r| state.watch.task(r.id).is_none());
        let left_out = new.count().saturating_sub(room);
        let plural = crate::text::plural;
        self.notice = Some(match (on, left_out) {
            (true, 0) => format!(
                "{} run dry at every build from now on; W shows what changes",
                plural(rows.len(), "task")
            ),
            (true, _) => format!(
                "at most {} tasks are watched; {} left out",
                wb_core::watch::MOST,
                plural(left_out, "task")
            ),
            (false, _) => format!("{} watched no longer", plural(rows.len(), "task")),
        });
        vec![Command::Watch { stage, rows, on }]
    }

    /// Asks a question.
    pub(crate) fn ask(&mut self, ask: ask::Ask, state: &State) -> Vec<Command> {
        self.open(Overlay::Ask(ask::Question::new(ask, state)))
    }

    fn ask_rate(&mut self, state: &State) -> Vec<Command> {
        let offer = state.rate.map_or_else(String::new, |r| r.to_string());
        self.open(Overlay::Number(number::Pane::new(number::Of::Rate, &offer)))
    }

    #[allow(clippy::cast_precision_loss)] // seconds for a person
    fn ask_timeout(&mut self, state: &State) -> Vec<Command> {
        let known = state.typed_timeout_ms.or(state.options.timeout_ms);
        let offer = known.map_or_else(String::new, |ms| (ms as f64 / 1000.0).to_string());
        self.open(Overlay::Number(number::Pane::new(
            number::Of::Timeout,
            &offer,
        )))
    }

    pub(crate) fn open(&mut self, overlay: Overlay) -> Vec<Command> {
        self.overlays.push(overlay);
        Vec::new()
    }

    /// Shows a screen; the queue of the selected stage is listed when it is not yet.
    pub(crate) fn go(&mut self, screen: Screen, _state: &State) -> Vec<Command> {
        self.screen = screen;
        match (screen, self.stage) {
            (Screen::Queue, Some(stage)) => vec![Command::OpenStage(stage)],
            _ => Vec::new(),
        }
    }

    fn go_in(&mut self, state: &State) -> Vec<Command> {
        match self.screen {
            Screen::Flow => self.go(Screen::Queue, state),
            Screen::Queue => self.act(Verb::Step, state),
            Screen::Run => self.act(Verb::StepFailed, state),
            Screen::Task => Vec::new(),
        }
    }

    fn go_out(&mut self, state: &State) -> Vec<Command> {
        match (self.screen, self.stage) {
            (Screen::Queue, Some(stage)) => {
                let lost = state
                    .queues
                    .get(&stage)
                    .is_some_and(|q| q.view.is_empty() && !q.filter_text.is_empty());
                if lost {
                    return vec![Command::Filter {
                        stage,
                        text: String::new(),
                    }];
                }
                self.screen = Screen::Flow;
            }
            (Screen::Task, _) => {
                if let Some(step) = &state.step {
                    self.stage = Some(step.stage);
                }
                self.screen = Screen::Queue;
            }
            _ => self.screen = Screen::Flow,
        }
        Vec::new()
    }

    fn mode(&mut self, state: &State) -> Vec<Command> {
        if state.live {
            return vec![Command::Live(false)];
        }
        self.ask(ask::Ask::Live, state)
    }

    fn quit(&mut self, state: &State) -> Vec<Command> {
        let quits = |q: &ask::Question| matches!(q.ask, ask::Ask::Quit);
        let asked = matches!(self.overlays.last(), Some(Overlay::Ask(q)) if quits(q));
        let unwritten = !state.held.is_empty() || !state.conflicts.is_empty();
        if !asked && (state.busy() || unwritten) {
            return self.ask(ask::Ask::Quit, state);
        }
        vec![Command::Quit]
    }

    fn move_cursor(&mut self, verb: Verb, state: &State) -> Vec<Command> {
        match self.screen {
            Screen::Flow => flow::move_cursor(self, verb, state),
            Screen::Queue => {
                if let Some(stage) = self.stage {
                    self.queue.move_cursor(stage, verb, state);
                }
            }
            Screen::Task => self.task.move_cursor(verb, state),
            Screen::Run => run::move_cursor(self, verb, state),
        }
        Vec::new()
    }

    /// Opens the selected task, unless it is the one being stepped already.
    fn step_task(&mut self, verb: Verb, state: &State) -> Vec<Command> {
        let Some((stage, task)) = selected_task(self, verb, state) else {
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
        self.screen = Screen::Task;
        self.stage = Some(stage);
        let same = state
            .step
            .as_ref()
            .is_some_and(|s| s.row.id == task && s.at != At::Committed);
        if same {
            return Vec::new();
        }
        vec![Command::Open { stage, task }]
    }

    fn step_on(&mut self, state: &State) -> Vec<Command> {
        self.task.event = None;
        match state.step.as_ref().map(|s| s.at) {
            Some(At::Review) => self.act(Verb::CommitTask, state),
            Some(At::Fetching | At::Calling | At::Committing) => Vec::new(),
            _ => vec![Command::Step],
        }
    }

    fn other_task(&mut self, next: bool, state: &State) -> Vec<Command> {
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

    fn mark(&mut self, state: &State) -> Vec<Command> {
        let Some((stage, task)) = selected_task(self, Verb::Step, state) else {
            return Vec::new();
        };
        let on = state
            .queues
            .get(&stage)
            .is_some_and(|q| !q.marks.contains(&task));
        self.queue.move_cursor(stage, Verb::Down, state);
        vec![Command::Mark {
            stage,
            tasks: vec![task],
            on,
        }]
    }

    fn ask_commit_task(&mut self, state: &State) -> Vec<Command> {
        let Some(step) = &state.step else {
            return Vec::new();
        };
        self.ask(ask::Ask::Commit(vec![step.row.id]), state)
    }
}
