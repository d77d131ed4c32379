//! How the drawing of the workflow is laid out: the sizes of boxes, the words on edges, the form that fits the room. What
//! is in the boxes is left to the drawing.

use super::agent_word;
use super::shape::{FlowShape, ShownEdge};
use crate::graph::{self, Edge, GraphLayout, Node, Spacing};
use crate::text::{fit, width};
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind, Workflow};

pub(super) struct Drawn {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) room: (u16, u16),
    pub(super) chosen: usize,
    /// Boxes of agents have a row for figures.
    pub(super) figures: bool,
    pub(super) layout: GraphLayout,
    pub(super) edges_shown: Vec<Edge>,
}

/// The figures of a box have this many columns at least, where there is room for them.
const FIGURES_W: usize = 16;

/// Everything the drawing depends on: nodes first the start (when an edge leaves it), then the boxes of the shape.
fn parts(
    flow: &Workflow,
    shape: &FlowShape,
    state: &State,
    density: usize,
    figures: bool,
) -> (Vec<Node>, Vec<Edge>) {
    let start = usize::from(shape.has_start());
    let cap = [30, 26, 20, 16][density];
    let mut nodes = Vec::with_capacity(shape.boxes.len() + 1);
    if start > 0 {
        let (w, h, port) = (5, 1, 0);
        nodes.push(Node { w, h, port });
    }
    for shown in &shape.boxes {
        let stage = shown.single(flow);
        let agent = stage.and_then(|stage| agent_word(state, stage));
        let agent = agent.map_or(0, |(text, _)| width(&text));
        let known = figures && stage.is_some_and(|s| state.stage_figures(s.id).is_some());
        let text = width(&shown.title(flow, cap)).max(agent).max(9);
        let text = match known && density < 2 {
            true => text.max(FIGURES_W),
            false => text,
        };
        let w = u16::try_from((text + 4).min(cap)).unwrap_or(30);
        let is_agent = stage.is_some_and(|s| s.kind == StageKind::Agent);
        let h = 4 + u16::from(is_agent) + u16::from(is_agent && known);
        nodes.push(Node { w, h, port: 1 });
    }
    let edges = shape.edges.iter().map(|edge| {
        let stage = edge.from.and_then(|from| shape.boxes[from].single(flow));
        Edge {
            from: edge.from.map_or(0, |from| from + start),
            to: edge.to + start,
            label: edge_label(stage, edge, density),
        }
    });
    let edges = edges.collect();
    (nodes, edges)
}

/// What stands on an edge: the numbers of the pathways (`(1) annotate`, `(1,2)`), else its own label; `…` where it leads
/// past stages that are left out.
fn edge_label(stage: Option<&Stage>, edge: &ShownEdge, density: usize) -> String {
    let name = |n: usize| {
        stage
            .and_then(|s| s.pathways.get(n - 1))
            .map(|p| p.name.as_str())
    };
    let label = match (edge.pathways.as_slice(), stage) {
        ([], _) if density == 3 => String::new(),
        ([], _) | (_, None) => fit(&edge.label, 12),
        ([n], Some(_)) if density == 0 => {
            format!("({n}) {}", fit(name(*n).unwrap_or_default(), 14))
        }
        (numbers, Some(_)) => format!("({})", few(numbers)),
    };
    match (edge.past, label.is_empty()) {
        (false, _) => label,
        (true, true) => "…".to_owned(),
        (true, false) => format!("{label} …"),
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

/// A drawing of more boxes fits no screen.
const MOST: usize = 60;
/// How a drawing is that does not fit: titles stay readable.
const SCROLLED: usize = 1;

impl Drawn {
    /// The workflow laid out for this much room; the drawing of the last frame when nothing it depends on has changed.
    pub(super) fn arranged(
        before: Option<Self>,
        flow: &Workflow,
        shape: &FlowShape,
        state: &State,
        room: (u16, u16),
    ) -> Self {
        let (nodes, edges) = parts(flow, shape, state, 0, true);
        let fits = |d: &Self| {
            // A pane that shrinks to its drawing does not change it.
            let lower = d.room.0 == room.0 && room.1 < d.room.1 && d.layout.h <= room.1;
            d.room == room || lower
        };
        let same = before.filter(|d| d.nodes == nodes && d.edges == edges && fits(d));
        same.unwrap_or_else(|| {
            let mut drawn = Self {
                edges_shown: edges.clone(),
                nodes,
                edges,
                room,
                chosen: 0,
                figures: true,
                layout: GraphLayout::default(),
            };
            drawn.choose(flow, shape, state);
            drawn
        })
    }

    /// The widest form that fits; one that is far from fitting is not squeezed. Boxes have figures unless the drawing is
    /// too high with them.
    fn choose(&mut self, flow: &Workflow, shape: &FlowShape, state: &State) {
        let densities = match shape.boxes.len() > MOST {
            true => 0..0,
            false => 0..4,
        };
        for density in densities {
            for figures in [true, false] {
                self.lay_out(flow, shape, state, (density, figures));
                if self.layout.w > self.room.0 {
                    break;
                }
                if self.layout.h <= self.room.1 || !figures {
                    return;
                }
            }
        }
        if shape.boxes.len() > MOST || self.layout.w > self.room.0.saturating_mul(3) / 2 {
            self.lay_out(flow, shape, state, (SCROLLED, true));
        }
    }

    fn lay_out(
        &mut self,
        flow: &Workflow,
        shape: &FlowShape,
        state: &State,
        (density, figures): (usize, bool),
    ) {
        let (nodes, edges) = parts(flow, shape, state, density, figures);
        let spacing = Spacing {
            track: if density < 2 { 2 } else { 1 },
            rows: 1,
        };
        let close = Spacing { rows: 0, ..spacing };
        let mut layout = match nodes.len() > MOST {
            true => graph::lay_out(&nodes, &edges, close),
            false => graph::lay_out(&nodes, &edges, spacing),
        };
        if layout.h > self.room.1 && nodes.len() <= MOST {
            layout = graph::lay_out(&nodes, &edges, close);
        }
        (self.chosen, self.figures) = (density, figures);
        (self.layout, self.edges_shown) = (layout, edges);
    }
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
