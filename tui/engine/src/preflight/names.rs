//! The generated names of agent crates, compared with what the project has now.

use super::Finding;
use crate::typed_names::{Drift, NamesFile, is_generated, items};
use std::path::{Path, PathBuf};
use wb_core::error::Error;
use wb_core::work::Project;

/// Largest generated file, in bytes.
const LARGEST: u64 = 64 << 20;
/// Names that a finding lists.
const LISTED: usize = 12;
const FIX: &str = "in the crate: workbench new --refresh-ontology; the compiler then shows each use of an old name";

/// A finding for each generated file of these crates. Names that were renamed or removed keep tasks from being
/// begun: an agent that uses one fails. New ones are worth knowing.
///
/// # Errors
/// The project's ontology cannot be read.
pub fn names(project: &Project, crates: &[PathBuf]) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for dir in crates {
        for file in NamesFile::ALL {
            let path = dir.join(file.path());
            let Ok(text) = wb_host::read_named_text(&path, LARGEST) else {
                continue;
            };
            if is_generated(&text) {
                findings.push(finding(project, file, &path, &text)?);
            }
        }
    }
    Ok(findings)
}

fn finding(project: &Project, file: NamesFile, path: &Path, text: &str) -> Result<Finding, Error> {
    let drift = Drift::between(text, &file.of(project)?);
    let shown = path.display();
    if drift.is_empty() {
        let count = items(text).len();
        let text = format!("{shown}: all {count} names are in the project");
        return Ok(Finding::good("names", text));
    }
    let (added, renamed, removed) = (drift.added.len(), drift.renamed.len(), drift.removed.len());
    let text = format!(
        "{shown} differs from the project: {renamed} renamed, {removed} removed, {added} added"
    );
    let mut finding = match drift.breaks() {
        true => Finding::bad("names", text, FIX),
        false => Finding {
            fix: vec!["to have them: workbench new --refresh-ontology, in the crate".to_owned()],
            ..Finding::note("names", text)
        },
    };
    finding.details = drift.lines(file.module());
    if let Some(more) = finding.details.len().checked_sub(LISTED).filter(|n| *n > 0) {
        finding.details.truncate(LISTED);
        finding.details.push(format!("and {more} more"));
    }
    Ok(finding)
}
