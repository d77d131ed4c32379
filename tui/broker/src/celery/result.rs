//! Results, as the `rpc://` and Redis back ends of Celery read them.

use crate::message::QueueMessage;
use serde_json::{Value, json};

/// How a message ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CallOutcome {
    /// With this result; also where an agent failed, since a `TaskCompletionResult` holds its error.
    Success(Value),
    /// It cannot be worked on: `.get()` raises a `ValueError` with this text.
    Failure(String),
    /// It came too late.
    Expired,
}

/// What a result back end keeps for a message.
#[must_use]
pub fn document(id: &str, outcome: &CallOutcome, now: jiff::Timestamp) -> Value {
    let raised = |kind: &str, module: &str, text: &str| json!({"exc_type": kind, "exc_message": [text], "exc_module": module});
    let (status, result) = match outcome {
        CallOutcome::Success(result) => ("SUCCESS", result.clone()),
        CallOutcome::Failure(text) => ("FAILURE", raised("ValueError", "builtins", text)),
        CallOutcome::Expired => (
            "REVOKED",
            raised("TaskRevokedError", "celery.exceptions", "expired"),
        ),
    };
    // Celery writes microseconds and no Z.
    let date = now.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string();
    json!({
        "status": status, "result": result, "traceback": null, "children": [],
        "date_done": date, "task_id": id,
    })
}

/// The message with this document, to the queue that the producer listens to.
#[must_use]
pub fn reply(id: &str, document: &Value) -> QueueMessage {
    QueueMessage {
        content_type: Some("application/json".to_owned()),
        content_encoding: Some("utf-8".to_owned()),
        correlation_id: Some(id.to_owned()),
        priority: Some(0),
        body: document.to_string().into_bytes(),
        transient: true,
        ..QueueMessage::default()
    }
}
