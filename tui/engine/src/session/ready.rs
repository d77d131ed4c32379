//! What has to be true before the first task: the project is there, its libraries are active, and what
//! `preflight` compares fits.

use super::{Need, guard};
use crate::Notify;
use crate::config::Config;
use crate::flags::Flags;
use crate::host_limits::HostLimits;
use crate::outage::OutageReporter;
use crate::preflight::{self, Mark};
use crate::runtime::Engine;
use agent_abi::model::listed;
use std::path::PathBuf;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::StageId;
use wb_core::text::clean;

/// Everything that is looked at before the first task.
pub(super) async fn ready(
    engine: &mut Engine,
    flags: &Flags,
    config: &Config,
    need: &Need<'_>,
    libraries: &[PathBuf],
    notify: Notify,
) -> Result<Vec<StageId>, Error> {
    let _outages = OutageReporter::start(engine.reader(), notify);
    preflight::project(engine).await?;
    if let (Some(project), false) = (&engine.state().project, engine.state().options.dry_run) {
        guard(flags, config, project)?;
    }
    preflight::none_bad(preflight::agent_stages(engine.state()))?;
    let settled = engine.settle().await?;
    for line in settled.lines() {
        notify(&line);
    }
    let limits = HostLimits::of(flags, config, need.concurrency);
    load_libraries(engine, libraries, &limits, notify).await?;
    let stages = choose_stages(engine, need.stages)?;
    let findings = preflight::agents(engine, &stages, &config.params).await?;
    for note in findings.iter().filter(|f| f.mark == Mark::Note) {
        notify(&format!("note: {}", clean(&note.message)));
    }
    preflight::none_bad(findings)?;
    Ok(stages)
}

/// Waits until every library is active or refused; a refused one ends the run.
async fn load_libraries(
    engine: &mut Engine,
    libraries: &[PathBuf],
    limits: &HostLimits,
    notify: Notify,
) -> Result<(), Error> {
    preflight::none_bad(preflight::libraries(engine, libraries, limits, notify).await)?;
    let builds = &engine.state().builds;
    let notes = || builds.all.iter().flat_map(|b| b.notes.iter().cloned());
    preflight::none_bad(preflight::bound(engine.state()))
        .map_err(|error| notes().fold(error, Error::hint))?;
    for note in builds.all.iter().flat_map(|b| &b.notes) {
        notify(&format!("note: {}", clean(note)));
    }
    Ok(())
}

/// The stages to drain, in the order of the library.
fn choose_stages(engine: &Engine, wanted: &[String]) -> Result<Vec<StageId>, Error> {
    let order = engine.state().builds.order();
    if wanted.is_empty() {
        return Ok(order);
    }
    let Some(project) = &engine.state().project else {
        return Ok(order);
    };
    let mut chosen = Vec::new();
    for name in wanted {
        let Some(stage) = project.workflow.find(name) else {
            let agents = project.workflow.agent_stages();
            let agents = listed(agents.map(|s| s.title.as_str()));
            let error = project.workflow.no_stage(name);
            return Err(error.hint(format!("its agent stages: {agents}")));
        };
        if !order.contains(&stage.id) {
            return Err(Error::new(
                ErrorKind::Settings,
                format!("no agent in the library is for stage \"{}\"", stage.title),
            ));
        }
        chosen.push(stage.id);
    }
    Ok(order.into_iter().filter(|s| chosen.contains(s)).collect())
}
