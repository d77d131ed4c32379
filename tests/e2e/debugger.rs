//! The step debugger at a real terminal: places, their values, and what a person does there.

use crate::support::{Server, Terminal, sample_agents};
use std::path::Path;

fn open(server: &Server, dir: &Path) -> Terminal {
    let mut screen = Terminal::open(server, dir, &sample_agents(), (120, 36));
    screen.keys("2").wait("astronaut.jpg");
    screen.keys("s").wait("before the call");
    screen
}

#[test]
fn a_step_stops_at_each_checkpoint_and_goes_back_to_the_values_that_were_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "20"]);
    let mut screen = open(&server, dir.path());
    screen.keys("s").wait("▶ at mean brightness");
    assert!(screen.text().contains("PAUSED"), "{}", screen.text());
    assert!(screen.text().contains("time limit stands still"));
    screen.keys("s").wait("▶ at region");
    screen.wait("\"w\": ");
    screen
        .keys("\x1b[D")
        .wait_until("the earlier value", |text| {
            text.contains("at mean brightness") && !text.contains("\"w\": ")
        });
    screen.keys("c").wait("✓ outcome");
    assert!(screen.text().contains("✓ at region"), "{}", screen.text());
    assert_eq!(server.writes(), 0);
    screen.quit();
}
