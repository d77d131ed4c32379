//! `workbench apply`: writes exactly what a plan holds, once, each task looked at first.

mod checks;

use super::review::{filter, is_clear, is_for, matches};
use super::session::{self, Hands};
use crate::cli::{ApplyArgs, Global};
use crate::config::{Config, Value};
use crate::exit::Ending;
use crate::journal::{self, Deed, HEAVY, Operation};
use crate::plan::{Header, Plan, PlanLine};
use crate::runtime::now;
use crate::signals::Stop;
use crate::upstream;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Instant;
use wb_core::fault::{Fault, FaultKind};
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
    if let Err(fault) = work(global, config, args, &mut ending).await {
        ending.told(fault);
    }
    ending
}

struct Applying<'a> {
    hands: Hands,
    applied: HashSet<(DataHash, StageId)>,
    counts: Counts,
    json: bool,
    ending: &'a mut Ending,
    fatal: Option<Fault>,
    stop: Stop,
}

async fn work(
    global: &Global,
    config: &Config,
    args: &ApplyArgs,
    ending: &mut Ending,
) -> Result<(), Fault> {
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
    let hands = Box::pin(session::hands(global, &config, "apply", Some(operation)));
    let hands = match stop.unless(hands).await {
        Ok(hands) => hands?,
        Err(asked) => {
            ending.asked(asked);
            return Ok(());
        }
    };
    let applied = hands.journal.applied(&id)?;
    let mut applying = Applying {
        hands,
        applied,
        counts: Counts::default(),
        json: global.json,
        ending,
        fatal: None,
        stop,
    };
    applying.all(&mut plan, &only).await?;
    let Applying {
        hands,
        counts,
        fatal,
        stop,
        ..
    } = applying;
    if let Some(asked) = stop.asked() {
        ending.asked(asked);
    } else if fatal.is_none() {
        hands.journal.close(now().0);
    }
    tell(global, &hands, &counts, began);
    if fatal.is_none() {
        session::tell_interrupted(ending);
    }
    match fatal {
        Some(fault) => {
            Err(fault
                .hint("what was written stays written; apply the same plan again for the rest"))
        }
        None => Ok(()),
    }
}

/// The settings with the plan's project.
fn for_project(config: &Config, header: &Header, only: &Filter) -> Result<Config, Fault> {
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
fn wanted(only: &Filter, line: &PlanLine, plan: &Plan) -> Result<bool, Fault> {
    Ok(only.is_empty() || matches(only, line, &line.patch(&plan.ontology)?))
}

impl Applying<'_> {
    async fn all(&mut self, plan: &mut Plan, only: &Filter) -> Result<(), Fault> {
        let mut chunk: Vec<(PlanLine, Deed)> = Vec::new();
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
                match line.deed.take() {
                    None => self.counts.nothing += 1,
                    Some(_) if self.applied.contains(&(line.data, line.stage)) => {
                        self.counts.earlier += 1;
                    }
                    Some(deed) => {
                        weight += deed.item.weight();
                        chunk.push((line, deed));
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

    async fn write(&mut self, chunk: Vec<(PlanLine, Deed)>) -> Result<(), Fault> {
        let deeds: Vec<Deed> = chunk.iter().map(|(_, deed)| deed.clone()).collect();
        if let Some((first, _)) = chunk.first().filter(|(line, _)| line.follows.is_some()) {
            let stage = first.stage;
            return self.write_after(stage, chunk, deeds).await;
        }
        let mut refused = self.gone(&deeds).await?;
        self.rerouted(&chunk, &mut refused);
        self.elsewhere(&deeds, &mut refused).await;
        self.stale(&deeds, &mut refused).await?;
        self.write_rest(&chunk, deeds, refused).await
    }

    /// Writes those that nothing speaks against, and counts all.
    async fn write_rest(
        &mut self,
        chunk: &[(PlanLine, Deed)],
        deeds: Vec<Deed>,
        refused: HashMap<TaskId, String>,
    ) -> Result<(), Fault> {
        let mut open: Vec<Deed> = deeds
            .iter()
            .filter(|d| !refused.contains_key(&d.item.task))
            .cloned()
            .collect();
        let mut results: HashMap<TaskId, Committed> = refused
            .into_iter()
            .map(|(task, by)| (task, Committed::Conflict { by }))
            .collect();
        let hands = &self.hands;
        match &hands.writer {
            Some(writer) => {
                // What an undo restores is what stands there now, not when the plan was made.
                open.iter_mut().for_each(|deed| deed.old_priority = None);
                journal::before_images(writer, &hands.project, &mut open).await;
                results.extend(
                    journal::perform(writer, Some(&hands.journal), &hands.project, &open).await?,
                );
            }
            None => results.extend(open.iter().map(|d| (d.item.task, Committed::Done))),
        }
        for ((line, _), deed) in chunk.iter().zip(&deeds) {
            if let Some(result) = results.remove(&deed.item.task) {
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
        chunk: Vec<(PlanLine, Deed)>,
        mut deeds: Vec<Deed>,
    ) -> Result<(), Fault> {
        let mut refused = HashMap::new();
        let hands = &self.hands;
        if hands.writer.is_none() {
            // A dry run has not sent them there.
            return self.write_rest(&chunk, deeds, refused).await;
        }
        let Some(found) = hands.project.workflow.stage(stage) else {
            let text = "the project has no such stage any more";
            return Err(Fault::new(FaultKind::Settings, text));
        };
        let data: Vec<DataHash> = deeds.iter().map(|d| d.item.data).collect();
        let there = hands
            .reader
            .tasks_of(hands.project.hash, found, &data)
            .await?;
        let there: HashMap<DataHash, TaskId> = there.iter().map(|r| (r.data, r.id)).collect();
        for deed in &mut deeds {
            match there.get(&deed.item.data) {
                Some(task) => deed.item.task = *task,
                None => {
                    let text = "the task has not arrived here: the step of this plan before it was not written";
                    refused.insert(deed.item.task, text.to_owned());
                }
            }
        }
        self.rest_on_what_was_written(&mut deeds, &mut refused)
            .await?;
        self.write_rest(&chunk, deeds, refused).await
    }

    fn count(&mut self, line: &PlanLine, result: &Committed) {
        let (outcome, fault) = match result {
            Committed::Done if line.pathway.is_some() => ("moved", None),
            Committed::Done => ("stayed", None),
            Committed::Conflict { by } => (
                "conflict",
                Some(Fault::new(FaultKind::Upstream, by.clone())),
            ),
            Committed::AlreadyMoved => (
                "conflict",
                Some(Fault::new(
                    FaultKind::Upstream,
                    "the task had already left the stage",
                )),
            ),
            Committed::Refused(fault) | Committed::Partial { fault, .. } => {
                ("failed", Some(fault.clone()))
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
        if let Some(fault) = result.fault()
            && matches!(
                fault.kind,
                FaultKind::Network | FaultKind::Access | FaultKind::Refused | FaultKind::Bug
            )
        {
            self.fatal.get_or_insert(fault.clone());
        }
        if self.json {
            say!(
                "{}",
                json!({
                    "task_uuid": line.task, "data_hash": line.data, "data_title": line.title, "stage_uuid": line.stage,
                    "outcome": outcome, "pathway_name": line.pathway.as_ref().map(|p| &p.name), "fault": fault,
                })
            );
        } else if let Some(fault) = fault {
            tell!(
                "{outcome}: {} — {}",
                wb_ui::text::clean(&line.title),
                wb_ui::text::clean(&fault.summary)
            );
        }
    }
}

fn tell(global: &Global, hands: &Hands, counts: &Counts, began: Instant) {
    let stats = hands.reader.stats();
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
    let dry = hands.writer.is_none();
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
