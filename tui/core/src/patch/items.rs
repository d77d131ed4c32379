//! New items among the further changes: which dataset and folder they are for, and what they have to have.

use super::kinds::{TEXT, refused};
use super::wanted::{FurtherInputs, FurtherProject};
use crate::error::{Error, ErrorKind, foreign};
use crate::ids::{DatasetHash, FolderId, ProjectHash};
use crate::work::{NewItem, TaskRow};
use crate::workflow::nearest;
use agent_abi::model::quoted;
use agent_abi::wire::ChangeDoc;
use uuid::Uuid;

/// The dataset that a new item names: one of the project's by title, any by hash, the project's only one without a name.
///
/// # Errors
/// There is none or several.
pub fn dataset_named(project: &FurtherProject, name: Option<&str>) -> Result<DatasetHash, Error> {
    let title = quoted(&foreign(project.title.clone(), TEXT));
    let all = &project.datasets;
    let titles = || all.iter().map(|(_, title)| title.as_str());
    let listed = || titles().map(quoted).collect::<Vec<_>>().join(", ");
    let Some(name) = name else {
        return match &all[..] {
            [(only, _)] => Ok(*only),
            [] => Err(refused(format!(
                "{title} has no dataset that this key may see; name one by its hash (\"dataset\")"
            ))),
            several => {
                let text = format!(
                    "{title} has {} datasets; name one (\"dataset\"): {}",
                    several.len(),
                    listed()
                );
                Err(refused(text))
            }
        };
    };
    if let Ok(hash) = Uuid::parse_str(name) {
        return Ok(DatasetHash(hash));
    }
    let same: Vec<DatasetHash> = (all.iter().filter(|(_, title)| title == name))
        .map(|(hash, _)| *hash)
        .collect();
    let name_shown = quoted(&foreign(name.to_owned(), TEXT));
    match &same[..] {
        [only] => Ok(*only),
        [] => {
            let text = format!("{title} has no dataset {name_shown}; it has {}", listed());
            let error = refused(text);
            Err(match nearest(name, titles()).first() {
                Some(near) => error.hint(format!("did the agent mean {}?", quoted(near))),
                None => error,
            })
        }
        several => {
            let hashes: Vec<String> = several.iter().map(ToString::to_string).collect();
            let text = format!(
                "{title} has several datasets {name_shown}; name one by its hash: {}",
                hashes.join(", ")
            );
            Err(refused(text))
        }
    }
}

/// The item that a change makes, for the task at hand.
pub(super) fn new_item(
    own: ProjectHash,
    task: &TaskRow,
    around: &FurtherInputs,
    (hash, project): (ProjectHash, &FurtherProject),
    doc: ChangeDoc,
) -> Result<NewItem, Error> {
    let dataset = match around.datasets.get(&(hash, doc.dataset.clone())) {
        Some(found) => found.clone()?,
        None => return Err(refused("its dataset was not read".into())),
    };
    let folder = match (doc.folder, dataset.folder, &around.folder) {
        (Some(folder), ..) => FolderId(folder),
        (None, Some(folder), _) => folder,
        (None, None, Some(folder)) => folder.clone()?,
        (None, None, None) => {
            let title = quoted(&foreign(dataset.title, TEXT));
            let text = format!("dataset {title} has no folder of its own; name one (\"folder\")");
            return Err(refused(text));
        }
    };
    let (title, text) = (doc.title.unwrap_or_default(), doc.text.unwrap_or_default());
    Ok(NewItem {
        project: hash,
        project_title: project.title.clone(),
        dataset: dataset.hash,
        dataset_title: dataset.title,
        folder,
        mirrored: dataset.folder == Some(folder),
        key: NewItem::key(own, task.data, dataset.hash, &title, &text),
        title,
        text: text.into(),
        client_metadata: doc.client_metadata.unwrap_or_default(),
        delete: false,
        existed: false,
        absent: false,
    })
}

/// The error for a dataset or folder that an item needs and that cannot be read.
#[must_use]
pub fn unreadable(what: &str, why: &Error) -> Error {
    let text = format!("{what} of a new item cannot be read: {}", why.summary);
    let mut error = why.clone();
    error.summary = text;
    if error.kind == ErrorKind::Access {
        // It does not exist, or may not be seen: the agent named it.
        error.kind = ErrorKind::Agent;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Workflow;

    fn project(titles: &[&str]) -> FurtherProject {
        let hash = |n: usize| DatasetHash(Uuid::from_u128(n as u128 + 1));
        let datasets = titles.iter().enumerate();
        FurtherProject {
            title: "Cars".into(),
            workflow: Workflow::default(),
            ontology: std::sync::Arc::default(),
            datasets: datasets.map(|(n, t)| (hash(n), (*t).to_owned())).collect(),
        }
    }

    #[test]
    fn a_dataset_is_named_by_title_or_hash_and_the_only_one_needs_no_name() {
        let two = project(&["Images", "Questions"]);
        let found = |name: Option<&str>| dataset_named(&two, name).map(|hash| hash.0.as_u128());
        assert_eq!(found(Some("Questions")).unwrap(), 2);
        let any = Uuid::from_u128(77);
        assert_eq!(found(Some(&any.to_string())).unwrap(), 77);
        let error = found(Some("Question")).unwrap_err();
        assert_eq!(
            error.summary,
            "\"Cars\" has no dataset \"Question\"; it has \"Images\", \"Questions\""
        );
        assert_eq!(error.hints, ["did the agent mean \"Questions\"?"]);
        let error = found(None).unwrap_err().into_facts().summary;
        assert!(error.starts_with("\"Cars\" has 2 datasets"), "{error}");
        assert_eq!(
            dataset_named(&project(&["Images"]), None)
                .unwrap()
                .0
                .as_u128(),
            1
        );
        assert!(dataset_named(&project(&[]), None).is_err());
        let twice = dataset_named(&project(&["A", "A"]), Some("A")).unwrap_err();
        assert!(twice.summary.contains("several datasets"), "{twice:?}");
    }
}
