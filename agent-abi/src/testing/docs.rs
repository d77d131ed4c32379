//! The documents that a described task becomes, as the workbench would hand them over.

use super::ontology::OntologyBuilder;
use super::task::TestTask;
use crate::wire::{AssetDoc, PathwayDoc, ProjectDoc, RowDoc, StageDoc, TaskDoc};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// What the data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Video,
    ImgGroup,
    Audio,
    PlainText,
    Html,
    Pdf(usize),
    Group,
}

/// A file that is gone when it is dropped.
pub(super) struct TempFile(PathBuf, String);

impl TempFile {
    /// # Panics
    /// When there is no folder for temporary files.
    pub(super) fn new(content: &[u8]) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("agent-abi-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a temporary file can be written");
        let text = path.display().to_string();
        Self(path, text)
    }

    pub(super) fn path(&self) -> &str {
        &self.1
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // Nowhere to report it; the system clears its temporary files.
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(super) fn project_doc(ontology: &OntologyBuilder, stages: Vec<StageDoc>) -> ProjectDoc {
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
    pub(super) fn id(&self, what: &str) -> Uuid {
        Uuid::new_v5(
            &Uuid::NAMESPACE_OID,
            format!("{}/{what}", self.title).as_bytes(),
        )
    }

    pub(super) fn task_doc(&self) -> TaskDoc {
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

    pub(super) fn stage_doc(&self, title: &str) -> StageDoc {
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

    pub(super) fn documents(
        &self,
        row: &RowDoc,
        stage: &str,
        file: Option<&str>,
        parts: &[Option<TempFile>],
    ) -> Vec<(&'static str, String)> {
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
        let own = self.asset.clone().or_else(|| file.map(str::to_owned));
        let own = own.or_else(|| self.children.first().cloned());
        if let Some(path) = own.or_else(|| (self.kind == Kind::Group).then(String::new)) {
            let children = self.children.iter().map(child);
            let asset = AssetDoc {
                path,
                mime_type: self.mime_type().map(str::to_owned),
                item_type: self.item_type().to_owned(),
                title: self.title.clone(),
                children: children.chain(self.part_files(parts)).collect(),
            };
            documents.push(("asset", json!(asset).to_string()));
        }
        documents
    }

    pub(super) fn item_type(&self) -> &'static str {
        match self.kind {
            Kind::Image => "image",
            Kind::Video => "video",
            Kind::ImgGroup => "imageGroup",
            Kind::Audio => "audio",
            Kind::PlainText | Kind::Html => "plainText",
            Kind::Pdf(_) => "pdf",
            Kind::Group => "group",
        }
    }

    fn item(&self) -> Value {
        let mut item = json!({
            "uuid": self.id("item"), "name": self.title, "itemType": self.item_type(),
            "clientMetadata": Value::Object(self.client_metadata.clone()).to_string(),
        });
        for (name, value) in &self.item_fields {
            item[name] = value.clone();
        }
        item
    }

    fn word(&self) -> &'static str {
        match self.kind {
            Kind::Image => "image",
            Kind::Video => "video",
            Kind::ImgGroup => "img_group",
            Kind::Audio => "audio",
            Kind::PlainText | Kind::Html => "plain_text",
            Kind::Pdf(_) => "pdf",
            Kind::Group => "group",
        }
    }

    pub(super) fn mime_type(&self) -> Option<&'static str> {
        match self.kind {
            Kind::PlainText => Some("text/plain"),
            Kind::Html => Some("text/html"),
            Kind::Pdf(_) => Some("application/pdf"),
            _ => None,
        }
    }

    pub(super) fn row(&self) -> RowDoc {
        let size = self.pictures.first().map(|p| (p.width, p.height));
        let frames = match self.kind {
            Kind::Video => self.pictures.len(),
            Kind::Pdf(pages) => pages,
            _ => 1,
        };
        let metadata = json!({
            "label_hash": self.id("labels"), "branch_name": "main", "data_hash": self.id("data"),
            "dataset_hash": self.id("dataset"), "dataset_title": "Test dataset", "data_title": self.title,
            "data_type": self.word().to_uppercase(), "label_status": "NOT_LABELLED", "number_of_frames": frames,
            "width": size.map(|s| s.0), "height": size.map(|s| s.1), "priority": self.priority,
            "backing_item_uuid": self.id("item"), "client_metadata": self.client_metadata,
            "assigned_user_email": self.assignee, "last_actioned_by_user_email": self.last_actioned_by,
            "file_type": self.mime_type(), "spaces": self.spaces(),
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
