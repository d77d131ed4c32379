//! The panes of a layer: which ones the newest frame has and where, which one the keys act in, how far each is
//! scrolled, and whether one is zoomed. Drawing their frames is left to [`crate::frames`].

use crate::Ui;
use ratatui::layout::{Position, Rect};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Which pane of its layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum PaneName {
    /// What the layer's cursor is in, or its only pane. It has the focus at first.
    #[default]
    Main,
    Stage,
    Activity,
    Preview,
    Result,
    Details,
    Picture,
    Outcomes,
    Log,
    /// Only shown: it never has the focus.
    Still,
}

/// A pane of the newest frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DrawnPane {
    pub name: PaneName,
    /// With its frame.
    pub area: Rect,
    /// Inside of its frame.
    pub inner: Rect,
    /// Columns that its title takes on the frame.
    pub title: u16,
    /// Rows of a page.
    pub rows: usize,
    /// Whether it has lines that scroll; else the layer moves a cursor in it, or nothing.
    pub scrolls: bool,
}

/// How far the lines of a pane are scrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct PaneScroll {
    /// What the lines are about: other ones begin at their start.
    about: u64,
    /// Lines that are left out: before the first one in sight, or after the last one.
    skipped: usize,
    /// The end is shown at first, and what is added to it.
    tail: bool,
    /// Lines that there were so far, when the end is shown.
    total: u64,
}

/// The panes of one layer.
#[derive(Debug, Default)]
struct LayerPanes {
    /// The chosen pane.
    focus: PaneName,
    zoomed: bool,
    drawn: Vec<DrawnPane>,
    /// The panes that there is room for, zoomed or not, in the order of the focus.
    order: Vec<PaneName>,
    scrolls: Vec<(PaneName, PaneScroll)>,
}

impl LayerPanes {
    /// The pane that the keys act in: the chosen one, as long as there is one.
    fn focus(&self) -> PaneName {
        let there = |name: &PaneName| self.order.contains(name);
        let chosen = Some(self.focus).filter(there);
        let main = Some(PaneName::Main).filter(there);
        let found = chosen.or(main).or(self.order.first().copied());
        found.unwrap_or(self.focus)
    }

    fn pane(&self, name: PaneName) -> Option<&DrawnPane> {
        self.drawn.iter().find(|pane| pane.name == name)
    }

    fn scroll(&mut self, name: PaneName) -> &mut PaneScroll {
        let at = self.scrolls.iter().position(|(other, _)| *other == name);
        let at = at.unwrap_or_else(|| {
            self.scrolls.push((name, PaneScroll::default()));
            self.scrolls.len() - 1
        });
        &mut self.scrolls[at].1
    }
}

/// The panes of all layers that are or were open.
#[derive(Debug, Default)]
pub(crate) struct Panes {
    /// By the name of the layer's type.
    layers: HashMap<&'static str, LayerPanes>,
    /// The layer that is off the stack, while it acts or draws.
    acting: Option<&'static str>,
    /// The pane under the pointer, while the wheel is turned.
    aim: Option<PaneName>,
    /// The room of a zoomed pane.
    whole: Rect,
}

/// What the lines of a pane are about, as a number.
fn number_of(about: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    about.hash(&mut hasher);
    hasher.finish()
}

impl Panes {
    /// The layer begins or ends to act; gives the one that did before.
    pub(crate) fn act(&mut self, layer: Option<&'static str>) -> Option<&'static str> {
        std::mem::replace(&mut self.acting, layer)
    }

    /// Forgets a layer: it is opened again.
    pub(crate) fn forget(&mut self, layer: &'static str) {
        self.layers.remove(layer);
    }

    /// The acting layer is drawn in this area.
    pub(crate) fn begin(&mut self, area: Rect) {
        self.whole = area;
        let here = self.here();
        here.drawn.clear();
        here.order.clear();
    }

    /// Ends the zoom of a pane that is no longer there; whether that was so.
    pub(crate) fn ends_zoom(&mut self) -> bool {
        let here = self.here();
        let lost = here.zoomed && here.focus() != here.focus;
        here.zoomed &= !lost;
        lost
    }

    fn here(&mut self) -> &mut LayerPanes {
        self.layers
            .entry(self.acting.unwrap_or_default())
            .or_default()
    }

    /// Notes a pane that is drawn.
    pub(crate) fn add(&mut self, pane: DrawnPane) {
        let here = self.here();
        if pane.name != PaneName::Still && !here.order.contains(&pane.name) {
            here.order.push(pane.name);
        }
        here.drawn.push(pane);
    }

    /// Notes where the rows of the list are that fills a pane, or a part of one.
    pub(crate) fn set_rows(&mut self, area: Rect) {
        let all = self.here().drawn.iter_mut().rev();
        let at = area.as_position();
        if let Some(pane) = all.into_iter().find(|pane| pane.area.contains(at)) {
            pane.rows = usize::from(area.height);
        }
    }

    /// The place of a pane in this frame: all the room when it is zoomed; `None` when another one is, or when it has no
    /// room.
    pub(crate) fn place(&mut self, name: PaneName, area: Rect) -> Option<Rect> {
        let whole = self.whole;
        let here = self.here();
        if !area.is_empty() && name != PaneName::Still && !here.order.contains(&name) {
            here.order.push(name);
        }
        match here.zoomed {
            true => (here.focus == name).then_some(whole),
            false => (!area.is_empty()).then_some(area),
        }
    }

    /// The room that a zoomed pane gets, other than the whole of the layer.
    pub(crate) fn set_whole(&mut self, area: Rect) {
        self.whole = area;
    }

    /// Brings a line into sight in a pane with so many rows of so many lines.
    pub(crate) fn show_line(&mut self, name: PaneName, (rows, count): (u16, usize), line: usize) {
        let rows = usize::from(rows);
        let most = count.saturating_sub(rows);
        let scroll = self.here().scroll(name);
        let top = if scroll.tail {
            most - scroll.skipped.min(most)
        } else {
            scroll.skipped
        };
        let top = top.clamp((line + 1).saturating_sub(rows), line).min(most);
        scroll.skipped = if scroll.tail { most - top } else { top };
    }

    /// The first of `count` lines to show in a pane with so many rows. Of a text that grows at its end, `total` is how
    /// many lines it has had: the end is shown until it is scrolled, and then what is in sight stays.
    pub(crate) fn first_line(
        &mut self,
        name: PaneName,
        (rows, count): (u16, usize),
        about: impl Hash,
        total: Option<u64>,
    ) -> usize {
        let (rows, about) = (usize::from(rows), number_of(about));
        let here = self.here();
        if let Some(pane) = here.drawn.iter_mut().find(|pane| pane.name == name) {
            (pane.rows, pane.scrolls) = (rows, true);
        }
        let most = count.saturating_sub(rows);
        let scroll = here.scroll(name);
        if scroll.about != about {
            (scroll.about, scroll.skipped) = (about, 0);
        }
        let before = std::mem::replace(&mut scroll.total, total.unwrap_or(0));
        scroll.tail = total.is_some();
        if scroll.skipped > 0 {
            let new = scroll.total.saturating_sub(before);
            scroll.skipped += usize::try_from(new).unwrap_or(0);
        }
        scroll.skipped = scroll.skipped.min(most);
        match scroll.tail {
            true => most - scroll.skipped,
            false => scroll.skipped,
        }
    }
}

impl Ui {
    /// The acting layer, else the topmost one.
    pub(crate) fn layer_here(&self) -> &'static str {
        let acting = self.panes.acting;
        acting.unwrap_or_else(|| self.top(|layer| layer.kind()))
    }

    fn panes_here(&self) -> Option<&LayerPanes> {
        self.panes.layers.get(self.layer_here())
    }

    fn panes_here_mut(&mut self) -> &mut LayerPanes {
        let layer = self.layer_here();
        self.panes.layers.entry(layer).or_default()
    }

    /// The pane that keys act in; the one under the pointer while the wheel is turned.
    pub(crate) fn focus(&self) -> PaneName {
        let focus = || self.panes_here().map(LayerPanes::focus);
        self.panes.aim.or_else(focus).unwrap_or_default()
    }

    /// Whether keys move the layer's own cursor.
    pub(crate) fn in_main(&self) -> bool {
        self.focus() == PaneName::Main
    }

    /// Gives a pane the focus.
    pub(crate) fn set_focus(&mut self, name: PaneName) {
        self.panes_here_mut().focus = name;
    }

    /// Rows of a page in the pane that keys act in.
    pub(crate) fn page(&self) -> usize {
        let pane = self.panes_here().and_then(|here| here.pane(self.focus()));
        pane.map_or(1, |pane| pane.rows.max(1))
    }

    /// The panes of the topmost layer in the newest frame, those that lie over others last.
    pub(crate) fn drawn_panes(&self) -> &[DrawnPane] {
        self.panes_here().map_or(&[], |here| &here.drawn)
    }

    /// The pane at this place.
    pub(crate) fn pane_at(&self, at: Position) -> Option<&DrawnPane> {
        let mut all = self.drawn_panes().iter().rev();
        all.find(|pane| pane.area.contains(at))
    }

    /// How many panes can have the focus.
    pub(crate) fn pane_count(&self) -> usize {
        self.panes_here().map_or(0, |here| here.order.len())
    }

    /// Whether a pane of the topmost layer is zoomed.
    pub(crate) fn zoomed(&self) -> bool {
        self.panes_here().is_some_and(|here| here.zoomed)
    }

    /// Whether the pane that keys act in has more lines than rows.
    pub(crate) fn scrolls(&self) -> bool {
        let pane = self.panes_here().and_then(|here| here.pane(self.focus()));
        pane.is_some_and(|pane| pane.scrolls)
    }

    /// Gives the next pane the focus, or the one before.
    pub(crate) fn turn_focus(&mut self, forward: bool) {
        let here = self.panes_here_mut();
        let count = here.order.len();
        let focus = here.focus();
        let at = here.order.iter().position(|name| *name == focus);
        if let Some(at) = at.filter(|_| count > 1) {
            let step = if forward { 1 } else { count - 1 };
            here.focus = here.order[(at + step) % count];
        }
    }

    /// Zooms the pane that has the focus, or shows all again.
    pub(crate) fn turn_zoom(&mut self) {
        let here = self.panes_here_mut();
        (here.focus, here.zoomed) = (here.focus(), !here.zoomed);
    }

    /// Shows all panes again; whether one was zoomed.
    pub(crate) fn unzoom(&mut self) -> bool {
        std::mem::take(&mut self.panes_here_mut().zoomed)
    }

    /// Aims at a pane while `work` runs: keys act in it.
    pub(crate) fn aiming<R>(&mut self, pane: PaneName, work: impl FnOnce(&mut Self) -> R) -> R {
        self.panes.aim = Some(pane);
        let result = work(self);
        self.panes.aim = None;
        result
    }

    /// Moves the lines of the pane that keys act in: `step` gets how many are left out and the rows of a page, and
    /// whether they are left out at the end. Whether its lines scroll.
    pub(crate) fn scroll_lines(&mut self, step: impl Fn(usize, usize, bool) -> usize) -> bool {
        if !self.scrolls() {
            return false;
        }
        let (name, page) = (self.focus(), self.page());
        let scroll = self.panes_here_mut().scroll(name);
        scroll.skipped = step(scroll.skipped, page, scroll.tail);
        true
    }
}
