//! `workbench check`: everything that can be known before the first task, each finding with a fix.

use crate::cli::Global;
use crate::config::{Config, state_dir};
use crate::exit::Ending;
use crate::limits::HostLimits;
use crate::loading::Opening;
use crate::params::Params;
use crate::runtime::{Engine, Setup};
use crate::{library, upstream};
use agent_abi::wire::TwinSpec;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use wb_client::Reader;
use wb_core::fault::{Fault, FaultKind};
use wb_core::ids::{BuildId, ProjectHash};
use wb_core::state::{Options, State};

/// How long a library's preflight may take.
const LOADING: Duration = Duration::from_secs(10);

/// Checks and prints; exit 3 when something is wrong.
///
/// # Errors
/// Settings or credentials are not usable: the first finding.
pub async fn check(global: &Global, config: &Config) -> Result<Ending, Fault> {
    let mut ending = Ending::default();
    let hash = upstream::project_hash(config)?;
    let up = upstream::look(global, config)?;
    say!("✓ key and domain   {}", wb_ui::text::clean(&up.name));
    let libraries: Vec<_> = library::files(&config.agents.value)?
        .into_iter()
        .map(|l| l.path)
        .collect();
    let missing = libraries.iter().filter(|l| !l.exists()).count();
    let reader = up.reader.clone();
    let limits = HostLimits::of(global, config, 1);
    let mut engine = Engine::start(Setup {
        reader: up.reader,
        writer: None,
        project: hash,
        libraries: libraries.clone(),
        twins: Vec::new(),
        drain: None,
        cache: state_dir("cache")?,
        params: config.params.clone(),
        options: Options {
            dry_run: true,
            ..Options::default()
        },
        concurrency: 1,
        limits,
        verbose: 0,
    })?;
    let opening = Opening {
        count: libraries.len() - missing,
        limit: limits.load_timeout,
    };
    let found = findings(&mut engine, opening, &config.params).await?;
    let found = found + preflights(&mut engine).await;
    let findings = found + twins(&engine, &reader).await;
    for path in libraries.iter().filter(|l| !l.exists()) {
        say!(
            "✗ {} does not exist\n  → build it: cargo build",
            path.display()
        );
    }
    if findings + missing > 0 || libraries.is_empty() {
        if libraries.is_empty() {
            say!("✗ no agent library\n  → name one with --agents");
        }
        ending.fault(Fault::new(FaultKind::Settings, "check found something"));
    }
    engine.shutdown().await;
    Ok(ending)
}

async fn findings(engine: &mut Engine, opening: Opening, params: &Params) -> Result<usize, Fault> {
    while engine.state.project.is_none() {
        if let Some(fault) = engine.state.project_fault.take() {
            return Err(fault);
        }
        engine.turn().await;
    }
    let Some(project) = engine.state.project.clone() else {
        return Ok(0);
    };
    say!("✓ project          {}", wb_ui::text::clean(&project.title));
    let libraries = opening.count;
    opening.wait(engine, known).await;
    let mut bad = refusals(&engine.state, opening);
    for build in &engine.state.builds.all {
        let library = &build.probed.descriptor;
        let count = library.agents.len();
        say!(
            "✓ library          {} {}, {count} agent{}",
            library.name,
            library.version,
            if count == 1 { "" } else { "s" }
        );
        for note in &build.notes {
            say!("! {}", wb_ui::text::clean(note));
        }
        bad += pathways(engine, build);
        bad += parameters(engine, build, params);
    }
    for stage in project.workflow.agent_stages() {
        match engine.state.agent(stage.id) {
            Some((build, _, agent)) => {
                say!(
                    "✓ stage            {} ← {} (build {build})",
                    wb_ui::text::clean(&stage.title),
                    agent.spec.function
                );
            }
            None => say!(
                "! stage {} has no agent; its tasks are left alone",
                wb_ui::text::clean(&stage.title)
            ),
        }
    }
    if libraries > 0 && engine.state.builds.order().is_empty() {
        say!("✗ no agent is for a stage of this project");
        bad += 1;
    }
    Ok(bad)
}

/// Libraries that were refused, or not opened in time.
fn refusals(state: &State, opening: Opening) -> usize {
    for (path, fault) in &state.refused {
        let name = path.file_name().unwrap_or(path.as_os_str());
        say!(
            "✗ library refused: {}: {}",
            wb_ui::text::clean(&name.to_string_lossy()),
            wb_ui::text::clean(&fault.summary)
        );
        for hint in &fault.hints {
            say!("  → {}", wb_ui::text::clean(hint));
        }
    }
    let silent = opening.count.saturating_sub(known(state));
    if silent > 0 {
        say!(
            "✗ {silent} of the libraries could not be opened within {:?}",
            opening.limit
        );
    }
    state.refused.len() + silent
}

/// Libraries of which is known what became of them: opened or refused.
fn known(state: &State) -> usize {
    let opened = state.builds.all.iter().map(|b| &b.probed.library);
    let all: BTreeSet<_> = opened.chain(state.refused.keys()).collect();
    all.len()
}

/// Twin projects that agents declare and that cannot be read.
async fn twins(engine: &Engine, reader: &Reader) -> usize {
    let mut bad = 0;
    let mut seen = Vec::new();
    for stage in engine.state.builds.order() {
        let Some((_, _, agent)) = engine.state.agent(stage) else {
            continue;
        };
        let specs = agent.spec.twins.iter();
        for spec in specs.filter_map(|s| TwinSpec::deserialize(s).ok()) {
            let function = &agent.spec.function;
            if seen.contains(&spec.project) {
                continue;
            }
            seen.push(spec.project);
            match reader.project(ProjectHash(spec.project)).await {
                Ok(twin) => {
                    say!(
                        "✓ twin             {} ({function})",
                        wb_ui::text::clean(&twin.title)
                    );
                }
                Err(error) => {
                    say!(
                        "✗ {function} reads twins in project {}: {error}\n  → write the hash of a project that this key may see into its twin(\"…\")",
                        spec.project
                    );
                    bad += 1;
                }
            }
        }
    }
    bad
}

/// Parameters of a stage that its agent has not declared, or declares otherwise.
fn parameters(engine: &Engine, build: &wb_core::build::Build, params: &Params) -> usize {
    let found = crate::params::misfits(&engine.state, &build.stages, params);
    for (title, problem) in &found {
        let title = wb_ui::text::clean(title);
        say!(
            "✗ parameters of stage \"{title}\": {problem}\n  → put it right in workbench.toml under [params.\"{title}\"]"
        );
    }
    found.len()
}

/// Libraries whose own look at the project refuses it.
async fn preflights(engine: &mut Engine) -> usize {
    let mut bad = 0;
    for (build, name) in with_preflight(engine) {
        let until = Instant::now() + LOADING;
        while engine.state.preflight_of(build).is_none() && Instant::now() < until {
            let _ = tokio::time::timeout(until - Instant::now(), engine.turn()).await;
        }
        let fault = match engine.state.preflight_of(build) {
            Some(Ok(())) => {
                say!("✓ preflight        {}", wb_ui::text::clean(&name));
                continue;
            }
            Some(Err(fault)) => fault.clone(),
            None => Fault::new(
                FaultKind::Host,
                format!("no answer within {} s", LOADING.as_secs()),
            ),
        };
        say!(
            "✗ {} refuses this project: {}",
            wb_ui::text::clean(&name),
            wb_ui::text::clean(&fault.summary)
        );
        for line in fault.cause.iter().flat_map(|cause| cause.lines()) {
            say!("  {}", wb_ui::text::clean(line));
        }
        for hint in &fault.hints {
            say!("  → {}", wb_ui::text::clean(hint));
        }
        bad += 1;
    }
    bad
}

/// Builds in charge of a stage that have a preflight, with the names of their libraries.
fn with_preflight(engine: &Engine) -> Vec<(BuildId, String)> {
    let builds = engine.state.builds.all.iter();
    let asked = builds.filter(|b| b.probed.descriptor.preflight && !b.stages.is_empty());
    asked
        .map(|b| (b.id, b.probed.descriptor.name.clone()))
        .collect()
}

/// Declared pathways that the stage does not have.
fn pathways(engine: &Engine, build: &wb_core::build::Build) -> usize {
    let mut bad = 0;
    for stage in &build.stages {
        let Some((_, _, agent)) = engine.state.agent(*stage) else {
            continue;
        };
        let Some(found) = engine
            .state
            .project
            .as_ref()
            .and_then(|p| p.workflow.stage(*stage))
        else {
            continue;
        };
        for route in agent
            .spec
            .routes
            .iter()
            .filter(|r| found.pathway(r).is_none())
        {
            let names: Vec<&str> = found.pathways.iter().map(|p| p.name.as_str()).collect();
            say!(
                "✗ {} declares pathway \"{route}\", which does not leave \"{}\"\n  → there are: {}",
                agent.spec.function,
                wb_ui::text::clean(&found.title),
                names.join(", ")
            );
            bad += 1;
        }
    }
    bad
}
