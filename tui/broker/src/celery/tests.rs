//! Messages captured from Celery 5.7 (`tests/captured`), and what is made of them.

use super::*;
use crate::redis::layout;
use base64::Engine as _;
use serde_json::json;

const AMQP: &str = include_str!("../../tests/captured/celery-5.7.0-amqp.json");
const REDIS: &str = include_str!("../../tests/captured/celery-5.7.0-redis.json");

fn captured(name: &str) -> QueueMessage {
    let all: Value = serde_json::from_str(AMQP).unwrap();
    let one = &all[name];
    let text = |name: &str| {
        let value = one["properties"][name].as_str();
        value.map(str::to_owned)
    };
    let body = one["body"].as_str().unwrap();
    let packed = one["headers"].get("compression").is_some();
    QueueMessage {
        headers: one["headers"].as_object().unwrap().clone(),
        content_type: text("content_type"),
        content_encoding: text("content_encoding"),
        correlation_id: text("correlation_id"),
        reply_to: text("reply_to"),
        body: match packed {
            true => base64::engine::general_purpose::STANDARD
                .decode(body)
                .unwrap(),
            false => body.as_bytes().to_vec(),
        },
        ..QueueMessage::default()
    }
}

/// The last digits of the tasks.
fn tasks(call: &TaskCall) -> Vec<u64> {
    let digits = |spec: Value| {
        let uuid = spec["uuid"].as_str().unwrap().to_owned();
        u64::from_str_radix(&uuid[24..], 16).unwrap()
    };
    call.specs().into_iter().map(digits).collect()
}

#[test]
fn every_way_to_pass_specs_is_read() {
    let texts = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    for (name, arguments, wanted, result) in [
        ("string", 1, vec![100], json!("0")),
        ("array_of_strings", 1, vec![100, 101], json!("0")),
        ("object", 1, vec![100], json!("0")),
        ("keyword", 1, vec![100], json!("0")),
        ("gzip", 1, vec![100], json!("0")),
        ("map", 2, vec![100, 101], json!(["0", "1"])),
        ("starmap", 2, vec![100, 101], json!(["0", "1"])),
        ("starmap_of_chunks", 2, vec![100, 101], json!(["0", "1"])),
        (
            "chunks",
            4,
            vec![100, 101, 102, 103],
            json!([["0", "1"], ["2", "3"]]),
        ),
    ] {
        let message = captured(name);
        let call = read(&message).unwrap();
        assert_eq!(call.arguments.len(), arguments, "{name}");
        assert_eq!(tasks(&call), wanted, "{name}");
        assert_eq!(call.result(texts(arguments)), result, "{name}");
        assert_eq!(Some(&call.id), message.correlation_id.as_ref());
        assert_eq!(call.reply_to, message.reply_to);
    }
    assert!(read(&captured("ignore_result")).unwrap().ignore_result);
}

#[test]
fn times_are_read_and_compared() {
    let call = read(&captured("eta")).unwrap();
    let eta: jiff::Timestamp = call.eta.as_ref().unwrap().parse().unwrap();
    let minute = jiff::SignedDuration::from_secs(60);
    assert_eq!(call.early(eta - minute), Some(Duration::from_secs(60)));
    assert_eq!(call.early(eta + minute), None);
    assert!(!call.expired(eta) && call.expired(eta + minute * 61));
}

#[test]
fn what_cannot_be_worked_on_is_refused_with_its_reason() {
    let broken = |change: fn(&mut QueueMessage)| {
        let mut message = captured("string");
        change(&mut message);
        read(&message).unwrap_err()
    };
    for (error, word) in [
        (read(&captured("link")).unwrap_err(), "callback"),
        (broken(|m| m.body = b"{".to_vec()), "not [args"),
        (broken(|m| m.body = b"[[], {}, {}]".to_vec()), "task_spec"),
        (
            broken(|m| m.content_type = Some("application/x-python-serialize".into())),
            "application/json",
        ),
        (
            broken(|m| drop(m.headers.insert("compression".into(), json!("bzip2")))),
            "bzip2",
        ),
    ] {
        assert!(error.why.contains(word), "{error:?}");
        assert!(
            error.id.is_some() && error.reply_to.is_some(),
            "its producer is answered"
        );
    }
    let nothing = broken(|m| m.headers.clear());
    assert!(nothing.why.contains("task") && nothing.id.is_some());
    let mut many = captured("map");
    let it = vec!["x"; 20_001];
    many.body = json!([[], {"it": it}, {}]).to_string().into_bytes();
    assert!(read(&many).unwrap_err().why.contains("20001"));
}

#[test]
fn a_body_that_unpacks_to_gigabytes_is_refused_early() {
    use std::io::Write as _;
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..66 {
        packer.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let mut message = captured("gzip");
    message.body = packer.finish().unwrap();
    assert!(
        read(&message)
            .unwrap_err()
            .why
            .contains("longer than 64 MB")
    );
}

#[test]
fn messages_in_kombus_redis_layout_are_the_same_and_come_back_unchanged() {
    let all: Value = serde_json::from_str(REDIS).unwrap();
    for name in ["string", "starmap", "eta"] {
        let raw = all[name]["text"].as_str().unwrap();
        let (message, tag) = layout::read(raw.as_bytes()).unwrap();
        let call = read(&message).unwrap();
        assert_eq!(call.specs().len(), if name == "starmap" { 2 } else { 1 });
        let written = layout::write(&message, "cap", &tag);
        let (before, after): (Value, Value) = (
            serde_json::from_str(raw).unwrap(),
            serde_json::from_slice(&written).unwrap(),
        );
        for field in ["body", "headers", "content-type", "content-encoding"] {
            assert_eq!(before[field], after[field], "{name}");
        }
        for field in ["correlation_id", "reply_to", "priority", "delivery_tag"] {
            let of = |document: &Value| document["properties"][field].clone();
            assert_eq!(of(&before), of(&after), "{name} {field}");
        }
    }
}

#[test]
fn what_is_written_has_the_headers_and_the_body_that_celery_writes() {
    let theirs = captured("string");
    let call = read(&theirs).unwrap();
    let ours = NewTask {
        name: &call.task,
        id: &call.id,
        spec: call.arguments[0].as_str().unwrap(),
        origin: "workbench@here",
        now: 7,
    }
    .message();
    let names = |message: &QueueMessage| message.headers.keys().cloned().collect::<Vec<_>>();
    let (mut a, mut b) = (names(&theirs), names(&ours));
    a.sort_unstable();
    b.sort_unstable();
    assert_eq!(a, b);
    let body = |message: &QueueMessage| serde_json::from_slice::<Value>(&message.body).unwrap();
    assert_eq!(body(&theirs), body(&ours));
    assert_eq!(read(&ours).unwrap().arguments, call.arguments);
}

#[test]
fn results_are_those_of_celery() {
    let now: jiff::Timestamp = "2026-11-30T16:05:16.379924Z".parse().unwrap();
    let success = document("7b", &CallOutcome::Success(json!("ok")), now);
    let captured = r#"{"status": "SUCCESS", "result": "ok", "traceback": null, "children": [],
        "date_done": "2026-11-30T16:05:16.379924+00:00", "task_id": "7b"}"#;
    assert_eq!(success, serde_json::from_str::<Value>(captured).unwrap());
    let failure = document("7b", &CallOutcome::Failure("no such thing".into()), now);
    let captured =
        r#"{"exc_type": "ValueError", "exc_message": ["no such thing"], "exc_module": "builtins"}"#;
    assert_eq!(
        failure["result"],
        serde_json::from_str::<Value>(captured).unwrap()
    );
    let reply = reply("7b", &success);
    assert_eq!(reply.correlation_id.as_deref(), Some("7b"));
}
