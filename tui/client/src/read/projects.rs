//! Projects with their workflow and ontology, and the list of them.

use super::{Page, Reader};
use crate::error::ClientError;
use crate::http::target::Target;
use crate::http::{Call, V2};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;
use wb_core::ids::{PathwayId, ProjectHash, StageId};
use wb_core::work::Project;
use wb_core::work::wire::{DatasetDoc, PathwayDoc, ProjectDoc, StageDoc};
use wb_core::workflow::{Pathway, Stage, StageKind, Workflow};

/// One line of the list of projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSummary {
    /// Identity.
    pub hash: ProjectHash,
    /// Title.
    pub title: String,
    /// Free text.
    pub description: String,
    /// `inProgress`, `notStarted`, `completed`, … as Encord names it.
    pub status: String,
    /// How many stages are agent stages; 0 for projects without a workflow.
    pub agent_stages: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectWire {
    project_hash: Uuid,
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    status: String,
    ontology_hash: String,
    #[serde(default)]
    workflow: Option<WorkflowWire>,
    #[serde(default)]
    user_role: Option<Value>,
}

/// The `userRole` of a person who may look at a project and change nothing.
const VIEWER: u64 = 5;

#[derive(Deserialize)]
struct WorkflowWire {
    #[serde(default)]
    stages: Vec<StageWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageWire {
    stage_type: String,
    uuid: Uuid,
    title: String,
    #[serde(default)]
    pathways: Option<Vec<PathwayWire>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PathwayWire {
    uuid: Uuid,
    #[serde(alias = "name")]
    title: String,
    destination_uuid: Uuid,
}

#[derive(Deserialize)]
struct OntologyWire {
    #[serde(default)]
    title: String,
    editor: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DatasetWire {
    dataset_hash: Uuid,
    #[serde(default)]
    title: Option<String>,
}

impl Reader {
    /// A project with its workflow, its ontology and its datasets: three requests.
    ///
    /// # Errors
    /// [`ClientError::NotWorkflow`] for a project without a workflow; otherwise as any request
    /// (an unknown project is `NoProject` or `Forbidden`, as the platform likes).
    pub async fn project(&self, hash: ProjectHash) -> Result<Project, ClientError> {
        self.project_and_tasks(hash, |_| None).await
    }

    /// The same. As soon as the workflow is known, `first` may name the stage whose tasks will be listed
    /// next; its first page is asked for at once, and kept for [`Reader::tasks_page`] for some seconds.
    ///
    /// # Errors
    /// As [`Reader::project`]; the page is kept for the next listing.
    pub async fn project_and_tasks(
        &self,
        hash: ProjectHash,
        first: impl FnOnce(&Workflow) -> Option<StageId>,
    ) -> Result<Project, ClientError> {
        let call = Call::get(format!("{V2}/projects/{hash}"));
        let datasets = self.datasets(hash);
        let whole = async {
            let body = match self.wire.send(&call).await {
                Err(ClientError::NotFound { message, at }) => {
                    return Err(ClientError::NoProject { hash, message, at });
                }
                other => other?,
            };
            let mut project: ProjectWire = self.parse(&call, "the project", &body)?;
            let workflow = project.workflow.take().map(workflow);
            if let Some(workflow) = &workflow
                && let Some(stage) = first(workflow).and_then(|id| workflow.stage(id))
            {
                self.ask_ahead(hash, stage);
            }
            let call = Call::get(format!(
                "{V2}/ontologies/{}",
                segment(&project.ontology_hash)
            ));
            let body = self.wire.send(&call).await?;
            let ontology: OntologyWire = self.parse(&call, "the ontology", &body)?;
            Ok::<_, ClientError>((project, workflow, ontology))
        };
        let (whole, datasets) = tokio::join!(whole, datasets);
        let (project, workflow, ontology) = whole?;
        let datasets = match datasets {
            Ok(datasets) => datasets,
            // The list is a convenience of agents; some roles may not read it.
            Err(ClientError::Forbidden { .. } | ClientError::NotFound { .. }) => {
                tracing::warn!("the datasets of the project may not be read; agents see none");
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        assemble(project, workflow, ontology, datasets)
    }

    /// The projects that the key may see.
    ///
    /// # Errors
    /// As any request.
    pub async fn projects(&self) -> Result<Vec<ProjectSummary>, ClientError> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut target =
                Target::new(&format!("{V2}/projects")).with("includeOrgAccess", "False");
            if let Some(token) = &token {
                target.push("pageToken", token);
            }
            let call = Call::get(target.done());
            let body = self.wire.send(&call).await?;
            let page: Page<ProjectWire> = self.parse(&call, "the list of projects", &body)?;
            all.extend(page.results.into_iter().map(summary));
            token = self.following(&call, token.as_deref(), page.next)?;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn datasets(&self, hash: ProjectHash) -> Result<Vec<DatasetDoc>, ClientError> {
        let call = Call::get(format!("{V2}/projects/{hash}/datasets"));
        let body = self.wire.send(&call).await?;
        let page: Page<DatasetWire> = self.parse(&call, "the datasets", &body)?;
        Ok(page
            .results
            .into_iter()
            .map(|dataset| DatasetDoc {
                dataset_hash: dataset.dataset_hash,
                title: dataset.title.unwrap_or_default(),
            })
            .collect())
    }
}

/// The ontology hash is a plain string upstream; only what may stand in a path goes into one.
fn segment(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect()
}

fn summary(project: ProjectWire) -> ProjectSummary {
    let stages = project.workflow.map(|workflow| workflow.stages);
    ProjectSummary {
        hash: ProjectHash(project.project_hash),
        title: project.title,
        description: project.description.unwrap_or_default(),
        status: project.status,
        agent_stages: stages
            .unwrap_or_default()
            .iter()
            .filter(|stage| stage.stage_type == "AGENT")
            .count(),
    }
}

fn assemble(
    project: ProjectWire,
    workflow: Option<Workflow>,
    ontology: OntologyWire,
    datasets: Vec<DatasetDoc>,
) -> Result<Project, ClientError> {
    let Some(workflow) = workflow else {
        return Err(ClientError::NotWorkflow {
            title: project.title,
        });
    };
    let doc = ProjectDoc {
        project_hash: project.project_hash,
        title: project.title.clone(),
        description: project.description.unwrap_or_default(),
        ontology: ontology.editor,
        ontology_title: ontology.title,
        stages: workflow.stages.iter().map(stage_doc).collect(),
        datasets,
    };
    let json = serde_json::to_string(&doc).map_err(|error| ClientError::Bug(error.to_string()))?;
    Ok(Project {
        hash: ProjectHash(project.project_hash),
        title: project.title,
        workflow,
        viewer: (project.user_role).is_some_and(|role| role.as_u64() == Some(VIEWER)),
        doc,
        json: Arc::from(json),
    })
}

fn workflow(wire: WorkflowWire) -> Workflow {
    Workflow {
        stages: wire.stages.into_iter().map(stage).collect(),
        edges: Vec::new(),
    }
}

fn stage(wire: StageWire) -> Stage {
    Stage {
        id: StageId(wire.uuid),
        title: wire.title,
        kind: StageKind::from_wire(&wire.stage_type),
        pathways: wire
            .pathways
            .unwrap_or_default()
            .into_iter()
            .map(|pathway| Pathway {
                id: PathwayId(pathway.uuid),
                name: pathway.title,
                to: StageId(pathway.destination_uuid),
            })
            .collect(),
    }
}

fn stage_doc(stage: &Stage) -> StageDoc {
    StageDoc {
        uuid: stage.id.0,
        title: stage.title.clone(),
        stage_type: stage.kind.wire().to_owned(),
        pathways: stage
            .pathways
            .iter()
            .map(|pathway| PathwayDoc {
                uuid: pathway.id.0,
                name: pathway.name.clone(),
                destination_uuid: pathway.to.0,
            })
            .collect(),
    }
}
