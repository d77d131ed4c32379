//! Reading at a real terminal: searching, folding, copying with the mouse, links.

use crate::support::{Server, Terminal, sample_agents};
use std::path::Path;

/// The JSON of a task that was stepped up to its call.
fn json(server: &Server, dir: &Path, size: (u16, u16)) -> Terminal {
    let mut screen = Terminal::open(server, dir, &sample_agents(), size);
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen.keys("}}}}").wait("// task");
    screen
}

#[test]
fn a_search_goes_through_the_json_of_a_task_and_opens_what_is_folded() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut screen = json(&server, dir.path(), size);
        screen.keys("/").wait("end the search");
        screen.keys("data").wait("1 of ");
        screen.keys("\r").wait("n next");
        screen.keys("n").wait("2 of ");
        screen.keys("N").wait("1 of ");
        screen.keys("N").wait("from the end");
        let ended = |text: &str| !text.contains("from the end");
        screen
            .keys("\x1b")
            .wait_until("the end of the search", ended);
        screen
            .keys("Z")
            .keys("/\"metadata\"")
            .wait("end the search");
        screen.wait("{… ");
        screen
            .keys("\x1b")
            .wait_until("the end of the search", |text| {
                !text.contains("end the search")
            });
        let hidden = |text: &str| !text.contains("\"data_units\"");
        screen.wait_until("what is folded", hidden);
        screen.keys("/data_units").wait("1 of ");
        screen.wait("\"data_units\"");
        screen
            .keys("\x1b")
            .wait_until("the end of the search", |text| {
                !text.contains("end the search")
            });
        assert_eq!(screen.quit().0, 0);
    }
    assert_eq!(server.writes(), 0);
}

#[test]
fn a_slash_searches_messages_and_the_run_and_filters_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "12"]);
    let mut screen = Terminal::open(&server, dir.path(), &sample_agents(), (120, 36));
    screen.keys("n").wait("how many");
    screen.keys("\r");
    screen.keys("4").wait("FINISHED");
    screen.keys("M").wait("Messages");
    screen.keys("/build").wait("1 of ");
    screen.keys("\r").wait("n next");
    screen
        .keys("\x1b")
        .wait_until("the end of the search", |text| !text.contains("n next"));
    screen
        .keys("\x1b")
        .wait_until("the run again", |text| !text.contains("Messages"));
    screen.keys("1").wait("Activity");
    screen.keys("\t\t/zzz").wait("nothing found");
    screen
        .keys("\x1b")
        .wait_until("the end of the search", |text| !text.contains("zzz"));
    screen.keys("2/").wait("filter");
    screen.keys("astro\r").wait("1 of 1");
    assert_eq!(screen.quit().0, 0);
}

/// Where a text stands, counted from 1.
fn place(screen: &Terminal, text: &str) -> (usize, usize) {
    let all = screen.text();
    let (row, line) = all
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(text))
        .unwrap();
    (
        line[..line.find(text).unwrap()].chars().count() + 1,
        row + 1,
    )
}

#[test]
fn dragging_copies_the_text_of_one_pane_to_the_clipboard_of_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = json(&server, dir.path(), (120, 36));
    let (x, y) = place(&screen, "// task");
    let to = x + "// task".len() - 1;
    screen.keys(&format!(
        "\x1b[<0;{x};{y}M\x1b[<32;{to};{y}M\x1b[<0;{to};{y}m"
    ));
    screen.wait("copied 1 line");
    // "// task" in base64.
    screen.wait_for_bytes("\x1b]52;c;Ly8gdGFzaw==\x07");
    assert_eq!(screen.quit().0, 0);
}
