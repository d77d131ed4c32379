//! Ink for a layout: lines with proper corners and junctions, labels, arrows. Boxes and what is
//! written in them belong to the Flow screen.

use super::{Edge, Layout};
use crate::text::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::collections::HashMap;

const N: u8 = 1;
const E: u8 = 2;
const S: u8 = 4;
const W: u8 = 8;

/// What runs through a cell.
#[derive(Clone, Copy, Default)]
struct Cell {
    bits: u8,
    /// Some edge turns here, so that a meeting is a junction and no crossing.
    turn: bool,
    strong: bool,
}

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    /// Ordinary lines.
    pub line: Style,
    /// Lines that leave the selected stage.
    pub strong: Style,
    /// Labels.
    pub label: Style,
}

/// Draws all edges. `area` is the window, `scroll` the drawing's cell at its top left corner.
pub fn edges(
    buf: &mut Buffer,
    area: Rect,
    scroll: (u16, u16),
    layout: &Layout,
    edges: &[Edge],
    selected: Option<usize>,
    ink: Ink,
) {
    let mut cells: HashMap<(u16, u16), Cell> = HashMap::new();
    for (edge, path) in edges.iter().zip(&layout.paths) {
        let strong = selected == Some(edge.from);
        trace(&mut cells, &path.corners, strong);
    }
    for ((x, y), cell) in &cells {
        let style = if cell.strong { ink.strong } else { ink.line };
        put(buf, area, scroll, *x, *y, glyph(*cell), style);
    }
    for (edge, path) in edges.iter().zip(&layout.paths) {
        let strong = selected == Some(edge.from);
        if !edge.label.is_empty() {
            let (x, y) = path.label_at;
            let style = if strong { ink.strong } else { ink.label };
            let mut at = x;
            for c in edge.label.chars() {
                put(buf, area, scroll, at, y, c.encode_utf8(&mut [0; 4]), style);
                at += u16::try_from(width(c.encode_utf8(&mut [0; 4]))).unwrap_or(1);
            }
        }
        if let Some((x, y)) = path.corners.last() {
            let style = if strong { ink.strong } else { ink.line };
            put(buf, area, scroll, *x, *y, "▶", style);
        }
    }
}

/// Every cell of a path in order, corners included.
pub fn cells(corners: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut all = Vec::new();
    for pair in corners.windows(2) {
        let (mut x, mut y) = pair[0];
        while (x, y) != pair[1] {
            all.push((x, y));
            x = towards(x, pair[1].0);
            y = towards(y, pair[1].1);
        }
    }
    all.extend(corners.last());
    all
}

fn towards(from: u16, to: u16) -> u16 {
    match from.cmp(&to) {
        std::cmp::Ordering::Less => from + 1,
        std::cmp::Ordering::Equal => from,
        std::cmp::Ordering::Greater => from - 1,
    }
}

fn trace(map: &mut HashMap<(u16, u16), Cell>, corners: &[(u16, u16)], strong: bool) {
    let all = cells(corners);
    for (at, here) in all.iter().enumerate() {
        let mut bits = 0;
        // The ends run into the boxes at their sides.
        bits |= if at == 0 { W } else { side(*here, all[at - 1]) };
        bits |= if at + 1 == all.len() {
            E
        } else {
            side(*here, all[at + 1])
        };
        let cell = map.entry(*here).or_default();
        cell.bits |= bits;
        cell.turn |= bits != N | S && bits != E | W;
        cell.strong |= strong;
    }
}

const fn side(from: (u16, u16), to: (u16, u16)) -> u8 {
    if to.0 > from.0 {
        E
    } else if to.0 < from.0 {
        W
    } else if to.1 > from.1 {
        S
    } else {
        N
    }
}

const fn glyph(cell: Cell) -> &'static str {
    // Two edges that merely cross: the upright one passes over.
    if !cell.turn && cell.bits == N | E | S | W {
        return "│";
    }
    const NS: u8 = N | S;
    const EW: u8 = E | W;
    const NE: u8 = N | E;
    const NW: u8 = N | W;
    const SE: u8 = S | E;
    const SW: u8 = S | W;
    const NSE: u8 = N | S | E;
    const NSW: u8 = N | S | W;
    const SEW: u8 = S | E | W;
    const NEW: u8 = N | E | W;
    match cell.bits {
        N | S | NS => "│",
        NE => "╰",
        NW => "╯",
        SE => "╭",
        SW => "╮",
        NSE => "├",
        NSW => "┤",
        SEW => "┬",
        NEW => "┴",
        EW | E | W => "─",
        _ => "┼",
    }
}

/// Puts a symbol at a cell of the drawing, when it lies in the window.
pub fn put(
    buf: &mut Buffer,
    area: Rect,
    scroll: (u16, u16),
    x: u16,
    y: u16,
    symbol: &str,
    style: Style,
) {
    let (Some(x), Some(y)) = (x.checked_sub(scroll.0), y.checked_sub(scroll.1)) else {
        return;
    };
    if x < area.width && y < area.height {
        let cell = &mut buf[(area.x + x, area.y + y)];
        cell.set_symbol(symbol).set_style(style);
    }
}
