//! Draws what tasks hold: pictures with their labels, as letters and as pixels.

use super::frames::{FrameStep, Frames, caption};
use super::recent::Recent;
use super::store::{LabelsRequest, Medium, ParsedLabels, Shot, ShotHeld, Store};
use super::{
    Graphics, Letters, PictureId, PictureKey, PictureRequest, Pixels, PixelsRequest, Subject,
    blocks, ink,
};
use crate::pixels::{Encoded, PLACEHOLDER, Placement, Protocol, placeholder};
use crate::raster::Picture;
use crate::text::fit;
use crate::theme::Styles;
use crate::widgets::{centred, line, lines, wrapped};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::style::Color;
use ratatui::text::Line;
use std::sync::Arc;
use wb_core::ids::TaskId;
use wb_core::marks::{LabelMark, Side};

/// Bytes of encoded pictures that are kept, for going back and forth.
const ENCODED: usize = 32 << 20;
/// Rasters of letters that are kept: a screen full of thumbnails.
const RASTERS: usize = 128;
/// Pictures that are encoded at a time.
const ENCODING: usize = 2;

/// What is drawn of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    /// Which labels.
    pub side: Side,
    /// A thumbnail, without a line about its frame.
    pub small: bool,
    /// `<` and `>` move through its frames.
    pub chosen: bool,
}

impl Look {
    /// A picture as large as its room.
    pub const fn of(side: Side) -> Self {
        Self {
            side,
            small: false,
            chosen: true,
        }
    }
}

/// The pictures in sight, and how they were last drawn.
pub(crate) struct PictureView {
    graphics: Graphics,
    store: Store,
    frames: Frames,
    /// The task that `<` and `>` move through, with the frame in sight and how many there are.
    focus: Option<(TaskId, u64, u64)>,
    /// The picture that was last shown of a task.
    last: Recent<TaskId, PictureId>,
    rasters: Recent<PictureKey, Picture>,
    encoded: Recent<PictureKey, (u32, Encoded)>,
    last_id: u32,
    missing: Vec<PixelsRequest>,
    asked: Vec<PictureKey>,
    /// What is placed in this frame if nothing lies over it, and the letters below.
    drawn: Vec<(Placement, Vec<Cell>)>,
    placed: Vec<Placement>,
}

impl PictureView {
    pub const fn new(graphics: Graphics) -> Self {
        Self {
            graphics,
            store: Store::new(),
            frames: Frames::new(),
            focus: None,
            last: Recent::new(RASTERS),
            rasters: Recent::new(RASTERS),
            encoded: Recent::new(ENCODED),
            last_id: 0,
            missing: Vec::new(),
            asked: Vec::new(),
            drawn: Vec::new(),
            placed: Vec::new(),
        }
    }

    pub fn set_graphics(&mut self, graphics: Graphics) {
        let new = Self::new(graphics);
        let old = std::mem::replace(self, new);
        (self.store, self.frames, self.last) = (old.store, old.frames, old.last);
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
        self.rasters.retain(|key, _| key.id != id);
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

    /// Pixels that the newest frame would show and that nobody was asked for yet; few at a time, so that what is no
    /// longer in sight then is never encoded.
    pub fn take_missing(&mut self) -> Option<PixelsRequest> {
        if self.asked.len() >= ENCODING || self.missing.is_empty() {
            return None;
        }
        let request = self.missing.remove(0);
        self.asked.push(request.key.clone());
        Some(request)
    }

    pub fn put_pixels(&mut self, pixels: Pixels) {
        self.asked.retain(|key| *key != pixels.key);
        // Numbers come round after 16 million pictures.
        self.last_id = self.last_id % 0xff_ffff + 1;
        let cost = pixels.data.len();
        self.encoded
            .put(pixels.key, (self.last_id, pixels.data), cost);
    }

    /// Pixels that the newest frame shows.
    pub fn placed(&self) -> &[Placement] {
        &self.placed
    }

    /// A frame begins.
    pub fn begin(&mut self) {
        self.store.begin();
        self.drawn.clear();
        self.placed.clear();
        self.missing.clear();
        self.focus = None;
    }

    /// A layer above the others is drawn: its pictures are the ones that keys apply to, and are decoded first.
    pub fn next_layer(&mut self) {
        self.store.layer += 1;
    }

    /// The frame is drawn: what nothing lies over is shown as pixels.
    pub fn end(&mut self, buf: &mut Buffer) {
        let in_tmux = matches!(
            self.graphics,
            Graphics::Pixels {
                protocol: Protocol::KittyInTmux,
                ..
            }
        );
        for (placement, below) in self.drawn.drain(..) {
            let cells = || placement.area.positions();
            if cells().zip(&below).any(|(at, cell)| buf[at] != *cell) {
                continue;
            }
            for at in cells() {
                let cell = &mut buf[at];
                if in_tmux {
                    hold(cell, &placement, at.x, at.y);
                } else {
                    cell.set_diff_option(CellDiffOption::Skip);
                }
            }
            self.placed.push(placement);
        }
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
        if self.graphics != Graphics::Off {
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
        if self.graphics == Graphics::Off {
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
        };
        let frame = frame.min(count.saturating_sub(1));
        self.store.want(of, id(frame));
        let mut room = area;
        if look.chosen {
            self.focus = Some((task, frame, count));
        }
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
        // Until the frame is decoded, the one before stays in sight with its own labels.
        let decoded = self.store.shot(id(frame)).map(|shot| (id(frame), shot));
        let shown = decoded.or_else(|| {
            let last = *self.last.peek(&task)?;
            Some((last, self.store.shot(last)?))
        });
        let shot = match shown {
            None => return write(buf, room, "decoding the picture…", st),
            Some((_, Err(why))) => return write(buf, room, &format!("no picture: {why}"), st),
            Some((id, Ok(shot))) => {
                self.last.put(task, id, 1);
                (id.frame, shot)
            }
        };
        let marks = match &labels {
            Some(labels) => self.store.marks(labels, shot.0, look.side),
            None => Arc::from([]),
        };
        self.draw_picture(buf, room, id(shot.0), &shot.1, marks, st);
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

    fn draw_picture(
        &mut self,
        buf: &mut Buffer,
        room: Rect,
        id: PictureId,
        shot: &ShotHeld,
        marks: Arc<[LabelMark]>,
        st: &Styles,
    ) {
        let (cell, letters) = match self.graphics {
            Graphics::Pixels { cell, letters, .. } => (cell, letters),
            Graphics::Letters(letters) => ((1, 2), letters),
            Graphics::Off => return,
        };
        let cells = fitted(&shot.picture, room.as_size(), cell);
        let place = centred(room, cells.width, cells.height);
        let key = PictureKey { id, cells, marks };
        self.draw_letters(buf, place, &key, &shot.picture, letters, st);
        self.draw_pixels(buf, place, key, &shot.picture);
    }

    fn draw_letters(
        &mut self,
        buf: &mut Buffer,
        place: Rect,
        key: &PictureKey,
        picture: &Picture,
        letters: Letters,
        st: &Styles,
    ) {
        if self.rasters.get(key).is_none() {
            let (w, h) = (u32::from(place.width), 2 * u32::from(place.height));
            let mut small = picture.scaled(w, h);
            if letters != Letters::Ramp {
                ink::draw(&mut small, &key.marks);
            }
            self.rasters.put(key.clone(), small, 1);
        }
        if let Some(small) = self.rasters.peek(key) {
            blocks::draw(buf, place, small, letters);
        }
        if letters == Letters::Ramp {
            blocks::outline(buf, place, &key.marks);
        }
        blocks::names(buf, place, &key.marks, letters, st);
    }

    fn draw_pixels(&mut self, buf: &Buffer, place: Rect, key: PictureKey, picture: &Arc<Picture>) {
        let Graphics::Pixels { protocol, cell, .. } = self.graphics else {
            return;
        };
        if let Some((id, data)) = self.encoded.get(&key) {
            let placement = Placement {
                id: *id,
                area: place,
                data: data.clone(),
            };
            let below = place.positions().map(|at| buf[at].clone()).collect();
            self.drawn.push((placement, below));
        } else if !self.asked.contains(&key) {
            let size = protocol.size((place.width, place.height), cell, picture);
            let picture = Arc::clone(picture);
            self.missing.push(PixelsRequest {
                key,
                picture,
                protocol,
                size,
            });
        }
    }
}

/// The letter by which tmux holds the place of a picture: the number is its colour.
fn hold(cell: &mut Cell, placement: &Placement, x: u16, y: u16) {
    let first = placeholder(y - placement.area.y).filter(|_| x == placement.area.x);
    let [_, r, g, b] = placement.id.to_be_bytes();
    cell.reset();
    cell.set_symbol(&first.unwrap_or_else(|| PLACEHOLDER.to_string()))
        .set_fg(Color::Rgb(r, g, b));
}

/// The cells that a picture fills in its proportions, at most half a cell off.
pub(super) fn fitted(picture: &Picture, room: Size, cell: (u16, u16)) -> Size {
    let (w, h) = (f64::from(picture.width), f64::from(picture.height));
    let (cw, ch) = (f64::from(cell.0.max(1)), f64::from(cell.1.max(1)));
    let scale = (f64::from(room.width) * cw / w).min(f64::from(room.height) * ch / h);
    let cells = |side: f64, cell: f64, room: u16| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most the room
        let cells = (side * scale / cell).round() as u16;
        cells.clamp(1, room)
    };
    Size::new(cells(w, cw, room.width), cells(h, ch, room.height))
}

/// A text in place of the picture, as far as there is room.
fn write(buf: &mut Buffer, area: Rect, text: &str, st: &Styles) {
    let text = wrapped(text, usize::from(area.width), st.dim);
    lines(buf, area, &text, 0);
}
