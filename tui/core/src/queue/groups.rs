//! The tasks of a queue in groups: how many failed alike, took one route, have one assignee or one value of the client
//! metadata. Each group names the filter that leaves its tasks; drawing them is left to the screen.

use super::Queue;
use crate::filter::{Facts, Filter, Known, term};
use crate::ids::{Millis, TaskId};
use crate::work::{LastResult, TaskRow};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What tasks are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The error of the last outcome.
    Failure,
    /// The route of the last outcome.
    Route,
    /// Who they are assigned to.
    Assignee,
    /// Their status.
    Status,
    /// A key of the client metadata.
    Metadata(String),
}

/// Tasks that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskGroup {
    /// What they share, as it came; may hold control codes.
    pub name: String,
    /// The filter that leaves them; `None` for those whose label rows were not read yet.
    pub term: Option<String>,
    /// How many there are.
    pub tasks: usize,
}

/// Metadata keys that are offered at most.
const KEYS: usize = 20;

impl GroupBy {
    /// A short name.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Failure => "failure".to_owned(),
            Self::Route => "route".to_owned(),
            Self::Assignee => "assignee".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Metadata(key) => format!("meta.{key}"),
        }
    }

    /// The group of a task: its name, and the filter that leaves it.
    fn of(&self, row: &TaskRow, last: Option<&LastResult>, known: Option<&Known>) -> TaskGroup {
        let group = |name: &str, term: String| TaskGroup {
            name: name.to_owned(),
            term: Some(term),
            tasks: 0,
        };
        match (self, last) {
            (Self::Failure | Self::Route, None) => group("not run here yet", "result:none".into()),
            (Self::Failure, Some(last)) => match last.group {
                Some(id) => group(&last.text, format!("fault:{id:08x}")),
                None => group("did not fail", "result:ok".into()),
            },
            (Self::Route, Some(last)) if last.failed => group("failed", "result:error".into()),
            (Self::Route, Some(last)) => group(&last.text, term("route", &last.text)),
            (Self::Assignee, _) => match row.assignee.as_deref() {
                Some(who) => group(who, term("assignee", who)),
                None => group("nobody", "assignee:none".into()),
            },
            (Self::Status, _) => {
                let word = row.status.wire().to_lowercase();
                group(&word, term("status", &word))
            }
            (Self::Metadata(key), _) => metadata_group(key, known),
        }
    }
}

fn metadata_group(key: &str, known: Option<&Known>) -> TaskGroup {
    let Some(known) = known.filter(|known| !known.unreadable) else {
        let why = if known.is_some() {
            "could not be read"
        } else {
            "not read yet"
        };
        return TaskGroup {
            name: why.to_owned(),
            term: None,
            tasks: 0,
        };
    };
    let value = known.metadata.as_ref().and_then(|all| all.get(key));
    let text = match value.filter(|value| !value.is_null()) {
        None => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let field = format!("meta.{key}");
    TaskGroup {
        term: Some(term(&field, text.as_deref().unwrap_or("none"))),
        name: text.unwrap_or_else(|| "without it".to_owned()),
        tasks: 0,
    }
}

impl Queue {
    /// What its tasks can be grouped by: keys of the metadata as far as label rows were read.
    #[must_use]
    pub fn groupings(&self) -> Vec<GroupBy> {
        let maps = self.known.values().filter_map(|k| k.metadata.as_ref());
        let keys: BTreeSet<&String> = maps.flat_map(serde_json::Map::keys).collect();
        let keys = keys.into_iter().take(KEYS).cloned();
        let own = [
            GroupBy::Failure,
            GroupBy::Route,
            GroupBy::Assignee,
            GroupBy::Status,
        ];
        own.into_iter().chain(keys.map(GroupBy::Metadata)).collect()
    }

    /// The tasks that the filter leaves in groups, the largest first.
    #[must_use]
    pub fn groups(&self, by: &GroupBy, results: &HashMap<TaskId, LastResult>) -> Vec<TaskGroup> {
        let mut all: HashMap<Option<String>, TaskGroup> = HashMap::new();
        for row in (0..self.view.len()).filter_map(|place| self.at(place)) {
            let group = by.of(row, results.get(&row.id), self.known.get(&row.id));
            let key = group.term.clone();
            all.entry(key).or_insert(group).tasks += 1;
        }
        let mut all: Vec<TaskGroup> = all.into_values().collect();
        all.sort_by(|a, b| (b.tasks, &a.name).cmp(&(a.tasks, &b.name)));
        all
    }

    /// The tasks in sight for which a filter holds too.
    #[must_use]
    pub fn matching(
        &self,
        filter: &Filter,
        now: Millis,
        results: &HashMap<TaskId, LastResult>,
    ) -> Vec<TaskId> {
        let rows = (0..self.view.len()).filter_map(|place| self.at(place));
        let holds = |row: &&TaskRow| {
            filter.matches(&Facts {
                row,
                now,
                result: results.get(&row.id),
                known: self.known.get(&row.id),
            })
        };
        rows.filter(holds).map(|row| row.id).collect()
    }
}
