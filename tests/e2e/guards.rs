//! Guards: what must not be written is not, by any command that writes.

use crate::support::{Server, c_agent, stderr, workbench};

#[test]
fn a_protected_project_is_written_to_only_with_its_title() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "6"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let agents = library.to_str().unwrap();
    std::fs::write(dir.path().join("workbench.toml"), "level = \"protected\"\n").unwrap();
    let planned = workbench(
        dir.path(),
        &server,
        &[
            "plan",
            "-o",
            "p.wbplan",
            "--progress",
            "none",
            "--agents",
            agents,
        ],
    );
    assert_eq!(
        planned.status.code(),
        Some(0),
        "a plan writes nothing: {}",
        stderr(&planned)
    );
    let commands: [&[&str]; 5] = [
        &["run", "--progress", "none", "--agents", agents],
        &["exec", "--stage", "Agent 1", "--agents", agents],
        &["apply", "p.wbplan"],
        &["undo"],
        &["resume"],
    ];
    for command in commands {
        for guard in [
            &[][..],
            &["--confirm", "another title"][..],
            &["--read-only"][..],
        ] {
            let output = workbench(dir.path(), &server, &[command, guard].concat());
            assert_eq!(
                output.status.code(),
                Some(8),
                "{command:?} {guard:?}: {}",
                stderr(&output)
            );
        }
    }
    assert_eq!(server.writes(), 0);
    let refused = stderr(&workbench(dir.path(), &server, &["apply", "p.wbplan"]));
    let title = refused.split('"').nth(1).unwrap().to_owned();
    let applied = workbench(
        dir.path(),
        &server,
        &["apply", "p.wbplan", "--confirm", &title],
    );
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    assert_eq!(server.changed("actions"), 6);
}
