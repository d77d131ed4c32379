//! The table of commands as text: for `workbench keys` and the README. Never written by hand.

use crate::keys::shown;
use crate::text::left;
use serde_json::json;
use wb_core::command::{COMMANDS, Entry, Scope};

const SCOPES: [Scope; 10] = [
    Scope::Global,
    Scope::List,
    Scope::Flow,
    Scope::Queue,
    Scope::Task,
    Scope::Run,
    Scope::Review,
    Scope::Conflicts,
    Scope::Journal,
    Scope::Watch,
];

fn keys_of(entry: &Entry) -> Vec<String> {
    entry.keys.iter().map(|k| shown(k)).collect()
}

fn of(scope: Scope) -> impl Iterator<Item = &'static Entry> {
    COMMANDS.iter().filter(move |e| e.scope == scope)
}

/// All keys as one Markdown table; commands that write upstream say so.
#[must_use]
pub fn keys_markdown() -> String {
    let mut out = String::from("| where | key | does |\n|---|---|---|\n");
    for scope in SCOPES {
        for entry in of(scope) {
            let keys: Vec<String> = keys_of(entry).iter().map(|k| format!("`{k}`")).collect();
            let writes = if entry.writes { " **(writes)**" } else { "" };
            out.push_str(&format!(
                "| {} | {} | {}{writes} |\n",
                scope.title(),
                keys.join(" "),
                entry.help
            ));
        }
    }
    out
}

/// All keys as JSON, a command a line: where it counts, its keys, what it does, whether it writes.
#[must_use]
pub fn keys_json() -> String {
    let line = |entry: &Entry| {
        json!({
            "where": entry.scope.title(),
            "keys": keys_of(entry),
            "name": entry.name,
            "does": entry.help,
            "writes": entry.writes,
        })
    };
    SCOPES
        .into_iter()
        .flat_map(of)
        .map(|entry| format!("{}\n", line(entry)))
        .collect()
}

/// All keys as plain text in columns; commands that write upstream say so.
#[must_use]
pub fn keys_text() -> String {
    let mut out = String::new();
    for scope in SCOPES {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(scope.title());
        out.push('\n');
        for entry in of(scope) {
            let writes = if entry.writes { "  (writes)" } else { "" };
            out.push_str(&format!(
                "  {}{}{writes}\n",
                left(&keys_of(entry).join(" "), 16),
                entry.help
            ));
        }
    }
    out
}
