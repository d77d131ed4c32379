//! Moves of a task itself to a stage, without a pathway.

use super::*;

/// The task itself leaves for the archive, without a pathway.
fn to_archive(_: &str) -> Value {
    json!({"stage": "Archive", "add": [car()], "priority": 0.125})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_moved_to_a_stage_comes_back_from_it() {
    let world = World::with_twin().await;
    let before = world.both().0;
    let items = world.answered(to_archive).await;
    let units: Vec<String> = items.iter().map(|item| item.data.to_string()).collect();
    let (ends, op) = world.commit(items).await;
    assert!(done(&ends), "{ends:?}");
    let written = world.both().0;
    for unit in &units {
        assert_eq!((&*written[unit].0, written[unit].1), ("Archive", 0.125));
        assert_ne!(written[unit].2, before[unit].2);
    }
    assert_eq!(world.undo(op).await.unwrap(), (units.len() as u64, 0));
    let after = world.both().0;
    for unit in &units {
        assert_eq!(
            (&after[unit].0, after[unit].1),
            (&before[unit].0, before[unit].1)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_a_stage_that_a_crash_cut_off_is_finished_once() {
    let world = World::with_twin().await;
    let items = world.answered(to_archive).await;
    let n = items.len();
    world
        .die_while_writing(world.journal(), items.clone())
        .await;
    // One of them arrived before the process died.
    let folder = tempfile::tempdir().unwrap();
    let other = crate::journal::Journal::open(folder.path()).unwrap();
    assert!(done(&world.write(&other, items[..1].to_vec(), false).await));
    let settled = world.settle(world.journal()).await;
    assert_eq!((settled.found, settled.finished), (n, n));
    let after = world.both().0;
    for item in &items {
        let unit = &after[&item.data.to_string()];
        assert_eq!((&*unit.0, unit.1), ("Archive", 0.125));
    }
    assert!(world.guarded(&world.rows().await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_move_to_a_stage_leaves_the_task_written_in_part() {
    let world = World::with_twin().await;
    let items = world.answered(to_archive).await;
    world.errors(&["move_tasks:422".to_owned()]);
    let (ends, op) = world.commit(items).await;
    world.errors(&[]);
    for end in &ends {
        let Committed::Partial { written, .. } = end else {
            panic!("{end:?}");
        };
        assert!(written.labels && written.priority, "{written:?}");
    }
    let n = ends.len() as u64;
    assert_eq!(world.undo(op).await.unwrap(), (n, 0));
}
