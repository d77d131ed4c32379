//! The task under the cursor: facts, picture, last result.

use super::*;
use crate::Ui;
use crate::text::{duration, fit, fit_middle};
use crate::widgets::{field, lines, pane};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::work::TaskRow;

pub(super) fn result_lines<'a>(
    row: &TaskRow,
    state: &State,
    columns: usize,
    ui: &Ui,
) -> Vec<Line<'a>> {
    let st = &ui.st;
    let Some(result) = state.results.get(&row.id) else {
        return vec![
            Line::styled("Not run here yet.", st.dim),
            ui.keyed_line("{key:Step} steps it, nothing is written"),
        ];
    };
    let held = state.held.contains_key(&row.id);
    let (mark, style) = result_mark(result, held, st);
    let mut all: Vec<Line<'_>> = crate::text::wrap(&format!("{mark} {}", result.text), columns)
        .into_iter()
        .take(5)
        .map(|t| Line::styled(t, style))
        .collect();
    let labels = labels_word(result.labels);
    let labels = if labels.is_empty() {
        "labels unchanged".into()
    } else {
        format!("labels {labels}")
    };
    all.push(Line::styled(
        format!(
            "build {} · {} · {}",
            result.build,
            duration(result.ms),
            crate::chrome::ago(state.now.since(result.at))
        ),
        st.dim,
    ));
    all.push(Line::from(labels));
    all.push(match (result.failed, held) {
        (true, _) if result.text.contains("stays") => Line::default(),
        (true, _) => Line::styled("The task stays where it is.", st.dim),
        (_, true) => Line::styled("Held for review; not written.", st.dim),
        (_, false) => Line::styled("Not held for review; nothing was written.", st.dim),
    });
    all
}

pub(super) fn preview(ui: &mut Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = ui.st;
    let place = ui.queue.place(stage);
    let Some(row) = state.queues.get(&stage).and_then(|q| q.at(place)) else {
        pane(buf, area, "Preview", "", false, &st);
        return;
    };
    let result_h = 12.min(area.height / 2);
    let above = Rect {
        height: area.height - result_h,
        ..area
    };
    let below = Rect {
        y: above.bottom(),
        height: result_h,
        ..area
    };
    let picture = ui.queue.shows_picture(ui.room);
    let inner = pane(
        buf,
        above,
        &fit_middle(&row.title, usize::from(area.width).saturating_sub(6)),
        "",
        false,
        &st,
    );
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    let value = |name: &str, text: String| field(&st, name, fit(&text, columns.saturating_sub(10)));
    let mut all = vec![
        value("status", row.status.wire().to_lowercase()),
        value(
            "assignee",
            row.assignee.as_deref().unwrap_or("nobody").to_owned(),
        ),
        value("branch", row.branch.to_string()),
        value("changed", crate::chrome::ago(state.now.since(row.updated))),
        value("created", crate::chrome::ago(state.now.since(row.created))),
        field(
            &st,
            "task",
            fit_middle(&row.id.to_string(), columns.saturating_sub(10)),
        ),
        field(
            &st,
            "data",
            fit_middle(&row.data.to_string(), columns.saturating_sub(10)),
        ),
    ];
    if !picture {
        all.push(Line::default());
        all.push(ui.keyed_line("{key:Preview} shows the picture"));
    }
    lines(buf, room, &all, 0);
    if picture {
        let used = u16::try_from(all.len() + 1).unwrap_or(0);
        let image = Rect {
            y: room.y + used,
            height: room.height.saturating_sub(used),
            ..room
        };
        ui.shelf.draw(buf, image, row.id, &[], &st);
    }
    let inner = pane(buf, below, "Last result", "", false, &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let all = result_lines(row, state, usize::from(room.width), ui);
    lines(buf, room, &all, 0);
}

/// Three lines about the task under the cursor, for narrow screens.
pub(super) fn strip_preview(ui: &Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let st = &ui.st;
    let place = ui.queue.place(stage);
    let Some(row) = state.queues.get(&stage).and_then(|q| q.at(place)) else {
        pane(buf, area, "Preview", "", false, st);
        return;
    };
    let inner = pane(
        buf,
        area,
        &fit_middle(&row.title, 50),
        "enter: step it",
        false,
        st,
    );
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let about = format!(
        "task {} · {} · {}",
        &row.id.to_string()[..8],
        row.assignee.as_deref().unwrap_or("nobody"),
        row.branch
    );
    let mut all = vec![Line::styled(fit(&about, usize::from(room.width)), st.dim)];
    let result = result_lines(row, state, usize::from(room.width), ui);
    all.extend(result);
    lines(buf, room, &all, 0);
}
