//! Commands that write without agents (`apply`, `undo`, `resume`), on a state of their own.

use super::Performer;
use crate::clock::now;
use crate::plan::{Plan, PlanLine};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, OperationEnd, Upstream};
use wb_core::filter::Filter;
use wb_core::journal::{Settled, Undone};
use wb_core::ledger::{Applied, GROUP, MAX_BYTES, PlanLines, Reply, Request, Scope, TaskReport};
use wb_core::state::{Options, State};

/// The plan of `apply`.
pub struct PlanSource<'a> {
    /// The file.
    pub plan: &'a mut Plan,
    /// Which tasks of it are applied.
    pub only: &'a Filter,
}

/// What happens while a command works.
pub struct Hooks<'a> {
    /// Whether it was asked to stop.
    pub stopped: &'a (dyn Fn() -> bool + Sync),
    /// Receives the result of each task.
    pub report: &'a mut (dyn FnMut(&TaskReport) + Send),
}

impl PlanSource<'_> {
    /// The next tasks, as many as are written together at most.
    fn lines(&mut self) -> Result<PlanLines, Error> {
        let mut lines = PlanLines::default();
        let mut size = 0;
        while lines.tasks.len() < GROUP && size <= MAX_BYTES {
            let Some(line) = self.plan.next_line()? else {
                lines.last = true;
                break;
            };
            if self.selects(&line)? {
                size += line.change.as_ref().map_or(0, |change| change.weight());
                lines.tasks.push(line.into());
            }
        }
        Ok(lines)
    }

    fn selects(&self, line: &PlanLine) -> Result<bool, Error> {
        let only = self.only;
        Ok(only.is_empty() || line.matches(only, &line.patch(&self.plan.ontology)?))
    }
}

/// The state of a process without agents, and what its requests are performed with.
pub struct Operator {
    state: State,
    performer: Performer,
}

impl Operator {
    /// A state in which the project is there. Without a writer nothing is written.
    #[must_use]
    pub fn new(performer: Performer) -> Self {
        let options = Options {
            dry_run: performer.writer.is_none(),
            ..Options::default()
        };
        let (mut state, _) = State::start(options, now());
        let project = Upstream::Project(performer.project.clone());
        state.update(Event::Upstream(project));
        Self { state, performer }
    }

    /// Finishes what earlier commands had begun.
    ///
    /// # Errors
    /// The journal cannot be read or completed.
    pub async fn recover(&mut self, scope: Scope) -> Result<Settled, Error> {
        let hooks = Hooks {
            stopped: &|| false,
            report: &mut |_| {},
        };
        match self.run(Command::Recover(scope), None, hooks).await? {
            OperationEnd::Recovered(result) => result,
            end => Err(ended_as("recovery", &end)),
        }
    }

    /// Takes an operation back.
    ///
    /// # Errors
    /// The journal or the platform does not let it be read.
    pub async fn undo(&mut self, op: i64, hooks: Hooks<'_>) -> Result<Undone, Error> {
        match self.run(Command::Undo(op), None, hooks).await? {
            OperationEnd::Undone { result, .. } => result,
            end => Err(ended_as("undo", &end)),
        }
    }

    /// Writes what is selected of a plan.
    ///
    /// # Errors
    /// The plan or the journal cannot be read.
    pub async fn apply(
        &mut self,
        plan: PlanSource<'_>,
        hooks: Hooks<'_>,
    ) -> Result<Applied, Error> {
        let command = Command::Apply(plan.plan.header.id.to_string());
        match self.run(command, Some(plan), hooks).await? {
            OperationEnd::Applied(result) => result,
            end => Err(ended_as("apply", &end)),
        }
    }

    /// Does a command to its end.
    async fn run(
        &mut self,
        command: Command,
        mut plan: Option<PlanSource<'_>>,
        hooks: Hooks<'_>,
    ) -> Result<OperationEnd, Error> {
        let Self { state, performer } = self;
        let performer = &*performer;
        let mut effects = state.update(Event::Input(command));
        let mut asked = FuturesUnordered::new();
        loop {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Operation {
                        operation,
                        lane,
                        request,
                        ..
                    } => {
                        let read = match (&request, &mut plan) {
                            (Request::PlanLines, Some(plan)) => {
                                Some(Reply::PlanLines(plan.lines()))
                            }
                            _ => None,
                        };
                        asked.push(async move {
                            let reply = match read {
                                Some(reply) => reply,
                                None => Box::pin(performer.perform(request)).await,
                            };
                            Event::Operation {
                                operation,
                                lane,
                                reply,
                            }
                        });
                    }
                    Effect::Reported(report) => (hooks.report)(&report),
                    Effect::OperationOver(end) => return Ok(*end),
                    _ => {}
                }
            }
            let Some(event) = asked.next().await else {
                let text = "the command waits for nothing and has not ended";
                return Err(Error::new(ErrorKind::Bug, text));
            };
            if (hooks.stopped)() {
                state.update(Event::Input(Command::StopOperations));
            }
            effects = state.update(event);
        }
    }
}

/// The error for a command that ended as another one does.
fn ended_as(command: &str, end: &OperationEnd) -> Error {
    Error::new(ErrorKind::Bug, format!("{command} ended with {end:?}"))
}
