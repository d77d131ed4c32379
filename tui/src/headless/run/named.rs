//! Tasks that `--task` names by their title: one title names the tasks of one data unit.

use agent_abi::model::{ambiguous, plain, quoted};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use wb_client::TaskFilter;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::{StageId, TaskId};
use wb_engine::runtime::Engine;

/// Shorter parts of a title are not worth asking the platform for.
const SHORTEST: usize = 3;
/// UUIDs that an answer lists.
const LISTED: usize = 10;

/// A name that was given and no task that has it yet, with a title that only looks like it.
pub(super) struct Unmet {
    pub name: String,
    pub near: Option<String>,
}

impl Unmet {
    pub(super) fn note(&self) -> String {
        let near = self.near.as_deref();
        let near = near.map_or_else(String::new, |n| format!("; did you mean {}?", quoted(n)));
        let name = quoted(&self.name);
        format!("note: no waiting task of these stages is {name}{near}")
    }
}

/// What is known of the titles that were given, before any agent is called.
///
/// # Errors
/// Several data units that wait at these stages have one of them; or the platform does not answer.
pub(super) async fn look(
    engine: &Engine,
    stages: &[StageId],
    names: &[String],
) -> Result<Vec<Unmet>, Error> {
    let mut unmet = Vec::new();
    for name in names {
        let near = match Uuid::parse_str(name) {
            Ok(_) => None,
            Err(_) => one_unit(engine, stages, name).await?,
        };
        let name = name.clone();
        unmet.push(Unmet { name, near });
    }
    Ok(unmet)
}

/// A title that is nearly this one, where none is; an error where several data units have it.
async fn one_unit(
    engine: &Engine,
    stages: &[StageId],
    name: &str,
) -> Result<Option<String>, Error> {
    let Some(project) = &engine.state().project else {
        return Ok(None);
    };
    let part = TaskFilter {
        title: in_ascii(name).map(str::to_owned),
        ..TaskFilter::default()
    };
    let mut units = BTreeMap::new();
    let mut near = None;
    for stage in stages.iter().filter_map(|id| project.workflow.stage(*id)) {
        let mut token: Option<String> = None;
        loop {
            let page = engine
                .reader()
                .tasks_page(project.hash, stage, &part, token.as_deref());
            let page = page.await?;
            for row in page.rows {
                if *row.title == *name {
                    units
                        .entry(row.data)
                        .or_insert_with(BTreeSet::new)
                        .insert(row.id);
                } else if near.is_none() && plain(&row.title) == plain(name) {
                    near = Some(row.title.to_string());
                }
            }
            token = page.next;
            if token.is_none() {
                break;
            }
        }
    }
    if units.len() > 1 {
        let tasks: Vec<TaskId> = units.into_values().flatten().collect();
        return Err(several(name, &tasks));
    }
    Ok(near.filter(|_| units.is_empty()))
}

fn several(name: &str, tasks: &[TaskId]) -> Error {
    let shown: Vec<String> = tasks.iter().take(LISTED).map(ToString::to_string).collect();
    let text = match tasks.len() - shown.len() {
        0 => ambiguous("tasks", name, "UUID", &shown),
        more => {
            let first = shown.join(", ");
            let (n, name) = (tasks.len(), quoted(name));
            format!(
                "{n} tasks are called {name}; use the UUID of the one you mean: {first} and {more} more"
            )
        }
    };
    let every = name.replace('\\', "\\\\").replace('"', "\\\"");
    Error::new(ErrorKind::Settings, format!("--task: {text}"))
        .hint(format!("to run all of them: --filter 'title:\"{every}\"'"))
}

/// The longest part of a title that has one form only, whatever looks the same.
fn in_ascii(name: &str) -> Option<&str> {
    let parts = name.split(|c: char| !c.is_ascii_graphic());
    let longest = parts.max_by_key(|part| part.len())?;
    (longest.len() >= SHORTEST).then_some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_a_title_that_is_asked_for_is_in_every_title_that_looks_like_it() {
        for (name, part) in [
            ("a.jpg", Some("a.jpg")),
            ("two words.png", Some("words.png")),
            ("two\u{a0}words", Some("words")),
            ("cafe\u{301}", Some("cafe")),
            ("caf\u{e9}", Some("caf")),
            ("\u{e9}t\u{e9}", None),
            ("", None),
        ] {
            assert_eq!(in_ascii(name), part, "{name}");
        }
    }

    #[test]
    fn several_tasks_are_listed_up_to_a_number() {
        let tasks: Vec<TaskId> = (0..12).map(|n| TaskId(Uuid::from_u128(n))).collect();
        let error = several("a \"b\"", &tasks);
        assert!(
            error
                .summary
                .starts_with("--task: 12 tasks are called \"a \\\"b\\\"\""),
            "{error}"
        );
        assert!(error.summary.ends_with(" and 2 more"), "{error}");
        assert_eq!(
            error.hints,
            ["to run all of them: --filter 'title:\"a \\\"b\\\"\"'"]
        );
    }
}
