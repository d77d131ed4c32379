//! Batches: many in flight while they are light, small ones when label rows are megabytes.

use crate::world::{project, row, stage_id};
use agent_abi::table::needs;
use std::sync::Arc;
use wb_core::build::AgentDescriptor;
use wb_core::event::Effect;
use wb_core::ids::{BatchId, BuildId, Millis, StageId};
use wb_core::run::{Around, Run, RunSpec, Sink, Source};
use wb_core::work::{
    Change, Committed, Inputs, LabelBlob, Outcome, Patch, Project, Route, RowInput, TaskRow,
};

/// A run of 3,000 listed tasks whose label rows weigh so many bytes.
struct Scene {
    run: Run,
    project: Arc<Project>,
    bytes: usize,
    needs: u64,
    jobs: u64,
}

type Fetch = (BatchId, Vec<TaskRow>);

impl Scene {
    /// Its first fetches too.
    fn new(bytes: usize, needs: u64) -> (Self, Vec<Fetch>) {
        let spec = RunSpec {
            source: Source::Stages(vec![stage_id(1)]),
            ..RunSpec::default()
        };
        let mut scene = Self {
            run: Run::new(1, spec, Millis(0)),
            project: project(),
            bytes,
            needs,
            jobs: 0,
        };
        assert!(scene.advance().is_empty(), "nothing is listed yet");
        let rows = (1..=3000).map(row).collect();
        scene.run.page(rows, None, Millis(0));
        let fetches = scene.advance();
        (scene, fetches)
    }

    fn advance(&mut self) -> Vec<Fetch> {
        let effects = self.step();
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Fetch { batch, rows, .. } => Some((batch, rows)),
                _ => None,
            })
            .collect()
    }

    fn step(&mut self) -> Vec<Effect> {
        let needs = self.needs;
        let agent = |_: StageId| {
            let descriptor = AgentDescriptor {
                needs,
                ..AgentDescriptor::default()
            };
            Some((BuildId(1), 0, descriptor))
        };
        let mut around = Around {
            now: Millis(0),
            project: &self.project,
            agent: &agent,
            next_job: &mut self.jobs,
        };
        self.run.advance(&mut around)
    }

    /// The inputs of a batch arrive.
    fn arrive(&mut self, (batch, rows): Fetch) {
        let json: Arc<str> = "x".repeat(self.bytes).into();
        let inputs = |row: TaskRow| Inputs {
            row,
            task_json: "".into(),
            labels: Some(RowInput {
                label_hash: None,
                priority: None,
                item: None,
                json: Arc::clone(&json),
            }),
            item_json: None,
            asset_json: None,
            fetched: Millis(0),
            timings: vec![],
        };
        let results = rows.into_iter().map(|r| Ok(Arc::new(inputs(r)))).collect();
        self.run.prefetched(batch, results);
    }

    /// The same; what is fetched then.
    fn answer(&mut self, (batch, rows): Fetch) -> Vec<Fetch> {
        self.arrive((batch, rows));
        self.advance()
    }

    /// Whatever is launched ends with labels of so many bytes, until nothing is launched any more; the commits
    /// that are asked for by then.
    fn run_all(&mut self, bytes: usize) -> Vec<(BatchId, Vec<Change>)> {
        let after = LabelBlob::new(&"x".repeat(bytes).into());
        let outcome = Arc::new(Outcome {
            way: Route::Stay,
            patch: Patch {
                priority: Some((None, 0.5)),
                ..Patch::default()
            },
            labels_after: Some(after),
            further: Vec::new(),
            steps: vec![],
            unread: vec![],
        });
        let mut commits = Vec::new();
        let mut effects = self.step();
        loop {
            let mut jobs = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Launch(launch) => jobs.push(launch.job),
                    Effect::Commit { batch, changes, .. } => commits.push((batch, changes)),
                    _ => {}
                }
            }
            if jobs.is_empty() {
                return commits;
            }
            for job in jobs {
                self.run
                    .job_done(job, Ok(outcome.clone()), false, 1_000_000);
            }
            effects = self.step();
        }
    }
}

fn sizes(fetches: &[Fetch]) -> Vec<usize> {
    fetches.iter().map(|(_, rows)| rows.len()).collect()
}

#[test]
fn tasks_without_rows_are_fetched_many_batches_at_a_time() {
    let (_, fetches) = Scene::new(0, 0);
    assert_eq!(sizes(&fetches), [300; 8]);
}

#[test]
fn a_small_first_batch_shows_that_rows_are_light_and_then_many_are_in_flight() {
    let (mut scene, mut first) = Scene::new(2 << 10, needs::LABEL_ROW);
    assert_eq!(sizes(&first), [50]);
    let more = scene.answer(first.remove(0));
    assert_eq!(sizes(&more), [300; 7]);
}

#[test]
fn rows_of_megabytes_come_in_small_batches_and_few_at_a_time() {
    let (mut scene, mut first) = Scene::new(5 << 20, needs::LABEL_ROW);
    let more = scene.answer(first.remove(0));
    assert_eq!(sizes(&more), [12; 2], "64 MB each");
}

#[test]
fn labels_of_megabytes_that_agents_add_are_committed_before_many_of_them_wait() {
    let (mut scene, mut first) = Scene::new(2 << 10, needs::LABEL_ROW);
    scene.run.spec.sink = Sink::Commit;
    scene.arrive(first.remove(0));
    let mut order = Vec::new();
    let mut commits = scene.run_all(5 << 20);
    while !commits.is_empty() {
        let tasks: Vec<usize> = commits.iter().map(|(_, items)| items.len()).collect();
        assert!(
            tasks.iter().all(|n| *n <= 7),
            "7 x 5 MB is enough: {tasks:?}"
        );
        assert!(
            tasks.iter().sum::<usize>() <= 14,
            "nothing is begun beyond: {tasks:?}"
        );
        for (batch, items) in commits {
            let done: Vec<_> = items.iter().map(|i| (i.task, Committed::Done)).collect();
            order.extend(items.iter().map(|i| i.task));
            scene.run.committed(batch, &done);
        }
        if order.len() >= 50 {
            break;
        }
        commits = scene.run_all(5 << 20);
    }
    let wanted: Vec<_> = (1..=50).map(|n| row(n).id).collect();
    assert_eq!(order, wanted, "each once, in order");
}
