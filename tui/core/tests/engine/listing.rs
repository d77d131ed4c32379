//! How often the queues on screen are listed again.

use crate::made::*;
use wb_core::command::{Command, Shown};
use wb_core::event::{Effect, Event, ListId, Upstream};
use wb_core::ids::{Millis, StageId};
use wb_core::state::{Options, State};
use wb_core::work::TaskRow;

/// A screen whose listings are answered after `took` milliseconds.
struct Screen {
    state: State,
    now: i64,
    took: i64,
    tasks: u128,
    listed: Vec<StageId>,
}

impl Screen {
    fn new(tasks: u128, took: i64) -> Self {
        let options = Options {
            screen: true,
            ..Options::default()
        };
        let (state, _) = State::start(options, Millis(0));
        let mut screen = Self {
            state,
            now: 0,
            took,
            tasks,
            listed: Vec::new(),
        };
        screen.send(Event::Upstream(Upstream::Project(project())));
        screen.listed.clear();
        screen
    }

    fn send(&mut self, event: Event) {
        let effects = self.state.update(event);
        for effect in effects {
            if let Effect::Page {
                list: ListId::Queue(id),
                stage,
                ..
            } = effect
            {
                self.listed.push(stage);
                self.answer(id, stage);
            }
        }
    }

    fn answer(&mut self, id: u64, stage: StageId) {
        self.now += self.took;
        self.send(Event::Tick(Millis(self.now)));
        let tasks = if stage == stage_id(1) { self.tasks } else { 0 };
        let rows: Vec<TaskRow> = (1..=tasks).map(row).collect();
        self.send(Event::Upstream(Upstream::Page {
            list: ListId::Queue(id),
            stage,
            rows,
            next: None,
        }));
    }

    /// The stages that are listed while so many seconds pass.
    fn wait(&mut self, seconds: i64) -> Vec<StageId> {
        self.listed.clear();
        let until = self.now + seconds * 1000;
        while self.now < until {
            self.now += 250;
            self.send(Event::Tick(Millis(self.now)));
        }
        std::mem::take(&mut self.listed)
    }

    fn show(&mut self, shown: Shown) {
        self.send(Event::Input(Command::Show(shown)));
    }
}

#[test]
fn a_stage_where_nothing_changes_is_listed_less_and_less_often() {
    let mut screen = Screen::new(5, 0);
    screen.show(Shown::Stage(stage_id(1)));
    let each: Vec<usize> = [31, 60, 60, 240, 480].map(|s| screen.wait(s).len()).into();
    assert_eq!(each, [1, 1, 0, 1, 1], "after 30, 60, 120 and 240 s");
    screen.tasks = 6;
    while screen.wait(1).is_empty() {}
    assert_eq!(screen.wait(31).len(), 1, "every 30 s once it has changed");
}

#[test]
fn listing_a_large_stage_takes_a_twentieth_of_the_time_at_most() {
    let mut screen = Screen::new(5, 10_000);
    screen.show(Shown::Stage(stage_id(1)));
    assert_eq!(screen.wait(170), []);
    assert_eq!(screen.wait(60), [stage_id(1)]);
}

#[test]
fn only_stages_in_sight_are_listed_again_and_those_that_change_first() {
    let mut screen = Screen::new(5, 0);
    screen.show(Shown::Nothing);
    assert_eq!(screen.wait(3600), []);
    screen.show(Shown::Stage(stage_id(2)));
    assert_eq!(screen.wait(1), [stage_id(2)]);
    screen.show(Shown::Stage(stage_id(1)));
    screen.tasks = 6;
    assert_eq!(screen.wait(1), [stage_id(1)]);
    screen.show(Shown::Nothing);
    screen.wait(3600);
    screen.show(Shown::Stages);
    assert_eq!(screen.wait(1), [3, 1, 2].map(stage_id));
    assert_eq!(screen.wait(28), []);
}
