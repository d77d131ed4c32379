//! What is looked at before the first task, by `check` and by every command that runs agents: whether the
//! libraries open, and whether what their agents declare fits the project. Printing is left to those who ask.

use crate::Notify;
use crate::host_limits::HostLimits;
use crate::library::Library;
use crate::loading;
use crate::params::{self, Params};
use crate::runtime::Engine;
use agent_abi::model::quoted;
use agent_abi::wire::TwinSpec;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wb_client::Reader;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Event};
use wb_core::ids::{BuildId, ProjectHash, StageId};
use wb_core::state::State;
use wb_core::work::{Project, Route};
use wb_core::workflow::Workflow;

mod finding;
mod names;

pub use finding::{Finding, Mark, none_bad};
pub use names::names;

/// Waits until the project is there.
///
/// # Errors
/// It cannot be had.
pub async fn project(engine: &mut Engine) -> Result<(), Error> {
    while engine.state().project.is_none() {
        if let Some(error) = engine.state().project_error.clone() {
            return Err(error);
        }
        engine.turn().await;
    }
    Ok(())
}

/// What is missing before a library can be opened: files, or any library at all.
#[must_use]
pub fn files(libraries: &[Library]) -> Vec<Finding> {
    if libraries.is_empty() {
        let fix = "name one with --agents: a library, a crate folder or a folder of libraries";
        return vec![Finding::bad(
            "library",
            "no agent library was found here",
            fix,
        )];
    }
    let missing = libraries.iter().filter(|l| !l.path.exists());
    let finding = |library: &Library| {
        let build = library.package.as_ref().map_or_else(
            || "build it first".to_owned(),
            |p| format!("build it first: cargo build -p {p}"),
        );
        let text = format!("{} does not exist", library.path.display());
        Finding::bad("library", text, build)
    };
    missing.map(finding).collect()
}

/// Agents have nothing to do in a project whose workflow has no agent stage.
#[must_use]
pub fn agent_stages(state: &State) -> Vec<Finding> {
    let Some(project) = &state.project else {
        return Vec::new();
    };
    if project.workflow.agent_stages().next().is_some() {
        return Vec::new();
    }
    let text = format!("project \"{}\" has no agent stage", project.title);
    let fix = "add an agent stage to its workflow on the platform, or name another project";
    vec![Finding {
        fix: vec![
            format!("its stages: {}", project.workflow.titles()),
            fix.to_owned(),
        ],
        ..Finding::bad("stage", text, "")
    }]
}

/// Whether an agent that was opened is for a stage of the project.
#[must_use]
pub fn bound(state: &State) -> Vec<Finding> {
    let text = "no agent in the library is for a stage of this project";
    match state.builds.order().is_empty() {
        true => vec![Finding::bad("stage", text, "")],
        false => Vec::new(),
    }
}

/// Reads the project again, for a command that goes on for long. What cannot be read leaves what is known, and is
/// retried the next time.
pub async fn read_again(engine: &mut Engine) {
    engine.feed(Event::Input(Command::ReadProject));
    while engine.state().reads_project() {
        engine.turn().await;
    }
}

/// Waits until each of these libraries was opened or refused; those that were not, with the reason.
pub async fn libraries(
    engine: &mut Engine,
    expected: &[PathBuf],
    limits: &HostLimits,
    notify: Notify,
) -> Vec<Finding> {
    let opened = |state: &State| expected.iter().filter(|l| known(state, l)).count();
    if !loading::wait(engine, limits, expected.len(), opened, notify).await {
        engine.feed(Event::Build(BuildEvent::Overdue));
    }
    let state = engine.state();
    let refused = expected.iter().filter_map(|library| {
        let name = library.file_name().unwrap_or(library.as_os_str());
        let name = name.to_string_lossy();
        if is_active(state, library) {
            return None; // whatever became of a newer content
        }
        if let Some(error) = state.refused.of(library) {
            let reason = &error.summary;
            let text = format!("library refused: {name}: {reason}");
            let sentence = format!("the agent library {name} was refused: {reason}");
            return Some(Finding {
                sentence: Some(sentence),
                fix: error.hints.clone(),
                ..Finding::bad("library", text, "")
            });
        }
        let text = format!(
            "the agent library {name} could not be opened within {}",
            limits.spelled()
        );
        let fix = "is it being built right now? run again when the build is over";
        (!known(state, library)).then(|| Finding::bad("library", text, fix))
    });
    refused.collect()
}

fn is_active(state: &State, library: &Path) -> bool {
    let builds = &state.builds.all;
    let active = wb_core::build::BuildStatus::Active;
    builds
        .iter()
        .any(|b| b.probed.library == library && b.status == active)
}

/// Whether a library was opened or refused.
fn known(state: &State, library: &Path) -> bool {
    is_active(state, library) || state.refused.of(library).is_some()
}

/// Which build answers for each of these stages.
pub fn builds_of(state: &State, stages: &[StageId]) -> BTreeMap<StageId, BuildId> {
    let build = |stage: &StageId| Some((*stage, state.agent(*stage)?.0));
    stages.iter().filter_map(build).collect()
}

/// The builds whose agents were compared with the project, by a command that goes on while libraries are built again.
pub struct Checked {
    params: Params,
    project: Option<Arc<Project>>,
    builds: BTreeMap<StageId, BuildId>,
}

impl Checked {
    /// The agents of these stages have just been compared.
    #[must_use]
    pub fn new(state: &State, stages: &[StageId], params: &Params) -> Self {
        Self {
            params: params.clone(),
            project: state.project.clone(),
            builds: builds_of(state, stages),
        }
    }

    /// Compares agents again where another build answers for a stage by now, or the project has changed.
    ///
    /// # Errors
    /// Something does not fit, or the platform does not answer.
    pub async fn renew(&mut self, engine: &mut Engine, stages: &[StageId]) -> Result<(), Error> {
        let builds = builds_of(engine.state(), stages);
        let project = engine.state().project.clone();
        if builds != self.builds || project != self.project {
            none_bad(agents(engine, stages, &self.params).await?)?;
            (self.builds, self.project) = (builds, project);
        }
        Ok(())
    }
}

/// What the agents of these stages declare, compared with the project, its settings and the twin projects; and
/// what their libraries' own preflights answer.
///
/// # Errors
/// The platform does not answer.
pub async fn agents(
    engine: &mut Engine,
    stages: &[StageId],
    params: &Params,
) -> Result<Vec<Finding>, Error> {
    let mut findings = declared(engine.state(), stages, params);
    findings.extend(twins(engine.reader(), twins_of(engine.state(), stages)).await?);
    findings.extend(preflights(engine, stages).await);
    Ok(findings)
}

/// What needs no look at anything but the project: pathways and parameters.
#[must_use]
pub fn declared(state: &State, stages: &[StageId], params: &Params) -> Vec<Finding> {
    let mut findings = role(state);
    findings.extend(routes(state, stages));
    findings.extend(parameters(state, stages, params));
    findings
}

/// A key that may change nothing runs agents all the same: outcomes can be held and planned.
fn role(state: &State) -> Vec<Finding> {
    let project = state.project.as_ref().filter(|project| project.viewer);
    let text =
        |title| format!("this key may only look at project {title}: commits will be refused");
    let note = project.map(|project| Finding::note("role", text(quoted(&project.title))));
    note.into_iter().collect()
}

/// Declared pathways that do not leave the agent's stage, and declared stages that the project does not have.
fn routes(state: &State, stages: &[StageId]) -> Vec<Finding> {
    let Some(project) = &state.project else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for stage in stages.iter().filter_map(|id| project.workflow.stage(*id)) {
        let Some((_, _, agent)) = state.agent(stage.id) else {
            continue;
        };
        let unknown = agent
            .spec
            .routes
            .iter()
            .filter(|r| stage.pathway(r).is_none());
        findings.extend(unknown.filter_map(|route| {
            if let Some(title) = route.strip_prefix(Route::STAGE) {
                let missing = project.workflow.find(title).is_none();
                return missing.then(|| no_stage(&agent.spec.function, &project.workflow, title));
            }
            let (why, near) = stage.no_pathway(route);
            let near = near.map(|near| format!("did you mean {near}?"));
            Some(Finding::bad(
                "pathway",
                format!(
                    "{} declares pathway {}: {why}",
                    agent.spec.function,
                    quoted(route)
                ),
                near.unwrap_or_default(),
            ))
        }));
    }
    findings
}

fn no_stage(function: &str, workflow: &Workflow, title: &str) -> Finding {
    let error = workflow.no_stage(title);
    let text = format!("{function} declares a move: {}", error.summary);
    Finding::bad("pathway", text, error.hints.join("\n"))
}

/// Parameters that no stage takes, and those that the stage's agent has not declared, or declares otherwise.
fn parameters(state: &State, stages: &[StageId], params: &Params) -> Vec<Finding> {
    let strays = params::strays(state, params).into_iter();
    let strays = strays.map(|line| Finding::note("parameters", line));
    let misfits = params::misfits(state, stages, params).into_iter();
    let finding = |(title, problem)| {
        Finding::bad(
            "parameters",
            format!("parameters of stage \"{title}\": {problem}"),
            format!("fix it in workbench.toml under [params.\"{title}\"]"),
        )
    };
    strays.chain(misfits.map(finding)).collect()
}

/// A twin project that agents declare.
pub struct DeclaredTwin {
    project: ProjectHash,
    /// The function that declares it first, or the first that may write it.
    function: String,
    write: bool,
}

/// The twin projects that agents declare.
#[must_use]
pub fn twins_of(state: &State, stages: &[StageId]) -> Vec<DeclaredTwin> {
    let mut twins: Vec<DeclaredTwin> = Vec::new();
    for (_, _, agent) in stages.iter().filter_map(|stage| state.agent(*stage)) {
        let specs = agent.spec.twins.iter();
        for spec in specs.filter_map(|s| TwinSpec::deserialize(s).ok()) {
            let twin = DeclaredTwin {
                project: ProjectHash(spec.project),
                function: agent.spec.function.clone(),
                write: spec.write,
            };
            match twins.iter_mut().find(|t| t.project == twin.project) {
                Some(known) if twin.write && !known.write => *known = twin,
                Some(_) => {}
                None => twins.push(twin),
            }
        }
    }
    twins
}

/// Whether these twin projects can be seen, and may be changed where an agent does.
///
/// # Errors
/// The platform does not answer.
pub async fn twins(reader: &Reader, twins: Vec<DeclaredTwin>) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for DeclaredTwin {
        project,
        function,
        write,
    } in twins
    {
        match reader.project(project).await.map_err(Error::from) {
            Ok(twin) if write && twin.viewer => findings.push(Finding::bad(
                "twin",
                format!(
                    "{function} changes twins in project {}: this key may only look at it",
                    quoted(&twin.title)
                ),
                "ask an admin of that project for a role that may change labels",
            )),
            Ok(twin) => findings.push(Finding::good(
                "twin",
                format!("{} ({function})", twin.title),
            )),
            Err(error) if error.kind == ErrorKind::Network => return Err(error),
            Err(error) => findings.push(Finding::bad(
                "twin",
                format!(
                    "{function} reads twins in project {project}: {}",
                    error.summary
                ),
                "write the hash of a project that this key may see into its twin(\"…\")",
            )),
        }
    }
    Ok(findings)
}

/// How the active libraries of these stages answer to the project. Each has a limit of its own in the hosts.
async fn preflights(engine: &mut Engine, stages: &[StageId]) -> Vec<Finding> {
    loop {
        if let Some(findings) = answered(engine.state(), stages) {
            return findings;
        }
        engine.turn().await;
    }
}

/// The answers of the active libraries of these stages; `None` while one of them has yet to answer.
#[must_use]
pub fn answered(state: &State, stages: &[StageId]) -> Option<Vec<Finding>> {
    let asked: BTreeSet<BuildId> = builds_of(state, stages).into_values().collect();
    let builds = asked.into_iter().filter_map(|id| state.builds.get(id));
    let mut findings = Vec::new();
    for build in builds.filter(|build| build.probed.descriptor.preflight) {
        let name = &build.probed.descriptor.name;
        let Err(error) = state.preflight_of(build.id)? else {
            findings.push(Finding::good("preflight", name.clone()));
            continue;
        };
        let text = format!("{name} refuses this project: {}", error.summary);
        let mut finding = Finding::bad("preflight", text, "");
        finding.details = error.explanation().map(Cow::into_owned).collect();
        finding.fix.clone_from(&error.hints);
        findings.push(finding);
    }
    Some(findings)
}
