//! `workbench journal`: what was written from this folder, and forgetting what is old.

use crate::cli::{Global, JournalArgs};
use serde_json::json;
use std::io::IsTerminal;
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_core::journal::Op;
use wb_engine::config::state_dir;
use wb_engine::files;
use wb_engine::journal::{Journal, Keep};
use wb_engine::runtime::now;

/// `workbench journal`
///
/// # Errors
/// The journal cannot be read.
pub fn journal(global: &Global, args: &JournalArgs) -> Result<(), Error> {
    let Some(path) = files::existing("journal.db") else {
        notice!("Nothing was written from this folder yet.");
        return Ok(());
    };
    let journal = match state_dir("") {
        Ok(dir) => Journal::open(&dir)?,
        Err(_) if args.prune.is_none() => Journal::open_to_read(&path)?,
        Err(error) => return Err(error),
    };
    if let Some(keep) = args.prune {
        return prune(global, &journal, keep);
    }
    let ops = journal.ops()?;
    for op in &ops {
        if global.json {
            out!("{}", object(op));
        } else if args.commands {
            if op.words.is_empty() {
                let (id, kind) = (op.id, &op.kind);
                out!("# operation {id}: {kind}, of a version that kept no command");
            } else {
                out!("workbench {}", super::resume::quoted(&op.words));
            }
        } else {
            out!("{}", sentence(op));
        }
    }
    if ops.is_empty() {
        notice!("Nothing was written from this folder yet.");
    }
    Ok(())
}

fn object(op: &Op) -> serde_json::Value {
    json!({
        "op": op.id, "kind": op.kind, "project": op.project, "began": wb_client::rfc3339(op.began),
        "tasks": op.tasks, "done": op.done, "open": op.open, "in_part": op.in_part, "undone": op.undone,
        "interrupted": op.interrupted, "under_way": op.under_way,
        "plan": op.plan, "undoes": op.undoes, "args": op.words,
    })
}

fn sentence(op: &Op) -> String {
    let mut text = format!(
        "{:>5}  {}  {:6}  {} of {} written",
        op.id,
        wb_client::rfc3339(op.began),
        op.kind,
        op.done,
        plural(op.tasks, "task")
    );
    if let Some(undoes) = op.undoes {
        text.push_str(&format!(" · takes back {undoes}"));
    }
    if op.undone > 0 {
        text.push_str(&format!(" · {} taken back", op.undone));
    }
    if op.interrupted {
        text.push_str(&format!(" · interrupted: workbench resume {}", op.id));
    } else if op.under_way {
        text.push_str(" · under way");
    } else if op.open > op.in_part {
        text.push_str(&format!(
            " · {} without an answer: workbench resume",
            op.open - op.in_part
        ));
    }
    if op.in_part > 0 {
        text.push_str(&format!(
            " · {0} written in part: workbench resume finishes them, workbench undo {1} takes them back",
            op.in_part, op.id
        ));
    }
    text
}

/// Removes old operations, after a confirmation.
fn prune(global: &Global, journal: &Journal, keep: Keep) -> Result<(), Error> {
    let old = journal.prunable(keep, now().0)?;
    let tasks: u64 = old.iter().map(|op| op.tasks).sum();
    let standing = old.iter().filter(|op| op.standing() > 0).count();
    let (Some(first), Some(last)) = (old.first(), old.last()) else {
        notice!("Nothing is that old; what is unfinished is kept always.");
        return print_pruned(global, 0, 0);
    };
    let what = format!(
        "{} ({} to {}, {}); {standing} of them could no longer be taken back",
        plural(old.len(), "operation"),
        first.id,
        last.id,
        plural(tasks, "task")
    );
    if global.dry_run {
        notice!("Would forget {what}.");
        return print_pruned(global, 0, 0);
    }
    if !global.yes && !asked(global, &what)? {
        notice!("Nothing was forgotten.");
        return Ok(());
    }
    journal.prune(&old)?;
    notice!(
        "Forgot {}. What was applied of plans is still known.",
        plural(old.len(), "operation")
    );
    print_pruned(global, old.len(), tasks)
}

#[allow(clippy::unnecessary_wraps)] // the last step of both ends
fn print_pruned(global: &Global, ops: usize, tasks: u64) -> Result<(), Error> {
    if global.json {
        out!("{}", json!({"pruned": {"ops": ops, "tasks": tasks}}));
    }
    Ok(())
}

/// A person's answer; without one nothing is forgotten.
fn asked(global: &Global, what: &str) -> Result<bool, Error> {
    if global.no_input || !std::io::stdin().is_terminal() {
        let text = format!("{what}; nothing was forgotten, because nobody could be asked");
        return Err(Error::new(ErrorKind::Refused, text).hint("to forget them: --yes"));
    }
    notice!("Forget {what}? [y/N]");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    let yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    Ok(read.is_ok() && yes)
}
