//! Text that is dragged over with the mouse.

use super::Desk;
use super::keys::desk;
use super::reading::json;
use super::truths::click;
use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::Modifier;

/// Drags from one text on the screen to the end of another one, and releases.
fn drag(desk: &mut Desk, from: &str, to: &str) -> Option<String> {
    let drawn = desk.draw();
    let at = |text: &str, end: bool| {
        let (row, line) = drawn
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(text))
            .unwrap();
        let before = line.find(text).unwrap() + if end { text.len() } else { 0 };
        let column = crate::text::width(&line[..before]) - usize::from(end);
        (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
    };
    let left = MouseButton::Left;
    for (kind, (column, row)) in [
        (MouseEventKind::Down(left), at(from, false)),
        (MouseEventKind::Drag(left), at(to, true)),
        (MouseEventKind::Up(left), at(to, true)),
    ] {
        let modifiers = KeyModifiers::NONE;
        desk.event(&Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        }));
    }
    desk.draw();
    desk.ui.take_copied()
}

#[test]
fn dragging_in_a_pane_copies_its_text_and_never_its_frame() {
    let mut desk = json();
    let copied = drag(&mut desk, "\"status\"", "// label row").unwrap();
    let lines: Vec<&str> = copied.lines().collect();
    assert!(lines[0].starts_with("\"status\": \"NEW\""), "{copied}");
    assert_eq!(lines.last(), Some(&" // label row"), "{copied}");
    assert!(!copied.contains(['│', '╭', '█']), "{copied}");
    assert!(
        !copied.contains("outcome"),
        "nothing of the pane beside it: {copied}"
    );
    assert!(
        desk.draw()
            .contains(&format!("copied {} lines", lines.len())),
        "{}",
        desk.draw()
    );
    assert_eq!(desk.ui.take_copied(), None, "once");
    // The other way round it is the same.
    assert_eq!(drag(&mut desk, "uuid", "uuid").as_deref(), Some("uuid"));
    // A click copies nothing.
    let drawn = desk.draw();
    let row = drawn.lines().position(|line| line.contains("status"));
    click(&mut desk, row.unwrap(), "status");
    desk.draw();
    assert_eq!(desk.ui.take_copied(), None);
}

#[test]
fn wrapped_lines_are_copied_as_one_line() {
    let mut desk = desk();
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Err(crate::fixture::panic_error()));
    let summary = crate::fixture::panic_error().summary.clone();
    let (first, last) = (&summary[..20], "where it is");
    let copied = drag(&mut desk, &format!("✗ {first}"), last).unwrap();
    assert_eq!(copied, format!("✗ {summary}"));
}

#[test]
fn what_is_selected_stands_still_and_is_marked_until_a_key_is_pressed() {
    let mut desk = json();
    let drawn = desk.draw();
    let row = drawn
        .lines()
        .position(|line| line.contains("\"status\""))
        .unwrap() as u16;
    let left = MouseButton::Left;
    let modifiers = KeyModifiers::NONE;
    for (kind, column, row) in [
        (MouseEventKind::Down(left), 40, row),
        (MouseEventKind::Drag(left), 119, row + 2),
    ] {
        desk.event(&Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        }));
    }
    let cells = desk.cells();
    let reversed = |x: u16, y: u16| cells[(x, y)].modifier.contains(Modifier::REVERSED);
    assert!(reversed(40, row) && reversed(37, row + 1) && !reversed(39, row));
    assert!(!reversed(20, row + 1), "the pane beside it is not touched");
    desk.press("j");
    let cells = desk.cells();
    assert!(!cells[(40, row)].modifier.contains(Modifier::REVERSED));
    assert_eq!(desk.ui.take_copied(), None);
}
