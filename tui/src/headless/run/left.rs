//! What earlier commands of this folder left in part.

use std::collections::{HashMap, HashSet};
use wb_core::error::Error;
use wb_core::ids::{StageId, TaskId};
use wb_core::run::OnConflict;
use wb_engine::flags::Flags;
use wb_engine::runtime::{Engine, now};
use wb_engine::saved::RunRequest;
use wb_ui::text::plural;

/// How many tasks of each stage an interrupted command has taken already that is gone on with.
pub(super) fn spent(engine: &Engine, flags: &Flags) -> Result<HashMap<StageId, usize>, Error> {
    match (engine.journal(), flags.goes_on) {
        (Some(journal), Some(op)) => journal.spent(op),
        _ => Ok(HashMap::new()),
    }
}

/// Tasks that an earlier command of this folder left in part. A run has tried to finish them by now, a dry run
/// leaves them out and reports it.
pub(super) fn unfinished(
    engine: &Engine,
    args: &RunRequest,
    dry: bool,
) -> Result<HashSet<TaskId>, Error> {
    let (Some(journal), Some(project)) = (engine.journal(), &engine.state().project) else {
        return Ok(HashSet::new());
    };
    if !dry {
        // An answer to conflicts means that the agents run again.
        if args.on_conflict != OnConflict::Skip {
            journal.release_conflicts(project.hash, None, now().0)?;
        }
        return Ok(HashSet::new());
    }
    let open = journal.open_entries(project.hash)?;
    if let Some(first) = open.first() {
        let why = match &first.refused {
            Some(error) => wb_ui::text::clean(&error.summary).into_owned(),
            None => "no answer came".to_owned(),
        };
        notice!(
            "note: {} are not over that an earlier command began ({why}); a run finishes them first, so they are left out here",
            plural(open.len(), "write")
        );
    }
    Ok(open.iter().map(|open| open.change.task).collect())
}
