//! Outcomes: judged once, so that a dry run, a plan and a real run end the same way; and numbers that lose
//! nothing on their way.

use crate::support::{Server, c_agent, c_text, lines, plan, run, stderr, workbench};
use serde_json::Value;
use std::path::Path;

const WRITE: &str = "NEEDS=WB_NEED_LABEL_ROW_WRITE";

/// How the one task of a run ended, and why.
fn ending(output: &std::process::Output) -> (Option<i32>, String, String) {
    let (all, summary) = lines(output);
    assert_eq!(
        (all.len(), &summary["tasks"]),
        (1, &Value::from(1)),
        "{}",
        stderr(output)
    );
    let fault = all[0]["fault"].to_string();
    (
        output.status.code(),
        all[0]["outcome"].as_str().unwrap().to_owned(),
        fault,
    )
}

/// Runs an agent that answers this, dry and for real.
fn both(answer: &str, then: impl Fn(&Path, &Server)) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "1"]);
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", answer), WRITE]);
    let go = |more: &[&str]| {
        let args = [&["--num-retries", "0", "--stage", "Agent 1"][..], more].concat();
        ending(&run(dir.path(), &server, &library, &args))
    };
    let dry = go(&["--dry-run"]);
    let planned = plan(dir.path(), &server, &library, &["--stage", "Agent 1"]);
    assert_eq!(
        planned.status.code(),
        dry.0,
        "{answer}: {}",
        stderr(&planned)
    );
    let real = go(&[]);
    assert_eq!(dry, real, "{answer}");
    then(dir.path(), &server);
    real
}

#[test]
fn answers_that_no_commit_would_take_are_refused_in_dry_runs_too() {
    for (answer, why) in [
        (
            r#"{"route":"complete","labels":{}}"#,
            "not a whole label row",
        ),
        (
            r#"{"route":"complete","labels":{"data_units":"boo"}}"#,
            "not a whole label row",
        ),
        (r#"["complete",0.5]"#, "not a JSON object"),
        (r#"{"rout":"complete"}"#, "none of the names"),
        (r#"{"route":"complete","priority":1.01}"#, "0.01 beyond"),
    ] {
        let (code, outcome, fault) = both(answer, |_, server| {
            let state = server.admin("/local/state");
            assert_eq!(state["tasks"][0]["stage"], "Agent 1", "{state}");
        });
        assert_eq!(
            (code, outcome.as_str()),
            (Some(1), "failed"),
            "{answer}: {fault}"
        );
        assert!(fault.contains(why), "{answer}: {fault}");
    }
}

#[test]
fn numbers_of_a_32_bit_detector_cost_no_task() {
    let answer = r#"{"route":"complete","priority":1.0000001}"#;
    let (code, outcome, fault) = both(answer, |_, server| {
        let state = server.admin("/local/state");
        assert_eq!(state["tasks"][0]["priority"], Value::from(1.0), "{state}");
    });
    assert_eq!((code, outcome.as_str()), (Some(0), "moved"), "{fault}");
}

#[test]
fn plans_and_the_journal_keep_the_digits_of_client_metadata() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "1"]);
    let pairs = [
        r#""big":18446744073709551617"#,
        r#""decimal":1.10"#,
        r#""fine":0.1000000000000000055"#,
    ];
    let answer = format!(
        r#"{{"route":"complete","client_metadata":{{{}}}}}"#,
        pairs.join(",")
    );
    let library = c_agent(dir.path(), "noop", &[&c_text("OUTCOME", &answer)]);
    let planned = plan(dir.path(), &server, &library, &["--stage", "Agent 1"]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    let applied = workbench(dir.path(), &server, &["apply", "p.wbplan", "--yes"]);
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    let shown = workbench(dir.path(), &server, &["review", "p.wbplan", "--json"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let journal: Vec<u8> = std::fs::read_dir(dir.path().join(".workbench"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("journal")
        })
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    let journal = String::from_utf8_lossy(&journal).into_owned();
    for pair in pairs {
        assert!(shown.contains(pair), "{pair} in the plan: {shown}");
        assert!(journal.contains(pair), "{pair} in the journal");
    }
    let undone = workbench(dir.path(), &server, &["undo", "--yes"]);
    assert_eq!(
        undone.status.code(),
        Some(0),
        "what was written is known again: {}",
        stderr(&undone)
    );
}
