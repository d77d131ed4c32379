//! Masks: a bit per pixel, and Encord's own run-length text for it.
//!
//! Runs count pixels row by row, unset ones first; from the fourth run on each is written as its
//! difference to the one two before it, in groups of five bits, low ones first.

use super::{ModelError, ModelResult};
use serde_json::{Value, json};

/// A mask in Encord's run-length text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmask {
    /// Width of the mask in pixels.
    pub width: u32,
    /// Height of the mask in pixels.
    pub height: u32,
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Runs, as Encord writes them.
    pub rle: String,
}

impl Bitmask {
    /// Encodes a mask of the whole picture, row by row.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when there are not `width * height` pixels.
    pub fn from_pixels(width: u32, height: u32, set: &[bool]) -> ModelResult<Self> {
        if set.len() as u64 != u64::from(width) * u64::from(height) {
            return Err(ModelError::Invalid(format!(
                "{} pixels are not a mask of {width}x{height}",
                set.len()
            )));
        }
        Ok(Self {
            width,
            height,
            top: 0,
            left: 0,
            rle: to_text(&runs_of(set)),
        })
    }

    /// The mask, row by row, `width * height` pixels.
    ///
    /// # Errors
    /// [`ModelError::Malformed`] when the text is not a run-length text or too long for the mask.
    pub fn to_pixels(&self) -> ModelResult<Vec<bool>> {
        let (size, runs) = self.runs()?;
        let mut set = vec![false; size];
        let mut at = 0;
        for (index, run) in runs.into_iter().enumerate() {
            let end = at + usize::try_from(run).unwrap_or(0);
            set[at..end].fill(index % 2 == 1);
            at = end;
        }
        Ok(set)
    }

    /// How many pixels are set, and the box around them: left, top, right, bottom, the last two not included. `None`
    /// without any. Runs are counted, not pixels.
    pub(super) fn extent(&self) -> ModelResult<Option<(u64, [u32; 4])>> {
        let (_, runs) = self.runs()?;
        let (mut at, mut set) = (0_u64, 0_u64);
        let mut around: Option<[u32; 4]> = None;
        for (index, run) in runs.into_iter().enumerate() {
            let (from, length) = (at, u64::try_from(run).unwrap_or(0));
            at += length;
            if index % 2 == 0 || length == 0 {
                continue;
            }
            set += length;
            // Places are below width × height, of which each fits.
            let place = |n: u64| {
                (
                    (n % u64::from(self.width)) as u32,
                    (n / u64::from(self.width)) as u32,
                )
            };
            let ((left, top), (right, bottom)) = (place(from), place(at - 1));
            let (left, right) = if top == bottom {
                (left, right + 1)
            } else {
                (0, self.width)
            };
            let [l, t, r, b] = around.unwrap_or([left, top, right, bottom + 1]);
            around = Some([l.min(left), t.min(top), r.max(right), b.max(bottom + 1)]);
        }
        Ok(around.map(|around| (set, around)))
    }

    /// How many pixels it has, and its runs, which are not more.
    fn runs(&self) -> ModelResult<(usize, Vec<i64>)> {
        let malformed = |what: &str| ModelError::Malformed(format!("the mask's runs {what}"));
        let size = usize::try_from(u64::from(self.width) * u64::from(self.height))
            .map_err(|_| malformed("belong to a picture too large"))?;
        let runs = from_text(&self.rle).ok_or_else(|| malformed("cannot be read"))?;
        let total: i128 = runs.iter().map(|run| i128::from(*run)).sum();
        if runs.iter().any(|run| *run < 0) || total > size as i128 {
            return Err(malformed("do not fit its size"));
        }
        Ok((size, runs))
    }

    /// That its runs can be read and are of its size.
    pub(super) fn check(&self) -> ModelResult<()> {
        self.runs().map(drop)
    }

    pub(super) fn to_value(&self) -> Value {
        json!({
            "top": self.top, "left": self.left, "width": self.width, "height": self.height, "rleString": self.rle,
        })
    }

    /// Reads `{top, left, width, height, rleString}`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let side = |key: &str| value.get(key)?.as_u64()?.try_into().ok();
        let rle = value.get("rleString")?.as_str()?.to_owned();
        Some(Self {
            width: side("width")?,
            height: side("height")?,
            top: side("top")?,
            left: side("left")?,
            rle,
        })
    }
}

/// Runs of pixels, unset ones first.
pub(super) fn runs_of<'p>(pixels: impl IntoIterator<Item = &'p bool>) -> Vec<i64> {
    let (mut runs, mut now, mut length) = (Vec::new(), false, 0);
    for pixel in pixels {
        if *pixel != now {
            runs.push(length);
            (now, length) = (*pixel, 0);
        }
        length += 1;
    }
    if length > 0 {
        runs.push(length);
    }
    runs
}

pub(super) fn to_text(runs: &[i64]) -> String {
    let mut out = String::new();
    for (index, run) in runs.iter().enumerate() {
        let mut rest = if index > 2 {
            run - runs[index - 2]
        } else {
            *run
        };
        loop {
            let group = (rest & 0x1f) as u8;
            rest >>= 5;
            let more = if group & 0x10 == 0 {
                rest != 0
            } else {
                rest != -1
            };
            out.push(char::from(48 + group + if more { 0x20 } else { 0 }));
            if !more {
                break;
            }
        }
    }
    out
}

/// `None` when a character is none of its own or a number does not end or fit.
pub(super) fn from_text(text: &str) -> Option<Vec<i64>> {
    let mut runs: Vec<i64> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(first) = bytes.next() {
        let (mut value, mut shift, mut byte) = (0i64, 0u32, first);
        loop {
            let group = byte.checked_sub(48).filter(|group| *group < 0x40)?;
            if shift > 55 {
                return None;
            }
            value |= i64::from(group & 0x1f) << shift;
            shift += 5;
            if group & 0x20 == 0 {
                if group & 0x10 != 0 {
                    value |= -1 << shift;
                }
                break;
            }
            byte = bytes.next()?;
        }
        if runs.len() > 2 {
            value = value.checked_add(runs[runs.len() - 2])?;
        }
        runs.push(value);
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == '1').collect()
    }

    /// A filled rectangle from a quarter to the half of both sides.
    fn rect(w: u32, h: u32) -> Vec<bool> {
        let inside = |at: u32, size: u32| (size / 4..size / 2).contains(&at);
        (0..w * h)
            .map(|i| inside(i % w, w) && inside(i / w, h))
            .collect()
    }

    #[test]
    fn masks_are_written_as_the_python_sdk_writes_them() {
        let cases = [
            (4, 3, bits("000000000000"), r"<"),
            (4, 3, bits("111111111111"), r"0<"),
            (5, 4, bits("10100010000110001000"), r"01102011OO0"),
            (
                8,
                8,
                bits("0000000000000000001100000011000000000000000000000000000000000000"),
                r"b0260n0",
            ),
            (64, 48, rect(64, 48), r"`h0`0`1000000000000000000000`_1"),
        ];
        for (w, h, set, text) in cases {
            let mask = Bitmask::from_pixels(w, h, &set).unwrap();
            assert_eq!(mask.rle, text);
            assert_eq!(mask.to_pixels().unwrap(), set);
            assert_eq!(Bitmask::from_value(&mask.to_value()), Some(mask));
        }
    }

    #[test]
    fn text_that_is_not_a_mask_is_refused() {
        let of = |rle: &str| {
            Bitmask {
                width: 4,
                height: 3,
                top: 0,
                left: 0,
                rle: rle.to_owned(),
            }
            .to_pixels()
        };
        assert!(Bitmask::from_pixels(4, 3, &[true; 5]).is_err());
        for bad in ["ü", "P", "PPPPPPPPPPPPPPPPPP0", "=1", "O", " "] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert_eq!(of("").unwrap(), vec![false; 12]);
    }

    #[test]
    fn the_extent_is_that_of_the_pixels_however_its_runs_break() {
        let rows = [
            (&["....", "....", "...."][..], None),
            (&["....", ".#..", "...."][..], Some((1, [1, 1, 2, 2]))),
            (&["...#", "#...", "...."][..], Some((2, [0, 0, 4, 2]))),
            (&[".##.", ".#..", "..#."][..], Some((4, [1, 0, 3, 3]))),
            (&["####", "####", "####"][..], Some((12, [0, 0, 4, 3]))),
        ];
        for (rows, extent) in rows {
            let set: Vec<bool> = rows.concat().chars().map(|c| c == '#').collect();
            let mask = Bitmask::from_pixels(4, 3, &set).unwrap();
            assert_eq!(mask.extent().unwrap(), extent, "{rows:?}");
        }
    }
}
