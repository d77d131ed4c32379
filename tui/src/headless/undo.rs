//! `workbench undo` and `resume`: taking back what was written, going on with it.

use crate::cli::{Cli, Command, Global, ResumeArgs, UndoArgs};
use crate::exit::Ending;
use crate::print;
use crate::signals::Stop;
use clap::Parser;
use serde_json::json;
use wb_core::command::Command::Undo as UndoOperation;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::OperationEnd;
use wb_core::journal::{Op, Settled, Undone};
use wb_core::ledger::{TaskReport, UndoResult};
use wb_core::twin;
use wb_engine::config::{Config, Value, state_dir};
use wb_engine::journal::{Journal, Operation};
use wb_engine::operation::{Hooks, run};
use wb_engine::runtime::now;
use wb_engine::session::{self, Connection};
use wb_engine::upstream;
use wb_ui::text::clean;

/// `workbench undo`
pub async fn undo(global: &Global, config: &Config, args: &UndoArgs) -> Ending {
    let mut ending = Ending::default();
    if let Err(error) = take_back(global, config, args, &mut ending).await {
        ending.fail(error);
    }
    ending
}

/// The project of the newest operation, where none is named.
fn with_project(config: &Config) -> Result<Config, Error> {
    if config.project.is_some() {
        return Ok(config.clone());
    }
    let last = Journal::open(&state_dir("")?)?.ops()?.pop();
    let project = last.map(|op| Value {
        value: op.project,
        origin: "the journal".to_owned(),
    });
    Ok(Config {
        project,
        ..config.clone()
    })
}

async fn take_back(
    global: &Global,
    config: &Config,
    args: &UndoArgs,
    ending: &mut Ending,
) -> Result<(), Error> {
    let flags = global.flags();
    session::refuse_read_only(&flags, "undo")?;
    let config = with_project(config)?;
    let operation = Operation {
        kind: "undo",
        ..Operation::default()
    };
    let stop = Stop::new(args.max_time)?;
    let connection = session::connection(&flags, &config, "undo", Some(operation), print::notify);
    let connection = match stop.unless(Box::pin(connection)).await {
        Ok(connection) => connection?,
        Err(asked) => {
            ending.asked(asked);
            return Ok(());
        }
    };
    let ops = connection.journal.ops()?;
    let chosen = choose(&ops, &connection, args.op);
    if chosen.is_err() {
        session::leave(&flags, &connection.journal);
    }
    match chosen? {
        Some(op) => take_back_one(global, &connection, op, &stop, ending).await,
        None => {
            connection.journal.close(now().0);
            print_nothing_left(&ops);
            Ok(())
        }
    }
}

fn print_nothing_left(ops: &[Op]) {
    notice!("Nothing is left to take back; `workbench journal` lists what was written.");
    let redo = |op: &&Op| op.undoes.is_some() && op.standing() > 0;
    if let Some(last) = ops.iter().rev().find(redo) {
        notice!(
            "To write again what was taken back last: workbench undo {}",
            last.id
        );
    }
}

/// Takes an operation back, and reports on it.
async fn take_back_one(
    global: &Global,
    connection: &Connection,
    op: &Op,
    stop: &Stop,
    ending: &mut Ending,
) -> Result<(), Error> {
    let (journal, writes) = (&connection.journal, connection.writer.is_some());
    if writes {
        journal.undoes(op.id)?;
    }
    let hooks = Hooks {
        stopped: &|| stop.asked().is_some(),
        report: &mut |done| report(global, done),
    };
    let end = run(&connection.performer(), UndoOperation(op.id), None, hooks).await?;
    let OperationEnd::Undone { result, .. } = end else {
        return Err(Error::new(
            ErrorKind::Bug,
            format!("`undo` ended with {end:?}"),
        ));
    };
    let undone = result?;
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
    sum_up(global, connection, op, &undone);
    ending.print_interrupted();
    Ok(())
}

fn sum_up(global: &Global, connection: &Connection, op: &Op, undone: &Undone) {
    let (done, left, failed) = (undone.restored, undone.left.len(), undone.failed.len());
    let writes = connection.reader.stats().writes;
    if global.json {
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
    notice!(
        "Operation {} ({}): {done} tasks restored, {left} left because others changed them since, {failed} failed{held}",
        op.id,
        op.kind
    );
}

/// Prints the result of one task.
fn report(global: &Global, report: &TaskReport) {
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
    if global.json {
        out!(
            "{}",
            json!({"task_uuid": task, "data_hash": data, "data_title": title, "outcome": outcome, "reason": reason})
        );
    } else if let Some(reason) = reason {
        notice!("{outcome}: {} — {}", clean(title), clean(reason));
    }
}

/// The operation that is named, or the newest that was not undone and is not an undo itself.
fn choose<'a>(
    ops: &'a [Op],
    connection: &Connection,
    wanted: Option<i64>,
) -> Result<Option<&'a Op>, Error> {
    let project = connection.project.hash.to_string();
    let Some(id) = wanted else {
        let stands = |op: &&Op| op.project == project && op.kind != "undo" && op.standing() > 0;
        return Ok(ops.iter().rev().find(stands));
    };
    let Some(op) = ops.iter().find(|op| op.id == id) else {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the journal has no operation {id}; nothing was written"),
        )
        .hint("workbench journal"));
    };
    if op.project != project {
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "operation {id} belongs to project {}; nothing was written",
                op.project
            ),
        )
        .hint(format!("workbench undo {id} --project-hash={}", op.project)));
    }
    if op.standing() == 0 {
        let by = ops
            .iter()
            .rev()
            .find(|o| o.undoes == Some(id))
            .map(|o| o.id);
        notice!(
            "Operation {id} is taken back already{}",
            by.map_or_else(String::new, |by| format!(
                "; to have it again: workbench undo {by}"
            ))
        );
        return Ok(None);
    }
    Ok(Some(op))
}

/// `workbench resume`: finishes what had begun, then goes on with the run that was interrupted.
pub async fn resume(global: &Global, config: &Config, args: &ResumeArgs) -> Ending {
    let mut ending = Ending::default();
    match settle(global, config, args, &mut ending).await {
        Ok(None) => {}
        Ok(Some(cli)) => {
            let config = Config::load(&cli.global.flags());
            let went_on = async {
                let config = with_project(&config?)?;
                match &cli.command {
                    Some(Command::Run(args)) => {
                        Ok(Box::pin(super::run(&cli.global, &config, args)).await)
                    }
                    Some(Command::Apply(args)) => {
                        Ok(Box::pin(super::apply(&cli.global, &config, args)).await)
                    }
                    Some(Command::Undo(args)) => {
                        Ok(Box::pin(undo(&cli.global, &config, args)).await)
                    }
                    _ => Ok(Ending::default()),
                }
            };
            match went_on.await {
                Ok(end) => return end,
                Err(error) => ending.fail(error),
            }
        }
        Err(error) => ending.fail(error),
    }
    ending
}

/// Finishes open writes; gives the command to go on with.
async fn settle(
    global: &Global,
    config: &Config,
    args: &ResumeArgs,
    ending: &mut Ending,
) -> Result<Option<Cli>, Error> {
    let flags = global.flags();
    session::refuse_read_only(&flags, "resume")?;
    let config = with_project(config)?;
    if config.project.is_none() {
        notice!("Nothing was left unfinished.");
        return Ok(None);
    }
    if global.dry_run {
        would_finish(&config)?;
        return Ok(None);
    }
    let connection = session::connection(&flags, &config, "resume", None, print::notify).await?;
    let ops = connection.journal.ops()?;
    let Some(op) = interrupted(&ops, &connection, args.run)? else {
        left_in_part(&connection.settled, ending);
        return Ok(None);
    };
    let cli = match op.kind.as_str() {
        "exec" => {
            notice!(
                "An interrupted `exec` goes on with what its queue gives it; what had begun is finished."
            );
            None
        }
        _ => command_of(op, global)?,
    };
    match &cli {
        Some(_) => notice!(
            "Going on with operation {}: workbench {}",
            op.id,
            quoted(&op.words)
        ),
        None => connection
            .journal
            .gone_on(connection.project.hash, op.id, now().0)?,
    }
    Ok(cli)
}

/// The interrupted operation to go on with: the one that is named, or the newest.
fn interrupted<'a>(
    ops: &'a [Op],
    connection: &Connection,
    named: Option<i64>,
) -> Result<Option<&'a Op>, Error> {
    let project = connection.project.hash.to_string();
    let ours = |op: &&Op| op.project == project && named.is_none_or(|id| op.id == id);
    if let (Some(id), None) = (named, ops.iter().find(ours)) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the journal has no operation {id} of this project"),
        )
        .hint("workbench journal"));
    }
    let mut open = ops.iter().rev().filter(ours).filter(|op| op.interrupted);
    let newest = open.next();
    if let Some(older) = open.next() {
        notice!(
            "Operation {0} was interrupted too; after this one: workbench resume {0}",
            older.id
        );
    }
    Ok(newest)
}

/// The command of an interrupted operation; none when it was `resume` itself.
fn command_of(op: &Op, global: &Global) -> Result<Option<Cli>, Error> {
    let words = std::iter::once("workbench".to_owned()).chain(op.words.iter().cloned());
    let mut cli = Cli::try_parse_from(words).map_err(|e| {
        Error::new(
            ErrorKind::Usage,
            format!("the interrupted command cannot be read any more: {e}"),
        )
    })?;
    if matches!(cli.command, Some(Command::Resume(_))) {
        return Ok(None);
    }
    cli.global.goes_on = Some(op.id);
    cli.global
        .project_hash
        .get_or_insert_with(|| op.project.clone());
    cli.global.json |= global.json;
    if cli.global.confirm.is_none() {
        cli.global.confirm.clone_from(&global.confirm);
    }
    if let (Some(Command::Undo(args)), Some(undoes)) = (&mut cli.command, op.undoes) {
        args.op = Some(undoes);
    }
    Ok(Some(cli))
}

/// What `resume` would finish.
fn would_finish(config: &Config) -> Result<(), Error> {
    let journal = Journal::open(&state_dir("")?)?;
    let open = journal.open_entries(upstream::project_hash(config)?)?;
    let in_part = open.iter().filter(|open| open.refused.is_some()).count();
    notice!(
        "{} writes had begun and have no answer, {in_part} are written in part; without --dry-run they are looked up and finished.",
        open.len() - in_part
    );
    Ok(())
}

/// There is no command to go on with: the end of `resume`.
fn left_in_part(settled: &Settled, ending: &mut Ending) {
    if settled.in_part + settled.changed == 0 {
        notice!("Nothing is left unfinished.");
    }
    if settled.in_part > 0 {
        ending.failures();
    }
    if settled.changed > 0 {
        ending.conflicts();
    }
    if let Some(error) = &settled.why
        && error.kind == ErrorKind::Access
    {
        ending.fail(error.clone());
    }
}

/// Words as a shell takes them.
pub(super) fn quoted(words: &[String]) -> String {
    clean(&twin::quoted(words)).into_owned()
}
