//! The filter language against a real server: `tasks` and `run` see priorities, client metadata and
//! labels, and only what matches is run.

use crate::names::{PATHWAYS, agent, contains_all, serve};
use crate::support::{Server, c_agent, lines, plan, run, sample_agents, stderr, workbench};
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
fn named_tasks_match_in_any_case_of_their_uuid_and_a_missing_one_is_reported() {
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

#[test]
fn a_route_in_a_filter_is_one_pathway_by_its_uuid_and_refused_where_two_have_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path(), &["pre-label"], &["done", "done", "other"]);
    let library = agent(dir.path(), "pre-label", PATHWAYS[1]);
    let agents = library.to_str().unwrap();
    let planned = plan(dir.path(), &server, &library, &[]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    for args in [
        &["review", "p.wbplan", "--only", "route:done"][..],
        &["apply", "p.wbplan", "--only", "-route:done"],
        &["tasks", "--filter", "route:done"],
        &["run", "-n", "--filter", "route:DONE", "-a", agents],
        &[
            "plan",
            "-o",
            "q.wbplan",
            "--filter",
            "x | route:done",
            "-a",
            agents,
        ],
    ] {
        let output = workbench(dir.path(), &server, args);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{args:?}: {}",
            stderr(&output)
        );
        contains_all(
            &output,
            &["2 pathways are called", "UUID", PATHWAYS[0], PATHWAYS[1]],
        );
    }
    for (pathway, tasks) in [(PATHWAYS[1], 3), (PATHWAYS[0], 0), ("other", 0)] {
        let only = format!("route:{pathway}");
        let review = workbench(
            dir.path(),
            &server,
            &["review", "p.wbplan", "--json", "--only", &only],
        );
        let shown = String::from_utf8(review.stdout).unwrap();
        assert_eq!(shown.matches("\"i_0").count(), tasks, "{only}: {shown}");
    }
    let only = format!("route:{}", PATHWAYS[0]);
    workbench(dir.path(), &server, &["apply", "p.wbplan", "--only", &only]);
    assert_eq!(server.writes(), 0);
    let only = format!("route:{}", PATHWAYS[1]);
    let applied = workbench(dir.path(), &server, &["apply", "p.wbplan", "--only", &only]);
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    assert_eq!(server.changed("actions"), 3);
}

#[test]
fn an_age_without_a_unit_is_refused_as_every_time_is() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path(), &["pre-label"], &["done"]);
    for filter in ["age>30", "age<2", "-age:30"] {
        let output = workbench(dir.path(), &server, &["tasks", "--filter", filter]);
        assert_eq!(output.status.code(), Some(2), "{filter}");
        contains_all(&output, &["has no unit; did you mean"]);
    }
    let output = workbench(dir.path(), &server, &["tasks", "--filter", "age<1d12h"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3);
}
