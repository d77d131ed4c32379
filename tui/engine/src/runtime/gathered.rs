//! Rows that outcomes name and their agents were not given: those that are wanted while others are being read are read
//! together afterwards, so that their number costs few requests.
//!
//! How rows of one kind are read is left to `around`.

use super::around::RowKind;
use super::calls::Answers;
use super::replies::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use wb_core::patch::{FurtherInput, WantedRow};

/// Reads of one kind at the same time.
const AT_ONCE: usize = 4;
/// Rows of one read, which may be large.
const TOGETHER: usize = 100;

/// Rows that wait, by their kind.
pub(super) type Gathered = Arc<Mutex<HashMap<RowKind, Waiting>>>;

/// Rows of one kind.
#[derive(Default)]
pub(super) struct Waiting {
    rows: Vec<(WantedRow, oneshot::Sender<FurtherInput>)>,
    /// Readers that are active.
    readers: usize,
}

impl Answers {
    /// What was read of these rows of one kind, together with those of other outcomes.
    pub(super) async fn gathered(&self, kind: RowKind, rows: Vec<WantedRow>) -> Vec<FurtherInput> {
        let (answers, starts) = {
            let mut waiting = lock(&self.gathered);
            let waiting = waiting.entry(kind.clone()).or_default();
            let answers = rows.into_iter().map(|row| {
                let (answer, answered) = oneshot::channel();
                waiting.rows.push((row, answer));
                answered
            });
            let answers: Vec<_> = answers.collect();
            let starts = waiting.readers < AT_ONCE;
            waiting.readers += usize::from(starts);
            (answers, starts)
        };
        if starts {
            tokio::spawn(self.clone().read_waiting(kind));
        }
        let mut found = Vec::with_capacity(answers.len());
        for answer in answers {
            // One that is missing is refused as not read.
            found.extend(answer.await);
        }
        found
    }

    /// Reads what waits, until nothing does.
    async fn read_waiting(self, kind: RowKind) {
        while let Some((rows, answers)) = self.next(&kind) {
            let (this, of) = (self.clone(), kind.clone());
            // A panic costs these rows and not those that wait.
            let read = tokio::spawn(async move { this.further_rows(of, rows).await });
            for (input, answer) in read.await.into_iter().flatten().zip(answers) {
                // Nobody waits where the run is over.
                let _ = answer.send(input);
            }
        }
    }

    fn next(&self, kind: &RowKind) -> Option<(Vec<WantedRow>, Vec<oneshot::Sender<FurtherInput>>)> {
        let mut all = lock(&self.gathered);
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
