//! The picture of the chosen task beside a list: whether it is shown, and with which labels.

use super::{Look, Subject};
use crate::panes::PaneName;
use crate::theme::Styles;
use crate::{Room, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect, Spacing};
use wb_core::marks::LabelSide;

/// What the signs on a picture mean.
pub(crate) const LEGEND: &str = "+ added  ~ changed  - removed  dashed: as it was";

/// The same for the two sides of a comparison.
const COMPARED: &str = "A dashed  B solid  white: both alike";

/// Which labels are drawn, and whether the picture is shown at all; `i` goes on to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Beside {
    /// Both sides, where there is room.
    #[default]
    Usual,
    /// Not shown.
    Off,
    /// Shown with these.
    Labels(LabelSide),
}

impl Beside {
    const fn from(side: Option<LabelSide>) -> Self {
        match side {
            Some(side) => Self::Labels(side),
            None => Self::Off,
        }
    }

    /// The labels to draw; `None`: no picture.
    pub fn shown(self, room: Room) -> Option<LabelSide> {
        match self {
            Self::Usual => (!room.narrow()).then_some(LabelSide::Both),
            Self::Off => None,
            Self::Labels(side) => Some(side),
        }
    }

    /// The labels to draw where the picture is shown in any case.
    pub const fn side(self) -> LabelSide {
        match self {
            Self::Labels(side) => side,
            Self::Usual | Self::Off => LabelSide::Both,
        }
    }

    /// The next side, where the picture is shown in any case.
    pub const fn turn_side(&mut self) {
        self.turn(Some(self.side()));
        if matches!(self, Self::Off) {
            self.turn(None);
        }
    }

    /// After, before, both, off.
    pub const fn turn(&mut self, shown: Option<LabelSide>) {
        *self = Self::from(match shown {
            None => Some(LabelSide::After),
            Some(LabelSide::After) => Some(LabelSide::Before),
            Some(LabelSide::Before) => Some(LabelSide::Both),
            Some(LabelSide::Both) => None,
        });
    }
}

/// The name of a side.
pub(crate) const fn side_word(side: LabelSide) -> &'static str {
    match side {
        LabelSide::Both => "Before and after",
        LabelSide::After => "After",
        LabelSide::Before => "Before",
    }
}

impl Ui {
    /// Shows the next side of the picture beside the list.
    pub(crate) fn turn_beside(&mut self) {
        let shown = self.beside.shown(self.room);
        self.beside.turn(shown);
    }

    /// Draws the picture of the chosen task above its details, where it is to be shown, or in their place where room
    /// is short. Gives the room that is left for them.
    pub(crate) fn draw_beside(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        subject: &Subject<'_>,
    ) -> Option<Rect> {
        let Some(side) = self.beside.shown(self.room) else {
            return Some(area);
        };
        if self.room.narrow() {
            self.draw_side(buf, area, subject, side);
            return None;
        }
        let [above, below] = Layout::vertical([Constraint::Fill(1); 2])
            .spacing(Spacing::Overlap(1))
            .areas(area);
        self.draw_side(buf, above, subject, side);
        Some(below)
    }

    /// The picture in a pane that names the side.
    pub(crate) fn draw_side(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        subject: &Subject<'_>,
        side: LabelSide,
    ) {
        let Some(area) = self.panes.place(PaneName::Picture, area) else {
            return;
        };
        let st: Styles = self.st;
        let (title, legend) = match (subject.compared, side) {
            (false, _) => (side_word(side), LEGEND),
            (true, LabelSide::Both) => ("A and B", COMPARED),
            (true, LabelSide::Before) => ("A", ""),
            (true, LabelSide::After) => ("B", ""),
        };
        let room = usize::from(area.width).saturating_sub(title.len() + 8);
        let legend = if legend.len() <= room { legend } else { "" };
        let inner = self.pane(buf, PaneName::Picture, area, (title, legend));
        let look = Look::of(side);
        self.pictures.draw(buf, inner, subject, look, &st);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_goes_through_after_before_both_and_off() {
        let (wide, narrow) = (Room { w: 120, h: 36 }, Room { w: 80, h: 24 });
        let mut beside = Beside::default();
        assert_eq!(beside.shown(wide), Some(LabelSide::Both));
        assert_eq!(beside.shown(narrow), None);
        let mut seen = Vec::new();
        for _ in 0..4 {
            beside.turn(beside.shown(narrow));
            seen.push(beside.shown(narrow));
        }
        let all = [
            Some(LabelSide::After),
            Some(LabelSide::Before),
            Some(LabelSide::Both),
            None,
        ];
        assert_eq!(seen, all);
    }
}
