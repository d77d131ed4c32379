//! Keys with a passphrase: asked for in the terminal and on the screen, taken from the environment, and never kept.
//! The forms that keys have are compared with the Python SDK in `tests/conformance/test_keys.py`.

use crate::support::{Server, Terminal, c_agent, command, everything_in, root, stderr};
use std::path::{Path, PathBuf};
use std::process::Output;

/// Of the key in `tests/fixtures/keys`.
const PASSPHRASE: &str = "correct horse";

/// A server that knows the key of the fixtures.
fn server(dir: &Path) -> Server {
    let data = dir.join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(fixture("for-tests-only"), data.join("id_ed25519")).unwrap();
    let args = [
        "--scenario",
        "seed",
        "--tasks",
        "3",
        "--data",
        data.to_str().unwrap(),
    ];
    Server::start(&args)
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/keys").join(name)
}

/// The environment of a person whose key has a passphrase.
fn locked(server: &Server) -> [(&'static str, String); 2] {
    let key = fixture("for-tests-only-locked").display().to_string();
    [
        ("ENCORD_DOMAIN", server.field("domain")),
        ("ENCORD_SSH_KEY_FILE", key),
    ]
}

/// `workbench stages` without a terminal.
fn stages(dir: &Path, server: &Server, args: &[&str], passphrase: Option<&str>) -> Output {
    let mut command = command(dir);
    command
        .args(["stages", "--project-hash", &server.project()])
        .args(args);
    command.envs(locked(server));
    command.envs(passphrase.map(|text| ("ENCORD_SSH_KEY_PASSPHRASE", text)));
    command.output().unwrap()
}

/// No file that a command left in its folder has the passphrase.
fn nothing_kept(dir: &Path) {
    let mut found = Vec::new();
    everything_in(&dir.join(".workbench"), &mut found);
    assert!(
        found
            .iter()
            .any(|path| path.to_string_lossy().contains("/log/")),
        "{found:?}"
    );
    for path in found.iter().filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        assert!(!text.contains(PASSPHRASE), "{}", path.display());
    }
}

#[test]
fn without_a_terminal_the_passphrase_comes_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let right = stages(dir.path(), &server, &["-vv"], Some(PASSPHRASE));
    assert_eq!(right.status.code(), Some(0), "{}", stderr(&right));
    nothing_kept(dir.path());
    let wrong = stages(dir.path(), &server, &[], Some("verraten"));
    let text = stderr(&wrong);
    assert_eq!(wrong.status.code(), Some(6), "{text}");
    assert!(
        text.contains("ENCORD_SSH_KEY_PASSPHRASE is not its passphrase"),
        "{text}"
    );
    assert!(!text.contains("verraten"), "{text}");
    for args in [&[][..], &["--no-input"]] {
        let none = stages(dir.path(), &server, args, None);
        let text = stderr(&none);
        assert_eq!(none.status.code(), Some(6), "{text}");
        for part in [
            "for-tests-only-locked",
            "set ENCORD_SSH_KEY_PASSPHRASE",
            "ssh-add",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

#[test]
fn in_a_terminal_the_passphrase_is_asked_for_without_echo() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let project = server.project();
    let args = ["stages", "--project-hash", &project];
    let mut terminal = Terminal::start(dir.path(), &args, &locked(&server), (100, 30));
    terminal.wait("Passphrase for the key in ");
    terminal.keys("wrong\r");
    terminal.wait("Wrong passphrase.");
    // Backspace takes one character back, Ctrl-U all of them.
    terminal.keys("nonsense\u{15}correct horsee\u{7f}\r");
    let (code, text) = terminal.ended();
    assert_eq!(code, 0, "{text}");
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(text.contains("Agent 1"), "{text}");
    assert!(!raw.contains("wrong\r") && !raw.contains("horse"), "{raw}");
    nothing_kept(dir.path());
    // Ctrl-C ends it, and --no-input does not ask.
    let mut terminal = Terminal::start(dir.path(), &args, &locked(&server), (100, 30));
    terminal.wait("Passphrase for the key in ");
    terminal.keys("\u{3}");
    assert_ne!(terminal.ended().0, 0);
    let args = ["stages", "--no-input", "--project-hash", &project];
    let mut terminal = Terminal::start(dir.path(), &args, &locked(&server), (100, 30));
    let (code, text) = terminal.ended();
    assert_eq!(code, 6, "{text}");
    assert!(!text.contains("Passphrase for"), "{text}");
}

#[test]
fn the_screen_asks_for_the_passphrase_once_and_then_opens() {
    let dir = tempfile::tempdir().unwrap();
    let server = server(dir.path());
    let library = c_agent(dir.path(), "noop", &[]);
    let project = server.project();
    let args = [
        "--project-hash",
        &project,
        "--agents",
        library.to_str().unwrap(),
    ];
    let mut screen = Terminal::start(dir.path(), &args, &locked(&server), (120, 36));
    screen.wait("This key is protected by a passphrase");
    screen.keys("wrong\r");
    screen.wait("Wrong passphrase. Attempt 2 of 3.");
    screen.keys(PASSPHRASE);
    screen.wait("•••••••••••••");
    screen.keys("\r");
    screen.wait("build #1");
    assert_eq!(screen.quit().0, 0);
    assert!(!String::from_utf8_lossy(&screen.raw).contains("horse"));
    nothing_kept(dir.path());
    let mut screen = Terminal::start(dir.path(), &args, &locked(&server), (80, 24));
    screen.wait("This key is protected by a passphrase");
    screen.keys("\u{1b}");
    let (code, text) = screen.ended();
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("no passphrase was entered"), "{text}");
}
