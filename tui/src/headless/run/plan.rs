//! `workbench plan`: a run with every write held, kept in one file.

use super::{prepare, unless_interrupted};
use crate::cli::{Global, PlanArgs};
use crate::config::Config;
use crate::exit::{Ending, print_fault};
use crate::plan::PlanFile;
use wb_core::fault::{Fault, FaultKind};

/// `workbench plan`: a run with every write held, kept in one file.
pub async fn plan(global: &Global, config: &Config, args: &PlanArgs) -> Ending {
    let mut ending = Ending::default();
    let global = Global {
        dry_run: true,
        ..global.clone()
    };
    if args.run.refresh_every.is_some() {
        let fault = Fault::new(
            FaultKind::Usage,
            "a plan is made in one pass; --refresh-every belongs to `run`",
        );
        print_fault(&fault);
        ending.fault(fault);
        return ending;
    }
    let prepared = async {
        let mut session = prepare(&global, config, &args.run).await?;
        session.plan = Some(PlanFile::create(&args.output, &session.engine)?);
        Ok::<_, Fault>(session)
    };
    match unless_interrupted(Box::pin(prepared), true, &mut ending).await {
        Ok(None) => {}
        Ok(Some(mut session)) => {
            session.work(&mut ending).await;
            if let (Some(plan), true) = (session.plan.take(), ending.code() != 70) {
                match plan.finish() {
                    Ok(found) => {
                        tell!(
                            "Kept in {}: {} outcomes, {} of them change something.",
                            args.output.display(),
                            found.outcomes,
                            found.changes
                        );
                        tell!(
                            "workbench review {0} --diff · workbench apply {0}",
                            args.output.display()
                        );
                        if args.exit_code && found.changes > 0 {
                            ending.differences();
                        }
                    }
                    Err(fault) => {
                        print_fault(&fault);
                        ending.fault(fault);
                    }
                }
            }
        }
        Err(fault) => {
            print_fault(&fault);
            ending.fault(fault);
        }
    }
    ending
}
