//! Bad input: a clear error, the right exit code, nothing lost.

use crate::support::{Server, c_agent, c_text, command, lines, run, sample_agents, workbench};
use std::path::Path;
use std::process::{Command, Output};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn expect(output: &Output, code: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
    assert!(!text.contains("panicked"), "{text}");
    // What every OpenSSH private key begins with, in base64.
    assert!(
        !text.contains("b3BlbnNzaC1rZXk"),
        "a key was printed:\n{text}"
    );
}

const NOWHERE: &str = "00000000-0000-0000-0000-00000000dead";

fn with_env(dir: &Path, env: &[(&str, &str)], agents: &Path) -> Output {
    let mut command = command(dir);
    command
        .args(["run", "--project-hash", NOWHERE, "--agents"])
        .arg(agents);
    command.envs(env.iter().copied()).output().unwrap()
}

#[test]
fn missing_misplaced_and_unreadable_keys_have_different_errors() {
    let dir = tempfile::tempdir().unwrap();
    let library = sample_agents();
    let junk = dir.path().join("junk");
    std::fs::write(&junk, "not a key").unwrap();
    let junk = junk.to_str().unwrap();
    expect(&with_env(dir.path(), &[], &library), 6, &["ENCORD_SSH_KEY"]);
    expect(
        &with_env(dir.path(), &[("ENCORD_SSH_KEY", junk)], &library),
        6,
        &["ENCORD_SSH_KEY_FILE"],
    );
    expect(
        &with_env(
            dir.path(),
            &[("ENCORD_SSH_KEY_FILE", "/no/such/key")],
            &library,
        ),
        6,
        &["/no/such/key"],
    );
    expect(
        &with_env(dir.path(), &[("ENCORD_SSH_KEY_FILE", junk)], &library),
        6,
        &["junk"],
    );
    expect(
        &with_env(dir.path(), &[("ENCORD_SSH_KEY", "garbage")], &library),
        6,
        &[],
    );
}

#[test]
fn usage_errors_exit_with_two_and_a_suggestion() {
    let dir = tempfile::tempdir().unwrap();
    let none = command(dir.path()).args(["run"]).output().unwrap();
    expect(&none, 2, &["--project-hash", "workbench demo"]);
    let zero = command(dir.path())
        .args(["run", "-p", NOWHERE, "--task-batch-size", "0"])
        .output()
        .unwrap();
    expect(&zero, 2, &["at least 1"]);
    let text = command(dir.path())
        .args(["run", "-p", "my project"])
        .output()
        .unwrap();
    expect(&text, 2, &["not a project hash", "UUID"]);
    let typo = command(dir.path()).args(["rum"]).output().unwrap();
    expect(&typo, 2, &["run"]);
    let filter = command(dir.path())
        .args(["run", "-p", NOWHERE, "--filter", "statsu:new"])
        .output()
        .unwrap();
    expect(&filter, 2, &["status:new"]);
    let screen = command(dir.path()).args(["-p", NOWHERE]).output().unwrap();
    expect(&screen, 2, &["terminal", "workbench run"]);
    let help = command(dir.path()).args(["--help"]).output().unwrap();
    assert_eq!(help.status.code(), Some(0), "help needs no credentials");
}

#[test]
fn a_wrong_project_or_a_stranger_is_refused_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let other = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let wrong = |project: &str, key: String| {
        let mut command = command(dir.path());
        command
            .args(["run", "--project-hash", project, "--agents"])
            .arg(&library);
        command
            .env("ENCORD_DOMAIN", server.field("domain"))
            .env("ENCORD_SSH_KEY_FILE", key);
        command.output().unwrap()
    };
    expect(&wrong(NOWHERE, server.field("ssh_key_file")), 6, &[NOWHERE]);
    expect(
        &wrong(&server.project(), other.field("ssh_key_file")),
        6,
        &[
            "a local server has only its own key",
            "printed when it started",
        ],
    );
}

#[test]
fn libraries_that_cannot_serve_the_project_end_with_three() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let missing = run(dir.path(), &server, &dir.path().join("libnone.so"), &[]);
    expect(&missing, 3, &["does not exist"]);
    let strange = c_agent(dir.path(), "noop", &["STAGE=\"Agent One\""]);
    expect(
        &run(dir.path(), &server, &strange, &[]),
        3,
        &["Agent One", "Agent 1"],
    );
    let good = c_agent(dir.path(), "noop", &[]);
    expect(
        &run(dir.path(), &server, &good, &["--stage", "Agnet 1"]),
        3,
        &["did you mean \"Agent 1\"?"],
    );
    let old = dir.path().join("libold.so");
    let mut bytes = std::fs::read(&good).unwrap();
    let magic = bytes.windows(8).position(|w| w == b"WBAGENT1").unwrap();
    bytes[magic + 8] = 9;
    std::fs::write(&old, &bytes).unwrap();
    expect(
        &run(dir.path(), &server, &old, &[]),
        3,
        &["newer agent ABI 9.", "speaks 1."],
    );
    std::fs::write(&old, &bytes[..bytes.len() / 2]).unwrap();
    expect(&run(dir.path(), &server, &old, &[]), 3, &["refused"]);
}

#[test]
fn failures_of_the_platform_have_different_exit_codes_and_lose_no_task() {
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "noop", &[]);
    for (fault, code) in [
        ("get_project:401@100%", 6),
        ("get_project:403@100%", 6),
        ("get_tasks:403@100%", 6),
        ("get_project:404@100%", 3),
        ("get_project:500@100%", 7),
        ("get_project:truncate@100%", 7),
    ] {
        let server = Server::start(&["--scenario", "seed", "--tasks", "3", "--fault", fault]);
        let output = run(dir.path(), &server, &library, &[]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{fault}: {}",
            stderr(&output)
        );
        assert_eq!(server.writes(), 0);
    }
}

#[test]
fn an_unreachable_platform_ends_with_seven() {
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "noop", &[]);
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let (env, project) = (server.env(), server.project());
    let key = dir.path().join("key");
    std::fs::copy(server.field("ssh_key_file"), &key).unwrap();
    drop(server);
    let output = command(dir.path())
        .args(["run", "--project-hash", &project, "--agents"])
        .arg(&library)
        .env("ENCORD_DOMAIN", &env[0].1)
        .env("ENCORD_SSH_KEY_FILE", &key)
        .output()
        .unwrap();
    expect(&output, 7, &["127.0.0.1"]);
}

#[test]
fn a_settings_file_with_a_mistake_is_named_and_nothing_starts() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("workbench.toml"), "projct = \"x\"\n").unwrap();
    let output = command(dir.path()).args(["config"]).output().unwrap();
    expect(&output, 3, &["workbench.toml", "projct"]);
}

#[test]
fn faults_of_the_platform_in_the_middle_are_survived() {
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "noop", &[]);
    let faults = [
        "--fault",
        "actions:lost@30%",
        "--fault",
        "get_tasks:500@20%",
        "--fault",
        "any:429/1s@1%",
    ];
    let mut args = vec!["--scenario", "seed", "--tasks", "200", "--page-size", "50"];
    args.extend(faults);
    let server = Server::start(&args);
    let output = run(dir.path(), &server, &library, &["--task-batch-size", "20"]);
    let (tasks, summary) = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!((tasks.len(), summary["moved"].as_u64()), (200, Some(200)));
}

#[test]
fn a_project_without_an_agent_stage_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let workflow = dir.path().join("people.json");
    let nodes = r#"{"graphNodes": [
        {"uuid": "44dcd137-061e-4b83-b25d-b0c68281d8c4", "nodeType": "START", "toNode": "6011c844-fb26-438b-b465-0b0825951015"},
        {"uuid": "6011c844-fb26-438b-b465-0b0825951015", "nodeType": "ANNOTATION", "title": "Annotate", "toNode": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f"},
        {"uuid": "7e7598de-612c-40c4-ba08-5dfec8c3ae8f", "nodeType": "DONE", "title": "Complete", "nodeSubtype": "COMPLETED"},
    ]}"#;
    std::fs::write(&workflow, nodes).unwrap();
    let server = Server::start(&[
        "--import-workflow",
        workflow.to_str().unwrap(),
        "--tasks",
        "3",
    ]);
    let library = c_agent(dir.path(), "noop", &[]);
    let output = run(dir.path(), &server, &library, &[]);
    expect(&output, 3, &["no agent stage", "Annotate, Complete"]);
}

/// Ends a command whose readers are gone from the start.
fn unheard(mut command: Command) -> Option<i32> {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    command.status().unwrap().code()
}

#[test]
fn readers_that_went_away_end_commands_that_only_print_and_no_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let library = sample_agents();
    let project = server.project();
    for (words, code) in [
        (&["stages"][..], 141),
        (&["tasks"], 141),
        (&["graph", "--json"], 141),
        (&["keys"], 141),
        (&["--help"], 141),
        (&["man"], 141),
        (&["completions", "bash"], 141),
        (&["run", "--progress", "plain", "-v"], 0),
        (&["journal"], 141),
        (&["undo"], 0),
    ] {
        let mut command = command(dir.path());
        command.args(words).envs(server.env());
        command
            .args(["--project-hash", &project, "--agents"])
            .arg(&library);
        assert_eq!(unheard(command), Some(code), "{words:?}");
    }
    assert!(server.changed("actions") > 0, "the run wrote");
    assert!(server.changed("move_tasks") > 0, "the undo took it back");
}

/// A library that agents might need, and that has none.
fn plain_library(path: &Path) {
    let source = path.with_extension("c");
    std::fs::write(&source, "int model(void) { return 1; }\n").unwrap();
    let built = Command::new("cc")
        .args(["-fPIC", "-shared", "-o"])
        .args([path, &source])
        .status();
    assert!(built.unwrap().success());
}

#[test]
fn every_agent_library_of_a_folder_is_waited_for_and_a_bad_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "60"]);
    let folder = dir.path().join("libraries");
    let check = |folder: &Path| {
        let folder = folder.to_str().unwrap();
        let output = workbench(dir.path(), &server, &["check", "--agents", folder]);
        String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output)
    };
    std::fs::create_dir(&folder).unwrap();
    let empty = run(dir.path(), &server, &folder, &["--dry-run"]);
    expect(&empty, 3, &["there is no agent library", "build one there"]);
    assert!(check(&folder).contains("there is no agent library"));
    plain_library(&folder.join("libmodel.so"));
    let others = run(dir.path(), &server, &folder, &["--dry-run"]);
    expect(&others, 3, &["there is no agent library", "libmodel.so"]);

    for (name, stage, pathway) in [("a", "pre-label", "annotate"), ("b", "route", "complete")] {
        let outcome = c_text("OUTCOME", &format!("{{\"route\":\"{pathway}\"}}"));
        let library = c_agent(dir.path(), "noop", &[&c_text("STAGE", stage), &outcome]);
        std::fs::rename(library, folder.join(format!("lib{name}.so"))).unwrap();
    }
    let output = run(dir.path(), &server, &folder, &["--dry-run"]);
    expect(&output, 0, &["passed over", "libmodel.so"]);
    let stages: std::collections::BTreeSet<String> = lines(&output)
        .0
        .iter()
        .map(|task| task["stage_uuid"].to_string())
        .collect();
    assert_eq!(stages.len(), 2, "both queues are drained: {stages:?}");
    let text = check(&folder);
    assert!(
        text.contains("pre-label ←") && text.contains("route ←"),
        "{text}"
    );

    std::fs::write(folder.join("libbad.so"), "hi").unwrap();
    let output = run(dir.path(), &server, &folder, &["--dry-run"]);
    expect(&output, 3, &["libbad.so was refused"]);
    let text = check(&folder);
    assert!(
        text.contains("refused: libbad.so") && text.contains("route ←"),
        "{text}"
    );
}

#[test]
fn a_settings_file_that_cannot_be_read_stops_a_run_and_a_wait_of_ages_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "2"]);
    let library = c_agent(dir.path(), "noop", &[]);
    let ages = u64::MAX.to_string();
    let output = run(dir.path(), &server, &library, &["--refresh-every", &ages]);
    expect(&output, 2, &["--refresh-every"]);
    std::fs::write(
        dir.path().join("workbench.toml"),
        b"level = \"protected\" # \xff",
    )
    .unwrap();
    let output = run(dir.path(), &server, &library, &[]);
    expect(&output, 3, &["workbench.toml"]);
    assert_eq!(server.writes(), 0);
}

#[test]
fn json_is_answered_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "6"]);
    for (words, field) in [
        (&["keys"][..], "keys"),
        (&["print", "system-info"], "agent_abi"),
        (&["print", "agent-nodes"], "pathways"),
        (&["stages"], "tasks"),
        (&["config"], "origin"),
    ] {
        let output = workbench(dir.path(), &server, &[words, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{words:?}");
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(!value[field].is_null(), "{words:?}: {line}");
        }
    }
}
