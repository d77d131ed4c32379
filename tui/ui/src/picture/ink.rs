//! Marks of labels drawn into a raster: outlines as lines, points as dots, masks as a tint.

use crate::raster::Picture;
use wb_core::marks::{LabelMark, PicturePlace, Shape};

/// How much of a mask's colour is mixed with the picture's, in 256 parts.
const TINT: u16 = 110;

/// Colour of a mark by its sign.
pub const fn colour(sign: char) -> [u8; 3] {
    match sign {
        '+' => [0, 230, 90],
        '~' => [255, 200, 0],
        '-' => [255, 60, 60],
        'A' => [255, 120, 220],
        'B' => [80, 180, 255],
        _ => [255, 255, 255],
    }
}

/// What a pixel gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// A line or a dot.
    Line,
    /// The inside of a mask.
    Tint,
}

/// Draws marks into a picture.
pub fn draw(picture: &mut Picture, marks: &[LabelMark]) {
    let (w, h) = (picture.width, picture.height);
    let rgb = &mut picture.rgb;
    trace(marks, (w, h), |x, y, sign, ink| {
        let at = (y as usize * w as usize + x as usize) * 3;
        let Some(pixel) = rgb.get_mut(at..at + 3) else {
            return;
        };
        for (old, new) in pixel.iter_mut().zip(colour(sign)) {
            *old = match ink {
                Ink::Line => new,
                #[allow(clippy::cast_possible_truncation)] // a mean of two bytes
                Ink::Tint => ((u16::from(*old) * (256 - TINT) + u16::from(new) * TINT) / 256) as u8,
            };
        }
    });
}

/// Calls `put` for every pixel that a mark covers, with the mark's sign. What is no longer there is dashed.
pub fn trace(marks: &[LabelMark], size: (u32, u32), mut put: impl FnMut(u32, u32, char, Ink)) {
    let thick = i64::from((size.0.max(size.1) / 300).max(1));
    let dash = usize::try_from(thick).unwrap_or(1) * 2;
    for mark in marks {
        let mut dot = |x: i64, y: i64, side: i64, ink: Ink| {
            let corner = side / 2;
            for (dx, dy) in (0..side).flat_map(|dx| (0..side).map(move |dy| (dx, dy))) {
                let place = [x + dx - corner, y + dy - corner].map(u32::try_from);
                if let [Ok(x), Ok(y)] = place
                    && x < size.0
                    && y < size.1
                {
                    put(x, y, mark.sign, ink);
                }
            }
        };
        let mut along = 0;
        let mut stroke = |a: PicturePlace, b: PicturePlace| {
            line(a, b, size, |x, y| {
                along += 1;
                if !mark.was || (along - 1) / dash % 2 == 0 {
                    dot(x, y, thick, Ink::Line);
                }
            });
        };
        match &mark.shape {
            Shape::Rings(rings) => {
                for ring in rings {
                    let ends = ring.iter().zip(ring.iter().cycle().skip(1));
                    ends.for_each(|(a, b)| stroke(*a, *b));
                }
            }
            Shape::Line(points) => {
                let ends = points.iter().zip(points.iter().skip(1));
                ends.for_each(|(a, b)| stroke(*a, *b));
            }
            Shape::Points(points) => {
                for place in points {
                    let place = pixel(*place, size);
                    point(place, thick, mark.was, |x, y, side| {
                        dot(x, y, side, Ink::Line);
                    });
                }
            }
            Shape::Mask(mask) => {
                for (x, y) in (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y))) {
                    let place = [
                        (f64::from(x) + 0.5) / f64::from(size.0),
                        (f64::from(y) + 0.5) / f64::from(size.1),
                    ];
                    let hatched = mark.was && (x + y) as usize / dash % 2 == 1;
                    if !hatched && mask.covers(place) {
                        dot(i64::from(x), i64::from(y), 1, Ink::Tint);
                    }
                }
            }
        }
    }
}

/// A dot; a cross where the point is no longer.
fn point([x, y]: [i64; 2], thick: i64, was: bool, mut dot: impl FnMut(i64, i64, i64)) {
    if !was {
        return dot(x, y, thick * 2 + 1);
    }
    for d in -thick..=thick {
        dot(x + d, y + d, 1);
        dot(x + d, y - d, 1);
    }
}

/// The pixel at a place; one that lies on the far edge belongs to the last pixel. Places outside are kept within
/// one picture's width of it, so that lines to them end.
fn pixel(place: PicturePlace, size: (u32, u32)) -> [i64; 2] {
    let one = |share: f64, side: u32| {
        #[allow(clippy::cast_possible_truncation)] // within three times the side
        let at = (share.clamp(-1.0, 2.0) * f64::from(side)).floor() as i64;
        if share <= 1.0 {
            at.min(i64::from(side) - 1)
        } else {
            at
        }
    };
    [one(place[0], size.0), one(place[1], size.1)]
}

/// Every pixel between two places.
fn line(a: PicturePlace, b: PicturePlace, size: (u32, u32), mut put: impl FnMut(i64, i64)) {
    let ([x0, y0], [x1, y1]) = (pixel(a, size), pixel(b, size));
    let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
    for n in 0..=steps {
        put(x0 + (x1 - x0) * n / steps, y0 + (y1 - y0) * n / steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wb_core::marks::Mask;

    fn mark(shape: Shape, sign: char) -> LabelMark {
        LabelMark {
            hash: String::new(),
            name: String::new(),
            sign,
            was: false,
            shape,
        }
    }

    fn boxed(x: f64, w: f64, sign: char) -> LabelMark {
        let ring = vec![[x, 0.2], [x + w, 0.2], [x + w, 0.6], [x, 0.6]];
        mark(Shape::Rings(vec![ring]), sign)
    }

    fn black(width: u32, height: u32) -> Picture {
        let rgb = vec![0; (width * height * 3) as usize];
        Picture { width, height, rgb }
    }

    fn at(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * picture.width + x) * 3) as usize;
        picture.rgb[at..at + 3].try_into().unwrap()
    }

    #[test]
    fn outlines_are_part_of_the_picture_and_what_is_inside_stays() {
        let mut picture = black(100, 50);
        // The second one reaches beyond the picture, as labels may.
        draw(&mut picture, &[boxed(0.1, 0.2, '+'), boxed(0.9, 7.0, '-')]);
        assert_eq!(at(&picture, 10, 20), [0, 230, 90]);
        assert_eq!(at(&picture, 20, 20), [0, 0, 0]);
        assert_eq!(at(&picture, 99, 10), [255, 60, 60]);
        assert_eq!(at(&picture, 99, 20), [0, 0, 0], "its right edge is outside");
    }

    #[test]
    fn a_mask_tints_what_it_covers() {
        let mask = Mask {
            width: 2,
            height: 1,
            set: vec![true, false],
        };
        let mut picture = black(10, 10);
        draw(&mut picture, &[mark(Shape::Mask(mask), '+')]);
        assert_eq!(at(&picture, 4, 9), [0, 98, 38]);
        assert_eq!(at(&picture, 5, 9), [0, 0, 0]);
    }

    #[test]
    fn what_is_no_longer_there_is_dashed() {
        let mut picture = black(100, 50);
        let gone = LabelMark {
            was: true,
            ..boxed(0.1, 0.2, '-')
        };
        draw(&mut picture, &[gone.clone(), boxed(0.6, 0.2, '+')]);
        let top = |from: u32| -> usize {
            let pixels = (from..from + 20).map(|x| at(&picture, x, 10));
            pixels.filter(|pixel| *pixel != [0; 3]).count()
        };
        assert_eq!((top(10), top(60)), (10, 20));
        let mask = Mask {
            width: 1,
            height: 1,
            set: vec![true],
        };
        let shape = Shape::Mask(mask);
        let mut picture = black(8, 8);
        draw(&mut picture, &[LabelMark { shape, ..gone }]);
        let tinted = picture.rgb.chunks(3).filter(|pixel| **pixel != [0; 3]);
        assert_eq!(tinted.count(), 32, "half of it is hatched");
    }

    #[test]
    fn lines_are_open_and_points_are_dots() {
        let mut picture = black(9, 9);
        let line = vec![[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]];
        draw(&mut picture, &[mark(Shape::Line(line), '~')]);
        let colour = [255, 200, 0];
        assert_eq!((at(&picture, 4, 4), at(&picture, 8, 3)), (colour, colour));
        assert_eq!(at(&picture, 4, 0), [0, 0, 0]);
        let mut picture = black(9, 9);
        draw(&mut picture, &[mark(Shape::Points(vec![[0.5, 0.5]]), ' ')]);
        assert_eq!(
            (at(&picture, 3, 3), at(&picture, 5, 5)),
            ([255; 3], [255; 3])
        );
        assert_eq!(at(&picture, 6, 6), [0; 3]);
    }
}
