//! The focus in a real terminal: the bright frame, Tab, zoom, pages, the wheel and clicks, and whose the mouse is.

use crate::support::{Server, Terminal, c_agent, c_text};
use serde_json::json;
use std::path::{Path, PathBuf};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

const PAGE_DOWN: &str = "\x1b[6~";
const HOME: &str = "\x1b[H";
const SHIFT_TAB: &str = "\x1b[Z";
const CTRL_D: &str = "\x04";
const CTRL_T: &str = "\x14";

/// An agent whose outcomes have more lines than a screen.
fn agent(dir: &Path) -> PathBuf {
    let car = json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}});
    let answer = json!({"stage": "Archive", "priority": 0.25, "add": vec![car; 90]});
    let defines = [
        c_text("OUTCOME", &answer.to_string()),
        c_text("STAGE", "pre-label"),
        "NEEDS=WB_NEED_LABEL_ROW_WRITE".to_owned(),
    ];
    let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
    c_agent(dir, "noop", &defines)
}

/// A mouse report in the middle of a frame: 0 is a click, 64 and 65 the wheel up and down.
fn mouse(button: u8, [left, top, right, bottom]: [u16; 4]) -> String {
    let (x, y) = (
        u16::midpoint(left, right) + 1,
        u16::midpoint(top, bottom) + 1,
    );
    match button {
        0 => format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m"),
        wheel => format!("\x1b[<{wheel};{x};{y}M"),
    }
}

/// Review, with the tasks of its only group.
fn reviewing(server: &Server, dir: &Path, agents: &Path, size: (u16, u16)) -> Terminal {
    let mut screen = Terminal::open(server, dir, agents, size);
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("n").wait("how many of");
    screen.keys("\x15100\r").wait("FINISHED");
    screen.keys("v").wait("nothing is sent before you commit");
    screen.keys("\r").wait(" 1/");
    screen
}

#[test]
fn keys_act_in_the_bright_frame_and_the_wheel_below_the_pointer() {
    let build = tempfile::tempdir().unwrap();
    let agents = agent(build.path());
    for size in SIZES {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "demo", "--tasks", "300"]);
        let mut screen = reviewing(&server, dir.path(), &agents, size);
        let list = screen.wait_frame("the list", |frame| frame[0] == 0);
        // Tab goes to the next pane, Shift-Tab back; the pane with the details is the last one.
        let other = screen
            .keys("\t")
            .wait_frame("another pane", |frame| frame != list);
        screen
            .keys(SHIFT_TAB)
            .wait_frame("the list", |frame| frame == list);
        let details = screen
            .keys(SHIFT_TAB)
            .wait_frame("the last pane", |frame| frame != list);
        assert_eq!(
            other == details,
            size.0 < 100,
            "no picture where room is narrow"
        );
        // Its text scrolls by pages of its own.
        screen.wait("Labels: 90 added");
        screen
            .keys(PAGE_DOWN)
            .wait_until("the next lines", |text| !text.contains("Labels: 90"));
        screen.keys(HOME).wait("Labels: 90 added");
        // z shows it alone, Esc brings the others back.
        let whole = [0, 2, size.0 - 1, size.1 - 3];
        screen
            .keys("z")
            .wait_frame("one pane", |frame| frame == whole);
        screen
            .keys("\x1b")
            .wait_frame("all panes", |frame| frame == details);
        // A click gives the list the focus. Its pages are its rows.
        screen
            .keys(&mouse(0, list))
            .wait_frame("the list", |frame| frame == list);
        screen.keys(HOME).wait(" 1/");
        let rows = usize::from(list[3] - list[1] - 1);
        screen.keys(PAGE_DOWN).wait(&format!(" {}/", 1 + rows));
        screen
            .keys(CTRL_D)
            .wait(&format!(" {}/", 1 + rows + rows / 2));
        screen.keys(HOME).wait(" 1/");
        // The wheel scrolls what it is over, and the focus stays.
        screen
            .keys(&mouse(65, details))
            .wait_until("the next lines", |text| !text.contains("Labels: 90"));
        assert!(screen.text().contains(" 1/"), "{}", screen.text());
        screen.keys(&mouse(64, details)).wait("Labels: 90 added");
        screen.keys(&mouse(65, list)).wait(" 4/");
        screen
            .keys(&mouse(0, details))
            .wait_frame("the details", |frame| frame == details);
        screen.keys(&mouse(64, list)).wait(" 1/");
        assert_eq!(screen.bright_frame(), Some(details));
        // On the Task screen tabs have keys of their own.
        screen
            .keys("\x1b")
            .wait_frame("the list", |frame| frame == list);
        screen.keys("\x1b").wait("By outcome");
        screen.keys("\x1b").wait("FINISHED");
        screen.keys("2s").wait("Timeline");
        let timeline = screen.wait_frame("the timeline", |frame| frame[0] == 0);
        screen
            .keys("\t")
            .wait_frame("the value", |frame| frame[0] > timeline[0]);
        screen.keys("t").wait("[Labels±]");
        screen.keys("{").wait("[Value]");
        assert_eq!(server.writes(), 0);
        screen.quit();
    }
}

#[test]
fn the_mouse_is_left_to_the_terminal_until_it_is_taken_back_at_the_next_start_too() {
    let build = tempfile::tempdir().unwrap();
    let agents = agent(build.path());
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    for size in SIZES {
        let dir = tempfile::tempdir().unwrap();
        let mut screen = Terminal::open(&server, dir.path(), &agents, size);
        assert!(!screen.text().contains("mouse off"));
        screen.keys(CTRL_T).wait("mouse off (Ctrl-t)");
        screen.wait_for_bytes("\x1b[?1000l");
        assert_eq!(screen.quit().0, 0);
        let mut screen = Terminal::open(&server, dir.path(), &agents, size);
        screen.wait("mouse off (Ctrl-t)");
        screen.wait_for_bytes("\x1b[?1000l");
        let before = screen.raw.len();
        screen
            .keys(CTRL_T)
            .wait_until("the mouse is taken", |text| !text.contains("mouse off"));
        let since = String::from_utf8_lossy(&screen.raw[before..]).into_owned();
        assert!(since.contains("\x1b[?1000h"), "{since:?}");
        assert_eq!(screen.quit().0, 0);
    }
}
