//! Builds: what a library declares, and which library answers for which stage.
//!
//! A library is claimed whole or not at all; a rebuild of the same library replaces its agents and
//! keeps their order; another library takes a stage over only with OVERWRITE. Watching files,
//! copying and probing them is left to the host crate.

use crate::ids::{BuildId, Millis, ProbeId, StageId};
use crate::workflow::{StageKind, Workflow};
use agent_abi::model::{listed, quoted};
use agent_abi::table::flags;
use agent_abi::wire::{AgentSpec, ResourceSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod order;
mod refusals;

pub use refusals::{Refusal, Refusals};

/// What one library declares, read by a probe in a host process.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Descriptor {
    /// Crate name.
    pub name: String,
    /// Crate version.
    pub version: String,
    /// What made the table.
    pub sdk: String,
    /// rustc, profile, target, panic strategy.
    pub build_info: String,
    /// `major.minor`.
    pub abi: (u16, u16),
    /// Whether the library brings a preflight.
    #[serde(default)]
    pub preflight: bool,
    /// Values in processes of their own that its agents ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
    /// Agents in the order of `export!`.
    pub agents: Vec<AgentDescriptor>,
}

/// One agent of a library.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct AgentDescriptor {
    /// Name or UUID of the stage, as written.
    pub stage: String,
    /// Bits of `agent_abi::table::needs`.
    pub needs: u64,
    /// Bits of `agent_abi::table::flags`.
    pub flags: u32,
    /// What it declares.
    pub spec: AgentSpec,
}

/// A staged copy of a library that a probe could open.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Probed {
    /// The look that it comes from.
    pub id: ProbeId,
    /// The watched file: the library's identity across rebuilds.
    pub library: PathBuf,
    /// Our copy of this very content.
    pub copy: PathBuf,
    /// First 16 hex digits of its SHA-256.
    pub hash: String,
    /// Size in bytes.
    pub size: u64,
    /// Modification time of the watched file.
    pub modified: Millis,
    /// What it declares.
    pub descriptor: Descriptor,
}

/// How a build stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum BuildStatus {
    /// New work goes here.
    Active,
    /// A newer build of the same library is active; jobs in flight finish here.
    Retired,
    /// Never active; the reason.
    Rejected(String),
}

/// One content of one library.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Build {
    /// Number.
    pub id: BuildId,
    /// What was probed.
    pub probed: Probed,
    /// When it was claimed or rejected.
    pub at: Millis,
    /// How it stands.
    pub status: BuildStatus,
    /// Stages it answers for.
    pub stages: Vec<StageId>,
    /// Remarks: stages the project does not have, shadowed agents.
    pub notes: Vec<String>,
}

/// What a library would take.
#[derive(Default)]
struct Claim {
    /// Stages with the index of the agent that takes each.
    wins: Vec<(StageId, usize)>,
    /// Every stage of this project that it has an agent for, in its order.
    declared: Vec<StageId>,
    /// Remarks.
    notes: Vec<String>,
}

/// Which agent answers for a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// The active build.
    pub build: BuildId,
    /// Index into its agents.
    pub agent: usize,
}

/// Every build seen and every stage's agent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Builds {
    /// Oldest first.
    pub all: Vec<Build>,
    bindings: BTreeMap<StageId, Binding>,
    /// Libraries and folders of libraries, in the order in which a person named them.
    roots: Vec<PathBuf>,
    /// Stages that each library had agents for, in the order of its first builds.
    places: BTreeMap<PathBuf, Vec<StageId>>,
    /// Stages that a library lost to another one by OVERWRITE: it does not take them back by a rebuild.
    lost: BTreeMap<StageId, Vec<PathBuf>>,
    next: u32,
}

impl Builds {
    /// The build with this number.
    #[must_use]
    pub fn get(&self, id: BuildId) -> Option<&Build> {
        self.all.iter().find(|b| b.id == id)
    }

    /// The newest build, whatever became of it.
    #[must_use]
    pub fn newest(&self) -> Option<&Build> {
        self.all.last()
    }

    /// The newest active build.
    #[must_use]
    pub fn active(&self) -> Option<&Build> {
        self.all
            .iter()
            .rev()
            .find(|b| b.status == BuildStatus::Active)
    }

    /// Who answers for a stage.
    #[must_use]
    pub fn binding(&self, stage: StageId) -> Option<Binding> {
        self.bindings.get(&stage).copied()
    }

    /// The agent that answers for a stage.
    #[must_use]
    pub fn agent(&self, stage: StageId) -> Option<(&Build, &AgentDescriptor)> {
        let binding = self.binding(stage)?;
        let build = self.get(binding.build)?;
        Some((build, build.probed.descriptor.agents.get(binding.agent)?))
    }

    /// Notes a content that never came into charge.
    pub fn reject(&mut self, probed: Probed, reason: String, at: Millis) -> BuildId {
        self.push(
            probed,
            at,
            BuildStatus::Rejected(reason),
            Vec::new(),
            Vec::new(),
        )
    }

    /// Makes a probed library active for its stages, all of them or none.
    ///
    /// # Errors
    /// Why the library is refused; what was active stays active.
    pub fn claim(
        &mut self,
        probed: Probed,
        workflow: &Workflow,
        at: Millis,
    ) -> Result<BuildId, (BuildId, String)> {
        match self.plan_claim(&probed, workflow) {
            Ok(claim) => Ok(self.take_charge(probed, claim, at)),
            Err(reason) => Err((self.reject(probed, reason.clone(), at), reason)),
        }
    }

    /// A watched library is gone: its stages are unassigned, their places remembered. Whoever takes one of
    /// them next has it, though it was lost before.
    pub fn remove(&mut self, library: &Path) -> Vec<StageId> {
        let gone = self.owned_by(library);
        for stage in &gone {
            self.bindings.remove(stage);
            self.lost.remove(stage);
        }
        for build in &mut self.all {
            if build.probed.library == library && build.status == BuildStatus::Active {
                build.status = BuildStatus::Retired;
                build.stages.clear();
            }
        }
        gone
    }

    /// Libraries that would have an agent for one of these stages: the newest content of each of them was
    /// refused, or has lost the stage.
    #[must_use]
    pub fn willing(&self, stages: &[StageId], workflow: &Workflow) -> Vec<PathBuf> {
        let mut newest: BTreeMap<&Path, &Build> = BTreeMap::new();
        for build in &self.all {
            newest.insert(&build.probed.library, build);
        }
        let serves = |build: &Build| {
            let mut agents = build.probed.descriptor.agents.iter();
            agents.any(|a| resolve(workflow, &a.stage).is_ok_and(|s| stages.contains(&s)))
        };
        newest
            .into_iter()
            .filter(|(_, build)| build.status != BuildStatus::Retired && serves(build))
            .map(|(path, _)| path.to_owned())
            .collect()
    }

    fn owned_by(&self, library: &Path) -> Vec<StageId> {
        let owner = |b: &Binding| self.get(b.build).map(|b| b.probed.library.as_path());
        self.bindings
            .iter()
            .filter(|(_, b)| owner(b) == Some(library))
            .map(|(s, _)| *s)
            .collect()
    }

    /// Which of the library's agents would take which stage.
    fn plan_claim(&self, probed: &Probed, workflow: &Workflow) -> Result<Claim, String> {
        let mut claim = Claim::default();
        for (index, agent) in probed.descriptor.agents.iter().enumerate() {
            let stage = match resolve(workflow, &agent.stage) {
                Ok(stage) => stage,
                Err(note) => {
                    claim.notes.push(note);
                    continue;
                }
            };
            claim.declared.push(stage);
            if let Some((_, first)) = claim.wins.iter().find(|(s, _)| *s == stage) {
                let first = &probed.descriptor.agents[*first].spec;
                return Err(format!(
                    "two agents for stage \"{}\": {} ({}) and {} ({}); keep one of them",
                    agent.stage,
                    first.function,
                    first.location,
                    agent.spec.function,
                    agent.spec.location
                ));
            }
            match self.may_take(stage, probed, agent) {
                Ok(true) => claim.wins.push((stage, index)),
                Ok(false) => claim.notes.push(format!(
                    "stage \"{}\" was taken over by another library and stays with it",
                    agent.stage
                )),
                Err(owner) => {
                    return Err(format!(
                        "stage \"{}\" already belongs to {}; add `overwrite` to the agent in {} to take it over",
                        agent.stage,
                        owner.display(),
                        probed.library.display()
                    ));
                }
            }
        }
        Ok(claim)
    }

    /// Whether the library may take the stage: yes, no (it lost it before), or the owner in the way.
    fn may_take(
        &self,
        stage: StageId,
        probed: &Probed,
        agent: &AgentDescriptor,
    ) -> Result<bool, PathBuf> {
        let Some(owner) = self.agent(stage).map(|(build, _)| &build.probed.library) else {
            return Ok(true);
        };
        if *owner == probed.library {
            return Ok(true);
        }
        if self
            .lost
            .get(&stage)
            .is_some_and(|losers| losers.contains(&probed.library))
        {
            return Ok(false);
        }
        if agent.flags & flags::OVERWRITE != 0 {
            return Ok(true);
        }
        // An owner that declares to overwrite has it, whether it was there before or came since.
        match self.agent(stage) {
            Some((_, theirs)) if theirs.flags & flags::OVERWRITE != 0 => Ok(false),
            _ => Err(owner.clone()),
        }
    }

    fn take_charge(&mut self, probed: Probed, claim: Claim, at: Millis) -> BuildId {
        let library = probed.library.clone();
        let places = self.places.entry(library.clone()).or_default();
        for stage in claim.declared {
            if !places.contains(&stage) {
                places.push(stage);
            }
        }
        for stage in self.owned_by(&library) {
            self.bindings.remove(&stage);
        }
        for build in &mut self.all {
            if build.probed.library == library && build.status == BuildStatus::Active {
                build.status = BuildStatus::Retired;
            }
        }
        let stages = claim.wins.iter().map(|(s, _)| *s).collect();
        let id = self.push(probed, at, BuildStatus::Active, stages, claim.notes);
        for (stage, agent) in claim.wins {
            if let Some(loser) = self.agent(stage).map(|(b, _)| b.probed.library.clone()) {
                self.lost.entry(stage).or_default().push(loser);
            }
            self.bindings.insert(stage, Binding { build: id, agent });
        }
        self.forget_shadowed();
        id
    }

    /// Builds that lost a stage no longer list it.
    fn forget_shadowed(&mut self) {
        for build in &mut self.all {
            let id = build.id;
            build
                .stages
                .retain(|s| self.bindings.get(s).is_some_and(|b| b.build == id));
        }
    }

    fn push(
        &mut self,
        probed: Probed,
        at: Millis,
        status: BuildStatus,
        stages: Vec<StageId>,
        notes: Vec<String>,
    ) -> BuildId {
        self.next += 1;
        let id = BuildId(self.next);
        self.all.push(Build {
            id,
            probed,
            at,
            status,
            stages,
            notes,
        });
        id
    }
}

/// Finds the agent stage that an agent names, or reports why there is none.
fn resolve(workflow: &Workflow, name: &str) -> Result<StageId, String> {
    match workflow.find(name) {
        Some(stage) if stage.kind == StageKind::Agent => Ok(stage.id),
        Some(stage) => Err(format!("{} is not an agent stage", quoted(&stage.title))),
        None => {
            let mut text = workflow.not_found(name);
            let near = workflow.nearest(name).into_iter().filter(|n| *n != name);
            let near = listed(near);
            if !near.is_empty() {
                text.push_str(&format!("; nearest: {near}"));
            }
            Err(text)
        }
    }
}

#[cfg(test)]
mod tests;
