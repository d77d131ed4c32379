//! What is being loaded, wherever something waits for it.

use super::Desk;
use crate::fixture::{NOW, PRELABEL, World, row, stage};
use insta::assert_snapshot;
use wb_core::command::Command;
use wb_core::event::{BuildEvent, Event, JobEvent};
use wb_core::ids::Millis;
use wb_core::loading::Opening;
use wb_core::run::{RunSpec, Source};

fn after(s: i64) -> Event {
    Event::Tick(Millis(NOW + s * 1000))
}

/// A run whose two jobs load a model, for 41 seconds by now.
fn run() -> World {
    let mut world = World::demo();
    world.command(Command::Run(Box::new(RunSpec {
        source: Source::Tasks(stage(PRELABEL), (0..5).map(|n| row(PRELABEL, n)).collect()),
        concurrency: 2,
        ..RunSpec::default()
    })));
    world.fetched();
    loads(&mut world);
    world
}

/// Every job begins, and loads a model.
fn loads(world: &mut World) {
    let jobs = world.asked.iter().filter_map(|effect| match effect {
        wb_core::event::Effect::Launch(launch) => Some(launch.job),
        _ => None,
    });
    for job in jobs.collect::<Vec<_>>() {
        world.send(Event::Job(JobEvent::Started { job, pid: 4121 }));
        let name = Some("model".to_owned());
        world.send(Event::Job(JobEvent::Loading { job, name }));
    }
    world.send(after(41));
}

#[test]
fn a_run_and_its_queue_show_what_is_loaded() {
    for (w, h) in [(120, 36), (80, 24)] {
        let mut desk = Desk::new(run(), w, h);
        let text = desk.show(crate::Screen::Run);
        assert_snapshot!(format!("loading_run_{w}"), text);
        desk.go("1 Enter");
        assert_snapshot!(format!("loading_queue_{w}"), desk.draw());
    }
}

#[test]
fn the_stepped_task_shows_what_is_loaded() {
    for (w, h) in [(120, 36), (80, 24)] {
        let mut desk = Desk::new(World::demo(), w, h);
        desk.go("Enter s");
        desk.world.fetched();
        desk.go("c");
        loads(&mut desk.world);
        assert_snapshot!(format!("loading_task_{w}"), desk.draw());
    }
}

#[test]
fn builds_show_what_the_newest_content_waits_for_until_it_is_open_or_refused() {
    for (w, h) in [(120, 36), (80, 24)] {
        let mut desk = Desk::new(World::demo(), w, h);
        let opening = |part| {
            Event::Build(BuildEvent::Opening {
                library: "/home/ann/agents/target/debug/libprelabel.so".into(),
                part,
            })
        };
        desk.world.send(opening(Opening::Library));
        desk.world
            .send(opening(Opening::Resource("Detector".into())));
        desk.world.send(after(41));
        desk.go("b");
        assert_snapshot!(format!("loading_builds_{w}"), desk.draw());
        desk.world.send(opening(Opening::Over));
        assert!(!desk.draw().contains("loading"));
    }
}
