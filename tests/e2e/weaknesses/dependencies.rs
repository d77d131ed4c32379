//! Dependencies, twins, assets and signed addresses: what goes wrong with one costs its own task.

use super::{poll, struck, summary, world};
use crate::support::{
    Server, agent_crate, c_agent, lines, run, rust_agent, stderr, target_of_crates, try_build,
};
use serde_json::{Value, json};

#[test]
fn w01_w16_a_dependency_costs_its_own_task_only_and_a_twin_works_on_every_pass() {
    let (dir, server) = world(5, &[]);
    let demo = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let victim = server.tasks()[2]["uuid"].as_str().unwrap().to_owned();
    let twin = demo.field("twin_project_hash");
    let source = format!(
        r#"use agent_abi::prelude::*;

#[dependency]
fn picky(task: &Task) -> Result<u32> {{
    if task.uuid().to_string() == "{victim}" {{
        bail!("this one is not for me");
    }}
    Ok(1)
}}

#[stage("Agent 1")]
fn depends(#[depends(picky)] _one: &u32) -> Result<Route> {{
    Ok(Route::to("complete"))
}}

#[stage("pre-label")]
fn looks(#[depends(twin("{twin}"))] twin: Option<Twin>) -> Result<Route> {{
    let _ = twin;
    Ok(Route::stay())
}}

export![depends, looks];
"#
    );
    let library = rust_agent(dir.path(), "weak-agents", "", &source);
    let output = run(dir.path(), &server, &library, &[]);
    let (tasks, summary) = lines(&output);
    assert_eq!(
        (output.status.code(), &summary["moved"]),
        (Some(1), &json!(4)),
        "{}",
        stderr(&output)
    );
    let failed = tasks.iter().find(|t| t["outcome"] == "failed").unwrap();
    assert_eq!(failed["task_uuid"], victim.as_str());
    assert!(
        failed["fault"].to_string().contains("not for me"),
        "{failed}"
    );
    let waiting = demo
        .tasks()
        .iter()
        .filter(|t| t["stage"] == "pre-label")
        .count();
    let report = dir.path().join("twins.jsonl");
    let args = ["--jsonl", report.to_str().unwrap()];
    assert_eq!(
        poll(dir.path(), &demo, &library, &args, 3 * waiting),
        Some(130)
    );
    let passes = std::fs::read_to_string(report).unwrap();
    assert!(passes.lines().filter(|l| l.contains("\"stayed\"")).count() >= 3 * waiting);
    assert!(!passes.contains("\"failed\","), "{passes}");
}

#[test]
fn w02_an_asset_that_cannot_be_shown_costs_its_own_task_only() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "60"]);
    let source = "use agent_abi::prelude::*;\n\n#[stage(\"pre-label\")]\n\
                  fn sees(_frame: Frame<'_>) -> Result<Route> {\n    Ok(Route::to(\"annotate\"))\n}\n\n\
                  export![sees];\n";
    let library = rust_agent(dir.path(), "seeing-agents", "", source);
    let all = server.tasks();
    let waiting = all.iter().filter(|t| t["stage"] == "pre-label").count() as u64;
    let args = ["--stage", "pre-label", "--num-retries", "0"];
    let output = run(dir.path(), &server, &library, &args);
    let (tasks, summary) = lines(&output);
    assert_eq!(summary["tasks"], waiting, "{}", stderr(&output));
    // Texts and sounds have nothing to be seen; an image group is seen by its first image.
    let blind = |task: &&Value| {
        let title = task["data_title"].as_str().unwrap();
        title.ends_with(".txt") || title.ends_with(".wav")
    };
    let failed: Vec<&Value> = tasks.iter().filter(|t| t["outcome"] == "failed").collect();
    assert!(!failed.is_empty() && failed.iter().all(blind), "{failed:?}");
    assert_eq!(failed.len(), tasks.iter().filter(blind).count());
    let moved = waiting - failed.len() as u64;
    assert!(moved > failed.len() as u64, "{summary}");
    assert_eq!(
        (output.status.code(), server.changed("actions")),
        (Some(1), moved),
        "{}",
        stderr(&output)
    );
}

#[test]
fn w17_a_signed_address_that_has_expired_is_asked_for_again() {
    let (dir, server) = world(4, &["--fault", "get_items:expire*1"]);
    let output = run(
        dir.path(),
        &server,
        &c_agent(dir.path(), "noop", &["NEEDS=32"]),
        &[],
    );
    assert_eq!(
        (output.status.code(), &summary(&output)["moved"]),
        (Some(0), &json!(4)),
        "{}",
        stderr(&output)
    );
    assert_eq!(struck(&server), [1]);
}

#[test]
fn w17_a_store_that_refuses_its_files_fails_each_task_and_is_not_an_outage() {
    let (dir, server) = world(4, &["--fault", "storage:403"]);
    let library = c_agent(dir.path(), "noop", &["NEEDS=32"]);
    let output = run(dir.path(), &server, &library, &["--num-retries", "0"]);
    let (tasks, summary) = lines(&output);
    assert_eq!(
        (output.status.code(), &summary["failed"]),
        (Some(1), &json!(4)),
        "{}",
        stderr(&output)
    );
    let explained = |t: &Value| {
        t["fault"]["summary"]
            .as_str()
            .is_some_and(|s| s.contains("403"))
    };
    assert!(tasks.iter().all(explained), "{tasks:?}");
}

#[test]
fn w24_a_parameter_that_nobody_can_give_is_refused_by_the_compiler() {
    let dir = tempfile::tempdir().unwrap();
    let source = "use agent_abi::prelude::*;\n\n#[stage(\"Agent 1\")]\nfn odd(x: i32) -> Result<Route> {\n    \
                  let _ = x;\n    Ok(Route::stay())\n}\n\nexport![odd];\n";
    let krate = agent_crate(dir.path(), "odd-agents", "", source);
    let output = try_build(&krate, Some(&target_of_crates()));
    assert!(!output.status.success());
    let words = stderr(&output);
    assert!(words.contains("src/lib.rs:4:11"), "{words}");
    assert!(words.contains("i32"), "{words}");
}
