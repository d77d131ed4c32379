//! Events of libraries, and which builds are active after them.

use super::*;
use crate::build::Probed;
use std::path::{Path, PathBuf};

/// How long the claims of other libraries wait on screen for one that is being opened, in milliseconds.
const HOLD_MS: u64 = 3_000;
/// How long a compiled library is expected to be opened or refused, in milliseconds.
const OPENING_MS: u64 = 10_000;

impl State {
    pub(super) fn build(&mut self, news: BuildEvent) -> Vec<Effect> {
        match news {
            BuildEvent::Probed(probed) => self.arrive(*probed),
            BuildEvent::Opening { library, part } => {
                self.opens(library, part);
                Vec::new()
            }
            BuildEvent::Rejected {
                library,
                reason,
                hints,
                ..
            } => {
                self.awaited.remove(&library);
                self.opening.remove(&library);
                self.refuse(library, reason, &hints);
                self.claim_arrived()
            }
            BuildEvent::Removed(library) => self.library_gone(&library),
            BuildEvent::Overdue => {
                self.awaited.clear();
                self.held_since = None;
                self.claim_arrived()
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
                self.running_build().line = line;
                Vec::new()
            }
            BuildEvent::Crates(crates) => {
                self.running_build().crates = crates;
                Vec::new()
            }
            BuildEvent::Warning(text) => {
                self.warn(Kind::Build, text, None);
                Vec::new()
            }
            BuildEvent::Written { library, place } => {
                vec![Effect::WatchPlace { library, place }]
            }
            BuildEvent::Compiled { result } => {
                self.compiled(result);
                Vec::new()
            }
        }
    }

    /// Keys of an answer that nothing reads are reported once for each stage: all its answers have them, and those of the
    /// next build too.
    pub(super) fn warn_of_unread(&mut self, job: JobId, result: &Result<Arc<Outcome>, Error>) {
        let keys = match result {
            Ok(outcome) if !outcome.unread.is_empty() => &outcome.unread,
            _ => return,
        };
        let stepped = self.step.as_ref().filter(|s| s.job == Some(job));
        let watched = self.watch.jobs().get(&job).and_then(|running| {
            let task = self.watch.task(running.task)?;
            Some((running.build, task.stage))
        });
        let run = self.run.as_ref().filter(|run| run.has(job));
        let run = run.and_then(|run| Some((run.build, *run.stages.get(run.stage_at)?)));
        let of = stepped.map(|s| (s.build, s.stage)).or(watched).or(run);
        let new = |(_, stage): &(BuildId, StageId)| self.unread.insert((*stage, keys.clone()));
        let Some((build, stage)) = of.filter(new) else {
            return;
        };
        let text = format!(
            "answers of build {build} at stage \"{}\" have keys that nothing reads: {}",
            self.stage_title(stage),
            keys.join(", ")
        );
        self.warn(Kind::Build, text, None);
    }

    /// The libraries that are there at the start are waited for, so that it is their order that decides
    /// which of them has a stage, and not which of them opens first.
    pub(super) fn await_libraries(&mut self, libraries: Vec<PathBuf>) {
        self.awaited.extend(libraries);
        self.held_since = self.options.screen.then_some(self.now);
    }

    /// Claims wait no longer than that.
    pub(super) fn hold_over(&mut self) -> Vec<Effect> {
        match self.held_since {
            Some(since) if self.now.since(since) >= HOLD_MS => self.build(BuildEvent::Overdue),
            _ => Vec::new(),
        }
    }

    /// A content that could be opened; an older one of the same library that nobody claimed is passed over.
    fn arrive(&mut self, probed: Probed) -> Vec<Effect> {
        self.opening.remove(&probed.library);
        let mut effects = self.pass_over(&probed.library);
        self.arrived.push(probed);
        effects.extend(self.claim_arrived());
        effects
    }

    /// Nobody claims what arrived of this library before.
    fn pass_over(&mut self, library: &Path) -> Vec<Effect> {
        self.awaited.remove(library);
        let at = self.arrived.iter().position(|p| p.library == library);
        let older = at.map(|at| Effect::Discard(Box::new(self.arrived.remove(at))));
        older.into_iter().collect()
    }

    /// Libraries take charge once the project is known, each when all before it were opened or refused.
    pub(super) fn claim_arrived(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while self.project.is_some() {
            let builds = &self.builds;
            let rank = |at: &usize| builds.rank(&self.arrived[*at].library);
            let Some(first) = (0..self.arrived.len()).min_by_key(rank) else {
                break;
            };
            let first_rank = rank(&first);
            if self.awaited.iter().any(|l| builds.rank(l) < first_rank) {
                break;
            }
            let probed = self.arrived.remove(first);
            effects.extend(self.probed(probed));
        }
        effects
    }

    fn library_gone(&mut self, library: &Path) -> Vec<Effect> {
        let name = library.display();
        self.refused.remove(library);
        self.opening.remove(library);
        let before = self.active_builds();
        let lost = self.builds.remove(library);
        self.supersede(&before);
        self.warn(
            Kind::Build,
            match lost.len() {
                1 => format!("{name} is gone; 1 stage has no agent now"),
                n => format!("{name} is gone; {n} stages have no agent now"),
            },
            None,
        );
        let mut effects = self.pass_over(library);
        effects.extend(self.offer(&lost));
        effects.extend(self.claim_arrived());
        effects.extend(self.watch_build());
        effects
    }

    /// A library that could not be opened; what was active stays.
    fn refuse(&mut self, library: PathBuf, reason: String, hints: &[String]) {
        self.stop_opening();
        let name = library
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let kept = self.builds.active().map_or_else(
            || "nothing is loaded".to_owned(),
            |b| format!("build {} stays active", b.id),
        );
        let detail = (!hints.is_empty()).then(|| hints.join("\n"));
        self.warn(
            Kind::Build,
            format!("{name} refused: {reason}; {kept}"),
            detail,
        );
        let mut error = Error::new(ErrorKind::Settings, reason);
        error.hints = hints.to_vec();
        self.refused.add(library, error, self.now);
    }

    /// The build that is running, which begins with its first event.
    fn running_build(&mut self) -> &mut Compiling {
        let now = self.now;
        let begun = || Compiling {
            since: now,
            ..Compiling::default()
        };
        let running = |c: &Compiling| c.failed.is_none() && c.opening.is_none();
        let before = self.compiling.take().filter(running);
        self.compiling.insert(before.unwrap_or_else(begun))
    }

    /// The library that was compiled is opened, or refused.
    fn stop_opening(&mut self) {
        self.compiling = self.compiling.take().filter(|c| c.opening.is_none());
    }

    /// Opening is not waited for longer than that: the library may be one that was loaded already.
    pub(super) fn opening_over(&mut self) {
        let opening = self.compiling.as_ref().and_then(|c| c.opening);
        if self.opening.is_empty() && opening.is_some_and(|at| self.now.since(at) >= OPENING_MS) {
            self.stop_opening();
        }
    }

    fn compiled(&mut self, result: Result<u64, CompileFailure>) {
        match result {
            Ok(ms) => {
                let waited = self.builds.active().is_none() || self.queued_step.is_some();
                let done = self.compiling.take().filter(|_| waited);
                self.compiling = done.map(|done| Compiling {
                    opening: Some(self.now),
                    ..done
                });
                #[allow(clippy::cast_precision_loss)] // seconds for a person
                self.info(
                    Kind::Build,
                    format!("compiled in {:.1} s", ms as f64 / 1000.0),
                );
            }
            Err(failure) => {
                let first = failure.first.as_ref();
                let first = first.map_or_else(String::new, |error| format!(": {error}"));
                let kept = match self.builds.active() {
                    Some(_) => "the loaded build stays active",
                    None => "no agent is loaded",
                };
                self.warn(
                    Kind::Build,
                    format!(
                        "the agents did not compile{first}; {kept} ({{key:Builds}} shows the errors)"
                    ),
                    Some(failure.messages.clone()),
                );
                self.compiling = Some(Compiling {
                    since: self.now,
                    failed: Some(failure),
                    ..Compiling::default()
                });
            }
        }
    }

    fn probed(&mut self, probed: Probed) -> Vec<Effect> {
        let Some(project) = self.project.clone() else {
            return Vec::new();
        };
        self.stop_opening();
        let before: Vec<BuildId> = self.active_builds();
        let (size, library) = (probed.size, probed.library.clone());
        match self.builds.claim(probed, &project.workflow, self.now) {
            Ok(id) => {
                self.refused.remove(&library);
                let probed = self.builds.get(id).map(|b| Box::new(b.probed.clone()));
                let activate = probed.map(|probed| Effect::Activate(id, probed));
                let mut effects: Vec<Effect> = activate.into_iter().collect();
                self.supersede(&before);
                if self.has_preflight(id) {
                    self.preflighting.insert(id);
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
                self.info(
                    Kind::Build,
                    format!("build {id} active: {bound} stage{s} bound, {kb} kB"),
                );
                self.log_notes(id, &notes);
                effects.extend(self.watch_build());
                effects
            }
            Err((id, reason)) => {
                let error = Error::new(ErrorKind::Settings, reason.clone());
                self.refused.add(library, error, self.now);
                self.warn(Kind::Build, format!("build {id} refused: {reason}"), None);
                match self.builds.get(id) {
                    Some(build) => vec![Effect::Discard(Box::new(build.probed.clone()))],
                    None => Vec::new(),
                }
            }
        }
    }

    /// Libraries that were refused because of these stages are looked at again: a crate that was renamed
    /// has its agents active once the library of its old name is gone.
    fn offer(&mut self, stages: &[StageId]) -> Vec<Effect> {
        let Some(project) = &self.project else {
            return Vec::new();
        };
        let willing = self.builds.willing(stages, &project.workflow);
        if willing.len() > 1 {
            self.awaited.extend(willing.iter().cloned());
            self.held_since = Some(self.now);
        }
        willing.into_iter().map(Effect::LookAgain).collect()
    }

    /// Whether a library looks at the project before its agents run.
    pub(super) fn has_preflight(&self, build: BuildId) -> bool {
        let build = self.builds.get(build);
        build.is_some_and(|b| b.probed.descriptor.preflight)
    }

    pub(super) fn active_builds(&self) -> Vec<BuildId> {
        self.builds
            .all
            .iter()
            .filter(|b| b.status == BuildStatus::Active)
            .map(|b| b.id)
            .collect()
    }

    /// Remarks on a build in one line, without those that the build before it of the same library had: a library may
    /// hold agents for many projects.
    fn log_notes(&mut self, id: BuildId, notes: &[String]) {
        let library = self.builds.get(id).map(|b| &b.probed.library);
        let before = self.builds.all.iter().rev();
        let before = before
            .filter(|b| b.id != id && Some(&b.probed.library) == library)
            .find(|b| !matches!(b.status, BuildStatus::Rejected(_)));
        let old = before.map(|b| b.notes.clone()).unwrap_or_default();
        let new = notes.iter().filter(|note| !old.contains(note)).cloned();
        match new.collect::<Vec<_>>().as_slice() {
            [] => {}
            [note] => self.info(Kind::Build, format!("build {id}: {note}")),
            [first, rest @ ..] => {
                let text = format!(
                    "build {id}: {first}; and {} more remarks ({{key:Builds}})",
                    rest.len()
                );
                self.note(Kind::Build, false, text, Some(notes.join("\n")));
            }
        }
    }

    pub(super) fn preflight(&mut self, build: BuildId, result: Result<(), Error>) -> Vec<Effect> {
        if let Err(error) = &result {
            self.complain(error);
        }
        self.preflighting.remove(&build);
        self.preflights.insert(build, result);
        Vec::new()
    }
}
