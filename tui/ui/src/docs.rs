//! The keymap as text: for `workbench keys` and the reference.

use crate::actions::Scope;
use crate::keymap::Keymap;
use serde_json::json;

/// All keys as one Markdown table; those that write upstream are marked.
#[must_use]
pub fn keys_markdown(map: &Keymap) -> String {
    let mut out = String::from("| where | key | does |\n|---|---|---|\n");
    for scope in Scope::ALL {
        for (row, keys) in map.rows(scope) {
            let keys: Vec<String> = keys.iter().map(|k| format!("`{k}`")).collect();
            let writes = if row.writes { " **(writes)**" } else { "" };
            let (scope, keys) = (scope.title(), keys.join(" "));
            out.push_str(&format!("| {scope} | {keys} | {}{writes} |\n", row.help));
        }
    }
    out
}

/// All keys as JSON, an action a line: where it works, its keys, what it does, whether it writes.
#[must_use]
pub fn keys_json(map: &Keymap) -> String {
    let mut out = String::new();
    for scope in Scope::ALL {
        for (row, keys) in map.rows(scope) {
            let line = json!({
                "action": row.id(),
                "where": scope.title(),
                "keys": keys,
                "name": row.name,
                "does": row.help,
                "writes": row.writes,
            });
            out.push_str(&format!("{line}\n"));
        }
    }
    out
}

/// All keys as plain text in columns; those that write upstream are marked.
#[must_use]
pub fn keys_text(map: &Keymap) -> String {
    let mut out = String::new();
    for scope in Scope::ALL {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{}\n", scope.title()));
        for (row, keys) in map.rows(scope) {
            let writes = if row.writes { "  (writes)" } else { "" };
            let keys = keys.join(" ");
            out.push_str(&format!("  {keys:<15} {}{writes}\n", row.help));
        }
    }
    out
}
