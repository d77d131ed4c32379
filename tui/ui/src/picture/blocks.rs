//! Pictures of letters, for every terminal: two pixels in each cell, or one, or characters of different darkness.

use super::Letters;
use super::ink::{Ink, colour, trace};
use crate::raster::Picture;
use crate::text::fit;
use crate::theme::Styles;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use wb_core::marks::LabelMark;

/// From dark to bright, for terminals with dark ground.
const RAMP: &[u8] = b" .:-=+*#%@";

/// Draws a raster of one pixel a column and two a row.
pub fn draw(buf: &mut Buffer, place: Rect, pixels: &Picture, letters: Letters) {
    let at = |x: u32, y: u32| -> [u8; 3] {
        let at = (y.min(pixels.height - 1) as usize * pixels.width as usize
            + x.min(pixels.width - 1) as usize)
            * 3;
        [pixels.rgb[at], pixels.rgb[at + 1], pixels.rgb[at + 2]]
    };
    for (row, column) in (0..place.height).flat_map(|y| (0..place.width).map(move |x| (y, x))) {
        let (x, y) = (u32::from(column), 2 * u32::from(row));
        let (top, bottom) = (at(x, y), at(x, y + 1));
        let cell = &mut buf[(place.x + column, place.y + row)];
        match letters {
            Letters::HalfBlocks => {
                cell.set_symbol("▀").set_fg(rgb(top)).set_bg(rgb(bottom));
            }
            Letters::Grounds => {
                cell.set_symbol(" ").set_bg(rgb(mean(top, bottom)));
            }
            Letters::Ramp => {
                cell.set_symbol(ramp(luma(mean(top, bottom))));
            }
        }
    }
}

/// Draws marks where there are no colours: by the letters of their signs.
pub fn outline(buf: &mut Buffer, place: Rect, marks: &[LabelMark]) {
    let size = (u32::from(place.width), u32::from(place.height));
    trace(marks, size, |x, y, sign, ink| {
        #[allow(clippy::cast_possible_truncation)] // within the place
        let cell = &mut buf[(place.x + x as u16, place.y + y as u16)];
        match ink {
            Ink::Line => cell.set_char(if sign == ' ' { 'o' } else { sign }),
            Ink::Tint if cell.symbol() == " " => cell.set_char('/'),
            Ink::Tint => cell,
        };
    });
}

/// Writes the names of marks at their upper left places; the picture stays visible, darker, behind them.
pub fn names(buf: &mut Buffer, place: Rect, marks: &[LabelMark], letters: Letters, st: &Styles) {
    // What has moved is named where it is now.
    for mark in marks
        .iter()
        .filter(|mark| !mark.was || matches!(mark.sign, '-' | 'A'))
    {
        let Some([x, y, ..]) = mark.bounds() else {
            continue;
        };
        let cell = |share: f64, cells: u16| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
            let at = (share.clamp(0.0, 1.0) * f64::from(cells)).floor() as u16;
            at.min(cells.saturating_sub(1))
        };
        let (x, y) = (
            place.x + cell(x, place.width),
            place.y + cell(y, place.height),
        );
        let name = match mark.sign {
            ' ' => mark.name.clone(),
            sign => format!("{sign} {}", mark.name),
        };
        let room = usize::from(place.right().saturating_sub(x + 1));
        let [r, g, b] = colour(mark.sign);
        let style = match letters {
            Letters::Ramp => st.sign(mark.sign),
            _ => Style::new().fg(Color::Rgb(r, g, b)),
        };
        let from = x + u16::from(x + 1 < place.right());
        let name = fit(&name, room);
        let (end, _) = buf.set_stringn(from, y, &name, room, style);
        if !matches!(letters, Letters::Ramp) {
            (from..end).for_each(|x| darken(&mut buf[(x, y)]));
        }
    }
}

/// A darker ground, on which letters can be read.
fn darken(cell: &mut Cell) {
    if let Color::Rgb(r, g, b) = cell.bg {
        cell.bg = Color::Rgb(r / 3, g / 3, b / 3);
    }
}

const fn rgb([r, g, b]: [u8; 3]) -> Color {
    Color::Rgb(r, g, b)
}

fn mean(a: [u8; 3], b: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|n| u8::midpoint(a[n], b[n]))
}

fn luma([r, g, b]: [u8; 3]) -> u8 {
    #[allow(clippy::cast_possible_truncation)] // a mean of bytes
    let luma = ((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000) as u8;
    luma
}

fn ramp(luma: u8) -> &'static str {
    let step = usize::from(luma) * RAMP.len() / 256;
    std::str::from_utf8(&RAMP[step..=step]).unwrap_or(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Theme;
    use wb_core::marks::Shape;

    fn half_bright() -> Picture {
        // 8 columns, 4 × 2 rows; the right half is bright.
        let pixel = |x: u32| if x < 4 { [0, 0, 0] } else { [250, 240, 230] };
        let rgb = (0..8).flat_map(|_| (0..8).flat_map(pixel)).collect();
        Picture {
            width: 8,
            height: 8,
            rgb,
        }
    }

    fn drawn(letters: Letters, marks: &[LabelMark]) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 4));
        let area = buf.area;
        draw(&mut buf, area, &half_bright(), letters);
        if letters == Letters::Ramp {
            outline(&mut buf, area, marks);
        }
        names(&mut buf, area, marks, letters, &Theme::Dark.styles());
        buf
    }

    fn text(buf: &Buffer) -> Vec<String> {
        (0..buf.area.height)
            .map(|y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect())
            .collect()
    }

    fn boxed() -> LabelMark {
        let ring = vec![[0.25, 0.25], [0.99, 0.25], [0.99, 0.99], [0.25, 0.99]];
        LabelMark {
            hash: String::new(),
            name: "Car".to_owned(),
            sign: '+',
            was: false,
            shape: Shape::Rings(vec![ring]),
        }
    }

    #[test]
    fn without_colours_a_picture_is_a_ramp_of_characters_with_its_marks_in_them() {
        let buf = drawn(Letters::Ramp, &[boxed()]);
        assert_eq!(text(&buf), ["    @@@@", "  ++ Car", "  + @@@+", "  ++++++"]);
    }

    #[test]
    fn a_name_leaves_the_picture_visible_behind_it() {
        let buf = drawn(Letters::HalfBlocks, &[boxed()]);
        let letter = &buf[(5, 1)];
        assert_eq!(letter.fg, Color::Rgb(0, 230, 90));
        assert_eq!(letter.bg, Color::Rgb(83, 80, 76));
        assert_eq!(buf[(6, 3)].bg, Color::Rgb(250, 240, 230));
    }

    #[test]
    fn where_letters_are_ascii_the_ground_has_the_colours() {
        let buf = drawn(Letters::Grounds, &[]);
        assert_eq!(text(&buf), ["        "; 4]);
        assert_eq!(buf[(7, 0)].bg, Color::Rgb(250, 240, 230));
    }
}
