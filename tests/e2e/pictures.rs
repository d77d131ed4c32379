//! Pictures of tasks on terminals that can draw pixels: found by asking, sent in their own way, and freed at the end.

use crate::support::{Server, Terminal, sample_agents};
use std::path::Path;
use std::time::{Duration, Instant};

/// The screen on a terminal that answers this, with the picture of a task in sight.
fn with_picture(server: &Server, dir: &Path, answers: &str) -> Terminal {
    let project = server.project();
    let library = sample_agents();
    let args = ["-p", &project, "-a", library.to_str().unwrap()];
    let screen = Terminal::start(dir, &args, &server.env(), (160, 45));
    let mut screen = screen.answering(answers);
    screen.wait("build #1");
    screen.keys("2");
    screen.wait("astronaut.jpg");
    screen
}

#[test]
fn each_terminal_is_sent_pictures_in_its_own_way() {
    let server = Server::start(&["--scenario", "demo"]);
    for (answers, begins) in [
        ("\x1b_Gi=31;OK\x1b\\", "\x1b_Ga=t,t=d,f=100,"),
        ("\x1bP>|iTerm2 3.6.2\x1b\\", "\x1b]1337;File=inline=1;"),
        ("\x1b[?62;4c", "\x1bP0;1q\"1;1;"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut screen = with_picture(&server, dir.path(), answers);
        screen.wait_for_bytes(begins);
        let (code, _) = screen.quit();
        assert_eq!(code, 0);
        let raw = String::from_utf8_lossy(&screen.raw);
        let freed = raw.rfind("\x1b_Ga=d,d=A,q=2\x1b\\");
        assert_eq!(freed.is_some(), begins.starts_with("\x1b_G"));
    }
}

#[test]
fn a_video_is_scrubbed_without_waiting() {
    let server = Server::start(&["--scenario", "demo"]);
    let dir = tempfile::tempdir().unwrap();
    let mut screen = with_picture(&server, dir.path(), "");
    screen.keys("/meadow\r");
    let shown = |frame: u64| {
        let wanted = format!("frame {frame} of 74 · ");
        move |text: &str| text.contains(&wanted) && !text.contains("decoding")
    };
    screen.wait_until("the first frame", shown(0));
    let mut taken: Vec<Duration> = (1..=30)
        .map(|frame| {
            let began = Instant::now();
            screen.keys(">");
            screen.wait_until("the next frame", shown(frame));
            began.elapsed()
        })
        .collect();
    taken.sort();
    let (middle, most) = (taken[taken.len() / 2], taken[taken.len() - 1]);
    println!("a frame on: {middle:?}, at most {most:?}");
    assert!(middle < Duration::from_millis(100), "{middle:?}");
    screen.keys("<");
    screen.wait_until("the frame before", shown(29));
    screen.keys("#60\r");
    screen.wait_until("a frame by its number", shown(60));
    screen.quit();
}

#[test]
fn texts_and_sounds_are_shown_as_what_they_are() {
    let server = Server::start(&["--scenario", "demo"]);
    let dir = tempfile::tempdir().unwrap();
    let mut screen = with_picture(&server, dir.path(), "");
    screen.keys("/shift_note_17\r");
    screen.wait_until("the text", |text| {
        text.contains("Please mark every vehicle")
    });
    screen.keys("/");
    screen.keys(&"\x7f".repeat("shift_note_17".len()));
    screen.keys("gate_beep_02\r");
    screen.wait_until("the sound", |text| {
        text.contains("0:00.000──") && text.contains("███")
    });
    screen.quit();
}
