//! `workbench apply`: writes exactly what a plan holds, once, each task looked at first.

mod checks;

use super::review::{filter, is_clear, is_for, matches};
use super::session::{self, Connection};
use crate::cli::{ApplyArgs, Global};
use crate::config::{Config, Value};
use crate::exit::Ending;
use crate::journal::{self, Change, HEAVY, Operation};
use crate::plan::{Header, Plan, PlanLine};
use crate::runtime::now;
use crate::signals::Stop;
use crate::upstream;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::work::Committed;

/// Tasks that are looked at and written together.
const CHUNK: usize = 300;

/// What became of the tasks of a plan.
#[derive(Default)]
struct Counts {
    moved: u64,
    stayed: u64,
    failed: u64,
    conflicts: u64,
    earlier: u64,
    nothing: u64,
}

/// `workbench apply`
pub async fn apply(global: &Global, config: &Config, args: &ApplyArgs) -> Ending {
    let mut ending = Ending::default();
    if let Err(error) = work(global, config, args, &mut ending).await {
        ending.told(error);
    }
    ending
}

struct Applying<'a> {
    connection: Connection,
    applied: HashSet<(DataHash, StageId)>,
    counts: Counts,
    json: bool,
    ending: &'a mut Ending,
    fatal: Option<Error>,
    stop: Stop,
}

async fn work(
    global: &Global,
    config: &Config,
    args: &ApplyArgs,
    ending: &mut Ending,
) -> Result<(), Error> {
    session::refuse_read_only(global, "apply")?;
    let only = filter(args.only.as_deref())?;
    let mut plan = Plan::verified(&args.plan)?;
    let config = for_project(config, &plan.header, &only)?;
    let began = Instant::now();
    let id = plan.header.id.to_string();
    let operation = Operation {
        kind: "apply",
        plan: Some(id.clone()),
        ..Operation::default()
    };
    let stop = Stop::new(args.max_time)?;
    let connection = Box::pin(session::connection(
        global,
        &config,
        "apply",
        Some(operation),
    ));
    let connection = match stop.unless(connection).await {
        Ok(connection) => connection?,
        Err(asked) => {
            ending.asked(asked);
            return Ok(());
        }
    };
    let applied = connection.journal.applied(&id)?;
    let mut applying = Applying {
        connection,
        applied,
        counts: Counts::default(),
        json: global.json,
        ending,
        fatal: None,
        stop,
    };
    applying.all(&mut plan, &only).await?;
    let Applying {
        connection,
        counts,
        fatal,
        stop,
        ..
    } = applying;
    if let Some(asked) = stop.asked() {
        ending.asked(asked);
    } else if fatal.is_none() {
        connection.journal.close(now().0);
    }
    tell(global, &connection, &counts, began);
    if fatal.is_none() {
        session::tell_interrupted(ending);
    }
    match fatal {
        Some(error) => {
            Err(error
                .hint("what was written stays written; apply the same plan again for the rest"))
        }
        None => Ok(()),
    }
}

/// The settings with the plan's project.
fn for_project(config: &Config, header: &Header, only: &Filter) -> Result<Config, Error> {
    is_clear(only, header)?;
    is_for(header, config, Some(&upstream::name()?))?;
    let project = Some(Value {
        value: header.project.to_string(),
        origin: "the plan".to_owned(),
    });
    Ok(Config {
        project,
        ..config.clone()
    })
}

/// Whether `--only` takes a line.
fn wanted(only: &Filter, line: &PlanLine, plan: &Plan) -> Result<bool, Error> {
    Ok(only.is_empty() || matches(only, line, &line.patch(&plan.ontology)?))
}

impl Applying<'_> {
    async fn all(&mut self, plan: &mut Plan, only: &Filter) -> Result<(), Error> {
        let mut chunk: Vec<(PlanLine, Change)> = Vec::new();
        let mut weight = 0;
        while self.fatal.is_none() && self.stop.asked().is_none() {
            let line = plan.next()?;
            let last = line.is_none();
            // What follows from another outcome of the plan is looked at when that one is written.
            let turn = chunk.first().zip(line.as_ref());
            if turn.is_some_and(|((first, _), line)| {
                (first.stage, first.follows) != (line.stage, line.follows)
            }) {
                self.write(std::mem::take(&mut chunk)).await?;
                weight = 0;
            }
            if let Some(mut line) = line
                && wanted(only, &line, plan)?
            {
                match line.change.take() {
                    None => self.counts.nothing += 1,
                    Some(_) if self.applied.contains(&(line.data, line.stage)) => {
                        self.counts.earlier += 1;
                    }
                    Some(change) => {
                        weight += change.item.weight();
                        chunk.push((line, change));
                    }
                }
            }
            let full = chunk.len() >= CHUNK || weight > HEAVY;
            if full || last && !chunk.is_empty() {
                self.write(std::mem::take(&mut chunk)).await?;
                weight = 0;
            }
            if last {
                break;
            }
        }
        Ok(())
    }

    async fn write(&mut self, chunk: Vec<(PlanLine, Change)>) -> Result<(), Error> {
        let changes: Vec<Change> = chunk.iter().map(|(_, change)| change.clone()).collect();
        if let Some((first, _)) = chunk.first().filter(|(line, _)| line.follows.is_some()) {
            let stage = first.stage;
            return self.write_after(stage, chunk, changes).await;
        }
        let mut refused = self.gone(&changes).await?;
        self.rerouted(&chunk, &mut refused);
        self.elsewhere(&changes, &mut refused).await;
        self.stale(&changes, &mut refused).await?;
        self.write_rest(&chunk, changes, refused).await
    }

    /// Writes those that nothing speaks against, and counts all.
    async fn write_rest(
        &mut self,
        chunk: &[(PlanLine, Change)],
        changes: Vec<Change>,
        refused: HashMap<TaskId, String>,
    ) -> Result<(), Error> {
        let mut open: Vec<Change> = changes
            .iter()
            .filter(|d| !refused.contains_key(&d.item.task))
            .cloned()
            .collect();
        let mut results: HashMap<TaskId, Committed> = refused
            .into_iter()
            .map(|(task, by)| (task, Committed::Conflict { by }))
            .collect();
        let connection = &self.connection;
        match &connection.writer {
            Some(writer) => {
                // What an undo restores is what stands there now, not when the plan was made.
                open.iter_mut()
                    .for_each(|change| change.old_priority = None);
                journal::before_images(writer, &connection.project, &mut open).await;
                results.extend(
                    journal::perform(
                        writer,
                        Some(&connection.journal),
                        &connection.project,
                        &open,
                    )
                    .await?,
                );
            }
            None => results.extend(open.iter().map(|d| (d.item.task, Committed::Done))),
        }
        for ((line, _), change) in chunk.iter().zip(&changes) {
            if let Some(result) = results.remove(&change.item.task) {
                self.count(line, &result);
            }
        }
        Ok(())
    }

    /// Writes what follows from outcomes that this plan wrote before: each task is found where that
    /// sent it, and its row must be as that left it.
    async fn write_after(
        &mut self,
        stage: StageId,
        chunk: Vec<(PlanLine, Change)>,
        mut changes: Vec<Change>,
    ) -> Result<(), Error> {
        let mut refused = HashMap::new();
        let connection = &self.connection;
        if connection.writer.is_none() {
            // A dry run has not sent them there.
            return self.write_rest(&chunk, changes, refused).await;
        }
        let Some(found) = connection.project.workflow.stage(stage) else {
            let text = "the project has no such stage any more";
            return Err(Error::new(ErrorKind::Settings, text));
        };
        let data: Vec<DataHash> = changes.iter().map(|d| d.item.data).collect();
        let there = connection
            .reader
            .tasks_of(connection.project.hash, found, &data)
            .await?;
        let there: HashMap<DataHash, TaskId> = there.iter().map(|r| (r.data, r.id)).collect();
        for change in &mut changes {
            match there.get(&change.item.data) {
                Some(task) => change.item.task = *task,
                None => {
                    let text = "the task has not arrived here: the step of this plan before it was not written";
                    refused.insert(change.item.task, text.to_owned());
                }
            }
        }
        self.rest_on_what_was_written(&mut changes, &mut refused)
            .await?;
        self.write_rest(&chunk, changes, refused).await
    }

    fn count(&mut self, line: &PlanLine, result: &Committed) {
        let (outcome, error) = match result {
            Committed::Done if line.pathway.is_some() => ("moved", None),
            Committed::Done => ("stayed", None),
            Committed::Conflict { by } => (
                "conflict",
                Some(Error::new(ErrorKind::Upstream, by.clone())),
            ),
            Committed::AlreadyMoved => (
                "conflict",
                Some(Error::new(
                    ErrorKind::Upstream,
                    "the task had already left the stage",
                )),
            ),
            Committed::Refused(error) | Committed::Partial { error, .. } => {
                ("failed", Some(error.clone()))
            }
        };
        match outcome {
            "moved" => self.counts.moved += 1,
            "stayed" => self.counts.stayed += 1,
            "conflict" => {
                self.counts.conflicts += 1;
                self.ending.conflicts();
            }
            _ => {
                self.counts.failed += 1;
                self.ending.failures();
            }
        }
        if let Some(error) = result.error()
            && matches!(
                error.kind,
                ErrorKind::Network | ErrorKind::Access | ErrorKind::Refused | ErrorKind::Bug
            )
        {
            self.fatal.get_or_insert(error.clone());
        }
        if self.json {
            say!(
                "{}",
                json!({
                    "task_uuid": line.task, "data_hash": line.data, "data_title": line.title, "stage_uuid": line.stage,
                    "outcome": outcome, "pathway_name": line.pathway.as_ref().map(|p| &p.name), "fault": error,
                })
            );
        } else if let Some(error) = error {
            tell!(
                "{outcome}: {} — {}",
                wb_ui::text::clean(&line.title),
                wb_ui::text::clean(&error.summary)
            );
        }
    }
}

fn tell(global: &Global, connection: &Connection, counts: &Counts, began: Instant) {
    let stats = connection.reader.stats();
    let tasks = counts.moved + counts.stayed + counts.failed + counts.conflicts;
    let wall_s = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    if global.json {
        say!(
            "{}",
            json!({"summary": {
                "tasks": tasks, "moved": counts.moved, "stayed": counts.stayed, "failed": counts.failed,
                "conflicts": counts.conflicts, "applied_earlier": counts.earlier, "without_change": counts.nothing,
                "writes": stats.writes, "requests": stats.requests, "wall_s": wall_s,
            }})
        );
    }
    if tasks == 0 && counts.earlier > 0 {
        tell!(
            "This plan was applied already ({} tasks); nothing was sent.",
            counts.earlier
        );
        return;
    }
    let mut text = format!("{tasks} tasks of the plan in {wall_s:.1} s");
    for (n, word) in [
        (counts.moved, "moved"),
        (counts.stayed, "stayed"),
        (counts.failed, "failed"),
        (counts.conflicts, "left: changed by others"),
        (counts.earlier, "applied earlier"),
        (counts.nothing, "without a change"),
    ] {
        if n > 0 {
            text.push_str(&format!(" · {n} {word}"));
        }
    }
    let dry = connection.writer.is_none();
    text.push_str(&if dry {
        " · dry run: nothing was written".to_owned()
    } else {
        format!(" · {} writing requests", stats.writes)
    });
    tell!("{text}");
    if !dry && counts.moved + counts.stayed > 0 {
        tell!("To take it back: workbench undo");
    }
}
