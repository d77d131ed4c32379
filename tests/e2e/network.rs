//! Proxies, clocks and wrong files, as far as they need the whole program.

use crate::support::{Server, c_agent, command, lines, run, stderr, workbench};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Every variable that names a proxy, to a port where nobody listens.
const PROXIES: [(&str, &str); 7] = [
    ("HTTP_PROXY", "http://ann:geheim@127.0.0.1:9"),
    ("http_proxy", "http://ann:geheim@127.0.0.1:9"),
    ("HTTPS_PROXY", "http://ann:geheim@127.0.0.1:9"),
    ("https_proxy", "http://ann:geheim@127.0.0.1:9"),
    ("ALL_PROXY", "http://ann:geheim@127.0.0.1:9"),
    ("all_proxy", "http://ann:geheim@127.0.0.1:9"),
    ("NO_PROXY", "example.test"),
];

/// An agent that looks at the first picture.
fn looker(dir: &Path) -> PathBuf {
    c_agent(dir, "noisy", &["FRAMES=1", "NEEDS=WB_NEED_FRAME"])
}

#[test]
fn a_local_server_is_reached_whatever_proxies_the_environment_names() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let output = command(dir.path())
        .args([
            "run",
            "--json",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(looker(dir.path()))
        .envs(server.env())
        .envs(PROXIES)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (tasks, _) = lines(&output);
    assert!(tasks.iter().all(|t| t["outcome"] == "moved"), "{tasks:?}");
}

#[test]
fn an_address_elsewhere_names_the_proxy_that_it_is_asked_through() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "1"]);
    for words in [&["tasks"][..], &["stages"], &["check"]] {
        let output = command(dir.path())
            .args(words)
            .args(["--project-hash", &server.project()])
            .envs(server.env())
            .envs(PROXIES)
            .env("ENCORD_DOMAIN", "http://encord.invalid")
            .output()
            .unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(7), "{text}");
        assert!(
            text.contains("through the proxy http://127.0.0.1:9 (HTTP_PROXY)"),
            "{text}"
        );
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[test]
fn check_reports_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    let library = c_agent(dir.path(), "noop", &[]);
    let words = ["check", "--agents", library.to_str().unwrap()];
    for (fault, code, text) in [
        (None, 0, "✓ clock "),
        (Some("any:ahead/400s"), 3, "s behind "),
        (Some("any:behind/2m"), 3, "s ahead of "),
    ] {
        let mut args = vec!["--scenario", "seed", "--tasks", "1"];
        args.extend(fault.map(|f| ["--fault", f]).into_iter().flatten());
        let server = Server::start(&args);
        let output = workbench(dir.path(), &server, &words);
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{found}{}",
            stderr(&output)
        );
        let line = found
            .lines()
            .find(|line| line.contains("clock"))
            .unwrap_or_default();
        assert!(line.contains(text), "{found}");
        assert_eq!(code == 3, found.contains("→ set the clock"), "{found}");
    }
}

#[test]
fn a_clock_that_is_put_right_during_a_run_costs_no_task() {
    for fault in ["any:behind/15m@100%*25", "any:ahead/15m@100%*25"] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", "40", "--fault", fault]);
        let library = c_agent(dir.path(), "noop", &[]);
        let output = run(dir.path(), &server, &library, &["--task-batch-size", "2"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let (tasks, _) = lines(&output);
        assert_eq!(tasks.iter().filter(|t| t["outcome"] == "moved").count(), 40);
    }
}

#[test]
fn a_page_in_place_of_a_picture_costs_one_task_and_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&[
        "--scenario",
        "seed",
        "--tasks",
        "3",
        "--fault",
        "storage:page@100%",
    ]);
    let library = looker(dir.path());
    let output = run(dir.path(), &server, &library, &[]);
    let (tasks, _) = lines(&output);
    for task in &tasks {
        let text = task["fault"]["summary"].as_str().unwrap_or_default();
        assert!(
            text.contains("a web page titled \"Log in\" (HTML)"),
            "{task}"
        );
    }
    assert_eq!((tasks.len(), output.status.code()), (3, Some(1)));
    // The same folder, once the store is itself again.
    server.post("/local/faults", &json!({"faults": ["storage:page@100%*1"]}));
    let (tasks, _) = lines(&run(dir.path(), &server, &library, &[]));
    assert!(tasks.iter().all(|t| t["outcome"] == "moved"), "{tasks:?}");
}

#[test]
fn a_damaged_file_in_the_cache_is_downloaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "3"]);
    let library = looker(dir.path());
    run(dir.path(), &server, &library, &["--dry-run"]);
    let mut spoilt = 0;
    for folder in std::fs::read_dir(dir.path().join(".workbench/cache/assets")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            // Cut short, or of the right length and damaged behind its beginning.
            match spoilt {
                0 => bytes.truncate(bytes.len() / 2),
                _ => bytes[20..].fill(0),
            }
            std::fs::write(&path, &bytes).unwrap();
            spoilt += 1;
        }
    }
    assert_eq!(spoilt, 3);
    let output = run(dir.path(), &server, &library, &["--dry-run"]);
    let (tasks, _) = lines(&output);
    assert!(tasks.iter().all(|t| t["outcome"] == "moved"), "{tasks:?}");
}
