//! Text from outside never steers the terminal, wherever it is shown.

use super::Desk;
use crate::Screen;
use crate::fixture::{self, PRELABEL, World, row};
use std::sync::Arc;
use wb_core::build::Probed;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Event, JobEvent, Upstream};
use wb_core::ids::Millis;

const EVIL: &str = "e\u{1b}[31mv\u{1b}]0;title\u{7}i\u{9b}2Jl\u{202e}\r\n";

/// A world in which everything that others name bears an evil name.
fn world(title: &str) -> World {
    let mut project = (*fixture::project()).clone();
    project.title = EVIL.into();
    for stage in &mut project.workflow.stages {
        stage.title.push_str(EVIL);
        for pathway in &mut stage.pathways {
            pathway.name.push_str(EVIL);
        }
    }
    for edge in &mut project.workflow.edges {
        edge.label.push_str(EVIL);
    }
    let mut world = World::empty();
    world.send(Event::Upstream(Upstream::Project(Arc::new(project))));
    world.send(Event::Tick(Millis(fixture::NOW)));
    let mut rows: Vec<_> = (0..40).map(|n| row(PRELABEL, n)).collect();
    for row in &mut rows {
        row.title = title.into();
        row.assignee = Some(EVIL.into());
        row.branch = EVIL.into();
    }
    world.list(PRELABEL, rows);
    let library = evil_library(1, &world);
    world.send(Event::Build(BuildEvent::Probed(Box::new(library))));
    world.send(Event::Job(JobEvent::Log {
        job: None,
        level: 1,
        target: EVIL.into(),
        text: EVIL.into(),
    }));
    world
}

/// A library for the first stage of a world.
fn evil_library(n: u32, world: &World) -> Probed {
    let mut library = fixture::library(n);
    library.descriptor.name = EVIL.into();
    library.descriptor.build_info = EVIL.into();
    library.descriptor.agents.truncate(1);
    library.descriptor.agents[0].stage = world.state.project.as_ref().unwrap().workflow.stages[0]
        .id
        .to_string();
    library.descriptor.agents[0].spec.function = EVIL.into();
    library.descriptor.agents[0].spec.location = EVIL.into();
    library.descriptor.agents[0].spec.parameters = vec![EVIL.into()];
    library
}

fn evil_error() -> Error {
    Error::new(ErrorKind::Agent, EVIL).hint(EVIL).because(EVIL)
}

#[test]
fn evil_names_are_shown_without_their_codes() {
    let mut desk = Desk::new(world(EVIL), 120, 36);
    let mut seen = vec![desk.draw()];
    desk.go("n Enter");
    desk.world.answer(&|_| Err(evil_error()));
    desk.go("2 s");
    desk.world.fetched();
    desk.go("c");
    desk.world.answer(&|_| Err(evil_error()));
    desk.world.send(Event::Build(BuildEvent::Compiled {
        result: Err(EVIL.repeat(3).into()),
    }));
    for (w, h) in [(120, 36), (80, 24), (200, 60)] {
        (desk.w, desk.h) = (w, h);
        for screen in Screen::ALL {
            desk.ui.show(screen);
            seen.push(desk.draw());
            for keys in ["b", "M", ":", "?", "v", "n", "N", "m", "d", "Tab"] {
                desk.ui.overlays.clear();
                desk.go(keys);
                seen.push(desk.draw());
            }
            desk.ui.overlays.clear();
        }
    }
    seen.push(crate::plain_summary(&desk.world.state));
    for text in &seen {
        assert!(text.contains("evil") || text.contains("ev"), "{text}");
        for code in ["[31m", "2J", "0;title", "\u{202e}"] {
            assert!(!text.contains(code), "{code:?} in\n{text}");
        }
        assert!(
            text.chars().all(|c| !c.is_control() || c == '\n'),
            "{text:?}"
        );
    }
}

/// A title that steers a terminal and never ends.
fn endless() -> String {
    format!("{EVIL}{}", "\u{1b}[2Jx".repeat(10_000))
}

#[test]
fn endless_and_evil_titles_are_cut_and_cleaned_in_watch_and_compare() {
    let title = endless();
    let mut watched = Desk::new(world(&title), 120, 36);
    watched.go("2 A w");
    let calls = std::cell::Cell::new(0);
    let mixed = |_: &str| match calls.replace(calls.get() + 1) % 3 {
        0 => Ok(fixture::outcome("annotate")),
        1 => Ok(fixture::outcome("skip")),
        _ => Err(Error::new(ErrorKind::Agent, endless())),
    };
    watched.world.answer(&mixed);
    let newer = evil_library(2, &watched.world);
    (watched.world).send(Event::Build(BuildEvent::Probed(Box::new(newer))));
    watched.world.answer(&mixed);
    watched.go("W");
    let watch = drawn_at_all_sizes(&mut watched);
    watched.go("Esc = x");
    watched.world.answer(&mixed);
    let comparing = watched.world.state.comparing.as_ref().unwrap();
    assert_eq!(comparing.found.tasks, 40);
    let compare = drawn_at_all_sizes(&mut watched);
    let runs = drawn_at_all_sizes(&mut super::compare::compared_runs(&title));
    for text in watch.iter().chain(&compare).chain(&runs) {
        assert!(text.contains("ev"), "{text}");
        for code in ["[31m", "2J", "0;title", "\u{202e}"] {
            assert!(!text.contains(code), "{code:?} in\n{text}");
        }
        let plain = |c: char| !c.is_control() || c == '\n';
        assert!(text.chars().all(plain), "{text:?}");
    }
}

/// A screen at three sizes, with the cursor on each of the first tasks.
fn drawn_at_all_sizes(desk: &mut Desk) -> Vec<String> {
    let mut seen = Vec::new();
    for (w, h) in [(120, 36), (80, 24), (200, 60)] {
        (desk.w, desk.h) = (w, h);
        for key in ["Up", "Down", "Down", "Down"] {
            desk.go(key);
            seen.push(desk.draw());
        }
    }
    seen
}
