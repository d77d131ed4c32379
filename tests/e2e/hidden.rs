//! Control and invisible characters of titles, names, agents and the command line never leave the program
//! raw: not on stdout or stderr, in JSON, in reports and logs, nor on the screen.

use crate::support::Terminal;
use crate::support::{Server, c_agent, command, workbench};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;

/// One of each kind, and an escape sequence that would set the terminal's title.
const HIDDEN: &str = "\u{1b}]0;owned\u{7}\u{1}\u{7f}\u{85}\u{9b}2J\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{202a}\u{202e}\
                      \u{2028}\u{2029}\u{2060}\u{2066}\u{2069}\u{fe0f}\u{feff}\u{fff9}\u{fffb}\u{e0001}\u{e0041}\u{e0100}|\nFORGED|";
const STAGE: &str = "44dc0000-0000-4000-8000-000000000002";

/// What must never arrive: everything without a shape but our own line breaks.
fn is_hidden(c: char) -> bool {
    c != '\n' && (c.is_control() || HIDDEN.chars().any(|h| h == c && !h.is_ascii_graphic()))
}

#[track_caller]
fn assert_safe(what: &str, text: &str) {
    let found: Vec<char> = text.chars().filter(|c| is_hidden(*c)).collect();
    assert!(found.is_empty(), "{what}: {found:?} in {text:?}");
    let forged = text
        .lines()
        .find(|line| line.trim_start().starts_with("FORGED"));
    assert!(forged.is_none(), "{what}: a line of its own: {text:?}");
}

fn title(of: &str) -> String {
    format!("{of}{HIDDEN}")
}

/// A project in which every name holds every hidden character.
fn server(dir: &Path) -> Server {
    let world = json!({
        "workflowTemplates": [{"title": title("W"), "graphNodes": [
            {"uuid": "44dc0000-0000-4000-8000-000000000001", "nodeType": "START", "toNode": STAGE},
            {"uuid": STAGE, "nodeType": "AGENT", "title": title("pre"), "pathways": [
                {"uuid": "49a70000-0000-4000-8000-000000000000", "name": title("done"),
                 "targetNode": "7e750000-0000-4000-8000-000000000001"}]},
            {"uuid": "7e750000-0000-4000-8000-000000000001", "nodeType": "DONE", "title": title("Complete"),
             "nodeSubtype": "COMPLETED"},
        ]}],
        "datasets": [{"title": title("D"), "items": [
            {"type": "image", "title": title("one.jpg")}, {"type": "image", "title": title("two.jpg")},
        ]}],
        "projects": [{"title": title("P")}],
    });
    let file = dir.join("world.json");
    std::fs::write(&file, world.to_string()).unwrap();
    Server::start(&["--scenario-file", file.to_str().unwrap()])
}

/// An agent for the stage, by its UUID: C can hardly spell its title.
fn agent(dir: &Path, name: &str, more: &str) -> PathBuf {
    let stage = format!("STAGE=\"{STAGE}\"");
    c_agent(dir, name, &[&stage, more])
}

#[track_caller]
fn checked(what: &[&str], output: &Output) -> String {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert_safe(&format!("{what:?}"), &stdout);
    assert_safe(
        &format!("{what:?}"),
        &String::from_utf8(output.stderr.clone()).unwrap(),
    );
    stdout
}

#[test]
fn no_command_prints_hidden_characters_and_json_keeps_every_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let noisy = agent(dir.path(), "noisy", "X=1");
    let noisy = noisy.to_str().unwrap();
    let picky = agent(
        dir.path(),
        "picky",
        "GOOD=\"{\\\"route\\\":\\\"49a70000-0000-4000-8000-000000000000\\\"}\"",
    );
    let picky = picky.to_str().unwrap();
    let bad = title("nowhere");
    for words in [
        &["graph"][..],
        &["graph", "--json"],
        &["stages"],
        &["stages", "--json"],
        &["tasks"],
        &["tasks", "--json"],
        &["tasks", "--stage", &bad],
        &["tasks", "--filter", &bad],
        &["tasks", &bad],
        &["print", "agent-nodes"],
        &["print", "agent-nodes", "--json"],
        &["config", "--json", "--agents", &bad],
        &["config", "--agents", &bad],
        &["check", "--agents", noisy],
        &["check", "--agents", picky],
        &["check", "--agents", &bad],
        &["run", "-vv", "--dry-run", "--agents", noisy],
        &[
            "run",
            "--dry-run",
            "--json",
            "--jsonl",
            "r.jsonl",
            "--junit",
            "r.xml",
            "--report",
            "r.html",
            "--agents",
            noisy,
        ],
        &["plan", "-o", "p.wbplan", "--agents", picky],
        &["review", "p.wbplan"],
        &["review", "p.wbplan", "--diff"],
        &["review", "p.wbplan", "--json"],
        &["apply", "p.wbplan"],
        &["journal"],
        &["journal", "--json"],
        &["undo"],
        &["run", "--progress", "plain", "--agents", picky],
        &["undo", "--json"],
        &["resume", "--agents", picky],
    ] {
        let output = workbench(dir.path(), &server, words);
        let stdout = checked(words, &output);
        if !words.contains(&"--json") {
            continue;
        }
        for line in stdout.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            for key in ["title", "data_title", "project_title"] {
                let name = value[key].as_str();
                assert!(
                    name.is_none_or(|n| n.ends_with(HIDDEN)),
                    "{words:?}: {value}"
                );
            }
        }
        assert!(!stdout.is_empty(), "{words:?}");
    }
    for file in ["r.jsonl", "r.xml", "r.html"] {
        let text = std::fs::read_to_string(dir.path().join(file)).unwrap();
        assert!(text.contains("one.jpg"), "{file}");
        assert_safe(file, &text);
    }
    // The log holds what the agents wrote, a line for each event.
    let mut lines = 0;
    for entry in std::fs::read_dir(dir.path().join(".workbench/log")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert_safe("log", &text);
        assert!(
            !text.lines().any(|line| line.starts_with("9999")),
            "a forged line: {text}"
        );
        lines += text.lines().filter(|line| line.contains("a line ")).count();
    }
    assert!(lines >= 4, "{lines} lines of agents");
}

#[test]
fn specs_and_their_results_keep_hidden_characters_out() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let noisy = agent(dir.path(), "noisy", "X=1");
    let tasks = checked(
        &["tasks"],
        &workbench(dir.path(), &server, &["tasks", "--json"]),
    );
    let file = dir.path().join("specs.jsonl");
    std::fs::write(&file, tasks).unwrap();
    let output = command(dir.path())
        .args([
            "exec",
            "--stage",
            STAGE,
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&noisy)
        .envs(server.env())
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    let results = checked(&["exec"], &output);
    assert_eq!(results.lines().count(), 2, "{results}");
}

#[test]
fn paths_with_hidden_characters_are_shown_without_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let picky = agent(
        dir.path(),
        "picky",
        "GOOD=\"{\\\"route\\\":\\\"49a70000-0000-4000-8000-000000000000\\\"}\"",
    );
    let picky = picky.to_str().unwrap();
    // No slash may stand in a name.
    let odd = title("odd").replace('/', "");
    let inside = format!("{odd}/file");
    let plan = format!("{odd}.wbplan");
    for words in [
        &["plan", "-o", &plan, "--agents", picky][..],
        &["plan", "-o", &plan, "--no-input", "--agents", picky],
        &["plan", "-o", &inside, "--agents", picky],
        &["review", &plan],
        &["review", &plan, "--json"],
        &["apply", &plan],
        &["apply", &plan],
        &["review", &odd],
        &["apply", &odd],
        &["run", "-n", "--jsonl", &inside, "--agents", picky],
        &[
            "run", "-n", "--report", &inside, "--junit", &inside, "--agents", picky,
        ],
        &["run", "-n", "--task", &odd, "--agents", picky],
        &["run", "-n", "--stage", &odd, "--agents", picky],
        &[
            "run",
            "-n",
            "--filter",
            &format!("{odd}:x"),
            "--agents",
            picky,
        ],
        &["check", "--agents", &odd, "--json"],
        &["stages", "--config", &odd],
        &["stages", "--log-file", &inside],
        &["graph", "--workflow", &odd],
        &["serve", "--scenario-file", &odd],
        &["serve", "--import", &odd],
        &["serve", "--import-workflow", &odd],
        &["serve", "--scenario", &odd],
        &["serve", "--data", &inside, "--scenario", &odd],
        &["serve", "--fault", &odd],
        &["new", "--upgrade", &odd],
        &["new", &inside, "--stage", &odd],
        &["man", &odd],
        &["completions", &odd],
        &[&odd],
    ] {
        let output = command(dir.path())
            .args(words)
            .env("WORKBENCH_PROJECT", server.project())
            .envs(server.env())
            .output()
            .unwrap();
        checked(words, &output);
    }
    let applied = workbench(dir.path(), &server, &["review", &plan]);
    assert_eq!(applied.status.code(), Some(0), "the plan was made");
}

#[test]
fn names_of_imported_files_are_shown_without_hidden_characters() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(title("import"));
    std::fs::create_dir_all(folder.join(title("below"))).unwrap();
    for name in ["good.txt", "below/good.txt"] {
        let (below, name) = name.rsplit_once('/').unwrap_or(("", name));
        let below = if below.is_empty() {
            folder.clone()
        } else {
            folder.join(title(below))
        };
        std::fs::write(below.join(title("").replace('|', "-") + name), "x").unwrap();
        for ending in [".png", ".xyz", ".mkv"] {
            std::fs::write(below.join(title("bad") + ending), "x").unwrap();
        }
        std::fs::write(below.join(format!(".{}", title("hidden"))), "x").unwrap();
        let link = below.join(title("link"));
        std::os::unix::fs::symlink(title("nowhere"), link).unwrap();
    }
    let mut child = command(dir.path())
        .args(["serve", "--import"])
        .arg(&folder)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut ready).unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert_safe("ready line", &ready);
    assert_safe("notes", &notes);
    assert!(
        notes.contains("imported 2 files") && notes.contains("bad"),
        "{notes}"
    );
}

#[test]
fn nothing_hidden_reaches_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let noisy = agent(dir.path(), "noisy", "X=1");
    let mut screen = Terminal::open(&server, dir.path(), &noisy, (150, 45));
    screen.wait("pre");
    screen.keys("2").wait("one.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("s").wait("the reason");
    screen.keys("4").wait("Nothing has run");
    screen.keys("1").wait("P");
    let (code, _) = screen.quit();
    assert_eq!(code, 0);
    let raw = String::from_utf8_lossy(&screen.raw).into_owned();
    assert!(!raw.contains("owned"), "a title was set");
    // The program's own sequences begin with ESC; nothing else is a control character.
    let own = |c: char| {
        matches!(
            c,
            '\u{1b}' | '\r' | '\n' | '\u{7}' | '\u{8}' | '\t' | '\u{f}'
        )
    };
    let found: Vec<char> = raw.chars().filter(|c| is_hidden(*c) && !own(*c)).collect();
    assert!(found.is_empty(), "{found:?}");
}
