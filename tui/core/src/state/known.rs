//! What filters ask of label rows: read chunk by chunk, so that matches appear while the rest is read.

use super::*;
use crate::filter::Known;

/// Tasks whose label rows are read at a time, at least.
const CHUNK: usize = 600;
/// At most about so many chunks, since each costs a look at the whole queue.
const CHUNKS: usize = 50;

impl State {
    /// The next chunk that the filter of a queue needs; nothing while one is under way.
    pub(super) fn know(&mut self, stage: StageId) -> Option<Effect> {
        let queue = self.queues.get_mut(&stage)?;
        if queue.asking {
            return None;
        }
        let rows = queue.unknown(
            CHUNK.max(queue.rows.len() / CHUNKS),
            self.now,
            &self.results,
        );
        if rows.is_empty() {
            return None;
        }
        queue.asking = true;
        Some(Effect::Know {
            stage,
            rows,
            asks: queue.filter.asks(),
        })
    }

    /// A chunk arrived.
    pub(super) fn known(&mut self, stage: StageId, rows: Vec<(TaskId, Known)>) -> Vec<Effect> {
        let (now, results) = (self.now, &self.results);
        if let Some(queue) = self.queues.get_mut(&stage) {
            queue.asking = false;
            queue.known.extend(rows);
            queue.refresh_view(now, results);
        }
        self.know(stage).into_iter().collect()
    }
}
