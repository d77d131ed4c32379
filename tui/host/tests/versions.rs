//! Libraries of other versions in a real host: one of 1.0, built with the header of then, and one of a later 1.x,
//! whose structs are larger than the host's. A host of a later 1.x is tested in `src/child/load_tests.rs`.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::path::{Path, PathBuf};
use support::{Desk, compile, outcome, write_png};
use wb_core::ids::BuildId;
use wb_host::JobResult;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agent-abi")
}

/// Compiles with the header of this folder; its version and a result of each of its two agents.
fn run(source: &str, headers: &Path) -> ((u16, u16), Vec<JobResult>) {
    let mut desk = Desk::new();
    let library = desk.path("libagents.so");
    let options = [
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-I",
        headers.to_str().unwrap(),
    ];
    compile(source, &library, &options);
    desk.hosts.watch(library);
    let probed = desk.probed();
    let stages: Vec<&str> = probed
        .descriptor
        .agents
        .iter()
        .map(|a| a.stage.as_str())
        .collect();
    assert_eq!(stages, ["one", "two"]);
    let build = BuildId(1);
    desk.hosts.activate(build, &probed);
    let picture = desk.path("red.png");
    write_png(&picture, (5, 3), [200, 10, 20]);
    let asset = format!(
        r#"{{"path":"{}","item_type":"image","title":"red"}}"#,
        picture.display()
    );
    let results = [0, 1].map(|agent| {
        let mut request = desk.request(build, agent);
        request.inputs = vec![("asset".into(), asset.clone().into())];
        let job = request.job;
        desk.hosts.run(request);
        desk.done(job)
    });
    (probed.descriptor.abi, results.into())
}

#[test]
fn a_library_of_1_0_runs_under_this_host() {
    let (abi, results) = run("first.c", &sources().join("tests/c/abi-1.0"));
    // As in `first.c`; the question of its call cannot be read.
    let wanted = |stage| outcome(&format!(r#"{{"route":"{stage} 1 0 64 1 5 1 2 1"}}"#));
    assert_eq!((abi, results), ((1, 0), vec![wanted("one"), wanted("two")]));
}

#[test]
fn a_library_whose_structs_are_larger_than_the_hosts_is_walked_by_its_own_stride() {
    let dir = tempfile::tempdir().unwrap();
    let header = std::fs::read_to_string(sources().join("include/workbench_agent.h")).unwrap();
    let mut grown = header.replace("#define WB_ABI_MINOR 1", "#define WB_ABI_MINOR 9");
    for name in [
        "wb_module",
        "wb_agent",
        "wb_task",
        "wb_frame",
        "wb_host",
        "wb_out",
    ] {
        let start = grown.find(&format!("struct {name} {{")).unwrap();
        let end = start + grown[start..].find("\n};").unwrap();
        grown.insert_str(end, "\n  uint64_t appended[4];");
    }
    std::fs::write(dir.path().join("workbench_agent.h"), grown).unwrap();
    let (abi, results) = run("next.c", dir.path());
    let wanted = |stage| outcome(&format!(r#"{{"route":"{stage} 0 80 5x3"}}"#));
    assert_eq!((abi, results), ((1, 9), vec![wanted("one"), wanted("two")]));
}
