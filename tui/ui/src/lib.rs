//! Screens, overlays, keys and colours of the terminal workbench.
//!
//! The [`Ui`] owns cursors and scroll positions only. Drawing reads a [`State`]; keys, mouse and
//! paste become [`wb_core::command::Command`]s. It opens no file and no connection, has no clock (time is
//! `state.now`) and starts no thread; performing effects and decoding pictures is left to the
//! binary.

mod actions;
mod asked;
mod cards;
mod chrome;
mod copy;
mod docs;
mod edit_of;
#[cfg(test)]
mod fixture;
mod frames;
pub mod graph;
mod hints;
mod input;
mod keymap;
pub mod keys;
mod layer;
pub mod linear;
mod linear_text;
mod links;
mod outside;
mod overlays;
mod panes;
pub mod passphrase;
mod picture;
mod pixels;
mod raster;
mod reading;
pub mod recording;
mod screens;
mod selection;
mod summary;
pub mod svg;
#[cfg(test)]
mod tests;
pub mod text;
pub mod theme;
mod wanted;
mod widgets;

pub use actions::{ACTIONS, Action, ActionRow, Scope};
pub use docs::{keys_json, keys_markdown, keys_text};
pub use keymap::{Keymap, Patch};
pub use links::{LinkTarget, ScreenLink};
pub use outside::{Outside, ValueText};
pub use picture::{
    Graphics, LabelsRequest, Letters, Medium, ParsedLabels, PictureId, PictureRequest, Pixels,
    PixelsRequest, Shot, Sound, TextFile,
};
pub use pixels::{Canvas, CanvasChange, Placement, Protocol};
pub use raster::Picture;
pub use summary::plain_summary;
pub use theme::{Styles, Theme};

use layer::Layer;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use screens::{flow, queue, run, task};
use wb_core::command::{Command, Shown};
use wb_core::ids::{Millis, StageId, TaskId};
use wb_core::queue::Sort;
use wb_core::state::State;
use wb_core::workflow::StageKind;

/// How the screen looks and which keys it has.
#[derive(Clone, Debug, Default)]
pub struct UiSettings {
    /// Colours; see [`Theme::detect`].
    pub styles: Styles,
    /// Seconds east of Greenwich, for the times of day on screen.
    pub utc_offset_s: i32,
    /// Whether the terminal draws Unicode; lines and marks become ASCII otherwise.
    pub unicode: bool,
    /// How pictures are shown.
    pub graphics: Graphics,
    /// Which keys mean which actions.
    pub keymap: Keymap,
    /// Whether it is read line by line: actions are named instead of their keys.
    pub linear: bool,
    /// The cards that were seen before; `None`: no cards.
    pub seen_cards: Option<Vec<String>>,
}

/// One of the four screens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Screen {
    /// Stages.
    #[default]
    Flow,
    /// Tasks of one stage.
    Queue,
    /// One task.
    Task,
    /// Many tasks.
    Run,
}

impl Screen {
    pub(crate) const ALL: [Self; 4] = [Self::Flow, Self::Queue, Self::Task, Self::Run];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flow => "Flow",
            Self::Queue => "Queue",
            Self::Task => "Task",
            Self::Run => "Run",
        }
    }

    pub(crate) const fn shown_by(self) -> Action {
        match self {
            Self::Flow => Action::ShowFlow,
            Self::Queue => Action::ShowQueue,
            Self::Task => Action::ShowTask,
            Self::Run => Action::ShowRun,
        }
    }

    pub(crate) fn layer(self) -> Box<dyn Layer> {
        match self {
            Self::Flow => Box::new(flow::Flow),
            Self::Queue => Box::new(queue::Queue),
            Self::Task => Box::new(task::Task),
            Self::Run => Box::new(run::RunScreen),
        }
    }
}

/// What a click means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hit {
    Screen(Screen),
    Stage(StageId),
    /// The first row in sight of a list; the row under the pointer is added.
    Rows(usize),
    Tab(usize),
    Runs(Action),
    /// Sorts the queue.
    Sort(Sort),
}

/// How much room there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    pub w: u16,
    pub h: u16,
}

impl Room {
    /// Room for three panes side by side.
    pub const fn wide(self) -> bool {
        self.w >= 160
    }
    /// One main pane and a strip.
    pub const fn narrow(self) -> bool {
        self.w < 100 || self.h < 30
    }
    /// One pane only, abbreviations.
    pub const fn tiny(self) -> bool {
        self.w < 80 || self.h < 20
    }
    /// Nothing can be drawn.
    pub const fn too_small(self) -> bool {
        self.w < 40 || self.h < 10
    }
}

/// The screen: cursors, scroll positions, what is open. Never domain data.
pub struct Ui {
    pub(crate) st: Styles,
    pub(crate) utc_offset_s: i32,
    unicode: bool,
    pub(crate) linear: bool,
    pub(crate) keymap: Keymap,
    pub(crate) screen: Screen,
    pub(crate) overlays: Vec<Box<dyn Layer>>,
    pub(crate) panes: panes::Panes,
    pub(crate) stage: Option<StageId>,
    pub(crate) flow: flow::FlowCursor,
    pub(crate) queue: queue::QueueCursor,
    pub(crate) task: task::TaskCursor,
    pub(crate) run: run::RunCursor,
    /// The task that is stepped once its stage has an agent: the screen goes there then.
    queued: Option<TaskId>,
    /// When the first build failed whose errors were shown.
    pub(crate) failure_shown: Option<Millis>,
    pub(crate) cards: cards::Cards,
    pub(crate) pictures: picture::PictureView,
    /// The picture beside lists.
    pub(crate) beside: picture::Beside,
    /// Shown in the last row until the next key.
    pub(crate) notice: Option<String>,
    /// Where and when the last click was.
    pub(crate) clicked: Option<(Position, Millis)>,
    /// The mouse is left to the terminal.
    mouse_off: bool,
    /// To be put into the terminal's clipboard.
    pub(crate) copied: Option<String>,
    /// To be opened by another program.
    pub(crate) outside: Option<Outside>,
    pub(crate) hits: Vec<(Rect, Hit)>,
    links: Vec<ScreenLink>,
    /// Where the button went down, and the inside of the pane there.
    pressed: Option<(Rect, Position)>,
    dragged: Option<selection::DraggedText>,
    /// Rows of the newest frame that go on from the row above.
    wrapped: Vec<(Rect, text::Wrapped)>,
    /// What the newest frame asks the engine for.
    wanted: Vec<Command>,
    /// Text that can be searched, and the search in it.
    pub(crate) reading: reading::ReadPanes,
    pub(crate) room: Room,
    /// The stages in sight that the engine knows of.
    shown: Shown,
    /// The first of the tasks whose label rows were asked for last, and when.
    asked: Option<(TaskId, Millis)>,
}

impl Ui {
    /// A screen that shows Flow.
    #[must_use]
    pub fn new(settings: UiSettings) -> Self {
        Self {
            st: settings.styles,
            utc_offset_s: settings.utc_offset_s,
            unicode: settings.unicode,
            linear: settings.linear,
            keymap: settings.keymap,
            screen: Screen::Flow,
            overlays: Vec::new(),
            panes: panes::Panes::default(),
            stage: None,
            flow: flow::FlowCursor::default(),
            queue: queue::QueueCursor::default(),
            task: task::TaskCursor::default(),
            run: run::RunCursor::default(),
            queued: None,
            failure_shown: None,
            cards: cards::Cards::new(settings.seen_cards),
            pictures: picture::PictureView::new(settings.graphics),
            beside: picture::Beside::default(),
            notice: None,
            clicked: None,
            mouse_off: false,
            copied: None,
            outside: None,
            hits: Vec::new(),
            links: Vec::new(),
            pressed: None,
            dragged: None,
            wrapped: Vec::new(),
            wanted: Vec::new(),
            reading: reading::ReadPanes::default(),
            room: Room { w: 120, h: 36 },
            shown: Shown::default(),
            asked: None,
        }
    }

    /// Draws everything. Takes time in proportion to the screen, not to the queue.
    pub fn draw(&mut self, frame: &mut Frame<'_>, state: &State) {
        let area = frame.area();
        self.room = Room {
            w: area.width,
            h: area.height,
        };
        self.hits.clear();
        self.links.clear();
        self.wrapped.clear();
        self.reading.begin();
        self.pictures.begin();
        self.follow(state);
        let buf = frame.buffer_mut();
        buf.set_style(area, self.st.text);
        if self.room.too_small() {
            chrome::too_small(self, buf, area);
            return;
        }
        let (body, [hints_row, status_row]) = chrome::draw(self, buf, area, state);
        let body = self.draw_card(buf, body, state);
        self.draw_layers(buf, body, state);
        self.reading.end();
        self.draw_search_line(buf);
        self.draw_selection(buf);
        // Both depend on what is in sight.
        hints::draw(self, buf, hints_row, state);
        chrome::draw_status(self, buf, status_row, state);
        if !self.unicode {
            widgets::to_ascii(buf);
        }
        widgets::guard(buf);
        self.pictures.drawn.end(buf);
    }

    /// Whether something on screen changes by itself many times a second: an age in seconds, a
    /// progress bar, a running job.
    #[must_use]
    pub fn should_tick_fast(&self, state: &State) -> bool {
        state.busy() || state.compiling.as_ref().is_some_and(|c| c.failed.is_none())
    }

    /// The title of the terminal's window.
    #[must_use]
    pub fn window_title(&self, state: &State) -> String {
        summary::window_title(self, state)
    }

    /// Which screen is shown.
    #[must_use]
    pub const fn screen(&self) -> Screen {
        self.screen
    }

    /// Shows another screen.
    pub fn show(&mut self, screen: Screen) {
        self.screen = screen;
    }

    /// The selected stage.
    #[must_use]
    pub const fn stage(&self) -> Option<StageId> {
        self.stage
    }

    /// Selects a stage; Flow and Queue show it.
    pub fn select_stage(&mut self, stage: StageId) {
        self.stage = Some(stage);
    }

    /// Lets cursors follow what they stand on, when the state has changed under them.
    pub(crate) fn follow(&mut self, state: &State) {
        self.overlays.retain(|layer| !layer.is_over(state));
        self.follow_failure(state);
        self.follow_queued(state);
        self.follow_cards(state);
        let Some(project) = &state.project else {
            return;
        };
        let flow = &project.workflow;
        if self.stage.is_none_or(|s| flow.stage(s).is_none()) {
            let bound = state.builds.order().into_iter().next();
            self.stage = bound
                .or_else(|| flow.agent_stages().next().map(|s| s.id))
                .or_else(|| {
                    flow.stages
                        .iter()
                        .find(|s| s.kind != StageKind::Done)
                        .map(|s| s.id)
                });
        }
        if let Some(stage) = self.stage {
            self.queue.follow(stage, state);
        }
        self.task.follow(state);
        self.run.follow(state);
    }

    /// Shows the task that was queued once it is stepped.
    fn follow_queued(&mut self, state: &State) {
        let before = self.queued.take();
        self.queued = state.queued_step.as_ref().map(|step| step.task);
        let opened = state.step.as_ref().map(|step| step.row.id);
        if before.is_some() && self.queued.is_none() && before == opened {
            self.screen = Screen::Task;
        }
    }
}
