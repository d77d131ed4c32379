//! A task with its data, described in a few lines.

use super::docs::{Kind, TempFile, project_doc};
use super::feed::{Encoder, Feed, Pictures};
use super::ontology::{OntologyBuilder, ontology};
use super::run::Run;
use crate::glue::Agent;
use crate::inject::{Finished, Job, Listener, attempt, install_logger};
use crate::model::{Picture, Project, Stage, Task};
use crate::table::{needs, status};
use crate::wire::{Failure, call};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A task to run agents on. Without data given it is an image of which no picture is at hand.
#[derive(Clone, Debug)]
pub struct TestTask {
    pub(super) title: String,
    pub(super) ontology: OntologyBuilder,
    pub(super) kind: Kind,
    pub(super) pictures: Vec<Picture>,
    pub(super) pathways: Vec<String>,
    pub(super) client_metadata: Map<String, Value>,
    pub(super) priority: f64,
    pub(super) assignee: Option<String>,
    pub(super) last_actioned_by: Option<String>,
    params: Value,
    pub(super) labels: Option<Value>,
    pub(super) item_fields: Map<String, Value>,
    pub(super) limit: Option<Duration>,
    pub(super) encoder: Option<Encoder>,
    pub(super) asset: Option<String>,
    attempt: u32,
    cancelled: bool,
    answers: Vec<(String, Value)>,
    pub(super) children: Vec<String>,
    pub(super) file: Option<Arc<[u8]>>,
    times: Vec<f64>,
    broken: Vec<(u64, String)>,
    /// The parts of a data group by their keys.
    pub(super) parts: Vec<(String, Self)>,
}

/// A task on a data unit with this title.
#[must_use]
pub fn task(title: &str) -> TestTask {
    TestTask {
        title: title.to_owned(),
        ontology: ontology(),
        kind: Kind::Image,
        pictures: Vec::new(),
        pathways: Vec::new(),
        client_metadata: Map::new(),
        priority: 0.5,
        assignee: None,
        last_actioned_by: None,
        params: json!({}),
        labels: None,
        item_fields: Map::new(),
        limit: None,
        encoder: None,
        asset: None,
        attempt: 1,
        cancelled: false,
        answers: Vec::new(),
        children: Vec::new(),
        file: None,
        times: Vec::new(),
        broken: Vec::new(),
        parts: Vec::new(),
    }
}

/// A project, for preflight functions: its ontology, and agent stages with their pathways.
///
/// # Panics
/// When a word of the ontology is none of Encord's.
#[must_use]
pub fn project(ontology: OntologyBuilder, stages: &[(&str, &[&str])]) -> Project {
    let stage =
        |(title, pathways): &(&str, &[&str])| task(title).pathways(pathways).stage_doc(title);
    let doc = project_doc(&ontology, stages.iter().map(stage).collect());
    Project::from_doc(doc).expect("an ontology that can be read")
}

impl TestTask {
    /// What may be labelled.
    #[must_use]
    pub fn ontology(mut self, ontology: OntologyBuilder) -> Self {
        self.ontology = ontology;
        self
    }

    /// One picture.
    #[must_use]
    pub fn image(self, picture: Picture) -> Self {
        self.data(Kind::Image, vec![picture])
    }

    /// A video of these frames at 10 per second.
    #[must_use]
    pub fn video(self, frames: Vec<Picture>) -> Self {
        self.data(Kind::Video, frames)
    }

    /// A group of images.
    #[must_use]
    pub fn image_group(self, images: Vec<Picture>) -> Self {
        self.data(Kind::ImgGroup, images)
    }

    /// A sound; it has no pictures.
    #[must_use]
    pub fn audio(self) -> Self {
        self.data(Kind::Audio, Vec::new())
    }

    /// A text; it has no pictures.
    #[must_use]
    pub fn text(self) -> Self {
        self.data(Kind::PlainText, Vec::new())
    }

    /// An HTML page; it has no pictures.
    #[must_use]
    pub fn html(self) -> Self {
        self.data(Kind::Html, Vec::new())
    }

    /// A PDF of so many pages; its pages are not pictures here.
    #[must_use]
    pub fn pdf(self, pages: usize) -> Self {
        self.data(Kind::Pdf(pages), Vec::new())
    }

    /// When each frame is shown, in seconds: a video whose rate varies. Frames without one follow at 10
    /// per second.
    #[must_use]
    pub fn times(mut self, seconds: &[f64]) -> Self {
        self.times = seconds.to_vec();
        self
    }

    /// A picture that is there and cannot be had, and why.
    #[must_use]
    pub fn broken_frame(mut self, index: u64, why: &str) -> Self {
        self.broken.push((index, why.to_owned()));
        self
    }

    fn data(mut self, kind: Kind, pictures: Vec<Picture>) -> Self {
        self.kind = kind;
        self.pictures = pictures;
        self
    }

    /// Names of the stage's pathways. With them an agent that returns another one fails, as in a run.
    #[must_use]
    pub fn pathways(mut self, names: &[&str]) -> Self {
        self.pathways = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// An entry of the client metadata. The label row has them only for an agent with
    /// `include(client_metadata)`, as in a run; the storage item always.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.client_metadata.insert(key.to_owned(), value.into());
        self
    }

    /// The priority it has, 0 to 1.
    #[must_use]
    pub fn priority(mut self, priority: f64) -> Self {
        self.priority = priority;
        self
    }

    /// Who acted on it last.
    #[must_use]
    pub fn last_actioned_by(mut self, email: &str) -> Self {
        self.last_actioned_by = Some(email.to_owned());
        self
    }

    /// Who it is assigned to.
    #[must_use]
    pub fn assignee(mut self, email: &str) -> Self {
        self.assignee = Some(email.to_owned());
        self
    }

    /// The stage's parameters, as `workbench.toml` would give them.
    #[must_use]
    pub fn params(mut self, params: impl Into<Value>) -> Self {
        self.params = params.into();
        self
    }

    /// The label blob to begin with; [`Run::into_labels`] of an earlier run, for instance.
    #[must_use]
    pub fn labels(mut self, blob: Value) -> Self {
        self.labels = Some(blob);
        self
    }

    /// A file as the asset.
    #[must_use]
    pub fn asset(mut self, path: impl AsRef<Path>) -> Self {
        self.asset = Some(path.as_ref().display().to_string());
        self
    }

    /// What is in the asset's file: a text, a sound. It is written to a temporary file for the run.
    #[must_use]
    pub fn file(mut self, content: impl AsRef<[u8]>) -> Self {
        self.file = Some(content.as_ref().into());
        self
    }

    /// The number of the attempt, from 1.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// The workbench asks the attempt to stop.
    #[must_use]
    pub fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }

    /// The twin in another project: what this other task describes, its ontology and labels.
    #[must_use]
    pub fn twin(mut self, project: &str, other: &Self) -> Self {
        let hash = Uuid::parse_str(project).expect("a project hash is a UUID");
        let mut doc = project_doc(&other.ontology, vec![other.stage_doc("Twin stage")]);
        doc.project_hash = hash;
        let twin = json!({"row": other.row(), "task": other.task_doc()});
        self.answers.push((format!("twin {hash}"), twin));
        self.answers.push((format!("project {hash}"), json!(doc)));
        self
    }

    /// What the workbench answers to a question by name ([`crate::wire::call`]), whatever is asked.
    /// Unanswered questions about twins find none; pictures are encoded without a codec, as PPM ([`TestTask::encoder`]).
    #[must_use]
    pub fn answer(mut self, name: &str, answer: impl Into<Value>) -> Self {
        self.answers.push((name.to_owned(), answer.into()));
        self
    }

    /// What the workbench lists of a kind (`label_rows`, `tasks`, `folder_items`, `collections`,
    /// `collection_items`), as Encord describes it; on one page, whatever is asked.
    #[must_use]
    pub fn listed(mut self, kind: &str, entries: impl Into<Value>) -> Self {
        let page = json!({"entries": entries.into()});
        self.answers.push((format!("{} {kind}", call::LIST), page));
        self
    }

    /// The files of an image group, in order.
    #[must_use]
    pub fn children(mut self, paths: &[&str]) -> Self {
        self.children = paths.iter().map(|path| (*path).to_owned()).collect();
        self
    }

    /// Runs an agent, named like its function.
    #[must_use]
    pub fn run<A: Agent>(&self) -> Run {
        install_logger(Some(std::any::type_name::<A>()));
        let mut row = self.row();
        if A::NEEDS & needs::CLIENT_METADATA == 0 {
            row.metadata["client_metadata"] = Value::Null;
        }
        let file = self.temporary();
        let place = file.as_ref().map(TempFile::path);
        let files: Vec<_> = self.parts.iter().map(|(_, p)| p.temporary()).collect();
        let feed = Feed {
            pictures: self.all_pictures(),
            parts: self.parts.iter().map(|(_, p)| p.all_pictures()).collect(),
            answers: self.answers.clone(),
            cancelled: self.cancelled,
            encoder: self.encoder,
            limit: self.limit.map(|limit| (Instant::now(), limit)),
            ..Feed::new(self.documents(&row, A::STAGE, place, &files))
        };
        let params = self.params.to_string();
        let threads = Listener::new();
        let finished = attempt(Job {
            source: &feed,
            task: Task::new(self.task_doc(), self.attempt),
            stage: Stage::new(self.stage_doc(A::STAGE)),
            params: &params,
            needs: A::NEEDS,
            routes: A::ROUTES,
            agent: A::call,
            panic_note: || None,
        });
        let finished = in_time(&feed, self.known(finished, A::STAGE));
        Run::new(finished, row, self.ontology.editor(), feed, threads.take())
    }

    fn all_pictures(&self) -> Pictures {
        Pictures {
            all: self.pictures.clone(),
            times: self.times.clone(),
            broken: self.broken.clone(),
        }
    }

    /// The content of its file, written for a run.
    fn temporary(&self) -> Option<TempFile> {
        self.file.as_ref().map(|content| TempFile::new(content))
    }

    /// A run refuses a pathway that the stage does not have.
    fn known(&self, finished: Finished, stage: &str) -> Finished {
        let Finished::Done(outcome) = &finished else {
            return finished;
        };
        let stage = Stage::new(self.stage_doc(stage));
        let route = outcome
            .route
            .as_deref()
            .filter(|_| !self.pathways.is_empty());
        match route.map(|route| stage.pathway(route)) {
            Some(Err(error)) => Finished::Failed(
                status::ERROR,
                Failure {
                    message: format!("the agent returned a pathway that is not there: {error}"),
                    steps: outcome.steps.clone(),
                    ..Failure::default()
                },
            ),
            _ => finished,
        }
    }
}

/// A run does not use what comes after the limit.
fn in_time(feed: &Feed, finished: Finished) -> Finished {
    let Some((_, limit)) = feed.limit.filter(|_| feed.is_late()) else {
        return finished;
    };
    let steps = match finished {
        Finished::Done(outcome) => outcome.steps,
        Finished::Failed(_, failure) => failure.steps,
    };
    let failure = Failure {
        message: format!("the attempt took longer than its limit of {limit:?}"),
        retry: true,
        steps,
        ..Failure::default()
    };
    Finished::Failed(status::CANCELLED, failure)
}
