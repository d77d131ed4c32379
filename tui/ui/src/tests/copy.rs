//! What `y` and `Y` hand to the clipboard.

use super::Desk;
use crate::Screen;
use crate::fixture::{PRELABEL, World, mixed, outcome, stage, task};

fn copied(desk: &mut Desk, keys: &str) -> Option<String> {
    desk.go(keys);
    desk.ui.take_copied()
}

#[test]
fn y_copies_what_the_cursor_is_on() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    let uuid = stage(PRELABEL).to_string();
    assert_eq!(copied(&mut desk, "y"), Some(uuid));
    assert!(desk.draw().contains("copied the stage's UUID"));
    assert_eq!(desk.ui.take_copied(), None, "once");
    let one = task(PRELABEL, 2).to_string();
    assert_eq!(copied(&mut desk, "2 Down Down y"), Some(one.clone()));
    let two = format!("{one}\n{}", task(PRELABEL, 3));
    assert_eq!(copied(&mut desk, "Space Space y"), Some(two));
    desk.go("a s");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    let value = copied(&mut desk, "y").unwrap();
    assert!(
        value.starts_with("outcome\n") && value.contains("annotate"),
        "{value}"
    );
    let json = copied(&mut desk, "t t t t y").unwrap();
    assert!(json.contains("\"fileSize\": 421888"), "{json}");
    assert!(json.contains("x?…") && !json.contains("secret"), "{json}");
}

#[test]
fn y_on_a_failure_copies_its_fault_with_what_to_do() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    assert_eq!(copied(&mut desk, "4 y"), None);
    assert!(desk.draw().contains("there is nothing to copy here"));
    desk.go("1 n Enter");
    desk.world.answer(&mixed);
    assert_eq!(desk.show(Screen::Run).matches("Failures").count(), 1);
    let error = copied(&mut desk, "y").unwrap();
    assert!(
        error.contains("prelabel") && error.contains("\n→ "),
        "{error}"
    );
    let message = copied(&mut desk, "M y").unwrap();
    assert!(message.starts_with("run 1 ended: 50 tasks"), "{message}");
}

#[test]
fn capital_y_copies_the_command_that_does_the_same_in_a_shell() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    let run = "workbench run --project-hash 00000000-0000-0000-0000-000000000007 --agents sample-agents/ --stage pre-label";
    assert_eq!(copied(&mut desk, "Y"), Some(format!("{run} --dry-run")));
    desk.go("2 /");
    desk.type_text("title~cam3 age>2d");
    desk.go("Enter");
    assert_eq!(
        copied(&mut desk, "Y"),
        Some(format!("{run} --dry-run --filter 'title~cam3 age>2d'"))
    );
    let first = desk.world.state.queues[&stage(PRELABEL)].at(0).unwrap().id;
    let one = format!("{run} --task {first} --dry-run");
    assert_eq!(copied(&mut desk, "Space Y"), Some(one));
    desk.go("Up s");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    desk.go("c");
    desk.world.answer(&|_| Ok(outcome("annotate")));
    let asked = copied(&mut desk, "C Y").unwrap();
    assert_eq!(asked, format!("{run} --task {first}"), "this one writes");
    assert!(desk.draw().contains("write it"), "the question stays");
    assert_eq!(desk.world.state.commit, None);
}
