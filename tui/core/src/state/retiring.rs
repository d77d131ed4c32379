//! Until when a build that is no longer active is kept: while something under way needs it, and some longer, so that
//! newer ones can be compared with them.

use super::*;

impl State {
    /// Those of these builds that are no longer active are kept until nothing needs them.
    pub(super) fn supersede(&mut self, before: &[BuildId]) {
        let after = self.active_builds();
        self.superseded
            .extend(before.iter().filter(|b| !after.contains(b)));
    }

    /// Lets go of superseded builds that nothing needs any more.
    pub(super) fn release(&mut self) -> Vec<Effect> {
        if self.superseded.is_empty() {
            return Vec::new();
        }
        let pinned = self.pinned();
        let loose = self.superseded.difference(&pinned).copied();
        // The processes of resources would stay with a build that is kept, however large they are.
        let heavy = |build: &BuildId| {
            let build = self.builds.get(*build);
            build.is_none_or(|build| !build.probed.descriptor.resources.is_empty())
        };
        let (mut free, mut kept): (Vec<_>, Vec<_>) = loose.partition(heavy);
        let newest = kept.len().saturating_sub(self.options.kept_builds);
        free.extend(kept.drain(..newest));
        let mut effects = Vec::new();
        for build in kept {
            if self.resting.insert(build) {
                effects.push(Effect::Rest(build));
            }
        }
        for build in free {
            self.superseded.remove(&build);
            self.resting.remove(&build);
            effects.push(Effect::Retire(build));
        }
        effects
    }

    /// Builds that something under way goes on using, whatever is active by now: a run with all its stages, a
    /// stepped or watched task whose agent was called, a preflight.
    fn pinned(&self) -> BTreeSet<BuildId> {
        let mut pinned = self.preflighting.clone();
        pinned.extend(self.run.iter().flat_map(Run::pins));
        pinned.extend(self.leaving.iter().flat_map(|leaving| &leaving.builds));
        let comparing = self.comparing.iter().filter(|c| !c.is_over());
        pinned.extend(comparing.flat_map(|c| c.builds()));
        pinned.extend(
            self.step
                .iter()
                .filter(|s| s.job.is_some())
                .map(|s| s.build),
        );
        pinned.extend(self.watch.jobs().values().map(|job| job.build));
        pinned
    }
}
