//! The keymap: the default keys of the table, a set of changes to them, and the user's own. Reading it from
//! files is left to the binary.

use crate::Ui;
use crate::actions::{ACTIONS, Action, ActionRow, Scope};
use crate::keys::{canonical, shown};
use ratatui::text::{Line, Span};
use serde::{Deserialize, Serialize};
use wb_core::workflow::nearest;

/// A key in a scope.
#[derive(Clone, Debug)]
struct Binding {
    scope: Scope,
    key: String,
    action: Action,
    /// Where it was written; `None`: the table or a set.
    place: Option<String>,
}

/// One entry of a settings file: these keys for this action, instead of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Where it is written, e.g. `workbench.toml: keys.review`.
    pub place: String,
    /// A screen's table, e.g. `queue`; `None`: wherever the action belongs.
    pub screen: Option<String>,
    /// The action's name.
    pub action: String,
    /// Its keys.
    pub keys: Vec<String>,
}

/// Which keys mean which actions.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// The first one that fits wins: the user's own come first.
    bindings: Vec<Binding>,
}

/// Actions and the keys they have instead of their own.
type Changes = &'static [(Action, &'static [&'static str])];

/// Changes to the default keys, by the name of the set.
const SETS: [(&str, Changes); 3] = [
    ("default", &[]),
    (
        "vim",
        &[
            (Action::PageUp, &["Ctrl-b", "PageUp"]),
            (Action::PageDown, &["Ctrl-f", "PageDown"]),
            (Action::Out, &["Esc", "Ctrl-["]),
        ],
    ),
    (
        "emacs",
        &[
            (Action::Up, &["Ctrl-p", "Up"]),
            (Action::Down, &["Ctrl-n", "Down"]),
            (Action::Left, &["Ctrl-b", "Left"]),
            (Action::Right, &["Ctrl-f", "Right"]),
            (Action::Top, &["Alt-<", "Home"]),
            (Action::Bottom, &["Alt->", "End"]),
            (Action::PageUp, &["Alt-v", "PageUp"]),
            (Action::PageDown, &["Ctrl-v", "PageDown"]),
            (Action::Filter, &["Ctrl-s", "/"]),
            (Action::FilterStages, &["Ctrl-s", "/"]),
            (Action::Search, &["Ctrl-s", "/"]),
            (Action::Out, &["Ctrl-g", "Esc"]),
            (Action::Palette, &["Alt-x", ":"]),
        ],
    ),
];

impl Default for Keymap {
    fn default() -> Self {
        let bindings = ACTIONS.iter().flat_map(|row| {
            row.keys.iter().map(|key| Binding {
                scope: row.scope,
                key: (*key).to_owned(),
                action: row.action,
                place: None,
            })
        });
        Self {
            bindings: bindings.collect(),
        }
    }
}

impl Keymap {
    /// The defaults with a set and patches over them, the patch that takes precedence first; and a warning
    /// for each mistake in them. `set` comes with the place where it is written.
    #[must_use]
    pub fn new(set: Option<(&str, &str)>, patches: &[Patch]) -> (Self, Vec<String>) {
        let mut map = Self::default();
        let mut warnings = Vec::new();
        if let Some((set, place)) = set {
            match SETS.iter().find(|(name, _)| *name == set) {
                Some((_, changes)) => {
                    for (action, keys) in *changes {
                        map.bind(action.row().scope, *action, keys.iter().copied(), None);
                    }
                }
                None => warnings.push(format!(
                    "{place}: unknown set of keys \"{set}\"{}",
                    did_you_mean(set, SETS.iter().map(|(name, _)| *name))
                )),
            }
        }
        let mut seen = Vec::new();
        for patch in patches {
            match map.place_of(patch) {
                // A file that takes precedence has this action already.
                Ok(target) if seen.contains(&target) => {}
                Ok(target) => {
                    seen.push(target);
                    warnings.extend(map.apply(target, patch));
                }
                Err(why) => warnings.push(format!("{}: {why}", patch.place)),
            }
        }
        warnings.extend(map.clashes());
        (map, warnings)
    }

    /// The scope and the action of a patch; or the mistake in its names.
    fn place_of(&self, patch: &Patch) -> Result<(Scope, Action), String> {
        let id = patch.action.replace([' ', '_'], "-").to_lowercase();
        let ids: Vec<String> = ACTIONS.iter().map(|row| row.id()).collect();
        let Some(found) = ids.iter().position(|known| *known == id) else {
            let near = did_you_mean(&id, ids.iter().map(String::as_str));
            return Err(format!("unknown action \"{}\"{near}", patch.action));
        };
        let row = &ACTIONS[found];
        let Some(screen) = &patch.screen else {
            return Ok((row.scope, row.action));
        };
        let tables = Scope::ALL.map(Scope::table);
        match tables.iter().position(|table| table == screen) {
            Some(at) => Ok((Scope::ALL[at], row.action)),
            None => {
                let near = did_you_mean(screen, tables.iter().map(String::as_str));
                Err(format!("unknown screen \"{screen}\"{near}"))
            }
        }
    }

    /// Gives an action the keys of a patch; returns the mistakes in their names.
    fn apply(&mut self, (scope, action): (Scope, Action), patch: &Patch) -> Vec<String> {
        let (good, bad): (Vec<_>, Vec<_>) = patch
            .keys
            .iter()
            .map(|key| canonical(key).ok_or(key))
            .partition(Result::is_ok);
        let good: Vec<String> = good.into_iter().flatten().collect();
        let warnings = bad.into_iter().filter_map(Result::err).map(|key| {
            format!(
                "{}: unknown key \"{key}\"; write it as F5, Ctrl-d, Alt-x, Space, Enter or a character",
                patch.place
            )
        });
        let warnings: Vec<String> = warnings.collect();
        // Without one usable key the action keeps its own; an empty list takes them away.
        if !good.is_empty() || patch.keys.is_empty() {
            self.bind(
                scope,
                action,
                good.iter().map(String::as_str),
                Some(&patch.place),
            );
        }
        warnings
    }

    fn bind<'a>(
        &mut self,
        scope: Scope,
        action: Action,
        keys: impl DoubleEndedIterator<Item = &'a str>,
        place: Option<&str>,
    ) {
        self.bindings
            .retain(|b| (b.scope, b.action) != (scope, action));
        for key in keys.rev() {
            let key = key.to_owned();
            let place = place.map(str::to_owned);
            let binding = Binding {
                scope,
                key,
                action,
                place,
            };
            self.bindings.insert(0, binding);
        }
    }

    /// The user's keys that have another meaning in the same place.
    fn clashes(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (n, one) in self.bindings.iter().enumerate() {
            for other in &self.bindings[n + 1..] {
                let own = one.place.is_some() || other.place.is_some();
                let same = one.key == other.key && one.action != other.action;
                if !own || !same || !one.scope.meets(other.scope) {
                    continue;
                }
                let place = |b: &Binding| match &b.place {
                    Some(place) => place.clone(),
                    None => format!("default keys: {}", b.action.row().id()),
                };
                found.push(format!(
                    "{}: {} is also the key of \"{}\" ({})",
                    place(one),
                    one.key,
                    other.action.row().id(),
                    place(other)
                ));
            }
        }
        found
    }

    /// The action of a key: `scopes` from the most specific to the most general.
    #[must_use]
    pub fn find(&self, key: &str, scopes: &[Scope]) -> Option<Action> {
        scopes.iter().find_map(|scope| {
            let mut all = self.bindings.iter();
            all.find(|b| b.scope == *scope && b.key == key)
                .map(|b| b.action)
        })
    }

    /// The keys of an action where it belongs.
    #[must_use]
    pub fn keys_of(&self, action: Action) -> Vec<&str> {
        let scope = action.row().scope;
        let all = self.bindings.iter();
        all.filter(|b| b.action == action && b.scope == scope)
            .map(|b| b.key.as_str())
            .collect()
    }

    /// The actions of a screen with their keys as they are shown, then those that belong elsewhere and have
    /// keys here too.
    pub(crate) fn rows(&self, scope: Scope) -> Vec<(&'static ActionRow, Vec<String>)> {
        let own = ACTIONS.iter().filter(|row| row.scope == scope);
        let own = own.map(|row| {
            let keys = self.keys_of(row.action).into_iter().map(shown);
            (row, keys.collect())
        });
        let extra = self.extra(scope);
        own.chain(extra.map(|(key, action)| (action.row(), vec![shown(key)])))
            .collect()
    }

    /// The keys that a screen adds to those of actions that belong elsewhere.
    pub(crate) fn extra(&self, scope: Scope) -> impl Iterator<Item = (&str, Action)> {
        let all = self.bindings.iter();
        all.filter(move |b| b.scope == scope && b.action.row().scope != scope)
            .map(|b| (b.key.as_str(), b.action))
    }
}

/// `; did you mean "review"?` when a name is near enough.
fn did_you_mean<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(wrong, known).first() {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => String::new(),
    }
}

impl Ui {
    /// The key to hint at: an arrow rather than a letter that means the same.
    pub(crate) fn key_of(&self, action: Action) -> String {
        if self.linear {
            return action.row().id();
        }
        let here = self.top(|layer| layer.scope());
        let extra = self.keymap.extra(here).find(|(_, a)| *a == action);
        let mut keys = self.keymap.keys_of(action);
        // A key that means something else here is named only where there is no other.
        let reached = |key: &&str| {
            let scopes = [here, Scope::List, Scope::Global];
            !scopes.contains(&action.row().scope) || self.keymap.find(key, &scopes) == Some(action)
        };
        if keys.iter().any(reached) {
            keys.retain(|key| reached(key));
        }
        let arrow = |k: &&&str| matches!(**k, "Up" | "Down" | "Left" | "Right");
        let arrow = keys.iter().find(arrow).copied();
        let key = extra
            .map(|(key, _)| key)
            .or(arrow)
            .or(keys.first().copied());
        // An action without a key is still in the palette.
        key.map_or_else(|| format!("\"{}\"", action.row().name), shown)
    }

    /// Text with the keys of the actions that it names as `{key:Review}`.
    pub(crate) fn keyed(&self, text: &str) -> String {
        self.keyed_line(text).to_string()
    }

    /// The same, with the keys in the style of keys.
    pub(crate) fn keyed_line(&self, text: &str) -> Line<'static> {
        let mut line = Line::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{key:") {
            let Some((name, tail)) = after.split_once('}') else {
                break;
            };
            let key = Action::from_variant(name).map(|action| self.key_of(action));
            line.push_span(Span::raw(before.to_owned()));
            line.push_span(Span::styled(
                key.unwrap_or_else(|| name.to_owned()),
                self.st.key,
            ));
            rest = tail;
        }
        line.push_span(Span::raw(rest.to_owned()));
        line
    }
}

#[cfg(test)]
mod tests;
