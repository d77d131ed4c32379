//! Specs that a queue gives again after a refusal or a crash.

use super::{ALL, Folder, TASKS};
use crate::support::{c_agent, c_text, command, fed, stderr};

#[test]
fn a_spec_given_again_is_answered_with_what_was_written_for_it() {
    let folder = Folder::new(&["actions:409"]);
    let specs = folder.specs();
    let (refused, output) = folder.exec(&specs);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(refused.iter().all(|r| r["success"] == false));
    folder.faults(&[]);
    // Finished before it is looked at; then once more, when everything is done.
    for _ in 0..2 {
        let (results, output) = folder.exec(&specs);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(
            results
                .iter()
                .all(|r| r["success"] == true && r["pathway"].is_string()),
            "{results:?}"
        );
    }
    folder.all_once("exec");
}

#[test]
fn a_spec_given_again_after_a_crash_succeeds_and_the_command_is_over() {
    for step in ["labels", "moves", "ended"] {
        for stays in [false, true] {
            let folder = Folder::new(&[]);
            if stays {
                let outcome = ALL.replace(r#""route":"complete","#, "");
                c_agent(
                    folder.path(),
                    "noop",
                    &[&c_text("OUTCOME", &outcome), "NEEDS=2"],
                );
            }
            let specs = folder.specs();
            let mut exec = command(folder.path());
            exec.args([
                "exec",
                "--stage",
                "Agent 1",
                "--project-hash",
                &folder.server.project(),
            ])
            .arg("--agents")
            .arg(&folder.library)
            .envs(folder.server.env())
            .env("WORKBENCH_KILL_AT", step);
            fed(&mut exec, &specs);
            let listed = folder.workbench(&["journal", "--json"]);
            assert!(String::from_utf8_lossy(&listed.stdout).contains(r#""interrupted":true"#));
            let (results, output) = folder.exec(&specs);
            assert_eq!(output.status.code(), Some(0), "{step}: {}", stderr(&output));
            assert!(
                results.iter().all(|r| r["success"] == true),
                "{step}: {results:?}"
            );
            assert_eq!(folder.boxes(), [1; TASKS], "{step}, stays: {stays}");
            let listed = folder.workbench(&["journal", "--json"]);
            let text = String::from_utf8_lossy(&listed.stdout).into_owned();
            assert!(!text.contains(r#""interrupted":true"#), "{step}: {text}");
        }
    }
}
