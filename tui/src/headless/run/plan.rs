//! `workbench plan`: a run with every write held, kept in one file.

use super::{prepare::prepare, unless_interrupted};
use crate::cli::{Global, PlanArgs};
use crate::config::Config;
use crate::exit::Ending;
use crate::files;
use crate::max_time::MaxTime;
use crate::plan::PlanFile;
use wb_core::error::{Error, ErrorKind};

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
        ending.told(error);
        return ending;
    }
    match files::may_replace(&global, &args.output) {
        Ok(true) => {}
        Ok(false) => {
            tell!("Nothing was run; {} is as it was.", args.output.display());
            return ending;
        }
        Err(error) => {
            ending.told(error);
            return ending;
        }
    }
    let limit = MaxTime::new(args.run.max_time);
    let prepared = async {
        let file = files::begin("-o", &args.output).await?;
        let mut session = prepare(&global, config, &args.run, limit).await?;
        session.plan = Some(PlanFile::new(&args.output, file, &session.engine)?);
        Ok::<_, Error>(session)
    };
    match unless_interrupted(Box::pin(prepared), limit, true, &mut ending).await {
        Ok(None) => {}
        Ok(Some(mut session)) => {
            session.work(&mut ending).await;
            if let (Some(plan), true) = (session.plan.take(), ending.code() != 70) {
                keep(plan, args, &mut ending);
            }
        }
        Err(error) => ending.told(error),
    }
    ending
}

/// The file appears under its name, and what it holds is told.
fn keep(plan: PlanFile, args: &PlanArgs, ending: &mut Ending) {
    let found = match plan.finish() {
        Ok(found) => found,
        Err(error) => return ending.told(error),
    };
    let output = args.output.display();
    tell!(
        "Kept in {output}: {} outcomes, {} of them change something.",
        found.outcomes,
        found.changes
    );
    tell!("workbench review {output} --diff · workbench apply {output}");
    if args.exit_code && found.changes > 0 {
        ending.differences();
    }
}
