//! `workbench plan`: a run with every write held, kept in one file.

use super::{prepare::prepare, unless_interrupted};
use crate::cli::{Global, PlanArgs};
use crate::exit::Ending;
use std::io::{self, IsTerminal};
use std::path::Path;
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_engine::config::Config;
use wb_engine::files;
use wb_engine::flags::Flags;
use wb_engine::max_time::MaxTime;
use wb_engine::plan::PlanFile;
use wb_engine::saved::RunRequest;

/// `workbench plan`: a run with every write held, kept in one file.
pub async fn plan(global: &Global, config: &Config, args: &PlanArgs) -> Ending {
    let mut ending = Ending::default();
    let global = Global {
        dry_run: true,
        ..global.clone()
    };
    if args.run.refresh_every.is_some() {
        let error = Error::new(
            ErrorKind::Usage,
            "a plan is made in one pass; --refresh-every belongs to `run`",
        );
        ending.fail(error);
        return ending;
    }
    match may_replace(&global, &args.output) {
        Ok(true) => {}
        Ok(false) => {
            notice!("Nothing was run; {} is as it was.", args.output.display());
            return ending;
        }
        Err(error) => {
            ending.fail(error);
            return ending;
        }
    }
    let (flags, request) = (global.flags(), args.run.request());
    let planned = Box::pin(plan_into(
        &flags,
        config,
        &request,
        &args.output,
        &mut ending,
    ))
    .await;
    if let Some(plan) = planned {
        keep(plan, args, &mut ending);
    }
    ending
}

/// Runs with every write held; the plan, which has no name yet, unless it is not to be kept.
pub async fn plan_into(
    flags: &Flags,
    config: &Config,
    request: &RunRequest,
    output: &Path,
    ending: &mut Ending,
) -> Option<PlanFile> {
    let limit = MaxTime::new(request.max_time);
    let prepared = async {
        let file = files::begin("-o", output).await?;
        let mut session = prepare(flags, config, request, limit).await?;
        let state = session.engine.state();
        session.plan = Some(PlanFile::of_state(output, file, state)?);
        Ok::<_, Error>(session)
    };
    match unless_interrupted(Box::pin(prepared), limit, true, ending).await {
        Ok(None) => None,
        Ok(Some(mut session)) => {
            session.work(ending).await;
            session.plan.take().filter(|_| ending.code() != 70)
        }
        Err(error) => {
            ending.fail(error);
            None
        }
    }
}

/// Whether a file may be replaced: an existing one that holds something is replaced only when a person
/// agrees.
///
/// # Errors
/// Nobody could be asked.
fn may_replace(global: &Global, path: &Path) -> Result<bool, Error> {
    let holds_something = path.metadata().is_ok_and(|m| m.is_file() && m.len() > 0);
    if !holds_something || global.yes {
        return Ok(true);
    }
    let path = path.display();
    if global.no_input || !io::stdin().is_terminal() {
        let text = format!("{path} exists already and was not overwritten; nothing was run");
        return Err(Error::new(ErrorKind::Refused, text)
            .hint("choose another name, or overwrite it with --yes"));
    }
    notice!("{path} exists already. Overwrite it? [y/N]");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The file appears under its name, and its content is summarised.
fn keep(plan: PlanFile, args: &PlanArgs, ending: &mut Ending) {
    let found = match plan.finish() {
        Ok(found) => found,
        Err(error) => return ending.fail(error),
    };
    let output = args.output.display();
    notice!(
        "Kept in {output}: {}, {} with a change.",
        plural(found.outcomes, "outcome"),
        found.changes
    );
    notice!("workbench review {output} --diff · workbench apply {output}");
    if args.exit_code && found.changes > 0 {
        ending.differences();
    }
}
