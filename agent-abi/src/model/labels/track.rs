//! Ranges of frames, each with what holds on it; they never overlap. What holds is a number that means
//! something to whoever keeps the track.

use std::collections::BTreeMap;

/// First frame, last frame, what holds there.
pub(super) type Piece = (u64, u64, usize);

/// What holds on which frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pieces: BTreeMap<u64, (u64, usize)>,
}

impl Track {
    /// What holds on a frame.
    pub(super) fn at(&self, frame: u64) -> Option<usize> {
        self.on((frame, frame)).next().map(|(_, _, what)| what)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The pieces that lie on a range or reach into it, the last one first.
    pub(super) fn on(&self, (from, to): (u64, u64)) -> impl Iterator<Item = Piece> {
        self.pieces
            .range(..=to)
            .rev()
            .map(|(start, (end, what))| (*start, *end, *what))
            .take_while(move |(_, end, _)| from <= *end)
    }

    /// Whether there is a piece of this sort on every frame of a range.
    pub(super) fn covers(&self, (from, to): (u64, u64), fits: impl Fn(usize) -> bool) -> bool {
        let mut open = Some(to);
        for (start, end, what) in self.on((from, to)) {
            if open.is_none_or(|open| end < open) || !fits(what) {
                return false;
            }
            open = start.checked_sub(1);
        }
        open.is_none_or(|open| open < from)
    }

    /// Takes a range out; gives the pieces that lay there, cut to it.
    pub(super) fn cut(&mut self, (from, to): (u64, u64)) -> Vec<Piece> {
        let found: Vec<Piece> = self.on((from, to)).collect();
        for (start, end, what) in &found {
            self.pieces.remove(start);
            if *start < from {
                self.pieces.insert(*start, (from - 1, *what));
            }
            if to < *end {
                self.pieces.insert(to + 1, (*end, *what));
            }
        }
        let inside = |(start, end, what): Piece| (start.max(from), end.min(to), what);
        found.into_iter().map(inside).collect()
    }

    /// Lays a range over what is there.
    pub(super) fn lay(&mut self, (from, to): (u64, u64), what: usize) {
        self.cut((from, to));
        self.pieces.insert(from, (to, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_laid_last_holds() {
        let mut track = Track::default();
        track.lay((0, 9), 1);
        track.lay((3, 4), 2);
        track.lay((9, 12), 3);
        let values: Vec<_> = (0..14).map(|n| track.at(n).unwrap_or(0)).collect();
        assert_eq!(values, [1, 1, 1, 2, 2, 1, 1, 1, 1, 3, 3, 3, 3, 0]);
        assert!(track.covers((5, 8), |what| what == 1));
        assert!(track.covers((0, 12), |_| true));
        assert!(!track.covers((0, 13), |_| true));
        assert!(!track.covers((4, 8), |what| what == 1));
        assert_eq!(track.cut((4, 5)), [(5, 5, 1), (4, 4, 2)]);
        assert!(!track.covers((0, 12), |_| true));
        assert_eq!(track.cut((0, u64::MAX)).len(), 4);
        assert!(track.is_empty());
    }
}
