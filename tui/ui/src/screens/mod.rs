//! The four screens, and what is shown while there is no project. Each pane owns its cursor and
//! scroll; what surrounds it is left to [`crate::chrome`].

pub mod activity;
pub mod flow;
pub mod queue;
pub mod run;
pub mod stage;
pub mod task;
pub mod timeline;

use crate::Ui;
use crate::text::{clean, wrap};
use crate::theme::Styles;
use crate::widgets::{centred, lines, pane};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::error::Error;
use wb_core::state::State;

/// An error that keeps everything from beginning, with what to do.
fn error_lines(error: &Error, width: u16, st: &Styles) -> Vec<Line<'static>> {
    let columns = usize::from(width).saturating_sub(4);
    let mut all = vec![Line::default()];
    for (i, text) in wrap(&error.summary, columns).into_iter().enumerate() {
        let mark = if i == 0 { "✗ " } else { "  " };
        all.push(Line::from(Span::styled(format!(" {mark}{text}"), st.bad)));
    }
    for text in error.cause.iter().flat_map(|cause| cause.lines()) {
        let texts = wrap(text, columns).into_iter();
        all.extend(texts.map(|text| Line::from(format!("   {text}"))));
    }
    all.push(Line::default());
    all.push(Line::from("   No task was touched; nothing was written."));
    all.push(Line::default());
    for hint in &error.hints {
        let texts = wrap(hint, columns.saturating_sub(2)).into_iter();
        for (i, text) in texts.enumerate() {
            let mark = if i == 0 { "→ " } else { "  " };
            all.push(Line::from(vec![
                Span::styled(format!("   {mark}"), st.accent),
                Span::raw(text),
            ]));
        }
    }
    all
}

/// What is shown before the project is there, or instead of it.
pub fn welcome(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let place = centred(area, 84, 14);
    let upstream = clean(&state.options.upstream).into_owned();
    let Some(error) = &state.project_error else {
        let inner = pane(buf, place, "Connecting", &upstream, true, &st);
        let text = format!("Loading the project from {upstream}…");
        lines(
            buf,
            inner,
            &[Line::default(), Line::from(format!("  {text}"))],
            0,
        );
        return;
    };
    let inner = pane(
        buf,
        place,
        "The project could not be loaded",
        &upstream,
        true,
        &st,
    );
    let mut all = error_lines(error, inner.width, &st);
    all.push(Line::from(vec![
        Span::raw("   "),
        Span::styled("R", st.key),
        Span::raw(" tries again   "),
        Span::styled("M", st.key),
        Span::raw(" shows everything that was said   "),
        Span::styled("q", st.key),
        Span::raw(" leaves"),
    ]));
    lines(buf, inner, &all, 0);
}
