//! A text to read, in parts: lines that were made, a log, JSON documents. It knows which lines are in sight and makes
//! only those that are drawn or searched.

use super::find::Needle;
use super::folds::Folds;
use super::json::JsonDoc;
use super::json_line;
use super::search::{LineSpot, OF_A_LINE, Searchable};
use crate::theme::Styles;
use ratatui::text::Line;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use wb_core::step::{Log, LogLine};

/// A part of a text.
pub enum PagePart<'a> {
    /// Lines that were made for this frame.
    Lines(Vec<Line<'a>>),
    /// The lines of a log, which keep their numbers when older ones go; what stands above them belongs to another part.
    Log(&'a Log),
    /// A document.
    Json(&'a JsonDoc),
}

/// A text in parts.
pub struct TextPage<'a> {
    /// Which text it is: another number for another text.
    pub id: u64,
    pub parts: Vec<PagePart<'a>>,
    /// How a line of a log looks, in so many columns, of which its text may have more.
    pub log_line: fn(&LogLine, (usize, usize), i32, &Styles) -> Line<'static>,
    pub columns: usize,
    pub utc_offset_s: i32,
    pub st: Styles,
}

impl PagePart<'_> {
    /// How many lines it has, folded or not.
    fn count(&self) -> usize {
        match self {
            Self::Lines(all) => all.len(),
            Self::Log(log) => log.lines.len(),
            Self::Json(doc) => doc.len(),
        }
    }

    /// The line at this place.
    fn at(&self, place: usize) -> usize {
        match self {
            Self::Log(log) => log.number(place).map_or(0, to_line),
            _ => place,
        }
    }

    /// The place of a line, or of the first one after it.
    fn place(&self, line: usize) -> usize {
        match self {
            Self::Log(log) => log.place(line as u64),
            _ => line,
        }
    }
}

fn to_line(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl TextPage<'_> {
    /// Whether it has a line with a cursor: only documents have something to choose.
    #[must_use]
    pub fn has_json(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, PagePart::Json(_)))
    }

    /// The document of a part.
    #[must_use]
    pub fn doc(&self, part: usize) -> Option<&JsonDoc> {
        match self.parts.get(part)? {
            PagePart::Json(doc) => Some(doc),
            _ => None,
        }
    }

    fn first_from(&self, part: usize) -> Option<LineSpot> {
        (part..self.parts.len()).find_map(|part| {
            let here = &self.parts[part];
            let line = here.at(0);
            (here.count() > 0).then_some(LineSpot { part, line })
        })
    }

    /// The first line.
    #[must_use]
    pub fn first(&self) -> Option<LineSpot> {
        self.first_from(0)
    }

    fn last_before(&self, part: usize, folds: &Folded) -> Option<LineSpot> {
        (0..part).rev().find_map(|part| {
            let here = &self.parts[part];
            let line = here.at(here.count().checked_sub(1)?);
            Some(self.in_sight(LineSpot { part, line }, folds))
        })
    }

    /// The last line in sight.
    #[must_use]
    pub fn last(&self, folds: &Folded) -> Option<LineSpot> {
        self.last_before(self.parts.len(), folds)
    }

    /// A line that is there: this one, the fold that hides it, or one near the place where it was.
    #[must_use]
    pub fn in_sight(&self, spot: LineSpot, folds: &Folded) -> LineSpot {
        let LineSpot { part, line } = spot;
        let Some(here) = self.parts.get(part) else {
            return self.last(folds).unwrap_or_default();
        };
        let Some(last) = here.count().checked_sub(1) else {
            let near = self.first_from(part);
            let near = near.or_else(|| self.last_before(part, folds));
            return near.unwrap_or_default();
        };
        let line = here.at(here.place(line).min(last));
        let line = match here {
            PagePart::Json(doc) => folds.of(part).in_sight(doc, line),
            _ => line,
        };
        LineSpot { part, line }
    }

    /// The next line in sight.
    #[must_use]
    pub fn next(&self, spot: LineSpot, folds: &Folded) -> Option<LineSpot> {
        let LineSpot { part, line } = spot;
        let here = self.parts.get(part)?;
        let next = match here {
            PagePart::Json(doc) => folds.of(part).next(doc, line),
            _ => Some(here.place(line) + 1)
                .filter(|place| *place < here.count())
                .map(|place| here.at(place)),
        };
        match next {
            Some(line) => Some(LineSpot { part, line }),
            None => self.first_from(part + 1),
        }
    }

    /// The line in sight before this one.
    #[must_use]
    pub fn previous(&self, spot: LineSpot, folds: &Folded) -> Option<LineSpot> {
        let LineSpot { part, line } = spot;
        let here = self.parts.get(part)?;
        let before = match here {
            PagePart::Json(doc) => folds.of(part).previous(doc, line),
            _ => here.place(line).checked_sub(1).map(|place| here.at(place)),
        };
        match before {
            Some(line) => Some(LineSpot { part, line }),
            None => self.last_before(part, folds),
        }
    }

    /// A line as it is shown, about so many bytes of it at most.
    #[must_use]
    pub fn line(&self, spot: LineSpot, folds: &Folded, most: usize) -> Line<'_> {
        let LineSpot { part, line } = spot;
        match &self.parts[part] {
            PagePart::Lines(all) => all[line].clone(),
            PagePart::Log(log) => {
                let columns = (self.columns, most.max(self.columns));
                let line = log.lines.get(log.place(line as u64));
                line.map_or_else(Line::default, |line| {
                    (self.log_line)(line, columns, self.utc_offset_s, &self.st)
                })
            }
            PagePart::Json(doc) => {
                let folded = folds.of(part).folded(doc, line);
                json_line::line(doc, line, folded, most, &self.st)
            }
        }
    }

    /// All of it as text to copy, whatever is folded; about so many bytes at most.
    #[must_use]
    pub fn text(&self, most: usize) -> String {
        let open = Folded::open();
        let mut all = String::new();
        let mut spot = self.first();
        while let Some(here) = spot.filter(|_| all.len() < most) {
            let separator = if all.is_empty() { "" } else { "\n" };
            all.push_str(separator);
            all.push_str(self.line(here, &open, most).to_string().trim_end());
            spot = self.next(here, &open);
        }
        all
    }

    /// The place of a line among all lines, folded ones too, and how many these are.
    #[must_use]
    pub fn place(&self, spot: LineSpot) -> (usize, usize) {
        let (mut before, mut all) = (0, 0);
        for (number, part) in self.parts.iter().enumerate() {
            if number == spot.part {
                before = all + part.place(spot.line);
            }
            all += part.count();
        }
        (before, all)
    }
}

/// The folds of each part of a text.
#[derive(Clone, Default, Debug)]
pub struct Folded {
    parts: Vec<Folds>,
    /// Of parts that nobody has folded.
    untouched: Folds,
}

impl Folded {
    fn open() -> Self {
        Self {
            untouched: Folds::open(),
            ..Self::default()
        }
    }

    fn of(&self, part: usize) -> &Folds {
        self.parts.get(part).unwrap_or(&self.untouched)
    }

    /// The folds of a part, to change them.
    pub fn change(&mut self, part: usize) -> &mut Folds {
        if self.parts.len() <= part {
            self.parts.resize(part + 1, self.untouched.clone());
        }
        &mut self.parts[part]
    }

    /// Folds or opens everything.
    pub fn turn_all(&mut self) {
        self.untouched.turn_all();
        self.parts.clear();
    }
}

impl Searchable for TextPage<'_> {
    fn stamp(&self) -> u64 {
        let mut stamp = DefaultHasher::new();
        self.id.hash(&mut stamp);
        // Lines of a log keep their numbers, and what stands around them is about it.
        let log = |part: &PagePart<'_>| matches!(part, PagePart::Log(_));
        let all = self.parts.iter().filter(|_| !self.parts.iter().any(log));
        for part in all {
            match part {
                PagePart::Lines(all) => {
                    let spans = all.iter().flat_map(|line| &line.spans);
                    spans.for_each(|span| span.content.hash(&mut stamp));
                    all.len().hash(&mut stamp);
                }
                PagePart::Log(_) => {}
                PagePart::Json(doc) => Arc::as_ptr(doc.text()).hash(&mut stamp),
            }
        }
        stamp.finish()
    }

    fn after(&self, spot: Option<LineSpot>) -> Option<LineSpot> {
        let Some(LineSpot { part, line }) = spot else {
            return self.first();
        };
        let here = self.parts.get(part)?;
        // Of a log the line itself may be gone.
        let mut place = here.place(line);
        place += usize::from(place < here.count() && here.at(place) == line);
        match place < here.count() {
            true => Some(LineSpot {
                part,
                line: here.at(place),
            }),
            false if self.doc(part).is_some_and(|doc| !doc.is_read()) => None,
            false => self.first_from(part + 1),
        }
    }

    fn line_text(&self, spot: LineSpot, needle: &Needle) -> Option<String> {
        let LineSpot { part, line } = spot;
        if let Some(doc) = self.doc(part) {
            let may = needle.may_be_in(doc.written(line));
            return may.then(|| json_line::line(doc, line, false, OF_A_LINE, &self.st).to_string());
        }
        Some(self.line(spot, &Folded::default(), OF_A_LINE).to_string())
    }

    fn size(&self, spot: LineSpot) -> usize {
        self.doc(spot.part)
            .map_or(0, |doc| doc.written(spot.line).len())
    }

    fn comes(&self) -> bool {
        let unread = |part: &PagePart<'_>| matches!(part, PagePart::Json(doc) if !doc.is_read());
        self.parts.iter().any(unread)
    }
}
