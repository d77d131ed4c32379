//! Pause points of the screen, kept in the state folder by project and stage.

use super::state::state_dir;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{ProjectHash, StageId};
use wb_core::pause::{PausePoint, SavedPoint};

/// Largest such file, in bytes.
const LIMIT: u64 = 1 << 20;
const FILE: &str = "points.json";

#[derive(Default, Serialize, Deserialize)]
struct Points {
    /// By project, then by stage. What a later version has added to a point is kept as it is.
    #[serde(default)]
    projects: BTreeMap<Uuid, BTreeMap<Uuid, Vec<serde_json::Value>>>,
}

/// The pause points of a project, as far as this version can read them.
#[must_use]
pub fn kept_points(project: ProjectHash) -> BTreeMap<StageId, Vec<PausePoint>> {
    match state_dir("screen") {
        Ok(folder) => read(&folder, project),
        Err(_) => BTreeMap::new(), // reported where the folder is needed
    }
}

/// Keeps the pause points of a stage in place of those that were kept.
///
/// # Errors
/// The file cannot be written.
pub fn keep_points(
    project: ProjectHash,
    stage: StageId,
    points: Vec<SavedPoint>,
) -> Result<(), Error> {
    write(&state_dir("screen")?, project, stage, points).map_err(|error| {
        let text = format!("{FILE} of the state folder cannot be written: {error}");
        Error::new(ErrorKind::Settings, text)
    })
}

fn all(folder: &Path) -> Points {
    let text = wb_host::read_named_text(&folder.join(FILE), LIMIT).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn read(folder: &Path, project: ProjectHash) -> BTreeMap<StageId, Vec<PausePoint>> {
    let stages = all(folder).projects.remove(&project.0).unwrap_or_default();
    let point = |saved| PausePoint::read(serde_json::from_value::<SavedPoint>(saved).ok()?);
    let points = |saved: Vec<_>| saved.into_iter().filter_map(point).collect();
    let stages = stages.into_iter();
    stages
        .map(|(stage, saved)| (StageId(stage), points(saved)))
        .collect()
}

/// Replaces the file as a whole, so that another screen never reads half of it.
fn write(
    folder: &Path,
    project: ProjectHash,
    stage: StageId,
    points: Vec<SavedPoint>,
) -> std::io::Result<()> {
    let mut all = all(folder);
    let stages = all.projects.entry(project.0).or_default();
    let points: Result<Vec<_>, _> = points.iter().map(serde_json::to_value).collect();
    stages.insert(stage.0, points?);
    stages.retain(|_, points| !points.is_empty());
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(&serde_json::to_vec_pretty(&all)?)?;
    new.persist(folder.join(FILE))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wb_core::pause::{Condition, PointAt, PointKind};

    #[test]
    fn points_come_back_for_their_project_and_stage_and_those_of_later_versions_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let (project, other) = (
            ProjectHash(Uuid::from_u128(1)),
            ProjectHash(Uuid::from_u128(2)),
        );
        let stage = StageId(Uuid::from_u128(3));
        let point = PausePoint {
            at: PointAt::named(PointKind::Checkpoint, "detections"),
            condition: Condition::parse("count > 3").ok(),
        };
        write(dir.path(), project, stage, vec![point.saved()]).unwrap();
        assert_eq!(
            read(dir.path(), project),
            BTreeMap::from([(stage, vec![point])])
        );
        assert_eq!(read(dir.path(), other), BTreeMap::new());
        let later = r#"{"projects":{"00000000-0000-0000-0000-000000000001":{"00000000-0000-0000-0000-000000000003":
            [{"at":"moon"},{"at":"outcome","if":"a ** b"},{"at":"error","since":3}]}},"version":9}"#;
        std::fs::write(dir.path().join(FILE), later).unwrap();
        let points = &read(dir.path(), project)[&stage];
        let kinds: Vec<_> = points.iter().map(|point| point.at.kind).collect();
        assert_eq!(kinds, [PointKind::Error]);
        write(dir.path(), project, stage, Vec::new()).unwrap();
        assert_eq!(read(dir.path(), project), BTreeMap::new());
    }
}
