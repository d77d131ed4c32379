//! Resources in tests: opened once in the test's own process, asked with bytes beside the question.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

use agent_abi::prelude::*;
use agent_abi::testing::task;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

static OPENED: AtomicU32 = AtomicU32::new(0);

struct Counter {
    asked: u32,
}

#[derive(Serialize, Deserialize)]
struct Question {
    limit: usize,
}

#[resource(version = "1", files = ["model.onnx"])]
impl Resource for Counter {
    type Question = Question;
    type Answer = u32;

    fn open() -> Result<Self> {
        OPENED.fetch_add(1, Ordering::SeqCst);
        Ok(Self { asked: 0 })
    }

    fn answer(&mut self, question: Question, bytes: &[u8]) -> Result<(u32, Vec<u8>)> {
        if bytes.len() > question.limit {
            bail!("{} bytes are too many", bytes.len());
        }
        self.asked += 1;
        Ok((self.asked, bytes.iter().rev().copied().collect()))
    }
}

#[stage("count")]
fn count(#[depends] counter: &Remote<Counter>) -> Result<Route> {
    let question = Question { limit: 4 };
    let (first, back) = counter.ask(&question, b"a\nb")?;
    let (second, _) = counter.ask(&question, &[])?;
    assert_eq!(back, b"b\na");
    let refused = counter.ask(&question, &[0; 5]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "resource Counter: 5 bytes are too many"
    );
    Ok(Route::to(format!("{first} {second}")))
}

#[test]
fn a_resource_is_opened_once_and_answers_with_bytes_beside() {
    let run = || task("night.jpg").run::<count>();
    let (first, second) = (run(), run());
    assert_eq!(first.route().unwrap(), "1 2");
    assert_eq!(second.route().unwrap(), "3 4");
    assert_eq!(OPENED.load(Ordering::SeqCst), 1);
}

#[test]
fn what_identifies_it_is_its_version_and_its_files() {
    let spec: Value = serde_json::from_str(agent_abi::glue::resource_spec::<Counter>()).unwrap();
    assert_eq!(spec["name"], "Counter");
    assert_eq!(spec["version"], "1");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/model.onnx");
    assert_eq!(spec["files"], json!([file]));
}
