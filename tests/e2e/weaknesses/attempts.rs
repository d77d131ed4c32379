//! Attempts and answers: retries start clean, failures are reported, every answer counts once.

use super::{BOX, calls, counted, summary, world};
use crate::support::{lines, run, stderr};
use serde_json::json;

#[test]
fn w05_a_retry_starts_from_clean_labels() {
    let (dir, server) = world(1, &[]);
    let library = counted(
        dir.path(),
        &format!("{{\"route\":\"complete\",{BOX}}}"),
        &["FAIL=2", "NEEDS=2"],
    );
    let (tasks, _) = lines(&run(dir.path(), &server, &library, &["--dry-run"]));
    assert_eq!(
        (&tasks[0]["attempts"], &tasks[0]["outcome"]),
        (&json!(3), &json!("moved")),
        "{}",
        tasks[0]
    );
    assert_eq!(
        tasks[0]["patch"]["labels"].as_array().unwrap().len(),
        1,
        "one box, not three"
    );
}

#[test]
fn w07_exhausted_retries_show_in_summary_and_exit_code() {
    let (dir, server) = world(3, &[]);
    let library = counted(dir.path(), "{}", &["FAIL=100"]);
    let output = run(dir.path(), &server, &library, &["--num-retries", "1"]);
    assert_eq!(
        (output.status.code(), &summary(&output)["failed"]),
        (Some(1), &json!(3))
    );
    assert_eq!(calls(dir.path()).len(), 6);
    assert!(
        stderr(&output).contains("not to my liking"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn w08_w09_a_priority_needs_no_flag_and_zero_counts() {
    let (dir, server) = world(4, &[]);
    let library = counted(dir.path(), r#"{"route":"complete","priority":0.0}"#, &[]);
    let output = run(dir.path(), &server, &library, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(calls(dir.path()).len(), 4, "each agent call is made once");
    assert!(server.tasks().iter().all(|t| t["priority"] == 0.0));
}

#[test]
fn w19_an_answer_of_a_wrong_type_is_reported_once_and_not_retried() {
    let (dir, server) = world(2, &[]);
    let output = run(dir.path(), &server, &counted(dir.path(), "5", &[]), &[]);
    assert_eq!(
        (output.status.code(), calls(dir.path()).len()),
        (Some(1), 2)
    );
    assert!(
        stderr(&output).contains("not an outcome"),
        "{}",
        stderr(&output)
    );
}
