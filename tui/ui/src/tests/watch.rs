//! The live loop as a person sees it: tasks that run at every build, and what changed.

use super::{Desk, key_event};
use crate::Screen;
use crate::fixture::{self, World, library, mixed, outcome};
use crossterm::event::{Event as Terminal, MouseButton, MouseEvent, MouseEventKind};
use insta::assert_snapshot;
use std::sync::Arc;
use wb_core::command::Command;
use wb_core::error::Error;
use wb_core::event::{BuildEvent, Event, JobEvent};
use wb_core::ids::Millis;
use wb_core::work::{LabelChange, Outcome};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (200, 60), (60, 18)];

/// What the newer build gives: other boxes, another route, a panic.
fn newer(title: &str) -> Result<Arc<Outcome>, Error> {
    if title.starts_with("cam1") {
        return Ok(outcome("annotate"));
    }
    if title.starts_with("cam2") {
        return Ok(outcome("skip"));
    }
    if title.starts_with("cam4") {
        return mixed("cam4_night_000009.jpg");
    }
    let mut other = (*outcome("annotate")).clone();
    let labels = &mut other.patch.labels;
    labels[0].detail = "box 0.12 0.42 0.18 0.18".into();
    labels.push(LabelChange {
        sign: '+',
        name: "Bicycle".into(),
        hash: "b1c00009".into(),
        detail: "box 0.20 0.55 0.10 0.12".into(),
        ..LabelChange::default()
    });
    other.patch.priority = Some((Some(0.5), 0.6));
    Ok(Arc::new(other))
}

fn next_build(desk: &mut Desk, n: u32, answer: &dyn Fn(&str) -> Result<Arc<Outcome>, Error>) {
    let news = BuildEvent::Probed(Box::new(library(n)));
    desk.world.send(Event::Build(news));
    desk.world.answer(answer);
    desk.draw();
}

/// Four tasks watched over two builds.
fn watched() -> Desk {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 Space Space Space Space w a");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.world.send(Event::Tick(Millis(fixture::NOW + 60_000)));
    next_build(&mut desk, 2, &newer);
    desk
}

fn shots(name: &str, make: impl Fn() -> Desk, keys: &str) {
    for (w, h) in SIZES {
        let mut desk = make();
        (desk.w, desk.h) = (w, h);
        desk.draw();
        if !keys.is_empty() {
            desk.go(keys);
        }
        assert_snapshot!(format!("{name}_{w}x{h}"), desk.draw());
    }
}

#[test]
fn watch_shows_what_the_newest_build_gives_differently() {
    shots("watch", watched, "W Down Down");
}

#[test]
fn watch_shows_a_failure_with_its_fault() {
    shots("watch_failed", watched, "W G");
}

#[test]
fn watch_without_tasks_shows_how_to_begin() {
    shots("watch_none", || Desk::new(World::demo(), 120, 36), "W");
}

/// All tasks of the stage watched over two builds, of which the newer one changes every tenth.
fn many_watched() -> Desk {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 A w");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    next_build(&mut desk, 2, &|title| match title.as_bytes()[13..] {
        [.., b'0', b'.', _, _, _] => newer("cam2"),
        [.., b'7', b'.', _, _, _] => newer("cam3"),
        [.., b'0', b'9', b'.', _, _, _] => newer("cam4"),
        _ => Ok(outcome("annotate")),
    });
    desk
}

#[test]
fn of_many_watched_tasks_those_that_differ_are_listed_first() {
    shots("watch_many", many_watched, "W Down");
    let mut desk = many_watched();
    desk.go("W");
    let worst = desk.draw();
    assert!(worst.contains("What differs, worst first"), "{worst}");
    desk.go("S");
    let all = desk.draw();
    assert!(
        all.contains("─ Tasks ─") && all.contains("1/1,318"),
        "{all}"
    );
    desk.go("S Down Down x");
    let runs = desk.draw();
    assert!(runs.contains("… 1 of 1,318 to go on build #2"), "{runs}");
}

#[test]
fn watch_in_lines_has_the_round_the_tasks_and_the_chosen_one() {
    let mut desk = many_watched();
    desk.go("W");
    let state = &desk.world.state;
    let lines = desk
        .ui
        .with_top(|layer, ui| layer.lines(ui, state))
        .unwrap();
    assert_snapshot!("watch_lines", lines.join("\n"));
}

#[test]
fn watch_while_the_newest_build_is_looked_at() {
    let make = || {
        let mut desk = watched();
        let news = BuildEvent::Probed(Box::new(library(3)));
        desk.world.send(Event::Build(news));
        desk.world.begun(4712);
        desk
    };
    shots("watch_running", make, "W");
}

/// A step whose agent is called while a watched task is in the only host.
fn behind_a_watch_run(desk: &mut Desk) {
    desk.go("2 Space w");
    desk.world.fetched();
    desk.world.begun(4712).unwrap();
    desk.go("Down s s");
    desk.world.fetched();
    desk.go("c");
}

#[test]
fn a_step_that_waits_for_a_host_is_shown_as_waiting_with_what_it_waits_for() {
    let mut desk = Desk::new(World::demo(), 140, 36);
    behind_a_watch_run(&mut desk);
    let screen = desk.draw();
    let waits = "waiting for a free host · watch run on build #1 in it";
    assert!(screen.contains(waits), "{screen}");
    assert!(
        screen.contains("WAITING") && !screen.contains("RUNNING"),
        "{screen}"
    );
    assert!(
        !screen.contains("process ") && !screen.contains("has run"),
        "{screen}"
    );
    let job = desk.world.begun(4713).unwrap();
    desk.world
        .log(job, 3, "agent", "a line of the first attempt");
    let screen = desk.draw();
    assert!(
        screen.contains("RUNNING") && screen.contains("limit"),
        "{screen}"
    );
    assert!(screen.contains("a line of the first attempt"), "{screen}");
    // The host died before it had begun: the job waits for another one.
    desk.world.send(Event::Job(JobEvent::Waits { job }));
    assert!(desk.draw().contains(waits));
}

#[test]
fn a_rerun_that_waits_shows_neither_the_process_nor_the_log_of_the_run_before() {
    let mut desk = Desk::new(World::demo(), 140, 36);
    desk.go("2 Down s s");
    desk.world.fetched();
    desk.go("c");
    let job = desk.world.begun(4713).unwrap();
    desk.world
        .log(job, 3, "agent", "a line of the first attempt");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.go("2 Home Space w");
    desk.world.fetched();
    desk.world.begun(4712).unwrap();
    desk.go("3 x");
    let screen = desk.draw();
    assert!(screen.contains("waiting for a free host"), "{screen}");
    assert!(
        !screen.contains("first attempt") && !screen.contains("4713"),
        "{screen}"
    );
}

#[test]
fn flow_shows_what_the_watched_tasks_made_of_a_build() {
    shots("watch_flow", watched, "1");
}

#[test]
fn queue_marks_watched_tasks() {
    shots("watch_queue", watched, "2 Down");
}

#[test]
fn w_watches_the_marked_tasks_the_one_under_the_cursor_and_the_open_one() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 Down Down");
    let [Command::Watch { rows, on: true, .. }] = &desk.press("w")[..] else {
        panic!("w did not watch")
    };
    assert_eq!(rows[0].id, fixture::task(fixture::PRELABEL, 2));
    desk.go("w");
    let watched = |desk: &Desk| desk.world.state.watch.len();
    assert_eq!(watched(&desk), 1);
    desk.go("w");
    assert_eq!(watched(&desk), 0, "once more: no longer");
    desk.go("Home Space Space Space w");
    assert_eq!(watched(&desk), 3);
    desk.go("a G s w");
    assert_eq!((desk.ui.screen(), watched(&desk)), (Screen::Task, 4));
    let last = desk.world.state.watch.iter().next_back().unwrap();
    assert_eq!(last.row.id, fixture::task(fixture::PRELABEL, 1317));
    desk.go("2 A w");
    assert_eq!(watched(&desk), 1318, "any number");
    let notice = "1,318 tasks watched";
    assert!(desk.draw().contains(notice), "{}", desk.draw());
}

#[test]
fn w_on_the_run_screen_watches_the_tasks_of_a_failure() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("n Enter");
    desk.world.answer(&mixed);
    desk.go("4 w");
    let (group, watch) = (&desk.world.state.failures[0], &desk.world.state.watch);
    assert_eq!(watch.len(), group.rows.len());
    assert!(watch.len() > 1);
}

#[test]
fn keys_of_watch_run_again_keep_hold_step_and_unwatch() {
    let mut desk = watched();
    desk.go("W");
    let first = desk.world.state.watch.at(0).unwrap().row.id;
    assert_eq!(desk.press("x"), [Command::WatchAgain(vec![first])]);
    assert_eq!(desk.press("p"), [Command::KeepWatchResults(true)]);
    desk.go("p");
    assert_eq!(desk.press("p"), [Command::KeepWatchResults(false)]);
    desk.go("p");
    assert_eq!(desk.press("a"), [Command::HoldWatched(first)]);
    desk.world
        .send(Event::Build(BuildEvent::Probed(Box::new(library(3)))));
    assert_eq!(desk.press("p"), [], "not while tasks still run on it");
    desk.world.answer(&newer);
    desk.go("G");
    assert_eq!(desk.press("a"), [], "a failure cannot be held");
    assert!(desk.draw().contains("no outcome to keep"));
    desk.go("w");
    assert_eq!(desk.world.state.watch.len(), 3);
    desk.go("g s");
    assert_eq!(desk.ui.screen(), Screen::Task);
    assert_eq!(desk.world.state.step.as_ref().unwrap().row.id, first);
    desk.go("W X");
    assert!(desk.world.state.watch.is_empty());
    assert!(desk.draw().contains("No task is watched"));
    desk.go("Esc");
    assert!(!desk.draw().contains("No task is watched"));
}

#[test]
fn a_click_chooses_a_watched_task_and_the_wheel_moves() {
    let mut desk = watched();
    desk.go("W");
    let picture = desk.draw();
    let row = picture
        .lines()
        .position(|l| l.contains("cam3_night"))
        .unwrap();
    let click = |row: usize| {
        Terminal::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 10,
            row: u16::try_from(row).unwrap(),
            modifiers: crossterm::event::KeyModifiers::NONE,
        })
    };
    desk.event(&click(row));
    assert!(desk.draw().contains("▌~ cam3_night"));
    desk.event(&Terminal::Key(key_event("x")));
    assert!(desk.draw().contains("3/4"));
    desk.event(&click(row));
    let reading = desk.draw();
    assert!(!reading.contains("enter read on"), "{reading}");
}

#[test]
fn a_stepped_task_shows_when_a_newer_build_could_run_it_again() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("s");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    assert!(
        desk.draw()
            .contains("next: s shows what a commit would write")
    );
    next_build(&mut desk, 2, &newer);
    let next = "next: x runs it again on build #2, the active one; this is from build #1";
    assert!(desk.draw().contains(next), "{}", desk.draw());
    desk.go("x");
    desk.world.answer(&|_| Ok(outcome("skip")));
    assert!(desk.draw().contains("next: s shows"), "{}", desk.draw());
}
