//! The drawing of workflows: no box lies on another, no edge runs through a box, every edge
//! arrives, loops back are drawn as loops.

use crate::graph::{Edge, GraphLayout, Node, Spacing, lay_out, paint};
use std::collections::HashSet;

fn edge(from: usize, to: usize) -> Edge {
    Edge {
        from,
        to,
        label: format!("({to})"),
    }
}

fn nodes(n: usize) -> Vec<Node> {
    (0..n)
        .map(|i| Node {
            w: 12 + (i % 3) as u16,
            h: 4 + (i % 2) as u16,
            port: 1,
        })
        .collect()
}

fn check(nodes: &[Node], edges: &[Edge], layout: &GraphLayout) {
    for (i, a) in layout.boxes.iter().enumerate() {
        assert!(
            a.width >= nodes[i].w && a.height >= nodes[i].h,
            "box {i} is as large as it must be"
        );
        for (j, b) in layout.boxes.iter().enumerate().skip(i + 1) {
            let apart =
                a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
            assert!(apart, "boxes {i} and {j} overlap: {a:?} {b:?}");
        }
    }
    for (edge, path) in edges.iter().zip(&layout.paths) {
        let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to]);
        let first = path.corners[0];
        let last = *path.corners.last().unwrap();
        assert_eq!(first.0, from.right(), "{edge:?} leaves at the right side");
        assert!(
            first.1 > from.y && first.1 + 1 < from.bottom(),
            "{edge:?} leaves between the corners"
        );
        assert_eq!(
            (last.0 + 1, last.1),
            (to.x, to.y + nodes[edge.to].port),
            "{edge:?} arrives at the left side"
        );
        for pair in path.corners.windows(2) {
            assert!(
                pair[0].0 == pair[1].0 || pair[0].1 == pair[1].1,
                "{edge:?} runs along rows and columns"
            );
        }
        for (x, y) in paint::cells(&path.corners) {
            assert!(
                x < layout.w && y < layout.h,
                "{edge:?} stays in the drawing"
            );
            for (i, place) in layout.boxes.iter().enumerate() {
                assert!(
                    !place.contains((x, y).into()),
                    "{edge:?} runs through box {i} at {x},{y}"
                );
            }
        }
    }
    no_two_edges_lie_on_each_other(edges, layout);
}

/// Edges may cross and may join on their way into one box; they never share a line otherwise.
fn no_two_edges_lie_on_each_other(edges: &[Edge], layout: &GraphLayout) {
    let pieces = |k: usize| -> HashSet<((u16, u16), (u16, u16))> {
        let cells = paint::cells(&layout.paths[k].corners);
        cells
            .windows(2)
            .map(|p| (p[0].min(p[1]), p[0].max(p[1])))
            .collect()
    };
    for a in 0..edges.len() {
        for b in a + 1..edges.len() {
            if edges[a].to == edges[b].to {
                continue;
            }
            let shared: Vec<_> = pieces(a).intersection(&pieces(b)).copied().collect();
            assert!(
                shared.is_empty(),
                "{:?} and {:?} share {shared:?}",
                edges[a],
                edges[b]
            );
        }
    }
}

fn spacing() -> Spacing {
    Spacing { track: 2, rows: 1 }
}

#[test]
fn the_demo_reads_from_left_to_right_and_its_loops_go_back() {
    // start, pre-label, annotate, review, route, complete, archive
    let mut all = nodes(7);
    all[0] = Node {
        w: 12,
        h: 4,
        port: 1,
    };
    let edges = [
        edge(0, 1),
        edge(1, 2),
        edge(1, 6),
        edge(1, 3),
        edge(2, 3),
        edge(3, 4),
        edge(3, 2),
        edge(4, 5),
        edge(4, 2),
    ];
    let layout = lay_out(&all, &edges, spacing());
    check(&all, &edges, &layout);
    assert_eq!(layout.layers, [0, 1, 2, 3, 4, 5, 2]);
    let back: Vec<usize> = layout
        .paths
        .iter()
        .enumerate()
        .filter(|(_, p)| p.back)
        .map(|(i, _)| i)
        .collect();
    assert_eq!(back, [6, 8], "reject and rework");
    for k in back {
        let lowest = layout.paths[k].corners.iter().map(|c| c.1).max().unwrap();
        assert!(
            layout.boxes.iter().all(|p| lowest >= p.bottom()),
            "a loop runs below every box"
        );
    }
}

#[test]
fn a_stage_that_leads_to_itself_is_a_loop() {
    let all = nodes(2);
    let edges = [edge(0, 1), edge(1, 1)];
    let layout = lay_out(&all, &edges, spacing());
    check(&all, &edges, &layout);
    assert!(layout.paths[1].back);
}

#[test]
fn stages_without_edges_have_their_place() {
    let all = nodes(5);
    let layout = lay_out(&all, &[], spacing());
    check(&all, &[], &layout);
    assert_eq!(lay_out(&[], &[], spacing()), GraphLayout::default());
}

#[test]
fn a_chain_is_a_straight_line() {
    let all: Vec<Node> = (0..6)
        .map(|_| Node {
            w: 12,
            h: 4,
            port: 1,
        })
        .collect();
    let edges: Vec<Edge> = (0..5).map(|i| edge(i, i + 1)).collect();
    let layout = lay_out(&all, &edges, spacing());
    check(&all, &edges, &layout);
    assert!(
        layout.paths.iter().all(|p| p.corners.len() == 2),
        "{:?}",
        layout.paths
    );
}

#[test]
fn made_up_workflows_of_every_shape_hold_the_rules() {
    // A small generator, so that the same graphs come every time.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for round in 0..300 {
        let n = 2 + next(14);
        let all = nodes(n);
        let mut edges: Vec<Edge> = Vec::new();
        for _ in 0..next(2 * n) + 1 {
            let e = edge(next(n), next(n));
            if !edges.iter().any(|o| o.from == e.from && o.to == e.to) {
                edges.push(e);
            }
        }
        let spacing = Spacing {
            track: 1 + (round % 2) as u16,
            rows: 1,
        };
        let layout = lay_out(&all, &edges, spacing);
        check(&all, &edges, &layout);
        assert_eq!(
            layout,
            lay_out(&all, &edges, spacing),
            "the same every time"
        );
    }
}
