//! A sample of each command.

use super::*;

pub fn commands() -> Vec<Command> {
    [of_queues(), of_runs(), of_writes()].concat()
}

fn of_queues() -> Vec<Command> {
    let (stage, tasks) = (AGENT, vec![task(1)]);
    let rows = || vec![row()];
    vec![
        Command::Compare(CompareCommand::Begin(CompareSpec {
            stage,
            rows: rows(),
            sides: [CompareSide::Build(BuildId(1)), CompareSide::Run(3)],
        })),
        Command::Compare(CompareCommand::ListRuns),
        Command::Quit,
        Command::PlanAndQuit,
        Command::GoOnInBackground,
        Command::StopBackground(18),
        Command::Suspend,
        Command::Refresh(Some(stage)),
        Command::ReadProject,
        Command::OpenStage(stage),
        Command::Show(Shown::Stage(stage)),
        Command::Filter {
            stage,
            text: "night".into(),
        },
        Command::Sort(stage, Sort::Priority, true),
        Command::Know {
            stage,
            rows: rows(),
        },
        Command::Mark {
            stage,
            tasks: tasks.clone(),
            on: true,
        },
        Command::MarkAll { stage, on: false },
        Command::Open {
            stage,
            task: task(1),
        },
        Command::CancelQueuedStep,
    ]
}

fn of_runs() -> Vec<Command> {
    let stage = AGENT;
    let at = PointAt::named(PointKind::Checkpoint, "boxes");
    let condition = Condition::parse("count(score > 0.5) < 5").unwrap();
    vec![
        Command::Step(Until::Place(2)),
        Command::OpenPaused,
        Command::Point {
            stage,
            at,
            change: PointChange::If(Box::new(condition)),
        },
        Command::EditValue("[1]".into()),
        Command::EditGiven(Box::new(GivenEdits {
            params: json!({"threshold": 0.5}).as_object().cloned(),
            priority: Some(0.5),
            ..GivenEdits::default()
        })),
        Command::EditOutcome {
            task: task(1),
            edit: Box::new(OutcomeEdit::Label("hash".into(), "{}".into())),
        },
        Command::Fork(3),
        Command::Attach,
        Command::Rerun,
        Command::Discard,
        Command::Accept,
        Command::KillJob,
        Command::Run(Box::new(spec())),
        Command::PauseRun,
        Command::CancelRun,
        Command::WindUp,
        Command::StopAgents,
        Command::Concurrency(-1),
        Command::SetConcurrency(4),
        Command::Rate(Some(2.5)),
        Command::Timeout(None),
        Command::DefaultTimeout(Some(3)),
        Command::Retry {
            stage,
            rows: vec![row()],
        },
    ]
}

fn of_writes() -> Vec<Command> {
    let (stage, tasks) = (AGENT, vec![task(1)]);
    vec![
        Command::Watch {
            stage,
            rows: vec![row()],
            on: true,
        },
        Command::UnwatchAll,
        Command::WatchAgain(tasks.clone()),
        Command::KeepWatchResults(true),
        Command::HoldWatched(task(1)),
        Command::Theirs(tasks.clone()),
        Command::Resolve {
            tasks: tasks.clone(),
            how: OnConflict::Rerun,
        },
        Command::Journal,
        Command::UndoNewest,
        Command::OpenOp(1),
        Command::ReviewUndo(1),
        Command::Undo(1),
        Command::Finish,
        Command::Recover(Scope::Tasks {
            tasks: [task(1)].into(),
            except: [3].into(),
        }),
        Command::Apply("plan".into()),
        Command::StopOperations,
        Command::Confirm {
            title: "P".into(),
            then: Box::new(Command::Live(true)),
        },
        Command::Take {
            tasks: tasks.clone(),
            on: true,
        },
        Command::Drop(tasks.clone()),
        Command::Commit(tasks),
        Command::Live(true),
    ]
}

fn spec() -> RunSpec {
    let result = LastResult {
        build: BuildId(1),
        text: "complete".into(),
        failed: false,
        pathway: Some(pathway().id),
        group: Some(7),
        labels: (1, 2, 3),
        ms: 1.5,
        at: Millis(3),
    };
    let filter = "title~night -status:new | age>2d pri>=0.5 meta.site=cam3 label:Car>3 result:error route:skip build:4";
    RunSpec {
        source: Source::Tasks(AGENT, vec![row()]),
        filter: Filter::parse(filter).unwrap(),
        spent: Arc::new(HashMap::from([(AGENT, 3)])),
        left_out: Arc::new([task(8)].into()),
        earlier: Arc::new(HashMap::from([(task(1), result)])),
        tried: Arc::new(HashMap::from([(task(1), Millis(4))])),
        max_failures: Some(crate::run::FailureLimit::Percent(2.5)),
        ..RunSpec::default()
    }
}
