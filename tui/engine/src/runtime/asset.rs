//! The file of a task, for whoever shows it. What it is for an agent is left to the effects.

use super::Engine;
use agent_abi::table::needs;
use agent_abi::wire::AssetDoc;
use std::path::Path;
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::StageId;
use wb_core::work::{FetchSpec, TaskRow};

impl Engine {
    /// The asset of a task, downloaded unless it is here already; `known` is the JSON of its `AssetDoc`, when it was
    /// downloaded for the agent.
    pub fn asset(
        &self,
        stage: StageId,
        row: TaskRow,
        known: Option<Arc<str>>,
    ) -> impl Future<Output = Result<AssetDoc, Error>> + Send + use<> {
        let (reader, project, cache) = (
            self.world.reader.clone(),
            self.world.project.clone(),
            self.world.cache.clone(),
        );
        async move {
            let gone = || Error::new(ErrorKind::Upstream, "that task is no longer in the queue");
            let read = |json: &str| {
                serde_json::from_str::<AssetDoc>(json)
                    .map_err(|e| Error::new(ErrorKind::Bug, e.to_string()))
            };
            let known = known.map(|json| read(&json)).transpose()?;
            // The cache may have made room since.
            if let Some(asset) = known.filter(|asset| Path::new(&asset.path).exists()) {
                return Ok(asset);
            }
            let project = project.ok_or_else(gone)?;
            let stage = project.workflow.stage(stage).ok_or_else(gone)?;
            let fetch = FetchSpec {
                needs: needs::ASSET,
                ..FetchSpec::default()
            };
            let mut fetched = reader.inputs(&project, stage, &[row], &fetch, &cache).await;
            let inputs = fetched.pop().ok_or_else(gone)??;
            read(&inputs.asset_json.ok_or_else(gone)?)
        }
    }
}
