//! A task that is to be stepped before its stage has an agent, and how far the build is meanwhile.

use crate::world::*;
use wb_core::command::Command;
use wb_core::event::{BuildEvent, CrateProgress, Effect, Event, ListId, Upstream};
use wb_core::ids::*;
use wb_core::state::{Options, State};

/// A screen whose agents are being compiled, with three tasks listed; and every event since its start.
struct Recorded {
    state: State,
    events: Vec<Event>,
    effects: Vec<Effect>,
}

fn options() -> Options {
    Options {
        screen: true,
        dry_run: true,
        ..Options::default()
    }
}

impl Recorded {
    fn compiling() -> Self {
        let (state, _) = State::start(options(), Millis(0));
        let mut recorded = Self {
            state,
            events: Vec::new(),
            effects: Vec::new(),
        };
        recorded.send(Event::Build(BuildEvent::Crates(CrateProgress::default())));
        recorded.send(Event::Upstream(Upstream::Project(project())));
        recorded.send(Event::Input(Command::OpenStage(stage_id(1))));
        let asked = recorded.effects.iter().find_map(|effect| match effect {
            Effect::Page {
                list: ListId::Queue(id),
                stage,
                ..
            } if *stage == stage_id(1) => Some(*id),
            _ => None,
        });
        recorded.send(Event::Upstream(Upstream::Page {
            list: ListId::Queue(asked.unwrap()),
            stage: stage_id(1),
            rows: (1..=3).map(row).collect(),
            next: None,
        }));
        recorded
    }

    fn send(&mut self, event: Event) {
        self.events.push(event.clone());
        let effects = self.state.update(event);
        self.effects.extend(effects);
    }

    fn step(&mut self, n: u128) {
        let (stage, task) = (stage_id(1), row(n).id);
        self.send(Event::Input(Command::Open { stage, task }));
    }

    fn compiled(&mut self, result: Result<u64, &str>) {
        let result = result.map_err(Into::into);
        self.send(Event::Build(BuildEvent::Compiled { result }));
    }

    fn loaded(&mut self, stages: &[&str]) {
        self.send(probed("a.so", stages, 0));
    }

    fn queued(&self) -> Option<TaskId> {
        self.state.queued_step.as_ref().map(|step| step.task)
    }

    fn stepped(&self) -> Option<TaskId> {
        self.state.step.as_ref().map(|step| step.row.id)
    }

    fn newest(&self) -> &str {
        &self.state.activity.back().unwrap().text
    }

    /// The recorded events lead to the same state again.
    fn replays(&self) {
        let (mut again, _) = State::start(options(), Millis(0));
        for event in &self.events {
            again.update(event.clone());
        }
        assert_eq!(again, self.state);
    }
}

#[test]
fn a_queued_task_is_stepped_when_its_agent_is_loaded() {
    let mut screen = Recorded::compiling();
    screen.step(2);
    assert_eq!((screen.queued(), screen.stepped()), (Some(row(2).id), None));
    screen.compiled(Ok(9_000));
    assert_eq!((screen.queued(), screen.stepped()), (Some(row(2).id), None));
    screen.loaded(&["first"]);
    assert_eq!((screen.queued(), screen.stepped()), (None, Some(row(2).id)));
    assert!(matches!(screen.effects.last(), Some(Effect::Fetch { .. })));
    screen.replays();
}

#[test]
fn a_later_step_replaces_the_queued_one_and_it_can_be_taken_back() {
    let mut screen = Recorded::compiling();
    screen.step(2);
    screen.step(3);
    assert_eq!(screen.queued(), Some(row(3).id));
    screen.send(Event::Input(Command::CancelQueuedStep));
    assert_eq!(screen.queued(), None);
    screen.compiled(Ok(9_000));
    screen.loaded(&["first"]);
    assert_eq!(screen.stepped(), None);
    screen.replays();
}

#[test]
fn a_queued_task_waits_for_a_build_that_succeeds() {
    let mut screen = Recorded::compiling();
    screen.step(1);
    screen.compiled(Err("error[E0308]: mismatched types"));
    assert_eq!(screen.queued(), Some(row(1).id));
    let crates = CrateProgress::default();
    screen.send(Event::Build(BuildEvent::Crates(crates)));
    screen.compiled(Ok(900));
    screen.loaded(&["first"]);
    assert_eq!(screen.stepped(), Some(row(1).id));
    screen.replays();
}

#[test]
fn a_queued_task_whose_stage_gets_no_agent_is_reported() {
    let mut screen = Recorded::compiling();
    screen.step(1);
    screen.compiled(Ok(9_000));
    screen.loaded(&["second"]);
    assert_eq!((screen.queued(), screen.stepped()), (None, None));
    assert!(
        screen.newest().contains("no agent for stage \"first\""),
        "{}",
        screen.newest()
    );
    screen.replays();
}

#[test]
fn a_compiled_library_that_never_opens_is_not_waited_for() {
    let mut screen = Recorded::compiling();
    screen.step(1);
    screen.send(Event::Tick(Millis(1_000)));
    screen.compiled(Ok(9_000));
    screen.send(Event::Tick(Millis(10_900)));
    assert!(screen.state.compiling.is_some());
    screen.send(Event::Tick(Millis(11_000)));
    assert_eq!((&screen.state.compiling, screen.queued()), (&None, None));
    assert!(
        screen.newest().contains("no agent for stage"),
        "{}",
        screen.newest()
    );
    screen.replays();
}

#[test]
fn without_a_build_a_step_is_refused_at_once() {
    let mut screen = Recorded::compiling();
    screen.compiled(Err("error"));
    screen.step(1);
    assert_eq!((screen.queued(), screen.stepped()), (None, None));
    assert!(
        screen.newest().contains("no agent for stage"),
        "{}",
        screen.newest()
    );
}

#[test]
fn the_count_of_crates_stays_within_their_number() {
    let crates = |done, total| CrateProgress {
        done,
        total,
        ..CrateProgress::default()
    };
    for (progress, place) in [
        (crates(0, None), None),
        (crates(7, None), None),
        (crates(0, Some(0)), None),
        (crates(0, Some(20)), Some((1, 20))),
        (crates(19, Some(20)), Some((20, 20))),
        (crates(20, Some(20)), Some((20, 20))),
        (crates(22, Some(20)), Some((22, 22))),
    ] {
        assert_eq!(progress.place(), place, "{progress:?}");
        assert!((0.0..=1.0).contains(&progress.part()), "{progress:?}");
    }
}
