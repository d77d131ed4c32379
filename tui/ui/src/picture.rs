//! Pictures of tasks: kept as decoded pixels, encoded for the terminal when their size changes, with the
//! boxes of the labels drawn over them. Decoding files is left to the binary.

use crate::text;
use crate::theme::Styles;
use crate::widgets::{lines, wrapped};
use image::{DynamicImage, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::widgets::Widget;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::halfblocks::Halfblocks;
use ratatui_image::{FontSize, Image, Resize};
use serde_json::Value;
use std::path::PathBuf;
use wb_core::ids::{DataHash, TaskId};

/// How pictures reach the terminal.
#[derive(Clone, Debug, Default)]
pub struct Graphics(Option<Picker>);

impl Graphics {
    /// Two pixels in each cell: works everywhere, without a question to the terminal.
    #[must_use]
    pub const fn half_blocks() -> Self {
        Self(None)
    }

    /// Asks the terminal what it can do (kitty, iTerm2, sixel); half blocks when it does not
    /// answer. Writes to and reads from the terminal: call it in raw mode, before reading events.
    /// Inside tmux this runs `tmux set -p allow-passthrough on`, without which tmux keeps pictures
    /// from the terminal around it.
    #[must_use]
    pub fn detect() -> Self {
        let picker = Picker::from_query_stdio().ok();
        Self(picker.filter(|p| p.protocol_type() != ProtocolType::Halfblocks))
    }

    const fn blocks(&self) -> bool {
        self.0.is_none()
    }

    fn encode(&self, image: &DynamicImage, size: Size) -> Option<Protocol> {
        let scale = Resize::Scale(None);
        if let Some(picker) = &self.0 {
            return picker.new_protocol(image.clone(), size, scale).ok();
        }
        // A cell is one pixel wide and two high.
        let size = scale.size_for(image, FontSize::new(1, 2), size);
        let (w, h) = (u32::from(size.width), 2 * u32::from(size.height));
        let pixels = image.thumbnail_exact(w.max(1), h.max(1));
        Halfblocks::new(pixels, size).ok().map(Protocol::Halfblocks)
    }
}

/// A decoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue of each pixel, row by row; `3 × width × height` bytes.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {})", self.width, self.height)
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

/// A box on the picture; all parts 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub hash: String,
    pub name: String,
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
    /// `+` `~` `-` as in a patch, blank: unchanged.
    pub sign: char,
}

/// The boxes of one frame of a label blob.
pub(crate) fn boxes(blob: &Value, frame: u64) -> Vec<Bounds> {
    let units = blob.get("data_units").and_then(Value::as_object);
    let mut found = Vec::new();
    for labels in units
        .into_iter()
        .flatten()
        .filter_map(|(_, u)| u.get("labels"))
    {
        let labels = if labels.get("objects").is_some() {
            Some(labels)
        } else {
            labels.get(frame.to_string())
        };
        let objects = labels
            .and_then(|l| l.get("objects"))
            .and_then(Value::as_array);
        found.extend(objects.into_iter().flatten().filter_map(bounds));
    }
    found
}

fn bounds(object: &Value) -> Option<Bounds> {
    let shape = object
        .get("boundingBox")
        .or_else(|| object.get("rotatableBoundingBox"))?;
    let part = |key: &str| shape.get(key).and_then(Value::as_f64);
    let word = |key: &str| {
        object
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Some(Bounds {
        hash: word("objectHash"),
        name: word("name"),
        x: part("x")?,
        y: part("y")?,
        w: part("w")?,
        h: part("h")?,
        sign: ' ',
    })
}

/// The picture in sight, and how it was last encoded.
pub(crate) struct PictureView {
    graphics: Graphics,
    held: Option<(TaskId, Result<DynamicImage, String>)>,
    encoded: Option<(Size, Vec<Bounds>, Protocol)>,
    /// Where real pixels were drawn in this frame.
    pub pixels: Option<Rect>,
}

impl PictureView {
    pub fn new(graphics: Graphics) -> Self {
        Self {
            graphics,
            held: None,
            encoded: None,
            pixels: None,
        }
    }

    pub fn has(&self, task: TaskId) -> bool {
        self.held.as_ref().is_some_and(|(t, _)| *t == task)
    }

    pub fn put(&mut self, task: TaskId, picture: Result<Picture, String>) {
        let image = picture.and_then(|p| {
            RgbImage::from_raw(p.width, p.height, p.rgb)
                .filter(|i| i.width() > 0 && i.height() > 0)
                .map(DynamicImage::ImageRgb8)
                .ok_or_else(|| {
                    "the decoded picture does not have the size that it declares".to_owned()
                })
        });
        self.held = Some((task, image));
        self.encoded = None;
    }

    /// Draws the picture of a task with its boxes, or the reason why there is none.
    pub fn draw(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        task: TaskId,
        marks: &[Bounds],
        st: &Styles,
    ) {
        if area.width < 4 || area.height < 2 {
            return;
        }
        let image = match &self.held {
            Some((held, Ok(image))) if *held == task => image,
            Some((held, Err(why))) if *held == task => {
                return write(buf, area, &format!("no picture: {why}"), st);
            }
            _ => return write(buf, area, "loading the picture…", st),
        };
        let size = area.as_size();
        // Real pixels lie over letters: there the boxes become part of the picture.
        let inked: &[Bounds] = if self.graphics.blocks() { &[] } else { marks };
        if self
            .encoded
            .as_ref()
            .is_none_or(|(s, m, _)| *s != size || m != inked)
        {
            let encoded = if inked.is_empty() {
                self.graphics.encode(image, size)
            } else {
                self.graphics.encode(&ink(image, inked), size)
            };
            self.encoded = encoded.map(|protocol| (size, inked.to_vec(), protocol));
        }
        let Some((_, _, protocol)) = &self.encoded else {
            return;
        };
        let shown = protocol.size();
        let place = crate::widgets::centred(area, shown.width, shown.height);
        Image::new(protocol).render(place, buf);
        if !self.graphics.blocks() {
            self.pixels = Some(place);
        } else {
            for mark in marks {
                // The line has a black ground, whatever the terminal's own colours are.
                let style = match mark.sign {
                    '+' | '~' | '-' => st.sign(mark.sign),
                    _ => Style::new().fg(ratatui::style::Color::White),
                };
                outline(buf, place, mark, style);
            }
        }
    }
}

/// A text in place of the picture, as far as there is room.
fn write(buf: &mut Buffer, area: Rect, text: &str, st: &Styles) {
    let text = wrapped(text, usize::from(area.width), st.dim);
    lines(buf, area, &text, 0);
}

/// A box in cells, its name in the upper border. The picture's colours stay behind it.
fn outline(buf: &mut Buffer, place: Rect, mark: &Bounds, style: Style) {
    let scale = |part: f64, cells: u16| -> u16 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to the place
        let cell = (part.clamp(0.0, 1.0) * f64::from(cells)).floor() as u16;
        cell.min(cells.saturating_sub(1))
    };
    let (x0, x1) = (
        place.x + scale(mark.x, place.width),
        place.x + scale(mark.x + mark.w, place.width),
    );
    let (y0, y1) = (
        place.y + scale(mark.y, place.height),
        place.y + scale(mark.y + mark.h, place.height),
    );
    let mut put = |x: u16, y: u16, symbol: &str| {
        let cell = &mut buf[(x, y)];
        cell.set_symbol(symbol)
            .set_style(style)
            .set_bg(ratatui::style::Color::Black);
    };
    for x in x0..=x1 {
        put(x, y0, "─");
        put(x, y1, "─");
    }
    for y in y0..=y1 {
        put(x0, y, "│");
        put(x1, y, "│");
    }
    if y0 == y1 {
        put(x0, y0, "[");
        put(x1, y0, "]");
    }
    for (x, y, corner) in [(x0, y0, "┌"), (x1, y0, "┐"), (x0, y1, "└"), (x1, y1, "┘")] {
        if y1 > y0 {
            put(x, y, corner);
        }
    }
    let sign = if mark.sign == ' ' {
        String::new()
    } else {
        format!("{} ", mark.sign)
    };
    let room = usize::from(place.right().saturating_sub(x0 + 1));
    let name = text::fit(&format!("{sign}{}", mark.name), room);
    buf.set_string(
        x0 + u16::from(x1 > x0),
        y0,
        name,
        style.bg(ratatui::style::Color::Black),
    );
}

/// Boxes as lines of pixels, for terminals that draw real pictures over the letters.
fn ink(image: &DynamicImage, marks: &[Bounds]) -> DynamicImage {
    let mut out = image.to_rgb8();
    let (w, h) = out.dimensions();
    let thick = (w.max(h) / 300).max(1);
    for mark in marks {
        let colour = match mark.sign {
            '+' => [0, 230, 90],
            '~' => [255, 200, 0],
            '-' => [255, 50, 50],
            _ => [255, 255, 255],
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to the picture
        let scale =
            |part: f64, size: u32| ((part.clamp(0.0, 1.0) * f64::from(size)) as u32).min(size - 1);
        let (x0, x1) = (scale(mark.x, w), scale(mark.x + mark.w, w));
        let (y0, y1) = (scale(mark.y, h), scale(mark.y + mark.h, h));
        for t in 0..thick {
            for x in x0..=x1 {
                out.put_pixel(x, (y0 + t).min(y1), image::Rgb(colour));
                out.put_pixel(x, y1.saturating_sub(t).max(y0), image::Rgb(colour));
            }
            for y in y0..=y1 {
                out.put_pixel((x0 + t).min(x1), y, image::Rgb(colour));
                out.put_pixel(x1.saturating_sub(t).max(x0), y, image::Rgb(colour));
            }
        }
    }
    DynamicImage::ImageRgb8(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn boxes_are_read_from_stills_and_from_one_frame_of_a_video() {
        let object = json!({"objectHash": "a", "name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}});
        let polygon = json!({"objectHash": "b", "name": "Road", "polygon": {}});
        let still = json!({"data_units": {"u": {"labels": {"objects": [object, polygon]}}}});
        let video = json!({"data_units": {"u": {"labels": {"3": {"objects": [object]}}}}});
        assert_eq!(boxes(&still, 0).len(), 1);
        assert_eq!(boxes(&still, 0)[0].name, "Car");
        assert_eq!((boxes(&video, 0).len(), boxes(&video, 3).len()), (0, 1));
        assert!(boxes(&json!(null), 0).is_empty());
    }

    #[test]
    fn boxes_become_part_of_a_picture_that_lies_over_the_letters() {
        let image = DynamicImage::ImageRgb8(RgbImage::new(100, 50));
        let mark = |x, w, sign| Bounds {
            hash: String::new(),
            name: String::new(),
            x,
            y: 0.2,
            w,
            h: 0.4,
            sign,
        };
        // The second one reaches beyond the picture, as labels may.
        let out = ink(&image, &[mark(0.1, 0.2, '+'), mark(0.9, 7.0, '-')]).to_rgb8();
        assert_eq!(out.get_pixel(10, 20).0, [0, 230, 90]);
        assert_eq!(out.get_pixel(20, 20).0, [0, 0, 0], "the inside stays");
        assert_eq!(out.get_pixel(99, 20).0, [255, 50, 50]);
    }

    #[test]
    fn a_picture_keeps_its_proportions_and_its_colours() {
        let mut image = RgbImage::new(40, 20);
        image.put_pixel(39, 19, image::Rgb([250, 0, 0]));
        let image = DynamicImage::ImageRgb8(image);
        let protocol = Graphics::half_blocks()
            .encode(&image, Size::new(40, 30))
            .unwrap();
        assert_eq!(protocol.size(), Size::new(40, 10));
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 10));
        Image::new(&protocol).render(buf.area, &mut buf);
        let last = &buf[(39, 9)];
        let colours = [last.fg, last.bg];
        assert!(
            colours.contains(&ratatui::style::Color::Rgb(250, 0, 0)),
            "{last:?}"
        );
    }

    #[test]
    fn a_picture_without_the_pixels_that_it_declares_is_refused() {
        let mut view = PictureView::new(Graphics::half_blocks());
        let task = TaskId(uuid::Uuid::nil());
        view.put(
            task,
            Ok(Picture {
                width: 10,
                height: 10,
                rgb: vec![0; 7],
            }),
        );
        assert!(matches!(view.held, Some((_, Err(_)))));
    }
}
