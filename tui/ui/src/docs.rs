//! The table of actions as text: for `workbench keys` and the README. Never written by hand.

use crate::actions::{ACTIONS, ActionRow, Scope};
use crate::keymap::Keymap;
use crate::keys::shown;
use crate::text::left;
use serde_json::json;

fn keys_of(map: &Keymap, entry: &ActionRow) -> Vec<String> {
    map.keys_of(entry.action).into_iter().map(shown).collect()
}

/// Keys that a screen has for actions that belong elsewhere.
fn extras(map: &Keymap, scope: Scope) -> impl Iterator<Item = (String, &'static ActionRow)> {
    map.extra(scope)
        .map(|(key, action)| (shown(key), action.row()))
}

fn of(scope: Scope) -> impl Iterator<Item = &'static ActionRow> {
    ACTIONS.iter().filter(move |e| e.scope == scope)
}

/// All keys as one Markdown table; those that write upstream are marked.
#[must_use]
pub fn keys_markdown(map: &Keymap) -> String {
    let mut out = String::from("| where | key | does |\n|---|---|---|\n");
    for scope in Scope::ALL {
        for entry in of(scope) {
            let keys: Vec<String> = keys_of(map, entry)
                .iter()
                .map(|k| format!("`{k}`"))
                .collect();
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

/// All keys as JSON, an action a line: where it counts, its keys, what it does, whether it writes.
#[must_use]
pub fn keys_json(map: &Keymap) -> String {
    let line = |scope: Scope, keys: Vec<String>, row: &ActionRow| {
        let line = json!({
            "action": row.id(),
            "where": scope.title(),
            "keys": keys,
            "name": row.name,
            "does": row.help,
            "writes": row.writes,
        });
        format!("{line}\n")
    };
    let mut out = String::new();
    for scope in Scope::ALL {
        out.extend(of(scope).map(|row| line(scope, keys_of(map, row), row)));
        out.extend(extras(map, scope).map(|(key, row)| line(scope, vec![key], row)));
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
        out.push_str(scope.title());
        out.push('\n');
        let own = of(scope).map(|row| (keys_of(map, row).join(" "), row));
        for (keys, row) in own.chain(extras(map, scope)) {
            let writes = if row.writes { "  (writes)" } else { "" };
            out.push_str(&format!("  {}{}{writes}\n", left(&keys, 16), row.help));
        }
    }
    out
}
