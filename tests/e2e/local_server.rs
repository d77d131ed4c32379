//! `workbench serve`: what other users and programs of the machine can reach, and its notes on stderr.

use crate::support::{PROGRAM, Server};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// Serves in a shell with this umask until the data lie there; its ready line.
fn served_with(umask: &str, data: &Path) -> Value {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("umask {umask}; exec \"$0\" \"$@\""))
        .args([PROGRAM, "serve", "--scenario", "seed", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    // While it runs: the log of the database goes with the last connection.
    for name in [
        "project.db",
        "project.db-wal",
        "project.db-shm",
        "id_ed25519",
        "secret",
        "local-token",
        "lock",
    ] {
        assert_eq!(mode(&data.join(name)), 0o600, "umask {umask}: {name}");
    }
    assert_eq!(mode(data), 0o700, "umask {umask}");
    child.kill().unwrap();
    child.wait().unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_data_folder_is_private_whatever_the_umask_and_though_it_was_there() {
    let folder = tempfile::tempdir().unwrap();
    for (n, umask) in ["000", "022", "077", "0377"].iter().enumerate() {
        let data = folder.path().join(n.to_string());
        if n % 2 == 0 {
            std::fs::create_dir(&data).unwrap();
            std::fs::set_permissions(&data, PermissionsExt::from_mode(0o777)).unwrap();
        }
        let ready = served_with(umask, &data);
        let token = std::fs::read_to_string(data.join("local-token")).unwrap();
        assert_eq!(ready["local_token"], token.as_str());
        // Opened again as a person may have left it.
        for name in ["", "project.db", "local-token", "id_ed25519"] {
            let open = if name.is_empty() { 0o755 } else { 0o644 };
            std::fs::set_permissions(data.join(name), PermissionsExt::from_mode(open)).unwrap();
        }
        assert_eq!(served_with(umask, &data)["local_token"], token.as_str());
    }
}

#[test]
fn the_own_pages_want_the_token_of_the_ready_line() {
    let server = Server::start(&["--scenario", "seed"]);
    let domain = server.field("domain");
    let address = domain.trim_start_matches("http://");
    let ask = |headers: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let request = format!(
            "GET /local/counters HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let without = ask("");
    assert!(without.starts_with("HTTP/1.1 401"), "{without}");
    assert!(without.contains("local-token"), "{without}");
    assert!(ask("Authorization: Bearer 0123\r\n").starts_with("HTTP/1.1 401"));
    let token = server.field("local_token");
    let with = ask(&format!("Authorization: Bearer {token}\r\n"));
    assert!(with.starts_with("HTTP/1.1 200"), "{with}");
    assert!(!without.contains(&token));
}

#[test]
fn what_an_import_leaves_out_is_listed_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("note.txt", "x"),
        ("a.xyz", "x"),
        ("b.xyz", "x"),
        (".hidden", "x"),
        ("empty.png", ""),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut child = Command::new(PROGRAM)
        .args(["serve", "--import"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    for words in [
        "imported 1 file, skipped 4 files and folders",
        "not imported (2): a.xyz, b.xyz: not a supported file type",
        "not imported: .hidden: hidden",
        "not imported: empty.png: it is empty",
    ] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
}
