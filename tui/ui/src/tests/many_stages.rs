//! Flow with many stages: what is folded, filtered and moved into sight, and how long laying it out takes.

use super::Desk;
use crate::fixture::World;
use insta::assert_snapshot;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use wb_core::event::Effect;
use wb_core::event::{Event, ListId, Upstream};
use wb_core::ids::{Millis, PathwayId, StageId};
use wb_core::workflow::{Edge, Pathway, Stage, StageKind, Workflow};

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (200, 60)];

fn id(n: usize) -> StageId {
    StageId(Uuid::from_u128(5_000 + n as u128))
}

/// Lots of four stages: an agent, two of people with a loop of rework, and every third time one that sends back to the
/// first lot; then two ends.
fn many(stages: usize) -> Workflow {
    let ends = stages - 2;
    let lots = ends.div_ceil(4);
    let first_of = |lot: usize| if lot < lots { lot * 4 } else { ends };
    let mut flow = Workflow::default();
    for n in 0..ends {
        let (lot, part) = (n / 4, n % 4);
        let next = if n + 1 < ends { n + 1 } else { ends };
        let (title, kind, ways): (_, _, Vec<(&str, usize)>) = match part {
            0 => (
                "pre-label",
                StageKind::Agent,
                vec![("annotate", next), ("skip", ends + 1)],
            ),
            1 => ("Annotate", StageKind::Annotation, vec![]),
            2 => ("Review", StageKind::Review, vec![]),
            _ => ("Consensus check", StageKind::Review, vec![]),
        };
        let pathways = ways.iter().enumerate().map(|(i, (name, to))| Pathway {
            id: PathwayId(Uuid::from_u128((100 * n + i) as u128)),
            name: (*name).into(),
            to: id(*to),
        });
        flow.stages.push(Stage {
            id: id(n),
            title: format!("{title} {}", lot + 1),
            kind,
            pathways: pathways.collect(),
        });
        let mut edge = |to: usize, label: &str| {
            flow.edges.push(Edge {
                from: Some(id(n)),
                to: id(to),
                label: label.into(),
            });
        };
        match part {
            0 => {}
            1 => edge(next, ""),
            2 => {
                edge(next, "approve");
                edge(n - 1, "reject");
            }
            _ => {
                edge(first_of(lot + 1), "approve");
                if lot % 3 == 2 {
                    edge(0, "start over");
                }
            }
        }
    }
    flow.edges.push(Edge {
        from: None,
        to: id(0),
        label: String::new(),
    });
    for (n, title) in [(ends, "Complete"), (ends + 1, "Archive")] {
        flow.stages.push(Stage {
            id: id(n),
            title: title.into(),
            kind: StageKind::Done,
            pathways: vec![],
        });
    }
    flow
}

fn desk(stages: usize, (w, h): (u16, u16)) -> Desk {
    let mut project = (*crate::fixture::project()).clone();
    project.workflow = many(stages);
    let mut world = World::empty();
    world.send(Event::Upstream(Upstream::Project(Arc::new(project))));
    for n in 0..stages {
        let asked = world.asked.iter().find_map(|effect| match effect {
            Effect::Page {
                list: ListId::Queue(list),
                stage,
                ..
            } if *stage == id(n) => Some(*list),
            _ => None,
        });
        let list = ListId::Queue(asked.unwrap());
        let rows = (0..n % 7)
            .map(|i| crate::fixture::row(n as u128, i))
            .collect();
        world.send(Event::Upstream(Upstream::Page {
            list,
            stage: id(n),
            rows,
            next: None,
        }));
    }
    world.send(Event::Tick(Millis(crate::fixture::NOW)));
    let mut desk = Desk::new(world, w, h);
    desk.ui.select_stage(id(0));
    desk
}

#[test]
fn forty_stages_are_drawn_with_the_selected_one_in_sight() {
    for (w, h) in SIZES {
        let mut desk = desk(40, (w, h));
        assert_snapshot!(format!("forty_{w}x{h}"), desk.draw());
        for _ in 0..25 {
            desk.go(if w > 80 { "Right" } else { "Down" });
        }
        assert_snapshot!(format!("forty_moved_{w}x{h}"), desk.draw());
        desk.go("d");
        assert_snapshot!(format!("forty_other_{w}x{h}"), desk.draw());
    }
}

#[test]
fn stages_without_agents_fold_into_a_box_with_their_sum() {
    for (w, h) in SIZES {
        let mut desk = desk(40, (w, h));
        desk.go("F");
        assert_snapshot!(format!("forty_folded_{w}x{h}"), desk.draw());
    }
    let mut desk = desk(14, (120, 36));
    desk.ui.select_stage(id(2));
    desk.go("f");
    let text = desk.draw();
    assert!(text.contains("▸ Annotate 1 +2"), "{text}");
    // 1 + 2 + 3 tasks
    let line = text
        .lines()
        .position(|line| line.contains("▸ Annotate 1 +2"))
        .unwrap();
    assert!(
        text.lines().nth(line + 1).unwrap().contains("6 ║"),
        "{text}"
    );
    desk.go("f");
    assert!(!desk.draw().contains('▸'));
    desk.ui.select_stage(id(0));
    assert!(desk.press("f").is_empty());
    assert!(
        desk.draw()
            .contains("no other stage without an agent is connected")
    );
}

#[test]
fn a_filter_leaves_stages_of_a_title_or_kind_and_edges_lead_past_the_others() {
    for (w, h) in SIZES {
        let mut desk = desk(40, (w, h));
        desk.go("/");
        desk.type_text("review");
        assert_snapshot!(format!("forty_filter_{w}x{h}"), desk.draw());
    }
    let mut desk = desk(40, (120, 36));
    desk.go("/");
    desk.type_text("check 2");
    desk.go("Enter");
    let text = desk.draw();
    assert!(text.contains("1 of 40 stages match check 2"), "{text}");
    assert_eq!(desk.ui.stage(), Some(id(7)), "what is shown is selected");
    desk.go("Esc");
    assert!(desk.draw().contains("─ Workflow ─"), "Esc shows all again");
    // While it is typed Esc brings back what was there.
    desk.go("/");
    desk.type_text("nothing like this");
    assert!(desk.draw().contains("0 of 40 stages match"));
    desk.go("Esc");
    assert!(desk.draw().contains("─ Workflow ─"));
}

#[test]
fn the_drawing_moves_and_comes_back_with_the_selection() {
    let mut desk = desk(40, (120, 36));
    let before = desk.draw();
    desk.go("Alt-l Alt-l");
    let moved = desk.draw();
    assert_ne!(before, moved);
    assert!(
        moved.contains('◀') && moved.contains("out of sight"),
        "{moved}"
    );
    desk.go("Alt-h Alt-h");
    assert_eq!(desk.draw(), before);
    desk.go("Alt-l Alt-l Alt-l Right");
    assert!(
        desk.draw().contains("║ A") || desk.draw().contains("║ E"),
        "the selected box is in sight"
    );
}

#[test]
fn laying_out_hundreds_of_stages_is_quick_and_done_once() {
    for (stages, most) in [(40, 4_000), (300, 60_000)] {
        let mut desk = desk(stages, (120, 36));
        let mut time = |resized: bool| {
            desk.w += u16::from(resized);
            let began = Instant::now();
            desk.draw();
            began.elapsed()
        };
        let (laid_out, again) = (time(true), time(false));
        eprintln!("{stages} stages: laid out in {laid_out:?}, drawn again in {again:?}");
        assert!(
            laid_out < Duration::from_millis(most),
            "{stages}: {laid_out:?}"
        );
        assert!(again < laid_out, "{stages}: {again:?}");
    }
}
