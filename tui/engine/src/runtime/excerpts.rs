//! The characters that changed labels of a text cover, read from the file that the agent was given.
//!
//! A review names them, so that nobody has to count characters. Without the file they stay unknown.

use wb_core::work::wire::AssetDoc;
use wb_core::work::{Inputs, Outcome};

/// Characters of one label that are kept.
const LONGEST: usize = 120;
/// Labels of one outcome whose characters are kept.
const MOST: usize = 1_000;

/// The outcome with the characters that its labels cover.
pub(super) fn with_excerpts(mut outcome: Outcome, inputs: &Inputs) -> Outcome {
    let labels = outcome.patch.labels.iter_mut();
    let labels = labels.filter(|label| !label.facts.characters.is_empty());
    let mut labels: Vec<_> = labels.take(MOST).collect();
    let asset = (!labels.is_empty()).then(|| asset(inputs)).flatten();
    let Some(asset) = asset else {
        return outcome;
    };
    // A file is read once for all labels on it.
    labels.sort_by(|a, b| a.facts.part_file.cmp(&b.facts.part_file));
    for of_one in labels.chunk_by_mut(|a, b| a.facts.part_file == b.facts.part_file) {
        let file = of_one
            .first()
            .and_then(|label| label.facts.part_file.as_deref());
        let Some(text) = text(&asset, file) else {
            continue;
        };
        let places = Places::of(&text);
        for label in of_one {
            label.facts.text = Some(places.cut(&text, &label.facts.characters));
        }
    }
    outcome
}

/// Whether the agent was given a text, which is read for the excerpts.
pub(super) fn may_have_excerpts(inputs: &Inputs) -> bool {
    let is_text = |asset: &AssetDoc| asset.item_type == "plainText";
    asset(inputs).is_some_and(|asset| is_text(&asset) || asset.children.iter().any(is_text))
}

fn asset(inputs: &Inputs) -> Option<AssetDoc> {
    serde_json::from_str(inputs.asset_json.as_deref()?).ok()
}

/// The file as agents read it; of a data group the one with this name, if it is the only one.
fn text(asset: &AssetDoc, part: Option<&str>) -> Option<String> {
    let Some(part) = part else {
        return std::fs::read_to_string(&asset.path).ok();
    };
    let mut named = asset.children.iter().filter(|child| child.title == part);
    let (child, None) = (named.next()?, named.next()) else {
        return None;
    };
    std::fs::read_to_string(&child.path).ok()
}

/// Where every so many characters of a text begin, so that finding a place does not read it from the start.
struct Places {
    bytes: Vec<usize>,
}

/// Characters between two known places.
const STEP: usize = 1_024;

impl Places {
    fn of(text: &str) -> Self {
        let bytes = text.char_indices().step_by(STEP).map(|(byte, _)| byte);
        Self {
            bytes: bytes.collect(),
        }
    }

    /// The characters of these ranges, joined by an ellipsis where something is left out.
    fn cut(&self, text: &str, ranges: &[[u64; 2]]) -> String {
        let mut out = String::new();
        let mut left = LONGEST;
        for (n, [from, to]) in ranges.iter().enumerate() {
            if n > 0 {
                out.push_str(" … ");
            }
            let (from, length) = (*from as usize, to.saturating_sub(*from) as usize);
            let start = self.bytes.get(from / STEP).copied().unwrap_or(text.len());
            let mut characters = text[start..].chars().skip(from % STEP);
            out.extend(characters.by_ref().take(length.min(left)));
            if length > left && characters.next().is_some() {
                out.push('…');
                return out;
            }
            left = left.saturating_sub(length);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_covered_characters_are_found_anywhere_in_a_long_text() {
        let text: String = "äöü€🦀 ".repeat(1_000) + "the end";
        let places = Places::of(&text);
        assert_eq!(places.cut(&text, &[[0, 5]]), "äöü€🦀");
        assert_eq!(places.cut(&text, &[[6_004, 6_007], [3, 4]]), "end … €");
        assert_eq!(places.cut(&text, &[[6_006, 9_000]]), "d");
        assert_eq!(places.cut(&text, &[[90_000, 90_001]]), "");
        assert_eq!(places.cut(&text, &[[0, 500]]).chars().count(), LONGEST + 1);
    }
}
