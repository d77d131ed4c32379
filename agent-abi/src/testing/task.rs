//! A task with its data, described in a few lines.

use super::ontology::{OntologyBuilder, ontology};
use super::run::{Feed, Run};
use crate::glue::Agent;
use crate::inject::{Job, attempt, install_logger};
use crate::model::{Picture, Project, Stage, Task};
use crate::wire::{AssetDoc, PathwayDoc, ProjectDoc, RowDoc, StageDoc, TaskDoc};
use serde_json::{Map, Value, json};
use std::path::Path;
use uuid::Uuid;

/// A task to run agents on. Without data given it is an image of which no picture is at hand.
#[derive(Clone, Debug)]
pub struct TestTask {
    title: String,
    ontology: OntologyBuilder,
    kind: Kind,
    pictures: Vec<Picture>,
    pathways: Vec<String>,
    client_metadata: Map<String, Value>,
    priority: f64,
    assignee: Option<String>,
    last_actioned_by: Option<String>,
    params: Value,
    labels: Option<Value>,
    asset: Option<String>,
    attempt: u32,
    cancelled: bool,
    answers: Vec<(String, Value)>,
    children: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Image,
    Video,
    ImgGroup,
    Audio,
    PlainText,
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
        asset: None,
        attempt: 1,
        cancelled: false,
        answers: Vec::new(),
        children: Vec::new(),
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

fn project_doc(ontology: &OntologyBuilder, stages: Vec<StageDoc>) -> ProjectDoc {
    ProjectDoc {
        project_hash: Uuid::new_v5(&Uuid::NAMESPACE_OID, b"test project"),
        title: "Test project".to_owned(),
        description: String::new(),
        ontology: ontology.editor(),
        ontology_title: "Test ontology".to_owned(),
        stages,
        datasets: Vec::new(),
    }
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

    fn data(mut self, kind: Kind, pictures: Vec<Picture>) -> Self {
        self.kind = kind;
        self.pictures = pictures;
        self
    }

    /// Names of the stage's pathways.
    #[must_use]
    pub fn pathways(mut self, names: &[&str]) -> Self {
        self.pathways = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// An entry of the client metadata.
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

    /// The number of the attempt, from 1.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// The workbench wants the attempt to stop.
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
    /// Unanswered questions about twins find none; pictures are encoded without a codec, as PPM.
    #[must_use]
    pub fn answer(mut self, name: &str, answer: impl Into<Value>) -> Self {
        self.answers.push((name.to_owned(), answer.into()));
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
        install_logger();
        let row = self.row();
        let feed = Feed::new(
            self.documents(&row, A::STAGE),
            self.pictures.clone(),
            self.answers.clone(),
            self.cancelled,
        );
        let params = self.params.to_string();
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
        Run::new(finished, row, self.ontology.editor(), feed)
    }

    fn id(&self, what: &str) -> Uuid {
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("{}/{what}", self.title).as_bytes(),
        )
    }

    fn task_doc(&self) -> TaskDoc {
        TaskDoc {
            uuid: self.id("task"),
            created_at: "2026-11-22T07:57:06Z".to_owned(),
            updated_at: "2026-11-22T07:57:06Z".to_owned(),
            status: "NEW".to_owned(),
            data_hash: self.id("data"),
            data_title: self.title.clone(),
            label_branch_name: "main".to_owned(),
            assignee: self.assignee.clone(),
            last_actioned_by: self.last_actioned_by.clone(),
        }
    }

    fn stage_doc(&self, title: &str) -> StageDoc {
        let pathway = |name: &String| PathwayDoc {
            uuid: self.id(&format!("pathway {name}")),
            name: name.clone(),
            destination_uuid: self.id(&format!("behind {name}")),
        };
        StageDoc {
            uuid: self.id("stage"),
            title: title.to_owned(),
            stage_type: "AGENT".to_owned(),
            pathways: self.pathways.iter().map(pathway).collect(),
        }
    }

    fn documents(&self, row: &RowDoc, stage: &str) -> Vec<(&'static str, String)> {
        let project = project_doc(&self.ontology, vec![self.stage_doc(stage)]);
        let mut documents = vec![
            ("project", json!(project).to_string()),
            ("label_row", json!(row).to_string()),
            ("storage_item", self.item().to_string()),
        ];
        let child = |path: &String| AssetDoc {
            path: path.clone(),
            mime_type: None,
            item_type: "image".to_owned(),
            title: path.clone(),
            children: Vec::new(),
        };
        let own = self.asset.clone();
        if let Some(path) = own.or_else(|| self.children.first().cloned()) {
            let asset = AssetDoc {
                path,
                mime_type: None,
                item_type: self.item()["itemType"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                title: self.title.clone(),
                children: self.children.iter().map(child).collect(),
            };
            documents.push(("asset", json!(asset).to_string()));
        }
        documents
    }

    fn item(&self) -> Value {
        let item_type = match self.kind {
            Kind::Image => "image",
            Kind::Video => "video",
            Kind::ImgGroup => "imageGroup",
            Kind::Audio => "audio",
            Kind::PlainText => "plainText",
        };
        json!({
            "uuid": self.id("item"), "name": self.title, "itemType": item_type,
            "clientMetadata": Value::Object(self.client_metadata.clone()).to_string(),
        })
    }

    fn word(&self) -> &'static str {
        match self.kind {
            Kind::Image => "image",
            Kind::Video => "video",
            Kind::ImgGroup => "img_group",
            Kind::Audio => "audio",
            Kind::PlainText => "plain_text",
        }
    }

    fn row(&self) -> RowDoc {
        let size = self.pictures.first().map(|p| (p.width, p.height));
        let frames = if self.kind == Kind::Video {
            self.pictures.len()
        } else {
            1
        };
        let metadata = json!({
            "label_hash": self.id("labels"), "branch_name": "main", "data_hash": self.id("data"),
            "dataset_hash": self.id("dataset"), "dataset_title": "Test dataset", "data_title": self.title,
            "data_type": self.word().to_uppercase(), "label_status": "NOT_LABELLED", "number_of_frames": frames,
            "width": size.map(|s| s.0), "height": size.map(|s| s.1), "priority": self.priority,
            "backing_item_uuid": self.id("item"), "client_metadata": self.client_metadata,
            "assigned_user_email": self.assignee, "last_actioned_by_user_email": self.last_actioned_by,
        });
        let labels = self.labels.clone().unwrap_or_else(|| self.empty_blob());
        RowDoc { metadata, labels }
    }

    fn empty_blob(&self) -> Value {
        let unit = |hash: Uuid, sequence: Value, labels: Value| json!({"data_hash": hash, "data_title": self.title, "data_sequence": sequence, "labels": labels});
        let still = json!({"objects": [], "classifications": []});
        let units: Map<String, Value> = match self.kind {
            Kind::ImgGroup => (0..self.pictures.len())
                .map(|i| (self.id(&format!("image {i}")), i))
                .map(|(hash, i)| {
                    (
                        hash.to_string(),
                        unit(hash, json!(i.to_string()), still.clone()),
                    )
                })
                .collect(),
            Kind::Image => [(
                self.id("data").to_string(),
                unit(self.id("data"), json!(0), still),
            )]
            .into_iter()
            .collect(),
            _ => [(
                self.id("data").to_string(),
                unit(self.id("data"), json!(0), json!({})),
            )]
            .into_iter()
            .collect(),
        };
        json!({
            "label_hash": self.id("labels"), "branch_name": "main", "data_hash": self.id("data"),
            "dataset_hash": self.id("dataset"), "dataset_title": "Test dataset", "data_title": self.title,
            "created_at": "Sun, 22 Nov 2026 07:57:53 UTC", "last_edited_at": "Sun, 22 Nov 2026 07:57:53 UTC",
            "data_type": self.word(), "label_status": "NOT_LABELLED", "annotation_task_status": "QUEUED",
            "is_shadow_data": false, "object_answers": {}, "classification_answers": {}, "object_actions": {},
            "data_units": units, "spaces": {},
        })
    }
}
