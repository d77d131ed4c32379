//! `workbench undo`: taking back what an operation wrote.

use crate::exit::Ending;
use crate::print;
use crate::signals::Stop;
use serde_json::json;
use wb_core::counted::plural;
use wb_core::error::Error;
use wb_core::journal::{Op, Undone};
use wb_core::ledger::{TaskReport, UndoResult};
use wb_engine::chosen;
use wb_engine::config::Config;
use wb_engine::flags::Flags;
use wb_engine::operation::Hooks;
use wb_engine::runtime::now;
use wb_engine::saved::{CommandRequest, SavedCommand, UndoRequest};
use wb_engine::session::{self, Connection};
use wb_ui::text::clean;

/// `workbench undo`
pub async fn undo(flags: &Flags, config: &Config, args: &UndoRequest) -> Ending {
    let mut ending = Ending::default();
    if let Err(error) = take_back(flags, config, args, &mut ending).await {
        ending.fail(error);
    }
    ending
}

async fn take_back(
    flags: &Flags,
    config: &Config,
    args: &UndoRequest,
    ending: &mut Ending,
) -> Result<(), Error> {
    session::refuse_read_only(flags, "undo")?;
    let config = chosen::with_project(config)?;
    let saved = SavedCommand::new(flags, CommandRequest::Undo(args.clone()));
    let operation = Some(saved.into());
    let stop = Stop::new(args.max_time)?;
    let connection = session::connection(flags, &config, "undo", operation, print::notify);
    let mut connection = match stop.unless(Box::pin(connection)).await {
        Ok(connection) => connection?,
        Err(asked) => {
            ending.asked(asked);
            return Ok(());
        }
    };
    let (journal, project) = (&connection.journal, connection.project.hash);
    let chosen = chosen::to_undo(journal, project, args.op, print::notify);
    if chosen.is_err() {
        session::leave(flags, journal);
    }
    match chosen? {
        Some(op) => take_back_one(flags, &mut connection, &op, &stop, ending).await,
        None => {
            journal.close(now().0);
            Ok(())
        }
    }
}

/// Takes an operation back, and reports on it.
async fn take_back_one(
    flags: &Flags,
    connection: &mut Connection,
    op: &Op,
    stop: &Stop,
    ending: &mut Ending,
) -> Result<(), Error> {
    let (journal, writes) = (connection.journal.clone(), connection.writer.is_some());
    if writes {
        journal.undoes(op.id)?;
    }
    let hooks = Hooks {
        stopped: &|| stop.asked().is_some(),
        report: &mut |done| report(flags, done),
    };
    let undone = connection.operator.undo(op.id, hooks).await?;
    if !undone.left.is_empty() {
        ending.conflicts();
    }
    if !undone.failed.is_empty() {
        ending.failures();
    }
    match stop.asked() {
        Some(asked) => ending.asked(asked),
        None => journal.close(now().0),
    }
    if op.interrupted && writes && stop.asked().is_none() {
        // What was taken back is not resumed.
        journal.gone_on(connection.project.hash, op.id, now().0)?;
    }
    sum_up(flags, connection, op, &undone);
    ending.print_interrupted();
    Ok(())
}

fn sum_up(flags: &Flags, connection: &Connection, op: &Op, undone: &Undone) {
    let (done, left, failed) = (undone.restored, undone.left.len(), undone.failed.len());
    let writes = connection.reader.stats().writes;
    if flags.json {
        out!(
            "{}",
            json!({"summary": {"op": op.id, "restored": done, "skipped": left, "failed": failed, "writes": writes}})
        );
    }
    let held = if connection.writer.is_none() {
        " (dry run: nothing was written)"
    } else {
        ""
    };
    for (title, what) in &undone.stays {
        notice!("{}: {}", clean(title), clean(what));
    }
    notice!(
        "Operation {} ({}): {} restored, {left} left because others changed them since, {failed} failed{held}",
        op.id,
        op.kind,
        plural(done, "task")
    );
}

/// Prints the result of one task.
fn report(flags: &Flags, report: &TaskReport) {
    let TaskReport::Undone {
        task,
        data,
        title,
        result,
    } = report
    else {
        return;
    };
    let (outcome, reason) = match result {
        UndoResult::Restored => ("restored", None),
        UndoResult::Left(why) => ("skipped", Some(why)),
        UndoResult::Failed(error) => ("failed", Some(&error.summary)),
    };
    if flags.json {
        out!(
            "{}",
            json!({"task_uuid": task, "data_hash": data, "data_title": title, "outcome": outcome, "reason": reason})
        );
    } else if let Some(reason) = reason {
        notice!("{outcome}: {} — {}", clean(title), clean(reason));
    }
}
