//! Builds in the pool: probed, activated, discarded, retired and drained.

use super::Pool;
use super::host::{Host, HostId, Role};
use super::news::Effect;
use crate::events::HostEvent;
use crate::store::StagedCopy;
use std::path::PathBuf;
use std::sync::Arc;
use wb_core::build::{AgentDescriptor, Descriptor, Probed};
use wb_core::ids::{BuildId, Millis, ProbeId};

/// A build that new work may use, or that is being drained.
pub(super) struct Build {
    pub copy: Arc<StagedCopy>,
    /// File name of the library.
    pub library: String,
    pub agents: Vec<AgentDescriptor>,
    /// It has a preflight.
    pub preflight: bool,
    /// Some of its jobs take long: it may have as many hosts as jobs are wanted at a time.
    pub slow: bool,
    pub retired: bool,
    /// It is no longer active, and gets hosts for work only.
    pub resting: bool,
    /// Its hosts open this resource and answer questions to it.
    pub resource: Option<String>,
}

/// A copied content that waits for a blank host, or is being opened in one.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Numbered by the pool.
    pub id: ProbeId,
    pub library: PathBuf,
    pub copy: Arc<StagedCopy>,
    pub hash: String,
    pub size: u64,
    pub modified: Millis,
}

impl Pool {
    pub(super) fn probe(&mut self, mut probe: Probe) {
        if self.closing {
            return;
        }
        self.last_probe += 1;
        probe.id = ProbeId(self.last_probe);
        self.supersede(&probe);
        self.failures = 0;
        self.probes.push_back(probe);
    }

    pub(super) fn activate(&mut self, build: BuildId, probed: Probed) {
        let copy = self.unclaimed.remove(&probed.id);
        let copy = copy.unwrap_or_else(|| StagedCopy::foreign(probed.copy));
        let library = probed
            .library
            .file_name()
            .unwrap_or(probed.library.as_os_str());
        let known = Build {
            copy,
            library: library.to_string_lossy().into_owned(),
            preflight: probed.descriptor.preflight,
            agents: probed.descriptor.agents,
            slow: false,
            retired: false,
            resting: false,
            resource: None,
        };
        self.builds.insert(build, known);
        for host in self.hosts.values_mut() {
            if matches!(host.role, Role::Probed(id) if id == probed.id) {
                host.role = Role::Build(build);
                host.logs_as = build;
                host.idle_since = self.now;
            }
        }
        self.warm.push_back(build);
    }

    pub(super) fn adopt(&mut self, build: BuildId, copy: Arc<StagedCopy>, resource: String) {
        let library = copy.path().file_name().unwrap_or_default();
        let known = Build {
            library: library.to_string_lossy().into_owned(),
            copy,
            agents: Vec::new(),
            preflight: false,
            slow: false,
            retired: false,
            resting: false,
            resource: Some(resource),
        };
        self.builds.insert(build, known);
    }

    /// The copy of a content that nobody has claimed yet.
    pub(crate) fn unclaimed(&self, probe: ProbeId) -> Option<Arc<StagedCopy>> {
        self.unclaimed.get(&probe).cloned()
    }

    pub(super) fn refuse(&mut self, probed: Probed, reason: String, hints: Vec<String>) {
        self.discard(probed.id);
        let (library, hash) = (probed.library, probed.hash);
        self.refused.insert(library.clone(), hash.clone());
        self.effects.push(Effect::Emit(HostEvent::Rejected {
            library,
            hash,
            reason,
            hints,
        }));
    }

    pub(super) fn discard(&mut self, probe: ProbeId) {
        self.unclaimed.remove(&probe);
        self.dismiss(|host| matches!(host.role, Role::Probed(id) if id == probe));
    }

    fn dismiss(&mut self, which: impl Fn(&Host) -> bool) {
        let hosts = self.hosts.iter().filter(|(_, host)| which(host));
        let hosts: Vec<HostId> = hosts.map(|(id, _)| *id).collect();
        for id in hosts {
            self.leave(id);
        }
    }

    pub(super) fn retire(&mut self, build: BuildId) {
        if let Some(known) = self.builds.get_mut(&build) {
            known.retired = true;
        }
        self.drain(build);
    }

    pub(super) fn rest(&mut self, build: BuildId) {
        if let Some(known) = self.builds.get_mut(&build) {
            known.resting = true;
        }
        self.drain(build);
    }

    /// Lets the hosts of a retired or resting build leave once there is no work left for them.
    pub(super) fn drain(&mut self, build: BuildId) {
        let waits = self.pending.iter().any(|(w, _)| w.build() == build);
        let known = self.builds.get(&build);
        let retired = known.is_some_and(|known| known.retired);
        if waits || !(retired || known.is_some_and(|known| known.resting)) {
            return;
        }
        self.dismiss(|host| host.holds(build) && host.work.is_none());
        if retired
            && !self.hosts.values().any(|host| host.holds(build))
            && let Some(known) = self.builds.remove(&build)
        {
            self.effects.push(Effect::Gone { build });
            self.effects.push(Effect::Release(known.copy));
        }
    }

    pub(super) fn reject(&mut self, probe: Probe, reason: String, hints: Vec<String>) {
        let (library, hash) = (probe.library, probe.hash);
        self.refused.insert(library.clone(), hash.clone());
        self.effects.push(Effect::Emit(HostEvent::Rejected {
            library,
            hash,
            reason,
            hints,
        }));
    }

    /// A content could be opened: the program decides what to do with it.
    pub(super) fn announce(&mut self, probe: Probe, descriptor: Descriptor) {
        self.refused.remove(&probe.library);
        // One warm host is enough for contents that nobody has claimed.
        self.dismiss(|host| matches!(host.role, Role::Probed(id) if id != probe.id));
        let copy = probe.copy.path().to_owned();
        self.unclaimed.insert(probe.id, probe.copy);
        self.effects.push(Effect::Emit(HostEvent::Probed(Probed {
            id: probe.id,
            library: probe.library,
            copy,
            hash: probe.hash,
            size: probe.size,
            modified: probe.modified,
            descriptor,
        })));
    }
}
