//! What an outcome changes beyond the task's own row: steps for other rows, tasks and items, of this project or of
//! another. They are held, reviewed, journaled, written and taken back with the outcome.
//!
//! A further kind of step is a variant of [`Further`]. It states its [`WritePhase`] (when it is written), its project and
//! what it is called; `wb_client` writes it in `write/further.rs`, at its phase; `ledger/further.rs` makes the step that
//! takes it back, or leaves that to [`Further::stays`]; [`crate::patch::changes_of`] puts it in words. A step may be
//! sent twice, after a crash: it has to be recognised when it is there already. Something that the platform names
//! when it is made needs a mark of its own from the beginning, such as a UUID that is chosen where the outcome is judged.

use super::{Change, LabelChange, NewIssue, NewItem};
use crate::ids::{DataHash, ItemId, ProjectHash, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Further changes of one outcome, at most: the journal keeps a bit for each.
pub const MAX_FURTHER: usize = 60;

/// When a step is written. The task's own labels come between [`WritePhase::Labels`] and [`WritePhase::Values`], its own
/// priority and metadata before [`WritePhase::Values`], and its own move at the very end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WritePhase {
    /// New items.
    Items,
    /// Labels of other rows.
    Labels,
    /// Priorities and metadata.
    Values,
    /// Issues and comments.
    Issues,
    /// Moves of other tasks.
    Moves,
}

/// One step beyond the task's own row.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Further {
    /// Another label row, data unit or task.
    Row(Box<FurtherRow>),
    /// A new issue.
    Issue(Box<NewIssue>),
    /// A new item, or its deletion.
    Item(Box<NewItem>),
}

/// A step for another label row, data unit or task. Its change has exactly one of labels, priority, metadata and a move;
/// the task of one that moves nothing may be unknown (nil).
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct FurtherRow {
    /// The project it is in.
    pub project: ProjectHash,
    /// Its title, for people.
    pub project_title: String,
    /// What is written.
    pub change: Change,
    /// Title of the stage that its task is moved from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_title: Option<String>,
    /// Title of the stage that its task is moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_title: Option<String>,
}

/// What two steps must not change at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touched {
    /// A data unit, in any project.
    Data(DataHash),
    /// A storage item.
    Item(ItemId),
}

impl Further {
    /// The project that it writes to.
    #[must_use]
    pub const fn project(&self) -> ProjectHash {
        match self {
            Self::Row(row) => row.project,
            Self::Issue(issue) => issue.project,
            Self::Item(item) => item.project,
        }
    }

    /// The title of that project.
    #[must_use]
    pub fn project_title(&self) -> &str {
        match self {
            Self::Row(row) => &row.project_title,
            Self::Issue(issue) => &issue.project_title,
            Self::Item(item) => &item.project_title,
        }
    }

    /// When it is written.
    #[must_use]
    pub const fn phase(&self) -> WritePhase {
        match self {
            Self::Row(row) => row.phase(),
            Self::Issue(_) => WritePhase::Issues,
            Self::Item(_) => WritePhase::Items,
        }
    }

    /// `labels`, `priority`, `metadata`, `move`, `item` or `issue`, as in `patch.changes`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Row(row) => row.kind(),
            Self::Issue(_) => "issue",
            Self::Item(_) => "item",
        }
    }

    /// What it changes.
    #[must_use]
    pub const fn touched(&self) -> Option<Touched> {
        match self {
            Self::Row(row) => Some(row.touched()),
            Self::Issue(_) => None,
            // Its own identity is not known yet.
            Self::Item(item) => Some(Touched::Item(ItemId(item.key))),
        }
    }

    /// Why it stays when its outcome is taken back; `None`: it goes back too.
    #[must_use]
    pub const fn stays(&self) -> Option<&'static str> {
        match self {
            Self::Row(_) => None,
            Self::Item(item) if item.existed && !item.delete => {
                Some("the item stays, because it was there before")
            }
            Self::Item(_) => None,
            Self::Issue(_) => Some("an issue stays, because people may have answered it"),
        }
    }

    /// The row, of a step for one.
    #[must_use]
    pub const fn row(&self) -> Option<&FurtherRow> {
        match self {
            Self::Row(row) => Some(row),
            Self::Issue(_) | Self::Item(_) => None,
        }
    }

    /// The issue, of a step that makes one.
    #[must_use]
    pub const fn issue(&self) -> Option<&NewIssue> {
        match self {
            Self::Issue(issue) => Some(issue),
            Self::Row(_) | Self::Item(_) => None,
        }
    }

    /// The item, of a step that makes or deletes one.
    #[must_use]
    pub const fn item(&self) -> Option<&NewItem> {
        match self {
            Self::Item(item) => Some(item),
            Self::Row(_) | Self::Issue(_) => None,
        }
    }

    /// The same, to change it.
    pub const fn item_mut(&mut self) -> Option<&mut NewItem> {
        match self {
            Self::Item(item) => Some(item),
            Self::Row(_) | Self::Issue(_) => None,
        }
    }

    /// The same, to change it.
    pub const fn row_mut(&mut self) -> Option<&mut FurtherRow> {
        match self {
            Self::Row(row) => Some(row),
            Self::Issue(_) | Self::Item(_) => None,
        }
    }

    /// Bytes of its label rows and texts.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Row(row) => row.change.weight(),
            Self::Issue(_) => 0,
            Self::Item(item) => item.text.len(),
        }
    }

    /// The same with the row's change as `keep` makes it, for files.
    pub(super) fn kept(&self, keep: impl Fn(&Change) -> Change) -> Self {
        match self {
            Self::Row(row) => Self::Row(Box::new(FurtherRow {
                change: keep(&row.change),
                ..(**row).clone()
            })),
            Self::Issue(_) | Self::Item(_) => self.clone(),
        }
    }
}

impl FurtherRow {
    /// When it is written.
    #[must_use]
    pub const fn phase(&self) -> WritePhase {
        if self.change.labels_after.is_some() {
            WritePhase::Labels
        } else if self.change.to.is_some() {
            WritePhase::Moves
        } else {
            WritePhase::Values
        }
    }

    /// As [`Further::kind`].
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.phase() {
            WritePhase::Labels => "labels",
            WritePhase::Moves => "move",
            _ if self.change.priority.is_some() => "priority",
            _ => "metadata",
        }
    }

    const fn touched(&self) -> Touched {
        match self.change.item {
            Some(item) if self.change.data.0.is_nil() => Touched::Item(item),
            _ => Touched::Data(self.change.data),
        }
    }
}

/// A change beyond the own row, for people and scripts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FurtherChange {
    /// `labels`, `priority`, `metadata`, `move`, `item` or `issue`.
    pub kind: String,
    /// The project it is in.
    pub project: String,
    /// Its title.
    pub project_title: String,
    /// The task that is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_uuid: Option<TaskId>,
    /// The data unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_hash: Option<DataHash>,
    /// The storage item, where no data unit is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_uuid: Option<ItemId>,
    /// Title of the data unit or of a new item, as it came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The label branch, where it is not `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Labels, one entry per object or classification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelChange>,
    /// Old and new priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<(Option<f64>, f64)>,
    /// The whole client metadata after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The stage that the task is moved to: its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The new issue, with its comment, tags and place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<NewIssue>,
    /// The new item, with its text, dataset and folder; `delete`: the item that is deleted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<NewItem>,
}

impl FurtherChange {
    /// What it is, in a line, without the labels: `labels of "a.jpg" in Twin`.
    #[must_use]
    pub fn headline(&self) -> String {
        if let Some(item) = &self.item {
            return item.headline();
        }
        let of = match (&*self.title, self.data_hash, self.item_uuid) {
            ("", Some(data), _) => data.to_string(),
            ("", None, Some(item)) => item.to_string(),
            (title, ..) => format!("\"{title}\""),
        };
        let branch = self.branch.as_ref().map(|name| format!(", branch {name}"));
        let what = match (&*self.kind, self.priority, &self.to) {
            ("priority", Some((Some(old), new)), _) => format!("priority {old} → {new} of {of}"),
            ("priority", Some((None, new)), _) => format!("priority {new} of {of}"),
            ("move", _, Some(to)) => format!("{of} moves to \"{to}\""),
            (kind, ..) => format!("{kind} of {of}"),
        };
        let project = &self.project_title;
        if let Some(issue) = &self.issue {
            let (comment, place) = (&issue.comment, issue.place());
            return format!("issue \"{comment}\" on {of}{place} in {project}");
        }
        format!("{what} in {project}{}", branch.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{StageId, TaskId};
    use crate::work::LabelBlob;
    use serde_json::json;
    use uuid::Uuid;

    fn row(change: Change) -> Further {
        Further::Row(Box::new(FurtherRow {
            project: ProjectHash(Uuid::from_u128(1)),
            project_title: "Other".into(),
            change,
            from_title: None,
            to_title: None,
        }))
    }

    fn empty() -> Change {
        let nil = Uuid::nil();
        Change::empty(TaskId(nil), StageId(nil), DataHash(Uuid::from_u128(2)))
    }

    #[test]
    fn steps_are_written_labels_first_and_moves_last() {
        let labels = Change {
            labels_after: Some(LabelBlob::new(&json!({}))),
            ..empty()
        };
        let priority = Change {
            priority: Some(0.5),
            ..empty()
        };
        let moved = Change {
            to: Some(StageId(Uuid::from_u128(3))),
            ..empty()
        };
        let mut steps = [moved, priority, labels].map(row);
        steps.sort_by_key(Further::phase);
        let kinds = steps.each_ref().map(Further::kind);
        assert_eq!(kinds, ["labels", "priority", "move"]);
    }

    #[test]
    fn a_step_is_read_back_as_it_was_written() {
        let metadata = Change {
            metadata: json!({"n": 1.10}).as_object().cloned(),
            item: Some(ItemId(Uuid::from_u128(4))),
            ..Change::empty(
                TaskId(Uuid::nil()),
                StageId(Uuid::nil()),
                DataHash(Uuid::nil()),
            )
        };
        let step = row(metadata);
        let text = serde_json::to_string(&step).unwrap();
        assert!(text.starts_with(r#"{"row":{"project":"#), "{text}");
        assert_eq!(serde_json::from_str::<Further>(&text).unwrap(), step);
        assert_eq!(
            step.touched(),
            Some(Touched::Item(ItemId(Uuid::from_u128(4))))
        );
    }
}
