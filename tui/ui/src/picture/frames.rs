//! On which frame each task is, and the line that names it.

use super::recent::Recent;
use wb_core::ids::TaskId;

/// Tasks whose frame is remembered.
const TASKS: usize = 512;
/// Frames that are decoded ahead.
const AHEAD: u64 = 8;

/// A move through the frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameStep {
    /// One on.
    Next,
    /// One back.
    Previous,
    /// To a number, from 0.
    To(u64),
}

#[derive(Clone, Copy, Debug)]
struct FrameAt {
    frame: u64,
    forward: bool,
}

/// The frames that were moved to.
#[derive(Debug)]
pub struct Frames {
    at: Recent<TaskId, FrameAt>,
}

impl Frames {
    pub const fn new() -> Self {
        Self {
            at: Recent::new(TASKS),
        }
    }

    /// The frame of a task: where a person went, else the first one worth seeing.
    pub fn of(&self, task: TaskId, first: Option<u64>) -> u64 {
        self.at
            .peek(&task)
            .map_or(first.unwrap_or(0), |at| at.frame)
    }

    /// Moves from the frame in sight; stays at the ends.
    pub fn go(&mut self, task: TaskId, from: u64, count: u64, step: FrameStep) {
        let last = count.saturating_sub(1);
        let frame = match step {
            FrameStep::Next => from.saturating_add(1).min(last),
            FrameStep::Previous => from.saturating_sub(1),
            FrameStep::To(frame) => frame.min(last),
        };
        let forward = step != FrameStep::Previous;
        self.at.put(task, FrameAt { frame, forward }, 1);
    }

    /// Frames that are probably wanted next, the nearest first: in the direction of travel, and the one behind.
    pub fn next(&self, task: TaskId, frame: u64, count: u64) -> impl Iterator<Item = u64> + use<> {
        let forward = self.at.peek(&task).is_none_or(|at| at.forward);
        // Until a person moves, only the two neighbours.
        let ahead = if self.at.peek(&task).is_some() {
            AHEAD
        } else {
            1
        };
        let on = move |n: u64| match forward {
            true => frame.checked_add(n),
            false => frame.checked_sub(n),
        };
        let behind = match forward {
            true => frame.checked_sub(1),
            false => frame.checked_add(1),
        };
        let ahead = (1..=ahead).filter_map(on);
        ahead.chain(behind).filter(move |frame| *frame < count)
    }
}

/// `frame 12 of 340 · 0.48 s`; frames count from 0, as in labels.
pub fn caption(frame: u64, count: u64, at_us: Option<i64>) -> String {
    let mut text = format!("frame {frame} of {count}");
    if let Some(us) = at_us {
        #[allow(clippy::cast_precision_loss)] // seconds for a person
        let seconds = us as f64 / 1e6;
        text.push_str(&format!(" · {seconds:.2} s"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_decoded_ahead_in_the_direction_of_travel() {
        let task = TaskId(uuid::Uuid::nil());
        let mut frames = Frames::new();
        assert_eq!(frames.of(task, Some(7)), 7);
        let next = |frames: &Frames, frame| frames.next(task, frame, 20).collect::<Vec<_>>();
        assert_eq!(next(&frames, 7), [8, 6]);
        frames.go(task, 7, 20, FrameStep::Next);
        assert_eq!(frames.of(task, Some(7)), 8);
        assert_eq!(next(&frames, 8), [9, 10, 11, 12, 13, 14, 15, 16, 7]);
        frames.go(task, 8, 20, FrameStep::Previous);
        assert_eq!(next(&frames, 2), [1, 0, 3]);
        frames.go(task, 7, 20, FrameStep::To(900));
        assert_eq!(frames.of(task, None), 19);
        assert_eq!(next(&frames, 19), [18]);
        frames.go(task, 0, 20, FrameStep::Previous);
        assert_eq!(frames.of(task, None), 0);
    }

    #[test]
    fn the_caption_has_the_number_as_labels_have_it_and_the_time() {
        assert_eq!(caption(12, 340, Some(480_000)), "frame 12 of 340 · 0.48 s");
        assert_eq!(caption(1, 3, None), "frame 1 of 3");
    }
}
