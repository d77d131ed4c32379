//! What an author may ask for, through the whole program: twins, questions to the platform, encoded
//! pictures, declared pathways and parameters; and a library built with the first header.

use crate::support::{Server, command, lines, root, run, rust_agent};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a crate with this source.
pub fn library(dir: &Path, name: &str, source: &str) -> PathBuf {
    rust_agent(dir, name, "", source)
}

/// The lines of the tasks that failed, whole.
pub fn failures(tasks: &[Value]) -> Vec<String> {
    let failed = tasks.iter().filter(|t| t["outcome"] == "failed");
    failed.map(ToString::to_string).collect()
}

const ASKING: &str = r#"
use agent_abi::prelude::*;

#[stage("pre-label", routes = ["annotate"])]
fn reads(
    task: &Task,
    #[depends(twin("TWIN"))] other: Option<Twin>,
) -> Result<Route> {
    let other = other.context("no twin")?;
    if other.labels.data_hash() != Some(task.data_hash()) {
        bail!("the twin of other data");
    }
    if other.project.hash().to_string() != "TWIN" {
        bail!("the twin of another project");
    }
    Ok(Route::to("annotate"))
}

#[stage("route", routes = ["complete"])]
fn asks(
    task: &Task,
    project: &Project,
    labels: &LabelRow,
    frame: Option<Frame<'_>>,
    upstream: Upstream<'_>,
    #[depends(twin("TWIN", include_task = true, init_labels = false))] other: Option<Twin>,
) -> Result<Route> {
    let other = other.context("no twin")?;
    if let Some(there) = &other.task && (there.data_hash() != task.data_hash() || there.uuid() == task.uuid()) {
        bail!("another task");
    }
    if !other.labels.objects().is_empty() {
        bail!("labels that nobody asked for");
    }
    let rows = upstream.label_rows(project.hash(), &[task.data_hash(), Uuid::from_u128(7)])?;
    let own = rows[0].as_ref().context("its own row is not there")?;
    if own.labels().get("object_answers") != labels.labels().get("object_answers") || rows[1].is_some() {
        bail!("other rows than asked for");
    }
    let item = labels.metadata().get("backing_item_uuid").and_then(Value::as_str).context("no item")?;
    let items = upstream.storage_items(&[Uuid::parse_str(item)?])?;
    if items[0].doc().to_string().contains("Signature=") || items[0].doc().get("signedUrl").is_some_and(|u| !u.is_null()) {
        bail!("a signed URL in the hands of an agent");
    }
    if upstream.project(Uuid::from_u128(7)).is_ok() {
        bail!("a project that is not there");
    }
    let rows = upstream.list_rows(project.hash()).collect::<Result<Vec<_>>>()?;
    let own = rows.iter().find(|row| row.data_hash() == Some(task.data_hash())).context("no row of its own")?;
    if own.title() != task.title() || own.stage() != Some("route") || own.item().map(|i| i.to_string()).as_deref() != Some(item) {
        bail!("another row: {own:?}");
    }
    let titled = upstream.list_rows(project.hash()).titled(task.title()).collect::<Result<Vec<_>>>()?;
    if titled.is_empty() || titled.len() >= rows.len() || titled.iter().any(|row| !row.title().contains(task.title())) {
        bail!("{} of {} rows are titled so", titled.len(), rows.len());
    }
    let mut waiting = upstream.list_tasks(project.hash(), "route");
    if !waiting.any(|there| there.is_ok_and(|there| there.uuid() == task.uuid())) {
        bail!("the task is not among those of its stage");
    }
    let folder = items[0].doc()["parent"].as_str().context("no folder")?;
    let folder = Uuid::parse_str(folder)?;
    let mut all = upstream.list_items(folder).collect::<Result<Vec<_>>>()?;
    if all.iter().any(|item| item.doc().get("signedUrl").is_some_and(|url| !url.is_null())) {
        bail!("a signed URL in a list");
    }
    all.retain(|there| there.uuid() == items[0].uuid());
    if all.len() != 1 || upstream.list_items(folder).titled(items[0].name()).count() == 0 {
        bail!("the item is {} times in its folder", all.len());
    }
    if upstream.list_collections(None).count() != 0 || upstream.list_collections(Some(folder)).count() != 0 {
        bail!("collections that nobody made");
    }
    if upstream.collection_items(Uuid::from_u128(7)).next().is_none_or(|first| first.is_ok()) {
        bail!("a collection that is not there");
    }
    let Err(why) = upstream.list_tasks(project.hash(), "rout").next().context("nothing")? else { bail!("a stage that is not there") };
    if !why.to_string().contains("its stages are") {
        bail!("{why}");
    }
    let url = upstream.signed_url(Uuid::parse_str(item)?)?;
    if url.is_some() == items[0].item_type().contains("roup") || url.as_ref().is_some_and(|url| !url.expose().contains("://")) {
        bail!("the address of {}", items[0].item_type());
    }
    info!("signed {url:?} {}", url.as_ref().map_or("", |url| url.expose()));
    checkpoint("signed", &format!("{url:?}"))?;
    if let Some(frame) = frame {
        let (jpeg, png) = (frame.jpeg(80)?, frame.png()?);
        if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) || !png.starts_with(b"\x89PNG") {
            bail!("no pictures");
        }
        checkpoint("bytes", &format!("{} {}", jpeg.len(), png.len()))?;
    }
    Ok(Route::to("complete"))
}

export![reads, asks];
"#;

#[test]
fn twins_questions_and_encoded_pictures_work_on_every_kind_of_data_and_twins_come_in_batches() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "60", "--page-size", "20"]);
    let source = ASKING.replace("TWIN", &server.field("twin_project_hash"));
    let library = library(dir.path(), "asking", &source);
    let output = run(
        dir.path(),
        &server,
        &library,
        &["--dry-run", "--stage", "pre-label"],
    );
    let (tasks, summary) = lines(&output);
    assert_eq!(failures(&tasks), Vec::<String>::new());
    assert!(tasks.len() >= 20, "{summary}");
    let requests = summary["requests"].as_u64().unwrap();
    assert!(
        requests < tasks.len() as u64 / 2,
        "{requests} requests for {} tasks: twins are fetched one by one",
        tasks.len()
    );
    let output = run(
        dir.path(),
        &server,
        &library,
        &["--dry-run", "--stage", "route"],
    );
    let (tasks, summary) = lines(&output);
    assert_eq!(failures(&tasks), Vec::<String>::new());
    assert!(!tasks.is_empty(), "{summary}");
    assert_eq!((&summary["writes"], server.writes()), (&Value::from(0), 0));
    let mut texts = vec![output.stdout, output.stderr];
    for entry in std::fs::read_dir(dir.path().join(".workbench/log")).unwrap() {
        texts.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let texts: String = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text))
        .collect();
    assert!(
        texts.contains("signed Some(SignedUrl(…)) http://"),
        "it is logged"
    );
    assert!(!texts.contains("seal="), "a signed URL in a log");
}

#[test]
fn an_undeclared_pathway_fails_its_task_and_names_what_to_add() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let source = r#"
use agent_abi::prelude::*;
#[stage("pre-label", routes = ["annotate"], params(every: u64 = 10, label: String))]
fn skips() -> Route {
    Route::to("skip")
}
export![skips];
"#;
    let library = library(dir.path(), "skipping", source);
    let args = ["--max-tasks-per-stage", "1", "--num-retries", "2"];
    let output = run(dir.path(), &server, &library, &args);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("parameters of stage \"pre-label\": \"label\" is missing"),
        "{text}"
    );

    let settings = dir.path().join("workbench.toml");
    std::fs::write(&settings, "[params.pre-label]\nlabel = \"x\"\n").unwrap();
    let output = run(dir.path(), &server, &library, &args);
    let (tasks, _) = lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        tasks[0]["attempts"], 1,
        "another attempt could not end otherwise"
    );
    let fault = tasks[0]["fault"].to_string();
    assert!(fault.contains("it does not declare"), "{fault}");
    assert_eq!(server.writes(), 0);

    std::fs::write(&settings, "[params.pre-label]\nevry = 3\n").unwrap();
    let check = command(dir.path())
        .args(["check", "--project-hash", &server.project(), "--agents"])
        .arg(&library)
        .envs(server.env())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&check.stdout);
    assert_eq!(check.status.code(), Some(3), "{text}");
    assert!(text.contains("\"label\" is missing"), "{text}");
    assert!(
        text.contains("\"evry\" is not known; there are: every, label"),
        "{text}"
    );
}

/// The header in that folder is the one of release 1.0 and is never edited.
#[test]
fn a_library_built_with_the_first_header_loads_and_runs() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("librouter.so");
    let built = Command::new("cc")
        .args([
            "-std=c99", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-I",
        ])
        .arg(root().join("agent-abi/tests/c/abi-1.0"))
        .arg(root().join("sample-agents/c/router.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let server = Server::start(&["--scenario", "demo", "--tasks", "40"]);
    let output = run(dir.path(), &server, &library, &[]);
    let (tasks, summary) = lines(&output);
    assert_eq!(failures(&tasks), Vec::<String>::new());
    assert!(
        !tasks.is_empty() && tasks.iter().all(|t| t["outcome"] == "moved"),
        "{summary}"
    );
    assert!(
        server.writes() > 0,
        "its notes are labels of the server now"
    );
}

#[test]
fn check_reads_the_declared_twin_projects_before_any_task_does() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let nobody = "00000000-0000-0000-0000-000000000007";
    for (twin, code, words) in [
        (server.field("twin_project_hash"), 0, "✓ twin"),
        (nobody.to_owned(), 3, "✗ reads reads twins in project"),
    ] {
        let source = ASKING.replace("TWIN", &twin);
        let library = library(dir.path(), "asking_check", &source);
        let check = command(dir.path())
            .args(["check", "--project-hash", &server.project(), "--agents"])
            .arg(&library)
            .envs(server.env())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&check.stdout);
        assert_eq!(check.status.code(), Some(code), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

const TALKS: &str = r#"
use agent_abi::prelude::*;

#[stage("pre-label", routes = ["annotate"])]
fn talks(task: &Task) -> Route {
    info!("looks at {}", task.title());
    debug!("a detail");
    println!("printed");
    Route::to("annotate")
}

export![talks];
"#;

#[test]
fn what_an_agent_logs_is_in_the_log_of_its_run_and_on_stderr_for_whoever_asks() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    let library = library(dir.path(), "talks", TALKS);
    let talk = |flag: &str| {
        let log = dir.path().join(format!("log{flag}"));
        let mut args = vec!["--dry-run", "--stage", "pre-label", "--max-tasks-per-stage"];
        args.extend(["1", "--log-file", log.to_str().unwrap()]);
        args.extend(Some(flag).filter(|flag| !flag.is_empty()));
        let output = run(dir.path(), &server, &library, &args);
        let (tasks, _) = lines(&output);
        assert_eq!(failures(&tasks), Vec::<String>::new());
        let title = tasks[0]["data_title"].as_str().unwrap().to_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (title, stderr, std::fs::read_to_string(log).unwrap())
    };
    let (title, stderr, log) = talk("");
    assert!(log.contains(&format!("looks at {title}")), "{log}");
    assert!(!log.contains("a detail"), "{log}");
    assert!(!stderr.contains("looks at"), "{stderr}");
    let (title, stderr, _) = talk("-v");
    for line in [
        format!("{title}: info: looks at {title}"),
        format!("{title}: stdout: printed"),
    ] {
        assert!(stderr.lines().any(|l| l == line), "{line}: {stderr}");
    }
    let (title, stderr, log) = talk("-vv");
    assert!(
        stderr.contains(&format!("{title}: debug: a detail")),
        "{stderr}"
    );
    assert!(log.contains("a detail"), "{log}");
}

const PARTICULAR: &str = r#"
use agent_abi::prelude::*;

#[stage("pre-label")]
fn stays() -> Route {
    Route::stay()
}

fn look(project: &Project) -> Result<()> {
    project.ontology().object("WANTED").context("these agents draw it")?;
    Ok(())
}

export![stays, preflight = look];
"#;

#[test]
fn check_asks_the_librarys_own_preflight() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "30"]);
    for (wanted, code, words) in [
        ("Bright region", 0, "✓ preflight        particular"),
        (
            "Bright regoin",
            3,
            "✗ particular refuses this project: these agents draw it",
        ),
    ] {
        let source = PARTICULAR.replace("WANTED", wanted);
        let library = library(dir.path(), "particular", &source);
        let check = command(dir.path())
            .args(["check", "--project-hash", &server.project(), "--agents"])
            .arg(&library)
            .envs(server.env())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&check.stdout);
        assert_eq!(check.status.code(), Some(code), "{text}");
        assert!(text.contains(words), "{text}");
        let hint = text.contains("Did you mean \"Bright region\"?");
        assert_eq!(hint, code == 3, "{text}");
    }
}
