//! What has to be true before the first task: the project is there, its libraries are in charge, stages and parameters
//! fit, and the libraries' own preflight agrees.

use super::{Need, guard};
use crate::cli::Global;
use crate::config::Config;
use crate::headless::outage::Watch;
use crate::limits::HostLimits;
use crate::loading::Opening;
use crate::runtime::Engine;
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::StageId;
use wb_core::state::State;

/// Everything that is looked at before the first task.
pub(super) async fn ready(
    engine: &mut Engine,
    global: &Global,
    config: &Config,
    need: &Need<'_>,
    count: usize,
) -> Result<Vec<StageId>, Fault> {
    let _outages = Watch::of(engine.reader());
    load_project(engine).await?;
    if let (Some(project), false) = (&engine.state.project, engine.state.options.dry_run) {
        guard(global, config, project)?;
    }
    has_agent_stages(engine)?;
    let settled = engine.settle().await?;
    if settled.found > 0 {
        tell!(
            "An earlier run was interrupted: of {} writes that had begun {} are finished; {} tasks will run anew.",
            settled.found,
            settled.finished,
            settled.left
        );
    }
    let limits = HostLimits::of(global, config, need.concurrency);
    let opening = Opening {
        count,
        limit: limits.load_timeout,
    };
    load_libraries(engine, opening).await?;
    let stages = choose_stages(engine, need.stages)?;
    parameters(engine, &stages, config)?;
    preflight(engine).await?;
    Ok(stages)
}

/// Agents have nothing to do in a project whose workflow has no agent stage.
fn has_agent_stages(engine: &Engine) -> Result<(), Fault> {
    let Some(project) = &engine.state.project else {
        return Ok(());
    };
    if project.workflow.agent_stages().next().is_some() {
        return Ok(());
    }
    let text = format!("project \"{}\" has no agent stage", project.title);
    Err(Fault::new(FaultKind::Settings, text)
        .hint(format!("its stages: {}", project.workflow.titles()))
        .hint("add an agent stage to its workflow on the platform, or name another project"))
}

async fn load_project(engine: &mut Engine) -> Result<(), Fault> {
    while engine.state.project.is_none() {
        if let Some(fault) = engine.state.project_fault.take() {
            return Err(fault);
        }
        engine.turn().await;
    }
    Ok(())
}

/// Waits until every library is in charge or refused; a refused one ends the run.
async fn load_libraries(engine: &mut Engine, opening: Opening) -> Result<(), Fault> {
    let refused = |state: &State| match state.refused.is_empty() {
        true => state.builds.all.len(),
        false => usize::MAX,
    };
    let opened = opening.wait(engine, refused).await;
    if let Some((library, fault)) = engine.state.refused.first_key_value() {
        let which = match library.file_name() {
            Some(name) if opening.count > 1 => format!("the agent library {}", name.display()),
            _ => "the agent library".to_owned(),
        };
        let mut fault = fault.clone();
        fault.summary = format!("{which} was refused: {}", fault.summary);
        return Err(fault);
    }
    if !opened {
        let text = format!(
            "the agent library could not be opened within {:?}",
            opening.limit
        );
        return Err(Fault::new(FaultKind::Settings, text)
            .hint("is it being built right now? run again when the build is over"));
    }
    let builds = &engine.state.builds;
    if builds.order().is_empty() {
        let mut fault = Fault::new(
            FaultKind::Settings,
            "no agent in the library is for a stage of this project",
        );
        for note in builds.all.iter().flat_map(|b| &b.notes) {
            fault = fault.hint(note.clone());
        }
        return Err(fault);
    }
    for note in builds.all.iter().flat_map(|b| &b.notes) {
        tell!("note: {}", wb_ui::text::clean(note));
    }
    Ok(())
}

/// The stages to drain, in the order of the library.
fn choose_stages(engine: &Engine, wanted: &[String]) -> Result<Vec<StageId>, Fault> {
    let order = engine.state.builds.order();
    if wanted.is_empty() {
        return Ok(order);
    }
    let Some(project) = &engine.state.project else {
        return Ok(order);
    };
    let mut chosen = Vec::new();
    for name in wanted {
        let Some(stage) = project.workflow.find(name) else {
            let agents: Vec<&str> = project
                .workflow
                .agent_stages()
                .map(|s| s.title.as_str())
                .collect();
            let mut fault = Fault::new(FaultKind::Settings, project.workflow.not_found(name));
            let near = project.workflow.nearest(name);
            for near in near.into_iter().filter(|n| n != name) {
                fault = fault.hint(format!("did you mean \"{near}\"?"));
            }
            return Err(fault.hint(format!("its agent stages: {}", agents.join(", "))));
        };
        if !order.contains(&stage.id) {
            return Err(Fault::new(
                FaultKind::Settings,
                format!("no agent in the library is for stage \"{}\"", stage.title),
            ));
        }
        chosen.push(stage.id);
    }
    Ok(order.into_iter().filter(|s| chosen.contains(s)).collect())
}

/// Parameters that an agent declares otherwise would fail every task of its stage.
fn parameters(engine: &Engine, stages: &[StageId], config: &Config) -> Result<(), Fault> {
    let mut found = crate::params::misfits(&engine.state, stages, &config.params).into_iter();
    let Some((title, first)) = found.next() else {
        return Ok(());
    };
    let text = format!("parameters of stage \"{title}\": {first}");
    let place = format!("put it right in workbench.toml under [params.\"{title}\"]");
    let rest: Vec<String> = found
        .map(|(title, p)| format!("\"{title}\": {p}"))
        .collect();
    let fault = Fault::new(FaultKind::Settings, text);
    Err(if rest.is_empty() {
        fault.hint(place)
    } else {
        fault.because(rest.join("\n")).hint(place)
    })
}

/// Waits for the library's own preflight.
async fn preflight(engine: &mut Engine) -> Result<(), Fault> {
    let waiting: Vec<_> = engine
        .state
        .builds
        .all
        .iter()
        .filter(|b| b.probed.descriptor.preflight && !b.stages.is_empty())
        .map(|b| b.id)
        .collect();
    for build in waiting {
        while engine.state.preflight_of(build).is_none() {
            engine.turn().await;
        }
        if let Some(Err(fault)) = engine.state.preflight_of(build) {
            let mut fault = fault.clone();
            fault.kind = FaultKind::Settings;
            fault.summary = format!(
                "the library's preflight refused this project: {}",
                fault.summary
            );
            return Err(fault);
        }
    }
    Ok(())
}
