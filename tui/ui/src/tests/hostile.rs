//! Text from outside never steers the terminal, wherever it is shown.

use super::Desk;
use crate::Screen;
use crate::fixture::{self, PRELABEL, World, row};
use std::sync::Arc;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{BuildEvent, Event, JobEvent, Upstream};
use wb_core::ids::Millis;

const EVIL: &str = "e\u{1b}[31mv\u{1b}]0;title\u{7}i\u{9b}2Jl\u{202e}\r\n";

/// A world in which everything that others name bears an evil name.
fn world() -> World {
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
        row.title = EVIL.into();
        row.assignee = Some(EVIL.into());
        row.branch = EVIL.into();
    }
    world.list(PRELABEL, rows);
    let mut library = fixture::library(1);
    library.descriptor.name = EVIL.into();
    library.descriptor.build_info = EVIL.into();
    library.descriptor.agents.truncate(1);
    library.descriptor.agents[0].stage = world.state.project.as_ref().unwrap().workflow.stages[0]
        .id
        .to_string();
    library.descriptor.agents[0].spec.function = EVIL.into();
    library.descriptor.agents[0].spec.location = EVIL.into();
    library.descriptor.agents[0].spec.parameters = vec![EVIL.into()];
    world.send(Event::Build(BuildEvent::Probed(Box::new(library))));
    world.send(Event::Job(JobEvent::Log {
        job: None,
        level: 1,
        target: EVIL.into(),
        text: EVIL.into(),
    }));
    world
}

fn evil_error() -> Error {
    Error::new(ErrorKind::Agent, EVIL).hint(EVIL).because(EVIL)
}

#[test]
fn evil_names_are_shown_without_their_codes() {
    let mut desk = Desk::new(world(), 120, 36);
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
