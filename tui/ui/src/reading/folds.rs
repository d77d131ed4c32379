//! Which lists and objects of a JSON document are folded, and the lines that are in sight then. Each step takes time
//! in proportion to the depth, not to the document.

use super::json::{JsonDoc, JsonKind};
use std::collections::HashSet;

/// How everything is folded that a person has not folded or opened.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum FoldAll {
    /// What is long is folded.
    #[default]
    Long,
    Nothing,
    /// All but the outermost.
    Everything,
}

/// The folds of one document.
#[derive(Clone, Default, Debug)]
pub struct Folds {
    all: FoldAll,
    /// Lines that are folded where the others are open, and the other way round.
    turned: HashSet<usize>,
}

impl Folds {
    /// Nothing is folded.
    #[must_use]
    pub fn open() -> Self {
        Self {
            all: FoldAll::Nothing,
            turned: HashSet::new(),
        }
    }

    /// Whether the list or object of a line is folded.
    #[must_use]
    pub fn folded(&self, doc: &JsonDoc, line: usize) -> bool {
        let usual = match self.all {
            FoldAll::Long => doc.is_long(line),
            FoldAll::Nothing => false,
            FoldAll::Everything => doc.parent(line).is_some(),
        };
        doc.kind(line) == JsonKind::Opens && usual != self.turned.contains(&line)
    }

    /// Folds or opens what begins on a line; returns whether something does.
    pub fn turn(&mut self, doc: &JsonDoc, line: usize) -> bool {
        let opens = doc.kind(line) == JsonKind::Opens;
        if opens && !self.turned.remove(&line) {
            self.turned.insert(line);
        }
        opens
    }

    /// Folds everything, or opens everything where all is folded or nothing is left to fold.
    pub fn turn_all(&mut self) {
        let folds = self.all != FoldAll::Everything;
        *self = Self {
            all: if folds {
                FoldAll::Everything
            } else {
                FoldAll::Nothing
            },
            turned: HashSet::new(),
        };
    }

    /// Opens whatever hides a line.
    pub fn show(&mut self, doc: &JsonDoc, line: usize) {
        let mut outer = doc.parent(line);
        while let Some(here) = outer {
            if self.folded(doc, here) {
                self.turn(doc, here);
            }
            outer = doc.parent(here);
        }
    }

    /// The line in sight that a line is in: itself, or the outermost folded one that holds it.
    #[must_use]
    pub fn in_sight(&self, doc: &JsonDoc, line: usize) -> usize {
        let mut found = line;
        let mut outer = doc.parent(line);
        while let Some(here) = outer {
            if self.folded(doc, here) {
                found = here;
            }
            outer = doc.parent(here);
        }
        found
    }

    /// The next line in sight.
    #[must_use]
    pub fn next(&self, doc: &JsonDoc, line: usize) -> Option<usize> {
        let next = match self.folded(doc, line) {
            true => doc.behind(line),
            false => line + 1,
        };
        (next < doc.len()).then_some(next)
    }

    /// The line in sight before this one.
    #[must_use]
    pub fn previous(&self, doc: &JsonDoc, line: usize) -> Option<usize> {
        line.checked_sub(1).map(|before| self.in_sight(doc, before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> JsonDoc {
        let mut doc = JsonDoc::new(text.into());
        while !doc.read(7) {}
        doc
    }

    /// Every line in sight, by going through the whole table.
    fn all(doc: &JsonDoc, folds: &Folds) -> Vec<usize> {
        let mut shown = Vec::new();
        let mut line = 0;
        while line < doc.len() {
            shown.push(line);
            line = if folds.folded(doc, line) {
                doc.behind(line)
            } else {
                line + 1
            };
        }
        shown
    }

    #[test]
    fn going_down_and_up_meets_the_same_lines_whatever_is_folded() {
        let long: Vec<String> = (0..130)
            .map(|n| format!("{{\"n\":{n},\"in\":[[{n}],[]]}}"))
            .collect();
        let doc = doc(&format!(
            "{{\"a\":[{}],\"b\":{{\"c\":{{\"d\":[[1],[2]]}}}},\"e\":0}}",
            long.join(",")
        ));
        let mut seed = 7_u64;
        let mut folds = Folds::default();
        for round in 0..300 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match round % 50 {
                49 => folds.turn_all(),
                _ => drop(folds.turn(&doc, (seed >> 33) as usize % doc.len())),
            }
            let wanted = all(&doc, &folds);
            let down: Vec<usize> =
                std::iter::successors(Some(0), |line| folds.next(&doc, *line)).collect();
            assert_eq!(down, wanted);
            let last = *wanted.last().unwrap();
            let mut up: Vec<usize> =
                std::iter::successors(Some(last), |line| folds.previous(&doc, *line)).collect();
            up.reverse();
            assert_eq!(up, wanted);
            assert!(wanted.contains(&folds.in_sight(&doc, (seed >> 20) as usize % doc.len())));
        }
    }

    #[test]
    fn what_is_long_is_folded_at_first_and_a_line_in_it_can_be_shown() {
        let numbers: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        let doc = doc(&format!(
            "{{\"many\":[{}],\"few\":[[1],[2]]}}",
            numbers.join(",")
        ));
        let mut folds = Folds::default();
        assert_eq!(all(&doc, &folds).len(), 7, "{doc:?}");
        let hidden = 50;
        assert_eq!(folds.in_sight(&doc, hidden), 1);
        folds.show(&doc, hidden);
        assert_eq!(folds.in_sight(&doc, hidden), hidden);
        folds.turn_all();
        assert_eq!(all(&doc, &folds).len(), 4, "only the outermost is open");
        folds.turn_all();
        assert_eq!(all(&doc, &folds).len(), doc.len());
    }
}
