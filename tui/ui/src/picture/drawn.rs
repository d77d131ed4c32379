//! One decoded picture on the screen: as letters at once, as pixels once they are encoded. What was drawn before is
//! kept, as far as a limit allows.

use super::recent::Recent;
use super::{Graphics, Letters, PictureId, PictureKey, Pixels, PixelsRequest, blocks, ink};
use crate::pixels::{Encoded, PLACEHOLDER, Placement, Protocol, placeholder};
use crate::raster::Picture;
use crate::theme::Styles;
use crate::widgets::centred;
use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use std::sync::Arc;
use wb_core::marks::LabelMark;

/// Bytes of encoded pictures that are kept, for going back and forth.
const ENCODED: usize = 32 << 20;
/// Rasters of letters that are kept: a screen full of thumbnails.
const RASTERS: usize = 128;
/// Pictures that are encoded at a time.
const ENCODING: usize = 2;

/// What the screen shows of pictures.
pub struct DrawnPictures {
    graphics: Graphics,
    rasters: Recent<PictureKey, Picture>,
    encoded: Recent<PictureKey, (u32, Encoded)>,
    last_id: u32,
    missing: Vec<PixelsRequest>,
    asked: Vec<PictureKey>,
    /// What is placed in this frame if nothing lies over it, and the letters below.
    over: Vec<(Placement, Vec<Cell>)>,
    placed: Vec<Placement>,
}

impl DrawnPictures {
    pub const fn new(graphics: Graphics) -> Self {
        Self {
            graphics,
            rasters: Recent::new(RASTERS),
            encoded: Recent::new(ENCODED),
            last_id: 0,
            missing: Vec::new(),
            asked: Vec::new(),
            over: Vec::new(),
            placed: Vec::new(),
        }
    }

    /// Whether pictures are shown.
    pub fn shows(&self) -> bool {
        self.graphics != Graphics::Off
    }

    /// A picture is another one now.
    pub fn forget(&mut self, id: PictureId) {
        self.rasters.retain(|key, _| key.id != id);
    }

    /// A frame begins.
    pub fn begin(&mut self) {
        self.over.clear();
        self.placed.clear();
        self.missing.clear();
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

    /// The frame is drawn: what nothing lies over is shown as pixels.
    pub fn end(&mut self, buf: &mut Buffer) {
        let in_tmux = matches!(
            self.graphics,
            Graphics::Pixels {
                protocol: Protocol::KittyInTmux,
                ..
            }
        );
        for (placement, below) in self.over.drain(..) {
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

    /// Draws a picture with its marks in the middle of a place.
    pub fn draw(
        &mut self,
        buf: &mut Buffer,
        room: Rect,
        id: PictureId,
        picture: &Arc<Picture>,
        marks: Arc<[LabelMark]>,
        st: &Styles,
    ) {
        let (cell, letters) = match self.graphics {
            Graphics::Pixels { cell, letters, .. } => (cell, letters),
            Graphics::Letters(letters) => ((1, 2), letters),
            Graphics::Off => return,
        };
        let cells = fitted(picture, room.as_size(), cell);
        let place = centred(room, cells.width, cells.height);
        let key = PictureKey { id, cells, marks };
        self.draw_letters(buf, place, &key, picture, letters, st);
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
            self.over.push((placement, below));
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
