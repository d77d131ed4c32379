//! `workbench resume`: finishes what interrupted commands had begun to write, then goes on with one of them.

use crate::cli::{Cli, ResumeArgs};
use crate::exit::Ending;
use crate::print;
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_core::journal::Settled;
use wb_core::state::shell;
use wb_engine::chosen::{self, KeptCommand};
use wb_engine::config::{Config, state_dir};
use wb_engine::flags::Flags;
use wb_engine::journal::Journal;
use wb_engine::runtime::now;
use wb_engine::saved::{CommandRequest, SavedCommand};
use wb_engine::session;
use wb_engine::upstream;
use wb_ui::text::clean;

/// `workbench resume`: finishes what had begun, then goes on with the run that was interrupted.
pub async fn resume(flags: &Flags, config: &Config, args: &ResumeArgs) -> Ending {
    let mut ending = Ending::default();
    let went_on = async {
        match settle(flags, config, args, &mut ending).await? {
            Some(saved) => go_on(&saved).await.map(Some),
            None => Ok(None),
        }
    };
    match went_on.await {
        Ok(Some(end)) => return end,
        Ok(None) => {}
        Err(error) => ending.fail(error),
    }
    ending
}

/// Goes on with a command, on the settings of now.
async fn go_on(saved: &SavedCommand) -> Result<Ending, Error> {
    let flags = &saved.flags;
    let config = chosen::with_project(&Config::load(flags)?)?;
    Ok(match &saved.request {
        CommandRequest::Run(run) => Box::pin(super::run(flags, &config, run)).await,
        CommandRequest::Apply(apply) => Box::pin(super::apply(flags, &config, apply)).await,
        CommandRequest::Undo(undo) => Box::pin(super::undo(flags, &config, undo)).await,
    })
}

/// Finishes open writes; gives the command to go on with.
async fn settle(
    flags: &Flags,
    config: &Config,
    args: &ResumeArgs,
    ending: &mut Ending,
) -> Result<Option<SavedCommand>, Error> {
    session::refuse_read_only(flags, "resume")?;
    let config = chosen::with_project(config)?;
    if config.project.is_none() {
        notice!("Nothing was left unfinished.");
        return Ok(None);
    }
    if flags.dry_run {
        would_finish(&config)?;
        return Ok(None);
    }
    let connection = session::connection(flags, &config, "resume", None, print::notify).await?;
    let (journal, project) = (&connection.journal, connection.project.hash);
    let found = chosen::to_resume(journal, project, args.run, print::notify)?;
    let Some((op, kept)) = found else {
        left_in_part(&connection.settled, ending);
        return Ok(None);
    };
    let saved = match kept {
        KeptCommand::Saved(saved) => Some(*saved),
        KeptCommand::Words(words) => Cli::of_words(&words)?,
        KeptCommand::Exec => {
            notice!(
                "An interrupted `exec` or `worker` goes on with what its queue gives it; what had begun is finished."
            );
            None
        }
    };
    let Some(saved) = saved else {
        journal.gone_on(project, op.id, now().0)?;
        return Ok(None);
    };
    let (id, command) = (op.id, quoted(&op.words));
    notice!("Going on with operation {id}: workbench {command}");
    Ok(Some(saved.going_on(&op, flags)))
}

/// What `resume` would finish.
fn would_finish(config: &Config) -> Result<(), Error> {
    let journal = Journal::open(&state_dir("")?)?;
    let open = journal.open_entries(upstream::project_hash(config)?)?;
    let in_part = open.iter().filter(|open| open.refused.is_some()).count();
    notice!(
        "Begun without an answer: {}; written in part: {in_part}. Without --dry-run they are looked up and finished.",
        plural(open.len() - in_part, "write")
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
    clean(&shell::quoted(words)).into_owned()
}
