//! Layers, order within layers with few crossings, and rows. Columns and edges: [`super::route`].

use super::{Edge, Node, Spacing};

use super::order::ordered;
use std::collections::HashMap;

/// What a layer consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A node.
    Node(usize),
    /// An edge that passes through on its way to a later layer.
    Pass(usize),
}

/// Everything but columns.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether each edge is a loop back.
    pub back: Vec<bool>,
    /// Layer of each node.
    pub layer: Vec<usize>,
    /// Items of each layer from top to bottom.
    pub order: Vec<Vec<Item>>,
    /// Where each item is in its layer.
    pub places: Vec<HashMap<Item, usize>>,
    /// Top row of each item, in the same order.
    pub rows: Vec<Vec<i32>>,
    /// Rows of each node, grown to its number of exits.
    pub heights: Vec<i32>,
    /// Edges that leave each node, from the top exit to the bottom one.
    pub exits: Vec<Vec<usize>>,
}

impl Plan {
    /// Top row of an item.
    pub fn row(&self, layer: usize, item: Item) -> i32 {
        let place = self.places[layer].get(&item);
        place.map_or(0, |at| self.rows[layer][*at])
    }

    /// Row at which an edge leaves its node.
    pub fn exit_row(&self, nodes: &[Node], edge: usize, from: usize) -> i32 {
        let at = self.exits[from].iter().position(|e| *e == edge);
        let top = self.row(self.layer[from], Item::Node(from));
        top + i32::from(nodes[from].port) + i32::try_from(at.unwrap_or(0)).unwrap_or(0)
    }
}

/// Decides layers, order and rows.
pub fn plan(nodes: &[Node], edges: &[Edge], spacing: Spacing) -> Plan {
    let back = back_edges(nodes.len(), edges);
    let layer = layers(nodes.len(), edges, &back);
    let order = ordered(nodes.len(), edges, &back, &layer);
    let exits = exits(nodes.len(), edges, &back, &layer, &order);
    let heights = nodes
        .iter()
        .zip(&exits)
        .map(|(n, out)| {
            let out = i32::try_from(out.len()).unwrap_or(0);
            // The last exit stays above the bottom border; a node of one row has no border.
            let border = i32::from(n.h > 1);
            i32::from(n.h).max(i32::from(n.port) + out + border)
        })
        .collect();
    let numbered = |items: &Vec<Item>| items.iter().copied().zip(0..).collect();
    let mut plan = Plan {
        places: order.iter().map(numbered).collect(),
        back,
        layer,
        rows: order.iter().map(|l| vec![0; l.len()]).collect(),
        order,
        heights,
        exits,
    };
    place_rows(nodes, edges, &mut plan, spacing);
    plan
}

/// Edges that close a cycle, found by a depth-first walk from the nodes nothing leads to.
fn back_edges(n: usize, edges: &[Edge]) -> Vec<bool> {
    let mut back = vec![false; edges.len()];
    // 0 new, 1 on the way, 2 done
    let mut seen = vec![0_u8; n];
    let entered = |node: usize| edges.iter().any(|e| e.to == node && e.from != node);
    let mut starts: Vec<usize> = (0..n).filter(|i| !entered(*i)).collect();
    starts.extend(0..n);
    for start in starts {
        if seen[start] != 0 {
            continue;
        }
        seen[start] = 1;
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.pop() {
            let found = edges
                .iter()
                .enumerate()
                .skip(next)
                .find(|(_, e)| e.from == node);
            let Some((at, edge)) = found else {
                seen[node] = 2;
                continue;
            };
            stack.push((node, at + 1));
            match seen[edge.to] {
                0 => {
                    seen[edge.to] = 1;
                    stack.push((edge.to, 0));
                }
                1 => back[at] = true,
                _ => {}
            }
        }
    }
    back
}

/// The longest way from a node without predecessors; lone beginnings move next to what they feed.
fn layers(n: usize, edges: &[Edge], back: &[bool]) -> Vec<usize> {
    let forward = || edges.iter().zip(back).filter(|(_, b)| !**b).map(|(e, _)| e);
    let mut layer = vec![0_usize; n];
    for _ in 0..n {
        let mut moved = false;
        for e in forward() {
            if layer[e.to] <= layer[e.from] {
                layer[e.to] = layer[e.from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    for node in 0..n {
        if forward().any(|e| e.to == node) {
            continue;
        }
        if let Some(first) = forward()
            .filter(|e| e.from == node)
            .map(|e| layer[e.to])
            .min()
        {
            layer[node] = first.saturating_sub(1);
        }
    }
    layer
}

/// The parts of forward edges between neighbouring layers: edge, item at the left, at the right.
pub fn segments(
    edges: &[Edge],
    back: &[bool],
    layer: &[usize],
    at: usize,
) -> Vec<(usize, Item, Item)> {
    let mut found = Vec::new();
    for (k, e) in edges.iter().enumerate() {
        let (first, last) = (layer[e.from], layer[e.to]);
        if back[k] || at < first || at + 1 > last {
            continue;
        }
        let left = if at == first {
            Item::Node(e.from)
        } else {
            Item::Pass(k)
        };
        let right = if at + 1 == last {
            Item::Node(e.to)
        } else {
            Item::Pass(k)
        };
        found.push((k, left, right));
    }
    found
}

/// Exits from top to bottom: forward edges in the order of where they go, then loops.
fn exits(
    n: usize,
    edges: &[Edge],
    back: &[bool],
    layer: &[usize],
    order: &[Vec<Item>],
) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new(); n];
    for (node, exits) in all.iter_mut().enumerate() {
        let mut keyed: Vec<((bool, usize), usize)> = edges
            .iter()
            .enumerate()
            .filter(|(_, e)| e.from == node)
            .map(|(k, e)| {
                if back[k] {
                    return ((true, usize::MAX - layer[e.to]), k);
                }
                let next = layer[node] + 1;
                let item = if layer[e.to] == next {
                    Item::Node(e.to)
                } else {
                    Item::Pass(k)
                };
                (
                    (
                        false,
                        order[next].iter().position(|i| *i == item).unwrap_or(0),
                    ),
                    k,
                )
            })
            .collect();
        keyed.sort_unstable();
        exits.extend(keyed.into_iter().map(|(_, k)| k));
    }
    all
}

/// Rows: every item is drawn towards its neighbours, none overlap, order is kept.
fn place_rows(nodes: &[Node], edges: &[Edge], plan: &mut Plan, spacing: Spacing) {
    for l in 0..plan.order.len() {
        let mut y = 0;
        for at in 0..plan.order[l].len() {
            plan.rows[l][at] = y;
            y += height(plan, plan.order[l][at]) + i32::from(spacing.rows);
        }
    }
    let count = plan.order.len();
    for round in 0..6 {
        for l in (0..count).rev() {
            settle(nodes, edges, plan, l, spacing, false, round == 0);
        }
        for l in 0..count {
            settle(nodes, edges, plan, l, spacing, true, false);
        }
    }
    let top = plan.rows.iter().flatten().copied().min().unwrap_or(0);
    plan.rows.iter_mut().flatten().for_each(|y| *y -= top);
}

fn height(plan: &Plan, item: Item) -> i32 {
    match item {
        Item::Node(n) => plan.heights[n],
        Item::Pass(_) => 1,
    }
}

/// Moves the items of a layer towards what they are joined with on the left (or the right).
fn settle(
    nodes: &[Node],
    edges: &[Edge],
    plan: &mut Plan,
    l: usize,
    spacing: Spacing,
    from_left: bool,
    keep: bool,
) {
    if keep && l + 1 == plan.order.len() {
        return;
    }
    let joins = match (from_left, l) {
        (true, 0) => Vec::new(),
        (true, _) => segments(edges, &plan.back, &plan.layer, l - 1),
        (false, _) => segments(edges, &plan.back, &plan.layer, l),
    };
    let mut joined: HashMap<Item, Vec<(usize, Item, Item)>> = HashMap::new();
    for join @ (_, a, b) in joins {
        let own = if from_left { b } else { a };
        joined.entry(own).or_default().push(join);
    }
    let port = |item: Item| match item {
        Item::Node(n) => i32::from(nodes[n].port),
        Item::Pass(_) => 0,
    };
    let leave = |k: usize, item: Item, layer: usize| match item {
        Item::Node(n) => plan.exit_row(nodes, k, n),
        Item::Pass(_) => plan.row(layer, item),
    };
    let ideal: Vec<f64> = plan.order[l]
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let pulls = joined.get(item).into_iter().flatten();
            let pulls: Vec<i32> = pulls
                .map(|(k, a, b)| {
                    if from_left {
                        leave(*k, *a, l - 1) - port(*item)
                    } else {
                        let own = leave(*k, *a, l) - plan.rows[l][at];
                        plan.row(l + 1, *b) + port(*b) - own
                    }
                })
                .collect();
            middle(&pulls).unwrap_or(f64::from(plan.rows[l][at]))
        })
        .collect();
    let gaps: Vec<i32> = plan.order[l]
        .iter()
        .map(|item| height(plan, *item) + i32::from(spacing.rows))
        .collect();
    plan.rows[l] = pool(&ideal, &gaps);
}

/// The median; of an even number the smaller middle, so that at least one line is straight.
fn middle(pulls: &[i32]) -> Option<f64> {
    let mut sorted = pulls.to_vec();
    sorted.sort_unstable();
    sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .map(|v| f64::from(*v))
}

/// The rows nearest to the ideal ones that keep order and distances (pool adjacent violators).
fn pool(ideal: &[f64], gaps: &[i32]) -> Vec<i32> {
    let mut offset = 0;
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (row, gap) in ideal.iter().zip(gaps) {
        let mut block = (row - f64::from(offset), 1_usize);
        offset += gap;
        while let Some(last) = blocks.last().copied() {
            if last.0 <= block.0 {
                break;
            }
            #[allow(clippy::cast_precision_loss)] // a handful of boxes
            let (a, b) = (last.1 as f64, block.1 as f64);
            block = ((last.0 * a + block.0 * b) / (a + b), last.1 + block.1);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut rows = Vec::with_capacity(ideal.len());
    let mut offset = 0;
    let mut gaps = gaps.iter();
    for (value, count) in blocks {
        #[allow(clippy::cast_possible_truncation)] // rows on a screen
        let base = value.round() as i32;
        for _ in 0..count {
            rows.push(base + offset);
            offset += gaps.next().copied().unwrap_or(0);
        }
    }
    rows
}
