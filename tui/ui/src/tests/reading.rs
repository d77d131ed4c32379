//! Searching in what is in sight, and folding JSON.

use super::keys::{desk, ran, stepped};
use super::{Desk, key_event};
use crate::fixture::World;
use crate::{Screen, Theme};
use crossterm::event::Event;
use ratatui::style::Modifier;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;
use wb_core::event::{BuildEvent, CompileFailure, Event as News, JobEvent};

/// Task with its JSON in sight.
pub fn json() -> Desk {
    let mut desk = stepped();
    desk.go("} } } } Tab");
    desk
}

/// Types a search and draws once for each letter.
fn search(desk: &mut Desk, text: &str) -> String {
    desk.go("/");
    for c in text.chars() {
        desk.event(&Event::Key(key_event(&c.to_string().replace(' ', "Space"))));
        desk.draw();
    }
    desk.draw()
}

/// The letters that are marked as matches, and those that the search stands on.
fn marked(desk: &mut Desk) -> (String, String) {
    let cells = desk.cells();
    let text = |with: Modifier| {
        let cells = cells
            .content
            .iter()
            .filter(|cell| cell.modifier.contains(with));
        cells.map(|cell| cell.symbol()).collect::<String>()
    };
    let found = Modifier::UNDERLINED | Modifier::BOLD;
    (text(found), text(found | Modifier::REVERSED))
}

/// Another label row for the open task.
fn give_row(desk: &mut Desk, json: &str) {
    let step = desk.world.state.step.as_mut().unwrap();
    let mut inputs = (**step.inputs.as_ref().unwrap()).clone();
    inputs.labels.as_mut().unwrap().json = json.into();
    step.inputs = Some(Arc::new(inputs));
}

#[test]
fn a_search_goes_from_match_to_match_and_shows_when_it_begins_again() {
    let mut desk = json();
    let drawn = search(&mut desk, "NEW");
    assert!(drawn.contains("/NEW"), "{drawn}");
    assert!(drawn.contains("1 of 1 "), "{drawn}");
    let (found, here) = marked(&mut desk);
    assert_eq!((found.as_str(), here.as_str()), ("NEW", "NEW"));
    desk.go("Esc");
    assert!(!desk.draw().contains("/NEW"));
    let drawn = search(&mut desk, "2f77");
    assert!(drawn.contains("1 of "), "{drawn}");
    desk.go("Enter");
    assert!(desk.draw().contains("n next"), "{}", desk.draw());
    let count: usize = {
        let drawn = desk.draw();
        let of = drawn.split("1 of ").nth(1).unwrap();
        of.split_whitespace().next().unwrap().parse().unwrap()
    };
    for at in 2..=count {
        desk.go("n");
        assert!(
            desk.draw().contains(&format!("{at} of {count}")),
            "{at}: {}",
            desk.draw()
        );
    }
    desk.go("n");
    assert!(
        desk.draw()
            .contains(&format!("from the top · 1 of {count}")),
        "{}",
        desk.draw()
    );
    desk.go("N");
    assert!(
        desk.draw()
            .contains(&format!("from the end · {count} of {count}")),
        "{}",
        desk.draw()
    );
    assert_eq!(
        desk.ui.screen(),
        Screen::Task,
        "n is not a run while a search is active"
    );
    desk.go("Esc");
    assert_eq!(
        desk.ui.screen(),
        Screen::Task,
        "the first one ends the search"
    );
    desk.go("Esc");
    assert_eq!(desk.ui.screen(), Screen::Queue);
}

#[test]
fn what_is_typed_is_looked_for_as_it_is_typed_and_nothing_else_happens() {
    let mut desk = json();
    let commands = desk.press("/ s c X C q");
    assert_eq!(commands, []);
    let drawn = desk.draw();
    assert!(
        drawn.contains("/scXCq") && drawn.contains("nothing found"),
        "{drawn}"
    );
    desk.go("Backspace Backspace Backspace Backspace Backspace");
    desk.event(&Event::Paste("Pedest".to_owned()));
    assert!(desk.draw().contains("1 of 1"), "{}", desk.draw());
    desk.go("Backspace Backspace Backspace Backspace Backspace Backspace Enter");
    assert_eq!(desk.press("?"), []);
    assert!(desk.draw().contains("─ Keys"), "an empty search has ended");
}

#[test]
fn a_slash_filters_the_queue_and_only_there() {
    let mut desk = desk();
    desk.go("/");
    assert_eq!(desk.ui.screen(), Screen::Flow);
    desk.go("Esc 2 /");
    assert!(desk.ui.queue.typing.is_some());
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("3 /");
    assert!(
        desk.draw().contains("no text to search here"),
        "{}",
        desk.draw()
    );
}

#[test]
fn every_pane_with_text_is_searched() {
    let mut desk = ran();
    desk.show(Screen::Run);
    let drawn = search(&mut desk, "low light");
    assert!(drawn.contains(" of 50"), "{drawn}");
    desk.go("Esc M");
    let drawn = search(&mut desk, "ended");
    assert!(drawn.contains("1 of "), "{drawn}");
    let (found, _) = marked(&mut desk);
    assert!(found.contains("ended"), "{found}");
    desk.go("Esc Esc 1 Tab Tab");
    let drawn = search(&mut desk, "build");
    assert!(drawn.contains("1 of "), "{drawn}");
    desk.go("Esc b");
    let mut messages = String::new();
    for n in 0..300 {
        writeln!(messages, "error: number {n}, {} end{n}", "x".repeat(200)).unwrap();
    }
    let result = Err(CompileFailure::from(messages));
    desk.world
        .send(News::Build(BuildEvent::Compiled { result }));
    desk.draw();
    let drawn = search(&mut desk, "end250");
    assert!(drawn.contains("1 of 1"), "{drawn}");
    assert!(
        drawn.contains("… ") || drawn.contains("…x"),
        "the line is moved: {drawn}"
    );
    assert!(marked(&mut desk).1.contains("end250"), "{drawn}");
    desk.go("Esc Esc ?");
    desk.type_text("search");
    assert!(
        desk.draw().contains("Search in the text"),
        "help searches while it is typed"
    );
}

#[test]
fn matches_are_seen_in_every_theme_and_without_colours() {
    for theme in [
        Theme::Dark,
        Theme::Light,
        Theme::HighContrast,
        Theme::Sixteen,
        Theme::Plain,
    ] {
        let mut desk = json();
        desk.ui.st = theme.styles();
        search(&mut desk, "uuid");
        let cells = desk.cells();
        let reversed = |x: u16, y: u16| cells[(x, y)].modifier.contains(Modifier::REVERSED);
        let width = cells.area.width;
        let found = cells.content.iter().enumerate().find(|(_, cell)| {
            cell.modifier
                .contains(Modifier::UNDERLINED | Modifier::BOLD)
        });
        let (at, cell) = found.unwrap_or_else(|| panic!("{theme:?}"));
        let (x, y) = (at as u16 % width, at as u16 / width);
        let beside = &cells[(x - 2, y)];
        let apart = reversed(x, y) != beside.modifier.contains(Modifier::REVERSED);
        assert!(
            apart || (cell.fg, cell.bg) != (beside.fg, beside.bg),
            "{theme:?}"
        );
    }
}

#[test]
fn json_is_folded_and_opened_and_a_search_opens_what_hides_a_match() {
    let mut desk = json();
    let open = desk.draw();
    assert!(open.contains("\"data_units\": {"), "{open}");
    desk.go("Z");
    let folded = desk.draw();
    assert!(
        folded.contains("\"labels\": {… 1 entry}") && !folded.contains("boundingBox"),
        "{folded}"
    );
    assert!(
        search(&mut desk, "boundingbox").contains("\"boundingBox\""),
        "{}",
        desk.draw()
    );
    desk.go("Esc Z");
    assert!(desk.draw().contains("\"data_units\": {"));
    desk.go("g Down Space");
    assert!(desk.draw().contains("{… 3 entries}"), "{}", desk.draw());
    desk.go("Enter");
    assert!(!desk.draw().contains("entries}"), "{}", desk.draw());
    // The closing bracket folds what it closes.
    desk.go("Down Down Down Down Enter");
    assert!(desk.draw().contains("{… 3 entries}"), "{}", desk.draw());
}

#[test]
fn y_copies_the_value_at_the_cursor() {
    let mut desk = json();
    desk.go("g Down Down y");
    let copied = desk.ui.take_copied().unwrap();
    assert!(
        copied.starts_with('"') && copied.contains("night"),
        "{copied}"
    );
    desk.go("Up y");
    let copied = desk.ui.take_copied().unwrap();
    assert!(
        copied.starts_with("{\n  \"data_title\"") && copied.ends_with('}'),
        "{copied}"
    );
}

/// A label row of about five megabytes, and one word at its end.
fn large_row() -> String {
    let mut row = String::from(r#"{"labels":{"data_units":{"u":{"labels":{"0":{"objects":[]}"#);
    let mut frame = 1;
    while row.len() < 5_000_000 {
        write!(
            row,
            r##","{frame}":{{"objects":[{{"name":"Car","color":"#D33115","objectHash":"h{frame:07}","boundingBox":{{"h":0.2{frame},"w":0.1,"x":0.31,"y":0.442}},"confidence":1,"manualAnnotation":false}}],"classifications":[]}}"##
        )
        .unwrap();
        frame += 1;
    }
    row.push_str(r#"}}}},"metadata":{"data_title":"long video","number_of_frames":"27000"},"last":"needle-in-it"}"#);
    row
}

#[test]
fn five_megabytes_are_shown_at_once_and_searched_frame_by_frame() {
    let mut desk = json();
    let row = large_row();
    give_row(&mut desk, &row);
    let began = Instant::now();
    let drawn = desk.draw();
    let first = began.elapsed();
    assert!(drawn.contains("\"labels\": {"), "{drawn}");
    desk.go("/");
    let mut slowest = std::time::Duration::ZERO;
    for c in "needle-in".chars() {
        desk.event(&Event::Key(key_event(&c.to_string())));
    }
    let mut frames = 0;
    loop {
        let began = Instant::now();
        desk.draw();
        slowest = slowest.max(began.elapsed());
        frames += 1;
        if !desk.ui.goes_on() {
            break;
        }
        assert!(frames < 1000, "it ends");
    }
    let drawn = desk.draw();
    assert!(
        drawn.contains("needle-in-it") && drawn.contains("1 of 1"),
        "{drawn}"
    );
    assert!(frames > 3, "not all of it in one frame");
    desk.go("Esc");
    let folded = search(&mut desk, "data_units");
    assert!(
        folded.contains("entries}"),
        "the frames are folded with their count: {folded}"
    );
    println!("5 MB of JSON: first frame {first:?}, then {frames} frames, the slowest {slowest:?}");
}

#[test]
fn hostile_text_stays_text_while_it_is_searched_and_folded() {
    let mut desk = json();
    let long = "z".repeat(10_000);
    give_row(
        &mut desk,
        &format!(
            "{{\"\u{1b}[31mk\u{202e}\":[\"\u{9b}2Jevil\\u001b]0;t\\u0007\",\"{long}evil\"],\"n\":[[[\"evil\"]]]}}"
        ),
    );
    let drawn = search(&mut desk, "evil");
    assert!(drawn.contains("1 of 3"), "{drawn}");
    for key in ["Enter", "n", "n", "Space", "Z", "Z", "n", "N", "y"] {
        desk.go(key);
        let drawn = desk.draw();
        assert!(
            !drawn
                .chars()
                .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{key}: {drawn:?}"
        );
        assert!(
            drawn.lines().all(|line| crate::text::width(line) <= 120),
            "{key}"
        );
    }
    desk.go("n n");
    let mut seen = false;
    for _ in 0..3 {
        desk.go("n");
        seen |= marked(&mut desk).1 == "evil" && desk.draw().contains("zzzevil");
    }
    assert!(seen, "a match at the end of a long line is in sight");
}

#[test]
fn a_match_in_a_log_stays_found_while_lines_come_and_go() {
    let mut desk = stepped();
    desk.go("x");
    let job = desk.world.begun(4121);
    let lines = |desk: &mut Desk, count: usize, text: &str| {
        for n in 0..count {
            desk.world.send(News::Job(JobEvent::Log {
                job,
                level: 3,
                target: "cars".into(),
                text: format!("{text} {n}"),
            }));
        }
    };
    lines(&mut desk, 1500, "line");
    lines(&mut desk, 1, "a lamp is lit");
    desk.go("} } }");
    let drawn = search(&mut desk, "lamp");
    assert!(
        drawn.contains("1 of 1") && drawn.contains("a lamp is lit"),
        "{drawn}"
    );
    desk.go("Enter");
    lines(&mut desk, 1000, "more");
    for _ in 0..3 {
        desk.go("n");
        let drawn = desk.draw();
        assert!(
            drawn.contains("1 of 1") && drawn.contains("a lamp is lit"),
            "{drawn}"
        );
    }
    lines(&mut desk, 1, "another lamp");
    desk.go("n");
    let drawn = desk.draw();
    assert!(
        drawn.contains("2 of 2") && drawn.contains("another lamp"),
        "{drawn}"
    );
}
