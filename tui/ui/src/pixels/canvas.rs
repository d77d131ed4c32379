//! What the terminal shows of pictures, and what must be written to it so that it shows others.
//!
//! Letters and pixels share the cells, but not their lives: letters that are written over pixels erase them in some
//! terminals and not in others. So pixels that go are erased in the terminal's own way, the letters below them are
//! drawn again, and only then new pixels are placed.

use super::{Placement, Protocol, kitty};
use ratatui::layout::Rect;
use std::collections::VecDeque;
use std::fmt::Write as _;
use wb_core::text::base64;

/// Pictures that a terminal keeps for placing them again, where it can.
const KEPT: usize = 48;

/// The pictures of one terminal.
#[derive(Debug)]
pub struct Canvas {
    protocol: Protocol,
    /// Numbers that the terminal has the pixels of; the one used longest ago first.
    sent: VecDeque<u32>,
    shown: Vec<Placement>,
}

/// What must be written, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CanvasChange {
    /// Erases what goes.
    pub erase: String,
    /// Cells to be drawn again then.
    pub cells: Vec<Rect>,
    /// Sends and places what comes.
    pub show: String,
}

impl Canvas {
    /// A terminal that shows none.
    #[must_use]
    pub const fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            sent: VecDeque::new(),
            shown: Vec::new(),
        }
    }

    const fn keeps(&self) -> bool {
        matches!(self.protocol, Protocol::Kitty | Protocol::KittyInTmux)
    }

    /// What makes the terminal show these placements and no others.
    #[must_use]
    pub fn show(&mut self, wanted: &[Placement]) -> CanvasChange {
        let mut change = CanvasChange::default();
        let (stay, go): (Vec<_>, Vec<_>) = (self.shown.drain(..)).partition(|p| wanted.contains(p));
        for old in &go {
            if self.keeps() {
                change.erase += &self.protocol.wrapped(&kitty::remove(old));
            }
            change.cells.push(old.area);
        }
        for new in wanted.iter().filter(|p| !stay.contains(p)) {
            self.place(new, &mut change.show);
        }
        self.forget_oldest(wanted, &mut change.show);
        self.shown = wanted.to_vec();
        change
    }

    fn place(&mut self, new: &Placement, out: &mut String) {
        let Placement { id, area, data } = new;
        let (x, y) = (area.x + 1, area.y + 1);
        match self.protocol {
            Protocol::Kitty | Protocol::KittyInTmux => {
                if !self.sent.contains(id) {
                    for part in kitty::send(*id, &data.0) {
                        *out += &self.protocol.wrapped(&part);
                    }
                }
                self.sent.retain(|sent| sent != id);
                self.sent.push_back(*id);
                if self.protocol == Protocol::Kitty {
                    let _ = write!(out, "\x1b[{y};{x}H{}", kitty::place(new));
                } else {
                    *out += &self.protocol.wrapped(&kitty::place_by_letters(new));
                }
            }
            Protocol::Iterm2 => {
                let _ = write!(
                    out,
                    "\x1b[{y};{x}H\x1b]1337;File=inline=1;size={};width={};height={};\
                     preserveAspectRatio=0;doNotMoveCursor=1:{}\x07",
                    data.0.len(),
                    area.width,
                    area.height,
                    base64(&data.0)
                );
            }
            Protocol::Sixel => {
                let _ = write!(out, "\x1b[{y};{x}H{}", String::from_utf8_lossy(&data.0));
            }
        }
    }

    /// Frees what was used longest ago, when the terminal keeps more than enough.
    fn forget_oldest(&mut self, wanted: &[Placement], out: &mut String) {
        while self.sent.len() > KEPT {
            let shown = |id: &u32| wanted.iter().any(|p| p.id == *id);
            let Some(at) = self.sent.iter().position(|id| !shown(id)) else {
                return;
            };
            if let Some(id) = self.sent.remove(at) {
                *out += &self.protocol.wrapped(&kitty::free(id));
            }
        }
    }

    /// The terminal was cleared: pixels that it keeps are still there, but shown nowhere.
    pub fn cleared(&mut self) {
        self.shown.clear();
    }

    /// Another program had the terminal: nothing is relied on.
    pub fn forget(&mut self) {
        self.shown.clear();
        self.sent.clear();
    }
}
