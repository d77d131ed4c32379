//! Messages that a Celery worker takes.

use crate::message::QueueMessage;
use serde_json::{Map, Value, json};
use wb_core::error::clip;

/// Longest description of the arguments in a header, in bytes; Celery cuts its own too.
const DESCRIPTION: usize = 1024;

/// The name that encord-agents' example gives its task.
pub const DEFAULT_TASK: &str = "celery_function";

/// A task on its way to a worker.
#[derive(Clone, Copy, Debug)]
pub struct NewTask<'a> {
    /// Name that the workers registered the task under.
    pub name: &'a str,
    /// Its id.
    pub id: &'a str,
    /// The spec: JSON, as `task.model_dump_json()` writes it.
    pub spec: &'a str,
    /// Who sends it: `PROGRAM@HOST`.
    pub origin: &'a str,
    /// Seconds since 1970.
    pub now: u64,
}

impl NewTask<'_> {
    /// The message.
    #[must_use]
    pub fn message(&self) -> QueueMessage {
        let NewTask { name, id, spec, .. } = self;
        let headers = json!({
            "lang": "py", "task": name, "id": id, "shadow": null, "eta": null, "expires": null,
            "group": null, "group_index": null, "retries": 0, "timelimit": [null, null],
            "root_id": id, "parent_id": null,
            "argsrepr": clip(format!("('{spec}',)"), DESCRIPTION), "kwargsrepr": "{}",
            "origin": self.origin, "ignore_result": true, "replaced_task_nesting": 0,
            "stamped_headers": null, "stamps": {},
        });
        let embedded = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
        QueueMessage {
            headers: match headers {
                Value::Object(headers) => headers,
                _ => Map::new(),
            },
            content_type: Some("application/json".to_owned()),
            content_encoding: Some("utf-8".to_owned()),
            correlation_id: Some((*id).to_owned()),
            reply_to: None,
            priority: Some(0),
            timestamp: Some(self.now),
            body: json!([[spec], {}, embedded]).to_string().into_bytes(),
            transient: false,
        }
    }
}
