//! Paints a layout: lines with proper corners and junctions, labels, arrows. Boxes and their text belong
//! to the Flow screen.

use super::{Edge, GraphLayout};
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
    /// Some edge turns here, so that edges that meet make a junction, not a crossing.
    turn: bool,
    strong: bool,
}

/// Styles of lines.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    /// Ordinary lines.
    pub line: Style,
    /// Lines that leave the selected stage.
    pub strong: Style,
    /// Labels.
    pub label: Style,
}

/// The part of a drawing that is in sight.
pub struct Canvas<'b> {
    /// What is drawn on.
    pub buf: &'b mut Buffer,
    /// Where it is on screen.
    pub area: Rect,
    /// The drawing's cell at its top left corner.
    pub scroll: (u16, u16),
}

impl Canvas<'_> {
    /// Draws a symbol at a cell of the drawing, when that is in sight.
    pub fn put(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        let (left, top) = self.scroll;
        let (Some(x), Some(y)) = (x.checked_sub(left), y.checked_sub(top)) else {
            return;
        };
        if x < self.area.width && y < self.area.height {
            let cell = &mut self.buf[(self.area.x + x, self.area.y + y)];
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Draws a text from a cell of the drawing on.
    pub fn text(&mut self, mut x: u16, y: u16, text: &str, style: Style) {
        for c in text.chars() {
            let mut bytes = [0; 4];
            let symbol = &*c.encode_utf8(&mut bytes);
            self.put(x, y, symbol, style);
            x += u16::try_from(width(symbol)).unwrap_or(1);
        }
    }

    /// Where a box of the drawing is on screen, as far as it is in sight.
    pub fn visible(&self, area: Rect) -> Option<Rect> {
        let (left, top) = self.scroll;
        let x = self.area.x + area.x.saturating_sub(left);
        let y = self.area.y + area.y.saturating_sub(top);
        let shown = Rect { x, y, ..area }.intersection(self.area);
        (!shown.is_empty()).then_some(shown)
    }
}

/// Draws all edges.
pub fn edges(
    canvas: &mut Canvas<'_>,
    layout: &GraphLayout,
    edges: &[Edge],
    selected: Option<usize>,
    ink: Ink,
) {
    let mut cells: HashMap<(u16, u16), Cell> = HashMap::new();
    let (left, top) = canvas.scroll;
    let window = Rect {
        x: left,
        y: top,
        ..canvas.area
    };
    for (edge, path) in edges.iter().zip(&layout.paths) {
        let strong = selected == Some(edge.from);
        for part in in_sight(&path.corners, window) {
            trace(&mut cells, &part, strong);
        }
    }
    for ((x, y), cell) in &cells {
        let style = if cell.strong { ink.strong } else { ink.line };
        canvas.put(*x, *y, glyph(*cell), style);
    }
    for (edge, path) in edges.iter().zip(&layout.paths) {
        let (label, line) = match selected == Some(edge.from) {
            true => (ink.strong, ink.strong),
            false => (ink.label, ink.line),
        };
        let (x, y) = path.label_at;
        canvas.text(x, y, &edge.label, label);
        if let Some((x, y)) = path.corners.last() {
            canvas.put(*x, *y, "▶", line);
        }
    }
}

/// The parts of a path that are in sight, each with a cell beyond the border where it goes on there.
fn in_sight(corners: &[(u16, u16)], window: Rect) -> Vec<Vec<(u16, u16)>> {
    let (x0, y0) = (window.x.saturating_sub(1), window.y.saturating_sub(1));
    let (x1, y1) = (window.right(), window.bottom());
    let clip = |(x, y): (u16, u16)| (x.clamp(x0, x1), y.clamp(y0, y1));
    let mut parts: Vec<Vec<(u16, u16)>> = Vec::new();
    for pair in corners.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let beside = from.0.max(to.0) < x0 || from.0.min(to.0) > x1;
        if beside || from.1.max(to.1) < y0 || from.1.min(to.1) > y1 {
            continue;
        }
        let (from, to) = (clip(from), clip(to));
        match parts.last_mut().filter(|part| part.last() == Some(&from)) {
            Some(part) => part.push(to),
            None => parts.push(vec![from, to]),
        }
    }
    if corners.len() == 1 {
        parts.push(corners.to_vec());
    }
    parts
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
    // Two edges that only cross: the vertical one passes over the other.
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
