//! Further changes from the judged outcome to the platform and back, against the local server's own records.

mod moves;
mod reading;

use crate::journal::Operation;
use crate::local_world::World;
use crate::runtime::Answers;
use agent_abi::model::Ontology;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use wb_client::AssetCache;
use wb_core::ids::TaskId;
use wb_core::patch::{judge_as, wanted};
use wb_core::work::{Change, Committed, FetchSpec, Written, needs};

/// What the server has of a project: stage, priority and labels of each data unit.
type Records = BTreeMap<String, (String, f64, Option<String>)>;

impl World {
    fn twin(&self) -> String {
        self.served.twin_project_hash.unwrap().to_string()
    }

    fn records_of(&self, project: &str) -> Records {
        let path = format!("/local/state?project={project}");
        let state = tokio::task::block_in_place(|| self.records("GET", &path, ""));
        let tasks = state["tasks"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        tasks
            .map(|task| {
                let labels = task["labels"].as_str().map(str::to_owned);
                let priority = task["priority"].as_f64().unwrap();
                (
                    text(&task["data_hash"]),
                    (text(&task["stage"]), priority, labels),
                )
            })
            .collect()
    }

    /// How many requests an endpoint has had.
    fn requests(&self, endpoint: &str) -> u64 {
        let counters = tokio::task::block_in_place(|| self.records("GET", "/local/counters", ""));
        let requests = &counters["endpoints"][endpoint]["requests"];
        requests.as_u64().unwrap_or(0)
    }

    fn both(&self) -> (Records, Records) {
        let own = self.project.hash.to_string();
        (self.records_of(&own), self.records_of(&self.twin()))
    }

    /// What an agent that gives these changes besides its own gives for every image that waits, as it is committed.
    pub(crate) async fn further(&self, changes: impl Fn(&str) -> Value) -> Vec<Change> {
        let route = &self.stage.pathways[0].name;
        self.answered(|data| json!({"route": route, "add": [car()], "changes": changes(data)}))
            .await
    }

    /// The same of an agent that answers so.
    async fn answered(&self, answer: impl Fn(&str) -> Value) -> Vec<Change> {
        let mut rows = self.rows().await;
        rows.retain(|row| row.title.ends_with(".png") || row.title.ends_with(".jpg"));
        assert!(rows.len() >= 2, "there are several images that wait");
        let fetch = FetchSpec {
            needs: needs::LABEL_ROW_WRITE | needs::CLIENT_METADATA,
            ..FetchSpec::default()
        };
        let cache = || AssetCache::new(self.dir.path().join("assets"), 1 << 20);
        let (project, stage) = (&self.project, &self.stage);
        let ontology = Arc::new(Ontology::from_editor(&project.doc.ontology).unwrap());
        let answers = Answers::new(self.reader.clone(), cache());
        let inputs = self
            .reader
            .inputs(project, stage, &rows, &fetch, &cache())
            .await;
        let mut found = Vec::new();
        for inputs in inputs {
            let inputs = inputs.unwrap();
            let answer = answer(&inputs.row.data.to_string()).to_string();
            let wanted = wanted(project.hash, &inputs, answer.as_bytes()).unwrap_or_default();
            let own = (project.clone(), ontology.clone());
            let around = answers.around(own, wanted, &Arc::default()).await;
            let outcome = judge_as(None, stage, &ontology, &inputs, &around, answer.as_bytes());
            let outcome = outcome.unwrap();
            found.push(wb_core::run::item(&outcome, &inputs, stage.id).unwrap());
        }
        found
    }

    /// Changes of the twin at every step.
    fn twin_changes(&self) -> impl Fn(&str) -> Value {
        let (twin, to) = (self.twin(), self.project.workflow.stages.last().unwrap());
        let to = to.title.clone();
        move |_| {
            json!([
                {"kind": "move", "project": twin, "to": to},
                {"kind": "metadata", "project": twin, "client_metadata": {"twin": true}},
                {"kind": "priority", "project": twin, "priority": 0.125},
                {"kind": "labels", "project": twin, "add": [car()]},
            ])
        }
    }

    pub(crate) async fn commit(&self, items: Vec<Change>) -> (Vec<Committed>, i64) {
        let journal = self.journal();
        let run = Operation {
            kind: "run",
            ..Operation::default()
        };
        let op = journal.operate(self.project.hash, &run, &[], 1).unwrap();
        let ends = self.write(&journal, items, false).await;
        journal.close(2);
        (ends, op)
    }
}

fn car() -> Value {
    json!({"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}})
}

fn done(ends: &[Committed]) -> bool {
    ends.iter().all(|end| *end == Committed::Done)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_is_written_with_the_task_and_taken_back_with_it() {
    let world = World::with_twin().await;
    let before = world.both();
    let items = world.further(world.twin_changes()).await;
    let units: Vec<String> = items.iter().map(|item| item.data.to_string()).collect();
    let saved = world.changed("save_labels");
    let (ends, op) = world.commit(items).await;
    assert!(done(&ends), "{ends:?}");
    let (_, twin) = world.both();
    for unit in &units {
        let (was, is) = (&before.1[unit], &twin[unit]);
        assert_eq!((&*is.0, is.1), ("Archive", 0.125), "{was:?}");
        assert_ne!(was.2, is.2, "the labels of the twin are saved");
    }
    assert!(saved < world.changed("save_labels"));
    assert_eq!(
        world.undo(op).await.unwrap(),
        (units.len() as u64, 0),
        "one for each task"
    );
    let after = world.both();
    for unit in &units {
        assert_eq!(after.1[unit].0, before.1[unit].0, "back at its stage");
        assert_eq!(after.1[unit].1, before.1[unit].1, "its priority");
        assert_eq!(after.0[unit].0, before.0[unit].0, "the task itself");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_somebody_else_changed_is_a_conflict_of_the_whole_task() {
    let world = World::with_twin().await;
    let items = world.further(world.twin_changes()).await;
    let edited = items[0].data.to_string();
    let edit = json!({"data_hash": edited, "project": world.twin(), "by": "ann@example.com"});
    tokio::task::block_in_place(|| world.records("POST", "/local/edit", &edit.to_string()));
    let before = world.both();
    let (ends, _) = world.commit(items).await;
    assert!(
        matches!(&ends[0], Committed::Conflict { .. }) && done(&ends[1..]),
        "{ends:?}"
    );
    let after = world.both();
    assert_eq!(after.0[&edited], before.0[&edited]);
    assert_eq!(after.1[&edited], before.1[&edited]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_further_change_leaves_the_task_which_is_finished_or_taken_back() {
    for takes_back in [false, true] {
        let world = World::with_twin().await;
        let before = world.both();
        let items = world.further(world.twin_changes()).await;
        let tasks: Vec<TaskId> = items.iter().map(|item| item.task).collect();
        let units: Vec<String> = items.iter().map(|item| item.data.to_string()).collect();
        world.errors(&["move_tasks:422".to_owned()]);
        let (ends, op) = world.commit(items).await;
        world.errors(&[]);
        for end in &ends {
            let Committed::Partial { written, error } = end else {
                panic!("{end:?}");
            };
            let parts = Written {
                labels: true,
                further: 0b111,
                ..Written::default()
            };
            assert_eq!(*written, parts);
            assert!(
                (error.summary).starts_with("labels and 3 further changes written, but move of"),
                "{error:?}"
            );
        }
        let half = world.both();
        for unit in &units {
            assert_eq!(half.0[unit].0, before.0[unit].0, "the task stays");
            assert_eq!(half.1[unit].0, before.1[unit].0, "its twin too");
        }
        let rows = world.rows().await;
        assert_eq!(world.guarded(&rows).len(), tasks.len());
        if takes_back {
            assert_eq!(world.undo(op).await.unwrap(), (units.len() as u64, 0));
        } else {
            let settled = world.settle(world.journal()).await;
            assert_eq!(
                (settled.found, settled.finished),
                (tasks.len(), tasks.len())
            );
        }
        let after = world.both();
        for unit in &units {
            let stage = if takes_back {
                &before.1[unit].0
            } else {
                "Archive"
            };
            assert_eq!(after.1[unit].0, stage);
            let priority = if takes_back { before.1[unit].1 } else { 0.125 };
            assert_eq!(after.1[unit].1, priority);
        }
        assert!(world.guarded(&rows).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_of_further_changes_is_finished_once() {
    let world = World::with_twin().await;
    let items = world.further(world.twin_changes()).await;
    let n = items.len();
    world
        .die_while_writing(world.journal(), items.clone())
        .await;
    // The twins were written before the process died, and the tasks were not.
    let labels_only = items.iter().map(|item| {
        let further = item.further[..1].to_vec();
        Change {
            further,
            ..Change::empty(item.task, item.stage, item.data)
        }
    });
    let labels_only: Vec<Change> = labels_only.collect();
    assert_eq!(labels_only[0].further[0].kind(), "labels");
    let folder = tempfile::tempdir().unwrap();
    let other = crate::journal::Journal::open(folder.path()).unwrap();
    assert!(done(&world.write(&other, labels_only, false).await));
    let once = world.both().1;
    let settled = world.settle(world.journal()).await;
    assert_eq!((settled.found, settled.finished), (n, n));
    let after = world.both().1;
    for item in &items {
        let unit = item.data.to_string();
        assert_eq!(after[&unit].2, once[&unit].2, "the labels are there once");
        assert_eq!(after[&unit].0, "Archive");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn further_changes_of_a_batch_are_bundled() {
    let world = World::with_twin().await;
    let items = world.further(world.twin_changes()).await;
    let counted = |endpoint: &str| world.requests(endpoint);
    let ends = ["save_labels", "priorities", "patch_items", "move_tasks"];
    let before = ends.map(counted);
    let (done_all, _) = world.commit(items).await;
    assert!(done(&done_all), "{done_all:?}");
    let requests: Vec<u64> = (ends.map(counted).iter().zip(before))
        .map(|(after, before)| after - before)
        .collect();
    // The twins' labels and the tasks' own are two saves; moves are one request for each stage they leave.
    assert_eq!(requests[..3], [2, 1, 1]);
    assert!(requests[3] <= 3, "{requests:?}");
}

/// Issues on a frame and on the whole data unit, in the task's own project.
fn issues(_: &str) -> Value {
    json!([
        {"kind": "issue", "comment": "too dark", "frame": 0, "tags": ["dark", "night"]},
        {"kind": "issue", "comment": "too dark"},
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_are_made_once_and_stay_when_the_task_is_taken_back() {
    let world = World::with_twin().await;
    let items = world.further(issues).await;
    let n = items.len() as u64;
    let made = world.changed("change_notes");
    let (ends, op) = world.commit(items).await;
    assert!(done(&ends), "{ends:?}");
    assert_eq!(world.changed("change_notes") - made, 2 * n);
    world.undo(op).await.unwrap();
    assert_eq!(world.changed("change_notes") - made, 2 * n, "they stay");
    // The same outcome again: equal open issues are there already.
    let (ends, _) = world.commit(world.further(issues).await).await;
    assert!(done(&ends), "{ends:?}");
    assert_eq!(world.changed("change_notes") - made, 2 * n);
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_that_a_crash_cut_off_are_made_before_the_task_moves_and_once() {
    let world = World::with_twin().await;
    let items = world.further(issues).await;
    let n = items.len();
    let made = world.changed("change_notes");
    world
        .die_while_writing(world.journal(), items.clone())
        .await;
    // The first of them were made before the process died.
    let first = items.iter().map(|item| Change {
        further: item.further[..1].to_vec(),
        ..Change::empty(item.task, item.stage, item.data)
    });
    let folder = tempfile::tempdir().unwrap();
    let other = crate::journal::Journal::open(folder.path()).unwrap();
    assert!(done(&world.write(&other, first.collect(), false).await));
    let settled = world.settle(world.journal()).await;
    assert_eq!((settled.found, settled.finished), (n, n));
    assert_eq!(world.changed("change_notes") - made, 2 * n as u64);
}
