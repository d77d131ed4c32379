//! Batches and limits: nobody loses anything because of a neighbour, and limits are kept exactly.

use super::{BOX, calls, counted, poll, struck, summary, world};
use crate::support::{c_agent, c_text, command, run, stderr};
use serde_json::{Value, json};

#[test]
fn w03_w04_a_wrong_pathway_loses_nobody_elses_work_and_leaves_no_half_done_task() {
    let (dir, server) = world(5, &[]);
    let victim = server.tasks()[4]["uuid"].as_str().unwrap().to_owned();
    let defines = [
        c_text("WORD", &victim),
        c_text("GOOD", &format!("{{\"route\":\"complete\",{BOX}}}")),
        c_text(
            "BAD",
            &format!("{{\"route\":\"nowhere\",\"priority\":0.9,{BOX}}}"),
        ),
        "NEEDS=2".to_owned(),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    let output = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "picky", &defines),
        &[],
    );
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(1), &json!(4)),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        (server.changed("actions"), server.changed("save_labels")),
        (4, 4)
    );
    let left = server
        .tasks()
        .into_iter()
        .find(|t| t["uuid"] == victim.as_str())
        .unwrap();
    assert_eq!(
        (&left["stage"], &left["priority"], &left["labels"]),
        (&json!("Agent 1"), &json!(0.5), &Value::Null)
    );
}

#[test]
fn w10_a_limit_of_tasks_is_kept_exactly() {
    let (dir, server) = world(12, &[]);
    let library = counted(dir.path(), r#"{"route":"complete"}"#, &[]);
    run(
        dir.path(),
        &server,
        &library,
        &["--max-tasks-per-stage", "4", "--task-batch-size", "3"],
    );
    assert_eq!((calls(dir.path()).len(), server.changed("actions")), (4, 4));
}

#[test]
fn w11_tasks_that_stay_do_not_keep_the_others_waiting() {
    let (dir, server) = world(5, &[]);
    let library = counted(dir.path(), "{}", &[]);
    poll(
        dir.path(),
        &server,
        &library,
        &["--max-tasks-per-stage", "2"],
        5,
    );
    let mut first: Vec<String> = calls(dir.path()).into_iter().take(5).collect();
    first.sort_unstable();
    first.dedup();
    assert_eq!(
        first.len(),
        5,
        "five passes of two tasks reach all five before any comes again"
    );
}

#[test]
fn w12_sizes_that_mean_nothing_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for wrong in [
        ["--task-batch-size", "0"],
        ["--task-batch-size", "-3"],
        ["--num-retries", "-1"],
        ["--max-tasks-per-stage", "0"],
        ["--max-failures", "0%"],
    ] {
        let output = command(dir.path()).arg("run").args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn w13_a_refused_save_is_tried_again_and_the_batch_moves() {
    let (dir, server) = world(6, &["--fault", "save_labels:500*2"]);
    let library = counted(
        dir.path(),
        &format!("{{\"route\":\"complete\",{BOX}}}"),
        &["NEEDS=2"],
    );
    let output = run(dir.path(), &server, &library, &[]);
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(0), &json!(6)),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        (calls(dir.path()).len(), server.changed("save_labels")),
        (6, 6)
    );
    assert_eq!(struck(&server), [2]);
}

#[test]
fn reports_hold_every_task_and_a_run_stops_at_its_share_of_failures() {
    let (dir, server) = world(60, &[]);
    let library = counted(dir.path(), "{}", &["FAIL=1000"]);
    let args = [
        "--max-failures",
        "50%",
        "--num-retries",
        "0",
        "--report",
        "r.html",
        "--junit",
        "j.xml",
        "--jsonl",
        "l.jsonl",
    ];
    let output = run(dir.path(), &server, &library, &args);
    assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
    let failed = summary(&output)["failed"].as_u64().unwrap();
    assert_eq!(
        failed, 20,
        "a share means something once 20 tasks are known"
    );
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("j.xml").matches("<failure ").count(), 20);
    assert!(read("r.html").contains("not to my liking") && !read("r.html").contains("http"));
    assert_eq!(read("l.jsonl").lines().count(), 21);
}
