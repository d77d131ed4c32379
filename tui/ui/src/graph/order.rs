//! The order within layers that crosses few edges. Layers and rows: [`super::layout`].

use super::Edge;
use super::layout::{Item, segments};
use std::collections::HashMap;

pub(super) fn ordered(n: usize, edges: &[Edge], back: &[bool], layer: &[usize]) -> Vec<Vec<Item>> {
    let count = layer.iter().max().map_or(0, |m| m + 1);
    let mut order: Vec<Vec<Item>> = vec![Vec::new(); count];
    for node in 0..n {
        order[layer[node]].push(Item::Node(node));
    }
    for (k, e) in edges.iter().enumerate() {
        if !back[k] {
            for between in &mut order[layer[e.from] + 1..layer[e.to]] {
                between.push(Item::Pass(k));
            }
        }
    }
    let joins: Vec<_> = (0..count)
        .map(|l| segments(edges, back, layer, l))
        .collect();
    let loops: Vec<&Edge> = edges
        .iter()
        .zip(back)
        .filter(|(_, b)| **b)
        .map(|(e, _)| e)
        .collect();
    let cost = |order: &[Vec<Item>]| -> usize {
        let cross: usize = (0..count.saturating_sub(1))
            .map(|l| crossings(&order[l], &order[l + 1], &joins[l]))
            .sum();
        cross
            + loops
                .iter()
                .map(|e| under(e, layer, order, &joins))
                .sum::<usize>()
    };
    let loops_at = by_layer(&loops, layer, count);
    // What the order of one layer can change of the cost.
    let cost_at = |order: &[Vec<Item>], l: usize| -> usize {
        let sides = l.saturating_sub(1)..(l + 1).min(count.saturating_sub(1));
        let cross = sides.map(|l| crossings(&order[l], &order[l + 1], &joins[l]));
        let loops = loops_at[l].iter().map(|e| under(e, layer, order, &joins));
        cross.sum::<usize>() + loops.sum::<usize>()
    };
    let mut best = (cost(&order), order.clone());
    for _ in 0..4 {
        for l in (0..count).chain((0..count).rev()) {
            improve(&mut order, l, &joins, &|order: &[Vec<Item>]| {
                cost_at(order, l)
            });
        }
        let now = cost(&order);
        if now >= best.0 {
            break;
        }
        best = (now, order.clone());
    }
    best.1
}

/// The loops that begin or end in each layer.
fn by_layer<'e>(loops: &[&'e Edge], layer: &[usize], count: usize) -> Vec<Vec<&'e Edge>> {
    let mut all = vec![Vec::new(); count];
    for edge in loops {
        let (from, to) = (layer[edge.from], layer[edge.to]);
        all[from].push(*edge);
        if to != from {
            all[to].push(*edge);
        }
    }
    all
}

/// The best order of one layer: all permutations while they are few, else by the neighbours' mean. `cost` is what the
/// layer's order can change.
pub(super) fn improve(
    order: &mut [Vec<Item>],
    l: usize,
    joins: &[Vec<(usize, Item, Item)>],
    cost: &impl Fn(&[Vec<Item>]) -> usize,
) {
    let before = order[l].clone();
    let mut best = (cost(order), before.clone());
    if before.len() <= 5 {
        permutations(&before, &mut |candidate| {
            order[l].copy_from_slice(candidate);
            let now = cost(order);
            if now < best.0 {
                best = (now, candidate.to_vec());
            }
        });
    } else {
        let mut keyed: Vec<(usize, Item)> = before
            .iter()
            .enumerate()
            .map(|(at, item)| (mean(order, l, *item, joins).unwrap_or(at * 1000), *item))
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        order[l] = keyed.into_iter().map(|(_, item)| item).collect();
        let now = cost(order);
        if now < best.0 {
            best = (now, order[l].clone());
        }
    }
    order[l] = best.1;
}

/// Mean place of the neighbours on both sides, in thousandths.
pub(super) fn mean(
    order: &[Vec<Item>],
    l: usize,
    item: Item,
    joins: &[Vec<(usize, Item, Item)>],
) -> Option<usize> {
    let place = |layer: usize, item: Item| order[layer].iter().position(|i| *i == item);
    let mut places = Vec::new();
    if l > 0 {
        let before = joins[l - 1].iter().filter(|(_, _, r)| *r == item);
        places.extend(before.filter_map(|(_, left, _)| place(l - 1, *left)));
    }
    let after = joins[l].iter().filter(|(_, left, _)| *left == item);
    places.extend(after.filter_map(|(_, _, right)| place(l + 1, *right)));
    (!places.is_empty()).then(|| places.iter().sum::<usize>() * 1000 / places.len())
}

/// All orders of a short slice (Heap's algorithm).
pub(super) fn permutations<T: Clone>(items: &[T], take: &mut impl FnMut(&[T])) {
    let mut items = items.to_vec();
    let mut counters = vec![0; items.len()];
    take(&items);
    let mut i = 0;
    while i < items.len() {
        if counters[i] < i {
            let other = if i.is_multiple_of(2) { 0 } else { counters[i] };
            items.swap(other, i);
            take(&items);
            counters[i] += 1;
            i = 0;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
}

/// Where the items of a layer are.
fn places(side: &[Item]) -> impl Fn(Item) -> usize + '_ {
    /// Fewer are found faster one by one.
    const FEW: usize = 8;
    let numbered = || side.iter().copied().zip(0..).collect();
    let all: Option<HashMap<Item, usize>> = (side.len() > FEW).then(numbered);
    move |item| {
        let place = match &all {
            Some(all) => all.get(&item).copied(),
            None => side.iter().position(|i| *i == item),
        };
        place.unwrap_or(0)
    }
}

pub(super) fn crossings(left: &[Item], right: &[Item], joins: &[(usize, Item, Item)]) -> usize {
    let (left, right) = (places(left), places(right));
    let ends: Vec<_> = joins
        .iter()
        .map(|(_, a, b)| (left(*a), right(*b)))
        .collect();
    let mut count = 0;
    for (i, a) in ends.iter().enumerate() {
        for b in &ends[i + 1..] {
            if (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1) {
                count += 1;
            }
        }
    }
    count
}

/// Edges that a loop's way down to the bottom and up from it would cross.
pub(super) fn under(
    edge: &Edge,
    layer: &[usize],
    order: &[Vec<Item>],
    joins: &[Vec<(usize, Item, Item)>],
) -> usize {
    let below = |node: usize, item: &Item| {
        let items = &order[layer[node]];
        let at = |item: &Item| items.iter().position(|i| i == item);
        at(item) > at(&Item::Node(node))
    };
    let leaving = joins[layer[edge.from]]
        .iter()
        .filter(|(_, l, _)| below(edge.from, l))
        .count();
    let arriving = match layer[edge.to] {
        0 => 0,
        at => joins[at - 1]
            .iter()
            .filter(|(_, _, r)| below(edge.to, r))
            .count(),
    };
    leaving + arriving
}
