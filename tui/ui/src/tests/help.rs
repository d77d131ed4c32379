//! The help: searched by typing, and whole at any width.

use super::Desk;
use super::keys::desk;
use crate::fixture::World;
use crate::{ACTIONS, Scope};
use wb_core::filter::FORMS;

/// What is written, without the frame.
fn words(drawn: &str) -> String {
    let words = drawn.split_whitespace();
    let words: Vec<&str> = words.filter(|w| !matches!(*w, "│" | "█")).collect();
    words.join(" ")
}

#[test]
fn help_is_searched_by_typing_and_closed_by_escape() {
    let mut desk = desk();
    desk.press("?");
    desk.type_text("quit");
    assert_eq!(desk.press("Esc"), [], "the first escape clears the search");
    assert!(desk.draw().contains("Keys: Flow"));
    desk.press("Esc");
    assert!(!desk.draw().contains("Keys: Flow"));
}

#[test]
fn help_explains_all_of_each_key_however_narrow_the_terminal() {
    for width in [40, 60, 80] {
        let mut desk = Desk::new(World::demo(), width, 400);
        desk.go("3");
        desk.press("?");
        let text = words(&desk.draw());
        let task = ACTIONS.iter().filter(|e| e.scope == Scope::Task);
        for entry in task {
            assert!(
                text.contains(entry.help),
                "{width}: {} in {text}",
                entry.help
            );
        }
        assert!(
            text.contains("C Commit this task (asks) writes (not now)"),
            "{text}"
        );
    }
}

#[test]
fn help_cuts_no_mark_and_no_filter_however_narrow_the_terminal() {
    for width in [60, 80] {
        let mut desk = Desk::new(World::demo(), width, 400);
        desk.go("2");
        desk.press("?");
        let drawn = desk.draw();
        let text = words(&drawn);
        for (form, matches) in FORMS {
            let both = words(&format!("{form} {matches}"));
            assert!(text.contains(&both), "{width}: {both} in {drawn}");
        }
        let mark = "= ~ in watch: the newest build gave the same, or something else";
        assert!(text.contains(mark), "{width}: {drawn}");
        assert!(!drawn.contains('…'), "{width}: {drawn}");
    }
}
