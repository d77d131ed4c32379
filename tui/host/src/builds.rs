//! Builds in the pool: activated, discarded, retired and drained; and probes on their way in.

use crate::events::HostEvent;
use crate::pool::{BuildState, Core, Probe, Role, State};
use crate::store::StagedCopy;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use wb_core::build::{Descriptor, Probed};
use wb_core::ids::BuildId;

impl Core {
    pub(crate) fn activate(&self, build: BuildId, probed: &Probed) {
        let mut state = self.lock();
        let at = state
            .unclaimed
            .iter()
            .position(|copy| copy.path() == probed.copy);
        let copy = at
            .map(|at| state.unclaimed.swap_remove(at))
            .unwrap_or_else(|| StagedCopy::foreign(probed.copy.clone()));
        let library = probed
            .library
            .file_name()
            .unwrap_or(probed.library.as_os_str());
        let known = BuildState {
            copy,
            library: library.to_string_lossy().into_owned(),
            agents: probed.descriptor.agents.clone(),
            preflight: probed.descriptor.preflight,
            slow: false,
            retired: false,
        };
        state.builds.insert(build, known);
        for slot in state.hosts.values_mut() {
            if matches!(&slot.role, Role::Probed(path) if *path == probed.copy) {
                slot.role = Role::Build(build);
                slot.link.build.store(build.0, Ordering::SeqCst);
                slot.idle_since = Instant::now();
            }
        }
        state.warm.push_back(build);
    }

    pub(crate) fn discard(&self, probed: &Probed) {
        let mut state = self.lock();
        state.unclaimed.retain(|copy| copy.path() != probed.copy);
        self.dismiss_probed(&mut state, |path| path == probed.copy);
    }

    fn dismiss_probed(&self, state: &mut State, which: impl Fn(&Path) -> bool) {
        for slot in state.hosts.values_mut() {
            if matches!(&slot.role, Role::Probed(path) if which(path)) {
                slot.leave(self.config.shutdown_timeout);
            }
        }
    }

    pub(crate) fn retire(&self, build: BuildId) {
        let mut state = self.lock();
        if let Some(known) = state.builds.get_mut(&build) {
            known.retired = true;
        }
        self.drain(&mut state, build);
    }

    /// Lets the hosts of a retired build go once there is nothing left for them.
    pub(crate) fn drain(&self, state: &mut State, build: BuildId) {
        let waits = state.pending.iter().any(|(w, _)| w.build() == build);
        if waits || state.builds.get(&build).is_none_or(|b| !b.retired) {
            return;
        }
        for slot in state.hosts.values_mut() {
            if slot.holds(build) && slot.work.is_none() {
                slot.leave(self.config.shutdown_timeout);
            }
        }
        if !state.hosts.values().any(|slot| slot.holds(build)) {
            state.builds.remove(&build); // the copy goes with its last host
        }
    }

    /// A new content, staged by the watcher.
    pub(crate) fn probe(core: &Arc<Self>, probe: Probe) {
        {
            let mut state = core.lock();
            if state.closing {
                return;
            }
            state.supersede(&probe);
            state.failures = 0;
            state.probes.push_back(probe);
        }
        Self::dispatch(core);
    }

    /// Whether this content of this library was the last one refused.
    pub(crate) fn was_refused(&self, library: &Path, hash: &str) -> bool {
        self.lock().refused.get(library).is_some_and(|h| h == hash)
    }

    pub(crate) fn reject(&self, probe: &Probe, reason: String, hints: Vec<String>) {
        let mut state = self.lock();
        state
            .refused
            .insert(probe.library.clone(), probe.hash.clone());
        self.events.push(HostEvent::Rejected {
            library: probe.library.clone(),
            hash: probe.hash.clone(),
            reason,
            hints,
        });
    }

    pub(crate) fn announce(&self, state: &mut State, probe: Probe, descriptor: Descriptor) {
        state.refused.remove(&probe.library);
        // One warm host is enough for contents that nobody has claimed.
        let newest = probe.copy.path().to_owned();
        self.dismiss_probed(state, |path| path != newest);
        state.unclaimed.push(Arc::clone(&probe.copy));
        self.events.push(HostEvent::Probed(Probed {
            library: probe.library,
            copy: newest,
            hash: probe.hash,
            size: probe.size,
            modified: probe.modified,
            descriptor,
        }));
    }
}
