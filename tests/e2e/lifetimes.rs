//! How long the things of an author live, through the whole program: dependencies of a task and of a
//! host, their teardown, and what a retry sees.

use crate::authors::{failures, library};
use crate::support::{Server, command, lines, run};
use serde_json::Value;
use std::path::Path;

const LONG_LIVED: &str = r#"
use agent_abi::prelude::*;
use std::io::Write;

fn note(line: &str) -> Result<()> {
    let path = std::env::var("DIARY")?;
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(file, "{line}")?;
    Ok(())
}

struct Model {
    calls: u32,
}

#[dependency(scope = host, close = unload)]
fn model() -> Result<Model> {
    note("loaded")?;
    Ok(Model { calls: 0 })
}

fn unload(model: Model, end: End) -> Result<()> {
    note(&format!("unloaded after {} calls, {end:?}", model.calls))
}

#[stage("Agent 1", routes = ["complete"])]
fn predicts(#[depends(model)] model: &mut Model) -> Route {
    model.calls += 1;
    Route::to("complete")
}

export![predicts];
"#;

/// What the library wrote into its diary, line by line.
fn diary(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_model_in_host_scope_is_loaded_once_over_a_thousand_tasks_and_unloaded_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "1000"]);
    let library = library(dir.path(), "long_lived", LONG_LIVED);
    let path = dir.path().join("diary");
    let output = command(dir.path())
        .args([
            "run",
            "--json",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&library)
        .envs(server.env())
        .env("DIARY", &path)
        .output()
        .unwrap();
    let (tasks, summary) = lines(&output);
    assert_eq!(failures(&tasks), Vec::<String>::new());
    assert_eq!((tasks.len(), &summary["moved"]), (1000, &Value::from(1000)));
    assert_eq!(
        diary(&path),
        ["loaded", "unloaded after 1000 calls, Retired"]
    );
}

const SLOW_TO_LOAD: &str = r#"
use agent_abi::prelude::*;

#[dependency(scope = host)]
fn model() -> Result<u32> {
    std::thread::sleep(std::time::Duration::from_millis(1500));
    if std::env::var("BROKEN").is_ok() {
        panic!("no weights");
    }
    Ok(7)
}

#[stage("Agent 1", routes = ["complete"])]
fn predicts(#[depends(model)] model: &u32) -> Route {
    info!("{model}");
    Route::to("complete")
}

export![predicts];
"#;

#[test]
fn what_a_host_loads_to_stay_does_not_count_to_the_task_that_asked_first_and_is_named_when_it_fails()
 {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "5"]);
    let library = library(dir.path(), "slow_to_load", SLOW_TO_LOAD);
    let args = ["--dry-run", "--timeout", "500ms", "--num-retries", "0"];
    let (tasks, _) = lines(&run(dir.path(), &server, &library, &args));
    assert_eq!(failures(&tasks), Vec::<String>::new());
    let output = command(dir.path())
        .args([
            "run",
            "--json",
            "--project-hash",
            &server.project(),
            "--agents",
        ])
        .arg(&library)
        .args(args)
        .envs(server.env())
        .env("BROKEN", "yes")
        .output()
        .unwrap();
    let (tasks, _) = lines(&output);
    let summary = tasks[0]["fault"]["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("dependency model panicked at"),
        "{summary}"
    );
}

const FALLS_OVER: &str = r#"
use agent_abi::prelude::*;

struct Session(String);

#[dependency(close = log_out)]
fn session(task: &Task) -> Session {
    Session(task.title().to_owned())
}

fn log_out(session: Session, _: End) {
    assert!(!session.0.contains('3'), "the session of {} fell over", session.0);
}

#[stage("pre-label", routes = ["annotate"])]
fn uses(labels: &mut LabelRow, #[depends(session)] _session: &Session) -> Result<Route> {
    labels.classify("Notes", "seen")?;
    Ok(Route::to("annotate"))
}

export![uses];
"#;

#[test]
fn a_dependency_that_panics_in_teardown_costs_its_task_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let library = library(dir.path(), "falls_over", FALLS_OVER);
    let args = ["--stage", "pre-label", "--num-retries", "1"];
    let output = run(dir.path(), &server, &library, &args);
    assert_eq!(output.status.code(), Some(1));
    let (tasks, summary) = lines(&output);
    let fell = |task: &&Value| task["data_title"].as_str().unwrap().contains('3');
    let (fallen, fine): (Vec<&Value>, Vec<&Value>) = tasks.iter().partition(fell);
    assert!(!fallen.is_empty() && !fine.is_empty(), "{summary}");
    for task in fallen {
        assert_eq!(
            (&task["outcome"], &task["attempts"]),
            (&"failed".into(), &2.into())
        );
        let fault = task["fault"].to_string();
        assert!(fault.contains("session"), "{fault}");
        assert!(fault.contains("fell over"), "{fault}");
    }
    assert!(fine.iter().all(|t| t["outcome"] == "moved"), "{fine:?}");
    let writes = fine.len() as u64;
    let saved = server.admin("/local/counters")["endpoints"]["save_labels"]["changed"].clone();
    assert_eq!(
        saved,
        Value::from(writes),
        "one label row for each task that went well"
    );
}

const SECOND_THOUGHTS: &str = r#"
use agent_abi::prelude::*;

#[stage("pre-label", routes = ["annotate", "skip"])]
fn counts(task: &Task, labels: &mut LabelRow, frames: Frames<'_>, item: &mut StorageItem) -> Result<Route> {
    if labels.data_type() != DataType::Video {
        return Ok(Route::to("skip"));
    }
    let seen = frames.iter().collect::<Result<Vec<_>>>()?.len();
    let ontology = labels.ontology();
    labels.add(ontology.object("Bright region")?.bounding_box(0.1, 0.1, 0.1, 0.1)?)?;
    let before = item.client_metadata().get("attempts").cloned();
    item.set_metadata("attempts", task.attempt());
    if task.attempt() < 3 {
        bail!("not yet");
    }
    let (boxes, empty) = (labels.objects().len(), before.is_none());
    labels.classify("Notes", format!("{seen} frames, {boxes} box, no metadata before: {empty}"))?;
    Ok(Route::to("annotate"))
}

export![counts];
"#;

#[test]
fn a_retry_after_the_frames_were_used_up_and_the_row_was_edited_sees_everything_fresh() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let library = library(dir.path(), "second_thoughts", SECOND_THOUGHTS);
    let args = ["--stage", "pre-label", "--dry-run"];
    let output = run(dir.path(), &server, &library, &args);
    let (tasks, summary) = lines(&output);
    assert_eq!(failures(&tasks), Vec::<String>::new());
    let videos: Vec<&Value> = tasks.iter().filter(|t| t["attempts"] == 3).collect();
    assert!(!videos.is_empty(), "{summary}");
    for video in videos {
        let patch = video["patch"].to_string();
        assert!(
            patch.contains("74 frames, 1 box, no metadata before: true"),
            "{patch}"
        );
    }
}
