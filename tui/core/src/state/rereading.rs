//! The project is read again: when a person asks for it, before each pass of a poller, and when a task fails because of
//! a name that the project does not have, which may have been added or renamed on the platform since. Such a task waits
//! for the answer, and runs again when the project has changed.

use super::*;

/// A name that is unknown has the project read again at most this often, in milliseconds.
const PAUSE_MS: u64 = 10_000;

/// When the project was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectRead {
    /// Last.
    pub at: Millis,
    /// How often since the start.
    pub times: u32,
}

/// What is known of readings of the project.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rereading {
    /// One is under way.
    pub under_way: bool,
    /// When the last one began that an unknown name was the reason of.
    by_name: Option<Millis>,
    /// How often it had changed.
    changes: u32,
    /// Attempts under way, so that they can be repeated, and how often the project had changed before each.
    launched: HashMap<JobId, (Launch, u32)>,
    /// Attempts that failed and wait for the answer, as they came.
    waiting: Vec<JobEvent>,
}

impl State {
    /// Whether the project is being read.
    #[must_use]
    pub const fn reads_project(&self) -> bool {
        self.rereading.under_way
    }

    /// Reads the project, unless that is under way.
    pub(super) fn read_project(&mut self) -> Option<Effect> {
        let under_way = std::mem::replace(&mut self.rereading.under_way, true);
        (!under_way).then_some(Effect::LoadProject)
    }

    /// Keeps what is given to hosts until it ends.
    pub(super) fn note_launches(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Launch(launch) = effect {
                let rereading = &mut self.rereading;
                let known = (launch.clone(), rereading.changes);
                rereading.launched.insert(launch.job, known);
            }
        }
    }

    /// An attempt ended. One that met an unknown name waits until the project was read, or is repeated when the project
    /// has changed since it began; others are given back.
    pub(super) fn wait_for_names(&mut self, news: JobEvent) -> Result<Vec<Effect>, JobEvent> {
        let JobEvent::Done { job, result, .. } = &news else {
            return Err(news);
        };
        let rereading = &mut self.rereading;
        let unknown = result.as_ref().err().filter(|error| error.unknown_name);
        let launched = rereading.launched.get(job).filter(|_| unknown.is_some());
        if let Some((launch, _)) = launched.filter(|(_, then)| *then != rereading.changes) {
            return Ok(vec![Effect::Launch(launch.clone())]);
        }
        let due = rereading.under_way
            || (rereading.by_name).is_none_or(|last| self.now.since(last) >= PAUSE_MS);
        let Some(error) = unknown.filter(|_| due && launched.is_some()) else {
            rereading.launched.remove(job);
            return Err(news);
        };
        let mut effects = Vec::new();
        if !self.rereading.under_way {
            self.rereading.by_name = Some(self.now);
            let text = format!(
                "{}; the project is read again, in case it was changed",
                error.summary
            );
            self.info(Kind::Task, text);
            effects.extend(self.read_project());
        }
        self.rereading.waiting.push(news);
        Ok(effects)
    }

    /// The project was read, or could not be: attempts that waited for it are repeated when it has changed.
    pub(super) fn names_read(&mut self, changed: bool) -> Vec<Effect> {
        self.rereading.under_way = false;
        self.rereading.changes += u32::from(changed);
        let mut effects = Vec::new();
        for news in std::mem::take(&mut self.rereading.waiting) {
            let JobEvent::Done { job, .. } = &news else {
                continue;
            };
            match self.rereading.launched.get(job).filter(|_| changed) {
                Some((launch, _)) => effects.push(Effect::Launch(launch.clone())),
                None => {
                    self.rereading.launched.remove(job);
                    effects.extend(self.job_done(news));
                }
            }
        }
        effects
    }

    /// The project as it is now takes the place of the one that was known; whether it differs.
    pub(super) fn take_project(&mut self, project: Arc<Project>) -> bool {
        let times = self.project_read.map_or(0, |read| read.times);
        self.project_read = Some(ProjectRead {
            at: self.now,
            times: times + 1,
        });
        let Some(known) = &self.project else {
            self.project = Some(project);
            return true;
        };
        let mut parts = Vec::new();
        if known.doc.ontology != project.doc.ontology {
            parts.push("ontology");
        }
        if known.workflow != project.workflow {
            parts.push("workflow");
        }
        if parts.is_empty() && known.doc == project.doc {
            return false;
        }
        let what = match parts.as_slice() {
            [] => "its description".to_owned(),
            parts => format!("its {}", parts.join(" and its ")),
        };
        self.project = Some(project);
        self.info(
            Kind::Net,
            format!("the project was read again: {what} has changed"),
        );
        true
    }

    /// What was decided with the project as it was before is decided again: which stages libraries have agents for,
    /// and whether they may run.
    pub(super) fn project_changed(&mut self, before: &Project) -> Vec<Effect> {
        let Some(project) = self.project.clone() else {
            return Vec::new();
        };
        let stages = |project: &Project| -> Vec<_> {
            let stages = project.workflow.stages.iter();
            stages
                .map(|s| (s.id, s.title.clone(), s.kind.clone()))
                .collect()
        };
        if stages(before) != stages(&project) {
            let active = self
                .builds
                .all
                .iter()
                .filter(|b| b.status == BuildStatus::Active);
            let active = active.map(|b| b.probed.library.clone());
            let refused = self.refused.all().iter().map(|r| r.library.clone());
            let all: BTreeSet<_> = active.chain(refused).collect();
            return all.into_iter().map(Effect::LookAgain).collect();
        }
        self.preflights.clear();
        let active = self.active_builds().into_iter();
        let asked: Vec<BuildId> = active.filter(|id| self.has_preflight(*id)).collect();
        self.preflighting.extend(&asked);
        asked.into_iter().map(Effect::Preflight).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::memory::project;

    #[test]
    fn a_project_that_is_read_again_takes_the_place_of_the_old_one_only_when_it_differs() {
        let options = Options {
            screen: true,
            ..Options::default()
        };
        let (mut state, effects) = State::start(options, Millis(0));
        assert_eq!(effects, [Effect::LoadProject]);
        let refresh = || Event::Input(Command::Refresh(None));
        assert_eq!(state.update(refresh()), [], "it is being read");
        state.update(Event::Upstream(Upstream::Project(project())));
        let first = state.project.clone().unwrap();
        state.update(Event::Tick(Millis(5_000)));
        assert!(state.update(refresh()).contains(&Effect::LoadProject));
        state.update(Event::Upstream(Upstream::Project(project())));
        let read = state.project_read.unwrap();
        assert_eq!((read.at, read.times), (Millis(5_000), 2));
        assert!(Arc::ptr_eq(&first, state.project.as_ref().unwrap()));
        let mut other = Project::clone(&project());
        other.doc.ontology = serde_json::json!({"objects": []});
        state.update(refresh());
        state.update(Event::Upstream(Upstream::Project(Arc::new(other))));
        assert!(!Arc::ptr_eq(&first, state.project.as_ref().unwrap()));
        let line = &state.activity.back().unwrap().text;
        assert_eq!(line, "the project was read again: its ontology has changed");
        // What cannot be read leaves what is known.
        state.update(refresh());
        let error = Error::new(ErrorKind::Network, "no answer");
        state.update(Event::Upstream(Upstream::ProjectFailed(error)));
        assert!(state.project.is_some() && state.project_error.is_none());
        assert!(!state.reads_project());
    }
}
