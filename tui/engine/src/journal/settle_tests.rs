//! Finishing what a dead process had begun, where others have acted since.

use super::Journal;
use crate::local_world::World;
use serde_json::{Map, Value, json};
use wb_core::work::{Change, Committed, TaskRow};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[tokio::test]
async fn priorities_and_metadata_that_others_set_after_a_crash_stay() {
    let world = World::with_tasks(40).await;
    let (reader, hash, stage) = (&world.reader, world.project.hash, world.stage.clone());
    let rows: Vec<TaskRow> = world.rows().await.into_iter().take(6).collect();
    let ours = (rows.iter().enumerate()).map(|(n, row)| Change {
        priority: (n < 3).then_some(0.25),
        metadata: (n >= 3).then(|| map(json!({"by": "us"}))),
        ..Change::nothing(row, stage.id)
    });
    world
        .die_while_writing(world.journal(), ours.collect())
        .await;
    // Meanwhile somebody sets their own on one of each, and on another just what was to be set.
    let theirs = |n: usize, priority: Option<f64>, metadata: Option<Value>| Change {
        priority,
        metadata: metadata.map(map),
        ..Change::nothing(&rows[n], stage.id)
    };
    let theirs = vec![
        theirs(1, Some(0.75), None),
        theirs(2, Some(0.25), None),
        theirs(4, None, Some(json!({"by": "them"}))),
        theirs(5, None, Some(json!({"by": "us"}))),
    ];
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Journal::open(elsewhere.path()).unwrap();
    for end in world.write(&other, theirs, false).await {
        assert_eq!(end, Committed::Done);
    }
    let settled = world.settle(world.journal()).await;
    assert_eq!((settled.found, settled.finished, settled.left), (6, 4, 2));
    let units: Vec<_> = rows.iter().map(|r| (r.data, r.branch.clone())).collect();
    let now = reader.row_metadata(hash, &units).await;
    let now: Vec<_> = now.into_iter().map(Result::unwrap).collect();
    let priorities: Vec<_> = now[..3].iter().map(|row| row.priority).collect();
    assert_eq!(priorities, [Some(0.25), Some(0.75), Some(0.25)]);
    for (row, by) in now[3..].iter().zip(["us", "them", "us"]) {
        assert_eq!(row.client_metadata, Some(map(json!({"by": by}))));
    }
}
