//! `workbench new NAME --project-hash UUID`: a crate with an agent for each agent stage of the project, and its names as
//! Rust items.

use crate::cli::Global;
use std::path::PathBuf;
use wb_core::error::Error;
use wb_core::work::Project;
use wb_engine::config::Config;
use wb_engine::typed_names::{self, NamesFile};
use wb_engine::upstream;

/// The project of the command line or the settings.
///
/// # Errors
/// None is named, or it cannot be had.
pub(super) async fn load(global: &Global, config: &Config) -> Result<Project, Error> {
    let hash = upstream::project_hash(config)?;
    let upstream = upstream::look(&global.flags(), config)?;
    Ok(upstream.reader.project(hash).await?)
}

/// The sources of a crate for it, by their path.
///
/// # Errors
/// It has no agent stage, or its ontology cannot be read.
pub(super) fn files(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    typed_names::sources(project)
}

/// What was made for it: `6 agents, 41 names of its ontology`.
pub(super) fn summary(project: &Project) -> String {
    let names = |file: NamesFile| {
        let text = file.of(project).unwrap_or_default();
        typed_names::items(&text).len()
    };
    let agents = project.workflow.agent_stages().count();
    let s = if agents == 1 { "" } else { "s" };
    format!(
        "{agents} agent{s}, one for each agent stage; src/ontology.rs and src/pathways.rs with {} names",
        names(NamesFile::Ontology) + names(NamesFile::Pathways)
    )
}
