//! Pictures of the Task screen: before the call, with an outcome, with an error, its tabs.

use super::{shot, shots, stepped};
use crate::fixture::{World, mixed, panic_error};
use crate::tests::Desk;
use crate::{Medium, Picture, Screen, Shot};

#[test]
fn task_before_the_call() {
    shots("task_fetched", World::demo, |desk| {
        desk.go("s");
        desk.world.fetched();
        desk.go("Right");
    });
}

#[test]
fn task_with_its_outcome_and_what_a_commit_would_write() {
    shots(
        "task_outcome",
        || stepped(""),
        |desk| {
            desk.show(Screen::Task);
        },
    );
    shots(
        "task_review",
        || stepped("s"),
        |desk| {
            desk.show(Screen::Task);
            desk.go("t");
        },
    );
    shots(
        "task_ask",
        || stepped("s"),
        |desk| {
            desk.show(Screen::Task);
            desk.go("C");
        },
    );
    shots(
        "task_done",
        || stepped("s"),
        |desk| {
            desk.show(Screen::Task);
            desk.go("C y");
            desk.world.answer(&mixed);
        },
    );
}

#[test]
fn task_with_a_fault_shows_its_source_and_what_to_do() {
    shots("task_error", World::demo, |desk| {
        desk.go("s");
        desk.world.fetched();
        desk.go("c");
        desk.world.answer(&|_| Err(panic_error()));
        desk.draw();
    });
}

#[test]
fn task_logs_and_json() {
    shots(
        "task_logs",
        || stepped(""),
        |desk| {
            desk.show(Screen::Task);
            desk.go("t t t");
        },
    );
    shots(
        "task_json",
        || stepped(""),
        |desk| {
            desk.show(Screen::Task);
            desk.go("t t t t Tab Down Down");
        },
    );
}

#[test]
fn task_picture_with_boxes_before_and_after() {
    // Where there is no room beside the labels, it has a tab of its own.
    let mut desk = Desk::new(stepped(""), 110, 36);
    desk.show(Screen::Task);
    desk.go("i");
    let request = desk.ui.wanted_pictures().remove(0);
    assert!(request.asset.unwrap().contains("cam3.jpg"));
    for labels in desk.ui.wanted_labels() {
        desk.ui.set_labels(labels.parse());
    }
    let (width, height) = (160_u32, 90_u32);
    let rgb = (0..width * height)
        .flat_map(|i| [(i % width) as u8, (i / width) as u8, 90])
        .collect();
    let picture = Picture { width, height, rgb };
    let (id, at_us) = (request.id, None);
    desk.ui
        .set_medium(id.task, Ok(Medium::Pictures { count: 1 }));
    desk.ui.set_picture(id, Ok(Shot { picture, at_us }));
    assert_eq!(desk.ui.wanted_pictures(), []);
    shot("task_image", &desk.draw());
    desk.ui.set_picture(
        id,
        Err("the file is not a picture that can be decoded".into()),
    );
    let text = desk.draw();
    assert!(
        text.contains("no picture: the file is not a picture"),
        "{text}"
    );
}

#[test]
fn task_without_one() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.go("3");
    shot("task_none", &desk.draw());
}
