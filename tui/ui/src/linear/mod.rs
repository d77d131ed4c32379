//! Linear mode (`--plain`): the screens and overlays as lines, one after the other, and actions by their names. For
//! screen readers, terminals that cannot move a cursor, and scripts.
//!
//! It is a second way to read and to drive the same [`Ui`]: an action does here what its key does on the screen. What
//! is typed is read in `command`, what changes is found in `news`, the screens' own lines are `Layer::lines`; what has none is
//! drawn, and its text is taken off the drawing (`drawn`). Reading stdin and writing stdout are left to the binary.

mod command;
mod drawn;
mod news;

use crate::actions::{Action, Scope};
use crate::{Screen, Ui};
use wb_core::state::State;
use wb_core::step::At;

/// Actions that a place names after its lines.
const HINTS: usize = 8;

/// What was read out last, so that only what is new follows.
#[derive(Debug, Default)]
pub struct Linear {
    place: Option<LinearPlace>,
    lines: Vec<String>,
    /// The place is read again whether it has changed or not.
    again: bool,
    /// It was read before everything that it shows was there.
    early: bool,
    news: news::ReadSoFar,
    /// Lines that answer what was typed.
    reply: Vec<String>,
}

/// Where a person is: a screen, or what is open above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LinearPlace {
    screen: Screen,
    open: usize,
    scope: Scope,
    typing: bool,
}

impl LinearPlace {
    fn of(ui: &Ui) -> Self {
        let (scope, typing) = ui.top(|layer| (layer.scope(), layer.typing(ui)));
        Self {
            screen: ui.screen,
            open: ui.overlays.len(),
            scope,
            typing,
        }
    }

    /// Whether its changes are read line by line as they come.
    fn is_followed(self) -> bool {
        self.open == 0 && matches!(self.screen, Screen::Task | Screen::Run)
    }
}

impl Linear {
    /// Nothing was read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to be read now: answers, the place when it is another one, and what has changed since the last time.
    /// `settled`: nothing that a person waits for is under way, see [`is_settled`].
    pub fn take_lines(&mut self, ui: &mut Ui, state: &State, settled: bool) -> Vec<String> {
        ui.follow(state);
        let mut all = std::mem::take(&mut self.reply);
        all.extend(self.news.take(ui, state));
        let notice = ui.notice.take().map(|text| ui.keyed(&text));
        let refused = notice.is_some();
        all.extend(notice);
        let place = LinearPlace::of(ui);
        let moved = self.place != Some(place);
        let asked = std::mem::take(&mut self.again) && !refused;
        self.place = Some(place);
        if moved || asked {
            self.early = !settled;
            // What happens there is read as it comes.
            if settled || !place.is_followed() {
                self.read(ui, state, &mut all);
            }
        } else if self.early && settled {
            self.early = false;
            match place.screen {
                Screen::Task if place.is_followed() => all.extend(hints(ui, state)),
                _ => self.read_changed(ui, state, &mut all),
            }
        } else if place.scope == Scope::Journal {
            // It is read from the disk while it is shown.
            self.read_changed(ui, state, &mut all);
        }
        all.into_iter()
            .flat_map(|text| text.lines().map(clean_line).collect::<Vec<_>>())
            .map(|line| match ui.unicode {
                true => line,
                false => crate::widgets::ascii_text(&line),
            })
            .collect()
    }

    fn read(&mut self, ui: &mut Ui, state: &State, all: &mut Vec<String>) {
        self.lines = lines_of(ui, state);
        all.extend(self.lines.iter().cloned());
        all.extend(hints(ui, state));
    }

    fn read_changed(&mut self, ui: &mut Ui, state: &State, all: &mut Vec<String>) {
        if lines_of(ui, state) != self.lines {
            self.read(ui, state, all);
        }
    }
}

fn clean_line(text: &str) -> String {
    crate::text::clean(text).trim_end().to_owned()
}

/// Whether nothing that a person waits for is under way.
#[must_use]
pub fn is_settled(state: &State) -> bool {
    if state.project.is_none() {
        return state.project_error.is_some();
    }
    let held = state
        .step
        .as_ref()
        .is_some_and(|step| step.held_at().is_some());
    if held || !state.paused.is_empty() {
        // It waits for the person.
        return true;
    }
    let stepping = state.step.as_ref().is_some_and(|step| {
        matches!(step.at, At::Fetching | At::Calling | At::Committing)
            || (step.to_end && step.result.is_none())
    });
    !state.busy()
        && !stepping
        && !state.journal.is_reading()
        && !state.libraries_coming()
        && state.queued_step.is_none()
        && state.commit.as_ref().is_none_or(|c| c.ended.is_some())
        && state
            .queues
            .values()
            .all(|queue| !queue.loading && !queue.asking)
}

/// The lines of what is topmost.
fn lines_of(ui: &mut Ui, state: &State) -> Vec<String> {
    if state.project.is_none() && ui.overlays.is_empty() {
        return crate::summary::plain_summary(state)
            .lines()
            .map(str::to_owned)
            .collect();
    }
    let own = ui.with_top(|layer, ui| layer.lines(ui, state));
    own.unwrap_or_else(|| drawn::lines(ui, state))
}

/// The actions that are of use here, by their names.
fn hints(ui: &Ui, state: &State) -> Option<String> {
    if state.project.is_none() || ui.top(|layer| layer.typing(ui)) {
        return None;
    }
    let mut all = ui.top(|layer| layer.hints(ui, state));
    all.retain(|(action, _)| !action.moves() && !matches!(action, Action::NextPane | Action::Zoom));
    let names: Vec<String> = all
        .iter()
        .take(HINTS)
        .map(|(action, _)| action.row().id())
        .collect();
    match names.is_empty() {
        true => None,
        false => Some(format!("Commands here: {}, help.", names.join(", "))),
    }
}
