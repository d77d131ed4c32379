//! Flow: the workflow as a drawing or as a list, the selected stage, what happened.
//!
//! Where boxes stand and edges run is left to [`crate::graph`], the details of a stage to
//! [`super::stage`].

use super::{activity, first_build, stage};
use crate::Ui;
use crate::actions::Action;
use crate::graph::{Edge, GraphLayout};
use crate::overlays::moved;
use crate::panes::PaneName;
use crate::text::{clean, number};
use crate::widgets::lines;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind, Workflow};

mod arranged;
mod cursor;
mod drawing;
mod layer;
mod lines;
mod list;
mod shape;

use drawing::draw_graph;
use list::{draw_list, list_order};

pub use cursor::FlowCursor;
pub use layer::Flow;

/// Rows that the stage and the activity below the drawing need.
const LOWER: u16 = 12;

/// The letter of a stage's kind.
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
        Some((n, true)) => number(n),
        Some((n, false)) => format!("{}…", number(n)),
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
        None if state.libraries_coming() => ("… being built".into(), false),
        None => ("! no agent".into(), false),
    })
}

/// The age of a project is not worth a mention before, in milliseconds.
const FRESH_MS: u64 = 60_000;

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(project) = state.project.clone() else {
        return;
    };
    let flow = &project.workflow;
    ui.flow.activity_back = ui
        .flow
        .activity_back
        .min(state.activity.len().saturating_sub(1));
    if flow.stages.is_empty() {
        let inner = ui.pane(buf, PaneName::Main, area, ("Workflow", ""));
        let text = "  This project has no workflow stages. Agents need a workflow project.";
        lines(buf, inner, &[Line::default(), Line::from(text)], 0);
        return;
    }
    let build = first_build::shown(state).filter(|_| !ui.room.tiny() && !ui.zoomed());
    let area = match build {
        Some(build) => {
            let height = Constraint::Length(first_build::HEIGHT);
            let [above, below] = Layout::vertical([height, Constraint::Fill(1)]).areas(area);
            first_build::draw(ui, buf, above, build, state);
            below
        }
        None => area,
    };
    if ui.room.narrow() {
        narrow(ui, buf, area, flow, state);
    } else {
        wide(ui, buf, area, flow, state);
    }
}

fn draw_workflow(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    if ui.flow.lists(ui.room) {
        draw_list(ui, buf, area, flow, state);
    } else {
        draw_graph(ui, buf, area, flow, state);
    }
}

/// Rows of the list.
fn listed_rows(ui: &mut Ui, flow: &Workflow) -> u16 {
    u16::try_from(ui.flow.shape_of(flow).boxes.len()).unwrap_or(u16::MAX)
}

/// Panes above each other: workflow, the selected stage below a list, activity while there is room.
fn narrow(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let strip = if area.height >= 16 { 5 } else { 0 };
    let [above, below] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(strip)]).areas(area);
    // The stage gets what the list leaves, when that is worth a pane.
    let listed = listed_rows(ui, flow)
        .saturating_add(2)
        .max(above.height / 3);
    let both = ui.flow.lists(ui.room) && above.height.saturating_sub(listed) >= 5;
    let main = if both { listed } else { above.height };
    let [main, between] =
        Layout::vertical([Constraint::Length(main), Constraint::Fill(1)]).areas(above);
    draw_workflow(ui, buf, main, flow, state);
    stage::draw(ui, buf, between, state);
    activity::draw(ui, buf, below, state);
}

/// The workflow across the screen, the selected stage and the activity side by side below it.
fn wide(ui: &mut Ui, buf: &mut Buffer, area: Rect, flow: &Workflow, state: &State) {
    let whole = if ui.zoomed() {
        0
    } else if ui.flow.lists(ui.room) {
        listed_rows(ui, flow).saturating_add(2)
    } else {
        let room = (area.width - 4, area.height.saturating_sub(LOWER + 3));
        ui.flow.arrange(flow, state, room).saturating_add(3)
    };
    let top = whole.clamp(9, area.height.saturating_sub(LOWER).max(9));
    let [top, below] = Layout::vertical([Constraint::Length(top), Constraint::Fill(1)]).areas(area);
    let stage_w = (area.width * 55 / 100).clamp(54, 90);
    let [stage, activity] =
        Layout::horizontal([Constraint::Length(stage_w), Constraint::Fill(1)]).areas(below);
    draw_workflow(ui, buf, top, flow, state);
    stage::draw(ui, buf, stage, state);
    activity::draw(ui, buf, activity, state);
}

fn listed_age(state: &State) -> String {
    let oldest = state.queues.values().filter_map(|q| q.loaded).min();
    let loading = state.queues.values().any(|q| q.loading);
    let counts = match (loading, oldest) {
        (true, _) => "counting…".into(),
        (_, Some(at)) => format!("counts {} old", crate::text::age(state.now.since(at)))
            .replace("now old", "just now"),
        (_, None) => "not counted yet".into(),
    };
    match project_age(state) {
        Some(age) => format!("{age} · {counts}"),
        None => counts,
    }
}

/// When workflow and ontology were read, unless that was when the screen was opened a moment ago.
fn project_age(state: &State) -> Option<String> {
    let read = state.project_read?;
    let ms = state.now.since(read.at);
    let is_first = read.times == 1 && ms < FRESH_MS;
    let text = || format!("project read {}", crate::chrome::ago(ms));
    (!is_first).then(|| text().replace("read now", "just read"))
}

/// Where tasks go from here: `annotate → Annotate · skip → Archive`.
pub fn routes(flow: &Workflow, stage: &Stage) -> String {
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

/// The first stage of each box that is shown, in the order of the list.
pub fn in_order(flow: &Workflow, choice: &FlowCursor) -> Vec<StageId> {
    let shape = choice.shape_now(flow);
    let order = list_order(flow, &shape).into_iter();
    order.filter_map(|i| shape.stage_of(flow, i)).collect()
}

/// Arrow keys: along the graph in the drawing, up and down in the list.
pub fn move_cursor(ui: &mut Ui, action: Action, state: &State) {
    let Some(project) = &state.project else {
        return;
    };
    let flow = &project.workflow;
    let shape = ui.flow.shape_of(flow).clone();
    let order = list_order(flow, &shape);
    let selected = ui.stage.and_then(|stage| shape.box_of(flow, stage));
    let Some(at) = order.iter().position(|i| selected == Some(*i)) else {
        ui.stage = order
            .first()
            .and_then(|i| shape.stage_of(flow, *i))
            .or(ui.stage);
        return;
    };
    let last = order.len() - 1;
    let lists = ui.flow.lists(ui.room);
    let place = match action {
        Action::Left | Action::Right if lists => at,
        _ if lists => moved(at, action, ui.page()).min(last),
        Action::Top | Action::PageUp | Action::HalfUp => 0,
        Action::Bottom | Action::PageDown | Action::HalfDown => last,
        _ => {
            let room = ui.flow.drawn.as_ref().map_or((116, 20), |d| d.room);
            ui.flow.arrange(flow, state, room);
            let shift = usize::from(shape.has_start());
            let Some(drawn) = &ui.flow.drawn else { return };
            let here = order[at] + shift;
            let next = neighbour(&drawn.layout, &drawn.edges_shown, here, action, shift);
            let next = next
                .map(|next| next - shift)
                .filter(|next| *next != order[at]);
            ui.stage = next.and_then(|i| shape.stage_of(flow, i)).or(ui.stage);
            return;
        }
    };
    if place != at {
        ui.stage = shape.stage_of(flow, order[place]);
    }
}

/// A stage that is shown is selected: the first one when the selected one does not match the filter.
fn select_shown(ui: &mut Ui, state: &State) {
    let Some(project) = &state.project else {
        return;
    };
    let flow = &project.workflow;
    let shape = ui.flow.shape_of(flow);
    let is_shown = ui
        .stage
        .is_some_and(|stage| shape.box_of(flow, stage).is_some());
    let first = list_order(flow, shape)
        .first()
        .and_then(|i| shape.stage_of(flow, *i));
    if !is_shown {
        ui.stage = first.or(ui.stage);
    }
}

/// The box an arrow key leads to: along the first edge that way, else the nearest.
fn neighbour(
    layout: &GraphLayout,
    edges: &[Edge],
    here: usize,
    action: Action,
    first: usize,
) -> Option<usize> {
    let p = layout.boxes[here];
    let row = i32::from(p.y) + i32::from(p.height) / 2;
    let score = |i: &usize| -> Option<i32> {
        let q = layout.boxes[*i];
        let (dx, dy) = (
            i32::from(q.x) - i32::from(p.x),
            i32::from(q.y) + i32::from(q.height) / 2 - row,
        );
        let edge = |a: usize, b: usize| edges.iter().position(|e| e.from == a && e.to == b);
        let number = |at: Option<usize>| at.and_then(|k| i32::try_from(k).ok());
        let (ahead, along) = match action {
            Action::Right => (dx > 0, number(edge(here, *i))),
            Action::Left => (dx < 0, number(edge(*i, here))),
            Action::Down => (dy > 0, (dx == 0).then_some(dy)),
            _ => (dy < 0, (dx == 0).then_some(-dy)),
        };
        let far = match action {
            Action::Right | Action::Left => dx.abs() + 2 * dy.abs(),
            _ => dx.abs() + 3 * dy.abs(),
        };
        ahead.then_some(along.unwrap_or(far + 1000))
    };
    (first..layout.boxes.len())
        .filter(|i| *i != here)
        .filter_map(|i| score(&i).map(|s| (s, i)))
        .min()
        .map(|(_, i)| i)
}
