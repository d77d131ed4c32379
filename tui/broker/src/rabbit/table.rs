//! Messages and headers between AMQP and JSON.

use crate::message::QueueMessage;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};
use serde_json::{Map, Value, json};

/// What RabbitMQ adds when it moves a message between queues.
const OF_BROKER: [&str; 4] = [
    "x-death",
    "x-first-death-exchange",
    "x-first-death-queue",
    "x-first-death-reason",
];
/// Depth of nested headers that is read.
const DEPTH: usize = 16;

/// A message as it came.
pub fn message(properties: BasicProperties, body: Vec<u8>) -> QueueMessage {
    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
    let mut headers = Map::new();
    if let Some(table) = properties.headers() {
        for (name, value) in table {
            if !OF_BROKER.contains(&name.as_str()) {
                headers.insert(name.to_string(), to_json(value, DEPTH));
            }
        }
    }
    QueueMessage {
        headers,
        content_type: text(properties.content_type()),
        content_encoding: text(properties.content_encoding()),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        priority: *properties.priority(),
        timestamp: *properties.timestamp(),
        body,
        transient: *properties.delivery_mode() == Some(1),
    }
}

/// Its properties on the way out. A text that is too long for AMQP is left out.
pub fn properties(message: &QueueMessage) -> BasicProperties {
    let mut table = FieldTable::default();
    for (name, value) in &message.headers {
        if let Ok(name) = ShortString::try_new(name.as_str()) {
            table.insert(name, of_json(value));
        }
    }
    let short = |text: &Option<String>| {
        let text = text.as_deref()?;
        ShortString::try_new(text).ok()
    };
    let mut properties = BasicProperties::default()
        .with_headers(table)
        .with_delivery_mode(if message.transient { 1 } else { 2 });
    if let Some(text) = short(&message.content_type) {
        properties = properties.with_content_type(text);
    }
    if let Some(text) = short(&message.content_encoding) {
        properties = properties.with_content_encoding(text);
    }
    if let Some(text) = short(&message.correlation_id) {
        properties = properties.with_correlation_id(text);
    }
    if let Some(text) = short(&message.reply_to) {
        properties = properties.with_reply_to(text);
    }
    if let Some(priority) = message.priority {
        properties = properties.with_priority(priority);
    }
    if let Some(timestamp) = message.timestamp {
        properties = properties.with_timestamp(timestamp);
    }
    properties
}

fn to_json(value: &AMQPValue, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let text = |bytes: &[u8]| json!(String::from_utf8_lossy(bytes));
    match value {
        AMQPValue::Boolean(b) => json!(b),
        AMQPValue::ShortShortInt(n) => json!(n),
        AMQPValue::ShortShortUInt(n) => json!(n),
        AMQPValue::ShortInt(n) => json!(n),
        AMQPValue::ShortUInt(n) => json!(n),
        AMQPValue::LongInt(n) => json!(n),
        AMQPValue::LongUInt(n) => json!(n),
        AMQPValue::LongLongInt(n) => json!(n),
        AMQPValue::Float(n) => json!(n),
        AMQPValue::Double(n) => json!(n),
        AMQPValue::DecimalValue(n) => json!(f64::from(n.value) / 10_f64.powi(i32::from(n.scale))),
        AMQPValue::ShortString(s) => json!(s.to_string()),
        AMQPValue::LongString(s) => text(s.as_bytes()),
        AMQPValue::ByteArray(bytes) => text(bytes.as_slice()),
        AMQPValue::Timestamp(n) => json!(n),
        AMQPValue::FieldArray(list) => {
            let values = list.as_slice().iter();
            values.map(|value| to_json(value, depth - 1)).collect()
        }
        AMQPValue::FieldTable(table) => {
            let entries = table.into_iter();
            let entries = entries.map(|(name, v)| (name.to_string(), to_json(v, depth - 1)));
            Value::Object(entries.collect())
        }
        AMQPValue::Void => Value::Null,
    }
}

fn of_json(value: &Value) -> AMQPValue {
    match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(b) => AMQPValue::Boolean(*b),
        Value::Number(n) => match n.as_i64() {
            Some(n) => AMQPValue::LongLongInt(n),
            None => AMQPValue::Double(n.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => AMQPValue::LongString(LongString::from(text.as_str())),
        Value::Array(list) => {
            let mut array = FieldArray::default();
            for value in list {
                array.push(of_json(value));
            }
            AMQPValue::FieldArray(array)
        }
        Value::Object(entries) => {
            let mut table = FieldTable::default();
            for (name, value) in entries {
                if let Ok(name) = ShortString::try_new(name.as_str()) {
                    table.insert(name, of_json(value));
                }
            }
            AMQPValue::FieldTable(table)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_and_without_what_the_broker_added() {
        let sent = QueueMessage {
            headers: json!({"task": "x", "n": 3, "f": 0.5, "none": null, "b": true, "list": [null, 1], "table": {"a": "é"}})
                .as_object()
                .unwrap()
                .clone(),
            content_type: Some("application/json".into()),
            content_encoding: Some("utf-8".into()),
            correlation_id: Some("id".into()),
            reply_to: Some("r".repeat(255)),
            priority: Some(9),
            timestamp: Some(12),
            body: vec![0, 255],
            transient: false,
        };
        let back = message(properties(&sent), sent.body.clone());
        assert_eq!(back, sent);
        let mut moved = sent.clone();
        moved
            .headers
            .insert("x-death".into(), json!([{"count": 1}]));
        assert_eq!(message(properties(&moved), moved.body), sent);
    }

    #[test]
    fn texts_that_are_too_long_for_amqp_are_left_out() {
        let sent = QueueMessage {
            reply_to: Some("r".repeat(256)),
            headers: Map::from_iter([("n".repeat(300), json!(1))]),
            ..QueueMessage::default()
        };
        let back = message(properties(&sent), Vec::new());
        assert!(back.reply_to.is_none() && back.headers.is_empty());
    }
}
