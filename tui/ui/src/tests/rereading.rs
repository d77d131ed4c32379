//! When workflow and ontology were read, as Flow shows it.

use super::Desk;
use crate::Screen;
use crate::fixture::World;
use std::sync::Arc;
use wb_core::event::{Effect, Event, Upstream};

#[test]
fn flow_shows_how_long_ago_the_project_was_read() {
    for (w, h) in [(120, 36), (80, 24)] {
        let mut desk = Desk::new(World::demo(), w, h);
        let shown = desk.show(Screen::Flow);
        assert!(shown.contains("project read 3m ago · "), "{shown}");
        let commands = desk.press("R");
        desk.world.all(commands);
        assert!(desk.world.asked.contains(&Effect::LoadProject));
        let project = desk.world.state.project.clone().unwrap();
        let project = Arc::new((*project).clone());
        desk.world.send(Event::Upstream(Upstream::Project(project)));
        let shown = desk.draw();
        assert!(shown.contains("project just read · "), "{shown}");
    }
}
