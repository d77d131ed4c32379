//! Label rows as further changes.

use super::LabelRow;
use crate::change::Change;
use serde_json::Value;
use uuid::Uuid;

impl Change {
    /// The labels of a row that was read with [`crate::inject::Upstream`] and changed, on the branch it was read from:
    /// also those of the task's own data on another branch. A twin that is taken as `&mut Twin` needs no such change.
    pub fn labels(project: Uuid, row: LabelRow) -> Self {
        let Some(data_hash) = row.data_hash() else {
            let mut change = Self::of("labels", project, Uuid::nil());
            change.wrong = Some("the label row has no data hash".to_owned());
            return change;
        };
        let mut change = Self::of("labels", project, data_hash);
        let branch = row.metadata().get("branch_name").and_then(Value::as_str);
        change.doc.branch = branch.filter(|name| *name != "main").map(str::to_owned);
        change.doc.labels = Some(row.into_labels());
        change
    }
}
