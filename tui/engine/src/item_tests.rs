//! New items from the judged outcome to the platform and back, against the local server's own records.

use crate::journal::Journal;
use crate::local_world::World;
use serde_json::{Value, json};
use wb_core::work::{Change, Committed};

const QUESTIONS: &str = "7e500000-0000-4000-8003-000000000001";
const INBOX: &str = "7e500000-0000-4000-8004-000000000001";
const OTHER: &str = "7e500000-0000-4000-8005-000000000002";

/// Two projects on the same datasets: one of images, and one of questions, which is empty.
async fn world() -> World {
    let world = json!({
        "datasets": [
            {"title": "Images", "items": [{"type": "image", "title": "##.jpg", "count": 3}]},
            {"id": QUESTIONS, "title": "Questions", "items": []},
        ],
        "folders": [{"id": INBOX, "title": "Inbox"}],
        "projects": [
            {"title": "Cars", "datasets": ["Images", "Questions"]},
            {"id": OTHER, "title": "Other", "datasets": ["Questions"]},
        ],
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.json");
    std::fs::write(&path, world.to_string()).unwrap();
    let options = wb_local::ServeOptions {
        scenario_file: Some(path),
        ..wb_local::ServeOptions::default()
    };
    World::served(options).await
}

/// A question about each image, in the dataset's own folder or in one of its own.
fn questions(folder: Option<&'static str>) -> impl Fn(&str) -> Value {
    move |data| {
        let mut item = json!({"kind": "item", "title": format!("{data}.txt"), "text": "Car or van?",
            "dataset": "Questions", "client_metadata": {"about": data}});
        if let Some(folder) = folder {
            item["folder"] = folder.into();
        }
        json!([item, {"kind": "issue", "comment": "asked"}])
    }
}

impl World {
    /// The titles of the new tasks of both projects, with the stages that they are at.
    fn asked(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for project in [self.project.hash.to_string(), OTHER.to_owned()] {
            let path = format!("/local/state?project={project}");
            let state = tokio::task::block_in_place(|| self.records("GET", &path, ""));
            for task in state["tasks"].as_array().unwrap() {
                let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
                if text("data_title").ends_with(".txt") {
                    found.push((text("data_title"), text("stage")));
                }
            }
        }
        found.sort();
        found
    }

    /// The data unit of a task.
    fn unit(&self, title: &str) -> String {
        let state = tokio::task::block_in_place(|| self.records("GET", "/local/state", ""));
        let tasks = state["tasks"].as_array().unwrap();
        let task = tasks.iter().find(|task| task["data_title"] == title);
        task.unwrap()["data_hash"].as_str().unwrap().to_owned()
    }

    fn counted(&self, endpoint: &str) -> u64 {
        let counters = tokio::task::block_in_place(|| self.records("GET", "/local/counters", ""));
        counters["endpoints"][endpoint]["requests"]
            .as_u64()
            .unwrap_or(0)
    }
}

fn done(ends: &[Committed]) -> bool {
    ends.iter().all(|end| *end == Committed::Done)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_a_task_of_every_project_of_its_dataset_and_goes_with_its_outcome() {
    for folder in [None, Some(INBOX)] {
        let world = world().await;
        let items = world.further(questions(folder)).await;
        let n = items.len();
        let (ends, op) = world.commit(items).await;
        assert!(done(&ends), "{ends:?}");
        let asked = world.asked();
        assert_eq!(asked.len(), 2 * n, "{asked:?}");
        assert!(asked.iter().all(|(_, stage)| *stage == asked[0].1));
        let ends = ["announce_uploads", "upload_jobs"].map(|e| world.counted(e));
        // One place each, one job, one question for its state.
        assert_eq!(ends, [2, 1], "a batch is one job");
        assert_eq!(world.undo(op).await.unwrap(), (n as u64, 0));
        assert_eq!(world.asked(), [], "{folder:?}");
        // Taken back again, they are made again.
        assert_eq!(world.undo(op + 1).await.unwrap(), (n as u64, 0));
        assert_eq!(world.asked(), asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_there_is_not_made_again_and_stays() {
    let world = world().await;
    let (ends, first) = world.commit(world.further(questions(None)).await).await;
    assert!(done(&ends), "{ends:?}");
    let asked = world.asked();
    world.undo(first).await.unwrap();
    let (ends, first) = world.commit(world.further(questions(None)).await).await;
    assert!(done(&ends), "{ends:?}");
    // The tasks are put back by hand, and the agent asks once more.
    let stage = world.stage.title.clone();
    let state = tokio::task::block_in_place(|| world.records("GET", "/local/state", ""));
    let images = state["tasks"].as_array().unwrap().iter();
    let images = images.filter(|task| task["data_title"].as_str().unwrap().ends_with(".jpg"));
    let tasks: Vec<&Value> = images.map(|task| &task["uuid"]).collect();
    let back = json!({"tasks": tasks, "stage": stage, "by": "ann@example.com"}).to_string();
    tokio::task::block_in_place(|| world.records("POST", "/local/move", &back));
    let (ends, second) = world.commit(world.further(questions(None)).await).await;
    assert!(done(&ends), "{ends:?}");
    assert_eq!(world.asked(), asked, "nothing was made twice");
    assert!(second > first);
    world.undo(second).await.unwrap();
    assert_eq!(world.asked(), asked, "the second one did not make them");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_of_items_is_finished_once() {
    for folder in [None, Some(INBOX)] {
        let world = world().await;
        let items = world.further(questions(folder)).await;
        let n = items.len();
        world
            .die_while_writing(world.journal(), items.clone())
            .await;
        // The items were uploaded before the process died; not all of them were linked.
        let items_only = items.iter().map(|item| Change {
            further: item.further[..1].to_vec(),
            ..Change::empty(item.task, item.stage, item.data)
        });
        let other = tempfile::tempdir().unwrap();
        let other = Journal::open(other.path()).unwrap();
        if folder.is_some() {
            world.errors(&["change_datasets:422".to_owned()]);
        }
        let ends = world.write(&other, items_only.collect(), false).await;
        assert_eq!(done(&ends), folder.is_none(), "{ends:?}");
        world.errors(&[]);
        let settled = world.settle(world.journal()).await;
        assert_eq!((settled.found, settled.finished), (n, n));
        assert_eq!(world.asked().len(), 2 * n, "{:?}", world.asked());
        assert_eq!(world.changed("upload_jobs"), n as u64, "each is made once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_nothing_twice() {
    for lost in ["upload_jobs:lost", "change_datasets:lost"] {
        let world = world().await;
        let items = world.further(questions(Some(INBOX))).await;
        let n = items.len();
        world.errors(&[format!("{lost}@50%")]);
        let (ends, op) = world.commit(items).await;
        world.errors(&[]);
        assert!(done(&ends), "{lost}: {ends:?}");
        assert_eq!(world.asked().len(), 2 * n, "{lost}");
        assert_eq!(world.changed("upload_jobs"), n as u64, "{lost}");
        world.errors(&[
            "change_datasets:lost@50%".into(),
            "change_items:lost@50%".into(),
        ]);
        assert_eq!(world.undo(op).await.unwrap(), (n as u64, 0), "{lost}");
        assert_eq!(world.asked(), [], "{lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_item_leaves_its_task_as_it_was() {
    let world = world().await;
    let items = world.further(questions(None)).await;
    world.errors(&["upload:403".to_owned()]);
    let (ends, _) = world.commit(items).await;
    world.errors(&[]);
    for end in ends {
        let Committed::Refused(error) = end else {
            panic!("{end:?}");
        };
        let why = error.into_facts().summary;
        assert!(why.contains(".txt\" was not made: "), "{why}");
        assert!(why.contains("its store answered 403"), "{why}");
    }
    assert_eq!(world.asked(), []);
    assert_eq!(world.changed("change_notes"), 0, "items come first");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_somebody_has_used_stays_and_is_named() {
    let world = world().await;
    let items = world.further(questions(None)).await;
    let (n, used) = (items.len(), format!("{}.txt", items[0].data));
    let (ends, op) = world.commit(items).await;
    assert!(done(&ends), "{ends:?}");
    let unit = world.unit(&used);
    let edit = json!({"data_hash": unit, "by": "ann@example.com"}).to_string();
    tokio::task::block_in_place(|| world.records("POST", "/local/edit", &edit));
    let undone = world.take_back(world.journal(), op).await.unwrap();
    assert_eq!(undone.restored, n as u64);
    let stays: Vec<&str> = undone.stays.iter().map(|(_, what)| &**what).collect();
    let why = format!("the item \"{used}\" stays, because its labels were begun");
    assert!(stays.contains(&&*why), "{stays:?}");
    let asked = world.asked();
    assert_eq!(asked.len(), 2, "only that one is left: {asked:?}");
}
