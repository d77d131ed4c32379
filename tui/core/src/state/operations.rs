//! Operations under way: committing outcomes, undoing an operation, applying a plan, finishing what was interrupted.
//! The machines of the ledger decide; what they ask for goes out as effects.

use super::*;
use crate::event::{JournalOperation, OperationEnd};
use crate::journal::Restore;
use crate::ledger::{
    Apply, Commit, Machine, Next, Operation, OperationStep, Recovery, Reply, TaskReport, Undo,
    UndoReview,
};
use crate::work::Change;

/// An operation under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OperationUnderWay {
    machine: OperationMachine,
    /// What its writes are noted under; `None`: the operation of this process.
    under: Option<Arc<JournalOperation>>,
}

#[derive(Clone, Debug, PartialEq)]
enum OperationMachine {
    Commit(BatchId, Vec<TaskId>, Box<Commit>),
    Undo(Box<Undo>),
    Apply(Box<Apply>),
    Recovery(Box<Recovery>),
    UndoReview(i64, Box<UndoReview>),
}

/// What a machine asked for and reported, and its end.
type Step = OperationStep<OperationEnd>;

impl OperationMachine {
    fn start(&mut self) -> Step {
        match self {
            Self::Undo(undo) => {
                let op = undo.op();
                with_end(undo.start(), |result| OperationEnd::Undone { op, result })
            }
            Self::Apply(apply) => with_end(apply.start(), OperationEnd::Applied),
            Self::Commit(batch, tasks, commit) => committed(*batch, tasks, commit.start()),
            Self::Recovery(recovery) => of_machine(recovery.start(), OperationEnd::Recovered),
            Self::UndoReview(op, review) => reviewed(*op, review.start()),
        }
    }

    fn on(&mut self, lane: usize, reply: Reply) -> Step {
        match self {
            Self::Undo(undo) => {
                let op = undo.op();
                with_end(undo.on(lane, reply), |result| OperationEnd::Undone {
                    op,
                    result,
                })
            }
            Self::Apply(apply) => with_end(apply.on(lane, reply), OperationEnd::Applied),
            Self::Commit(batch, tasks, commit) => committed(*batch, tasks, commit.on(reply)),
            Self::Recovery(recovery) => of_machine(recovery.on(reply), OperationEnd::Recovered),
            Self::UndoReview(op, review) => reviewed(*op, review.on(reply)),
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Undo(undo) => undo.stop(),
            Self::Apply(apply) => apply.stop(),
            // What had begun is finished.
            Self::Commit(..) | Self::Recovery(_) | Self::UndoReview(..) => {}
        }
    }
}

fn with_end<T>(step: OperationStep<T>, end: impl FnOnce(Result<T, Error>) -> OperationEnd) -> Step {
    OperationStep {
        requests: step.requests,
        reports: step.reports,
        over: step.over.map(|result| Ok(end(result))),
    }
}

fn of_machine<T>(next: Next<T>, end: impl FnOnce(Result<T, Error>) -> OperationEnd) -> Step {
    match next {
        Next::Ask(request) => Step {
            requests: vec![(0, request)],
            ..Step::default()
        },
        Next::Over(result) => Step {
            over: Some(Ok(end(result))),
            ..Step::default()
        },
    }
}

fn reviewed(op: i64, next: Next<Vec<Restore>>) -> Step {
    of_machine(next, |result| OperationEnd::UndoReviewed { op, result })
}

/// A commit that could not be noted refuses all its tasks.
fn committed(batch: BatchId, tasks: &[TaskId], next: Next<Vec<(TaskId, Committed)>>) -> Step {
    of_machine(next, |results| {
        let refused = |error: Error| {
            let each = tasks.iter();
            each.map(|task| (*task, Committed::Refused(error.clone())))
                .collect()
        };
        OperationEnd::Committed {
            batch,
            results: results.unwrap_or_else(refused),
        }
    })
}

impl State {
    /// Begins to write outcomes.
    pub(super) fn begin_commit(
        &mut self,
        batch: BatchId,
        changes: Vec<Change>,
        overwrite: bool,
        under: Option<Arc<JournalOperation>>,
    ) -> Vec<Effect> {
        let tasks = changes.iter().map(|change| change.task).collect();
        let commit = Commit::new(changes, overwrite);
        let machine = OperationMachine::Commit(batch, tasks, Box::new(commit));
        self.begin(machine, under)
    }

    /// Begins to take an operation back. On screen its writes are noted under an operation of their own.
    pub(super) fn begin_undo(&mut self, op: i64) -> Vec<Effect> {
        let Some(project) = self.project.clone() else {
            return Vec::new();
        };
        let under = self.options.screen.then(|| {
            let words = shell::undo(self, op);
            self.new_operation("undo", words, Some(op))
        });
        // The screen holds outcomes in a dry run, and may take back what was written before.
        let writes = self.options.screen || !self.options.dry_run;
        let undo = Undo::new(op, writes, project);
        self.begin(OperationMachine::Undo(Box::new(undo)), under)
    }

    pub(super) fn begin_apply(&mut self, plan: String) -> Vec<Effect> {
        let Some(project) = self.project.clone() else {
            return Vec::new();
        };
        let apply = Apply::new(plan, !self.options.dry_run, project);
        self.begin(OperationMachine::Apply(Box::new(apply)), None)
    }

    pub(super) fn begin_recovery(&mut self, recovery: Recovery) -> Vec<Effect> {
        self.begin(OperationMachine::Recovery(Box::new(recovery)), None)
    }

    pub(super) fn begin_undo_review(&mut self, op: i64) -> Vec<Effect> {
        let Some(project) = self.project.clone() else {
            let text = "the project is not loaded yet";
            return self.undo_reviewed(op, Err(Error::new(ErrorKind::Settings, text)));
        };
        let review = UndoReview::new(op, project);
        self.begin(OperationMachine::UndoReview(op, Box::new(review)), None)
    }

    /// Whether an operation writes, or may begin to.
    pub(super) fn operations_write(&self) -> bool {
        let reads = |o: &OperationUnderWay| matches!(o.machine, OperationMachine::UndoReview(..));
        !self.operations.values().all(reads)
    }

    fn begin(
        &mut self,
        mut machine: OperationMachine,
        under: Option<Arc<JournalOperation>>,
    ) -> Vec<Effect> {
        let id = self.next_operation();
        let step = machine.start();
        self.operations
            .insert(id, OperationUnderWay { machine, under });
        self.operation_step(id, step)
    }

    pub(super) fn operation_reply(
        &mut self,
        id: OperationId,
        lane: usize,
        reply: Reply,
    ) -> Vec<Effect> {
        let Some(operation) = self.operations.get_mut(&id) else {
            return Vec::new();
        };
        let step = operation.machine.on(lane, reply);
        self.operation_step(id, step)
    }

    pub(super) fn stop_operations(&mut self) -> Vec<Effect> {
        for operation in self.operations.values_mut() {
            operation.machine.stop();
        }
        Vec::new()
    }

    fn operation_step(&mut self, id: OperationId, step: Step) -> Vec<Effect> {
        let under = self.operations.get(&id).and_then(|o| o.under.clone());
        let reported = |report: TaskReport| Effect::Reported(Box::new(report));
        let mut effects: Vec<Effect> = step.reports.into_iter().map(reported).collect();
        let asked = step.requests.into_iter();
        effects.extend(asked.map(|(lane, request)| Effect::Operation {
            operation: id,
            lane,
            request,
            under: under.clone(),
        }));
        if let Some(Ok(end)) = step.over {
            self.operations.remove(&id);
            effects.extend(self.operation_over(under.as_deref(), end));
        }
        effects
    }

    fn operation_over(
        &mut self,
        under: Option<&JournalOperation>,
        end: OperationEnd,
    ) -> Vec<Effect> {
        match end {
            OperationEnd::Committed { batch, results } => {
                self.committed(batch, &results, under.map(|under| under.id))
            }
            end if !self.options.screen => vec![Effect::OperationOver(Box::new(end))],
            OperationEnd::Undone { op, result } => {
                // One that broke off stays open: `resume` continues it.
                let close = under.filter(|_| result.is_ok());
                let close = close.map(|under| Effect::CloseOperation(under.id));
                close.into_iter().chain(self.undone(op, result)).collect()
            }
            OperationEnd::Recovered(result) => self.recovered(result),
            OperationEnd::UndoReviewed { op, result } => self.undo_reviewed(op, result),
            OperationEnd::Applied(_) => Vec::new(),
        }
    }

    /// A new operation of the journal.
    pub(super) fn new_operation(
        &mut self,
        kind: &'static str,
        words: Vec<String>,
        undoes: Option<i64>,
    ) -> Arc<JournalOperation> {
        Arc::new(JournalOperation {
            id: self.next_operation(),
            kind,
            words,
            undoes,
        })
    }

    pub(super) const fn next_operation(&mut self) -> OperationId {
        self.last_operation += 1;
        OperationId(self.last_operation)
    }
}
