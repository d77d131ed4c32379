//! The output of agents, cut into lines and capped, so that a hundred megabytes of it cost nothing.

use std::collections::VecDeque;
use wb_core::secret;

/// Longest line that is kept, in bytes.
pub(crate) const LINE: usize = 8 << 10;
/// Most that is kept of what one task prints, and as much again of what it logs, in bytes; a line counts 64 more.
pub(crate) const PER_TASK: usize = 1 << 20;
const LINE_COST: usize = 64;
const TAIL: usize = 12;
/// What is read of a line past [`LINE`]: a key that is cut there is still known to be one.
const BEYOND: usize = 8 << 10;

/// What may still be kept of the task's output.
pub(crate) struct Budget {
    left: usize,
    dropped: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: PER_TASK,
            dropped: 0,
        }
    }
}

impl Budget {
    /// Takes room for a line, or counts it as dropped.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let cost = bytes + LINE_COST;
        if self.dropped == 0 && cost <= self.left {
            self.left -= cost;
            return true;
        }
        self.dropped += bytes as u64 + 1; // its newline
        false
    }

    /// Whether nothing more will be kept.
    pub(crate) fn spent(&self) -> bool {
        self.dropped > 0
    }

    /// Counts bytes that were not even looked at.
    pub(crate) fn drop_bytes(&mut self, bytes: usize) {
        self.dropped += bytes as u64;
    }

    /// Begins a new task; returns the line that reports what the last one lost of this.
    pub(crate) fn renew(&mut self, what: &str) -> Option<String> {
        let dropped = std::mem::take(self).dropped;
        (dropped > 0).then(|| format!("… {dropped} more bytes {what} were dropped"))
    }
}

/// One stream, line by line.
#[derive(Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    cut: usize,
    /// The line before, without secrets.
    before: String,
    /// The last lines, dropped ones included: the last words of a crash.
    tail: VecDeque<String>,
}

impl Lines {
    /// Takes what was read; calls `sink` for each kept line.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        budget: &mut Budget,
        sink: &mut dyn FnMut(String),
    ) {
        if budget.spent() {
            // Only the last part is worth splitting: it may hold the last words.
            let skip = bytes.len().saturating_sub(4096);
            budget.drop_bytes(skip);
            bytes = &bytes[skip..];
        }
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.append(&bytes[..end]);
            self.finish(budget, sink);
            bytes = &bytes[end + 1..];
        }
        self.append(bytes);
    }

    /// Ends a line that has no newline.
    pub(crate) fn flush(&mut self, budget: &mut Budget, sink: &mut dyn FnMut(String)) {
        if !self.partial.is_empty() {
            self.finish(budget, sink);
        }
    }

    /// The last lines, oldest first.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// Forgets the last lines: they belong to another task.
    pub(crate) fn forget(&mut self) {
        self.tail.clear();
        self.before.clear();
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = (LINE + BEYOND).saturating_sub(self.partial.len());
        let kept = bytes.len().min(room);
        self.partial.extend_from_slice(&bytes[..kept]);
        self.cut += bytes.len() - kept;
    }

    fn finish(&mut self, budget: &mut Budget, sink: &mut dyn FnMut(String)) {
        let bytes = self
            .partial
            .strip_suffix(b"\r")
            .unwrap_or(self.partial.as_slice());
        let text = String::from_utf8_lossy(bytes);
        let mut line = secret::clean_after(&self.before, &text).into_owned();
        if line.len() > LINE {
            let mut kept = LINE;
            while !line.is_char_boundary(kept) {
                kept -= 1;
            }
            self.cut += line.len() - kept;
            line.truncate(kept);
        }
        line.clone_into(&mut self.before);
        if self.cut > 0 {
            line.push_str(&format!(" … {} more bytes in this line", self.cut));
        }
        self.partial.clear();
        self.cut = 0;
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.chars().take(400).collect());
        if budget.take(line.len()) {
            sink(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(chunks: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let (mut lines, mut budget) = (Lines::default(), Budget::default());
        let mut kept = Vec::new();
        for chunk in chunks {
            lines.push(chunk, &mut budget, &mut |l| kept.push(l));
        }
        lines.flush(&mut budget, &mut |l| kept.push(l));
        (kept, budget.renew("printed"))
    }

    #[test]
    fn lines_survive_any_cutting() {
        let (kept, lost) = collect(&[b"one\r\ntw", b"o\n\nthree"]);
        assert_eq!(kept, ["one", "two", "", "three"]);
        assert_eq!(lost, None);
    }

    #[test]
    fn a_long_line_is_cut_with_a_note_of_how_much() {
        let long = vec![b'x'; LINE + 10];
        let (kept, _) = collect(&[&long, b"\nafter\n"]);
        assert!(kept[0].ends_with("x … 10 more bytes in this line"));
        assert_eq!(kept[1], "after");
    }

    #[test]
    fn a_key_goes_whole_where_its_line_is_cut_and_on_the_line_below_its_name() {
        let mut long = vec![b'x'; LINE - 20];
        long.extend(b" Bearer geheim1234567890geheim");
        let (kept, _) = collect(&[&long, b"\n(\n  \"x-api-key\",\n  \"geh", b"eim\",\n)\n"]);
        assert!(!kept.concat().contains("geh"), "{kept:?}");
        assert_eq!(kept[1..], ["(", "  \"x-api-key\",", "  \"…\",", ")"]);
    }

    #[test]
    fn what_a_task_prints_is_capped_and_every_dropped_byte_is_counted() {
        let line = [b'y'; 1023];
        let mut text = Vec::new();
        for _ in 0..10_000 {
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        let chunks: Vec<&[u8]> = text.chunks(65_536).collect();
        let (kept, lost) = collect(&chunks);
        let bytes: usize = kept.iter().map(|l| l.len() + 1).sum();
        assert!(bytes <= PER_TASK && bytes > PER_TASK * 9 / 10);
        let missing = text.len() - bytes;
        assert_eq!(
            lost,
            Some(format!("… {missing} more bytes printed were dropped"))
        );
    }
}
