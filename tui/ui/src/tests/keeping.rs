//! What outlives a screen: held outcomes as documents, and what a person had set up.

use super::Desk;
use super::keys::ran;
use crate::fixture::{PRELABEL, World, stage, task};
use wb_core::command::Command;
use wb_core::event::{Effect, Event};
use wb_core::queue::Sort;
use wb_core::run::item;
use wb_core::state::{HeldDocument, SavedView};

#[test]
fn a_held_outcome_comes_back_as_it_was_held() {
    let desk = ran();
    assert!(desk.world.state.held.len() > 20);
    for held in desk.world.state.held.values() {
        let text = serde_json::to_string(&HeldDocument::of(held)).unwrap();
        let back = serde_json::from_str::<HeldDocument>(&text).unwrap().held();
        let writes = item(&held.outcome, &held.inputs, held.stage).map(|change| change.whole());
        assert_eq!(item(&back.outcome, &back.inputs, back.stage), writes);
        assert_eq!(back.group(), held.group());
        assert_eq!(back.inputs.row, held.inputs.row);
        assert_eq!((back.taken, back.at), (held.taken, held.at));
    }
}

#[test]
fn every_change_of_what_is_held_is_kept() {
    let mut world = ran().world;
    world.state.options.screen = true;
    let one = *world.state.held.keys().next().unwrap();
    let kept = |world: &mut World, command: Command| {
        let effects = world.state.update(Event::Input(command));
        effects.into_iter().find_map(|effect| match effect {
            Effect::KeepHeld(changes) => Some(changes),
            _ => None,
        })
    };
    let (tasks, on) = (vec![one], false);
    let changes = kept(&mut world, Command::Take { tasks, on }).unwrap();
    assert!(matches!(&changes[..], [(t, Some(held))] if *t == one && !held.taken));
    let changes = kept(&mut world, Command::Drop(vec![one])).unwrap();
    assert!(matches!(&changes[..], [(t, None)] if *t == one));
    assert_eq!(kept(&mut world, Command::Journal), None);
}

#[test]
fn outcomes_of_an_earlier_screen_wait_for_the_project_and_its_stages() {
    let held: Vec<_> = ran()
        .world
        .state
        .held
        .iter()
        .map(|(t, h)| (*t, h.clone()))
        .collect();
    let count = held.len();
    let mut world = World::empty();
    world.send(Event::HeldBefore(held.clone()));
    assert!(world.state.held.is_empty());
    let mut world = World::demo();
    world.send(Event::HeldBefore(held));
    assert_eq!(world.state.held.len(), count);
    let newest = world.state.activity.back().unwrap();
    assert!(
        newest.text.contains("held outcomes are back"),
        "{}",
        newest.text
    );
    let text = Desk::new(world, 120, 36).draw();
    assert!(text.contains("review ("), "{text}");
}

#[test]
fn filters_marks_orders_and_watched_tasks_come_back() {
    let mut world = World::demo();
    let (at, tasks, on) = (
        stage(PRELABEL),
        vec![task(PRELABEL, 3), task(PRELABEL, 7)],
        true,
    );
    let text = "status:new".to_owned();
    let rows = world.state.queues[&at].chosen(2);
    for command in [
        Command::Filter { stage: at, text },
        Command::Mark {
            stage: at,
            tasks,
            on,
        },
        Command::Sort(at, Sort::Age, true),
        Command::Watch {
            stage: at,
            rows,
            on,
        },
    ] {
        world.command(command);
    }
    let view = world.state.saved_view();
    let text = serde_json::to_string(&view).unwrap();
    let read: SavedView = serde_json::from_str(&text).unwrap();
    assert_eq!(read, view);
    let mut next = World::empty();
    next.send(Event::ViewBefore(read.clone()));
    assert_eq!(
        next.state.saved_view(),
        view,
        "nothing is lost before the queues are listed"
    );
    let mut next = World::demo();
    next.send(Event::ViewBefore(read));
    let queue = &next.state.queues[&at];
    assert_eq!(queue.filter_text, "status:new");
    assert_eq!((queue.sort, queue.reversed), (Sort::Age, true));
    assert_eq!(queue.marks, world.state.queues[&at].marks);
    assert_eq!(next.state.watch.len(), 2);
    assert_eq!(next.state.saved_view(), view);
}

#[test]
fn quitting_keeps_throws_away_or_plans_what_is_held() {
    let mut desk = ran();
    desk.world.state.options.keeps_held = true;
    desk.go("q");
    let text = desk.draw();
    assert!(text.contains("quit and keep them"), "{text}");
    assert_eq!(desk.press("y"), [Command::Quit]);
    desk.press("q");
    assert_eq!(desk.press("p"), [Command::PlanAndQuit]);
    desk.press("q");
    let commands = desk.press("X");
    assert!(
        matches!(&commands[..], [Command::Drop(tasks), Command::Resolve { .. }, Command::Quit]
            if tasks.len() == desk.world.state.held.len()),
        "{commands:?}"
    );
}
