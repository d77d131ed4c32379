//! Compares two answers about a document, and asks a person where they differ: a new text task in another project,
//! made, reviewed and undone with the task's own outcome.
//!
//! The answers lie in the item's client metadata, where two models have left them. The project below is the third
//! one of `world.json`; write the hash of your own.

use agent_abi::prelude::*;

/// The project in which people answer.
const QUESTIONS: Uuid = Uuid::from_u128(0x4ea1_0000_0000_4000_8004_0000_0000_0003);

/// Takes over what both answers agree on, and makes a question of what they do not.
#[stage("judge", routes = ["done", "unsure"], idempotent)]
pub fn judge(labels: &mut LabelRow, item: &StorageItem) -> Result<Route> {
    let answer = |model: &str| item.client_metadata().get(model).and_then(Value::as_str);
    let (Some(first), Some(second)) = (answer("first"), answer("second")) else {
        return Ok(Route::to("unsure"));
    };
    if first == second {
        labels.classify("Document", first)?;
        return Ok(Route::to("done"));
    }
    let title = format!("question about {}", labels.title());
    let text = format!("Is \"{}\" a {first} or a {second}?\n", labels.title());
    let question = Change::item(title, text)
        .project(QUESTIONS)
        .dataset("Questions")
        .client_metadata(json!({"first": first, "second": second}));
    Ok(Route::to("unsure").priority(0.9).also(question))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_abi::testing::{Run, ontology, task};

    fn judged(first: &str, second: &str) -> Run {
        task("claim.txt")
            .text()
            .ontology(ontology().radio("Document", &["Letter", "Contract"]))
            .metadata("first", first)
            .metadata("second", second)
            .run::<judge>()
    }

    #[test]
    fn answers_that_agree_are_taken_over() {
        let run = judged("Letter", "Letter");
        assert_eq!((run.route(), run.changes().len()), (Some("done"), 0));
        let labels = run.labels();
        let found = labels.classification("Document").unwrap();
        assert_eq!(found.answer(), Some("Letter".into()));
    }

    #[test]
    fn answers_that_differ_become_a_question() {
        let run = judged("Letter", "Contract");
        assert_eq!((run.route(), run.changed_labels()), (Some("unsure"), false));
        let question = &run.changes()[0];
        assert_eq!(question.kind, "item");
        assert_eq!(question.title.as_deref(), Some("question about claim.txt"));
        let text = question.text.as_deref().unwrap();
        assert_eq!(text, "Is \"claim.txt\" a Letter or a Contract?\n");
    }
}
