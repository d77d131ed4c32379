//! `workbench queue push`: a message for each task that waits. Which tasks were pushed from this folder before is kept there,
//! so that none is on the queue twice.

use super::broker;
use crate::cli::{BrokerArgs, Global, PushArgs};
use crate::look;
use serde_json::json;
use std::collections::HashSet;
use wb_broker::celery::NewTask;
use wb_broker::{Broker, QueueMessage};
use wb_client::TaskFilter;
use wb_core::counted::{number, plural};
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::ids::{StageId, TaskId};
use wb_core::work::TaskRow;
use wb_engine::config::{Config, state_dir};
use wb_engine::pushed::Pushed;
use wb_engine::runtime::matching;

/// Pushes, and prints how many.
pub(super) async fn push(
    global: &Global,
    config: &Config,
    args: &PushArgs,
    broker: &dyn Broker,
) -> Result<(), Error> {
    let wrong = |e| Error::new(ErrorKind::Usage, format!("--filter: {e}"));
    let filter = Filter::parse(args.filter.as_deref().unwrap_or_default()).map_err(wrong)?;
    let (upstream, project) = look::project(global, config).await?;
    let stage = match &args.stage {
        Some(name) => (project.workflow.find(name)).ok_or_else(|| project.workflow.no_stage(name)),
        None => (project.workflow.agent_stages().next())
            .ok_or_else(|| Error::new(ErrorKind::Settings, "the project has no agent stage")),
    };
    let stage = stage.map_err(|e| e.hint(format!("its stages: {}", project.workflow.titles())))?;
    let earlier = look::earlier(&filter, project.hash)?;
    let mut before = record(&args.broker)?;
    let (mut pushed, mut skipped, mut token) = (0, 0, None::<String>);
    let mut seen = HashSet::new();
    loop {
        let (all, from) = (TaskFilter::default(), token.as_deref());
        let page = upstream.reader.tasks_page(project.hash, stage, &all, from);
        let page = page.await?;
        let rows = matching(&upstream.reader, &project, page.rows, &filter, &earlier).await?;
        // Pages shift while tasks come and go.
        let rows: Vec<TaskRow> = rows.into_iter().filter(|row| seen.insert(row.id)).collect();
        let (sent, left) = page_of(global, args, stage.id, rows, &mut before, broker).await?;
        pushed += sent;
        skipped += left;
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    if global.json {
        out!("{}", json!({"pushed": pushed, "skipped": skipped}));
    } else {
        print_counts(global, args, &stage.title, (pushed, skipped));
    }
    Ok(())
}

fn print_counts(global: &Global, args: &PushArgs, stage: &str, (pushed, skipped): (usize, usize)) {
    if pushed + skipped == 0 {
        let which = args
            .filter
            .as_ref()
            .map_or("", |_| " that matches --filter");
        notice!("no task waits at \"{stage}\"{which}");
        return;
    }
    let (tasks, would) = (
        plural(pushed, "task"),
        if global.dry_run { " would be" } else { "" },
    );
    notice!("{tasks}{would} pushed to \"{}\"", args.broker.queue);
    if skipped > 0 {
        let skipped = number(skipped);
        notice!("{skipped} skipped: pushed from here before (--again pushes them too)");
    }
}

/// Pushes the tasks of a page; how many, and how many were pushed before.
async fn page_of(
    global: &Global,
    args: &PushArgs,
    stage: StageId,
    rows: Vec<TaskRow>,
    before: &mut Pushed,
    broker: &dyn Broker,
) -> Result<(usize, usize), Error> {
    let ids: Vec<TaskId> = rows.iter().map(|row| row.id).collect();
    let page = before.page(stage, &ids)?;
    let is_new = |row: &&TaskRow| args.again || !page.known.contains(&row.id);
    let new: Vec<&TaskRow> = rows.iter().filter(is_new).collect();
    let counts = (new.len(), rows.len() - new.len());
    if global.dry_run || new.is_empty() {
        return Ok(counts);
    }
    let messages: Vec<QueueMessage> = new.iter().map(|row| message(args, row)).collect();
    broker.publish(&messages).await?;
    // Noted afterwards: a task that is pushed twice after a crash is run once, one that is never pushed is not run at all.
    page.note(new.iter().map(|row| row.id))?;
    Ok(counts)
}

fn message(args: &PushArgs, row: &TaskRow) -> QueueMessage {
    let spec = json!(row.doc(wb_client::rfc3339)).to_string();
    let now = jiff::Timestamp::now().as_second();
    NewTask {
        name: &args.task_name,
        id: &uuid::Uuid::new_v4().to_string(),
        spec: &spec,
        origin: &format!("workbench@{}", std::process::id()),
        now: u64::try_from(now).unwrap_or(0),
    }
    .message()
}

/// What was pushed to this queue from this folder.
fn record(args: &BrokerArgs) -> Result<Pushed, Error> {
    let queue = format!("{} {}", broker::address(args)?.place(), args.queue);
    Pushed::open(&state_dir("")?, queue)
}

/// What waited on the queue was removed: all tasks may be pushed again.
pub(super) fn forget(args: &BrokerArgs) -> Result<(), Error> {
    record(args)?.forget()
}
