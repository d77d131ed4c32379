//! Performing effects: requests and commits as tasks, jobs to their hosts.

use super::calls::declared;
use super::{JobFacts, StageFacts, World};
use crate::background::RunFolder;
use crate::files::keep_points;
use crate::journal::Journal;
use crate::params;
use crate::screen_store::HeldChanges;
use agent_abi::model::Ontology;
use agent_abi::wire::input;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, JobEvent, Launch, Upstream};
use wb_core::figures::KeptFigures;
use wb_core::ids::{BatchId, BuildId, JobId, ProjectHash, StageId, TaskId};
use wb_core::pause::SavedPoint;
use wb_core::run::OnDuplicate;
use wb_core::work::{FetchSpec, Inputs, Project, TaskRow, needs};
use wb_core::workflow::Workflow;
use wb_host::{Hosts, JobRequest};

/// How long the platform may take for its first answer. Later requests have the client's whole
/// patience: by then somebody's work is under way.
const FIRST_ANSWER: Duration = Duration::from_secs(12);

fn no_answer(reader: &wb_client::Reader) -> Error {
    let why = reader
        .outage()
        .map_or_else(|| "no answer at all".to_owned(), |t| t.why);
    Error::new(
        ErrorKind::Network,
        format!(
            "the platform could not be reached within {} s",
            FIRST_ANSWER.as_secs()
        ),
    )
    .because(why)
    .hint("is ENCORD_DOMAIN right, and does this machine reach it?")
}

/// Whether labels in a row name who made them.
fn has_authors(inputs: &Inputs) -> bool {
    let row = inputs.labels.as_ref();
    row.is_some_and(|row| row.json.contains(r#""createdBy":""#))
}

/// No agent runs on top of what an earlier outcome left in part: its task has that as its error.
async fn unless_unfinished(
    journal: Option<Journal>,
    project: ProjectHash,
    rows: &[TaskRow],
    results: Vec<Result<Arc<Inputs>, Error>>,
) -> Vec<Result<Arc<Inputs>, Error>> {
    let Some(journal) = journal else {
        return results;
    };
    let tasks: HashSet<TaskId> = rows.iter().map(|row| row.id).collect();
    let asked = tokio::task::spawn_blocking(move || journal.unfinished(project, &tasks)).await;
    let unfinished = match asked {
        Ok(Ok(unfinished)) => unfinished,
        Ok(Err(error)) => return results.iter().map(|_| Err(error.clone())).collect(),
        Err(error) => {
            let error = Error::new(
                ErrorKind::Bug,
                format!("the journal's thread ended: {error}"),
            );
            return results.iter().map(|_| Err(error.clone())).collect();
        }
    };
    let each = rows.iter().zip(results);
    each.map(|(row, result)| match unfinished.get(&row.id) {
        Some(error) => Err(error.clone()),
        None => result,
    })
    .collect()
}

impl World {
    /// Performs one effect; its answer comes as an event. The last ones go from a run to the state, or are for the faces:
    /// nothing is done for them here.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::LoadProject => self.load_project(),
            Effect::Page {
                list,
                stage,
                token,
                only,
                earlier,
            } => self.page(list, stage, token, only, earlier),
            Effect::Know { stage, rows, asks } => self.know(stage, rows, asks),
            Effect::Fetch {
                batch,
                stage,
                rows,
                fetch,
            } => self.fetch(batch, stage, rows, fetch),
            Effect::Launch(launch) => self.launch(launch),
            Effect::Kill(job) => self.stop(job, Hosts::kill),
            Effect::Cancel(job) => self.stop(job, Hosts::cancel),
            Effect::GoOn { job, edited } => self.hosts.go_on(job, edited),
            Effect::Attach { job, on } => self.hosts.attach(job, on),
            Effect::SavePoints { stage, points } => self.save_points(stage, points),
            Effect::CloseOperation(id) => self.close_operation(id),
            Effect::Operation {
                operation,
                lane,
                request,
                under,
            } => self.request((operation, lane), request, under.as_deref()),
            Effect::KeepHeld(changes) => self.keep_held(changes),
            Effect::KeepFigures(changes) => self.keep_figures(changes),
            Effect::Release(tasks) => self.release(&tasks),
            Effect::Theirs(inputs) => self.theirs(inputs),
            Effect::EditOutcome(edit) => self.edit_outcome(edit),
            Effect::Journal => self.read_journal(),
            Effect::OpenOp(op) => self.open_op(op),
            Effect::Rate(rate) => self.limit_rate(rate),
            Effect::Activate(build, probed) => self.hosts.activate(build, &probed),
            Effect::Retire(build) => self.hosts.retire(build),
            Effect::Rest(build) => self.hosts.rest(build),
            Effect::Compare(_) | Effect::ListRuns | Effect::ReadRun { .. } => self.compares(effect),
            Effect::Discard(probed) => self.hosts.discard(&probed),
            Effect::LookAgain(library) => self.look_again(library),
            Effect::WatchPlace { library, place } => self.watch_place(library, place),
            Effect::Preflight(build) => self.preflight(build),
            Effect::StopBackground(run) => self.stop_background(run),
            Effect::Concurrency(n) => self.hosts.set_concurrency(n),
            Effect::Commit { .. }
            | Effect::Record(_)
            | Effect::RunOver
            | Effect::WriteComparison
            | Effect::Reported(_)
            | Effect::OperationOver(_)
            | Effect::PlanAndExit(_)
            | Effect::GoOnInBackground(_)
            | Effect::Suspend
            | Effect::Exit => {}
        }
    }

    fn keep_held(&self, changes: HeldChanges) {
        if let Some(store) = &self.store {
            store.held(changes);
        }
    }

    fn stop_background(&self, number: u64) {
        let news = self.news.clone();
        tokio::task::spawn_blocking(move || {
            let stopped = RunFolder::of(number).and_then(|folder| folder.stop());
            if let Err(error) = stopped {
                let _ = news.blocking_send(Event::NotStopped(error));
            }
        });
    }

    fn keep_figures(&self, changes: Box<KeptFigures>) {
        if let Some(store) = &self.store {
            store.figures(changes);
        }
    }

    fn look_again(&self, library: PathBuf) {
        let place = self.built_at.get(&library).cloned();
        self.hosts.look_again(place.unwrap_or(library));
    }

    fn preflight(&self, build: BuildId) {
        let (hosts, news) = (self.hosts.clone(), self.news.clone());
        tokio::spawn(async move {
            let result = hosts.preflight(build).await;
            let _ = news.send(Event::Preflight { build, result }).await;
        });
    }

    fn save_points(&self, stage: StageId, points: Vec<SavedPoint>) {
        if let Err(error) = keep_points(self.hash, stage, points) {
            tracing::warn!(%error, "the pause points were not kept");
        }
    }

    fn limit_rate(&self, rate: Option<f64>) {
        if let Err(error) = self.reader.set_rate(rate) {
            tracing::error!("{error}");
        }
    }

    fn load_project(&self) {
        let (reader, news, hash) = (self.reader.clone(), self.news.clone(), self.hash);
        // The tasks that come with the project are for a command's first pass.
        let drain = self.drain.clone().filter(|_| self.project.is_none());
        tokio::spawn(async move {
            let first = |workflow: &Workflow| drain?.first(workflow);
            let asked = reader.project_and_tasks(hash, first);
            let event = match tokio::time::timeout(FIRST_ANSWER, asked).await {
                Ok(Ok(project)) => Upstream::Project(Arc::new(project)),
                Ok(Err(error)) => Upstream::ProjectFailed(error.into()),
                Err(_) => Upstream::ProjectFailed(no_answer(&reader)),
            };
            let _ = news.send(Event::Upstream(event)).await;
        });
    }

    /// Keeps what every job of a stage is given, and hands the project to the hosts.
    pub(super) fn take_project(&mut self, project: Arc<Project>) {
        self.stages.clear();
        for stage in &project.doc.stages {
            // A title that several stages have names none of them.
            let by_title = project.workflow.find(&stage.title);
            let params = by_title
                .and_then(|found| self.params.get(&found.title))
                .or_else(|| self.params.get(&stage.uuid.to_string()));
            let params = params.map_or_else(String::new, ToString::to_string);
            let json = serde_json::to_string(stage).unwrap_or_default();
            self.stages.insert(
                StageId(stage.uuid),
                StageFacts {
                    json: json.into(),
                    params: params.into(),
                },
            );
        }
        self.ontology = match Ontology::from_editor(&project.doc.ontology) {
            Ok(ontology) => Some(Arc::new(ontology)),
            Err(error) => {
                tracing::error!("the ontology is not readable: {error}");
                None
            }
        };
        self.hosts.set_project(project.json.clone());
        self.project = Some(project);
    }

    fn fetch(&self, batch: BatchId, stage: StageId, rows: Vec<TaskRow>, fetch: FetchSpec) {
        let twins = declared(&fetch.twins);
        let answers = self.answers.clone();
        let asks_who =
            self.on_duplicate == OnDuplicate::Skip && fetch.needs & needs::LABEL_ROW_WRITE != 0;
        let (journal, hash) = (self.journal.clone(), self.hash);
        let (reader, news, cache, project) = (
            self.reader.clone(),
            self.news.clone(),
            self.cache.clone(),
            self.project.clone(),
        );
        tokio::spawn(async move {
            let gone = || {
                Error::new(
                    ErrorKind::Settings,
                    "the project has no such stage any more",
                )
            };
            let found = project
                .as_ref()
                .and_then(|p| p.workflow.stage(stage).map(|s| (p, s)));
            let results: Vec<Result<Arc<Inputs>, Error>> = match found {
                Some((project, found)) => tokio::join!(
                    reader.inputs(project, found, &rows, &fetch, &cache),
                    answers.prepare(stage, &rows, &twins),
                )
                .0
                .into_iter()
                .map(|r| r.map(Arc::new))
                .collect(),
                None => rows.iter().map(|_| Err(gone())).collect(),
            };
            if asks_who && results.iter().flatten().any(|inputs| has_authors(inputs)) {
                reader.me().await;
            }
            let results = unless_unfinished(journal, hash, &rows, results).await;
            let _ = news.send(Event::Prefetch { batch, results }).await;
        });
    }

    fn launch(&mut self, launch: Launch) {
        let Some(facts) = self.stages.get(&launch.stage) else {
            return self.lost_stage(launch.job);
        };
        let (inputs, edits) = (&launch.inputs, &launch.given);
        let (mut given, seen) = self.answers.given(launch.stage, inputs.row.data);
        if let Some(labels) = &inputs.labels {
            let edited = edits.label_row(&labels.json).map(Arc::from);
            let json = edited.unwrap_or_else(|| labels.json.clone());
            given.push((input::LABEL_ROW.into(), json));
        }
        if let Some(item) = &inputs.item_json {
            let edited = edits.item(item).map(Arc::from);
            given.push((
                input::STORAGE_ITEM.into(),
                edited.unwrap_or_else(|| item.clone()),
            ));
        }
        if let Some(asset) = &inputs.asset_json {
            given.push((input::ASSET.into(), asset.clone()));
        }
        let params = match edits.params.clone() {
            Some(edited) => {
                let set = serde_json::from_str(&facts.params).unwrap_or_default();
                let restored = params::restored(edited.into(), &set);
                restored.to_string().into()
            }
            None => facts.params.clone(),
        };
        self.launches.push(JobRequest {
            job: launch.job,
            build: launch.build,
            agent: launch.agent,
            attempt: launch.attempt,
            stage_json: facts.json.clone(),
            task_json: inputs.task_json.clone(),
            params,
            inputs: given,
            deadline: launch.deadline_ms.map(Duration::from_millis),
            label: inputs.row.title.to_string(),
            priority: launch.priority,
            pauses: launch.pauses,
        });
        self.jobs.insert(
            launch.job,
            JobFacts {
                stage: launch.stage,
                inputs: launch.inputs,
                seen: super::seen::shared(seen),
            },
        );
    }

    /// The workflow that was read last does not have the stage of a job.
    fn lost_stage(&self, job: JobId) {
        let news = self.news.clone();
        let text = "its stage is no longer in the project's workflow; the task is left alone";
        let result = Err(Error::new(ErrorKind::Settings, text));
        let (crashed, run_us) = (false, 0);
        tokio::spawn(async move {
            let done = JobEvent::Done {
                job,
                result,
                crashed,
                run_us,
            };
            let _ = news.send(Event::Job(done)).await;
        });
    }

    /// Stops a job, which the hosts must know of first.
    fn stop(&mut self, job: JobId, how: fn(&Hosts, JobId)) {
        self.hand_over();
        how(&self.hosts, job);
    }

    /// Gives the hosts what was launched.
    pub(super) fn hand_over(&mut self) {
        if !self.launches.is_empty() {
            self.hosts.run_all(self.launches.drain(..));
        }
    }
}
