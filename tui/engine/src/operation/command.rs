//! A command that writes without agents (`apply`, `undo`), on a state of its own.

use super::Performer;
use crate::plan::{Plan, PlanLine};
use crate::runtime::now;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, OperationEnd, Upstream};
use wb_core::filter::Filter;
use wb_core::ledger::{GROUP, MAX_BYTES, PlanLines, Reply, Request, TaskReport};
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
                size += line
                    .change
                    .as_ref()
                    .map_or(0, |change| change.item.weight());
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

/// Does a command to its end. Without a writer nothing is written.
///
/// # Errors
/// The command does not end: an error of this program.
pub async fn run(
    performer: &Performer,
    command: Command,
    mut plan: Option<PlanSource<'_>>,
    hooks: Hooks<'_>,
) -> Result<OperationEnd, Error> {
    let options = Options {
        dry_run: performer.writer.is_none(),
        ..Options::default()
    };
    let (mut state, _) = State::start(options, now());
    let project = Upstream::Project(performer.project.clone());
    state.update(Event::Upstream(project));
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
                        (Request::PlanLines, Some(plan)) => Some(Reply::PlanLines(plan.lines())),
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
