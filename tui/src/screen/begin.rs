//! Runs that are started on the screen: what their agents declare is compared with the project first, with the
//! preflight of `run`, `plan` and `check`. The screen stays usable meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinHandle;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event};
use wb_core::ids::{BuildId, StageId};
use wb_core::run::{Run, Source};
use wb_core::state::State;
use wb_core::work::Project;
use wb_engine::params::Params;
use wb_engine::preflight::{self, Finding};
use wb_engine::runtime::Engine;

type Twins = Result<Vec<Finding>, Error>;

/// A run that waits for its preflight, if there is one.
pub struct Begin {
    params: Params,
    /// The builds that passed, and the project that they were compared with.
    fit: BTreeMap<StageId, BuildId>,
    project: Option<Arc<Project>>,
    waiting: Option<Waiting>,
}

struct Waiting {
    command: Command,
    stages: Vec<StageId>,
    builds: BTreeMap<StageId, BuildId>,
    twins: TwinCheck,
}

enum TwinCheck {
    Running(JoinHandle<Twins>),
    Done(Twins),
}

impl Begin {
    /// Nothing waits yet.
    #[must_use]
    pub fn new(params: &Params) -> Self {
        Self {
            params: params.clone(),
            fit: BTreeMap::new(),
            project: None,
            waiting: None,
        }
    }

    /// Whether a run waits for its preflight.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// A command of the user. One that begins a run waits for the preflight of its agents.
    pub fn command(&mut self, command: Command, engine: &mut Engine) -> Vec<Effect> {
        if matches!(command, Command::CancelRun) {
            self.waiting = None;
        }
        match stages_of(&command, engine.state()) {
            Some(stages) => self.compare(command, stages, engine),
            None => engine.feed(Event::Input(command)),
        }
    }

    fn compare(
        &mut self,
        command: Command,
        stages: Vec<StageId>,
        engine: &mut Engine,
    ) -> Vec<Effect> {
        let builds = preflight::builds_of(engine.state(), &stages);
        if self.project != engine.state().project {
            self.fit.clear();
            self.project.clone_from(&engine.state().project);
        }
        let fits = |(stage, build): (&StageId, &BuildId)| self.fit.get(stage) == Some(build);
        if builds.iter().all(fits) {
            self.waiting = None;
            return engine.feed(Event::Input(command));
        }
        let reader = engine.reader().clone();
        let twins = preflight::twins_of(engine.state(), &stages);
        let twins = tokio::spawn(async move { preflight::twins(&reader, twins).await });
        self.waiting = Some(Waiting {
            command,
            stages,
            builds,
            twins: TwinCheck::Running(twins),
        });
        self.settle(engine)
    }

    /// Waits until the twin projects were read. Safe to drop and call again.
    pub async fn next(&mut self) {
        let check = self.waiting.as_mut().map(|waiting| &mut waiting.twins);
        let Some(TwinCheck::Running(twins)) = check else {
            return std::future::pending().await;
        };
        let found = twins.await.unwrap_or_else(|error| {
            Err(Error::new(
                ErrorKind::Bug,
                format!("twin projects: {error}"),
            ))
        });
        if let Some(waiting) = &mut self.waiting {
            waiting.twins = TwinCheck::Done(found);
        }
    }

    /// Begins the run that waits, or reports why not, once its preflight is complete.
    pub fn settle(&mut self, engine: &mut Engine) -> Vec<Effect> {
        let Some(Waiting {
            stages,
            twins: TwinCheck::Done(_),
            ..
        }) = &self.waiting
        else {
            return Vec::new();
        };
        let Some(answers) = preflight::answered(engine.state(), stages) else {
            return Vec::new();
        };
        let Some(waiting) = self.waiting.take() else {
            return Vec::new();
        };
        let Waiting {
            command,
            stages,
            builds,
            twins,
        } = waiting;
        if builds != preflight::builds_of(engine.state(), &stages) {
            // A library was built again meanwhile.
            return self.compare(command, stages, engine);
        }
        let TwinCheck::Done(twins) = twins else {
            return Vec::new();
        };
        let fits = twins.and_then(|twins| {
            let mut findings = preflight::declared(engine.state(), &stages, &self.params);
            findings.extend(twins);
            findings.extend(answers);
            preflight::none_bad(findings)
        });
        match fits {
            Ok(()) => {
                self.fit.extend(builds);
                engine.feed(Event::Input(command))
            }
            Err(error) => engine.feed(Event::NotStarted(error)),
        }
    }
}

/// The stages of a run that a command begins; `None` for any other command, and while a run is under way, which
/// is refused anyway.
fn stages_of(command: &Command, state: &State) -> Option<Vec<StageId>> {
    if state.run.as_ref().is_some_and(|run: &Run| !run.is_over()) {
        return None;
    }
    match command {
        Command::Run(spec) => match &spec.source {
            Source::Stages(stages) if stages.is_empty() => Some(state.builds.order()),
            Source::Stages(stages) => Some(stages.clone()),
            Source::Tasks(stage, _) => Some(vec![*stage]),
        },
        Command::Retry { stage, .. } => Some(vec![*stage]),
        _ => None,
    }
}
