//! Which letters of the screen are links, and where they lead.

use super::Desk;
use super::keys::{desk, stepped};
use crate::LinkTarget;
use wb_core::event::{BuildEvent, CompileError, CompileFailure, Event};

/// The letters of each link, and its target.
fn links(desk: &mut Desk) -> Vec<(String, LinkTarget)> {
    let cells = desk.cells();
    let all = desk.ui.links().iter();
    let letters = |link: &crate::ScreenLink| {
        let text = link.area.positions().map(|at| cells[at].symbol());
        (text.collect::<String>(), link.to.clone())
    };
    all.map(letters).collect()
}

#[test]
fn the_task_and_its_data_lead_to_the_label_editor_where_the_platform_has_one() {
    let mut desk = stepped();
    assert_eq!(links(&mut desk), [], "a local project has no pages");
    desk.world.state.options.upstream = "api.encord.com".into();
    let row = desk.world.state.step.as_ref().unwrap().row.clone();
    let all = links(&mut desk);
    let project = desk.world.state.project.as_ref().unwrap().hash;
    let url = format!("https://app.encord.com/label_editor/{project}/{}", row.data);
    assert_eq!(all, [(row.title.to_string(), LinkTarget::Page(url))]);
    desk.go("2");
    let all = links(&mut desk);
    let letters: Vec<_> = all.iter().map(|(letters, _)| letters.trim()).collect();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(letters[1].starts_with("2f77aa10"), "{letters:?}");
    assert!(
        all.iter()
            .all(|(_, to)| matches!(to, LinkTarget::Page(url) if !url.contains('?')))
    );
    desk.go("M");
    assert_eq!(links(&mut desk), [], "an overlay covers them");
}

#[test]
fn places_in_code_lead_to_their_lines() {
    let mut desk = desk();
    let error = |line: u32| CompileError {
        short: format!("src/lib.rs:{line}:5: mismatched types"),
        rendered: format!("error: mismatched types\n --> src/lib.rs:{line}:5\n  |\n"),
    };
    let failure = CompileFailure {
        first: Some(error(7).short),
        errors: vec![error(7), error(9)],
        messages: String::new(),
    };
    let result = Err(failure);
    desk.world
        .send(Event::Build(BuildEvent::Compiled { result }));
    desk.go("b");
    let lines: Vec<_> = links(&mut desk)
        .into_iter()
        .map(|(letters, to)| match to {
            LinkTarget::Code(place) => (letters, place.line),
            LinkTarget::Page(url) => panic!("{url}"),
        })
        .collect();
    let at = |line: u32| (format!("src/lib.rs:{line}:5"), line);
    assert_eq!(lines, [at(7), at(9), at(7)]);
}
