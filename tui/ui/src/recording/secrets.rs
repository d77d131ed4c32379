//! Takes secrets out of a line of a recording: out of each text in it, whatever event it belongs to.

use std::borrow::Cow;
use wb_core::secret;
use wb_core::work::without_secrets;

/// Shorter texts hold no secret, in bytes.
const SHORTEST: usize = 8;

/// JSON on one line without signed addresses, and without what [`secret::clean`] takes out of a text. Documents inside
/// texts, such as label rows, stay documents.
pub fn without(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut kept, mut at) = (0, 0);
    let mut name = "";
    while let Some(begin) = json[at..].find('"').map(|found| at + found + 1) {
        let end = begin + end_of_string(&json[begin..]);
        let raw = &json[begin..end];
        at = (end + 1).min(json.len());
        if json[at..].starts_with(':') {
            name = raw;
            continue;
        }
        if let Some(clean) = cleaned(std::mem::take(&mut name), raw) {
            out.push_str(&json[kept..begin]);
            let quoted = serde_json::Value::String(clean).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
            kept = end;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[kept..]);
    Cow::Owned(out)
}

/// Where a string ends whose first quote was passed.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let quote = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    quote.unwrap_or(text.len())
}

/// The text without secrets, if it has any; `raw` is as it stands in JSON.
fn cleaned(name: &str, raw: &str) -> Option<String> {
    if secret::is_signed(name) {
        return Some(String::new());
    }
    if is_secret(name) {
        return Some("…".to_owned());
    }
    if raw.len() < SHORTEST || is_id(raw) {
        return None;
    }
    let text: Cow<'_, str> = match raw.contains('\\') {
        true => serde_json::from_str::<String>(&format!("\"{raw}\""))
            .ok()?
            .into(),
        false => raw.into(),
    };
    let unsigned = match text.starts_with(['{', '[']) {
        true => without_secrets(&text),
        false => text.clone().into_owned(),
    };
    let clean = secret::clean(&unsigned);
    (clean != text).then(|| clean.into_owned())
}

/// Whether the value of this name is a secret, whatever it is: `api_key`, `MODEL_KEY`.
fn is_secret(name: &str) -> bool {
    /// Nothing that is a secret by itself.
    const VALUE: &str = "value";
    /// Shorter names are none of a secret, in bytes.
    const SHORTEST: usize = 6;
    let pair = || format!("\"{name}\":\"{VALUE}\"");
    name.len() >= SHORTEST && !secret::clean(&pair()).contains(VALUE)
}

/// Whether it is a UUID.
fn is_id(text: &str) -> bool {
    text.len() == 36 && (text.bytes()).all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn each_text_loses_its_secrets_and_nothing_else_changes() {
        let row = json!({"metadata": {"data_link": "https://s/x.png?X-Sig=geheim"}, "labels": {"u": {"signedUrl": "/z?geheim"}}});
        let line = json!({"t": 1, "entry": {"event": {"Job": {"Log": {"text": "authorization: Bearer geheim-12345"}},
            "url": "see \"https://h/a?sig=geheim\" and\n\"quotes\"", "json": row.to_string(), "signedUrl": "/geheim?x=geheim",
            "params": {"api_key": "geheim", "MODEL_KEY": "geheim"}, "id": "6011c844-fb26-438b-b465-0b0825950001", "deep": [{"number": 1.50, "plain": "nothing \"secret\" \\ here"}]}}});
        let text = line.to_string();
        let clean = without(&text);
        assert!(!clean.contains("geheim"), "{clean}");
        let again: Value = serde_json::from_str(&clean).unwrap();
        let event = &again["entry"]["event"];
        assert_eq!(event["deep"], line["entry"]["event"]["deep"]);
        assert_eq!(event["id"], line["entry"]["event"]["id"]);
        let inner: Value = serde_json::from_str(event["json"].as_str().unwrap()).unwrap();
        assert_eq!(inner["metadata"]["data_link"], "https://s/x.png");
    }

    #[test]
    fn a_line_without_secrets_is_not_copied() {
        let text = r#"{"t":12,"entry":{"event":{"Tick":1700000000000,"title":"a \"long\" title of a task"}}}"#;
        assert!(matches!(without(text), Cow::Borrowed(same) if same == text));
    }
}
