//! The filter language against a real server: `tasks` and `run` see priorities, client metadata and
//! labels, and only what matches is run.

use crate::support::{Server, c_agent, lines, run, sample_agents, stderr, workbench};
use serde_json::Value;
use std::collections::BTreeSet;

fn listed(dir: &std::path::Path, server: &Server, filter: &str) -> BTreeSet<String> {
    let output = workbench(
        dir,
        server,
        &["tasks", "--json", "--limit", "1000", "--filter", filter],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .map(|task| task["uuid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn priority_and_metadata_divide_the_tasks_and_a_run_takes_exactly_those_that_match() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "200"]);
    let all = listed(dir.path(), &server, "");
    let (high, low) = (
        listed(dir.path(), &server, "pri>0.5"),
        listed(dir.path(), &server, "pri<=0.5"),
    );
    assert!(!high.is_empty() && !low.is_empty());
    assert_eq!(&high | &low, all);
    assert!(high.is_disjoint(&low));
    let cam4 = listed(dir.path(), &server, "meta.site=cam4");
    let rest = listed(dir.path(), &server, "-meta.site=cam4");
    assert_eq!(cam4.len() + rest.len(), all.len());
    let wanted = listed(dir.path(), &server, "meta.site=cam4 pri<=0.5");
    assert!(!wanted.is_empty() && wanted.len() < cam4.len().max(2));

    let arguments = [
        "--stage",
        "pre-label",
        "--filter",
        "meta.site=cam4 pri<=0.5",
    ];
    let output = run(dir.path(), &server, &sample_agents(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (tasks, _) = lines(&output);
    let ran: BTreeSet<String> = tasks
        .iter()
        .map(|t| t["task_uuid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ran, wanted);
}

#[test]
fn labels_are_counted_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "60"]);
    let at_annotate = |filter: &str| {
        let arguments = ["tasks", "--stage", "Annotate", "--filter", filter];
        let output = workbench(dir.path(), &server, &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(at_annotate("\"label:Bright region\""), 0);
    let output = run(
        dir.path(),
        &server,
        &sample_agents(),
        &["--stage", "pre-label"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (some, none) = (
        at_annotate("label:\"bright region\">=1"),
        at_annotate("label:\"Bright region\"=0"),
    );
    assert!(some > 0, "the agent outlines bright regions");
    assert_eq!(some + none, at_annotate(""));
}

#[test]
fn named_tasks_are_met_in_any_case_of_their_uuid_and_one_that_is_not_there_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let uuid = server.tasks()[0]["uuid"].as_str().unwrap().to_uppercase();
    let args = ["--task", &uuid, "--task", "nobody.jpg"];
    let output = run(dir.path(), &server, &library, &args);
    assert_eq!(lines(&output).1["moved"], 1);
    let note = "note: no waiting task of these stages is \"nobody.jpg\"\n";
    assert!(stderr(&output).starts_with(note), "{}", stderr(&output));
}
