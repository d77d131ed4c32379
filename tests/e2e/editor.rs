//! The editor that the screen opens: it has the terminal until it ends, and the screen has it afterwards.

use crate::support::{Server, Terminal};
use std::os::unix::fs::PermissionsExt;

/// An editor that shows what it was given, and keeps the line that is typed into it.
const EDITOR: &str = "#!/bin/sh\nprintf 'editing <%s> <%s> %s\\n' \"$1\" \"$2\" \"$3\"\nread line\nprintf '%s' \"$line\" > typed\n";

#[test]
fn e_opens_the_editor_at_the_compile_error_and_gives_the_screen_back() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "5"]);
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    write(
        "agents/Cargo.toml",
        "[package]\nname = \"broken\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    );
    write(
        "agents/src/lib.rs",
        "pub fn one() -> u32 {\n    \"two\"\n}\n\npub fn three() {\n    four();\n}\n",
    );
    let editor = write("my editor", EDITOR);
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let project = server.project();
    let args = [
        "--project-hash",
        &project,
        "--agents",
        "agents",
        "ui",
        "--build",
    ];
    let mut env = server.env().to_vec();
    env.push(("EDITOR", format!("'{}' --wait", editor.display())));
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("The agents did not compile");
    screen.wait_until("both errors", |t| {
        t.contains("src/lib.rs:2:5: mismatched types") && t.contains("src/lib.rs:6:5: cannot find")
    });
    for (key, line) in [("", 2), ("j", 6)] {
        if !key.is_empty() {
            screen.keys(key).wait("▌ src/lib.rs:6:5");
        }
        screen
            .keys("E")
            .wait(&format!("editing <--wait> <+{line}>"));
        screen.wait("agents/src/lib.rs");
        screen
            .keys("typed at line\r")
            .wait("The agents did not compile");
        let typed = std::fs::read_to_string(dir.path().join("typed")).unwrap();
        assert_eq!(typed, "typed at line", "the screen reads nothing meanwhile");
    }
    screen.keys("q").ended();
}
