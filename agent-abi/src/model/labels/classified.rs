//! Typed views of the classifications of a label row, of frames or of the whole.

use super::super::{Answer, OntologyClassification, ambiguous};
use super::LabelRow;
use super::asked::{answer_among, read};
use super::read::{only_on_parts, ranges, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// One answer about frames or about the whole.
#[derive(Clone, Debug)]
pub struct Classification<'r> {
    row: &'r LabelRow,
    hash: &'r str,
    entry: &'r Value,
}

impl LabelRow {
    /// All classifications. Those of the parts of a data group are read part by part ([`LabelRow::part`]).
    #[must_use]
    pub fn classifications(&self) -> Vec<Classification<'_>> {
        let mut all = self.every_classification();
        all.retain(|class| !only_on_parts(class.entry));
        all
    }

    /// The same, and those of the parts of a data group.
    pub(in super::super) fn every_classification(&self) -> Vec<Classification<'_>> {
        self.section("classification_answers")
            .filter(|(_, entry)| entry.get("featureHash").is_some())
            .map(|(hash, entry)| Classification {
                row: self,
                hash,
                entry,
            })
            .collect()
    }

    /// The first classification with this title or of the kind with this feature hash. Where several kinds
    /// have the title, there is none, and a warning is logged that names their feature hashes.
    #[must_use]
    pub fn classification(&self, title: &str) -> Option<Classification<'_>> {
        let all = self.classifications();
        let is = |c: &&Classification<'_>| c.title() == title || c.feature_hash() == title;
        let here = all.iter().filter(is).map(Classification::feature_hash);
        let kinds = self.ontology.classifications.iter();
        let kinds = kinds.filter(|kind| kind.title() == title || kind.feature_hash == title);
        let hashes: BTreeSet<&str> = kinds
            .map(|kind| kind.feature_hash.as_str())
            .chain(here)
            .collect();
        if hashes.len() > 1 {
            let hashes: Vec<&str> = hashes.into_iter().collect();
            log::warn!(
                "{}",
                ambiguous("classifications", title, "feature hash", &hashes)
            );
            return None;
        }
        all.iter().find(is).cloned()
    }
}

impl<'r> Classification<'r> {
    /// Identity in this label row, 8 characters.
    #[must_use]
    pub const fn hash(&self) -> &'r str {
        self.hash
    }

    /// Its question.
    #[must_use]
    pub fn title(&self) -> &'r str {
        match self.kind() {
            Some(kind) => kind.title(),
            None => self.answers().first().map_or("", |a| text(a, "name")),
        }
    }

    /// Identity of its kind.
    #[must_use]
    pub fn feature_hash(&self) -> &'r str {
        text(self.entry, "featureHash")
    }

    /// The answer to its own question, not to a nested one.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        // Other clients write nested answers first.
        let own = self.kind().and_then(|kind| kind.attributes.first());
        let entry = match own {
            Some(own) => {
                let mut entries = self.answers().iter();
                entries.find(|a| text(a, "featureHash") == own.feature_hash)
            }
            None => self.answers().first(),
        };
        read(entry?, &self.row.ontology)
    }

    /// The answer to a nested question, by name or feature hash; names as in [`super::Object::answer`].
    #[must_use]
    pub fn nested(&self, attribute: &str) -> Option<Answer> {
        let attributes = self.kind().map_or(&[][..], |kind| &kind.attributes);
        let entries = self.answers().iter();
        answer_among(entries, attribute, attributes, &self.row.ontology)
    }

    /// Frames it holds for, both ends included.
    #[must_use]
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        ranges(self.entry)
    }

    /// How sure the maker was, 0 to 1.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        self.entry.get("confidence")?.as_f64()
    }

    /// Its kind in the ontology, when it is still there.
    fn kind(&self) -> Option<&'r OntologyClassification> {
        let mut kinds = self.row.ontology.classifications.iter();
        kinds.find(|kind| kind.feature_hash == self.feature_hash())
    }

    /// As the platform stores it.
    pub(super) const fn entry(&self) -> &'r Value {
        self.entry
    }

    /// All answers, nested ones too, as the platform stores them.
    pub(super) fn answers(&self) -> &'r [Value] {
        self.entry
            .get("classifications")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}
