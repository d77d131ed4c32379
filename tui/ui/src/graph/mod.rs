//! The workflow as a drawing: boxes in layers from left to right, edges that never cross a box,
//! loops back along the bottom.
//!
//! [`layout`] decides where boxes are, [`route`] where edges run, [`paint`] draws; what the stages mean is
//! left to the Flow screen. Units are terminal cells.

pub mod layout;
mod order;
pub mod paint;
pub mod route;

use ratatui::layout::Rect;

/// A box to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Least columns, borders included.
    pub w: u16,
    /// Least rows, borders included.
    pub h: u16,
    /// Row, counted from its top, at which edges enter and the first one leaves.
    pub port: u16,
}

/// An edge between two nodes, by their places in the slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Leaves here.
    pub from: usize,
    /// Arrives here; may be the same.
    pub to: usize,
    /// Written where it leaves; may be empty.
    pub label: String,
}

/// Where one edge runs: corners from the first cell outside its box to the arrow's cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Corner cells; neighbours share a row or a column.
    pub corners: Vec<(u16, u16)>,
    /// It runs against the reading direction: a loop.
    pub back: bool,
    /// Cell where its label begins.
    pub label_at: (u16, u16),
}

/// A finished drawing, before it is painted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphLayout {
    /// Where the box of each node is.
    pub boxes: Vec<Rect>,
    /// Layer of each node, 0 at the left.
    pub layers: Vec<usize>,
    /// One entry for each edge.
    pub paths: Vec<Path>,
    /// Columns of the whole.
    pub w: u16,
    /// Rows of the whole.
    pub h: u16,
}

/// Room between tracks and around labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spacing {
    /// Columns from one vertical line to the next, at least 1.
    pub track: u16,
    /// Blank rows between boxes of a layer.
    pub rows: u16,
}

/// Places boxes and routes edges. The result depends on nothing but the arguments.
#[must_use]
pub fn lay_out(nodes: &[Node], edges: &[Edge], spacing: Spacing) -> GraphLayout {
    if nodes.is_empty() {
        return GraphLayout::default();
    }
    let mut plan = layout::plan(nodes, edges, spacing);
    route::loosen(nodes, edges, &mut plan);
    route::route(nodes, edges, &plan, spacing)
}
