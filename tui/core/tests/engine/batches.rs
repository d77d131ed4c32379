//! Batches: many in flight while they are light, small ones when label rows are megabytes.

use crate::world::{project, row, stage_id};
use agent_abi::table::needs;
use std::sync::Arc;
use wb_core::build::AgentDescriptor;
use wb_core::event::Effect;
use wb_core::ids::{BatchId, BuildId, Millis, StageId};
use wb_core::run::{Around, Run, RunSpec, Source};
use wb_core::work::{Inputs, Project, RowInput, TaskRow};

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
        let effects = self.run.advance(&mut around);
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Fetch { batch, rows, .. } => Some((batch, rows)),
                _ => None,
            })
            .collect()
    }

    /// The inputs of a batch arrive; what is fetched then.
    fn answer(&mut self, (batch, rows): Fetch) -> Vec<Fetch> {
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
        self.advance()
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
fn a_small_first_batch_tells_that_rows_are_light_and_then_many_are_in_flight() {
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
