//! What keys, mouse and paste become.

use super::{Desk, key_event};
use crate::fixture::{self, PRELABEL, World, mixed, outcome, stage, task};
use crate::{ACTIONS, Scope, Screen, keys};
use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use wb_core::command::Command;
use wb_core::run::Source;
use wb_core::step::{At, Until};

pub fn desk() -> Desk {
    Desk::new(World::demo(), 120, 36)
}

pub fn stepped() -> Desk {
    let mut desk = desk();
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk
}

pub fn ran() -> Desk {
    let mut desk = desk();
    desk.go("n Enter");
    desk.world.answer(&mixed);
    desk.draw();
    desk
}

#[test]
fn every_key_of_the_table_can_be_pressed() {
    for entry in ACTIONS {
        for key in entry.keys {
            let named = match *key {
                "BackTab" | "F1" | "F2" | "F5" | "Home" | "End" | "PageUp" | "PageDown" => continue,
                other => keys::name(&key_event(other)),
            };
            assert_eq!(named.as_deref(), Some(*key), "{}", entry.name);
        }
    }
}

#[test]
fn enter_goes_in_and_escape_goes_out_and_never_quits() {
    let mut desk = desk();
    assert_eq!(desk.press("Enter"), [Command::OpenStage(stage(PRELABEL))]);
    assert_eq!(desk.ui.screen(), Screen::Queue);
    assert_eq!(
        desk.press("Enter"),
        [Command::Open {
            stage: stage(PRELABEL),
            task: task(PRELABEL, 0)
        }]
    );
    assert_eq!(desk.ui.screen(), Screen::Task);
    assert_eq!(desk.press("Esc Esc Esc Esc"), []);
    assert_eq!(desk.ui.screen(), Screen::Flow);
}

#[test]
fn arrows_follow_the_graph() {
    let mut desk = desk();
    let title = |desk: &Desk| {
        desk.world
            .state
            .stage_title(desk.ui.stage.unwrap())
            .to_owned()
    };
    assert_eq!(title(&desk), "pre-label");
    desk.press("Right");
    assert_eq!(title(&desk), "Annotate");
    desk.press("Right");
    assert_eq!(title(&desk), "Review");
    desk.press("Right Right");
    assert_eq!(title(&desk), "Complete");
    desk.press("Right");
    assert_eq!(title(&desk), "Complete");
    desk.press("Left Left Left Left");
    assert_eq!(title(&desk), "pre-label");
}

#[test]
fn s_steps_one_step_at_a_time_up_to_the_question() {
    let mut desk = stepped();
    assert_eq!(desk.world.state.step.as_ref().unwrap().at, At::Outcome);
    assert_eq!(desk.press("s"), [Command::Step(Until::Next)]);
    desk.world.command(Command::Step(Until::Next));
    assert_eq!(
        desk.press("s"),
        [],
        "at the review s asks, it does not write"
    );
    assert!(
        desk.draw()
            .contains("Commit 1 task to \"Street scenes QA\"?")
    );
}

#[test]
fn a_number_is_typed_over_the_offered_one() {
    let mut desk = desk();
    desk.press("n");
    desk.press("1 2");
    let commands = desk.press("Enter");
    let [Command::Run(spec)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(spec.max_tasks, Some(12));
    assert_eq!(spec.source, Source::Stages(vec![stage(PRELABEL)]));
    assert_eq!(desk.ui.screen(), Screen::Run);
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.press("n 0");
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.draw().contains("not a number of tasks"));
}

#[test]
fn marked_tasks_run_in_the_order_of_the_queue() {
    let mut desk = desk();
    desk.go("2 Down Space Down Space");
    let commands = desk.press("n");
    let [Command::Run(spec)] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    let Source::Tasks(at, rows) = &spec.source else {
        panic!()
    };
    assert_eq!(*at, stage(PRELABEL));
    let ids: Vec<_> = rows.iter().map(|r| r.id).collect();
    assert_eq!(ids, [task(PRELABEL, 1), task(PRELABEL, 3)]);
}

#[test]
fn the_filter_follows_every_letter_and_escape_brings_the_old_one_back() {
    let mut desk = desk();
    desk.go("2 /");
    let at = stage(PRELABEL);
    assert_eq!(
        desk.press("c"),
        [Command::Filter {
            stage: at,
            text: "c".into()
        }]
    );
    assert_eq!(
        desk.press("q"),
        [Command::Filter {
            stage: at,
            text: "cq".into()
        }],
        "q is a letter here"
    );
    assert_eq!(
        desk.press("Backspace"),
        [Command::Filter {
            stage: at,
            text: "c".into()
        }]
    );
    assert_eq!(
        desk.press("Esc"),
        [Command::Filter {
            stage: at,
            text: String::new()
        }]
    );
    assert_eq!(desk.ui.screen(), Screen::Queue);
    desk.press("/");
    desk.type_text("sta");
    let commands = desk.press("Tab");
    assert_eq!(
        commands,
        [Command::Filter {
            stage: at,
            text: "status".into()
        }]
    );
}

#[test]
fn pasted_text_goes_into_the_filter_without_control_codes() {
    let mut desk = desk();
    desk.go("2 /");
    let commands = desk.event(&Event::Paste(" cam3\u{1b}[2J\n".into()));
    assert_eq!(
        commands,
        [Command::Filter {
            stage: stage(PRELABEL),
            text: "cam3".into()
        }]
    );
    let mut desk = Desk::new(World::demo(), 120, 36);
    assert_eq!(
        desk.event(&Event::Paste("qqq".into())),
        [],
        "pasted text is never a key"
    );
}

#[test]
fn the_cursor_stays_on_its_task_when_rows_move() {
    let mut desk = desk();
    desk.go("2 Down Down Down");
    let before = desk.ui.queue.place(stage(PRELABEL));
    assert_eq!(before, 3);
    desk.go("S");
    let queue = &desk.world.state.queues[&stage(PRELABEL)];
    let at = desk.ui.queue.place(stage(PRELABEL));
    assert_eq!(queue.at(at).unwrap().id, task(PRELABEL, 3));
    assert_ne!(at, before, "sorted by title it stands elsewhere");
}

#[test]
fn what_cannot_be_done_now_is_refused_and_not_sent() {
    let mut desk = desk();
    desk.press("3");
    assert_eq!(desk.press("s"), []);
    assert!(desk.draw().contains("no task is open"));
    desk.press("4");
    assert_eq!(desk.press("p"), []);
    assert!(desk.draw().contains("no run is in progress"));
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.ui.select_stage(stage(fixture::ANNOTATE));
    assert_eq!(desk.press("s n"), []);
    assert!(desk.draw().contains("no agent for stage \"Annotate\""));
}

#[test]
fn the_next_task_of_the_queue_is_one_key_away() {
    let mut desk = stepped();
    assert_eq!(
        desk.press("]"),
        [Command::Open {
            stage: stage(PRELABEL),
            task: task(PRELABEL, 1)
        }]
    );
    let mut desk = stepped();
    desk.go("s C y");
    desk.world.answer(&mixed);
    desk.draw();
    assert_eq!(desk.world.state.step.as_ref().unwrap().at, At::Committed);
    // The committed one has left: the next one took its place.
    assert_eq!(
        desk.press("]"),
        [Command::Open {
            stage: stage(PRELABEL),
            task: task(PRELABEL, 1)
        }]
    );
}

#[test]
fn opening_the_task_that_is_open_goes_back_to_it() {
    let mut desk = stepped();
    desk.go("Esc");
    assert_eq!(desk.press("Enter"), []);
    assert_eq!(desk.ui.screen(), Screen::Task);
}

#[test]
fn the_palette_finds_commands_stages_and_tasks() {
    let mut desk = desk();
    desk.press(":");
    desk.type_text("rou");
    desk.press("Enter");
    assert_eq!(desk.ui.stage, Some(stage(fixture::ROUTE)));
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("2 :");
    desk.type_text("000412");
    desk.go("Enter");
    assert_eq!(desk.ui.queue.place(stage(PRELABEL)), 412);
    let mut desk = stepped();
    desk.go(":");
    desk.type_text("commit task");
    assert_eq!(
        desk.press("Enter"),
        [],
        "a write asks, however it was found"
    );
    assert!(desk.draw().contains("Commit 1 task"));
}

#[test]
fn a_click_selects_a_double_one_goes_in_and_the_wheel_scrolls() {
    let mut desk = desk();
    let mouse = |kind, column, row| {
        Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    let text = desk.draw();
    let row = text.lines().position(|l| l.contains("A route")).unwrap();
    let column = text
        .lines()
        .nth(row)
        .unwrap()
        .split("A route")
        .next()
        .unwrap()
        .chars()
        .count();
    let click = mouse(
        MouseEventKind::Down(MouseButton::Left),
        column as u16,
        row as u16,
    );
    assert_eq!(desk.event(&click), []);
    assert_eq!(desk.ui.stage, Some(stage(fixture::ROUTE)));
    desk.draw();
    let later = wb_core::ids::Millis(fixture::NOW + 2_000);
    desk.world.send(wb_core::event::Event::Tick(later));
    assert_eq!(desk.event(&click), [], "two clicks apart are two clicks");
    desk.draw();
    assert_eq!(
        desk.event(&click),
        [Command::OpenStage(stage(fixture::ROUTE))]
    );
    desk.ui.select_stage(stage(PRELABEL));
    desk.draw();
    desk.event(&mouse(MouseEventKind::ScrollDown, 10, 10));
    assert_eq!(desk.ui.queue.place(stage(PRELABEL)), 3);
    let text = desk.draw();
    let tab = text.lines().next().unwrap().chars().collect::<Vec<_>>();
    let at = tab
        .windows(5)
        .position(|w| w.iter().collect::<String>() == "4 Run")
        .unwrap();
    desk.event(&mouse(
        MouseEventKind::Down(MouseButton::Left),
        at as u16,
        0,
    ));
    assert_eq!(desk.ui.screen(), Screen::Run);
}

#[test]
fn every_screen_hints_only_at_keys_that_work() {
    let mut desk = stepped();
    for screen in Screen::ALL {
        desk.ui.show(screen);
        let layer = screen.layer();
        for (action, word) in layer.hints(&desk.ui, &desk.world.state) {
            assert_eq!(
                action.enabled(&desk.ui, &desk.world.state),
                Ok(()),
                "{word}"
            );
            let scope = action.row().scope;
            assert!(
                [layer.scope(), Scope::List, Scope::Global].contains(&scope),
                "{word} is a key of {scope:?}"
            );
        }
    }
}
