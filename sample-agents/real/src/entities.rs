//! Finds e-mail addresses, dates and amounts in long texts and marks their characters.

use agent_abi::prelude::*;
use regex::Regex;

/// What is looked for: name in the ontology, and its pattern.
const KINDS: [(&str, &str); 3] = [
    ("Email", r"[\w.+-]+@[\w-]+\.[\w.-]*\w"),
    ("Date", r"\b\d{4}-\d{2}-\d{2}\b"),
    ("Amount", r"(?:EUR|USD|CHF)\s?\d[\d,']*(?:\.\d{2})?"),
];

/// Compiled once for each process.
#[dependency(scope = host)]
fn patterns() -> Result<Vec<(&'static str, Regex)>> {
    KINDS
        .into_iter()
        .map(|(name, pattern)| Ok((name, Regex::new(pattern)?)))
        .collect()
}

/// Marks what was found.
#[stage("entities", routes = ["done"], idempotent)]
pub fn entities(
    labels: &mut LabelRow,
    file: AssetPath,
    #[depends(patterns)] patterns: &Vec<(&'static str, Regex)>,
) -> Result<Route> {
    let text = file.read_text()?;
    let ontology = labels.ontology();
    for (name, pattern) in patterns {
        let kind = ontology.object(name)?;
        // Labels count characters, patterns bytes: both go forward together, so that a long text is read once.
        let (mut byte, mut character) = (0, 0);
        for found in pattern.find_iter(&text) {
            character += text[byte..found.start()].chars().count() as u64;
            byte = found.start();
            let length = found.as_str().chars().count() as u64;
            labels.add(kind.range(character, character + length - 1)?.manual(false))?;
        }
    }
    Ok(Route::to("done"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{ontology, task};

    #[test]
    fn what_is_found_is_marked_by_its_characters() {
        let kinds = ontology()
            .object("Email", "text")
            .object("Date", "text")
            .object("Amount", "text");
        let text = "Grüße von jo@ex.org, 2026-11-30: EUR 1,250.00 für Ä@b.ch.";
        let run = task("mail.txt")
            .text()
            .file(text)
            .ontology(kinds)
            .run::<entities>();
        let labels = run.labels();
        let mut found = Vec::new();
        for object in labels.objects() {
            let (from, to) = object.ranges()[0];
            let length = to - from + 1;
            let covered = text.chars().skip(from as usize).take(length as usize);
            found.push((from, object.name(), covered.collect::<String>()));
        }
        found.sort();
        let found = found.iter().map(|(_, kind, text)| (*kind, &**text));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("Email", "jo@ex.org"),
                ("Date", "2026-11-30"),
                ("Amount", "EUR 1,250.00"),
                ("Email", "Ä@b.ch"),
            ]
        );
    }
}
