//! Draws what tasks hold: pictures with their labels, as letters and as pixels.

use super::drawn::DrawnPictures;
use super::frames::{FrameStep, Frames, caption};
use super::recent::Recent;
use super::store::{LabelsRequest, Medium, ParsedLabels, Shot, ShotHeld, Store, TextFile};
use super::{Graphics, PictureId, PictureRequest, Subject, sound, text};
use crate::text::{clean, fit};
use crate::theme::Styles;
use crate::widgets::{line, lines, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use std::sync::Arc;
use wb_core::ids::TaskId;
use wb_core::marks::{LabelSide, LabelSides};

/// Tasks whose last picture is remembered.
const SHOWN: usize = 128;

/// Texts whose lines are kept.
const TEXTS: usize = 8;

/// Which lines: of a task's text in this width, with the labels of one side.
#[derive(Clone)]
struct TextKey(TaskId, u16, LabelSide, Option<Arc<LabelSides>>);

impl PartialEq for TextKey {
    fn eq(&self, other: &Self) -> bool {
        let labels = |key: &Self| key.3.as_ref().map(Arc::as_ptr);
        (self.0, self.1, self.2, labels(self)) == (other.0, other.1, other.2, labels(other))
    }
}

/// What is drawn of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    /// Which labels.
    pub side: LabelSide,
    /// A thumbnail, without a line about its frame.
    pub small: bool,
    /// `<` and `>` move through its frames.
    pub chosen: bool,
}

impl Look {
    /// A picture as large as its room.
    pub const fn of(side: LabelSide) -> Self {
        Self {
            side,
            small: false,
            chosen: true,
        }
    }
}

/// The pictures in sight, and how they were last drawn.
pub(crate) struct PictureView {
    store: Store,
    frames: Frames,
    /// The task that `<` and `>` move through, with the frame in sight and how many there are.
    focus: Option<(TaskId, u64, u64)>,
    /// The picture that was last shown of a task.
    last: Recent<TaskId, PictureId>,
    texts: Recent<TextKey, (Vec<Line<'static>>, usize)>,
    pub drawn: DrawnPictures,
}

impl PictureView {
    pub const fn new(graphics: Graphics) -> Self {
        Self {
            store: Store::new(),
            frames: Frames::new(),
            focus: None,
            last: Recent::new(SHOWN),
            texts: Recent::new(TEXTS),
            drawn: DrawnPictures::new(graphics),
        }
    }

    pub fn set_graphics(&mut self, graphics: Graphics) {
        self.drawn = DrawnPictures::new(graphics);
    }

    /// Pictures that the newest frame lacks, the most urgent first.
    pub fn wanted(&self) -> Vec<PictureRequest> {
        self.store.wanted()
    }

    pub fn put_medium(&mut self, task: TaskId, medium: Result<Medium, String>) {
        self.store.put_medium(task, medium);
    }

    pub fn put_shot(&mut self, id: PictureId, shot: Result<Shot, String>) {
        self.store.put_shot(id, shot);
        self.drawn.forget(id);
    }

    #[cfg(test)]
    pub fn holds(&self, id: PictureId) -> bool {
        self.store.has(id)
    }

    pub fn take_wanted_labels(&mut self) -> Vec<LabelsRequest> {
        self.store.take_wanted_labels()
    }

    pub fn put_labels(&mut self, labels: ParsedLabels) {
        self.store.put_labels(labels);
    }

    /// How many frames `<` and `>` move through; nothing where none are in sight.
    pub fn frames_in_sight(&self) -> Option<u64> {
        self.focus
            .map(|(.., count)| count)
            .filter(|count| *count > 1)
    }

    /// Moves through the frames in sight.
    pub fn go(&mut self, step: FrameStep) {
        if let Some((task, frame, count)) = self.focus {
            self.frames.go(task, frame, count, step);
            self.focus = Some((task, self.frames.of(task, None), count));
        }
    }

    /// A frame begins.
    pub fn begin(&mut self) {
        self.store.begin();
        self.drawn.begin();
        self.focus = None;
    }

    /// A layer above the others is drawn: its pictures are the ones that keys apply to, and are decoded first.
    pub fn next_layer(&mut self) {
        self.store.layer += 1;
    }

    /// Decodes a thumbnail that is probably wanted soon.
    pub fn want_thumbnail(&mut self, of: &Subject<'_>) {
        let task = of.row.id;
        let first = self
            .store
            .labels(of)
            .and_then(|labels| labels.first_frame());
        let id = PictureId {
            task,
            frame: self.frames.of(task, first),
            small: true,
        };
        if self.drawn.shows() {
            self.store.want(of, id);
        }
    }

    /// Draws what a task holds with its labels, or the reason why there is nothing.
    pub fn draw(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        of: &Subject<'_>,
        look: Look,
        st: &Styles,
    ) {
        if area.width < 4 || area.height < 2 {
            return;
        }
        if !self.drawn.shows() {
            return write(buf, area, "pictures are off (graphics = \"off\")", st);
        }
        let task = of.row.id;
        let labels = self.store.labels(of);
        let first = labels.as_ref().and_then(|labels| labels.first_frame());
        let frame = self.frames.of(task, first);
        let id = |frame| PictureId {
            task,
            frame,
            small: look.small,
        };
        let count = match self.store.medium(task) {
            None => {
                self.store.want(of, id(frame));
                return write(buf, area, "loading the picture…", st);
            }
            Some(Err(why)) => return write(buf, area, &format!("no picture: {why}"), st),
            Some(Ok(Medium::Pictures { count })) => count,
            Some(Ok(other)) => return self.draw_other(buf, area, (task, &other), labels, look, st),
        };
        let frame = frame.min(count.saturating_sub(1));
        if look.chosen {
            self.focus = Some((task, frame, count));
        }
        self.store.want(of, id(frame));
        let mut room = area;
        if !look.small {
            for next in self.frames.next(task, frame, count) {
                self.store.want(of, id(next));
            }
            if count > 1 {
                let below;
                [room, below] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
                self.draw_caption(buf, below, id(frame), count, st);
            }
        }
        let (id, shot) = match self.shown(id(frame)) {
            None => return write(buf, room, "decoding the picture…", st),
            Some((_, Err(why))) => return write(buf, room, &format!("no picture: {why}"), st),
            Some((id, Ok(shot))) => (id, shot),
        };
        let marks = match &labels {
            Some(labels) => self.store.marks(labels, id.frame, look.side),
            None => Arc::from([]),
        };
        self.drawn.draw(buf, room, id, &shot.picture, marks, st);
    }

    /// A file without pictures.
    fn draw_other(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        (task, medium): (TaskId, &Medium),
        labels: Option<Arc<LabelSides>>,
        look: Look,
        st: &Styles,
    ) {
        match medium {
            Medium::Pictures { .. } => {}
            Medium::Text(file) => self.draw_text(buf, area, (task, file), labels, look, st),
            Medium::Sound(sound) => {
                let marks = labels.map_or_else(Vec::new, |labels| labels.ranges(look.side));
                let room = (usize::from(area.width), usize::from(area.height));
                lines(buf, area, &sound::lines_of(sound, &marks, room, st), 0);
            }
            Medium::Listed { why } => self.draw_list(buf, area, why, labels.as_ref(), look, st),
        }
    }

    /// Why there is no picture, and which labels each page has.
    fn draw_list(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        why: &str,
        labels: Option<&Arc<LabelSides>>,
        look: Look,
        st: &Styles,
    ) {
        let columns = usize::from(area.width);
        let mut all = wrapped(why, columns, st.dim);
        for (labels, page) in labels
            .into_iter()
            .flat_map(|l| l.labelled().map(move |p| (l, p)))
        {
            let marks = self.store.marks(labels, page, look.side);
            let names = marks.iter().map(|mark| match (mark.sign, mark.was) {
                (' ', _) => mark.name.clone(),
                ('~', true) => format!("was {}", mark.name),
                (sign, _) => format!("{sign} {}", mark.name),
            });
            let names: Vec<String> = names.collect();
            let text = format!("page {page}: {}", clean(&names.join(", ")));
            all.extend(wrapped(&text, columns, st.text));
        }
        lines(buf, area, &all, 0);
    }

    /// A page of a text; it begins with the one on which something changes.
    fn draw_text(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        (task, file): (TaskId, &TextFile),
        labels: Option<Arc<LabelSides>>,
        look: Look,
        st: &Styles,
    ) {
        let key = TextKey(task, area.width, look.side, labels);
        if self.texts.get(&key).is_none() {
            let marks = key.3.as_ref().map(|labels| labels.ranges(look.side));
            let columns = usize::from(area.width);
            let made = text::lines_of(file, &marks.unwrap_or_default(), columns, st);
            self.texts.put(key.clone(), made, 1);
        }
        let Some((all, first)) = self.texts.peek(&key) else {
            return;
        };
        let rows = usize::from(area.height) - usize::from(!look.small);
        let (count, page) = (all.len().div_ceil(rows) as u64, *first / rows);
        let page = self.frames.of(task, Some(page as u64)).min(count - 1);
        if look.chosen {
            self.focus = Some((task, page, count));
        }
        let from = usize::try_from(page).unwrap_or(0) * rows;
        let to = (from + rows).min(all.len());
        lines(buf, area, &all[from..to], 0);
        if !look.small && count > 1 {
            let text = format!("lines {} to {to} of {}", from + 1, all.len());
            line(buf, area, area.height - 1, &Line::styled(text, st.dim));
        }
    }

    /// The picture to draw: until it is decoded, the one before stays in sight with its own labels.
    fn shown(&mut self, id: PictureId) -> Option<(PictureId, Result<Arc<ShotHeld>, String>)> {
        let shown = match self.store.shot(id) {
            Some(shot) => (id, shot),
            None => {
                let last = *self.last.peek(&id.task)?;
                (last, self.store.shot(last)?)
            }
        };
        if shown.1.is_ok() {
            self.last.put(id.task, shown.0, 1);
        }
        Some(shown)
    }

    fn draw_caption(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        id: PictureId,
        count: u64,
        st: &Styles,
    ) {
        let text = match self.store.shot(id) {
            Some(Ok(shot)) => caption(id.frame, count, shot.at_us),
            Some(Err(_)) => caption(id.frame, count, None),
            None => format!("{} · decoding…", caption(id.frame, count, None)),
        };
        let text = fit(&text, usize::from(area.width));
        line(buf, area, 0, &Line::styled(text, st.dim).centered());
    }
}

/// A text in place of the picture, as far as there is room.
fn write(buf: &mut Buffer, area: Rect, text: &str, st: &Styles) {
    let text = wrapped(text, usize::from(area.width), st.dim);
    lines(buf, area, &text, 0);
}
