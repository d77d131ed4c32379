//! The workflow as a list, for small windows and by choice.

use super::shape::{FlowShape, ShownBox};
use super::*;
use crate::text::{clean, fit, left, right, width};
use crate::widgets::{line as draw_line, scroll_to};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;
use wb_core::workflow::{StageKind, Workflow};

/// One row for each box: its count, a missing agent, where its tasks go.
pub(super) fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let st = ui.st;
    ui.flow.shape_of(flow);
    let (title, age) = (ui.flow.title(flow), listed_age(state));
    let inner = ui.pane(buf, PaneName::Main, area, (&title, &age));
    let order = list_order(flow, &ui.flow.shape);
    let selected = ui.stage.and_then(|s| ui.flow.shape.box_of(flow, s));
    let at = order.iter().position(|i| selected == Some(*i)).unwrap_or(0);
    let typed = ui.flow.typed_line(&st);
    let rows = usize::from(inner.height.saturating_sub(u16::from(typed.is_some())));
    ui.flow.list_top = scroll_to(ui.flow.list_top, at, rows, order.len());
    let boxes = &ui.flow.shape.boxes;
    let widest = boxes.iter().map(|b| width(&b.title(flow, 24)));
    let title_w = widest.max().unwrap_or(10).clamp(10, 24);
    let shown = order.iter().enumerate().skip(ui.flow.list_top).take(rows);
    for ((place, i), row) in shown.zip(inner.rows()) {
        let shown = &boxes[*i];
        let (cursor, style) = match place == at {
            true => ("▌", st.strong),
            false => (" ", st.text),
        };
        let (mark, title) = parted(shown, flow, title_w);
        let mut line = Line::from(vec![
            Span::styled(format!("{cursor}{mark} "), st.accent),
            Span::styled(left(&title, title_w - 2), style),
            Span::raw(format!("{}  ", right(&shown.count(flow, state), 9))),
        ]);
        let stage = shown.single(flow);
        if let Some((agent, false)) = stage.and_then(|stage| agent_word(state, stage)) {
            line.push_span(Span::styled(format!("{agent}  "), st.warn));
        }
        let room = usize::from(inner.width).saturating_sub(line.width() + 1);
        let words = match stage {
            Some(stage) => routes(flow, stage),
            None => shown.words(flow),
        };
        line.push_span(Span::styled(fit(&words, room), st.dim));
        buf.set_line(row.x, row.y, &line, row.width);
        if place == at {
            buf.set_style(row, st.strong);
        }
        let first = shown.stages.first().and_then(|i| flow.stages.get(*i));
        ui.hits
            .extend(first.map(|stage| (row, Hit::Stage(stage.id))));
    }
    if let Some(typed) = typed {
        draw_line(buf, inner, inner.height.saturating_sub(1), &typed);
    }
}

/// The mark of a box and its title.
fn parted(shown: &ShownBox, flow: &Workflow, columns: usize) -> (String, String) {
    let title = shown.title(flow, columns);
    let (mark, title) = title.split_once(' ').unwrap_or(("", &title));
    (mark.to_owned(), clean(title).into_owned())
}

/// Boxes as the platform lists their stages, final stages last.
pub(super) fn list_order(flow: &Workflow, shape: &FlowShape) -> Vec<usize> {
    let mut order: Vec<usize> = (0..shape.boxes.len()).collect();
    let is_final = |b: &ShownBox| b.single(flow).is_some_and(|s| s.kind == StageKind::Done);
    order.sort_by_key(|i| is_final(&shape.boxes[*i]));
    order
}
