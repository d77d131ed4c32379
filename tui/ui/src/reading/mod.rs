//! Reading long text: searching in a pane, folding JSON. What the text is, is left to the screens and
//! overlays ([`TextPage`]), which keys do it to the table of actions.

mod find;
mod folds;
mod json;
mod json_line;
mod line_drawn;
mod list;
mod page;
mod search;
mod view;
mod written;

pub use json::JsonDoc;
pub use list::{first_number, mark_typed};
pub use page::{PagePart, TextPage};
pub use view::{PageStep, PageView};
pub use written::{member, members};

use crate::Ui;
use crate::panes::PaneName;
use crate::widgets::padded;
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use search::TextSearch;

/// A pane of a layer: the name of the layer's type, and of the pane.
pub type ReadPane = (&'static str, PaneName);

/// Panes whose text the newest frame lets a person search.
#[derive(Default)]
pub struct ReadPanes {
    /// Of every layer.
    drawn: Vec<ReadPane>,
    /// Of the topmost layer.
    top: Vec<ReadPane>,
    /// Whether it has JSON, which can be folded.
    json: bool,
    search: Option<TextSearch>,
    /// Where the line of the search is.
    line: Option<Rect>,
}

impl ReadPanes {
    /// Before a frame.
    pub fn begin(&mut self) {
        self.drawn.clear();
        self.next_layer();
    }

    /// Before a layer above the ones that were drawn.
    pub fn next_layer(&mut self) {
        self.top.clear();
        (self.json, self.line) = (false, None);
    }

    /// After a frame: a search ends with its pane.
    pub fn end(&mut self) {
        let drawn = &self.drawn;
        let search = self.search.take();
        self.search = search.filter(|search| drawn.contains(&search.pane));
    }

    /// The search in the topmost layer.
    fn active(&self) -> Option<&TextSearch> {
        let search = self.search.as_ref();
        search.filter(|search| self.top.contains(&search.pane))
    }
}

impl Ui {
    /// Whether the topmost layer has text that can be searched.
    pub(crate) fn can_search(&self) -> bool {
        !self.reading.top.is_empty()
    }

    /// Whether the pane that has the focus has text to read.
    pub(crate) fn reads_here(&self) -> bool {
        let here = (self.layer_here(), self.focus());
        self.reading.top.contains(&here)
    }

    /// Whether the topmost layer has JSON that can be folded.
    pub(crate) fn can_fold_json(&self) -> bool {
        self.reading.json
    }

    /// Whether a search is under way in the topmost layer.
    pub(crate) fn searches(&self) -> bool {
        self.reading.active().is_some()
    }

    /// Whether letters are typed into it.
    pub(crate) fn types_search(&self) -> bool {
        self.reading.active().is_some_and(|search| search.typing)
    }

    /// Begins a search in the pane that has the focus, else in the last one with text, a log or what happened, which
    /// gets the focus.
    /// `prompt` stands before what is typed.
    pub(crate) fn begin_search(&mut self, prompt: String) {
        let here = (self.layer_here(), self.focus());
        let there = self.reading.top.iter().find(|pane| **pane == here);
        let Some(pane) = there.or(self.reading.top.last()).copied() else {
            return;
        };
        self.set_focus(pane.1);
        self.reading.search = Some(TextSearch::new(pane, prompt));
    }

    /// A key while letters are typed into a search; returns whether it was for the search.
    pub(crate) fn search_key(&mut self, key: &KeyEvent) -> bool {
        let search = self.reading.search.as_mut();
        let Some(search) = search.filter(|search| search.typing) else {
            return false;
        };
        match key.code {
            KeyCode::Enter if search.needle().is_some() => search.typing = false,
            KeyCode::Enter | KeyCode::Esc => self.reading.search = None,
            KeyCode::Down => search.go(true),
            KeyCode::Up => search.go(false),
            _ => return search.key(key),
        }
        true
    }

    /// Text that is pasted while a search is typed; returns whether one is.
    pub(crate) fn search_paste(&mut self, text: &str) -> bool {
        let typing = self.types_search();
        if let Some(search) = self.reading.search.as_mut().filter(|_| typing) {
            search.paste(text);
        }
        typing
    }

    /// Goes to the next match, or the one before.
    pub(crate) fn go_to_match(&mut self, forward: bool) {
        if let Some(search) = &mut self.reading.search {
            search.go(forward);
        }
    }

    /// Ends a search of the topmost layer; returns whether there was one.
    pub(crate) fn end_search(&mut self) -> bool {
        let searches = self.searches();
        if searches {
            self.reading.search = None;
        }
        searches
    }

    /// Lets a pane be searched, and draws the line of a search at its bottom; gives the room above that.
    pub(crate) fn search_room(&mut self, buf: &mut Buffer, inner: Rect, name: PaneName) -> Rect {
        let pane = (self.layer_here(), name);
        self.reading.drawn.push(pane);
        self.reading.top.push(pane);
        let st = self.st;
        let Some(search) = self.search_in(name).filter(|_| inner.height > 1) else {
            return inner;
        };
        let last = padded(Rect::new(inner.x, inner.bottom() - 1, inner.width, 1));
        search.draw(buf, last, &st);
        self.reading.line = Some(last);
        Rect {
            height: inner.height - 1,
            ..inner
        }
    }

    /// Draws the line of a search again, with what this frame has found.
    pub(crate) fn draw_search_line(&self, buf: &mut Buffer) {
        if let (Some(search), Some(line)) = (self.reading.active(), self.reading.line) {
            buf.set_stringn(
                line.x,
                line.y,
                " ".repeat(line.width.into()),
                line.width.into(),
                self.st.text,
            );
            search.draw(buf, line, &self.st);
        }
    }

    /// The search in a pane of the layer that is drawn.
    pub(crate) fn search_in(&mut self, name: PaneName) -> Option<&mut TextSearch> {
        let pane = (self.layer_here(), name);
        let search = self.reading.search.as_mut();
        search.filter(|search| search.pane == pane)
    }

    /// Whether the next frame goes on with a search.
    pub(crate) fn search_goes_on(&self) -> bool {
        self.reading
            .search
            .as_ref()
            .is_some_and(TextSearch::goes_on)
    }
}
