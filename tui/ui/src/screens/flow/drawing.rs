//! The workflow as a drawing: boxes with counts and agents over the lines of [`crate::graph`].

use super::arranged::Drawn;
use super::shape::ShownBox;
use super::*;
use crate::graph::GraphLayout;
use crate::graph::paint::{self, Canvas};
use crate::screens::stage_figures::box_line;
use crate::text::{fit, right, width};
use crate::theme::Styles;
use crate::widgets::{centred, lines, padded, split_line};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Padding, Widget};
use wb_core::state::State;
use wb_core::workflow::Workflow;

pub(super) fn draw_graph(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    flow: &Workflow,
    state: &State,
) {
    let st = ui.st;
    ui.flow.shape_of(flow);
    let (title, age) = (ui.flow.title(flow), listed_age(state));
    let inner = ui.pane(buf, PaneName::Main, area, (&title, &age));
    let [room, legend_row] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(inner);
    let room = padded(room);
    ui.flow.arrange(flow, state, (room.width, room.height));
    let shift = usize::from(ui.flow.shape.has_start());
    let selected = ui.stage.and_then(|s| ui.flow.shape.box_of(flow, s));
    let selected = selected.map(|at| at + shift);
    let Some(drawn) = ui.flow.drawn.take() else {
        return;
    };
    let layout = &drawn.layout;
    let follows = ui.flow.followed != ui.stage;
    let wanted = if follows || !ui.flow.panned {
        selected
    } else {
        None
    };
    (ui.flow.followed, ui.flow.panned) = (ui.stage, ui.flow.panned && !follows);
    ui.flow.scroll = window(layout, wanted, room, ui.flow.scroll);
    // A drawing smaller than its pane is in the middle.
    let mut canvas = Canvas {
        buf,
        area: centred(room, layout.w, layout.h),
        scroll: ui.flow.scroll,
    };
    let ink = paint::Ink {
        line: st.line,
        strong: st.key,
        label: st.dim,
    };
    paint::edges(&mut canvas, layout, &drawn.edges_shown, selected, ink);
    let unseen = draw_boxes(ui, &mut canvas, flow, state, (&drawn, selected));
    edge_marks(buf, inner, room, &drawn.layout, ui.flow.scroll, &st);
    legend(buf, legend_row, &drawn, unseen, flow.edges.is_empty(), ui);
    ui.flow.drawn = Some(drawn);
}

/// Draws the boxes; gives how many of them are out of sight.
fn draw_boxes(
    ui: &mut Ui,
    canvas: &mut Canvas<'_>,
    flow: &Workflow,
    state: &State,
    (drawn, selected): (&Drawn, Option<usize>),
) -> usize {
    let st = ui.st;
    let shift = usize::from(ui.flow.shape.has_start());
    let mut unseen = 0;
    for (i, place) in drawn.layout.boxes.iter().enumerate() {
        let shown = i
            .checked_sub(shift)
            .and_then(|i| ui.flow.shape.boxes.get(i));
        let Some(shown) = shown else {
            canvas.text(place.x, place.y, "Start", st.dim);
            continue;
        };
        let Some(hit) = canvas.visible(*place) else {
            unseen += 1;
            continue;
        };
        let (is_selected, figures) = (selected == Some(i), drawn.figures);
        draw_box(
            canvas,
            *place,
            (flow, shown),
            is_selected,
            figures,
            state,
            &st,
        );
        let first = ui.flow.shape.stage_of(flow, i - shift);
        ui.hits.extend(first.map(|stage| (hit, Hit::Stage(stage))));
    }
    unseen
}

/// The part of the drawing in sight: the selected box always, moving as little as possible.
fn window(
    layout: &GraphLayout,
    selected: Option<usize>,
    room: Rect,
    scroll: (u16, u16),
) -> (u16, u16) {
    let last = |size: u16, room: u16| size.saturating_sub(room);
    let (right, bottom) = (last(layout.w, room.width), last(layout.h, room.height));
    let Some(place) = selected.and_then(|s| layout.boxes.get(s)) else {
        return (scroll.0.min(right), scroll.1.min(bottom));
    };
    let fit = |top: u16, from: u16, size: u16, room: u16, whole: u16| {
        if whole <= room {
            return 0;
        }
        let low = (from + size + 2).saturating_sub(room).min(whole - room);
        top.clamp(low, from.saturating_sub(2).max(low))
            .min(whole - room)
    };
    (
        fit(scroll.0, place.x, place.width, room.width, layout.w),
        fit(scroll.1, place.y, place.height, room.height, layout.h),
    )
}

/// A box. The selected one has double borders, so that it shows without colours.
fn draw_box(
    canvas: &mut Canvas<'_>,
    place: Rect,
    (flow, shown): (&Workflow, &ShownBox),
    selected: bool,
    figures: bool,
    state: &State,
    st: &Styles,
) {
    let (border, border_style, title_style) = match selected {
        true => (BorderType::Double, st.key, st.strong),
        false => (BorderType::Rounded, st.line, st.text),
    };
    let whole = Rect::new(0, 0, place.width, place.height);
    let block = Block::bordered()
        .border_type(border)
        .border_style(border_style)
        .padding(Padding::horizontal(1));
    let room = block.inner(whole);
    let columns = usize::from(room.width);
    let mut all = vec![
        Line::styled(shown.title(flow, columns), title_style),
        Line::styled(right(&shown.count(flow, state), columns), st.accent),
    ];
    let stage = shown.single(flow);
    if let Some((agent, bound)) = stage.and_then(|stage| agent_word(state, stage)) {
        // The number of the build stays in sight, the function's name gives way.
        let (name, build) = agent.rsplit_once(' ').unwrap_or((&agent, ""));
        let name = fit(name, columns.saturating_sub(width(build) + 1));
        let style = if bound { st.dim } else { st.warn };
        all.push(Line::styled(format!("{name} {build}"), style));
        let figures = stage.filter(|_| figures);
        all.extend(figures.and_then(|stage| box_line(stage.id, state, columns, st)));
    }
    let mut drawn = Buffer::empty(whole);
    drawn.set_style(whole, st.text);
    block.render(whole, &mut drawn);
    lines(&mut drawn, room, &all, 0);
    for at in whole.positions() {
        let cell = &drawn[at];
        canvas.put(place.x + at.x, place.y + at.y, cell.symbol(), cell.style());
    }
}

/// Arrows in the middle of each side behind which the drawing goes on.
fn edge_marks(
    buf: &mut Buffer,
    inner: Rect,
    room: Rect,
    layout: &GraphLayout,
    (left, top): (u16, u16),
    st: &Styles,
) {
    let (middle, centre) = (inner.y + room.height / 2, inner.x + inner.width / 2);
    let sides = [
        ("◀", left > 0, (inner.x, middle)),
        (
            "▶",
            left + room.width < layout.w,
            (inner.right() - 1, middle),
        ),
        ("▲", top > 0, (centre, inner.y.saturating_sub(1))),
        ("▼", top + room.height < layout.h, (centre, inner.bottom())),
    ];
    for (mark, _, at) in sides.into_iter().filter(|(_, more, _)| *more) {
        if let Some(cell) = buf.cell_mut(at) {
            cell.set_symbol(mark).set_style(st.warn);
        }
    }
}

/// The last row: the filter while it is typed, else what the signs mean; and how much is out of sight.
fn legend(buf: &mut Buffer, row: Rect, drawn: &Drawn, unseen: usize, bare: bool, ui: &Ui) {
    let st = &ui.st;
    let right = match (unseen, bare) {
        (0, true) => "only agents' pathways are known ".to_owned(),
        (0, false) => String::new(),
        (n, _) => format!("{} out of sight ", crate::text::counted(n, "box", "boxes")),
    };
    let left = ui.flow.typed_line(st).unwrap_or_else(|| {
        let text = if drawn.chosen == 0 || ui.room.narrow() {
            " A agent  E annotate  R review  # end  arrows select"
        } else {
            " A agent  E annotate  R review  # end  (1) pathway, named below  arrows select"
        };
        Line::styled(text, st.dim)
    });
    split_line(buf, row, 0, &left, &Line::styled(right, st.warn));
}
