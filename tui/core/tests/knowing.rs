//! Filters that ask of label rows: read in chunks, only for tasks that are not refused already, and
//! once for each listing.

use std::collections::HashMap;
use uuid::Uuid;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event, ListId, Upstream};
use wb_core::filter::Known;
use wb_core::ids::{DataHash, Millis, StageId, TaskId};
use wb_core::state::{Options, State};
use wb_core::work::{TaskRow, TaskStatus};

const STAGE: StageId = StageId(Uuid::from_u128(1));

fn row(n: u128) -> TaskRow {
    TaskRow {
        id: TaskId(Uuid::from_u128(1000 + n)),
        data: DataHash(Uuid::from_u128(2000 + n)),
        created: Millis(0),
        updated: Millis(0),
        title: if n.is_multiple_of(2) { "day" } else { "night" }.into(),
        assignee: None,
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

/// A queue of `n` tasks, half of them by day.
fn queue(n: u128) -> State {
    let (mut state, _) = State::start(Options::default(), Millis(0));
    let effects = state.update(Event::Input(Command::OpenStage(STAGE)));
    let [Effect::Page { list, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    list_again(&mut state, *list, n);
    state
}

fn list_again(state: &mut State, list: ListId, n: u128) -> Vec<Effect> {
    state.update(Event::Upstream(Upstream::Page {
        list,
        stage: STAGE,
        rows: (0..n).map(row).collect(),
        next: None,
    }))
}

fn filter(state: &mut State, text: &str) -> Vec<Effect> {
    state.update(Event::Input(Command::Filter {
        stage: STAGE,
        text: text.into(),
    }))
}

/// Answers what is asked: every third task has priority 0.9, the others 0.1.
fn answer(state: &mut State, effects: &[Effect]) -> (usize, Vec<Effect>) {
    let [Effect::Know { stage, rows, .. }] = effects else {
        panic!("nothing is asked: {effects:?}");
    };
    let known = |row: &TaskRow| Known {
        priority: Some(if row.id.0.as_u128().is_multiple_of(3) {
            0.9
        } else {
            0.1
        }),
        ..Known::default()
    };
    let rows: Vec<(TaskId, Known)> = rows.iter().map(|r| (r.id, known(r))).collect();
    let asked = rows.len();
    let news = Upstream::Known {
        stage: *stage,
        rows,
    };
    (asked, state.update(Event::Upstream(news)))
}

fn shown(state: &State) -> usize {
    state.queues[&STAGE].view.len()
}

#[test]
fn rows_are_read_in_chunks_for_those_tasks_alone_that_other_terms_let_through() {
    let mut state = queue(3000);
    let mut effects = filter(&mut state, "night pri>0.5");
    assert_eq!(shown(&state), 0, "nothing is known yet");
    let mut asked = Vec::new();
    while !effects.is_empty() {
        let (n, next) = answer(&mut state, &effects);
        asked.push(n);
        effects = next;
    }
    assert_eq!(asked, [600, 600, 300]);
    assert_eq!(shown(&state), 500, "every third of the 1,500 by night");
}

#[test]
fn what_is_known_is_not_asked_again_until_the_stage_is_listed_again() {
    let mut state = queue(90);
    let effects = filter(&mut state, "pri>0.5");
    let (_, rest) = answer(&mut state, &effects);
    assert!(rest.is_empty());
    assert!(filter(&mut state, "pri>0.2").is_empty());
    assert_eq!(shown(&state), 30);
    let mut queue = state.queues[&STAGE].clone();
    queue.begin(2, Millis(0));
    queue.page((0..90).map(row).collect(), true, Millis(0), &HashMap::new());
    assert_eq!(queue.unknown(1000, Millis(0), &HashMap::new()).len(), 90);
}

#[test]
fn a_row_that_was_not_read_matches_neither_a_term_nor_its_negation() {
    let mut state = queue(90);
    let effects = filter(&mut state, "-pri>0.5");
    assert_eq!(shown(&state), 0);
    answer(&mut state, &effects);
    assert_eq!(shown(&state), 60);
}

#[test]
fn a_failure_is_reported_and_the_next_filter_asks_again() {
    let mut state = queue(10);
    assert_eq!(filter(&mut state, "label:Car").len(), 1);
    assert!(
        filter(&mut state, "label:Bus").is_empty(),
        "one chunk at a time"
    );
    let error = Error::new(ErrorKind::Network, "no answer");
    state.update(Event::Upstream(Upstream::KnownFailed {
        stage: STAGE,
        error,
    }));
    assert_eq!(filter(&mut state, "label:Car").len(), 1);
}

#[test]
fn labels_are_asked_for_although_priorities_are_known() {
    let mut state = queue(10);
    let effects = filter(&mut state, "pri>0.5");
    answer(&mut state, &effects);
    let effects = filter(&mut state, "label:Car");
    let [Effect::Know { asks, rows, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert!(asks.labels && rows.len() == 10);
}
