//! The activity pane: what happened, newest first.

use crate::Ui;
use crate::actions::Action;
use crate::panes::PaneName;
use crate::text::{clean, clock, fit, left, wrap};
use crate::theme::Styles;
use crate::widgets::lines;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::{Activity, State};

/// One line of activity: time, kind, mark, text cut at `columns`.
pub fn row<'a>(ui: &Ui, what: &Activity, columns: usize) -> Line<'a> {
    let st = &ui.st;
    let kind = left(what.kind.word(), 6);
    let (mark, style) = if what.bad {
        ("✗ ", st.bad)
    } else {
        ("", st.text)
    };
    let room = columns.saturating_sub(17 + mark.chars().count());
    Line::from(vec![
        Span::styled(format!(" {}  ", clock(what.at, ui.utc_offset_s)), st.dim),
        Span::styled(
            format!("{kind} "),
            if what.bad { st.bad } else { st.accent },
        ),
        Span::styled(format!("{mark}{}", fit(&ui.keyed(&what.text), room)), style),
    ])
}

/// What follows the first line: up to two lines of good news and three of bad, which end with what to do.
fn continued<'a>(parts: &[String], bad: bool, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let (most, indent, style) = if bad {
        (3, 20, st.bad)
    } else {
        (2, 18, st.text)
    };
    let (whole, rest) = parts.split_at((most - 1).min(parts.len() - 1));
    whole
        .iter()
        .cloned()
        .chain([fit(&rest.join(" "), columns.saturating_sub(indent + 1))])
        .map(|text| Line::styled(format!("{}{text}", " ".repeat(indent)), style))
        .collect()
}

/// The pane; `back` lines newer than the first one shown are left out.
pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Activity, area) else {
        return;
    };
    let back = ui.flow.activity_back;
    let right = if back == 0 {
        "newest first".to_owned()
    } else {
        format!("scrolled; {} shows all", ui.key_of(Action::Messages))
    };
    let inner = ui.pane(buf, PaneName::Activity, area, ("Activity", &right));
    let inner = ui.search_room(buf, inner, PaneName::Activity);
    let count = state.activity.len();
    let text = |place: usize| {
        let what = &state.activity[count - 1 - place];
        format!("{} {}", what.kind.word(), clean(&what.text))
    };
    let rows = (back, count);
    if let Some(found) = ui.search_rows(PaneName::Activity, state.noted as u64, rows, text) {
        ui.flow.activity_back = found;
    }
    let all = shown_lines(ui, inner, state);
    lines(buf, inner, &all, 0);
    ui.mark_found(buf, inner, PaneName::Activity);
}

/// The lines in sight, each with what follows its first line.
fn shown_lines<'a>(ui: &Ui, inner: Rect, state: &State) -> Vec<Line<'a>> {
    let (st, back) = (&ui.st, ui.flow.activity_back);
    let columns = usize::from(inner.width).saturating_sub(1);
    let mut all = Vec::new();
    let shown = state
        .activity
        .iter()
        .rev()
        .skip(back.min(state.activity.len().saturating_sub(1)));
    for what in shown.take(usize::from(inner.height)) {
        let indent = if what.bad { 21 } else { 19 };
        let text = ui.keyed(&what.text);
        let parts = wrap(&text, columns.saturating_sub(indent).max(8));
        let whole = text.len() <= columns.saturating_sub(17) || parts.len() < 2;
        if whole {
            all.push(row(ui, what, columns));
            continue;
        }
        let first = Activity {
            text: parts[0].clone(),
            ..what.clone()
        };
        all.push(row(ui, &first, columns));
        all.extend(continued(&parts[1..], what.bad, columns, st));
    }
    if all.is_empty() {
        all.push(Line::styled(" Nothing has happened yet.", st.dim));
    }
    all
}
