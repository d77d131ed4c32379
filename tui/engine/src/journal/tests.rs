//! What the journal keeps: what is open, whose it is, and what an operation comes to.

use super::*;
use uuid::Uuid;
use wb_core::ids::{DataHash, PathwayId, StageId, TaskId};
use wb_core::ledger::{Answered, Before, MAX_BYTES};
use wb_core::work::{Committed, LabelBlob, RowInput};

fn change(n: u128) -> Change {
    let id = Uuid::from_u128;
    Change {
        title: "t".into(),
        before: Some(RowInput {
            label_hash: None,
            priority: Some(0.5),
            item: None,
            json: "{\"labels\":{}}".into(),
        }),
        labels_after: Some(LabelBlob::new(&serde_json::json!({"a": [1.5]}))),
        priority: Some(0.0),
        pathway: Some(PathwayId(id(3))),
        old_priority: Some(0.5),
        ..Change::empty(TaskId(id(n)), StageId(id(1)), DataHash(id(2)))
    }
}

fn run() -> Operation {
    Operation {
        kind: "run",
        ..Operation::default()
    }
}

/// Notes these changes; the numbers of their entries.
fn begun(journal: &Journal, project: ProjectHash, changes: &[Change]) -> Vec<i64> {
    let ids = journal.record(project, changes, Millis(2)).unwrap();
    ids.into_iter().flatten().collect()
}

/// Notes these answers.
fn end(journal: &Journal, ids: &[i64], answers: &[Committed], before: Before, now: i64) {
    let each = ids.iter().zip(answers);
    let answered = each.map(|(entry, result)| Answered {
        entry: *entry,
        result: result.clone(),
        before,
    });
    journal.end(&answered.collect::<Vec<_>>(), now).unwrap();
}

#[test]
fn what_has_no_answer_is_pending_and_comes_back_equal() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let journal = Journal::open(dir.path()).unwrap();
    let ids = journal
        .record(project, &[change(1), change(2), change(3)], Millis(5))
        .unwrap();
    let ids: Vec<i64> = ids.into_iter().flatten().collect();
    let refused = Committed::Refused(Error::new(ErrorKind::Network, "no answer"));
    end(
        &journal,
        &ids[..2],
        &[Committed::Done, refused],
        Before::New,
        6,
    );
    drop(journal);
    let again = Journal::open(dir.path()).unwrap();
    let open = |project| -> Vec<Change> {
        let open = again.open_entries(project).unwrap();
        open.into_iter().map(|open| open.change).collect()
    };
    assert_eq!(open(project), [change(2), change(3)]);
    assert!(open(ProjectHash(Uuid::from_u128(8))).is_empty());
}

#[test]
fn a_journal_of_the_first_form_is_read_and_a_newer_one_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let db = Connection::open(dir.path().join("journal.db")).unwrap();
    let intent = serde_json::to_string(&change(7).brief()).unwrap();
    db.execute_batch(
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, project TEXT NOT NULL, task TEXT NOT NULL,
         pid INTEGER NOT NULL, begun INTEGER NOT NULL, intent TEXT NOT NULL, ended INTEGER, answer TEXT)",
    )
    .unwrap();
    db.execute(
        "INSERT INTO entry (project, task, pid, begun, intent) VALUES (?1, 't', 2147483000, 1, ?2)",
        params![project.to_string(), intent],
    )
    .unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let open = journal.open_entries(project).unwrap();
    assert_eq!((open.len(), &open[0].change), (1, &change(7)));
    assert_eq!((open[0].written.any(), &open[0].refused), (false, &None));
    db.execute_batch("PRAGMA user_version = 3").unwrap();
    let newer = Journal::open(dir.path())
        .map(drop)
        .unwrap_err()
        .into_facts()
        .summary;
    assert!(newer.contains("(schema v3, supported: v2)"), "{newer}");
}

#[test]
fn commands_that_open_a_new_folder_at_the_same_moment_all_get_its_journal() {
    for _ in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(4);
        let open = || {
            together.wait();
            Journal::open(dir.path()).map(|_| ())
        };
        std::thread::scope(|scope| {
            let all = [0; 4].map(|_| scope.spawn(open));
            for opened in all {
                assert_eq!(opened.join().unwrap(), Ok(()));
            }
        });
    }
}

#[test]
fn the_counts_of_an_operation_that_is_over_follow_what_is_settled_later() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let journal = Journal::open(dir.path()).unwrap();
    journal.operate(project, &run(), &[], 1).unwrap();
    let ids = begun(&journal, project, &[change(1), change(2)]);
    end(&journal, &ids[..1], &[Committed::Done], Before::New, 3);
    journal.close(4);
    let counts = |journal: &Journal| {
        let op = journal.ops().unwrap().remove(0);
        (op.tasks, op.done, op.open)
    };
    assert_eq!(counts(&journal), (2, 1, 1));
    end(
        &journal,
        &ids[1..],
        &[Committed::Done],
        Before::Unanswered,
        5,
    );
    assert_eq!(counts(&journal), (2, 2, 0));
}

#[test]
fn an_operation_that_wrote_nothing_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let journal = Journal::open(dir.path()).unwrap();
    journal.operate(project, &run(), &[], 1).unwrap();
    journal.close(2);
    journal
        .operate(project, &run(), &["run".to_owned()], 3)
        .unwrap();
    journal.record(project, &[change(1)], Millis(4)).unwrap();
    journal.close(5);
    let ops = journal.ops().unwrap();
    assert_eq!((ops.len(), ops[0].tasks, ops[0].open), (1, 1, 1));
    assert_eq!(ops[0].words, ["run"]);
}

#[test]
fn writes_of_one_commit_are_one_operation_however_many_batches_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let journal = Journal::open(dir.path()).unwrap();
    let commit = || Operation {
        kind: "commit",
        ..Operation::default()
    };
    let unused = journal.under(commit(), Vec::new());
    let one = journal.under(commit(), vec!["run".to_owned(), "--task".to_owned()]);
    let other = journal.under(commit(), Vec::new());
    one.record(project, &[change(1)], Millis(1)).unwrap();
    other.record(project, &[change(2)], Millis(2)).unwrap();
    one.record(project, &[change(3), change(4)], Millis(3))
        .unwrap();
    for handle in [unused, one, other] {
        handle.close(4);
    }
    let ops = journal.ops().unwrap();
    assert_eq!(ops.iter().map(|o| o.tasks).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(ops[0].words, ["run", "--task"]);
    let entries = journal.entries(ops[0].id, 2).unwrap();
    assert_eq!(entries.len(), 2, "no more than asked for");
    assert_eq!(entries[0].task, TaskId(Uuid::from_u128(1)));
}

#[test]
fn what_stands_of_an_operation_is_read_piece_by_piece() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let journal = Journal::open(dir.path()).unwrap();
    let op = journal.operate(project, &run(), &[], 1).unwrap();
    let changes: Vec<Change> = (0..25).map(change).collect();
    let ids = begun(&journal, project, &changes);
    let mut answers = vec![Committed::Done; 25];
    answers[7] = Committed::Conflict { by: "x".into() };
    end(&journal, &ids, &answers, Before::New, 3);
    // Somebody takes back what is read, as it is read.
    let (mut seen, mut below, mut pieces) = (Vec::new(), i64::MAX, 0);
    while let (entries, Some(last)) = journal.standing(op, below, 10).unwrap() {
        assert!(entries.len() <= 10);
        let back: Vec<Change> = (entries.iter())
            .map(|e| Change {
                reverts: Some(e.id),
                ..e.change.clone()
            })
            .collect();
        let undo = Journal::open(dir.path()).unwrap();
        let ids = undo.record(project, &back, Millis(4)).unwrap();
        let ids: Vec<i64> = ids.into_iter().flatten().collect();
        end(
            &undo,
            &ids,
            &vec![Committed::Done; ids.len()],
            Before::New,
            5,
        );
        seen.extend(entries.iter().map(|e| e.change.task.0.as_u128()));
        (below, pieces) = (last, pieces + 1);
    }
    let wanted: Vec<u128> = (0..25).rev().filter(|n| *n != 7).collect();
    assert_eq!((seen, pieces), (wanted, 3));
    assert!(journal.standing(op, i64::MAX, 10).unwrap().0.is_empty());
}

#[test]
fn heavy_label_rows_of_an_operation_are_read_few_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let project = ProjectHash(Uuid::from_u128(9));
    let journal = Journal::open(dir.path()).unwrap();
    let heavy = LabelBlob::new(&serde_json::json!({"a": "x".repeat(MAX_BYTES / 2)}));
    let changes: Vec<Change> = (0..4)
        .map(|n| {
            let mut change = change(n);
            change.labels_after = Some(heavy.clone());
            change
        })
        .collect();
    assert!(changes[0].weight() > MAX_BYTES / 2);
    let op = journal.operate(project, &run(), &[], 1).unwrap();
    let ids = begun(&journal, project, &changes);
    end(
        &journal,
        &ids,
        &[
            Committed::Done,
            Committed::Done,
            Committed::Done,
            Committed::Done,
        ],
        Before::New,
        3,
    );
    let (entries, last) = journal.standing(op, i64::MAX, 300).unwrap();
    assert_eq!(entries.len(), 2);
    let (rest, _) = journal.standing(op, last.unwrap(), 300).unwrap();
    assert_eq!(rest.len(), 2);
}
