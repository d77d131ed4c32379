//! What an outcome would change upstream, for people. Computing it is left to [`crate::patch`].

use super::FurtherChange;
use agent_abi::model::{LabelFacts, quoted};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One label that differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelChange {
    /// `+` added, `~` changed, `-` removed.
    pub sign: char,
    /// Name of the object or classification.
    pub name: String,
    /// Its hash.
    pub hash: String,
    /// What a person reads: `frame 0 · box 11 %, 42 %, 20 × 18 %`.
    pub detail: String,
    /// The same as fields; empty for what is neither an object nor a classification.
    #[serde(flatten)]
    pub facts: Box<LabelFacts>,
}

impl LabelChange {
    /// What was and what is, of a changed label; both are the whole text where it has no sides.
    #[must_use]
    pub fn sides(&self) -> (&str, &str) {
        let whole = (self.detail.as_str(), self.detail.as_str());
        self.facts.sides(&self.detail).unwrap_or(whole)
    }

    /// What a person reads, with the characters that it covers where they are known.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.facts.text {
            Some(text) => format!("{} · {}", self.detail, quoted(text)),
            None => self.detail.clone(),
        }
    }
}

/// What an outcome would change upstream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// Labels, one entry per object or classification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelChange>,
    /// Old and new priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<(Option<f64>, f64)>,
    /// The whole client metadata after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Labels that the agent added although they stand there already, made by the same key: they are not added
    /// again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub already_there: usize,
    /// What changes beyond the own row, in the order of writing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FurtherChange>,
    /// What of it a person edited, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
const fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Patch {
    /// What a person reads of it, a line for each label and each other change, as it came (strip control codes
    /// before it is shown).
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let label = |label: &LabelChange| format!("{} {} {}", label.sign, label.name, label.text());
        let mut lines: Vec<String> = self.edited_line().into_iter().collect();
        lines.extend(self.labels.iter().map(label));
        if let Some((before, after)) = self.priority {
            let before = before.map_or_else(|| "?".to_owned(), |before| before.to_string());
            lines.push(format!("priority {before} → {after}"));
        }
        if let Some(metadata) = &self.metadata {
            lines.push(format!("client metadata {}", Value::from(metadata.clone())));
        }
        for further in &self.changes {
            lines.push(format!("also {}", further.headline()));
            lines.extend(further.labels.iter().map(|one| format!("  {}", label(one))));
            let text = further.item.as_ref().filter(|item| !item.delete);
            lines.extend(text.map(|item| format!("  {}", quoted(&item.excerpt()))));
            let metadata = further.metadata.clone().map(Value::from);
            lines.extend(metadata.map(|metadata| format!("  {metadata}")));
        }
        lines
    }

    /// That a person edited it, and what of it; `None`: it is as the agent gave it.
    #[must_use]
    pub fn edited_line(&self) -> Option<String> {
        (!self.edited.is_empty()).then(|| format!("edited by hand: {}", self.edited.join(", ")))
    }

    /// Notes that a person edited this.
    pub fn note_edit(&mut self, what: String) {
        if !self.edited.contains(&what) {
            self.edited.push(what);
        }
    }

    /// The characters that its labels cover, by hash, as far as they are known.
    #[must_use]
    pub fn excerpts(&self) -> BTreeMap<String, String> {
        let known = self.labels.iter();
        let known = known.filter_map(|label| Some((label.hash.clone(), label.facts.text.clone()?)));
        known.collect()
    }

    /// Nothing but perhaps a move.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let own = self.labels.is_empty() && self.priority.is_none() && self.metadata.is_none();
        own && self.changes.is_empty()
    }

    /// How many labels are added, changed, removed.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |sign| self.labels.iter().filter(|l| l.sign == sign).count();
        (of('+'), of('~'), of('-'))
    }
}
