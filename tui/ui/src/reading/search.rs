//! A search in one pane: what is typed, what was found so far, and where it goes next. A frame looks through so much
//! of the text only, and goes on with the next frame.

use super::ReadPane;
use super::find::Needle;
use crate::keys;
use crate::text::number;
use crate::theme::Styles;
use crate::widgets::typed_spans;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::ops::Range;

/// Bytes that a frame looks through.
const A_FRAME: usize = 1 << 20;
/// What a line costs besides its bytes.
const A_LINE: usize = 64;
/// Matches that are counted.
const MOST: usize = 100_000;
/// Bytes of a line that are searched.
pub const OF_A_LINE: usize = 64 << 10;

/// A line of a text: of which part of it, and which line there. Lines of a log keep their number when older ones go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct LineSpot {
    /// The part.
    pub part: usize,
    /// The line in it.
    pub line: usize,
}

/// A text that can be searched, in lines.
pub trait Searchable {
    /// Another number whenever lines are others than before; not for lines that come at the end.
    fn stamp(&self) -> u64;

    /// The line behind this one, or the first; `None` at the end, as far as the text is known.
    fn after(&self, spot: Option<LineSpot>) -> Option<LineSpot>;

    /// A line as it is shown, whole; `None`: the needle cannot be in it.
    fn line_text(&self, spot: LineSpot, needle: &Needle) -> Option<String>;

    /// Bytes of a line, about.
    fn size(&self, spot: LineSpot) -> usize;

    /// Whether lines may still come.
    fn comes(&self) -> bool;
}

/// Where the search goes once enough was looked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Going {
    /// The first match from where the search began, or the first of all.
    First,
    Next,
    Previous,
}

/// A match: its line, and where in it.
type Match = (LineSpot, usize);

/// A search in one pane.
#[derive(Debug)]
pub struct TextSearch {
    /// The pane.
    pub pane: ReadPane,
    /// What stands before the line that is typed.
    prompt: String,
    line: keys::Line,
    /// Whether letters are typed into it.
    pub typing: bool,
    needle: Option<Needle>,
    found: Vec<Match>,
    /// The last line that was looked through.
    looked: Option<LineSpot>,
    stamp: Option<u64>,
    done: bool,
    /// The line in sight when the search began.
    from: LineSpot,
    at: Option<usize>,
    going: Option<Going>,
    /// It went on at the other end.
    round: Option<&'static str>,
}

impl TextSearch {
    /// A search that begins at the line in sight.
    #[must_use]
    pub const fn new(pane: ReadPane, prompt: String) -> Self {
        Self {
            pane,
            prompt,
            line: keys::Line {
                text: String::new(),
                at: 0,
            },
            typing: true,
            needle: None,
            found: Vec::new(),
            looked: None,
            stamp: None,
            done: false,
            from: LineSpot { part: 0, line: 0 },
            at: None,
            going: None,
            round: None,
        }
    }

    /// What is looked for.
    #[must_use]
    pub const fn needle(&self) -> Option<&Needle> {
        self.needle.as_ref()
    }

    /// Types; returns whether the key edits the line.
    pub fn key(&mut self, key: &crossterm::event::KeyEvent) -> bool {
        match self.line.key(key) {
            None => return false,
            Some(false) => {}
            Some(true) => self.typed(),
        }
        true
    }

    /// Inserts what was pasted.
    pub fn paste(&mut self, text: &str) {
        self.line.insert(text);
        self.typed();
    }

    fn typed(&mut self) {
        self.needle = Needle::new(&self.line.text);
        self.again();
        self.going = self.needle.is_some().then_some(Going::First);
    }

    /// Looks through everything again.
    fn again(&mut self) {
        self.found.clear();
        (self.looked, self.done, self.at, self.round) = (None, false, None, None);
    }

    /// Goes to the next match, or the one before.
    pub fn go(&mut self, forward: bool) {
        self.going = Some(if forward {
            Going::Next
        } else {
            Going::Previous
        });
    }

    /// Looks further, and gives the line to go to, once it is known. `sight` is the line in sight.
    pub fn look(&mut self, text: &impl Searchable, sight: LineSpot) -> Option<LineSpot> {
        let stamp = text.stamp();
        if self
            .stamp
            .replace(stamp)
            .is_some_and(|before| before != stamp)
        {
            self.again();
            self.from = sight;
        }
        if self.needle.is_none() {
            self.from = sight;
            return None;
        }
        self.read(text);
        let to = self.arrive()?;
        self.at = Some(to);
        self.going = None;
        self.found.get(to).map(|(spot, _)| *spot)
    }

    fn read(&mut self, text: &impl Searchable) {
        let Some(needle) = &self.needle else { return };
        let mut left = A_FRAME;
        while left > 0 && self.found.len() < MOST {
            let Some(spot) = text.after(self.looked) else {
                self.done = !text.comes();
                return;
            };
            left = left.saturating_sub(text.size(spot) + A_LINE);
            if let Some(line) = text.line_text(spot, needle) {
                left = left.saturating_sub(line.len());
                let places = needle.all_in(&line);
                self.found
                    .extend(places.into_iter().map(|place| (spot, place.start)));
            }
            self.looked = Some(spot);
        }
        self.done = self.found.len() >= MOST;
    }

    /// The match to go to, if that is known yet.
    fn arrive(&mut self) -> Option<usize> {
        let last = self.found.len().checked_sub(1);
        match (self.going?, self.at) {
            (Going::First, _) | (_, None) => {
                let from = self.found.partition_point(|(spot, _)| *spot < self.from);
                match last {
                    Some(last) if from <= last => Some(from),
                    Some(_) if self.done => {
                        self.round = Some("from the top");
                        Some(0)
                    }
                    _ => None,
                }
            }
            (Going::Next, Some(at)) => {
                let next = (at < last?).then_some(at + 1);
                if next.is_none() && !self.done {
                    return None;
                }
                self.round = next.is_none().then_some("from the top");
                Some(next.unwrap_or(0))
            }
            (Going::Previous, Some(at)) => {
                let before = at.checked_sub(1);
                if before.is_none() && !self.done {
                    return None;
                }
                self.round = before.is_none().then_some("from the end");
                Some(before.unwrap_or(last?))
            }
        }
    }

    /// Whether the next frame goes on with it.
    #[must_use]
    pub const fn goes_on(&self) -> bool {
        self.needle.is_some() && !self.done
    }

    /// The place of the match that it stands on, in this line.
    #[must_use]
    pub fn here(&self, spot: LineSpot) -> Option<usize> {
        let (line, place) = self.found.get(self.at?)?;
        (*line == spot).then_some(*place)
    }

    /// Where matches stand in a line, and which of them it stands on.
    #[must_use]
    pub fn marks(&self, spot: LineSpot, text: &str) -> Vec<(Range<usize>, bool)> {
        let here = self.here(spot);
        let places = self.needle.iter().flat_map(|needle| needle.all_in(text));
        places
            .map(|place| (place.clone(), here == Some(place.start)))
            .collect()
    }

    /// Draws what is typed and how much was found.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, st: &Styles) {
        let mut spans = vec![Span::styled(self.prompt.clone(), st.key)];
        if self.typing {
            spans.extend(typed_spans(&self.line, st.strong));
        } else {
            spans.push(Span::styled(self.line.text.clone(), st.strong));
        }
        let none = self.done && self.found.is_empty();
        let style = if none { st.warn } else { st.dim };
        let right = Line::styled(format!("{} ", self.count()), style);
        buf.set_style(area, st.text);
        crate::widgets::split_line(buf, area, 0, &Line::from(spans), &right);
    }

    /// `3 of 17`.
    fn count(&self) -> String {
        let all = self.found.len();
        let more = match (self.done, all >= MOST) {
            (_, true) => " or more",
            (true, _) => "",
            (false, _) => " so far",
        };
        match (&self.needle, self.at) {
            (None, _) => String::new(),
            (Some(_), Some(at)) => {
                let round = self
                    .round
                    .map_or_else(String::new, |words| format!("{words} · "));
                format!("{round}{} of {}{more}", number(at + 1), number(all))
            }
            (Some(_), None) if all == 0 && self.done => "nothing found".to_owned(),
            (Some(_), None) if all == 0 => "searching…".to_owned(),
            (Some(_), None) => format!("{} found{more}", number(all)),
        }
    }
}
