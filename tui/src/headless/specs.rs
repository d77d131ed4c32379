//! The queue's language: task specs as `task.model_dump_json()` of the Python SDK writes them, and
//! results as `TaskCompletionResult` of encord-agents reads them.
//!
//! In a list result every list but `success` is aligned with `task_uuid`; a task that took no
//! pathway has the nil UUID there, since that model takes no null within a list.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{DataHash, PathwayId, StageId, TaskId};
use wb_core::run::{Ending, Report};
use wb_core::work::Route;

/// Specs that one line may hold.
const SPECS: usize = 20_000;

/// One line of input.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// An array, answered by lists.
    pub list: bool,
    /// Its specs, in order; one for a line that is not JSON at all.
    pub entries: Vec<Entry>,
}

/// One spec.
#[derive(Debug, PartialEq)]
pub struct Entry {
    /// The task; the nil UUID when it could not be read.
    pub task: TaskId,
    /// Its data unit.
    pub data: DataHash,
    /// Why it cannot be worked on.
    pub error: Option<String>,
}

/// The result of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The agent ran and what it gave was written.
    pub success: bool,
    /// Pathway that was taken.
    pub pathway: Option<PathwayId>,
    /// Why not.
    pub error: Option<String>,
    /// Left because somebody else was there first.
    pub left: bool,
    /// Not begun: the command was stopped before.
    pub not_run: bool,
}

impl Answer {
    /// The result of a task.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        match &report.ending {
            Ending::Failed(failure) => Self::failed(failure),
            Ending::Conflict(by) => Self::conflict(by),
            Ending::Moved | Ending::Stayed => {
                let way = report.outcome.as_ref().map(|outcome| &outcome.way);
                Self::done(way.and_then(Route::pathway))
            }
        }
    }

    /// Done: through a pathway, staying, or moved to a stage without one.
    #[must_use]
    pub const fn done(pathway: Option<PathwayId>) -> Self {
        Self {
            success: true,
            pathway,
            error: None,
            left: false,
            not_run: false,
        }
    }

    /// Failed.
    #[must_use]
    pub fn failed(failure: &Error) -> Self {
        let mut error = failure.summary.clone();
        for line in failure.explanation() {
            error.push('\n');
            error.push_str(&line);
        }
        Self {
            success: false,
            pathway: None,
            error: Some(error),
            left: false,
            not_run: false,
        }
    }

    /// Not begun before the command was stopped.
    #[must_use]
    pub fn not_run() -> Self {
        let error = "not run: the command was stopped; the task is where it was";
        Self {
            not_run: true,
            ..Self::failed(&Error::new(ErrorKind::Host, error))
        }
    }

    /// Left: somebody else changed it meanwhile.
    #[must_use]
    pub fn conflict(by: &str) -> Self {
        let error = format!("left as it is, somebody else changed it meanwhile: {by}");
        Self {
            success: false,
            pathway: None,
            error: Some(error),
            left: true,
            not_run: false,
        }
    }

    /// Not at the stage; `other` is a newer task of the same data there.
    #[must_use]
    pub fn stale(stage: &str, other: Option<TaskId>) -> Self {
        let mut error =
            format!("stale: the task is no longer at stage \"{stage}\"; it was not run");
        if let Some(other) = other {
            error.push_str(&format!(
                " (its data unit has another task there now: {other})"
            ));
        }
        Self {
            success: false,
            pathway: None,
            error: Some(error),
            left: true,
            not_run: false,
        }
    }
}

/// The fields that must be there.
#[derive(Deserialize)]
struct Spec {
    uuid: Uuid,
    data_hash: Uuid,
    #[serde(rename = "data_title")]
    _title: String,
    #[serde(rename = "label_branch_name")]
    _branch: String,
}

/// Reads line `number`. What cannot be read is an entry with an error.
#[must_use]
pub fn parse(line: &[u8], number: u64) -> Line {
    parse_at(line, &format!("line {number}"))
}

/// Reads what is named by `place` in errors. What cannot be read is an entry with an error.
#[must_use]
pub fn parse_at(line: &[u8], place: &str) -> Line {
    if line.trim_ascii_start().first() == Some(&b'[') {
        return list(line, place);
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(value) => Line {
            list: false,
            entries: vec![entry(value, place)],
        },
        Err(error) => unread(format!("{place} is not JSON: {error}")),
    }
}

/// An array of specs. Its entries are counted before any of them is read.
fn list(line: &[u8], place: &str) -> Line {
    let list: Vec<&RawValue> = match serde_json::from_slice(line) {
        Ok(list) => list,
        Err(error) => return unread(format!("{place} is not JSON: {error}")),
    };
    if list.len() > SPECS {
        let text = format!(
            "{place} has {} specs, more than {SPECS}; none of them was run: give them in several lines",
            list.len()
        );
        return unread(text);
    }
    let entries = list.into_iter().enumerate().map(|(i, raw)| {
        let place = format!("{place}, entry {}", i + 1);
        match serde_json::from_str(raw.get()) {
            Ok(value) => entry(value, &place),
            Err(error) => nobody(format!("{place} is not JSON: {error}")),
        }
    });
    Line {
        list: true,
        entries: entries.collect(),
    }
}

/// A line that is not read, and why.
#[must_use]
pub fn unread(why: String) -> Line {
    Line {
        list: false,
        entries: vec![nobody(why)],
    }
}

/// An entry whose task is not known.
fn nobody(why: String) -> Entry {
    Entry {
        task: TaskId(Uuid::nil()),
        data: DataHash(Uuid::nil()),
        error: Some(why),
    }
}

fn entry(value: Value, place: &str) -> Entry {
    // A queue may carry the spec as text within the array, as the Python wrapper takes it.
    let value = match value {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other,
    };
    let known = value
        .get("uuid")
        .and_then(Value::as_str)
        .and_then(|t| Uuid::parse_str(t).ok());
    match serde_json::from_value::<Spec>(value) {
        Ok(spec) => Entry {
            task: TaskId(spec.uuid),
            data: DataHash(spec.data_hash),
            error: None,
        },
        Err(error) => Entry {
            task: TaskId(known.unwrap_or_default()),
            data: DataHash(Uuid::nil()),
            error: Some(format!("{place} is not a task spec: {error}")),
        },
    }
}

/// The result of a line.
#[must_use]
pub fn result(line: &Line, answers: &HashMap<TaskId, Answer>, stage: StageId) -> Value {
    let lost = Answer {
        success: false,
        pathway: None,
        error: Some("not run".to_owned()),
        left: false,
        not_run: false,
    };
    let of = |entry: &Entry| match &entry.error {
        Some(error) => Answer {
            error: Some(error.clone()),
            ..lost.clone()
        },
        None => answers.get(&entry.task).unwrap_or(&lost).clone(),
    };
    if let (false, Some(entry)) = (line.list, line.entries.first()) {
        let Answer {
            success,
            pathway,
            error,
            ..
        } = of(entry);
        return json!({"task_uuid": entry.task, "stage_uuid": stage, "success": success, "pathway": pathway, "error": error});
    }
    let all: Vec<(TaskId, Answer)> = line.entries.iter().map(|e| (e.task, of(e))).collect();
    let errors: Vec<String> = all
        .iter()
        .filter_map(|(task, a)| Some(format!("{task}: {}", a.error.as_ref()?)))
        .collect();
    json!({
        "task_uuid": all.iter().map(|(task, _)| task).collect::<Vec<_>>(),
        "stage_uuid": stage,
        "success": all.iter().filter(|(_, a)| a.success).map(|(task, _)| task).collect::<Vec<_>>(),
        "pathway": all.iter().map(|(_, a)| a.pathway.map_or_else(Uuid::nil, |p| p.0)).collect::<Vec<_>>(),
        "error": (!errors.is_empty()).then(|| errors.join("\n")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"{"uuid":"00000000-0000-0000-0000-000000000005","created_at":"2026-11-22T07:57:06Z",
        "updated_at":"2026-11-22T07:57:06Z","status":"NEW","data_hash":"00000000-0000-0000-0000-000000000003",
        "data_title":"a","label_branch_name":"main","assignee":null,"last_actioned_by":null}"#;

    #[test]
    fn one_bad_entry_of_an_array_leaves_the_others_whole() {
        let line = parse(
            format!("[{SPEC}, {{\"uuid\":\"00000000-0000-0000-0000-000000000006\"}}, 7]")
                .as_bytes(),
            4,
        );
        let errors: Vec<bool> = line.entries.iter().map(|e| e.error.is_some()).collect();
        assert_eq!((line.list, errors), (true, vec![false, true, true]));
        assert_eq!(line.entries[1].task.0, Uuid::from_u128(6));
        assert!(
            line.entries[2]
                .error
                .as_ref()
                .unwrap()
                .contains("line 4, entry 3")
        );
    }

    #[test]
    fn a_line_of_more_specs_than_anybody_means_is_answered_once() {
        let line = parse(format!("[{}1]", "1,".repeat(SPECS)).as_bytes(), 7);
        assert_eq!((line.list, line.entries.len()), (false, 1));
        let why = line.entries[0].error.as_ref().unwrap();
        assert!(why.contains("line 7 has 20001 specs"), "{why}");
        let line = parse(format!(" [{}1]", "1,".repeat(SPECS - 1)).as_bytes(), 7);
        assert_eq!((line.list, line.entries.len()), (true, SPECS));
    }

    #[test]
    fn pathways_of_a_list_stand_where_their_tasks_stand() {
        let line = parse(
            format!("[{{\"uuid\":\"00000000-0000-0000-0000-000000000006\"}}, {SPEC}]").as_bytes(),
            1,
        );
        let pathway = PathwayId(Uuid::from_u128(9));
        let answers = HashMap::from([(TaskId(Uuid::from_u128(5)), Answer::done(Some(pathway)))]);
        let result = result(&line, &answers, StageId(Uuid::from_u128(1)));
        assert_eq!(result["pathway"], json!([Uuid::nil(), pathway]));
        assert_eq!(result["success"], json!([Uuid::from_u128(5)]));
        assert!(
            result["error"]
                .as_str()
                .unwrap()
                .starts_with("00000000-0000-0000-0000-000000000006: line 1, entry 1")
        );
    }

    #[test]
    fn a_single_result_has_pythons_five_fields() {
        let line = parse(SPEC.as_bytes(), 1);
        let answers = HashMap::from([(TaskId(Uuid::from_u128(5)), Answer::done(None))]);
        let text = result(&line, &answers, StageId(Uuid::from_u128(1))).to_string();
        let back: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&String> = back.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 5);
        assert_eq!(
            (&back["success"], &back["error"]),
            (&json!(true), &Value::Null)
        );
    }
}
