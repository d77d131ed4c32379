//! The workflow as a list, for small windows and for those who prefer it.

use super::*;
use crate::text::{clean, fit, left, right, width};
use crate::widgets::{pane, scroll_to, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;
use wb_core::workflow::{StageKind, Workflow};

/// The list form: one row for each stage, where its tasks go, who handles them.
pub(super) fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let st = ui.st;
    let inner = pane(buf, area, "Workflow", &listed_age(state), true, &st);
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
    for (row, i) in order.iter().enumerate().skip(ui.flow.list_top).take(rows) {
        let stage = &flow.stages[*i];
        let y = u16::try_from(row - ui.flow.list_top).unwrap_or(0);
        let cursor = if row == at { "▌" } else { " " };
        let mut line = Line::from(vec![
            Span::styled(format!("{cursor}{} ", kind_mark(&stage.kind)), st.accent),
            Span::styled(
                left(&stage.title, title_w),
                if row == at { st.strong } else { st.text },
            ),
            Span::raw(format!("{}  ", right(&count(state, stage.id), 9))),
        ]);
        if let Some((agent, false)) = agent_word(state, stage) {
            line.push_span(Span::styled(format!("{agent}  "), st.warn));
        }
        let room = usize::from(inner.width).saturating_sub(line.width() + 1);
        line.push_span(Span::styled(fit(&ways(flow, stage), room), st.dim));
        crate::widgets::line(buf, inner, y, &line);
        if row == at {
            shade(buf, inner, y, st.strong);
        }
        ui.hits.push((
            Rect {
                y: inner.y + y,
                height: 1,
                ..inner
            },
            Hit::Stage(stage.id),
        ));
    }
}

/// Stages in the order of the drawing: layer by layer.
pub(super) fn list_order(flow: &Workflow) -> Vec<usize> {
    let mut order: Vec<usize> = (0..flow.stages.len()).collect();
    // Final stages last, everything else as the platform lists it.
    order.sort_by_key(|i| flow.stages[*i].kind == StageKind::Done);
    order
}
