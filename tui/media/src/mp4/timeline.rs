//! Which samples are shown, in which order and when: presentation order with edits applied.
//! Frame N of a video is entry N of this list, whatever order a decoder gives pictures in.
//! Leaves to others: decoding.

use super::boxes::{Malformed, Parsed};
use super::track::{EditEntry, Track};

/// In `Timeline::frame_of`: the sample is decoded for others and never shown.
pub(crate) const NOT_SHOWN: u32 = u32::MAX;

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownFrame {
    /// Index into the track's samples.
    pub sample: u32,
    /// Presentation time in units of the track's timescale.
    pub pts: i64,
}

/// The frames of a track.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// Frame number to sample.
    pub shown: Vec<ShownFrame>,
    /// Sample to (first) frame number, or `NOT_SHOWN`.
    pub frame_of: Vec<u32>,
}

impl Timeline {
    /// # Errors
    /// `Malformed` when the edits are beyond reason or show nothing of what is there.
    pub(super) fn new(track: &Track, movie_timescale: u32, fragmented: bool) -> Parsed<Self> {
        let count = u32::try_from(track.samples.len())
            .map_err(|_| Malformed::new("it has too many samples"))?;
        let mut order: Vec<u32> = (0..count).collect();
        let cts = |i: u32| track.samples[i as usize].cts;
        // Stable: equal times keep decode order.
        order.sort_by_key(|i| cts(*i));
        let shown = if track.edits.iter().any(|e| e.media_time >= 0) {
            apply(&order, track, movie_timescale, fragmented)?
        } else {
            let delay = pauses(&track.edits, track.timescale, movie_timescale);
            order
                .iter()
                .map(|i| ShownFrame {
                    sample: *i,
                    pts: cts(*i).saturating_add(delay),
                })
                .collect()
        };
        if shown.is_empty() && count > 0 {
            return Err(Malformed::new("its edit list shows none of its samples"));
        }
        let mut frame_of = vec![NOT_SHOWN; track.samples.len()];
        for (frame, entry) in shown.iter().enumerate().rev() {
            frame_of[entry.sample as usize] = u32::try_from(frame).unwrap_or(NOT_SHOWN);
        }
        Ok(Self { shown, frame_of })
    }
}

/// A movie duration in the track's units, rounded to nearest.
fn rescale(duration: u64, timescale: u32, movie_timescale: u32) -> i64 {
    let movie = u128::from(movie_timescale.max(1));
    let scaled = (u128::from(duration) * u128::from(timescale) + movie / 2) / movie;
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

fn pauses(edits: &[EditEntry], timescale: u32, movie_timescale: u32) -> i64 {
    let total = edits
        .iter()
        .fold(0u64, |sum, e| sum.saturating_add(e.duration));
    rescale(total, timescale, movie_timescale)
}

fn apply(
    order: &[u32],
    track: &Track,
    movie_timescale: u32,
    fragmented: bool,
) -> Parsed<Vec<ShownFrame>> {
    let cts = |i: u32| track.samples[i as usize].cts;
    // An edit list may repeat stretches; beyond a few times over it is an attack on memory.
    let limit = order.len().saturating_mul(4).max(1 << 10);
    let mut shown = Vec::with_capacity(order.len());
    let mut clock = 0u64;
    // A fragmented file's only edit was written before its length was known.
    let open_end = fragmented && track.edits.iter().filter(|e| e.media_time >= 0).count() == 1;
    for edit in &track.edits {
        let start = rescale(clock, track.timescale, movie_timescale);
        clock = clock.saturating_add(edit.duration);
        if edit.media_time < 0 {
            continue;
        }
        let end = if edit.duration == 0 || open_end {
            i64::MAX
        } else {
            let length = rescale(edit.duration, track.timescale, movie_timescale);
            edit.media_time.saturating_add(length)
        };
        let from = order.partition_point(|i| cts(*i) < edit.media_time);
        let to = order.partition_point(|i| cts(*i) < end).max(from);
        if shown.len() + (to - from) > limit {
            return Err(Malformed::new(
                "its edit list repeats the video many times over",
            ));
        }
        let moved = start.saturating_sub(edit.media_time);
        shown.extend(order[from..to].iter().map(|i| ShownFrame {
            sample: *i,
            pts: cts(*i).saturating_add(moved),
        }));
    }
    Ok(shown)
}
