//! Keys and documents of kombu's Redis transport, so that Celery's producers and workers share queues with ours.

use crate::message::QueueMessage;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What kombu puts between parts of a key.
const SEPARATOR: &str = "\u{6}\u{16}";
/// Kombu has a list for each of these priorities; 0 comes first.
pub const PRIORITIES: [u8; 4] = [0, 3, 6, 9];
/// Messages that were taken: a hash by their tags.
pub const UNACKED: &str = "unacked";
/// When they were taken: a sorted set of their tags.
pub const UNACKED_INDEX: &str = "unacked_index";

/// The list of a queue for messages of this priority.
pub fn list(queue: &str, priority: u8) -> String {
    let step = PRIORITIES.iter().rev().find(|step| **step <= priority);
    match step {
        None | Some(0) => queue.to_owned(),
        Some(step) => format!("{queue}{SEPARATOR}{step}"),
    }
}

/// All lists of a queue, the first to take from first.
pub fn lists(queue: &str) -> [String; 4] {
    PRIORITIES.map(|priority| list(queue, priority))
}

/// The set of queues that are bound to the exchange of this name, and the member for its own queue.
pub fn binding(queue: &str) -> ([String; 2], String) {
    let keys = ["binding", "binding_permanent"].map(|name| format!("_kombu.{name}.{queue}"));
    (keys, [queue, "", queue].join(SEPARATOR))
}

/// How an entry of the hash of taken messages ends when it came from this queue by the default exchange.
pub fn origin(queue: &str) -> String {
    format!(",\"\",{}]", json!(queue))
}

/// A message and its tag; one that is not kombu's has its bytes as body and no headers.
pub fn read(raw: &[u8]) -> Option<(QueueMessage, String)> {
    let document: Value = serde_json::from_slice(raw).ok()?;
    let properties = &document["properties"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let body = document["body"].as_str()?;
    let body = match properties["body_encoding"].as_str() {
        Some("base64") => STANDARD.decode(body).ok()?,
        _ => body.as_bytes().to_vec(),
    };
    let headers = document["headers"].as_object().cloned();
    let mut headers = headers.unwrap_or_default();
    headers.remove("redelivered");
    let priority = properties["priority"].as_u64().map(|n| n.min(9) as u8); // one digit
    let message = QueueMessage {
        headers,
        content_type: text(&document["content-type"]),
        content_encoding: text(&document["content-encoding"]),
        correlation_id: text(&properties["correlation_id"]),
        reply_to: text(&properties["reply_to"]),
        priority,
        timestamp: properties["timestamp"].as_u64(),
        body,
        transient: properties["delivery_mode"] == json!(1),
    };
    Some((message, text(&properties["delivery_tag"])?))
}

/// Whether it was given out before.
pub fn redelivered(raw: &[u8]) -> bool {
    let document: Option<Value> = serde_json::from_slice(raw).ok();
    document.is_some_and(|d| d["headers"]["redelivered"] == json!(true))
}

/// The message for a queue.
pub fn write(message: &QueueMessage, queue: &str, tag: &str) -> Vec<u8> {
    let mut properties = Map::new();
    for (name, text) in [
        ("correlation_id", &message.correlation_id),
        ("reply_to", &message.reply_to),
    ] {
        if let Some(text) = text {
            properties.insert(name.into(), json!(text));
        }
    }
    if let Some(timestamp) = message.timestamp {
        properties.insert("timestamp".into(), json!(timestamp));
    }
    for (name, value) in [
        (
            "delivery_mode",
            json!(if message.transient { 1 } else { 2 }),
        ),
        (
            "delivery_info",
            json!({"exchange": "", "routing_key": queue}),
        ),
        ("priority", json!(message.priority.unwrap_or(0))),
        ("body_encoding", json!("base64")),
        ("delivery_tag", json!(tag)),
    ] {
        properties.insert(name.into(), value);
    }
    let document = json!({
        "body": STANDARD.encode(&message.body),
        "content-encoding": message.content_encoding,
        "content-type": message.content_type,
        "headers": message.headers,
        "properties": properties,
    });
    document.to_string().into_bytes()
}

/// A message that goes back to its queue, marked as kombu marks it; as it is where that cannot be done.
pub fn marked_redelivered(raw: &[u8]) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(raw) else {
        return raw.to_vec();
    };
    if let Some(headers) = document.get_mut("headers").and_then(Value::as_object_mut) {
        headers.insert("redelivered".into(), json!(true));
    }
    let info = document.pointer_mut("/properties/delivery_info");
    if let Some(info) = info.and_then(Value::as_object_mut) {
        info.insert("redelivered".into(), json!(true));
    }
    document.to_string().into_bytes()
}

/// The priority of a message as it stands in the broker.
pub fn priority(raw: &[u8]) -> u8 {
    read(raw).and_then(|(m, _)| m.priority).unwrap_or(0)
}

/// The message in an entry of the hash of taken messages, if it came from this queue.
pub fn taken_from<'e>(entry: &'e [u8], queue: &str) -> Option<&'e [u8]> {
    // Kombu writes blanks behind commas.
    let endings = [origin(queue), format!(", \"\", {}]", json!(queue))];
    let inner = entry.strip_prefix(b"[")?;
    let ending = |end: &String| inner.strip_suffix(end.as_bytes());
    endings.iter().find_map(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_those_of_kombu() {
        assert_eq!(list("q", 0), "q");
        assert_eq!(list("q", 2), "q");
        assert_eq!(list("q", 3), "q\u{6}\u{16}3");
        assert_eq!(list("q", 255), "q\u{6}\u{16}9");
        assert_eq!(binding("cap").1, "cap\u{6}\u{16}\u{6}\u{16}cap");
    }

    #[test]
    fn entries_of_either_side_give_their_message() {
        for entry in ["[{\"a\": 1}, \"\", \"q\"]", "[{\"a\": 1},\"\",\"q\"]"] {
            assert_eq!(
                taken_from(entry.as_bytes(), "q"),
                Some(b"{\"a\": 1}".as_slice())
            );
            assert_eq!(taken_from(entry.as_bytes(), "r"), None);
        }
    }

    #[test]
    fn what_goes_back_is_marked_and_other_bytes_stay() {
        let message = QueueMessage {
            body: b"x".to_vec(),
            priority: Some(3),
            ..QueueMessage::default()
        };
        let raw = write(&message, "q", "t");
        let again = marked_redelivered(&raw);
        assert!(!redelivered(&raw) && redelivered(&again));
        assert_eq!(read(&again), read(&raw));
        assert_eq!(priority(&raw), 3);
        assert_eq!(marked_redelivered(b"{"), b"{");
    }
}
