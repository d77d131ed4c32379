//! Columns, and the path of every edge: straight along rows, up and down only in the gaps between
//! layers, loops back along lanes below everything. So no edge can cross a box.

use super::layout::{Item, Plan, segments};
use super::{Edge, GraphLayout, Node, Path, Spacing};
use crate::text::width;
use ratatui::layout::Rect;

/// Edges of a gap that arrive at one place and share one vertical line.
#[derive(Clone, Debug)]
struct Net {
    /// Where it arrives: a node, a passing edge, or the lane of a loop.
    key: Key,
    /// Rows at which edges come in from the left.
    from: Vec<i32>,
    /// Row at which it goes on to the right.
    to: Option<i32>,
    /// Rows of lanes that join from the right (a loop arriving) .
    lanes_right: Vec<i32>,
    /// Row of the lane that leaves to the left (a loop leaving).
    lane_left: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    To(Item),
    Loop(usize),
}

impl Net {
    fn rows(&self) -> impl Iterator<Item = i32> + '_ {
        self.from
            .iter()
            .chain(&self.to)
            .chain(&self.lanes_right)
            .chain(&self.lane_left)
            .copied()
    }

    fn extent(&self) -> (i32, i32) {
        let low = self.rows().min().unwrap_or(0);
        (low, self.rows().max().unwrap_or(low))
    }

    fn straight(&self) -> bool {
        let (low, high) = self.extent();
        low == high
    }
}

/// A gap left of a layer (the last one: right of everything).
struct Gap {
    nets: Vec<Net>,
    /// Column of each net's vertical line, counted in tracks; straight nets have none.
    track: Vec<usize>,
    tracks: usize,
    label: usize,
    x: i32,
}

/// Gives every node its columns and every edge its path.
pub fn route(nodes: &[Node], edges: &[Edge], plan: &Plan, spacing: Spacing) -> GraphLayout {
    let lanes = lanes(edges, plan);
    let count = plan.order.len();
    let mut gaps: Vec<Gap> = (0..=count)
        .map(|g| gap(nodes, edges, plan, &lanes, g))
        .collect();
    let mut boxes = vec![Rect::default(); nodes.len()];
    let mut x = 0;
    for (g, gap) in gaps.iter_mut().enumerate() {
        gap.x = x;
        x += gap_width(gap, g, count, spacing);
        let Some(items) = plan.order.get(g) else {
            break;
        };
        let wide = items
            .iter()
            .filter_map(|i| match i {
                Item::Node(n) => Some(i32::from(nodes[*n].w)),
                Item::Pass(_) => None,
            })
            .max()
            .unwrap_or(1);
        for (item, row) in items.iter().zip(&plan.rows[g]) {
            if let Item::Node(n) = item {
                let height = cell(plan.heights[*n]);
                boxes[*n] = Rect::new(cell(x), cell(*row), cell(wide), height);
            }
        }
        x += wide;
    }
    let paths: Vec<Path> = (0..edges.len())
        .map(|k| path(nodes, edges, plan, &lanes, &gaps, &boxes, spacing, k))
        .collect();
    let bottom = boxes.iter().map(|p| p.bottom()).max().unwrap_or(0);
    let lowest = paths.iter().flat_map(|p| &p.corners).map(|c| c.1 + 1).max();
    GraphLayout {
        boxes,
        layers: plan.layer.clone(),
        paths,
        w: cell(x),
        h: bottom.max(lowest.unwrap_or(0)),
    }
}

fn cell(v: i32) -> u16 {
    u16::try_from(v.max(0)).unwrap_or(u16::MAX)
}

/// The lane row of every loop: short loops above long ones.
fn lanes(edges: &[Edge], plan: &Plan) -> Vec<Option<i32>> {
    let bottom = plan
        .order
        .iter()
        .zip(&plan.rows)
        .flat_map(|(items, rows)| items.iter().zip(rows))
        .map(|(item, row)| match item {
            Item::Node(n) => row + plan.heights[*n],
            Item::Pass(_) => row + 1,
        })
        .max()
        .unwrap_or(0);
    let mut loops: Vec<usize> = (0..edges.len()).filter(|k| plan.back[*k]).collect();
    loops.sort_by_key(|k| {
        plan.layer[edges[*k].from] - plan.layer[edges[*k].to].min(plan.layer[edges[*k].from])
    });
    let mut rows = vec![None; edges.len()];
    for (at, k) in loops.into_iter().enumerate() {
        rows[k] = Some(bottom + i32::try_from(at).unwrap_or(0));
    }
    rows
}

fn gap(nodes: &[Node], edges: &[Edge], plan: &Plan, lanes: &[Option<i32>], g: usize) -> Gap {
    let (nets, label) = nets(nodes, edges, plan, lanes, g);
    let (track, tracks) = tracks(&nets);
    Gap {
        nets,
        track,
        tracks,
        label,
        x: 0,
    }
}

/// The nets of a gap, and the width of the widest label in it.
fn nets(
    nodes: &[Node],
    edges: &[Edge],
    plan: &Plan,
    lanes: &[Option<i32>],
    g: usize,
) -> (Vec<Net>, usize) {
    let mut nets: Vec<Net> = Vec::new();
    let mut label = 0;
    let empty = |key| Net {
        key,
        from: Vec::new(),
        to: None,
        lanes_right: Vec::new(),
        lane_left: None,
    };
    let port = |n: usize| plan.row(plan.layer[n], Item::Node(n)) + i32::from(nodes[n].port);
    if g > 0 {
        for (k, a, b) in segments(edges, &plan.back, &plan.layer, g - 1) {
            let from = match a {
                Item::Node(n) => {
                    label = label.max(width(&edges[k].label));
                    plan.exit_row(nodes, k, n)
                }
                Item::Pass(_) => plan.row(g - 1, a),
            };
            let to = match b {
                Item::Node(n) => port(n),
                Item::Pass(_) => plan.row(g, b),
            };
            let at = find(&mut nets, Key::To(b), &empty);
            at.from.push(from);
            at.to = Some(to);
        }
    }
    for (k, e) in edges.iter().enumerate() {
        let Some(lane) = lanes[k] else { continue };
        if plan.layer[e.from] + 1 == g {
            label = label.max(width(&e.label));
            let net = find(&mut nets, Key::Loop(k), &empty);
            net.from.push(plan.exit_row(nodes, k, e.from));
            net.lane_left = Some(lane);
        }
        if plan.layer[e.to] == g {
            let net = find(&mut nets, Key::To(Item::Node(e.to)), &empty);
            net.to = Some(port(e.to));
            net.lanes_right.push(lane);
        }
    }
    (nets, label)
}

fn find<'a>(nets: &'a mut Vec<Net>, key: Key, empty: &impl Fn(Key) -> Net) -> &'a mut Net {
    let at = nets.iter().position(|n| n.key == key).unwrap_or_else(|| {
        nets.push(empty(key));
        nets.len() - 1
    });
    &mut nets[at]
}

/// Orders the vertical lines of a gap for few crossings, then packs them into tracks.
fn tracks(nets: &[Net]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..nets.len()).filter(|n| !nets[*n].straight()).collect();
    order.sort_by_key(|n| {
        let net = &nets[*n];
        let (from, to) = (
            net.from.first().copied().unwrap_or(i32::MAX),
            net.to.unwrap_or(i32::MAX),
        );
        // Lines that go up: the topmost first. Lines that go down: the lowest first.
        if to < from { (0, from) } else { (1, -from) }
    });
    let (mut order, _) = keeping_apart(nets, &order);
    let mut improved = true;
    while improved {
        improved = false;
        for at in 1..order.len() {
            let (a, b) = (&nets[order[at - 1]], &nets[order[at]]);
            if clash(b, a) < clash(a, b) {
                order.swap(at - 1, at);
                improved = true;
            }
        }
    }
    let mut track = vec![0; nets.len()];
    let mut count = 0;
    for (at, n) in order.iter().enumerate() {
        let first = order[..at]
            .iter()
            .filter(|m| touch(&nets[**m], &nets[*n]))
            .map(|m| track[*m] + 1)
            .max()
            .unwrap_or(0);
        track[*n] = first;
        count = count.max(first + 1);
    }
    (track, count)
}

/// The same lines in an order in which none leaves on a row where one further left arrives: they would
/// look joined. The second part is false when there is no such order.
fn keeping_apart(nets: &[Net], order: &[usize]) -> (Vec<usize>, bool) {
    let mut rest = order.to_vec();
    let mut sorted = Vec::with_capacity(rest.len());
    let mut possible = true;
    while !rest.is_empty() {
        let before =
            |a: usize, b: usize| a != b && nets[a].from.iter().any(|r| nets[b].to == Some(*r));
        let free = rest
            .iter()
            .position(|n| !rest.iter().any(|m| before(*m, *n)));
        possible &= free.is_some();
        sorted.push(rest.remove(free.unwrap_or(0)));
    }
    (sorted, possible)
}

/// Moves layers up or down a little where lines between two of them could not be kept apart.
pub fn loosen(nodes: &[Node], edges: &[Edge], plan: &mut Plan) {
    let lanes = lanes(edges, plan);
    for g in 1..plan.order.len() {
        let rows = plan.rows.clone();
        for shift in [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5] {
            for (l, layer) in rows.iter().enumerate().skip(g) {
                plan.rows[l] = layer.iter().map(|y| y + shift).collect();
            }
            let nets = nets(nodes, edges, plan, &lanes, g).0;
            let bent: Vec<usize> = (0..nets.len()).filter(|n| !nets[*n].straight()).collect();
            if keeping_apart(&nets, &bent).1 {
                break;
            }
        }
    }
    let top = plan.rows.iter().flatten().copied().min().unwrap_or(0);
    plan.rows.iter_mut().flatten().for_each(|y| *y -= top);
}

/// Whether two nets may not share a track.
fn touch(a: &Net, b: &Net) -> bool {
    let ((a0, a1), (b0, b1)) = (a.extent(), b.extent());
    a0 <= b1 && b0 <= a1
}

/// The cost of two vertical lines when `left` is left of `right`.
fn clash(left: &Net, right: &Net) -> usize {
    let inside = |row: i32, net: &Net| {
        let (low, high) = net.extent();
        usize::from(row > low && row < high)
    };
    let crossed_by_right: usize = right
        .from
        .iter()
        .chain(&right.lane_left)
        .map(|r| inside(*r, left))
        .sum();
    let crossed_by_left: usize = left
        .to
        .iter()
        .chain(&left.lanes_right)
        .map(|r| inside(*r, right))
        .sum();
    // A line arriving from the left of one and one leaving to the right of the other on the same
    // row would look joined.
    let same = right.from.iter().filter(|r| left.to == Some(**r)).count();
    crossed_by_left + crossed_by_right + 100 * same
}

fn gap_width(gap: &Gap, g: usize, count: usize, spacing: Spacing) -> i32 {
    if gap.nets.is_empty() {
        return i32::from(g > 0 && g < count) * 2;
    }
    let tracks = i32::try_from(gap.tracks).unwrap_or(0) * i32::from(spacing.track);
    let arrow = if g < count { 2 } else { 0 };
    lead(gap) + tracks + arrow
}

/// Columns from the gap's left end to its first track: the label between two dashes.
fn lead(gap: &Gap) -> i32 {
    let label = i32::try_from(gap.label).unwrap_or(0);
    if label > 0 { label + 2 } else { 1 }
}

#[allow(clippy::too_many_arguments)] // the whole drawing, read only
fn path(
    nodes: &[Node],
    edges: &[Edge],
    plan: &Plan,
    lanes: &[Option<i32>],
    gaps: &[Gap],
    boxes: &[Rect],
    spacing: Spacing,
    k: usize,
) -> Path {
    let edge = &edges[k];
    let (first, last) = (plan.layer[edge.from], plan.layer[edge.to]);
    let from = boxes[edge.from];
    let to = boxes[edge.to];
    let track_x = |g: usize, key: Key| {
        let gap = &gaps[g];
        let at = gap.nets.iter().position(|n| n.key == key)?;
        let column = i32::try_from(gap.track[at]).unwrap_or(0) * i32::from(spacing.track);
        Some(gap.x + lead(gap) + column)
    };
    let exit = plan.exit_row(nodes, k, edge.from);
    let start = i32::from(from.right());
    let entry = i32::from(to.y + nodes[edge.to].port);
    let mut corners = vec![(start, exit)];
    if let Some(lane) = lanes[k] {
        let down = track_x(first + 1, Key::Loop(k)).unwrap_or(start);
        let up = track_x(last, Key::To(Item::Node(edge.to))).unwrap_or(0);
        corners.extend([(down, exit), (down, lane), (up, lane), (up, entry)]);
    } else {
        let mut row = exit;
        for g in first + 1..=last {
            let item = if g == last {
                Item::Node(edge.to)
            } else {
                Item::Pass(k)
            };
            let next = if g == last { entry } else { plan.row(g, item) };
            if next != row
                && let Some(x) = track_x(g, Key::To(item))
            {
                corners.extend([(x, row), (x, next)]);
                row = next;
            }
        }
    }
    corners.push((i32::from(to.x) - 1, entry));
    corners.dedup();
    Path {
        corners: corners
            .into_iter()
            .map(|(x, y)| (cell(x), cell(y)))
            .collect(),
        back: plan.back[k],
        label_at: (cell(start + 1), cell(exit)),
    }
}
