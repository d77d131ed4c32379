//! Flow: the workflow as a drawing or as a list, the selected stage, what happened.
//!
//! Where boxes stand and edges run is left to [`crate::graph`], the details of a stage to
//! [`super::stage`].

use super::{activity, stage};
use crate::graph::{self, Edge, Layout, Node, Place, Spacing, paint};
use crate::text::{clean, fit, left, number, right, width};
use crate::widgets::{lines, pane, scroll_to, shade};
use crate::{Hit, Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Verb;
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind, Workflow};

/// Rows that the stage and the activity below the drawing need.
const LOWER: u16 = 12;

/// Cursor and scroll of this screen.
#[derive(Default)]
pub struct Pane {
    /// Drawing or list, when a person chose.
    pub drawing: Option<bool>,
    /// The drawing of the last frame, kept while nothing it depends on changes.
    drawn: Option<Drawn>,
    scroll: (u16, u16),
    list_top: usize,
    activity_back: usize,
}

struct Drawn {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    room: (u16, u16),
    chosen: usize,
    layout: Layout,
    edges_shown: Vec<Edge>,
}

impl Pane {
    /// Whether the list is shown in this much room.
    pub fn lists(&self, room: Room) -> bool {
        !self.drawing.unwrap_or(!room.narrow())
    }

    pub fn scroll_activity(&mut self, up: bool, rows: usize) {
        self.activity_back = if up {
            self.activity_back.saturating_sub(rows)
        } else {
            self.activity_back.saturating_add(rows)
        };
    }
}

/// The sign of a stage's kind.
pub fn kind_mark(kind: &StageKind) -> &'static str {
    match kind {
        StageKind::Agent => "A",
        StageKind::Annotation => "E",
        StageKind::Review => "R",
        StageKind::Done => "#",
        StageKind::Other(_) => "?",
    }
}

/// Count of a stage: `1,204`, `800…` while it is being listed, `–` when unknown.
pub fn count(state: &State, stage: StageId) -> String {
    match state.count(stage) {
        Some((n, true)) => number(n as u64),
        Some((n, false)) => format!("{}…", number(n as u64)),
        None => "–".into(),
    }
}

/// The agent of a stage in short: `prelabel #42`.
pub fn agent_word(state: &State, stage: &Stage) -> Option<(String, bool)> {
    if stage.kind != StageKind::Agent {
        return None;
    }
    Some(match state.agent(stage.id) {
        Some((build, _, agent)) => (format!("{} {build}", clean(&agent.spec.function)), true),
        None => ("! no agent".into(), false),
    })
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(project) = state.project.clone() else {
        return;
    };
    let flow = &project.workflow;
    let st = ui.st;
    ui.flow.activity_back = ui
        .flow
        .activity_back
        .min(state.activity.len().saturating_sub(1));
    if flow.stages.is_empty() {
        let inner = pane(buf, area, "Workflow", "", true, &st);
        lines(
            buf,
            inner,
            &[
                Line::default(),
                Line::from(
                    "  This project has no workflow stages. Agents need a workflow project.",
                ),
            ],
            0,
        );
        return;
    }
    let list = ui.flow.lists(ui.room);
    if ui.room.narrow() {
        let strip = if area.height >= 16 { 6 } else { 0 };
        let main = Rect {
            height: area.height - strip,
            ..area
        };
        if list {
            draw_list(ui, buf, main, flow, state);
        } else {
            draw_graph(ui, buf, main, flow, state);
        }
        if strip > 0 {
            let below = Rect {
                y: main.bottom(),
                height: strip,
                ..area
            };
            activity::draw(
                buf,
                below,
                state,
                ui.utc_offset_s,
                ui.flow.activity_back,
                &st,
            );
        }
        return;
    }
    let wanted = if list {
        u16::try_from(flow.stages.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2)
    } else {
        ui.flow
            .arrange(
                flow,
                state,
                (area.width - 4, area.height.saturating_sub(LOWER + 3)),
            )
            .saturating_add(3)
    };
    let top = wanted.clamp(9, area.height.saturating_sub(LOWER).max(9));
    let above = Rect {
        height: top,
        ..area
    };
    if list {
        draw_list(ui, buf, above, flow, state);
    } else {
        draw_graph(ui, buf, above, flow, state);
    }
    let split = (area.width * 55 / 100).clamp(54, 90);
    let below = Rect {
        y: above.bottom(),
        height: area.height - top,
        ..area
    };
    stage::draw(
        ui,
        buf,
        Rect {
            width: split,
            ..below
        },
        state,
    );
    let aside = Rect {
        x: below.x + split,
        width: below.width - split,
        ..below
    };
    activity::draw(
        buf,
        aside,
        state,
        ui.utc_offset_s,
        ui.flow.activity_back,
        &st,
    );
}

/// Everything the drawing depends on: nodes first the start (when an edge leaves it), then stages.
fn parts(flow: &Workflow, state: &State, density: usize) -> (Vec<Node>, Vec<Edge>) {
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
    fn arrange(&mut self, flow: &Workflow, state: &State, room: (u16, u16)) -> u16 {
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

fn draw_graph(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
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
    legend(buf, inner, &drawn, room, scroll, ui);
    ui.flow.drawn = Some(drawn);
}

fn listed_age(state: &State) -> String {
    let oldest = state.queues.values().filter_map(|q| q.loaded).min();
    let loading = state.queues.values().any(|q| q.loading);
    match (loading, oldest) {
        (true, _) => "counting…".into(),
        (_, Some(at)) => format!("counts {} old", crate::text::age(state.now.since(at)))
            .replace("now old", "just now"),
        (_, None) => "not counted yet".into(),
    }
}

/// The part of the drawing in sight: the selected box always, moving as little as possible.
fn window(layout: &Layout, selected: Option<usize>, room: Rect, scroll: (u16, u16)) -> (u16, u16) {
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

fn visible(canvas: Rect, scroll: (u16, u16), place: Place) -> Option<Rect> {
    let x = canvas.x + place.x.saturating_sub(scroll.0);
    let y = canvas.y + place.y.saturating_sub(scroll.1);
    let hit = Rect::new(x, y, place.w, place.h).intersection(canvas);
    (!hit.is_empty()).then_some(hit)
}

/// One stage's box. The selected one has double borders, so that it shows without colours.
#[allow(clippy::too_many_arguments)] // one box, read only
fn boxed(
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
fn legend(buf: &mut Buffer, inner: Rect, drawn: &Drawn, room: Rect, scroll: (u16, u16), ui: &Ui) {
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
    let right = if more.is_empty() {
        String::new()
    } else {
        format!("more {} ", more.join(" "))
    };
    let text = if drawn.chosen == 0 || ui.room.narrow() {
        " A agent  E annotate  R review  # end  arrows select"
    } else {
        " A agent  E annotate  R review  # end  (n) pathway, named below  arrows select"
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

/// The list form: one row for each stage, where its tasks go, who handles them.
fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let st = ui.st;
    let inner = pane(buf, area, "Workflow", &listed_age(state), true, &st);
    let order = list_order(flow);
    let at = order
        .iter()
        .position(|i| ui.stage == Some(flow.stages[*i].id))
        .unwrap_or(0);
    let note = u16::from(ui.room.narrow()) * 3;
    let rows = usize::from(inner.height.saturating_sub(note));
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
    if note > 0 {
        let below = Rect {
            y: inner.bottom() - note + 1,
            height: note - 1,
            ..inner
        };
        let all = stage::summary(ui, state, usize::from(inner.width));
        lines(buf, below, &all, 0);
    }
}

/// Where tasks go from here: `annotate → Annotate · skip → Archive`.
pub fn ways(flow: &Workflow, stage: &Stage) -> String {
    let title = |id: StageId| {
        flow.stage(id)
            .map_or_else(|| "–".to_owned(), |s| clean(&s.title).into_owned())
    };
    let mut all: Vec<String> = stage
        .pathways
        .iter()
        .map(|p| format!("{} → {}", clean(&p.name), title(p.to)))
        .collect();
    all.extend(
        flow.edges
            .iter()
            .filter(|e| e.from == Some(stage.id))
            .map(|e| {
                if e.label.is_empty() {
                    format!("→ {}", title(e.to))
                } else {
                    format!("{} → {}", clean(&e.label), title(e.to))
                }
            }),
    );
    all.join(" · ")
}

/// Stages in the order of the drawing: layer by layer.
fn list_order(flow: &Workflow) -> Vec<usize> {
    let mut order: Vec<usize> = (0..flow.stages.len()).collect();
    // Final stages last, everything else as the platform lists it.
    order.sort_by_key(|i| flow.stages[*i].kind == StageKind::Done);
    order
}

/// Arrow keys: along the graph in the drawing, up and down in the list.
pub fn move_cursor(ui: &mut Ui, verb: Verb, state: &State) {
    let Some(project) = &state.project else {
        return;
    };
    let flow = &project.workflow;
    let order = list_order(flow);
    let Some(at) = order
        .iter()
        .position(|i| ui.stage == Some(flow.stages[*i].id))
    else {
        ui.stage = flow.stages.first().map(|s| s.id);
        return;
    };
    let last = order.len() - 1;
    let stage_at = |place: usize| order.get(place).map(|i| flow.stages[*i].id);
    match verb {
        Verb::Top | Verb::PageUp => ui.stage = stage_at(0),
        Verb::Bottom | Verb::PageDown => ui.stage = stage_at(last),
        Verb::Up if ui.flow.lists(ui.room) => ui.stage = stage_at(at.saturating_sub(1)),
        Verb::Down if ui.flow.lists(ui.room) => ui.stage = stage_at((at + 1).min(last)),
        Verb::Left | Verb::Right if ui.flow.lists(ui.room) => {}
        _ => {
            let room = ui.flow.drawn.as_ref().map_or((116, 20), |d| d.room);
            ui.flow.arrange(flow, state, room);
            let shift = usize::from(flow.edges.iter().any(|e| e.from.is_none()));
            let Some(drawn) = &ui.flow.drawn else { return };
            let here = order[at] + shift;
            if let Some(next) = neighbour(&drawn.layout, &drawn.edges_shown, here, verb, shift) {
                ui.stage = flow.stages.get(next - shift).map(|s| s.id);
            }
        }
    }
}

/// The box an arrow key leads to: along the first edge that way, else the nearest.
fn neighbour(
    layout: &Layout,
    edges: &[Edge],
    here: usize,
    verb: Verb,
    first: usize,
) -> Option<usize> {
    let p = layout.places[here];
    let row = i32::from(p.y) + i32::from(p.h) / 2;
    let score = |i: &usize| -> Option<i32> {
        let q = layout.places[*i];
        let (dx, dy) = (
            i32::from(q.x) - i32::from(p.x),
            i32::from(q.y) + i32::from(q.h) / 2 - row,
        );
        let edge = |a: usize, b: usize| edges.iter().position(|e| e.from == a && e.to == b);
        let number = |at: Option<usize>| at.and_then(|k| i32::try_from(k).ok());
        let (ahead, along) = match verb {
            Verb::Right => (dx > 0, number(edge(here, *i))),
            Verb::Left => (dx < 0, number(edge(*i, here))),
            Verb::Down => (dy > 0, (dx == 0).then_some(dy)),
            _ => (dy < 0, (dx == 0).then_some(-dy)),
        };
        let far = match verb {
            Verb::Right | Verb::Left => dx.abs() + 2 * dy.abs(),
            _ => dx.abs() + 3 * dy.abs(),
        };
        ahead.then_some(along.unwrap_or(far + 1000))
    };
    (first..layout.places.len())
        .filter(|i| *i != here)
        .filter_map(|i| score(&i).map(|s| (s, i)))
        .min()
        .map(|(_, i)| i)
}
