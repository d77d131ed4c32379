//! Frames several at a time. Where they come from, and their order, are left to `frame`.

use super::Frame;
use crate::error::Result;

/// Frames several at a time, from any iterator of frames.
pub trait Batched<'t>: Iterator<Item = Result<Frame<'t>>> + Sized {
    /// The same frames, `size` at a time (0 counts as 1), the last batch with what is left. A frame that cannot be
    /// had is an error in the place of its batch, and ends it. Only the frames of the batches that are held cost
    /// memory.
    fn batches(self, size: usize) -> Batches<Self> {
        Batches {
            frames: Some(self),
            size: size.max(1),
        }
    }
}

impl<'t, I: Iterator<Item = Result<Frame<'t>>>> Batched<'t> for I {}

/// Frames several at a time; [`Batched::batches`] makes it.
#[derive(Debug)]
pub struct Batches<I> {
    /// `None` after the end or an error.
    frames: Option<I>,
    size: usize,
}

impl<'t, I: Iterator<Item = Result<Frame<'t>>>> Iterator for Batches<I> {
    type Item = Result<Vec<Frame<'t>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch: Result<Vec<_>> = self.frames.as_mut()?.take(self.size).collect();
        if batch.as_ref().map_or(true, |batch| batch.len() < self.size) {
            self.frames = None;
        }
        match batch {
            Ok(batch) if batch.is_empty() => None,
            batch => Some(batch),
        }
    }
}
