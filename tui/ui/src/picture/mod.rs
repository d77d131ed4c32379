//! The picture in sight: decoded pixels, drawn with letters at once and with real pixels as soon as they are encoded,
//! with the marks of the labels in them. Decoding files and writing pixels to the terminal are left to the binary.

mod blocks;
mod ink;

use crate::pixels::{Encoded, PLACEHOLDER, Placement, Protocol, placeholder};
use crate::raster::Picture;
use crate::theme::Styles;
use crate::widgets::{centred, lines, wrapped};
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use wb_core::ids::{DataHash, TaskId};
use wb_core::marks::LabelMark;

/// Encoded pictures that are kept, for going back and forth.
const KEPT: usize = 12;

/// Pictures as letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Letters {
    /// Two pixels in each cell; needs colours and Unicode.
    #[default]
    HalfBlocks,
    /// One pixel in each cell, as its ground; needs colours.
    Grounds,
    /// Characters from dark to bright.
    Ramp,
}

/// How pictures reach the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Graphics {
    /// Not at all.
    Off,
    /// As letters.
    Letters(Letters),
    /// As pixels, and as letters until those are ready.
    Pixels {
        /// The terminal's way.
        protocol: Protocol,
        /// Pixels of a cell, across and down.
        cell: (u16, u16),
        /// What is shown meanwhile, and below overlays.
        letters: Letters,
    },
}

impl Default for Graphics {
    fn default() -> Self {
        Self::Letters(Letters::default())
    }
}

/// A picture that the screen needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureRequest {
    /// Task it belongs to; [`crate::Ui::set_picture`] takes it back.
    pub task: TaskId,
    /// Its data unit.
    pub data: DataHash,
    /// The downloaded file, when the task's inputs have one. Otherwise the binary may fetch the
    /// data, or answer with a reason.
    pub path: Option<PathBuf>,
}

/// What is seen of a picture: the same key, the same pixels.
#[derive(Clone, Debug)]
struct PictureKey {
    task: TaskId,
    cells: Size,
    marks: Arc<[LabelMark]>,
}

impl PartialEq for PictureKey {
    /// The same marks are mostly the very same list: masks in it are not compared for every frame.
    fn eq(&self, other: &Self) -> bool {
        (self.task, self.cells) == (other.task, other.cells)
            && (Arc::ptr_eq(&self.marks, &other.marks) || self.marks == other.marks)
    }
}

/// Pixels to be encoded, beside the screen: this takes milliseconds.
#[derive(Debug)]
pub struct PixelsRequest {
    key: PictureKey,
    picture: Arc<Picture>,
    protocol: Protocol,
    size: (u32, u32),
}

/// Encoded pixels; [`crate::Ui::set_pixels`] takes them.
#[derive(Debug)]
pub struct Pixels {
    key: PictureKey,
    data: Encoded,
}

impl PixelsRequest {
    /// Scales, draws the marks, and encodes.
    #[must_use]
    pub fn encode(self) -> Pixels {
        let mut scaled = self.picture.scaled(self.size.0, self.size.1);
        ink::draw(&mut scaled, &self.key.marks);
        Pixels {
            data: self.protocol.encode(&scaled),
            key: self.key,
        }
    }
}

/// The picture in sight, and how it was last drawn.
pub(crate) struct PictureView {
    graphics: Graphics,
    held: Option<(TaskId, Result<Arc<Picture>, String>)>,
    /// The newest raster for letters.
    small: Option<(PictureKey, Picture)>,
    /// Encoded pixels with their numbers, the newest last.
    encoded: VecDeque<(PictureKey, u32, Encoded)>,
    last_id: u32,
    missing: Option<PixelsRequest>,
    asked: Option<PictureKey>,
    /// What is placed in this frame if nothing lies over it, and the letters below.
    drawn: Vec<(Placement, Vec<Cell>)>,
    placed: Vec<Placement>,
}

impl PictureView {
    pub const fn new(graphics: Graphics) -> Self {
        Self {
            graphics,
            held: None,
            small: None,
            encoded: VecDeque::new(),
            last_id: 0,
            missing: None,
            asked: None,
            drawn: Vec::new(),
            placed: Vec::new(),
        }
    }

    pub fn set_graphics(&mut self, graphics: Graphics) {
        *self = Self {
            held: self.held.take(),
            ..Self::new(graphics)
        };
    }

    pub fn has(&self, task: TaskId) -> bool {
        self.graphics == Graphics::Off || self.held.as_ref().is_some_and(|(t, _)| *t == task)
    }

    pub fn put(&mut self, task: TaskId, picture: Result<Picture, String>) {
        let picture = picture.and_then(|p| {
            let bytes = p.width as usize * p.height as usize * 3;
            if bytes == 0 || p.rgb.len() != bytes {
                return Err("the decoded picture does not have the size that it declares".into());
            }
            Ok(Arc::new(p))
        });
        self.held = Some((task, picture));
        self.small = None;
    }

    /// Pixels that the newest frame would show, when nobody was asked for them yet.
    pub fn take_missing(&mut self) -> Option<PixelsRequest> {
        let request = self.missing.take()?;
        self.asked = Some(request.key.clone());
        Some(request)
    }

    pub fn put_pixels(&mut self, pixels: Pixels) {
        if self.asked.as_ref() == Some(&pixels.key) {
            self.asked = None;
        }
        if self.encoded.len() >= KEPT {
            self.encoded.pop_front();
        }
        // Numbers come round after 16 million pictures.
        self.last_id = self.last_id % 0xff_ffff + 1;
        self.encoded
            .push_back((pixels.key, self.last_id, pixels.data));
    }

    /// Pixels that the newest frame shows.
    pub fn placed(&self) -> &[Placement] {
        &self.placed
    }

    /// A frame begins.
    pub fn begin(&mut self) {
        self.drawn.clear();
        self.placed.clear();
        self.missing = None;
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

    /// Draws the picture of a task with its marks, or the reason why there is none.
    pub fn draw(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        task: TaskId,
        marks: &Arc<[LabelMark]>,
        st: &Styles,
    ) {
        if area.width < 4 || area.height < 2 {
            return;
        }
        let picture = match &self.held {
            _ if self.graphics == Graphics::Off => {
                return write(buf, area, "pictures are off (graphics = \"off\")", st);
            }
            Some((held, Ok(picture))) if *held == task => Arc::clone(picture),
            Some((held, Err(why))) if *held == task => {
                return write(buf, area, &format!("no picture: {why}"), st);
            }
            _ => return write(buf, area, "loading the picture…", st),
        };
        let (cell, letters) = match self.graphics {
            Graphics::Pixels { cell, letters, .. } => (cell, letters),
            Graphics::Letters(letters) => ((1, 2), letters),
            Graphics::Off => return,
        };
        let cells = fitted(&picture, area.as_size(), cell);
        let place = centred(area, cells.width, cells.height);
        let key = PictureKey {
            task,
            cells,
            marks: Arc::clone(marks),
        };
        self.draw_letters(buf, place, &key, &picture, letters, st);
        self.draw_pixels(buf, place, key, picture);
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
        if self.small.as_ref().is_none_or(|(old, _)| old != key) {
            let (w, h) = (u32::from(place.width), 2 * u32::from(place.height));
            let mut small = picture.scaled(w, h);
            if letters != Letters::Ramp {
                ink::draw(&mut small, &key.marks);
            }
            self.small = Some((key.clone(), small));
        }
        if let Some((_, small)) = &self.small {
            blocks::draw(buf, place, small, letters);
        }
        if letters == Letters::Ramp {
            blocks::outline(buf, place, &key.marks);
        }
        blocks::names(buf, place, &key.marks, letters, st);
    }

    fn draw_pixels(&mut self, buf: &Buffer, place: Rect, key: PictureKey, picture: Arc<Picture>) {
        let Graphics::Pixels { protocol, cell, .. } = self.graphics else {
            return;
        };
        if let Some((_, id, data)) = self.encoded.iter().find(|(k, ..)| *k == key) {
            let placement = Placement {
                id: *id,
                area: place,
                data: data.clone(),
            };
            let below = place.positions().map(|at| buf[at].clone()).collect();
            self.drawn.push((placement, below));
        } else if self.asked.as_ref() != Some(&key) {
            let size = protocol.size((place.width, place.height), cell, &picture);
            self.missing = Some(PixelsRequest {
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
fn fitted(picture: &Picture, room: Size, cell: (u16, u16)) -> Size {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_proportions_and_its_colours() {
        let mut rgb = vec![0; 40 * 20 * 3];
        let last = rgb.len() - 3;
        rgb[last] = 250;
        let picture = Picture {
            width: 40,
            height: 20,
            rgb,
        };
        assert_eq!(
            fitted(&picture, Size::new(40, 30), (1, 2)),
            Size::new(40, 10)
        );
        assert_eq!(fitted(&picture, Size::new(40, 5), (1, 2)), Size::new(20, 5));
        assert_eq!(
            fitted(&picture, Size::new(40, 30), (8, 16)),
            Size::new(40, 10)
        );
        let mut view = PictureView::new(Graphics::default());
        let task = TaskId(uuid::Uuid::nil());
        view.put(task, Ok(picture));
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 10));
        let area = buf.area;
        view.draw(&mut buf, area, task, &Arc::from([]), &Styles::default());
        assert_eq!(buf[(39, 9)].bg, Color::Rgb(250, 0, 0));
    }

    #[test]
    fn a_picture_without_the_pixels_that_it_declares_is_refused() {
        let mut view = PictureView::new(Graphics::default());
        let task = TaskId(uuid::Uuid::nil());
        let rgb = vec![0; 7];
        view.put(
            task,
            Ok(Picture {
                width: 10,
                height: 10,
                rgb,
            }),
        );
        assert!(matches!(view.held, Some((_, Err(_)))));
    }
}
