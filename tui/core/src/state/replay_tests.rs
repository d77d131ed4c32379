//! A session that commits, dies, is resumed and undone: what it came to, and that the events of each process replay to
//! the same state.

use super::*;
use crate::event::OperationEnd;
use crate::ids::DataHash;
use crate::ledger::memory::{AGENT, COMPLETE, Memory, pathway, project};
use crate::ledger::{Applied, PlannedTask, Request, Scope, TaskReport, UndoResult};
use crate::work::{Patch, RowInput, TaskRow, TaskStatus};
use uuid::Uuid;

const TASKS: u128 = 3;

/// One process: its state, that at its start, and every event since.
struct Process {
    start: State,
    state: State,
    events: Vec<Event>,
}

impl Process {
    fn start(screen: bool, dry_run: bool) -> Self {
        let options = Options {
            dry_run,
            screen,
            ..Options::default()
        };
        let (mut state, _) = State::start(options, Millis(0));
        state.update(Event::Upstream(Upstream::Project(project())));
        if screen {
            state.held = held_outcomes().into_iter().collect();
        }
        Self {
            start: state.clone(),
            state,
            events: Vec::new(),
        }
    }

    fn take_in(&mut self, event: Event) -> Vec<Effect> {
        self.events.push(event.clone());
        self.state.update(event)
    }

    /// Does a command with this journal and platform; what concerns the faces.
    fn does(&mut self, memory: &mut Memory, command: Command) -> Vec<Effect> {
        self.does_until(memory, command, |_| false)
    }

    fn does_until(
        &mut self,
        memory: &mut Memory,
        command: Command,
        dies_at: impl Fn(&Request) -> bool,
    ) -> Vec<Effect> {
        let effects = self.take_in(Event::Input(command));
        memory.perform(effects, |event| self.take_in(event), dies_at)
    }

    /// The recorded events lead to the same state again.
    fn replays(&self) {
        let mut again = self.start.clone();
        for event in &self.events {
            again.update(event.clone());
        }
        assert_eq!(again, self.state);
    }
}

/// An outcome for each task, held for review.
fn held_outcomes() -> BTreeMap<TaskId, Held> {
    let held = |n| Held {
        stage: AGENT,
        outcome: Arc::new(outcome()),
        inputs: Arc::new(inputs(row(n))),
        build: BuildId(1),
        taken: true,
        at: Millis(0),
    };
    (1..=TASKS).map(|n| (row(n).id, held(n))).collect()
}

fn row(n: u128) -> TaskRow {
    TaskRow {
        id: TaskId(Uuid::from_u128(n)),
        data: DataHash(Uuid::from_u128(100 + n)),
        created: Millis(0),
        updated: Millis(0),
        title: format!("task {n}").into(),
        assignee: None,
        last_actioned_by: None,
        branch: "main".into(),
        status: TaskStatus::New,
    }
}

fn inputs(row: TaskRow) -> Inputs {
    Inputs {
        row,
        task_json: "{}".into(),
        labels: Some(RowInput {
            label_hash: None,
            priority: Some(0.5),
            item: None,
            json: r#"{"labels": {}}"#.into(),
        }),
        item_json: None,
        asset_json: None,
        fetched: Millis(0),
        timings: vec![],
    }
}

fn outcome() -> Outcome {
    let pathway = pathway();
    Outcome {
        way: Route::Pathway {
            id: pathway.id,
            name: pathway.name,
            to: pathway.to,
        },
        patch: Patch {
            priority: Some((Some(0.5), 0.25)),
            ..Patch::default()
        },
        labels_after: None,
        further: Vec::new(),
        steps: vec![],
        unread: vec![],
    }
}

fn ids() -> Vec<TaskId> {
    (1..=TASKS).map(|n| row(n).id).collect()
}

fn all_at(memory: &Memory, stage: StageId, priority: f64) -> bool {
    let mut tasks = memory.tasks.values();
    tasks.all(|t| t.stage == stage && (t.priority - priority).abs() < 1e-9)
}

#[test]
fn a_session_that_commits_dies_is_resumed_and_undone_replays_to_the_same_state() {
    let mut memory = Memory::with_tasks(TASKS);
    // The screen commits, and its process dies when the writes are noted.
    let mut first = Process::start(true, false);
    let commit = Command::Commit(ids());
    first.does_until(&mut memory, commit, |r| matches!(r, Request::Send(_)));
    assert_eq!(memory.sent, 0);
    assert!(first.state.busy(), "its commit has no answer");
    first.replays();
    // The next process finishes what was noted.
    let mut second = Process::start(true, false);
    second.does(&mut memory, Command::Finish);
    assert_eq!(memory.sent, 3);
    assert!(all_at(&memory, COMPLETE, 0.25));
    let last = second.state.activity.back().unwrap();
    assert_eq!(last.text, "3 of 3 interrupted writes are finished");
    // It shows what an undo would restore, which only reads.
    second.does(&mut memory, Command::Journal);
    second.does(&mut memory, Command::ReviewUndo(1));
    let open = second.state.journal.open.as_ref().unwrap();
    let crate::journal::Undoing::Reviewed(restores) = &open.undo else {
        panic!("{open:?}")
    };
    assert_eq!((restores.len(), memory.sent), (3, 3));
    assert!(!second.state.busy());
    // A command takes it back, first without writing.
    let undo = |memory: &mut Memory, dry_run| {
        let mut process = Process::start(false, dry_run);
        let effects = process.does(memory, Command::Undo(1));
        process.replays();
        effects
    };
    for dry_run in [true, false] {
        let effects = undo(&mut memory, dry_run);
        let restored = |e: &&Effect| matches!(e, Effect::Reported(r) if matches!(**r, TaskReport::Undone { result: UndoResult::Restored, .. }));
        assert_eq!(effects.iter().filter(restored).count(), 3);
        let Some(Effect::OperationOver(end)) = effects.last() else {
            panic!("{effects:?}")
        };
        let OperationEnd::Undone {
            op: 1,
            result: Ok(done),
        } = &**end
        else {
            panic!("{end:?}")
        };
        assert_eq!((done.restored, done.left.len()), (3, 0));
        let sent = if dry_run { 3 } else { 6 };
        assert_eq!(memory.sent, sent);
    }
    assert!(all_at(&memory, AGENT, 0.5));
    // Undone once: nothing is left to take back.
    undo(&mut memory, false);
    assert_eq!(memory.sent, 6);
    second.replays();
}

#[test]
fn a_command_finishes_what_another_had_begun_before_it_takes_it_back() {
    let mut memory = Memory::with_tasks(TASKS);
    let mut screen = Process::start(true, false);
    let commit = Command::Commit(ids());
    screen.does_until(&mut memory, commit, |r| matches!(r, Request::Send(_)));
    let mut process = Process::start(false, false);
    let effects = process.does(&mut memory, Command::Recover(Scope::All));
    let [Effect::OperationOver(end)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let OperationEnd::Recovered(Ok(settled)) = &**end else {
        panic!("{end:?}")
    };
    assert_eq!((settled.found, settled.finished), (3, 3));
    assert!(!process.state.busy());
    process.does(&mut memory, Command::Undo(1));
    assert!(all_at(&memory, AGENT, 0.5));
    assert_eq!(memory.sent, 6);
    process.replays();
}

#[test]
fn a_plan_is_applied_by_events_alone() {
    let mut memory = Memory::with_tasks(TASKS);
    let planned = |n: u128| {
        let item = memory.outcome(n);
        PlannedTask {
            task: item.task,
            data: item.data,
            title: item.title.to_string(),
            stage: item.stage,
            way: Route::Pathway {
                id: pathway().id,
                name: pathway().name,
                to: pathway().to,
            },
            follows: None,
            change: Some(item),
        }
    };
    memory.plan = (1..=TASKS).map(planned).collect();
    // One task left the stage since the plan was made.
    memory.tasks.get_mut(&row(2).id).unwrap().stage = COMPLETE;
    let mut process = Process::start(false, false);
    let effects = process.does(&mut memory, Command::Apply("plan".to_owned()));
    let Some(Effect::OperationOver(end)) = effects.last() else {
        panic!("{effects:?}")
    };
    let applied = Applied {
        moved: 2,
        conflicts: 1,
        ..Applied::default()
    };
    assert_eq!(**end, OperationEnd::Applied(Ok(applied)));
    assert_eq!(memory.sent, 2);
    process.replays();
}
