//! The first build: its progress, a task queued meanwhile, its errors.

use super::Desk;
use crate::Screen;
use crate::fixture::{
    self, ANNOTATE, ARCHIVE, COMPLETE, PRELABEL, REVIEW, ROUTE, World, row, stage,
};
use insta::assert_snapshot;
use wb_core::event::{BuildEvent, CompileFailure, CrateProgress, Event, Upstream};
use wb_core::ids::Millis;

const COUNTS: [(u128, usize); 6] = [
    (PRELABEL, 405),
    (ANNOTATE, 22),
    (REVIEW, 19),
    (ROUTE, 24),
    (COMPLETE, 17),
    (ARCHIVE, 13),
];

fn crates(done: usize, total: Option<usize>, newest: &str) -> Event {
    Event::Build(BuildEvent::Crates(CrateProgress {
        done,
        fresh: 0,
        total,
        newest: newest.to_owned(),
    }))
}

fn tick(s: i64) -> Event {
    Event::Tick(Millis(fixture::NOW + s * 1000))
}

/// The project is there, its stages are listed, the agents are being compiled.
fn compiling() -> World {
    let mut world = World::empty();
    world.send(tick(0));
    world.send(crates(0, None, ""));
    world.send(Event::Upstream(Upstream::Project(fixture::project())));
    for (n, count) in COUNTS {
        world.list(n, (0..count).map(|i| row(n, i)).collect());
    }
    world.send(crates(11, Some(20), "serde_derive"));
    world.send(tick(9));
    world
}

fn failure() -> CompileFailure {
    CompileFailure {
        first: Some("src/prelabel.rs:88:18: mismatched types".into()),
        errors: Vec::new(),
        messages: "   Compiling sample-agents v0.1.0\n\u{1b}[31merror[E0308]\u{1b}[0m: mismatched types\n  --> src/prelabel.rs:88:18\n   |\n88 |     Route::to(3)\n   |               ^ expected `&str`, found integer\n".into(),
    }
}

fn failed() -> World {
    let mut world = compiling();
    let result = Err(failure());
    world.send(Event::Build(BuildEvent::Compiled { result }));
    world
}

/// The library of the build is opened.
fn probed(n: u32) -> Event {
    Event::Build(BuildEvent::Probed(Box::new(fixture::library(n))))
}

fn shots(name: &str, make: impl Fn() -> World, act: impl Fn(&mut Desk)) {
    for (w, h) in [(120, 36), (80, 24)] {
        let mut desk = Desk::new(make(), w, h);
        act(&mut desk);
        assert_snapshot!(format!("{name}_{w}x{h}"), desk.draw());
    }
}

#[test]
fn a_first_build_is_the_main_thing_on_flow() {
    shots("compiling", compiling, |_| {});
    let loading = || {
        let mut world = compiling();
        world.send(Event::Build(BuildEvent::Compiled { result: Ok(28_000) }));
        world
    };
    shots("loading", loading, |_| {});
}

#[test]
fn the_count_never_passes_the_number_of_crates() {
    let mut desk = Desk::new(compiling(), 120, 36);
    assert!(desk.draw().contains("crate 12 of 20"));
    desk.world.send(crates(20, Some(20), "sample-agents"));
    assert!(desk.draw().contains("crate 20 of 20"));
    desk.world.send(crates(23, Some(20), "sample-agents"));
    assert!(desk.draw().contains("crate 23 of 23"));
    desk.world.send(crates(3, None, "syn"));
    assert!(desk.draw().contains("Compiling syn"));
}

#[test]
fn a_later_build_leaves_the_screen_as_it_is() {
    let mut desk = Desk::new(World::demo(), 120, 36);
    desk.world.send(crates(11, Some(20), "sample-agents"));
    let text = desk.draw();
    assert!(!text.contains("crate 12 of 20"), "{text}");
    assert!(
        text.contains("… compiling") && text.contains("build #1"),
        "{text}"
    );
}

/// `make` and the like list no crates: whether they compile everything is not known.
#[test]
fn a_build_that_is_not_cargos_shows_its_lines_and_promises_no_time() {
    let mut desk = Desk::new(compiling(), 120, 36);
    assert!(desk.draw().contains("First time only, about a minute."));
    desk.world.send(crates(0, None, ""));
    let line = "cc -shared -o libagents.so agents.c".to_owned();
    desk.world
        .send(Event::Build(BuildEvent::Compiling { line }));
    let text = desk.draw();
    assert!(
        text.contains("cc -shared -o libagents.so agents.c"),
        "{text}"
    );
    assert!(
        !text.contains("First time only") && !text.contains("crate "),
        "{text}"
    );
}

#[test]
fn tasks_are_browsed_while_the_agents_compile() {
    shots("compiling_queue", compiling, |desk| desk.go("Enter Down s"));
}

#[test]
fn a_step_is_queued_until_the_agents_are_loaded() {
    let mut desk = Desk::new(compiling(), 120, 36);
    desk.go("s");
    assert_eq!(desk.ui.screen(), Screen::Flow);
    let title = row(PRELABEL, 0).title.to_string();
    let queued = format!("QUEUED · will step {title} as soon as the build is done");
    let text = desk.draw();
    assert!(text.lines().last().unwrap().contains(&queued), "{text}");
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result: Ok(28_000) }));
    assert_eq!(desk.ui.screen(), Screen::Flow);
    desk.world.send(probed(1));
    assert!(desk.draw().contains("Timeline"));
    let step = desk.world.state.step.as_ref().unwrap();
    assert_eq!(step.row.id, fixture::task(PRELABEL, 0));
    assert_eq!(desk.ui.screen(), Screen::Task);
}

#[test]
fn another_step_replaces_the_queued_one_and_esc_takes_it_back() {
    let mut desk = Desk::new(compiling(), 120, 36);
    desk.go("s Enter Down Down s");
    let queued = |desk: &Desk| desk.world.state.queued_step.as_ref().map(|s| s.task);
    assert_eq!(queued(&desk), Some(fixture::task(PRELABEL, 2)));
    desk.go("Esc");
    assert_eq!((queued(&desk), desk.ui.screen()), (None, Screen::Queue));
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result: Ok(28_000) }));
    desk.world.send(probed(1));
    desk.draw();
    assert_eq!(
        (desk.world.state.step.is_none(), desk.ui.screen()),
        (true, Screen::Queue)
    );
    assert!(desk.world.state.agent(stage(PRELABEL)).is_some());
}

#[test]
fn while_a_step_is_queued_the_next_key_takes_it_back() {
    let mut desk = Desk::new(compiling(), 120, 36);
    assert!(
        desk.draw().contains("next: s queues the first task"),
        "{}",
        desk.draw()
    );
    desk.go("s");
    let title = row(PRELABEL, 0).title.to_string();
    let back = format!("next: esc takes back the queued step of {title}");
    assert!(desk.draw().contains(&back), "{}", desk.draw());
    desk.go("3");
    let queued = format!("→ Queued: will step {title} as soon as the build is done");
    assert!(desk.draw().contains(&queued), "{}", desk.draw());
}

#[test]
fn the_errors_of_a_first_build_stand_in_the_middle_until_one_succeeds() {
    shots("first_failure", failed, |_| {});
    let mut desk = Desk::new(failed(), 120, 36);
    assert!(
        desk.draw()
            .contains("✗ src/prelabel.rs:88:18: mismatched types")
    );
    desk.world.send(crates(19, Some(20), "sample-agents"));
    let text = desk.draw();
    assert!(
        text.contains("src/prelabel.rs:88:18") && text.contains("compiling"),
        "{text}"
    );
    let other = CompileFailure {
        first: Some("src/prelabel.rs:90:1: expected one of `;`".into()),
        ..failure()
    };
    desk.world.send(tick(20));
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result: Err(other) }));
    let text = desk.draw();
    assert!(
        text.contains("rs:90:1") && !text.contains("✗ src/prelabel.rs:88:18"),
        "{text}"
    );
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result: Ok(900) }));
    desk.world.send(probed(1));
    let text = desk.draw();
    assert!(
        !text.contains("did not compile ─") && text.contains("build #1 ok"),
        "{text}"
    );
}

#[test]
fn the_errors_can_be_put_away_and_come_back_with_the_next_failure() {
    shots("first_failure_closed", failed, |desk| desk.go("Esc"));
    let mut desk = Desk::new(failed(), 120, 36);
    desk.go("Esc");
    assert!(!desk.draw().contains("expected `&str`"));
    desk.world.send(tick(20));
    desk.world.send(crates(19, Some(20), "sample-agents"));
    desk.world.send(Event::Build(BuildEvent::Compiled {
        result: Err(failure()),
    }));
    assert!(desk.draw().contains("expected `&str`"));
}

#[test]
fn errors_do_not_cover_what_is_open() {
    let mut desk = Desk::new(compiling(), 120, 36);
    desk.go("?");
    let result = Err(failure());
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result }));
    assert!(!desk.draw().contains("expected `&str`"));
    desk.go("Esc");
    assert!(desk.draw().contains("expected `&str`"));
}
