//! A JSON document as a table of its lines, made step by step: a few megabytes are shown before they are read to
//! their end. What a line looks like is left to [`super::json_line`].

use super::written::{end_of, token, value_of_member};
use std::sync::Arc;

/// Containers in containers; what is deeper stays on the line where it begins.
pub const DEEP: usize = 100;
/// Longest list that stays on one line, in bytes; only one without lists or objects in it.
const SHORT_LIST: usize = 40;
/// The same of an object: a point is one line, a box has a line for each side.
const SHORT_OBJECT: usize = 24;
/// A list or object with more entries is folded at first.
const MANY: u32 = 100;
/// No key, or not known yet.
const NONE: u32 = u32::MAX;

/// What a line holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonKind {
    /// A string, a number, a word, or a list or object on one line.
    Whole,
    /// The opening bracket of a list or object whose entries stand on the next lines.
    Opens,
    /// The closing bracket of one.
    Closes,
    /// What comes after a mistake.
    Rest,
}

/// A line of the document.
#[derive(Clone, Copy, Debug)]
struct JsonLine {
    kind: JsonKind,
    /// Where its key begins.
    key: u32,
    /// Where its value begins.
    value: u32,
    /// The line that opens what it stands in; of a closing bracket the one that opens it.
    parent: u32,
    /// The line behind everything that this one holds.
    next: u32,
    /// Entries of a list or object.
    count: u32,
}

/// The lines of a document, as far as it was read.
#[derive(Debug)]
pub struct JsonDoc {
    text: Arc<str>,
    lines: Vec<JsonLine>,
    /// The lines of the lists and objects that are open where reading goes on.
    open: Vec<u32>,
    at: usize,
    done: bool,
    mistake: bool,
}

impl JsonDoc {
    /// A document of which nothing was read yet.
    #[must_use]
    pub fn new(text: Arc<str>) -> Self {
        // Offsets take four bytes: no document of this size is fetched.
        let done = text.len() >= NONE as usize;
        Self {
            text,
            lines: Vec::new(),
            open: Vec::new(),
            at: 0,
            done,
            mistake: done,
        }
    }

    /// Reads about so many bytes more; returns whether the document was read to its end.
    pub fn read(&mut self, bytes: usize) -> bool {
        let until = self.at.saturating_add(bytes);
        while !self.done && self.at < until {
            self.line();
        }
        self.done
    }

    /// Whether it was read to its end.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        self.done
    }

    /// Whether it is not JSON to its end, as far as it was read.
    #[must_use]
    pub const fn has_mistake(&self) -> bool {
        self.mistake
    }

    /// The document.
    #[must_use]
    pub const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Lines so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// What a line holds.
    #[must_use]
    pub fn kind(&self, line: usize) -> JsonKind {
        self.lines[line].kind
    }

    /// Entries of the list or object that opens on a line.
    #[must_use]
    pub fn count(&self, line: usize) -> usize {
        self.lines[line].count as usize
    }

    /// Whether a list or object is folded at first.
    #[must_use]
    pub fn is_long(&self, line: usize) -> bool {
        let line = &self.lines[line];
        line.kind == JsonKind::Opens && line.parent != NONE && line.count > MANY
    }

    /// The line that opens what a line stands in.
    #[must_use]
    pub fn parent(&self, line: usize) -> Option<usize> {
        let parent = self.lines[line].parent;
        (parent != NONE).then_some(parent as usize)
    }

    /// The line behind everything that a line holds; [`JsonDoc::len`] where that was not read yet.
    #[must_use]
    pub fn behind(&self, line: usize) -> usize {
        let next = self.lines[line].next;
        if next == NONE {
            self.lines.len()
        } else {
            next as usize
        }
    }

    /// How many lists and objects a line stands in.
    #[must_use]
    pub fn depth(&self, line: usize) -> usize {
        let outer = std::iter::successors(self.parent(line), |outer| self.parent(*outer)).count();
        outer - usize::from(self.kind(line) == JsonKind::Closes)
    }

    /// The key of a line as it is written, with its quotes.
    #[must_use]
    pub fn key(&self, line: usize) -> Option<&str> {
        let key = self.lines[line].key;
        (key != NONE).then(|| token(&self.text, key as usize))
    }

    /// The value of a line from its beginning: for a list or object on several lines its bracket.
    #[must_use]
    pub fn value(&self, line: usize) -> &str {
        let JsonLine { kind, value, .. } = self.lines[line];
        let at = value as usize;
        match kind {
            JsonKind::Rest => &self.text[at..],
            JsonKind::Opens | JsonKind::Closes => &self.text[at..=at],
            JsonKind::Whole => token(&self.text, at),
        }
    }

    /// What is written between the beginning of a line and the next one; it may have more than the line shows.
    #[must_use]
    pub fn written(&self, line: usize) -> &str {
        let begins = |line: &JsonLine| line.key.min(line.value) as usize;
        let end = self.lines.get(line + 1).map_or(self.at, begins);
        &self.text[begins(&self.lines[line])..end]
    }

    /// Whether another entry follows a line in its list or object.
    #[must_use]
    pub fn goes_on(&self, line: usize) -> bool {
        let next = self.lines.get(self.behind(line));
        self.depth(line) > 0 && next.is_some_and(|next| next.kind != JsonKind::Closes)
    }

    fn line(&mut self) {
        let bytes = self.text.as_bytes();
        let blank = |b: &u8| b.is_ascii_whitespace() || *b == b',';
        let skipped = bytes[self.at..].iter().take_while(|b| blank(b)).count();
        self.at += skipped;
        let Some(first) = bytes.get(self.at).copied() else {
            self.done = true;
            self.mistake |= !self.open.is_empty() || self.lines.is_empty();
            return;
        };
        if matches!(first, b'}' | b']') {
            return self.close(first);
        }
        let whole = self.open.is_empty() && !self.lines.is_empty();
        let begin = self.at;
        let inside = self.open.last().map(|line| *line as usize);
        let opened = inside.map(|line| bytes[self.lines[line].value as usize]);
        let mut key = NONE;
        if opened == Some(b'{') {
            let Some(value) = value_of_member(bytes, begin) else {
                return self.rest(begin);
            };
            key = offset(begin);
            self.at = value;
        }
        if whole || self.at >= bytes.len() {
            return self.rest(begin);
        }
        let opens = matches!(bytes[self.at], b'{' | b'[') && self.open.len() < DEEP;
        let value = self.at;
        let Some(end) = (if opens {
            Some(value + 1)
        } else {
            end_of(bytes, value)
        }) else {
            return self.rest(begin);
        };
        self.at = end;
        self.push(key, value, opens);
    }

    fn push(&mut self, key: u32, value: usize, opens: bool) {
        let number = offset(self.lines.len());
        if let Some(outer) = self.open.last() {
            self.lines[*outer as usize].count += 1;
        }
        self.lines.push(JsonLine {
            kind: if opens {
                JsonKind::Opens
            } else {
                JsonKind::Whole
            },
            key,
            value: offset(value),
            parent: self.open.last().copied().unwrap_or(NONE),
            next: if opens { NONE } else { number + 1 },
            count: 0,
        });
        if opens {
            self.open.push(number);
        }
    }

    fn close(&mut self, bracket: u8) {
        let at = self.at;
        let fits = |line: &u32| {
            let opened = self.text.as_bytes()[self.lines[*line as usize].value as usize];
            (opened, bracket) == (b'{', b'}') || (opened, bracket) == (b'[', b']')
        };
        let Some(line) = self.open.last().copied().filter(fits) else {
            return self.rest(at);
        };
        self.open.pop();
        self.at = at + 1;
        let opened = self.lines[line as usize];
        let held = self.lines.len() - line as usize - 1;
        let lines = &self.lines[line as usize + 1..];
        let short = if bracket == b']' {
            SHORT_LIST
        } else {
            SHORT_OBJECT
        };
        let flat = held == opened.count as usize
            && at - (opened.value as usize) < short
            && lines
                .iter()
                .all(|l| !matches!(self.text.as_bytes()[l.value as usize], b'{' | b'['));
        if flat {
            self.lines.truncate(line as usize + 1);
            let whole = &mut self.lines[line as usize];
            (whole.kind, whole.next) = (JsonKind::Whole, line + 1);
            return;
        }
        let number = offset(self.lines.len());
        self.lines.push(JsonLine {
            kind: JsonKind::Closes,
            key: NONE,
            value: offset(at),
            parent: line,
            next: number + 1,
            count: 0,
        });
        self.lines[line as usize].next = number + 1;
    }

    /// Everything from here on is not JSON.
    fn rest(&mut self, from: usize) {
        let number = offset(self.lines.len());
        self.lines.push(JsonLine {
            kind: JsonKind::Rest,
            key: NONE,
            value: offset(from),
            parent: self.open.last().copied().unwrap_or(NONE),
            next: number + 1,
            count: 0,
        });
        (self.at, self.done, self.mistake) = (self.text.len(), true, true);
    }
}

#[allow(clippy::cast_possible_truncation)] // longer documents are not read
const fn offset(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests;
