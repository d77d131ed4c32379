//! `workbench apply`: writes exactly what a plan holds, once. Checking and writing is left to the engine.

use super::output::add_route;
use super::review::{filter, is_clear, is_for};
use crate::exit::Ending;
use crate::print;
use crate::signals::Stop;
use serde_json::json;
use std::time::Instant;
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::ledger::{Applied, PlannedTask, TaskReport};
use wb_core::work::{Committed, Route};
use wb_engine::config::{Config, Value};
use wb_engine::flags::Flags;
use wb_engine::journal::Operation;
use wb_engine::operation::{Hooks, PlanSource};
use wb_engine::plan::{Header, Plan};
use wb_engine::runtime::now;
use wb_engine::saved::{ApplyRequest, CommandRequest, SavedCommand};
use wb_engine::session::{self, Connection};
use wb_engine::upstream;

/// `workbench apply`
pub async fn apply(flags: &Flags, config: &Config, args: &ApplyRequest) -> Ending {
    let mut ending = Ending::default();
    if let Err(error) = work(flags, config, args, &mut ending).await {
        ending.fail(error);
    }
    ending
}

async fn work(
    flags: &Flags,
    config: &Config,
    args: &ApplyRequest,
    ending: &mut Ending,
) -> Result<(), Error> {
    session::refuse_read_only(flags, "apply")?;
    let only = filter(args.only.as_deref())?;
    let mut plan = Plan::verified(&args.plan)?;
    let config = for_project(config, &plan.header, &only)?;
    let began = Instant::now();
    let operation = Operation {
        plan: Some(plan.header.id.to_string()),
        ..SavedCommand::new(flags, CommandRequest::Apply(args.clone())).into()
    };
    let stop = Stop::new(args.max_time)?;
    let connection = session::connection(flags, &config, "apply", Some(operation), print::notify);
    let mut connection = match stop.unless(Box::pin(connection)).await {
        Ok(connection) => connection?,
        Err(asked) => {
            ending.asked(asked);
            return Ok(());
        }
    };
    let hooks = Hooks {
        stopped: &|| stop.asked().is_some(),
        report: &mut |done| {
            if let TaskReport::Applied { task, result } = done {
                report(flags.json, task, result);
            }
        },
    };
    let source = PlanSource {
        plan: &mut plan,
        only: &only,
    };
    let applied = connection.operator.apply(source, hooks).await?;
    if applied.conflicts > 0 {
        ending.conflicts();
    }
    if applied.failed > 0 {
        ending.failures();
    }
    if let Some(asked) = stop.asked() {
        ending.asked(asked);
    } else if applied.fatal.is_none() {
        connection.journal.close(now().0);
    }
    print_summary(flags, &connection, &applied, began);
    match applied.fatal {
        Some(error) => {
            Err(error
                .hint("what was written stays written; apply the same plan again for the rest"))
        }
        None => {
            ending.print_interrupted();
            Ok(())
        }
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

/// Prints the result of one task.
fn report(json: bool, task: &PlannedTask, result: &Committed) {
    let upstream = |text: &str| Some(Error::new(ErrorKind::Upstream, text));
    let (outcome, error) = match result {
        Committed::Done if task.way != Route::Stay => ("moved", None),
        Committed::Done => ("stayed", None),
        Committed::Conflict { by } => ("conflict", upstream(by)),
        Committed::AlreadyMoved => ("conflict", upstream("the task had already left the stage")),
        Committed::Refused(error) | Committed::Partial { error, .. } => {
            ("failed", Some(error.clone()))
        }
    };
    if json {
        let mut line = json!({
            "task_uuid": task.task, "data_hash": task.data, "data_title": task.title, "stage_uuid": task.stage,
            "outcome": outcome, "fault": error,
        });
        add_route(&mut line, Some(&task.way));
        out!("{line}");
    } else if let Some(error) = error {
        notice!(
            "{outcome}: {} — {}",
            wb_ui::text::clean(&task.title),
            wb_ui::text::clean(&error.summary)
        );
    }
}

fn print_summary(flags: &Flags, connection: &Connection, counts: &Applied, began: Instant) {
    let stats = connection.reader.stats();
    let tasks = counts.moved + counts.stayed + counts.failed + counts.conflicts;
    let wall_s = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    if flags.json {
        out!(
            "{}",
            json!({"summary": {
                "tasks": tasks, "moved": counts.moved, "stayed": counts.stayed, "failed": counts.failed,
                "conflicts": counts.conflicts, "applied_earlier": counts.earlier, "without_change": counts.unchanged,
                "writes": stats.writes, "requests": stats.requests, "wall_s": wall_s,
            }})
        );
    }
    if tasks == 0 && counts.earlier > 0 {
        notice!(
            "This plan was applied already ({}); nothing was sent.",
            plural(counts.earlier, "task")
        );
        return;
    }
    let mut text = format!("{} of the plan in {wall_s:.1} s", plural(tasks, "task"));
    for (n, word) in [
        (counts.moved, "moved"),
        (counts.stayed, "stayed"),
        (counts.failed, "failed"),
        (counts.conflicts, "left: changed by others"),
        (counts.earlier, "applied earlier"),
        (counts.unchanged, "without a change"),
    ] {
        if n > 0 {
            text.push_str(&format!(" · {n} {word}"));
        }
    }
    let dry = connection.writer.is_none();
    text.push_str(&if dry {
        " · dry run: nothing was written".to_owned()
    } else {
        format!(" · {}", plural(stats.writes, "writing request"))
    });
    notice!("{text}");
    if !dry && counts.moved + counts.stayed > 0 {
        notice!("To take it back: workbench undo");
    }
}
