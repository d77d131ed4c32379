//! Which operation of the journal `undo` and `resume` mean when they name one, and when they do not.

use crate::Notify;
use crate::config::{Config, Value, state_dir};
use crate::journal::Journal;
use crate::saved::SavedCommand;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ProjectHash;
use wb_core::journal::Op;

/// The settings with the project of the newest operation, where they name none.
///
/// # Errors
/// The journal cannot be read.
pub fn with_project(config: &Config) -> Result<Config, Error> {
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

/// The operation to take back: the one that is named, or the newest that stands and is not an undo itself. The
/// person is notified why there is none.
///
/// # Errors
/// The journal cannot be read, or it has no such operation of this project.
pub fn to_undo(
    journal: &Journal,
    project: ProjectHash,
    named: Option<i64>,
    notify: Notify,
) -> Result<Option<Op>, Error> {
    let (ops, here) = (journal.ops()?, project.to_string());
    if let Some(id) = named {
        let Some(op) = ops.iter().find(|op| op.id == id) else {
            let text = format!("the journal has no operation {id}; nothing was written");
            return Err(Error::new(ErrorKind::Usage, text).hint("workbench journal"));
        };
        if op.project != here {
            let of = &op.project;
            let text = format!("operation {id} belongs to project {of}; nothing was written");
            return Err(Error::new(ErrorKind::Usage, text)
                .hint(format!("workbench undo {id} --project-hash={of}")));
        }
        if op.standing() > 0 {
            return Ok(Some(op.clone()));
        }
        let by = ops.iter().rev().find(|op| op.undoes == Some(id));
        let again = by.map(|by| format!("; to have it again: workbench undo {}", by.id));
        notify(&format!(
            "Operation {id} is taken back already{}",
            again.unwrap_or_default()
        ));
    } else {
        let stands = |op: &&Op| op.project == here && op.kind != "undo" && op.standing() > 0;
        if let Some(op) = ops.iter().rev().find(stands) {
            return Ok(Some(op.clone()));
        }
    }
    notify("Nothing is left to take back; `workbench journal` lists what was written.");
    let redo = |op: &&Op| op.undoes.is_some() && op.standing() > 0;
    if let Some(last) = ops.iter().rev().find(redo) {
        let id = last.id;
        notify(&format!(
            "To write again what was taken back last: workbench undo {id}"
        ));
    }
    Ok(None)
}

/// What the journal keeps of the command of an interrupted operation.
#[derive(Debug, PartialEq)]
pub enum KeptCommand {
    /// What it was asked.
    Saved(Box<SavedCommand>),
    /// The words of its command line, which is all that older versions kept.
    Words(Vec<String>),
    /// Nothing to go on with: its tasks come from somebody's queue.
    Exec,
}

/// The interrupted operation to go on with: the one that is named, or the newest. The person is notified of another
/// one.
///
/// # Errors
/// The journal cannot be read, or it has no such operation of this project, or one of a newer version.
pub fn to_resume(
    journal: &Journal,
    project: ProjectHash,
    named: Option<i64>,
    notify: Notify,
) -> Result<Option<(Op, KeptCommand)>, Error> {
    let here = project.to_string();
    let mut ours = journal.ops()?;
    ours.retain(|op| op.project == here && named.is_none_or(|id| op.id == id));
    if let (Some(id), true) = (named, ours.is_empty()) {
        let text = format!("the journal has no operation {id} of this project");
        return Err(Error::new(ErrorKind::Usage, text).hint("workbench journal"));
    }
    ours.retain(|op| op.interrupted);
    let Some(op) = ours.pop() else {
        return Ok(None);
    };
    if let Some(older) = ours.last() {
        notify(&format!(
            "Operation {0} was interrupted too; after this one: workbench resume {0}",
            older.id
        ));
    }
    let kept = match (op.kind.as_str(), journal.saved(op.id)?) {
        ("exec" | "worker", _) => KeptCommand::Exec,
        (_, Some(saved)) => KeptCommand::Saved(Box::new(saved)),
        // The screen keeps the words of the command that does the same.
        (_, None) => KeptCommand::Words(op.words.clone()),
    };
    Ok(Some((op, kept)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Flags;
    use crate::journal::{FILE, Operation};
    use crate::saved::{CommandRequest, ProgressForm, RunRequest, UndoRequest};
    use rusqlite::Connection;
    use std::time::Duration;
    use uuid::Uuid;
    use wb_core::run::{FailureLimit, OnConflict, OnDuplicate};

    const DEAD: i64 = i32::MAX as i64;

    fn run_request() -> CommandRequest {
        CommandRequest::Run(Box::new(RunRequest {
            refresh_every: Some(60),
            num_retries: 2,
            task_batch_size: 7,
            max_tasks_per_stage: Some(9),
            stage: vec!["Agent 1".to_owned()],
            filter: Some("-label:Car>3 title~night".to_owned()),
            task: vec!["a.jpg".to_owned()],
            concurrency: Some(4),
            rate: Some(0.1),
            timeout: Some("1h30m".parse().unwrap()),
            max_failures: Some(FailureLimit::Percent(2.5)),
            max_time: Some(Duration::from_millis(1500)),
            on_conflict: OnConflict::Rerun,
            on_duplicate: Some(OnDuplicate::Add),
            progress: ProgressForm::Plain,
            report: Some("r.html".into()),
            junit: None,
            jsonl: None,
        }))
    }

    /// Notes an operation whose process is gone.
    fn interrupted(dir: &std::path::Path, operation: &Operation, words: &[&str]) -> i64 {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let journal = Journal::open(dir).unwrap();
        let project = ProjectHash(Uuid::from_u128(9));
        let op = journal.operate(project, operation, &words, 1).unwrap();
        let db = Connection::open(dir.join(FILE)).unwrap();
        db.execute("UPDATE op SET pid = ?2 WHERE id = ?1", [op, DEAD])
            .unwrap();
        op
    }

    #[test]
    fn resume_takes_the_newest_interrupted_command_as_it_was_asked_or_the_one_that_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let project = ProjectHash(Uuid::from_u128(9));
        let kind = |kind| Operation {
            kind,
            ..Operation::default()
        };
        let flags = Flags {
            agents: vec!["agents".into()],
            confirm: Some("Traffic".to_owned()),
            ..Flags::default()
        };
        let saved = SavedCommand {
            flags,
            request: run_request(),
        };
        let old = interrupted(dir.path(), &kind("apply"), &["apply", "p.wbplan"]);
        let queue = interrupted(dir.path(), &kind("exec"), &["exec"]);
        let run = interrupted(dir.path(), &saved.clone().into(), &["run"]);
        // The screen's commits are not commands.
        interrupted(dir.path(), &kind("commit"), &["run"]);
        let journal = Journal::open(dir.path()).unwrap();
        let found = |named| {
            to_resume(&journal, project, named, |_| {})
                .unwrap()
                .unwrap()
        };
        let (op, kept) = found(None);
        assert_eq!((op.id, op.kind.as_str()), (run, "run"));
        assert_eq!(kept, KeptCommand::Saved(Box::new(saved.clone())));
        let words = ["apply", "p.wbplan"].map(str::to_owned).to_vec();
        assert_eq!(found(Some(old)).1, KeptCommand::Words(words));
        assert_eq!(found(Some(queue)).1, KeptCommand::Exec);
        let others = ProjectHash(Uuid::from_u128(8));
        assert_eq!(to_resume(&journal, others, None, |_| {}), Ok(None));
        let missing = to_resume(&journal, project, Some(99), |_| {}).unwrap_err();
        assert_eq!(missing.kind, ErrorKind::Usage);

        let resume = Flags {
            json: true,
            confirm: Some("Another".to_owned()),
            ..Flags::default()
        };
        let going_on = saved.going_on(&op, &resume).flags;
        assert_eq!(going_on.goes_on, Some(run));
        assert_eq!(going_on.project_hash, Some(project.to_string()));
        assert!(going_on.json && going_on.confirm.as_deref() == Some("Traffic"));
    }

    #[test]
    fn an_undo_goes_on_with_the_operation_that_it_had_chosen() {
        let request = CommandRequest::Undo(UndoRequest {
            op: None,
            max_time: None,
        });
        let flags = Flags::default();
        let op = Op {
            undoes: Some(4),
            ..Op::default()
        };
        let on = SavedCommand { flags, request }.going_on(&op, &Flags::default());
        let CommandRequest::Undo(undo) = on.request else {
            panic!("{on:?}");
        };
        assert_eq!(undo.op, Some(4));
    }

    #[test]
    fn a_limit_that_this_version_does_not_have_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let saved = SavedCommand {
            flags: Flags::default(),
            request: run_request(),
        };
        let op = interrupted(dir.path(), &saved.into(), &["run"]);
        let db = Connection::open(dir.path().join(FILE)).unwrap();
        let change = |sql: &str| {
            db.execute(&format!("UPDATE op SET saved = {sql}"), [])
                .unwrap();
            Journal::open(dir.path()).unwrap().saved(op)
        };
        // An option that came later has its default in what was kept before.
        assert!(change("json_remove(saved, '$.flags.plain')").is_ok());
        for newer in ["$.request.run.at_most", "$.flags.at_most"] {
            let error = change(&format!("json_set(saved, '{newer}', 5)")).unwrap_err();
            assert!(error.summary.contains("at_most"), "{error}");
        }
    }
}
