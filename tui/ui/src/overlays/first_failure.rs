//! The errors of a build that left nothing to run: opened by itself while no agent is loaded, closed by itself
//! once one is. Every build and its result are left to [`super::builds`].

use super::errors::ErrorCursor;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::screens::first_build;
use crate::widgets::{hanging, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;
use wb_core::code_place::CodePlace;
use wb_core::event::CompileFailure;
use wb_core::ids::Millis;
use wb_core::state::State;

/// What failed and when.
pub struct FirstFailure {
    failure: CompileFailure,
    at: Millis,
    errors: ErrorCursor,
}

/// A failure that nothing can run after, and when it was.
fn failed(state: &State) -> Option<(&CompileFailure, Millis)> {
    let build = first_build::awaited(state)?;
    Some((build.failed.as_ref()?, build.since))
}

impl Ui {
    /// Shows the errors of a first build that failed, each time one does; below what is open already.
    pub(crate) fn follow_failure(&mut self, state: &State) {
        let Some((failure, at)) = failed(state) else {
            return;
        };
        if self.failure_shown == Some(at) {
            return;
        }
        self.failure_shown = Some(at);
        let layer = FirstFailure {
            failure: failure.clone(),
            at,
            errors: ErrorCursor::default(),
        };
        self.overlays.insert(0, Box::new(layer));
    }
}

impl Layer for FirstFailure {
    fn scope(&self) -> Scope {
        Scope::List
    }

    /// It stays while the next build runs, so that its text can be read on; the errors of that one replace it.
    fn is_over(&self, state: &State) -> bool {
        first_build::awaited(state).is_none() || failed(state).is_some_and(|(_, at)| at != self.at)
    }

    fn on(&mut self, action: Action, _: &mut Ui, _: &State) -> Handled {
        self.errors.on(action, Some(&self.failure))
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let all = [
            Action::Up,
            Action::Down,
            Action::Edit,
            Action::Out,
            Action::Builds,
            Action::Quit,
        ];
        actions::hints(ui, state, &all)
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let area = match ui.room.narrow() {
            true => area,
            false => area.inner(Margin::new(4, 2)),
        };
        let compiles = failed(state).is_none();
        let right = match compiles {
            true => crate::chrome::build_word(ui, state).0,
            false => "waiting for a change".to_owned(),
        };
        let title = ("The agents did not compile", &*right);
        let inner = ui.overlay(buf, area, title);
        let columns = usize::from(padded(inner).width);
        let mut all = vec![Line::default()];
        if let Some(first) = &self.failure.first {
            all.extend(hanging("✗ ", st.bad, first, columns, st.bad));
        }
        let meaning = "No agent is loaded: no task was touched and nothing was written.";
        all.extend(hanging("  ", st.text, meaning, columns, st.text));
        let hint = "Fix it and save: it is built again, and this closes when it compiles.";
        all.extend(hanging("→ ", st.accent, hint, columns, st.text));
        if let Some(queued) = first_build::queued_text(state) {
            all.extend(hanging("→ ", st.accent, &queued, columns, st.accent));
        }
        all.push(Line::default());
        all.extend(self.errors.lines(&self.failure, columns, &st));
        ui.pane_text(buf, PaneName::Main, inner, &all, self.errors.at());
        ui.link_code(buf, inner);
    }

    fn code_place(&self, _: &Ui, _: &State) -> Option<CodePlace> {
        self.errors.place(&self.failure)
    }

    fn value(&self, _: &Ui, _: &State) -> Option<(String, String)> {
        Some((
            "the build's errors".to_owned(),
            self.failure.messages.clone(),
        ))
    }
}
