//! News of libraries, and who is in charge after them.

use super::*;

impl State {
    pub(super) fn build(&mut self, news: BuildEvent) -> Vec<Effect> {
        match news {
            BuildEvent::Probed(probed) => self.probed(*probed),
            BuildEvent::Rejected {
                library,
                reason,
                hints,
                ..
            } => {
                self.refuse(library, reason, &hints);
                Vec::new()
            }
            BuildEvent::Removed(library) => {
                let name = library.display().to_string();
                self.refused.remove(&library);
                let lost = self.builds.remove(&library);
                self.warn(
                    Kind::Build,
                    match lost.len() {
                        1 => format!("{name} is gone; 1 stage has no agent now"),
                        n => format!("{name} is gone; {n} stages have no agent now"),
                    },
                    None,
                );
                self.offer(&lost)
            }
            BuildEvent::HostDied { build, reason } => {
                self.warn(
                    Kind::Build,
                    format!("a host of build {build} died between tasks: {reason}"),
                    None,
                );
                Vec::new()
            }
            BuildEvent::Compiling { line } => {
                let since = self
                    .compiling
                    .as_ref()
                    .filter(|c| c.failed.is_none())
                    .map_or(self.now, |c| c.since);
                self.compiling = Some(Compiling {
                    since,
                    line,
                    failed: None,
                });
                Vec::new()
            }
            BuildEvent::Compiled { result } => {
                self.compiled(result);
                Vec::new()
            }
        }
    }

    /// A library that could not be opened; what was in charge stays.
    fn refuse(&mut self, library: std::path::PathBuf, reason: String, hints: &[String]) {
        let name = library
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let kept = self.builds.active().map_or_else(
            || "nothing is loaded".to_owned(),
            |b| format!("build {} stays in charge", b.id),
        );
        self.rejected = Some((reason.clone(), self.now));
        let detail = (!hints.is_empty()).then(|| hints.join("\n"));
        self.warn(
            Kind::Build,
            format!("{name} refused: {reason}; {kept}"),
            detail,
        );
        let mut fault = Fault::new(FaultKind::Settings, reason);
        fault.hints = hints.to_vec();
        self.refused.insert(library, fault);
    }

    /// The compiler is done: milliseconds, or what it says.
    fn compiled(&mut self, result: Result<u64, String>) {
        match result {
            Ok(ms) => {
                self.compiling = None;
                #[allow(clippy::cast_precision_loss)] // seconds for a person
                self.say(
                    Kind::Build,
                    format!("compiled in {:.1} s", ms as f64 / 1000.0),
                );
            }
            Err(messages) => {
                self.warn(Kind::Build, "the agents did not compile; what was loaded stays in charge (b shows the errors)", Some(messages.clone()));
                self.compiling = Some(Compiling {
                    since: self.now,
                    line: String::new(),
                    failed: Some(messages),
                });
            }
        }
    }

    pub(super) fn probed(&mut self, probed: crate::build::Probed) -> Vec<Effect> {
        let Some(project) = self.project.clone() else {
            return Vec::new();
        };
        let before: Vec<BuildId> = self.active_builds();
        let (size, library) = (probed.size, probed.library.clone());
        match self.builds.claim(probed, &project.workflow, self.now) {
            Ok(id) => {
                self.rejected = None;
                self.refused.remove(&library);
                let mut effects: Vec<Effect> = vec![Effect::Activate(id)];
                let after = self.active_builds();
                effects.extend(
                    before
                        .iter()
                        .filter(|b| !after.contains(b))
                        .map(|b| Effect::Retire(*b)),
                );
                if self
                    .builds
                    .get(id)
                    .is_some_and(|b| b.probed.descriptor.preflight)
                {
                    effects.push(Effect::Preflight(id));
                }
                let bound = self.builds.get(id).map_or(0, |b| b.stages.len());
                let notes = self
                    .builds
                    .get(id)
                    .map(|b| b.notes.clone())
                    .unwrap_or_default();
                let kb = size / 1024;
                let s = if bound == 1 { "" } else { "s" };
                self.say(
                    Kind::Build,
                    format!("build {id} in charge: {bound} stage{s} bound, {kb} kB"),
                );
                self.say_notes(id, &notes);
                effects.extend(self.watch_build());
                effects
            }
            Err((id, reason)) => {
                self.rejected = Some((reason.clone(), self.now));
                let fault = Fault::new(FaultKind::Settings, reason.clone());
                self.refused.insert(library, fault);
                self.warn(Kind::Build, format!("build {id} refused: {reason}"), None);
                match self.builds.get(id) {
                    Some(build) => vec![Effect::Discard(Box::new(build.probed.clone()))],
                    None => Vec::new(),
                }
            }
        }
    }

    /// Libraries that were refused because of these stages are looked at again: a crate that was renamed
    /// has its agents in charge once the library of its old name is gone.
    fn offer(&self, stages: &[StageId]) -> Vec<Effect> {
        let Some(project) = &self.project else {
            return Vec::new();
        };
        let willing = self.builds.willing(stages, &project.workflow);
        willing.into_iter().map(Effect::LookAgain).collect()
    }

    pub(super) fn active_builds(&self) -> Vec<BuildId> {
        self.builds
            .all
            .iter()
            .filter(|b| b.status == BuildStatus::Active)
            .map(|b| b.id)
            .collect()
    }

    /// Remarks on a build in one line: a library may hold agents for many projects.
    fn say_notes(&mut self, id: BuildId, notes: &[String]) {
        match notes {
            [] => {}
            [note] => self.say(Kind::Build, format!("build {id}: {note}")),
            [first, rest @ ..] => {
                let text = format!("build {id}: {first}; and {} more remarks (b)", rest.len());
                self.note(Kind::Build, false, text, Some(notes.join("\n")));
            }
        }
    }

    pub(super) fn preflight(&mut self, build: BuildId, result: Result<(), Fault>) -> Vec<Effect> {
        if let Err(fault) = &result {
            self.complain(fault);
        }
        self.preflights.insert(build, result);
        Vec::new()
    }
}
