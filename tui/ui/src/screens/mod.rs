//! The four screens, and what is shown while there is no project. Each screen owns its cursor and
//! scroll; what surrounds it is left to [`crate::chrome`].

pub mod activity;
pub mod first_build;
pub mod flow;
pub mod queue;
pub mod run;
pub mod stage;
pub mod stage_figures;
pub mod task;
pub mod timeline;

use crate::Ui;
use crate::frames::bright;
use crate::text::clean;
use crate::theme::Styles;
use crate::widgets::{centred, hanging, lines};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::error::Error;
use wb_core::state::State;

/// An error that stops a start, with what to do.
pub fn error_lines(error: &Error, width: u16, st: &Styles) -> Vec<Line<'static>> {
    let columns = usize::from(width).saturating_sub(1);
    let mut all = vec![Line::default()];
    all.extend(hanging(" ✗ ", st.bad, &error.summary, columns, st.bad));
    for text in error.explanation() {
        all.extend(hanging("   ", st.text, &text, columns, st.text));
    }
    all.push(Line::default());
    all.push(Line::from("   No task was touched; nothing was written."));
    all.push(Line::default());
    for hint in &error.hints {
        all.extend(hanging("   → ", st.accent, hint, columns, st.text));
    }
    all
}

/// What is shown before the project is there, or instead of it.
pub fn welcome(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let place = centred(area, 84, 14);
    let upstream = clean(&state.options.upstream).into_owned();
    let Some(error) = &state.project_error else {
        let inner = bright(buf, place, "Connecting", &upstream, &st);
        let text = format!("  Loading the project from {upstream}…");
        lines(buf, inner, &[Line::default(), Line::from(text)], 0);
        return;
    };
    let title = "The project could not be loaded";
    let inner = bright(buf, place, title, &upstream, &st);
    let mut all = error_lines(error, inner.width, &st);
    all.push(ui.keyed_line(
        "   {key:Refresh} tries again   {key:Messages} shows the message log   {key:Quit} quits",
    ));
    lines(buf, inner, &all, 0);
}
