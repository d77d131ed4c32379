//! What is written in part, where others have acted since, and where another folder looks at it.

use super::{Folder, TASKS};
use crate::support::{lines, plan, run, stderr};
use serde_json::{Value, json};

#[test]
fn what_others_changed_since_is_left_to_a_person() {
    let folder = Folder::new(&[]);
    folder.half_written();
    for task in folder.server.tasks() {
        let edit = json!({"data_hash": task["data_hash"], "by": "ann@example.com"});
        folder.server.post("/local/edit", &edit);
    }
    folder.faults(&[]);
    for _ in 0..2 {
        let left = folder.run(&[]);
        assert_eq!(left.status.code(), Some(5), "{}", stderr(&left));
        assert_eq!(lines(&left).1["conflicts"], TASKS);
        assert_eq!(
            (folder.boxes(), folder.server.changed("actions")),
            (vec![1; TASKS], 0)
        );
    }
    // The agents run on the rows as they are now: existing labels are not added again.
    let rerun = folder.run(&["--on-conflict", "rerun"]);
    assert_eq!(lines(&rerun).1["moved"], TASKS, "{}", stderr(&rerun));
    assert_eq!(folder.boxes(), [1; TASKS]);
}

#[test]
fn tasks_that_a_person_moved_on_meanwhile_are_over() {
    let folder = Folder::new(&[]);
    folder.half_written();
    let tasks: Vec<Value> = folder
        .server
        .tasks()
        .iter()
        .map(|t| t["uuid"].clone())
        .collect();
    let away = json!({"tasks": tasks, "stage": "Complete", "by": "ann@example.com"});
    folder.server.post("/local/move", &away);
    folder.faults(&[]);
    let resumed = folder.workbench(&["resume"]);
    assert!(
        stderr(&resumed).contains("4 are finished"),
        "{}",
        stderr(&resumed)
    );
    assert_eq!(
        (folder.boxes(), folder.server.changed("actions")),
        (vec![1; TASKS], 0)
    );
    let again = folder.workbench(&["resume"]);
    assert!(
        stderr(&again).contains("Nothing is left unfinished"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn in_another_folder_what_this_key_has_added_is_not_added_again_unless_asked() {
    let folder = Folder::new(&[]);
    folder.half_written();
    folder.faults(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = |args: &[&str]| run(elsewhere.path(), &folder.server, &folder.library, args);
    let dry = other(&["--dry-run"]);
    let (all, summary) = lines(&dry);
    assert_eq!(
        (all.len(), &summary["already_there"]),
        (TASKS, &json!(TASKS))
    );
    assert!(
        all.iter().all(|l| l["patch"].get("labels").is_none()),
        "{all:?}"
    );
    let asked = other(&["--dry-run", "--on-duplicate", "add"]);
    let (all, summary) = lines(&asked);
    assert_eq!(summary["already_there"], 0);
    assert!(
        all.iter()
            .all(|l| l["patch"]["labels"].as_array().unwrap().len() == 1)
    );
    let planned = plan(elsewhere.path(), &folder.server, &folder.library, &[]);
    assert!(
        stderr(&planned).contains("4 labels there already, not added again"),
        "{}",
        stderr(&planned)
    );
    let real = other(&[]);
    assert_eq!(lines(&real).1["already_there"], TASKS, "{}", stderr(&real));
    assert_eq!(
        (folder.boxes(), folder.places()),
        (vec![1; TASKS], vec!["Complete".to_owned(); TASKS])
    );
}

#[test]
fn a_setting_adds_labels_that_stand_there_already() {
    let folder = Folder::new(&[]);
    folder.half_written();
    folder.faults(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let settings = elsewhere.path().join("workbench.toml");
    std::fs::write(&settings, "on_duplicate = \"twice\"\n").unwrap();
    let refused = run(elsewhere.path(), &folder.server, &folder.library, &[]);
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    std::fs::write(&settings, "on_duplicate = \"add\"\n").unwrap();
    run(elsewhere.path(), &folder.server, &folder.library, &[]);
    assert_eq!(folder.boxes(), [2; TASKS]);
}
