//! Translates the filters for label rows to SQL.

use rusqlite::types::Value as SqlValue;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::item::ItemKind;
use crate::store::catalog::Project;
use crate::store::items::COLUMNS;
use crate::store::like::matches_like;
use crate::time;

/// The filters and options. Absent: no filter, not included.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RowQuery {
    #[serde(deserialize_with = "time::deserialize")]
    pub edited_before: Option<i64>,
    #[serde(deserialize_with = "time::deserialize")]
    pub edited_after: Option<i64>,
    pub label_statuses: Option<Vec<String>>,
    pub include_uninitialised_labels: Option<bool>,
    pub data_hashes: Option<Vec<Uuid>>,
    pub label_hashes: Option<Vec<Uuid>>,
    pub data_title_eq: Option<String>,
    pub data_title_like: Option<String>,
    pub workflow_graph_node_title_eq: Option<String>,
    pub workflow_graph_node_title_like: Option<String>,
    pub include_client_metadata: Option<bool>,
    pub include_images_data: Option<bool>,
    pub include_children: Option<bool>,
    pub include_workflow_graph_node: Option<bool>,
    pub include_all_label_branches: Option<bool>,
    pub branch_name: Option<String>,
}

/// The statement that finds the matching rows, with its values: the columns of a data unit, its task, its
/// labels and its group.
pub(super) fn select(project: &Project, query: &RowQuery, branch: &str) -> (String, Vec<SqlValue>) {
    let all_branches =
        query.include_all_label_branches.unwrap_or(false) && query.branch_name.is_none();
    let mut conditions = conditions(project, query, branch);
    let from = conditions.source(query);
    // A task's own row is on `main`, whether or not there are labels, on other branches too.
    let (both, on_branch, some_row) = if all_branches {
        (
            "CROSS JOIN (SELECT 0 AS others UNION ALL SELECT 1) w",
            "AND (l.branch <> ?2) = w.others",
            "(l.id IS NOT NULL OR w.others = 0)",
        )
    } else {
        ("", "AND l.branch = ?2", "?2 = ?2")
    };
    let sql = format!(
        "SELECT {COLUMNS}, t.id, t.stage, t.priority, t.assignee, t.actor,
                l.hash, l.branch, l.created, l.edited, p.hash
         FROM {from} {both} LEFT JOIN label l ON l.project = ?1 AND l.data = d.id {on_branch}
         LEFT JOIN data p ON p.id = d.parent WHERE {some_row} AND d.dataset IN {}{} ORDER BY d.id",
        project.dataset_list(),
        conditions.sql
    );
    (sql, conditions.values)
}

/// The conditions of a query as SQL with its values.
struct Conditions {
    sql: String,
    values: Vec<SqlValue>,
}

impl Conditions {
    fn one(&mut self, template: &str, value: impl Into<SqlValue>) {
        self.values.push(value.into());
        self.sql.push_str(" AND ");
        self.sql
            .push_str(&template.replace('?', &format!("?{}", self.values.len())));
    }

    /// A table of distinct UUIDs. One parameter for all of them: a query may name more rows than SQLite has
    /// parameters.
    fn table(&mut self, uuids: &[Uuid]) -> String {
        let list: Vec<String> = uuids.iter().map(|u| u.as_simple().to_string()).collect();
        self.values.push(json!(list).to_string().into());
        format!(
            "(SELECT DISTINCT unhex(value) AS hash FROM json_each(?{}))",
            self.values.len()
        )
    }

    /// The tables to join. CROSS JOIN fixes the order: from the named rows, or along the tasks; otherwise
    /// SQLite might scan a million units for each request.
    fn source(&mut self, query: &RowQuery) -> String {
        const TASK: &str = "LEFT JOIN task t ON t.project = ?1 AND t.data = d.id";
        let labels = query.label_hashes.as_ref().map(|h| self.table(h));
        if let Some(hashes) = &query.data_hashes {
            if let Some(labels) = labels {
                self.sql
                    .push_str(&format!(" AND l.hash IN (SELECT hash FROM {labels})"));
            }
            let named = self.table(hashes);
            return format!("{named} n CROSS JOIN data d ON d.hash = n.hash {TASK}");
        }
        if let Some(labels) = labels {
            self.sql.push_str(" AND x.id = l.id");
            return format!(
                "{labels} n CROSS JOIN label x ON x.hash = n.hash CROSS JOIN data d ON d.id = x.data {TASK}"
            );
        }
        if query.include_children.unwrap_or(false) {
            return format!("data d {TASK}");
        }
        "task t CROSS JOIN data d ON d.id = t.data AND t.project = ?1".to_owned()
    }
}

fn conditions(project: &Project, query: &RowQuery, branch: &str) -> Conditions {
    let mut found = Conditions {
        sql: String::new(),
        values: vec![project.id.into(), SqlValue::Text(branch.to_owned())],
    };
    if query.include_children != Some(true) && query.data_hashes.is_none() {
        found.sql.push_str(" AND d.parent IS NULL");
    } else {
        // Images of an image group are part of its row and have no rows of their own.
        found.sql.push_str(&format!(
            " AND (d.parent IS NULL OR p.kind = {})",
            ItemKind::Group.code()
        ));
    }
    if query.include_uninitialised_labels == Some(false) {
        found.sql.push_str(" AND l.id IS NOT NULL");
    }
    if let Some(statuses) = &query.label_statuses {
        let has = |s: &str| statuses.iter().any(|k| k.eq_ignore_ascii_case(s));
        match (has("NOT_LABELLED"), has("LABEL_IN_PROGRESS")) {
            (true, true) => {}
            (true, false) => found.sql.push_str(" AND l.id IS NULL"),
            (false, true) => found.sql.push_str(" AND l.id IS NOT NULL"),
            (false, false) => found.sql.push_str(" AND 0"),
        }
    }
    if let Some(instant) = query.edited_before {
        found.one("l.edited < ?", instant);
    }
    if let Some(instant) = query.edited_after {
        found.one("l.edited > ?", instant);
    }
    if let Some(title) = &query.data_title_eq {
        found.one("d.title = ?", title.clone());
    }
    if let Some(pattern) = &query.data_title_like {
        found.one("d.title LIKE ?", pattern.clone());
    }
    stage_conditions(project, query, &mut found);
    found
}

fn stage_conditions(project: &Project, query: &RowQuery, found: &mut Conditions) {
    let equal = query.workflow_graph_node_title_eq.as_deref();
    let like = query.workflow_graph_node_title_like.as_deref();
    if equal.is_none() && like.is_none() {
        return;
    }
    let fits = |title: &str| {
        equal.is_none_or(|e| e == title) && like.is_none_or(|l| matches_like(l, title))
    };
    let stages = project
        .graph
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, n)| fits(&n.title));
    let numbers: Vec<String> = stages.map(|(n, _)| n.to_string()).collect();
    found
        .sql
        .push_str(&format!(" AND t.stage IN ({})", numbers.join(",")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Names;
    use crate::store::catalog::Catalog;
    use crate::store::{Durability, Store};
    use crate::world::{build, builtin::Scenario};

    /// The query plan, step by step.
    fn steps(query: &RowQuery) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let (path, names) = (folder.path().join("project.db"), Names::new(1));
        build::build(&path, &Scenario::Seed.world(40, names), names, 0).unwrap();
        let store = Store::open(&path, Durability::Process).unwrap();
        let read = store.read_here(|c| {
            let catalog = Catalog::load(c)?;
            let (sql, values) = select(&catalog.projects[0], query, "main");
            let mut explain = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let found = explain.query_map(rusqlite::params_from_iter(values), |r| r.get(3))?;
            Ok(found.collect::<Result<Vec<String>, _>>()?)
        });
        read.unwrap()
    }

    #[test]
    fn rows_by_hash_are_looked_up_without_scanning_the_dataset() {
        let some = || Some(vec![Uuid::from_u128(1), Uuid::from_u128(2)]);
        for all in [None, Some(true)] {
            let plain = || RowQuery {
                include_all_label_branches: all,
                ..RowQuery::default()
            };
            for query in [
                RowQuery {
                    data_hashes: some(),
                    ..plain()
                },
                RowQuery {
                    label_hashes: some(),
                    ..plain()
                },
                RowQuery {
                    data_hashes: some(),
                    label_hashes: some(),
                    ..plain()
                },
                RowQuery {
                    data_hashes: some(),
                    include_children: Some(true),
                    ..plain()
                },
                RowQuery {
                    label_hashes: some(),
                    include_children: Some(true),
                    ..plain()
                },
                RowQuery {
                    data_hashes: some(),
                    workflow_graph_node_title_eq: Some("Agent 1".to_owned()),
                    data_title_like: Some("%a%".to_owned()),
                    ..plain()
                },
            ] {
                let steps = steps(&query);
                let whole = |step: &String| {
                    ["SCAN d", "SCAN t", "SCAN l", "SCAN x", "SCAN p"].contains(&&**step)
                        || step.starts_with("SEARCH d USING INDEX data_dataset")
                        || step.contains("USING INDEX task_stage")
                };
                assert!(!steps.iter().any(whole), "{query:?}: {steps:#?}");
            }
        }
    }
}
