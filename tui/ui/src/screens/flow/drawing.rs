//! The workflow as a drawing: boxes with counts and agents over the lines of [`crate::graph`].

use super::*;
use crate::graph::paint::{self, Canvas};
use crate::graph::{self, Edge, GraphLayout, Node, Spacing};
use crate::text::{clean, fit, right, width};
use crate::theme::Styles;
use crate::widgets::{centred, lines, padded, split_line};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Padding, Widget};
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind, Workflow};

pub(super) struct Drawn {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) room: (u16, u16),
    pub(super) chosen: usize,
    pub(super) layout: GraphLayout,
    pub(super) edges_shown: Vec<Edge>,
}

/// Everything the drawing depends on: nodes first the start (when an edge leaves it), then stages.
fn parts(flow: &Workflow, state: &State, density: usize) -> (Vec<Node>, Vec<Edge>) {
    let start = flow.edges.iter().any(|e| e.from.is_none());
    let cap = [30, 26, 20, 16][density];
    let mut nodes = Vec::with_capacity(flow.stages.len() + 1);
    if start {
        let (w, h, port) = (5, 1, 0);
        nodes.push(Node { w, h, port });
    }
    for stage in &flow.stages {
        let agent = agent_word(state, stage).map_or(0, |(text, _)| width(&text));
        let text = (width(&clean(&stage.title)) + 2).max(agent).max(9);
        let w = u16::try_from((text + 4).min(cap)).unwrap_or(30);
        let h = if stage.kind == StageKind::Agent { 5 } else { 4 };
        nodes.push(Node { w, h, port: 1 });
    }
    let node_of = |id: StageId| {
        let at = flow.stages.iter().position(|s| s.id == id)?;
        Some(at + usize::from(start))
    };
    let mut edges = Vec::new();
    for stage in &flow.stages {
        if let Some(from) = node_of(stage.id) {
            add_pathways(&mut edges, from, stage, node_of, density);
        }
    }
    for edge in &flow.edges {
        let from = edge.from.map_or(Some(0), node_of);
        let (Some(from), Some(to)) = (from, node_of(edge.to)) else {
            continue;
        };
        let label = match density {
            3 => String::new(),
            _ => fit(&edge.label, 12),
        };
        if !edges.iter().any(|e: &Edge| e.from == from && e.to == to) {
            edges.push(Edge { from, to, label });
        }
    }
    (nodes, edges)
}

/// One edge to each stage that pathways lead to, labelled with their numbers: `(1) annotate`, `(1,2)`.
fn add_pathways(
    edges: &mut Vec<Edge>,
    from: usize,
    stage: &Stage,
    node_of: impl Fn(StageId) -> Option<usize>,
    density: usize,
) {
    let mut ends: Vec<(usize, Vec<usize>)> = Vec::new();
    for (n, pathway) in stage.pathways.iter().enumerate() {
        let Some(to) = node_of(pathway.to) else {
            continue;
        };
        match ends.iter_mut().find(|(end, _)| *end == to) {
            Some((_, numbers)) => numbers.push(n + 1),
            None => ends.push((to, vec![n + 1])),
        }
    }
    for (to, numbers) in ends {
        let label = match numbers.as_slice() {
            [n] if density == 0 => format!("({n}) {}", fit(&stage.pathways[n - 1].name, 14)),
            numbers => format!("({})", few(numbers)),
        };
        edges.push(Edge { from, to, label });
    }
}

/// Numbers as they fit on an edge: `1,2,3,4`, and of many the first: `1,3,5 +147`.
fn few(numbers: &[usize]) -> String {
    let shown = if numbers.len() > 4 { 3 } else { numbers.len() };
    let texts: Vec<String> = numbers[..shown].iter().map(ToString::to_string).collect();
    match numbers.len() - shown {
        0 => texts.join(","),
        more => format!("{} +{more}", texts.join(",")),
    }
}

impl FlowCursor {
    /// Lays the graph out for this much room, unless that was done already; returns its rows.
    pub(super) fn arrange(&mut self, flow: &Workflow, state: &State, room: (u16, u16)) -> u16 {
        let (nodes, edges) = parts(flow, state, 0);
        let same = self
            .drawn
            .as_ref()
            .is_some_and(|d| d.nodes == nodes && d.edges == edges && d.room == room);
        if !same {
            let mut chosen = 0;
            let mut shown = (nodes.clone(), edges.clone());
            let mut layout = GraphLayout::default();
            for density in 0..4 {
                chosen = density;
                shown = parts(flow, state, density);
                let spacing = Spacing {
                    track: if density < 2 { 2 } else { 1 },
                    rows: 1,
                };
                layout = graph::lay_out(&shown.0, &shown.1, spacing);
                if layout.h > room.1 {
                    layout = graph::lay_out(&shown.0, &shown.1, Spacing { rows: 0, ..spacing });
                }
                if layout.w <= room.0 {
                    break;
                }
            }
            self.drawn = Some(Drawn {
                nodes,
                edges,
                room,
                chosen,
                layout,
                edges_shown: shown.1,
            });
        }
        self.drawn.as_ref().map_or(0, |d| d.layout.h)
    }
}

pub(super) fn draw_graph(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    flow: &Workflow,
    state: &State,
) {
    let st = ui.st;
    let title = ("Workflow", &*listed_age(state));
    let inner = ui.pane(buf, PaneName::Main, area, title);
    let [room, legend_row] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(inner);
    let room = padded(room);
    ui.flow.arrange(flow, state, (room.width, room.height));
    let shift = usize::from(flow.edges.iter().any(|e| e.from.is_none()));
    let selected = ui
        .stage
        .and_then(|s| flow.stages.iter().position(|f| f.id == s))
        .map(|i| i + shift);
    let Some(drawn) = ui.flow.drawn.take() else {
        return;
    };
    let layout = &drawn.layout;
    ui.flow.scroll = window(layout, selected, room, ui.flow.scroll);
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
    for (i, place) in layout.boxes.iter().enumerate() {
        match i.checked_sub(shift).and_then(|i| flow.stages.get(i)) {
            None => canvas.text(place.x, place.y, "Start", st.dim),
            Some(stage) => {
                draw_stage(&mut canvas, *place, stage, selected == Some(i), state, &st);
                if let Some(hit) = canvas.visible(*place) {
                    ui.hits.push((hit, Hit::Stage(stage.id)));
                }
            }
        }
    }
    legend(buf, legend_row, &drawn, room, flow.edges.is_empty(), ui);
    ui.flow.drawn = Some(drawn);
}

/// The part of the drawing in sight: the selected box always, moving as little as possible.
fn window(
    layout: &GraphLayout,
    selected: Option<usize>,
    room: Rect,
    scroll: (u16, u16),
) -> (u16, u16) {
    let Some(place) = selected.and_then(|s| layout.boxes.get(s)) else {
        return scroll;
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

/// One stage's box. The selected one has double borders, so that it shows without colours.
fn draw_stage(
    canvas: &mut Canvas<'_>,
    place: Rect,
    stage: &Stage,
    selected: bool,
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
    let title = fit(&stage.title, columns.saturating_sub(2));
    let title = format!("{} {title}", kind_mark(&stage.kind));
    let mut all = vec![
        Line::styled(title, title_style),
        Line::styled(right(&count(state, stage.id), columns), st.accent),
    ];
    if let Some((agent, bound)) = agent_word(state, stage) {
        // The number of the build stays in sight, the function's name gives way.
        let (name, build) = agent.rsplit_once(' ').unwrap_or((&agent, ""));
        let name = fit(name, columns.saturating_sub(width(build) + 1));
        let style = if bound { st.dim } else { st.warn };
        all.push(Line::styled(format!("{name} {build}"), style));
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

/// The last row: what the signs mean, and where there is more.
fn legend(buf: &mut Buffer, row: Rect, drawn: &Drawn, room: Rect, bare: bool, ui: &Ui) {
    let st = &ui.st;
    let (left, top) = ui.flow.scroll;
    let more = [
        ("◀", left > 0),
        ("▶", left + room.width < drawn.layout.w),
        ("▲", top > 0),
        ("▼", top + room.height < drawn.layout.h),
    ];
    let more: Vec<&str> = more
        .iter()
        .filter(|(_, on)| *on)
        .map(|(mark, _)| *mark)
        .collect();
    let right = match (more.is_empty(), bare) {
        (false, _) => format!("more {} ", more.join(" ")),
        (true, true) => "only agents' pathways are known ".to_owned(),
        (true, false) => String::new(),
    };
    let text = if drawn.chosen == 0 || ui.room.narrow() {
        " A agent  E annotate  R review  # end  arrows select"
    } else {
        " A agent  E annotate  R review  # end  (1) pathway, named below  arrows select"
    };
    let left = Line::styled(text, st.dim);
    split_line(buf, row, 0, &left, &Line::styled(right, st.warn));
}

#[cfg(test)]
mod tests {
    use super::few;

    #[test]
    fn an_edge_of_many_pathways_names_the_first_and_counts_the_rest() {
        assert_eq!(few(&[7]), "7");
        assert_eq!(few(&[1, 2, 3, 4]), "1,2,3,4");
        assert_eq!(few(&[1, 3, 5, 7, 9]), "1,3,5 +2");
        let odd: Vec<usize> = (0..150).map(|n| 2 * n + 1).collect();
        assert_eq!(few(&odd), "1,3,5 +147");
    }
}
