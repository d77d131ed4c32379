//! Places on the screen that stand for something outside of it: a task's page, a line of code. Whether a terminal makes
//! them links, and what a file's address is, is left to the binary.

use crate::{Ui, outside};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wb_core::code_place::CodePlace;
use wb_core::ids::DataHash;
use wb_core::state::State;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// An address on the platform's pages. It never has a signature in it.
    Page(String),
    /// A line of code.
    Code(CodePlace),
}

/// A part of the newest frame that is a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenLink {
    /// One row of letters.
    pub area: Rect,
    /// Where it leads.
    pub to: LinkTarget,
}

impl Ui {
    /// The links of the newest frame.
    #[must_use]
    pub fn links(&self) -> &[ScreenLink] {
        &self.links
    }

    /// Makes letters that were drawn a link to the page of a data unit, where the platform has one.
    pub(crate) fn link_page(&mut self, area: Rect, data: DataHash, state: &State) {
        let project = state.project.as_ref().map(|project| project.hash);
        let upstream = &state.options.upstream;
        let page = project.and_then(|project| outside::page(upstream, project, data));
        self.links
            .extend(page.filter(|_| !area.is_empty()).map(|url| ScreenLink {
                area,
                to: LinkTarget::Page(url),
            }));
    }

    /// Makes the places of code with which rows begin links to these.
    pub(crate) fn link_code(&mut self, buf: &Buffer, area: Rect) {
        for row in area.rows() {
            let text: String = row.positions().map(|at| buf[at].symbol()).collect();
            let bare = text.trim_start_matches(['▌', ' ']);
            let bare = bare.strip_prefix("--> ").unwrap_or(bare);
            let word = bare.split_whitespace().next().unwrap_or_default();
            let word = word.trim_end_matches(':');
            // A path that was cut leads nowhere; letters of one column only, so that bytes are columns.
            let plain = word.is_ascii() && !word.is_empty();
            let Some(place) = CodePlace::read(word).filter(|_| plain) else {
                continue;
            };
            let before: usize = text[..text.len() - bare.len()].chars().count();
            let columns = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
            let area = Rect::new(row.x + columns(before), row.y, columns(word.len()), 1);
            let to = LinkTarget::Code(place);
            self.links.push(ScreenLink {
                area: area.intersection(row),
                to,
            });
        }
    }
}
