//! Decoded pictures near the frame requested last: pictures that are decoded before they are shown,
//! and pictures that a person may step back to.
//! Leaves to others: what to decode.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::h264::DecodedPicture;

/// Memory for decoded pictures in bytes: a whole group of pictures of a small video, 20 frames of 1080p.
const BUDGET: usize = 64 << 20;

/// Pictures by frame number.
pub(super) struct Cache {
    pictures: BTreeMap<u32, Arc<DecodedPicture>>,
    bytes: usize,
    /// Frames after the target that are never evicted, so that playing in order decodes each frame once.
    ahead: u32,
}

impl Cache {
    /// `ahead`: how many pictures a decoder may hold that are shown later.
    pub(super) fn new(ahead: u32) -> Self {
        Self {
            pictures: BTreeMap::new(),
            bytes: 0,
            ahead,
        }
    }

    pub(super) fn get(&self, frame: u32) -> Option<Arc<DecodedPicture>> {
        self.pictures.get(&frame).cloned()
    }

    /// Keeps a picture and evicts those farthest from `target`.
    pub(super) fn insert(&mut self, frame: u32, picture: Arc<DecodedPicture>, target: u32) {
        self.bytes += picture.bytes();
        if let Some(old) = self.pictures.insert(frame, picture) {
            self.bytes -= old.bytes();
        }
        let enough = self.ahead as usize + 2;
        while self.bytes > BUDGET && self.pictures.len() > enough {
            let first = self.pictures.first_key_value().map_or(target, |(k, _)| *k);
            let last = self.pictures.last_key_value().map_or(target, |(k, _)| *k);
            let behind = target.saturating_sub(first);
            let beyond = last.saturating_sub(target).saturating_sub(self.ahead);
            let gone = if beyond > behind {
                self.pictures.pop_last()
            } else {
                self.pictures.pop_first()
            };
            self.bytes -= gone.map_or(0, |(_, old)| old.bytes());
        }
    }
}

/// The most pictures that are decoded and not yet shown when frames are taken in order.
/// `shown` gives the samples, numbered in decode order, in presentation order.
pub(super) fn reorder_depth(shown: impl Iterator<Item = u32> + Clone) -> u32 {
    let mut decoded: Vec<u32> = shown.clone().collect();
    decoded.sort_unstable();
    let mut newest = 0;
    let mut depth = 0;
    for (frame, sample) in shown.enumerate() {
        newest = newest.max(sample);
        let through = decoded.partition_point(|s| *s <= newest);
        depth = depth.max(through - (frame + 1).min(through));
    }
    // H.264 allows 16 pictures; a table that claims more gets no more memory.
    u32::try_from(depth).unwrap_or(u32::MAX).min(16)
}
