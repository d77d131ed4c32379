//! Small things that the screen must not get wrong: what a click on the header opens, what a run and a failure are
//! called, what is offered.

use super::keys::{desk, ran, stepped};
use super::{Desk, repeated};
use crate::fixture::{World, panic_error};
use crate::{Screen, text};
use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use wb_core::command::Command;
use wb_core::event::{Event as News, JobEvent};
use wb_core::state::Level;

/// Clicks on the first letter of this text on a row.
pub fn click(desk: &mut Desk, row: usize, on: &str) -> Vec<Command> {
    let drawn = desk.draw();
    let line = drawn.lines().nth(row).unwrap();
    let at = line
        .find(on)
        .unwrap_or_else(|| panic!("{on:?} in {line:?}"));
    let column = u16::try_from(text::width(&line[..at])).unwrap();
    desk.event(&Event::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row: u16::try_from(row).unwrap(),
        modifiers: KeyModifiers::NONE,
    }))
}

#[test]
fn a_click_on_a_tab_opens_its_screen_and_one_on_a_word_of_the_header_what_it_is_about() {
    for (w, h) in [(80, 24), (120, 36), (200, 60)] {
        let mut desk = Desk::new(World::demo(), w, h);
        for (tab, screen) in ["1 Flow", "2 Queue", "3 Task", "4 Run"]
            .into_iter()
            .zip(Screen::ALL)
        {
            desk.ui.show(Screen::Run);
            if screen == Screen::Run {
                desk.ui.show(Screen::Flow);
            }
            click(&mut desk, 0, tab);
            assert_eq!(
                (desk.ui.screen(), desk.ui.overlays.len()),
                (screen, 0),
                "{w}: {tab}"
            );
        }
        click(&mut desk, 0, "#1 ok");
        assert!(desk.draw().contains("─ Builds"), "{}", desk.draw());
    }
    let mut desk = desk();
    click(&mut desk, 0, "Street");
    assert_eq!(desk.ui.overlays.len(), 0, "the title opens nothing");
    click(&mut desk, 0, "HOLD");
    assert_eq!(desk.ui.overlays.len(), 1, "the mode asks");
}

#[test]
fn the_header_has_the_level_of_the_project() {
    for (level, word) in [(Level::Sandbox, "sandbox"), (Level::Protected, "PROTECTED")] {
        let mut desk = desk();
        desk.world.state.options.level = Some(level);
        let drawn = desk.draw();
        let header = drawn.lines().next().unwrap();
        assert!(header.contains(&format!("{word} · HOLD")), "{header}");
    }
}

#[test]
fn a_paused_run_reads_paused_and_offers_to_go_on() {
    let mut desk = desk();
    desk.go("n Enter p");
    let drawn = desk.draw();
    assert!(drawn.contains("paused (p goes on)"), "{drawn}");
    assert!(drawn.contains("p go on"), "{drawn}");
    assert!(drawn.contains("taken, paused"), "{drawn}");
    desk.go("1");
    assert!(
        desk.draw().contains("PAUSED (p on the Run screen goes on)"),
        "{}",
        desk.draw()
    );
    desk.go("4 p");
    assert!(desk.draw().contains("p pause"), "{}", desk.draw());
}

#[test]
fn a_stopped_run_reads_how_far_it_came() {
    let mut desk = desk();
    desk.go("n Enter X");
    desk.world.answer(&crate::fixture::mixed);
    let drawn = desk.draw();
    let done = desk.world.state.run.as_ref().unwrap().decided();
    assert!(done < 50, "{done}");
    assert!(drawn.contains(&format!("{done} of 50, stopped")), "{drawn}");
    assert!(!drawn.contains("100 %"), "{drawn}");
}

#[test]
fn a_run_whose_jobs_have_no_host_names_what_they_wait_for() {
    let mut desk = desk();
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.begun(4121);
    desk.go("2 Space Space n");
    desk.world.fetched();
    let drawn = desk.draw();
    let why = "jobs  waiting for a free host · the stepped task on build #1 in it";
    assert!(drawn.contains(why), "{drawn}");
}

#[test]
fn a_failure_is_on_every_tab_of_the_task() {
    let mut desk = desk();
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Err(panic_error()));
    let summary = panic_error().summary.clone();
    let words: String = summary.chars().take(30).collect();
    for _ in 0..5 {
        let drawn = desk.draw();
        assert!(drawn.contains(&format!("✗ {words}")), "{words}: {drawn}");
        assert!(!drawn.contains("may help"), "{drawn}");
        desk.press("t");
    }
}

#[test]
fn the_lines_of_two_attempts_are_set_apart() {
    let mut desk = stepped();
    desk.go("x");
    let job = desk.world.begun(4121);
    desk.world.send(News::Job(JobEvent::Log {
        job,
        level: 3,
        target: "cars".into(),
        text: "second try".into(),
    }));
    desk.go("t t t");
    let drawn = desk.draw();
    let (first, second) = (
        drawn.find("attempt 1 · build #1"),
        drawn.find("attempt 2 · build #1"),
    );
    let line = drawn.find("second try");
    assert!(
        first.is_some() && first < second && second < line,
        "{drawn}"
    );
}

#[test]
fn a_run_of_no_number_of_tasks_is_refused_in_the_question_itself() {
    let mut desk = desk();
    desk.press("n Backspace");
    assert_eq!(desk.press("Enter"), []);
    assert!(
        desk.draw()
            .contains("✗ type how many tasks to run, 1 or more")
    );
    desk.press("7");
    assert!(!desk.draw().contains("✗ type"), "{}", desk.draw());
    assert_eq!(
        desk.event(&repeated("Enter")),
        [],
        "a repeated Enter starts nothing"
    );
}

#[test]
fn the_palette_has_what_is_possible_on_this_screen_first() {
    let mut desk = ran();
    desk.go("2 :");
    let drawn = desk.draw();
    let at = |name: &str| {
        drawn
            .find(name)
            .unwrap_or_else(|| panic!("{name}: {drawn}"))
    };
    assert!(at("do    mark all") < at("do    flow"), "{drawn}");
    assert!(!drawn.contains("commit task"), "not possible here: {drawn}");
}

#[test]
fn the_help_explains_the_marks_of_every_screen() {
    let mut desk = Desk::new(World::demo(), 120, 400);
    desk.press("?");
    let drawn = desk.draw();
    for mark in [
        "●", "○", "w", "✓", "✗", "▶", "·", "!", "–", "◐", "[x]", "(1)",
    ] {
        assert!(
            drawn.lines().any(|l| l.contains(&format!("  {mark} "))),
            "{mark}: {drawn}"
        );
    }
}

#[test]
fn the_stages_in_sight_are_named_when_they_change() {
    use wb_core::command::Shown;
    let mut desk = desk();
    assert_eq!(desk.ui.shown_stages(), None, "Flow shows all");
    desk.go("2");
    let stage = desk.ui.stage.unwrap();
    assert_eq!(
        desk.ui.shown_stages(),
        Some(Command::Show(Shown::Stage(stage)))
    );
    assert_eq!(desk.ui.shown_stages(), None);
    desk.go("4");
    assert_eq!(desk.ui.shown_stages(), Some(Command::Show(Shown::Nothing)));
}
