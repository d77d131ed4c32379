//! Asks a language model what a document is, with the ontology as the schema of its answer.
//!
//! `workbench.toml`, under the stage "document": `url = "https://…/v1/chat/completions"` of any server with the chat
//! completions API and structured outputs, and `model`. The key comes from `LLM_KEY` (`key_env` names another one).

use crate::model::{ask, client};
use agent_abi::prelude::*;
use serde::Deserialize;

/// Characters of a document that the model reads.
const LONGEST: usize = 20_000;

/// The stage's parameters.
#[derive(Deserialize)]
pub struct Settings {
    /// Where the language model listens.
    pub url: String,
    /// Its name there.
    pub model: String,
    /// Name of the environment variable that holds the key.
    #[serde(default = "key_env")]
    pub key_env: String,
}

fn key_env() -> String {
    "LLM_KEY".to_owned()
}

/// What the chat completions API answers.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: String,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// Classifies the document, nested answers too; people look at what the model would not or could not classify.
#[stage(
    "document",
    routes = ["done", "unsure"],
    params(url: String, model: String, key_env: String = "LLM_KEY"),
    timeout = "1m",
    idempotent
)]
pub fn document(
    labels: &mut LabelRow,
    file: AssetPath,
    settings: Params<Settings>,
    #[depends(client)] client: &ureq::Agent,
) -> Result<Route> {
    let ontology = labels.ontology();
    let kind = ontology.classification("Document")?;
    let text: String = file.read_text()?.chars().take(LONGEST).collect();
    let format = json!({"name": "document", "schema": kind.json_schema()});
    let question = json!({
        "model": settings.model,
        "messages": [
            {"role": "system", "content": "Classify the document. Answer only what is written in it."},
            {"role": "user", "content": text},
        ],
        "response_format": {"type": "json_schema", "json_schema": format},
    });
    let answer: Completion = ask(client, &settings.url, &settings.key_env, &question)?;
    let first = answer.choices.first().context("the model gave no answer")?;
    let content = first.message.content.as_deref().unwrap_or_default();
    if first.finish_reason != "stop" || content.is_empty() {
        warn!("the model did not finish: {}", first.finish_reason);
        return Ok(Route::to("unsure").priority(0.8));
    }
    let answer: Value = serde_json::from_str(content).context("the model's answer is not JSON")?;
    let answer = checkpoint("answer", &answer)?;
    labels.add(kind.answer_json(&answer)?.manual(false))?;
    Ok(Route::to("done"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stub::answering;
    use agent_abi::testing::{Run, ontology, task};

    /// What the model answers to the one question that it is asked.
    fn asked(content: &Value, finish_reason: &str) -> (Run, String) {
        let choice = json!({"message": {"content": content}, "finish_reason": finish_reason});
        let body = json!({"choices": [choice]}).to_string();
        let (url, heard) = answering(vec![(200, body)]);
        let kinds = ontology().radio("Document", &["Invoice", "Letter"]);
        let run = task("bill.txt")
            .text()
            .file("Invoice 2026-114")
            .ontology(kinds)
            .params(json!({"url": url, "model": "small", "key_env": "CARGO_PKG_NAME"}))
            .run::<document>();
        (run, heard.join().unwrap().remove(0).1)
    }

    #[test]
    fn the_model_is_given_text_and_schema_and_its_answer_becomes_a_classification() {
        let (run, question) = asked(&json!(r#"{"document": "Invoice"}"#), "stop");
        assert_eq!(run.route(), Some("done"));
        let labels = run.labels();
        let found = labels.classification("Document").unwrap();
        assert_eq!(found.answer(), Some("Invoice".into()));
        let question: Value = serde_json::from_str(&question).unwrap();
        assert_eq!(question["messages"][1]["content"], "Invoice 2026-114");
        let schema = &question["response_format"]["json_schema"]["schema"];
        let choice = &schema["properties"]["document"]["properties"]["choice"];
        assert_eq!(choice["enum"], json!(["Invoice", "Letter"]));
    }

    #[test]
    fn people_see_what_the_model_refused_to_classify() {
        let (run, _) = asked(&Value::Null, "content_filter");
        assert_eq!((run.route(), run.changed_labels()), (Some("unsure"), false));
    }

    #[test]
    fn an_answer_that_is_not_in_the_ontology_fails_and_may_be_asked_for_again() {
        let (run, _) = asked(&json!(r#"{"document": "Poem"}"#), "stop");
        let failure = run.failure().unwrap();
        assert!(failure.message.contains("Poem"), "{}", failure.message);
    }
}
