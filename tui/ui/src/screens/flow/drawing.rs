//! The workflow as a drawing: boxes with counts and agents over the lines of [`crate::graph`].

use super::*;
use crate::graph::{self, Edge, Layout, Node, Place, Spacing, paint};
use crate::text::{clean, fit, right, width};
use crate::widgets::pane;
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind, Workflow};

pub(super) struct Drawn {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) room: (u16, u16),
    pub(super) chosen: usize,
    pub(super) layout: Layout,
    pub(super) edges_shown: Vec<Edge>,
}

/// Everything the drawing depends on: nodes first the start (when an edge leaves it), then stages.
pub(super) fn parts(flow: &Workflow, state: &State, density: usize) -> (Vec<Node>, Vec<Edge>) {
    let start = flow.edges.iter().any(|e| e.from.is_none());
    let shift = usize::from(start);
    let cap = [30, 26, 20, 16][density];
    let mut nodes = Vec::with_capacity(flow.stages.len() + shift);
    if start {
        nodes.push(Node {
            w: 5,
            h: 1,
            port: 0,
        });
    }
    for stage in &flow.stages {
        let agent = agent_word(state, stage).map_or(0, |(text, _)| width(&text));
        let text = (width(&clean(&stage.title)) + 2).max(agent).max(9);
        let w = u16::try_from((text + 4).min(cap)).unwrap_or(30);
        let h = if stage.kind == StageKind::Agent { 5 } else { 4 };
        nodes.push(Node { w, h, port: 1 });
    }
    let place = |id: StageId| {
        flow.stages
            .iter()
            .position(|s| s.id == id)
            .map(|i| i + shift)
    };
    let mut edges: Vec<Edge> = Vec::new();
    for (from, stage) in flow.stages.iter().enumerate() {
        for (i, pathway) in stage.pathways.iter().enumerate() {
            let Some(to) = place(pathway.to) else {
                continue;
            };
            let n = i + 1;
            let known = edges
                .iter_mut()
                .find(|e| e.from == from + shift && e.to == to);
            match known {
                Some(edge) => {
                    edge.label = format!("{},{n})", edge.label.split(')').next().unwrap_or("("));
                }
                None => {
                    let name = if density == 0 {
                        format!(" {}", fit(&pathway.name, 14))
                    } else {
                        String::new()
                    };
                    edges.push(Edge {
                        from: from + shift,
                        to,
                        label: format!("({n}){name}"),
                    });
                }
            }
        }
    }
    for edge in &flow.edges {
        let from = match edge.from {
            None => Some(0),
            Some(id) => place(id),
        };
        let (Some(from), Some(to)) = (from, place(edge.to)) else {
            continue;
        };
        let label = if density < 3 {
            fit(&edge.label, 12)
        } else {
            String::new()
        };
        if !edges.iter().any(|e| e.from == from && e.to == to) {
            edges.push(Edge { from, to, label });
        }
    }
    (nodes, edges)
}

impl Pane {
    /// Lays the graph out for this much room, unless that was done already; gives its rows.
    pub(super) fn arrange(&mut self, flow: &Workflow, state: &State, room: (u16, u16)) -> u16 {
        let (nodes, edges) = parts(flow, state, 0);
        let same = self
            .drawn
            .as_ref()
            .is_some_and(|d| d.nodes == nodes && d.edges == edges && d.room == room);
        if !same {
            let mut chosen = 0;
            let mut shown = (nodes.clone(), edges.clone());
            let mut layout = Layout::default();
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
    let age = listed_age(state);
    let inner = pane(buf, area, "Workflow", &age, true, &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        height: inner.height.saturating_sub(1),
        ..inner
    };
    ui.flow.arrange(flow, state, (room.width, room.height));
    let shift = usize::from(flow.edges.iter().any(|e| e.from.is_none()));
    let selected = ui
        .stage
        .and_then(|s| flow.stages.iter().position(|f| f.id == s))
        .map(|i| i + shift);
    let Some(drawn) = ui.flow.drawn.take() else {
        return;
    };
    ui.flow.scroll = window(&drawn.layout, selected, room, ui.flow.scroll);
    let scroll = ui.flow.scroll;
    // A drawing smaller than its pane stands in the middle.
    let canvas = Rect {
        x: room.x + room.width.saturating_sub(drawn.layout.w) / 2,
        y: room.y + room.height.saturating_sub(drawn.layout.h) / 2,
        width: room.width.min(drawn.layout.w),
        height: room.height.min(drawn.layout.h),
    };
    let ink = paint::Ink {
        line: st.line,
        strong: st.key,
        label: st.dim,
    };
    paint::edges(
        buf,
        canvas,
        scroll,
        &drawn.layout,
        &drawn.edges_shown,
        selected,
        ink,
    );
    for (i, place) in drawn.layout.places.iter().enumerate() {
        match i.checked_sub(shift).and_then(|i| flow.stages.get(i)) {
            None => {
                for (at, c) in "Start".chars().enumerate() {
                    let x = place.x + u16::try_from(at).unwrap_or(0);
                    paint::put(
                        buf,
                        canvas,
                        scroll,
                        x,
                        place.y,
                        c.encode_utf8(&mut [0; 4]),
                        st.dim,
                    );
                }
            }
            Some(stage) => {
                boxed(
                    buf,
                    canvas,
                    scroll,
                    *place,
                    stage,
                    selected == Some(i),
                    state,
                    ui,
                );
                if let Some(hit) = visible(canvas, scroll, *place) {
                    ui.hits.push((hit, Hit::Stage(stage.id)));
                }
            }
        }
    }
    legend(buf, inner, &drawn, room, scroll, flow.edges.is_empty(), ui);
    ui.flow.drawn = Some(drawn);
}

/// The part of the drawing in sight: the selected box always, moving as little as possible.
pub(super) fn window(
    layout: &Layout,
    selected: Option<usize>,
    room: Rect,
    scroll: (u16, u16),
) -> (u16, u16) {
    let Some(place) = selected.and_then(|s| layout.places.get(s)) else {
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
        fit(scroll.0, place.x, place.w, room.width, layout.w),
        fit(scroll.1, place.y, place.h, room.height, layout.h),
    )
}

pub(super) fn visible(canvas: Rect, scroll: (u16, u16), place: Place) -> Option<Rect> {
    let x = canvas.x + place.x.saturating_sub(scroll.0);
    let y = canvas.y + place.y.saturating_sub(scroll.1);
    let hit = Rect::new(x, y, place.w, place.h).intersection(canvas);
    (!hit.is_empty()).then_some(hit)
}

/// One stage's box. The selected one has double borders, so that it shows without colours.
#[allow(clippy::too_many_arguments)] // one box, read only
pub(super) fn boxed(
    buf: &mut Buffer,
    canvas: Rect,
    scroll: (u16, u16),
    p: Place,
    stage: &Stage,
    selected: bool,
    state: &State,
    ui: &Ui,
) {
    let st = &ui.st;
    let [h, v, tl, tr, bl, br] = if selected {
        ["═", "║", "╔", "╗", "╚", "╝"]
    } else {
        ["─", "│", "╭", "╮", "╰", "╯"]
    };
    let border = if selected { st.key } else { st.line };
    let mut put = |x: u16, y: u16, s: &str, style| paint::put(buf, canvas, scroll, x, y, s, style);
    let (right_x, bottom) = (p.x + p.w - 1, p.y + p.h - 1);
    for x in p.x..=right_x {
        put(x, p.y, h, border);
        put(x, bottom, h, border);
    }
    for y in p.y..=bottom {
        put(p.x, y, v, border);
        put(right_x, y, v, border);
        for x in p.x + 1..right_x {
            if y > p.y && y < bottom {
                put(x, y, " ", st.text);
            }
        }
    }
    for (x, y, s) in [
        (p.x, p.y, tl),
        (right_x, p.y, tr),
        (p.x, bottom, bl),
        (right_x, bottom, br),
    ] {
        put(x, y, s, border);
    }
    let columns = usize::from(p.w.saturating_sub(4));
    let title = fit(&stage.title, columns.saturating_sub(2));
    let mut rows = vec![
        (
            format!("{} {title}", kind_mark(&stage.kind)),
            if selected { st.strong } else { st.text },
        ),
        (right(&count(state, stage.id), columns), st.accent),
    ];
    if let Some((agent, bound)) = agent_word(state, stage) {
        // The number of the build stays in sight, the function's name gives way.
        let (name, build) = agent.rsplit_once(' ').unwrap_or((&agent, ""));
        let text = format!(
            "{} {build}",
            fit(name, columns.saturating_sub(width(build) + 1))
        );
        rows.push((text, if bound { st.dim } else { st.warn }));
    }
    for (row, (text, style)) in rows.into_iter().enumerate() {
        let y = p.y + 1 + u16::try_from(row).unwrap_or(0);
        let mut x = p.x + 2;
        for c in text.chars() {
            put(x, y, c.encode_utf8(&mut [0; 4]), style);
            x += u16::try_from(unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)).unwrap_or(0);
        }
    }
}

/// The last row: what the signs mean, and where there is more.
pub(super) fn legend(
    buf: &mut Buffer,
    inner: Rect,
    drawn: &Drawn,
    room: Rect,
    scroll: (u16, u16),
    bare: bool,
    ui: &Ui,
) {
    let st = &ui.st;
    let mut more = Vec::new();
    if scroll.0 > 0 {
        more.push("◀");
    }
    if scroll.0 + room.width < drawn.layout.w {
        more.push("▶");
    }
    if scroll.1 > 0 {
        more.push("▲");
    }
    if scroll.1 + room.height < drawn.layout.h {
        more.push("▼");
    }
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
    let row = inner.height.saturating_sub(1);
    crate::widgets::split_line(
        buf,
        inner,
        row,
        &Line::styled(text, st.dim),
        &Line::styled(right, st.warn),
    );
}
