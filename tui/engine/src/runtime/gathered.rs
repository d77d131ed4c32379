//! Rows that outcomes name and their agents were not given, in the order in which they are wanted: those that are wanted
//! while others are being read are read together afterwards.
//!
//! How they are read is left to `around`.

use super::replies::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use wb_core::ids::ProjectHash;
use wb_core::patch::{FurtherInput, WantedRow};

/// Reads of one kind at the same time.
const AT_ONCE: usize = 4;
/// Rows of one read, which may be large.
const TOGETHER: usize = 100;

/// Rows that are read with the same requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RowKind {
    pub(super) project: ProjectHash,
    pub(super) branch: Arc<str>,
    /// Whether their tasks are read, and not their labels.
    pub(super) tasks: bool,
}

/// Rows that wait, by their kind.
#[derive(Clone, Default)]
pub(super) struct Gathered(Arc<Mutex<HashMap<RowKind, GatheredRows>>>);

/// Rows of one kind.
#[derive(Default)]
struct GatheredRows {
    rows: Vec<(WantedRow, oneshot::Sender<FurtherInput>)>,
    /// Readers that are active.
    readers: usize,
}

impl Gathered {
    /// Adds rows; their answers, and whether the caller starts another reader.
    pub(super) fn add(
        &self,
        kind: RowKind,
        rows: Vec<WantedRow>,
    ) -> (Vec<oneshot::Receiver<FurtherInput>>, bool) {
        let mut all = lock(&self.0);
        let waiting = all.entry(kind).or_default();
        let answers = rows.into_iter().map(|row| {
            let (answer, answered) = oneshot::channel();
            waiting.rows.push((row, answer));
            answered
        });
        let answers = answers.collect();
        let starts = waiting.readers < AT_ONCE;
        waiting.readers += usize::from(starts);
        (answers, starts)
    }

    /// What a reader reads next, each with its answer; `None`: the reader ends.
    pub(super) fn next(
        &self,
        kind: &RowKind,
    ) -> Option<(Vec<WantedRow>, Vec<oneshot::Sender<FurtherInput>>)> {
        let mut all = lock(&self.0);
        let waiting = all.get_mut(kind)?;
        if waiting.rows.is_empty() {
            waiting.readers -= 1;
            if waiting.readers == 0 {
                all.remove(kind);
            }
            return None;
        }
        let many = waiting.rows.len().min(TOGETHER);
        Some(waiting.rows.drain(..many).unzip())
    }
}
