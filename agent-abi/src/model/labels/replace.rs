//! Classifications that take the place of others: on frames, or on the whole.

use super::super::{ModelError, ModelResult};
use super::LabelRow;
use super::answering::same_answers;
use super::new::{NewClassification, Span, forwards};
use super::place::{merged, without};
use super::write::edited;
use serde_json::Value;

impl LabelRow {
    /// Adds a classification, and takes its frames from those of its kind that are there: a frame has the new
    /// answer afterwards, whatever it had. Without frames it takes the place of all of them. Where the
    /// same answer is there already, its frames are extended; the same frames are not a change. Gives the hash of
    /// the classification that holds.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # fn dim(labels: &mut LabelRow) -> Result<()> {
    /// let ontology = labels.ontology();
    /// let dim = ontology.classification("Light")?.answer("Dim")?.on_frames(30, 45);
    /// labels.replace(&dim)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the data have no such frame, or frames are given for a classification of the
    /// whole; nothing is changed then.
    pub fn replace(&mut self, new: &NewClassification<'_>) -> ModelResult<String> {
        self.check_blob()?;
        let kind = new.classification;
        let feature = kind.feature_hash.as_str();
        let spans = match &new.span {
            Span::Frames(_) if kind.global => {
                return Err(ModelError::Invalid(format!(
                    "\"{}\" classifies the whole: leave the frames out",
                    kind.title()
                )));
            }
            Span::Frames(list) => list.clone(),
            Span::Default => vec![(0, u64::MAX)],
        };
        if let Span::Frames(list) = &new.span {
            for (from, to) in list {
                forwards(*from, *to)?;
                self.check_frame(*to)?;
            }
        }
        let all = self.classifications();
        let own = all.iter().filter(|c| c.feature_hash() == feature);
        let old: Vec<(String, Vec<(u64, u64)>)> =
            own.map(|c| (c.hash().to_owned(), c.ranges())).collect();
        let same = old.iter().find(|(hash, _)| self.answers_alike(hash, new));
        let same = same.map(|(hash, _)| hash.clone());
        for (hash, ranges) in old {
            if same.as_ref() == Some(&hash) {
                continue;
            }
            let cut = |left, span: &(u64, u64)| without(left, *span);
            let left = spans.iter().fold(ranges.clone(), cut);
            if left.is_empty() {
                self.remove(&hash);
            } else if left != ranges {
                self.set_range(&hash, merged(left));
            }
        }
        let Some(hash) = same else {
            return self.add_classification(new);
        };
        let range = match &new.span {
            Span::Default => self.whole_for(kind),
            Span::Frames(list) => {
                let mut ranges =
                    super::read::ranges(&self.labels()["classification_answers"][&hash]);
                ranges.extend(list);
                merged(ranges)
            }
        };
        if self.labels()["classification_answers"][&hash]["range"] != range {
            self.set_range(&hash, range);
        }
        Ok(hash)
    }

    /// Whether a classification that is there has the same answers, and nothing that the new one contradicts.
    fn answers_alike(&self, hash: &str, new: &NewClassification<'_>) -> bool {
        let entry = &self.labels()["classification_answers"][hash];
        let confidence = new.confidence.map(Value::from);
        let manual = new.manual.map(Value::from);
        same_answers(&entry["classifications"], &new.answers)
            && confidence.is_none_or(|confidence| entry["confidence"] == confidence)
            && manual.is_none_or(|manual| entry["manualAnnotation"] == manual)
    }

    fn set_range(&mut self, hash: &str, range: Value) {
        let now = self.now();
        self.classified.clear();
        let entry = &mut self.labels_mut()["classification_answers"][hash];
        entry["range"] = range;
        edited(entry, &now);
    }
}
