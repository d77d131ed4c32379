//! What the editor and the browser are opened at.

use super::Desk;
use super::keys::{desk, ran};
use crate::Outside;
use crate::fixture::{World, panic_error};
use wb_core::event::{BuildEvent, CompileError, CompileFailure, Event};

/// `path:line` that the editor is opened at.
fn edited(desk: &mut Desk) -> String {
    assert_eq!(desk.press("E"), []);
    match desk.ui.take_outside() {
        Some(Outside::Code(place)) => format!("{}:{}", place.path, place.line),
        other => panic!("{other:?}: {}", desk.draw()),
    }
}

fn error(line: u32, what: &str) -> CompileError {
    CompileError {
        short: format!("src/lib.rs:{line}:5: {what}"),
        rendered: format!(
            "error: {what}\n --> src/lib.rs:{line}:5\n  |\n{line} |     x\n  |     ^ here\n"
        ),
    }
}

#[test]
fn the_editor_is_opened_at_the_failure_the_compile_error_or_the_agent() {
    let mut desk = desk();
    assert_eq!(
        edited(&mut desk),
        "agents/src/prelabel.rs:12",
        "the agent of the stage"
    );
    desk.go("2");
    assert_eq!(edited(&mut desk), "agents/src/prelabel.rs:12");
    desk.go("s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Err(panic_error()));
    assert_eq!(
        edited(&mut desk),
        "agents/src/prelabel.rs:88",
        "where it panicked"
    );
    desk.go("1");
    let errors = vec![error(7, "mismatched types"), error(9, "unknown name")];
    let failure = CompileFailure {
        first: Some(errors[0].short.clone()),
        errors,
        messages: String::new(),
    };
    let result = Err(failure);
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result }));
    assert_eq!(edited(&mut desk), "src/lib.rs:7", "what does not compile");
    desk.go("b");
    let drawn = desk.draw();
    assert!(
        drawn.contains("▌ src/lib.rs:7:5: mismatched types"),
        "{drawn}"
    );
    assert!(!drawn.contains("error: unknown name"), "{drawn}");
    desk.go("Down");
    let drawn = desk.draw();
    assert!(drawn.contains("error: unknown name"), "{drawn}");
    assert_eq!(edited(&mut desk), "src/lib.rs:9");
    let mut desk = ran();
    let place = edited(&mut desk);
    assert!(place.starts_with("agents/src/"), "{place}");
    let mut desk = Desk::new(World::empty(), 120, 36);
    desk.press("E");
    assert_eq!(desk.ui.take_outside(), None);
    assert!(desk.draw().contains("there is no line of code here"));
}

#[test]
fn a_task_is_opened_on_encords_pages_and_its_address_is_copied() {
    let mut desk = desk();
    desk.go("2 Down");
    desk.press("o");
    assert_eq!(desk.ui.take_outside(), None);
    assert!(
        desk.draw().contains("local project has no pages"),
        "{}",
        desk.draw()
    );
    desk.world.state.options.upstream = "api.us.encord.com".into();
    desk.press("o");
    let Some(Outside::Page(url)) = desk.ui.take_outside() else {
        panic!("{}", desk.draw());
    };
    let state = &desk.world.state;
    let queue = &state.queues[&desk.ui.stage.unwrap()];
    let (project, data) = (
        state.project.as_ref().unwrap().hash,
        queue.at(1).unwrap().data,
    );
    assert_eq!(
        url,
        format!("https://app.us.encord.com/label_editor/{project}/{data}")
    );
    assert_eq!(desk.ui.take_copied(), Some(url));
    desk.go("1");
    desk.press("o");
    assert!(desk.draw().contains("no task is selected here"));
}
