//! What is recorded when the disk is slow or full.

use super::*;
use std::sync::mpsc::Receiver;
use wb_core::event::ListId;
use wb_core::ids::{Millis, StageId};

fn recorder(waiting: usize) -> (Recorder, Receiver<RecorderMessage>) {
    let (send, messages) = sync_channel(waiting);
    let recorder = Recorder {
        send,
        begun: Instant::now(),
        shared: Arc::default(),
        path: Path::new("x").into(),
        pictures: false,
    };
    (recorder, messages)
}

fn written(recorder: &Recorder, messages: Receiver<RecorderMessage>) -> Vec<RecordedEntry> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let out = Out::of(File::create(&path).unwrap(), &path);
    let shared = Arc::clone(&recorder.shared);
    let (done, answer) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || write(out, &messages, &shared));
        recorder
            .send
            .send(RecorderMessage::Flush {
                last: false,
                done: done.clone(),
            })
            .unwrap();
        answer.recv().unwrap();
        recorder.note(RecordedEntry::End);
        recorder
            .send
            .send(RecorderMessage::Flush { last: true, done })
            .unwrap();
    });
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<RecordedLine>(line).unwrap());
    lines.map(|line| line.entry).collect()
}

#[test]
fn entries_that_come_faster_than_the_disk_are_counted_where_they_are_missing() {
    let (recorder, messages) = recorder(3);
    for n in 0..5 {
        recorder.event(&Event::Tick(Millis(n)));
    }
    assert!(recorder.problem().unwrap().contains("gaps"));
    let tick = |n| RecordedEntry::Event(Box::new(Event::Tick(Millis(n))));
    let expected = [
        tick(0),
        tick(1),
        tick(2),
        RecordedEntry::Missing(2),
        RecordedEntry::End,
    ];
    assert_eq!(written(&recorder, messages), expected);
}

#[test]
fn a_listing_of_a_million_tasks_does_not_wait_in_memory() {
    let (recorder, messages) = recorder(WAITING);
    let row = serde_json::json!({"id": StageId::from(uuid::Uuid::nil()), "data": uuid::Uuid::nil(), "created": 0,
        "updated": 0, "title": "t", "assignee": null, "last_actioned_by": null, "branch": "main", "status": "NEW"});
    let row = serde_json::from_value::<wb_core::work::TaskRow>(row).unwrap();
    let page = Event::Upstream(Upstream::Page {
        list: ListId::Queue(1),
        stage: uuid::Uuid::nil().into(),
        rows: vec![row; 1_000],
        next: None,
    });
    for _ in 0..1_000 {
        recorder.event(&page);
    }
    let waiting = recorder.shared.rows.load(Ordering::Relaxed);
    assert!(waiting <= WAITING_ROWS, "{waiting}");
    let entries = written(&recorder, messages);
    let pages = entries
        .iter()
        .filter(|entry| matches!(entry, RecordedEntry::Event(_)));
    assert_eq!(pages.count(), 65);
    assert!(
        entries.contains(&RecordedEntry::Missing(935)),
        "{}",
        entries.len()
    );
}

#[test]
fn kept_results_count_as_the_tasks_that_they_are_of() {
    let result = serde_json::json!({"run": 1, "stage": uuid::Uuid::nil(), "task": uuid::Uuid::nil(), "title": "t",
        "updated": 0, "outcome": null, "last": {"build": 1, "text": "stay", "failed": false, "pathway": null,
        "group": null, "labels": [0, 0, 0], "ms": 1.0, "at": 0}});
    let result = serde_json::from_value::<wb_core::figures::KeptResult>(result).unwrap();
    let before = Event::ResultsBefore {
        results: vec![result.clone(); 3],
        all: true,
    };
    assert_eq!(rows(&before), 3);
    let patch = None;
    let stored = wb_core::comparing::StoredResult { result, patch };
    let read = Event::RunRead {
        comparison: 1,
        side: 0,
        results: Ok(vec![stored; 5]),
    };
    assert_eq!(rows(&read), 5);
}

#[test]
fn a_full_disk_ends_the_recording_and_is_reported() {
    let (recorder, messages) = recorder(10);
    recorder.note(RecordedEntry::End);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (done, _answer) = sync_channel(1);
    recorder
        .send
        .send(RecorderMessage::Flush { last: true, done })
        .unwrap();
    write(Out::of(full, Path::new("x")), &messages, &recorder.shared);
    assert!(recorder.problem().unwrap().contains("No space left"));
    drop(messages);
    recorder.note(RecordedEntry::End);
    recorder.finish();
}
