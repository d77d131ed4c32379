//! Pictures: one frame, and the frames of a video or an image group.
//!
//! Decoding is left to the host; a frame is a window onto its memory for as long as it is held.

use super::{Batched, Batches, BoundingBox};
use crate::error::{Context, Error, Result};
use crate::inject::{RawFrame, Source};
use std::collections::BTreeSet;
use std::fmt;

/// A decoded picture, RGB8. It borrows the host's memory and gives it back when it is dropped.
pub struct Frame<'t> {
    raw: RawFrame<'t>,
    source: &'t dyn Source,
}

impl<'t> Frame<'t> {
    pub(crate) fn new(raw: RawFrame<'t>, source: &'t dyn Source) -> Result<Self> {
        let row = raw.width as usize * 3;
        let stride = raw.stride as usize;
        let wanted = if raw.height == 0 {
            0
        } else {
            stride * (raw.height as usize - 1) + row
        };
        if raw.width == 0 || raw.height == 0 || stride < row || raw.data.len() < wanted {
            let text = format!(
                "frame {}: {} bytes are not a picture of {}x{} with {stride} bytes per row",
                raw.index,
                raw.data.len(),
                raw.width,
                raw.height
            );
            source.release(raw.handle);
            return Err(Error::new(text));
        }
        Ok(Self { raw, source })
    }

    /// Pixels per row.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.raw.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.raw.height
    }

    /// Number of the frame as Encord counts it, from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.raw.index
    }

    /// Seconds from the start; 0 for stills.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // 2^53 microseconds are 285 years
        let micros = self.raw.pts_us as f64;
        micros / 1e6
    }

    /// Bytes from one row to the next in [`Frame::data`].
    #[must_use]
    pub fn stride(&self) -> u32 {
        self.raw.stride
    }

    /// All bytes: rows of `stride` bytes, three per pixel, red first.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.raw.data
    }

    /// One row without its padding: `width * 3` bytes. Panics when `y` is not below the height.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u8] {
        assert!(
            y < self.raw.height,
            "row {y} of a picture with {} rows",
            self.raw.height
        );
        let start = y as usize * self.raw.stride as usize;
        &self.raw.data[start..start + self.raw.width as usize * 3]
    }

    /// Red, green, blue. Panics outside the picture.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let row = self.row(y);
        let at = x as usize * 3;
        [row[at], row[at + 1], row[at + 2]]
    }

    /// Brightness of one pixel, 0 to 255 (Rec. 601 weights). Panics outside the picture.
    #[must_use]
    pub fn luma(&self, x: u32, y: u32) -> u8 {
        let [r, g, b] = self.pixel(x, y).map(u32::from);
        ((299 * r + 587 * g + 114 * b) / 1000) as u8
    }

    /// Mean brightness of the whole picture, 0 to 255.
    #[must_use]
    pub fn mean_luma(&self) -> f64 {
        let mut sum = [0u64; 3];
        for y in 0..self.raw.height {
            for pixel in self.row(y).chunks_exact(3) {
                for (total, value) in sum.iter_mut().zip(pixel) {
                    *total += u64::from(*value);
                }
            }
        }
        #[allow(clippy::cast_precision_loss)] // sums of bytes
        let [r, g, b] = sum.map(|total| total as f64);
        (0.299 * r + 0.587 * g + 0.114 * b)
            / (f64::from(self.raw.width) * f64::from(self.raw.height))
    }

    /// A copy of the part under a box, at least one pixel.
    #[must_use]
    pub fn crop(&self, part: &BoundingBox) -> Picture {
        let edge = |at: f64, size: u32| ((at * f64::from(size)).round() as u32).min(size);
        let (w, h) = (self.raw.width, self.raw.height);
        let (left, top) = (edge(part.x, w).min(w - 1), edge(part.y, h).min(h - 1));
        let (right, bottom) = (
            edge(part.x + part.w, w).max(left + 1),
            edge(part.y + part.h, h).max(top + 1),
        );
        let mut data = Vec::with_capacity(((right - left) * (bottom - top) * 3) as usize);
        for y in top..bottom {
            data.extend_from_slice(&self.row(y)[left as usize * 3..right as usize * 3]);
        }
        Picture {
            width: right - left,
            height: bottom - top,
            data,
        }
    }

    /// A copy that outlives the task.
    #[must_use]
    pub fn to_picture(&self) -> Picture {
        self.crop(&BoundingBox {
            x: 0.0,
            y: 0.0,
            w: 1.0,
            h: 1.0,
        })
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        self.source.release(self.raw.handle);
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Frame({}, {}x{})",
            self.raw.index, self.raw.width, self.raw.height
        )
    }
}

/// A picture of one's own: RGB8, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub data: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    #[must_use]
    pub fn filled(width: u32, height: u32, color: [u8; 3]) -> Self {
        Self {
            width,
            height,
            data: color.repeat(width as usize * height as usize),
        }
    }

    /// The same with a filled rectangle in pixels; what lies outside is left away.
    #[must_use]
    pub fn with_rect(mut self, x: u32, y: u32, w: u32, h: u32, color: [u8; 3]) -> Self {
        for row in y..(y + h).min(self.height) {
            for column in x..(x + w).min(self.width) {
                let at = (row as usize * self.width as usize + column as usize) * 3;
                self.data[at..at + 3].copy_from_slice(&color);
            }
        }
        self
    }
}

/// The frames of the task's data: of a video by number, of an image group one by one, of an image one. With
/// `#[part("…")]` those of a part of a data group.
#[derive(Clone, Copy)]
pub struct Frames<'t> {
    source: &'t dyn Source,
    len: Option<u64>,
    /// The file of a group that they are of.
    child: Option<u64>,
}

impl<'t> Frames<'t> {
    pub(crate) fn new(source: &'t dyn Source, len: Option<u64>) -> Self {
        Self {
            source,
            len,
            child: None,
        }
    }

    /// Those of one file of a group.
    pub(crate) fn child(&self, child: u64, len: Option<u64>) -> Self {
        Self {
            source: self.source,
            len,
            child: Some(child),
        }
    }

    /// How many there are, where the platform has the number.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        self.len
    }

    /// Whether there are none, according to the platform.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == Some(0)
    }

    /// Frame `index`; `None` past the end.
    ///
    /// # Errors
    /// When it cannot be decoded; the text includes why.
    pub fn get(&self, index: u64) -> Result<Option<Frame<'t>>> {
        let raw = match self.child {
            None => self.source.frame(index),
            Some(child) => self.source.child_frame(child, index),
        };
        let raw = raw.map_err(Error::new).context(format!("frame {index}"))?;
        raw.map(|raw| Frame::new(raw, self.source)).transpose()
    }

    /// All frames in order. Each is given back when it is dropped, so only what is held costs memory.
    #[must_use]
    pub fn iter(&self) -> Walk<'t> {
        self.every(1)
    }

    /// Frame 0 and every `step`-th after it; 0 counts as 1.
    #[must_use]
    pub fn every(&self, step: u64) -> Walk<'t> {
        Walk {
            frames: *self,
            next: 0,
            step: step.max(1),
            done: false,
        }
    }

    /// All frames in order, `size` at a time, for a model that takes several at once; the last batch may be
    /// smaller. [`Batched::batches`] does the same for `every`, `sample` and `at`.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # fn detect(frames: Frames<'_>) -> Result<()> {
    /// for batch in frames.batches(8) {
    ///     let batch = batch?;
    ///     info!("frames {} and {} more", batch[0].index(), batch.len() - 1);
    /// }
    /// for batch in frames.sample(0.5)?.batches(8) {
    ///     let _ = batch?.len();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn batches(&self, size: usize) -> Batches<Walk<'t>> {
        self.iter().batches(size)
    }

    /// A share of the frames: 1.0 is all, 0.5 every second one (`int(k / rate)`, as the Python sampler
    /// counts them).
    ///
    /// # Errors
    /// When the rate is not above 0 and at most 1.
    pub fn sample(&self, rate: f64) -> Result<impl Iterator<Item = Result<Frame<'t>>> + use<'t>> {
        if !(rate > 0.0 && rate <= 1.0) {
            return Err(Error::new(format!(
                "a sampling rate is above 0 and at most 1, not {rate}"
            ))
            .permanent());
        }
        let frames = *self;
        let mut k = 0u32;
        Ok(std::iter::from_fn(move || {
            let index = (f64::from(k) / rate) as u64;
            k += 1;
            frames.get(index).transpose()
        })
        .fuse())
    }
}

impl<'t> Frames<'t> {
    /// The frames of a list, in ascending order, each once; one past the end is an error.
    pub fn at<N: IntoIterator<Item = u64>>(
        &self,
        numbers: N,
    ) -> impl Iterator<Item = Result<Frame<'t>>> + use<'t, N> {
        let numbers: BTreeSet<u64> = numbers.into_iter().collect();
        let frames = *self;
        numbers.into_iter().map(move |number| {
            let frame = frames.get(number)?;
            frame.context(format!("there is no frame {number}"))
        })
    }
}

impl<'t> IntoIterator for &Frames<'t> {
    type Item = Result<Frame<'t>>;
    type IntoIter = Walk<'t>;
    fn into_iter(self) -> Walk<'t> {
        self.iter()
    }
}

impl<'t> IntoIterator for Frames<'t> {
    type Item = Result<Frame<'t>>;
    type IntoIter = Walk<'t>;
    fn into_iter(self) -> Walk<'t> {
        self.iter()
    }
}

impl fmt::Debug for Frames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frames({:?})", self.len)
    }
}

/// Frames in order; ends past the last one and after an error.
pub struct Walk<'t> {
    frames: Frames<'t>,
    next: u64,
    step: u64,
    done: bool,
}

impl<'t> Iterator for Walk<'t> {
    type Item = Result<Frame<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let found = self.frames.get(self.next).transpose();
        self.next += self.step;
        self.done = !matches!(found, Some(Ok(_)));
        found
    }
}
