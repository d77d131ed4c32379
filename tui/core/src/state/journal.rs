//! The journal on screen: read, looked at, taken back. Reading and writing are left to the runtime.

use super::*;
use crate::journal::{JournalEvent, Op, OpenOp, Restore, Settled, Undoing, Undone};
use crate::ledger::Recovery;

impl State {
    pub(super) fn open_op(&mut self, id: i64) -> Vec<Effect> {
        if self.journal.open.as_ref().is_some_and(|o| o.id == id) {
            return Vec::new();
        }
        self.journal.open = Some(OpenOp {
            id,
            entries: None,
            undo: Undoing::No,
        });
        vec![Effect::OpenOp(id)]
    }

    /// Reads the journal, then what an undo of the newest operation that stands would restore.
    pub(super) fn undo_newest(&mut self) -> Vec<Effect> {
        self.journal.undo_newest = true;
        vec![Effect::Journal]
    }

    /// Asks what an undo would restore. That only reads.
    pub(super) fn review_undo(&mut self, id: i64) -> Vec<Effect> {
        let mut effects = self.open_op(id);
        if let Some(open) = &mut self.journal.open
            && !matches!(open.undo, Undoing::Looking | Undoing::Writing)
        {
            open.undo = Undoing::Looking;
            effects.extend(self.begin_undo_review(id));
        }
        effects
    }

    pub(super) fn undo_reviewed(
        &mut self,
        op: i64,
        result: Result<Vec<Restore>, Error>,
    ) -> Vec<Effect> {
        if let Some(open) = self.opened(op) {
            open.undo = match result {
                Ok(restores) => Undoing::Reviewed(restores),
                Err(error) => Undoing::Failed(error),
            };
        }
        Vec::new()
    }

    /// Takes an operation back; on screen only after a review of what that restores.
    pub(super) fn undo(&mut self, id: i64) -> Vec<Effect> {
        if !self.options.screen {
            return self.begin_undo(id);
        }
        if let Err(why) = self.may_write() {
            self.warn(Kind::Error, why, None);
            return Vec::new();
        }
        let open = self.journal.open.as_mut().filter(|o| o.id == id);
        let Some(open) = open.filter(|o| matches!(o.undo, Undoing::Reviewed(_))) else {
            return Vec::new();
        };
        open.undo = Undoing::Writing;
        self.begin_undo(id)
    }

    pub(super) fn journal_news(&mut self, news: JournalEvent) -> Vec<Effect> {
        match news {
            JournalEvent::Ops(Ok(ops)) => {
                self.journal.ops = Some(ops);
                self.journal.error = None;
                return self.journal_read();
            }
            JournalEvent::Ops(Err(error)) => self.journal.error = Some(error),
            JournalEvent::Entries { op, result } => {
                if let Some(open) = self.opened(op) {
                    open.entries = Some(result);
                }
            }
            JournalEvent::Interrupted(ops) => self.unfinished(&ops),
            JournalEvent::Closed { operation, number } => self.figures.numbered(operation, number),
        }
        Vec::new()
    }

    /// The operations are here: one of them is looked at.
    fn journal_read(&mut self) -> Vec<Effect> {
        let ops = self.journal.ops.as_deref().unwrap_or_default();
        let stands =
            |op: &&Op| op.here && op.kind != "undo" && op.unanswered() == 0 && op.standing() > 0;
        let newest = ops.iter().find(stands).map(|op| op.id);
        let first = ops.first().map(|op| op.id);
        if std::mem::take(&mut self.journal.undo_newest)
            && let Some(id) = newest
        {
            return self.review_undo(id);
        }
        match (&self.journal.open, first) {
            (None, Some(id)) => self.open_op(id),
            _ => Vec::new(),
        }
    }

    /// Sends what had begun and has no answer, unless this process writes something itself.
    pub(super) fn finish_interrupted(&mut self) -> Vec<Effect> {
        let why = self.may_write().err().or_else(|| {
            let busy = "something runs: finish what was interrupted once it is over";
            self.busy().then(|| busy.to_owned())
        });
        if let Some(why) = why {
            self.warn(Kind::Error, why, None);
            return Vec::new();
        }
        self.journal.finishing = true;
        self.begin_recovery(Recovery::of_the_screen())
    }

    pub(super) fn recovered(&mut self, result: Result<Settled, Error>) -> Vec<Effect> {
        self.journal.finishing = false;
        match result {
            Ok(settled) => {
                let Settled {
                    found, finished, ..
                } = settled;
                let mut text = format!("{finished} of {found} interrupted writes are finished");
                for line in settled.lines().iter().skip(1) {
                    text.push_str(" · ");
                    text.push_str(line);
                }
                self.note(Kind::Commit, finished < found, text, None);
            }
            Err(error) => self.complain(&error),
        }
        let mut effects = vec![Effect::Journal];
        effects.extend(self.journal.open.as_ref().map(|o| Effect::OpenOp(o.id)));
        effects.extend(self.list_all());
        effects
    }

    fn opened(&mut self, op: i64) -> Option<&mut OpenOp> {
        self.journal.open.as_mut().filter(|o| o.id == op)
    }

    /// An undo ended: what was read of the journal and of the queues is out of date.
    pub(super) fn undone(&mut self, op: i64, result: Result<Undone, Error>) -> Vec<Effect> {
        match &result {
            Ok(done) => {
                self.figures.taken_back(op, done.restored);
                let bad = !done.left.is_empty() || !done.failed.is_empty();
                let mut text = format!("operation {op} taken back, restored: {}", done.restored);
                if let Some((title, why)) = done.left.first() {
                    text.push_str(&format!(
                        " · {} left, changed since, first {title}: {why}",
                        done.left.len()
                    ));
                }
                if let Some((title, why)) = done.failed.first() {
                    text.push_str(&format!(
                        " · {} refused, first {title}: {why}",
                        done.failed.len()
                    ));
                }
                self.note(Kind::Commit, bad, text, None);
            }
            Err(error) => self.complain(error),
        }
        if let Some(open) = self.opened(op) {
            open.undo = match result {
                Ok(done) => Undoing::Over(done),
                Err(error) => Undoing::Failed(error),
            };
        }
        let mut effects = vec![Effect::Journal, Effect::OpenOp(op)];
        effects.extend(self.list_all());
        effects
    }
}
