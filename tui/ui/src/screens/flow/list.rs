//! The workflow as a list, for small windows and by choice.

use super::*;
use crate::text::{clean, fit, left, right, width};
use crate::widgets::scroll_to;
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;
use wb_core::workflow::{StageKind, Workflow};

/// One row for each stage: its count, a missing agent, where its tasks go.
pub(super) fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let st = ui.st;
    let title = ("Workflow", &*listed_age(state));
    let inner = ui.pane(buf, PaneName::Main, area, title);
    let order = list_order(flow);
    let at = order
        .iter()
        .position(|i| ui.stage == Some(flow.stages[*i].id))
        .unwrap_or(0);
    let rows = usize::from(inner.height);
    ui.flow.list_top = scroll_to(ui.flow.list_top, at, rows, order.len());
    let title_w = flow
        .stages
        .iter()
        .map(|s| width(&clean(&s.title)))
        .max()
        .unwrap_or(8)
        .clamp(8, 22);
    let shown = order.iter().enumerate().skip(ui.flow.list_top);
    for ((place, i), row) in shown.zip(inner.rows()) {
        let stage = &flow.stages[*i];
        let (cursor, style) = match place == at {
            true => ("▌", st.strong),
            false => (" ", st.text),
        };
        let mut line = Line::from(vec![
            Span::styled(format!("{cursor}{} ", kind_mark(&stage.kind)), st.accent),
            Span::styled(left(&stage.title, title_w), style),
            Span::raw(format!("{}  ", right(&count(state, stage.id), 9))),
        ]);
        if let Some((agent, false)) = agent_word(state, stage) {
            line.push_span(Span::styled(format!("{agent}  "), st.warn));
        }
        let room = usize::from(inner.width).saturating_sub(line.width() + 1);
        line.push_span(Span::styled(fit(&routes(flow, stage), room), st.dim));
        buf.set_line(row.x, row.y, &line, row.width);
        if place == at {
            buf.set_style(row, st.strong);
        }
        ui.hits.push((row, Hit::Stage(stage.id)));
    }
}

/// Stages in the order of the drawing: layer by layer.
pub(super) fn list_order(flow: &Workflow) -> Vec<usize> {
    let mut order: Vec<usize> = (0..flow.stages.len()).collect();
    // Final stages last, everything else as the platform lists it.
    order.sort_by_key(|i| flow.stages[*i].kind == StageKind::Done);
    order
}
