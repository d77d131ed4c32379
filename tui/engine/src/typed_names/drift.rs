//! What differs between two generated files: names that were added, renamed and removed. Things are the same when
//! their identity is.

use std::collections::HashMap;

/// An item of a generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedItem {
    /// Within the file: `vehicle::colour::RED`.
    pub path: String,
    /// The constant's value, as Rust writes it.
    pub value: String,
    /// Feature hash or UUID.
    pub id: String,
}

/// The items of a generated file, in its order. However it was formatted since, each has the comment that ends in its
/// identity.
#[must_use]
pub fn items(text: &str) -> Vec<NamedItem> {
    let (mut found, mut modules, mut id) = (Vec::new(), Vec::new(), None);
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("/// ") {
            let hash = comment.strip_suffix('`').and_then(|c| c.rsplit_once('`'));
            id = hash.map(|(_, hash)| hash.to_owned());
        } else if let Some(module) = line.strip_prefix("pub mod ") {
            modules.push(module.trim_end_matches(['{', ' ']).to_owned());
        } else if line == "}" {
            modules.pop();
        } else if let Some((name, value)) = line
            .strip_prefix("pub const ")
            .and_then(|rest| rest.split_once(": &str ="))
        {
            let value = match value.trim() {
                "" => lines.next().unwrap_or_default(),
                value => value,
            };
            let Some(id) = id.take() else { continue };
            let path = modules.iter().map(String::as_str).chain([name]);
            found.push(NamedItem {
                path: path.collect::<Vec<_>>().join("::"),
                value: value.trim_end_matches(';').to_owned(),
                id,
            });
        }
    }
    found
}

/// What differs, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Only in the newer one.
    pub added: Vec<NamedItem>,
    /// Under another name, as it was and as it is.
    pub renamed: Vec<(NamedItem, NamedItem)>,
    /// Only in the older one.
    pub removed: Vec<NamedItem>,
}

impl Drift {
    /// From an older text of a file to a newer one.
    #[must_use]
    pub fn between(old: &str, new: &str) -> Self {
        let (old, new) = (items(old), items(new));
        let by_id = |all: &[NamedItem]| -> HashMap<String, NamedItem> {
            all.iter().map(|i| (i.id.clone(), i.clone())).collect()
        };
        let (before, after) = (by_id(&old), by_id(&new));
        let mut drift = Self::default();
        for item in new {
            match before.get(&item.id) {
                None => drift.added.push(item),
                Some(old) if old.is_renamed(&item) => drift.renamed.push((old.clone(), item)),
                Some(_) => {}
            }
        }
        let gone = old.into_iter().filter(|item| !after.contains_key(&item.id));
        drift.removed.extend(gone);
        drift
    }

    /// Whether every name is as it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && !self.breaks()
    }

    /// Whether code that was compiled with the old names may use some that the project does not have.
    #[must_use]
    pub fn breaks(&self) -> bool {
        !self.renamed.is_empty() || !self.removed.is_empty()
    }

    /// A line for each name, with its module in the crate; what breaks code comes first.
    #[must_use]
    pub fn lines(&self, module: &str) -> Vec<String> {
        let text = |item: &NamedItem| format!("{module}::{} ({})", item.path, item.value);
        let renamed =
            |(old, new): &(NamedItem, NamedItem)| format!("{} is now {}", text(old), text(new));
        let renamed = self.renamed.iter().map(renamed);
        let removed = self
            .removed
            .iter()
            .map(|item| format!("{} is gone", text(item)));
        let added = self
            .added
            .iter()
            .map(|item| format!("{} is new", text(item)));
        renamed.chain(removed).chain(added).collect()
    }
}

impl NamedItem {
    /// Whether it has another name of its own: one that was only moved with what is above it has not.
    fn is_renamed(&self, now: &Self) -> bool {
        let last = |item: &Self| item.path.rsplit("::").next().map(str::to_owned);
        self.value != now.value || last(self) != last(now)
    }
}
