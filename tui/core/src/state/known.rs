//! What filters ask of label rows: read chunk by chunk, so that matches appear while the rest is read.

use super::*;
use crate::filter::{Asks, Known};

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
            asks: queue.asks(),
        })
    }

    /// What a person looks at is read as far as nothing else is being read.
    pub(super) fn know_rows(
        &mut self,
        stage: StageId,
        mut rows: Vec<crate::work::TaskRow>,
    ) -> Option<Effect> {
        let queue = self.queues.get_mut(&stage).filter(|q| !q.asking)?;
        rows.retain(|row| !queue.known.contains_key(&row.id));
        if rows.is_empty() {
            return None;
        }
        queue.asking = true;
        let asks = Asks {
            row: true,
            labels: false,
        };
        Some(Effect::Know { stage, rows, asks })
    }

    /// A chunk arrived.
    pub(super) fn known(&mut self, stage: StageId, rows: Vec<(TaskId, Known)>) -> Vec<Effect> {
        let (now, results) = (self.now, &self.results);
        if let Some(queue) = self.queues.get_mut(&stage) {
            queue.asking = false;
            queue.known.extend(rows);
            if queue.asks().any() {
                queue.refresh_view(now, results);
            }
        }
        self.know(stage).into_iter().collect()
    }
}
