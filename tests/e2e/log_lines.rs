//! Whose a log line is: lines of rayon, tokio and tracing while two tasks run, lines after a call, lines and errors of C.
//! Levels, places of Rust errors and secrets are in `logs`.

use crate::support::{Server, c_agent, c_text, lines, rust_agent, stderr, workbench};
use serde_json::json;
use std::path::Path;

const DEPENDENCIES: &str = r#"
rayon = "1.12"
tokio = { version = "1", features = ["rt-multi-thread"] }
tracing = { version = "0.1", features = ["log"] }
"#;

const THREADS: &str = r#"
use agent_abi::prelude::*;
use rayon::prelude::*;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tracing::Instrument;

#[dependency(scope = host, close = stop)]
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).build()?)
}

fn stop(runtime: Runtime, _: End) {
    drop(runtime);
    std::thread::spawn(|| info!("after the last task")).join().ok();
}

/// Waits until both tasks run.
fn meet(title: &str) -> Result<()> {
    std::fs::write(format!("{title}.running"), "")?;
    let until = Instant::now() + Duration::from_secs(100);
    let running = || -> Result<usize> {
        let files = std::fs::read_dir(".")?.collect::<Result<Vec<_>, _>>()?;
        Ok(files.iter().filter(|file| file.path().extension().is_some_and(|e| e == "running")).count())
    };
    while running()? < 2 {
        if Instant::now() > until {
            bail!("the other task does not run");
        }
        std::thread::yield_now();
    }
    Ok(())
}

#[stage("Agent 1", idempotent)]
fn threads(task: &Task, #[depends(runtime)] runtime: &Runtime) -> Result<Route> {
    let own = task.title().to_owned();
    meet(&own)?;
    (0..100).into_par_iter().for_each(|n| info!("rayon {n} of {own}"));
    let spawned: Vec<_> = (0..100)
        .map(|n| {
            let own = own.clone();
            let score = tracing::info_span!("score", model = "small", part = n, of = own.as_str());
            let work = async move {
                tokio::task::yield_now().await;
                warn!("tokio {n} of {own}");
                tracing::debug!(part = n, share = 0.5, "tracing of {own}");
            };
            runtime.spawn(work.instrument(score))
        })
        .collect();
    for pending in spawned {
        runtime.block_on(pending)?;
    }
    Ok(Route::to("complete"))
}

export![threads];
"#;

/// Lines of stderr that are of this task, without its name.
fn of_task<'t>(text: &'t str, task: &str) -> Vec<&'t str> {
    let mark = format!("{task}: ");
    text.lines().filter_map(|l| l.strip_prefix(&mark)).collect()
}

#[test]
fn lines_of_rayon_tokio_and_tracing_belong_to_their_task_while_another_one_runs() {
    let (krate, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(&["--scenario", "seed", "--tasks", "2"]);
    let library = rust_agent(krate.path(), "threads", DEPENDENCIES, THREADS);
    let agents = library.to_str().unwrap();
    let args = ["run", "-n", "-vv", "-j", "2", "--json", "--agents", agents];
    let output = workbench(dir.path(), &server, &args);
    let (tasks, _) = lines(&output);
    let text = stderr(&output);
    assert_eq!(tasks.len(), 2, "{text}");
    let logged = log_file(dir.path());
    for task in &tasks {
        assert_eq!(task["outcome"], "moved", "{task}");
        let title = task["data_title"].as_str().unwrap();
        let own = of_task(&text, title);
        for n in 0..100 {
            for line in [
                format!("info: rayon {n} of {title}"),
                format!("warning: tokio {n} of {title}"),
                format!("debug: tracing of {title} part={n} share=0.5"),
            ] {
                let found = own.iter().filter(|own| **own == line).count();
                assert_eq!(found, 1, "{line}: {own:#?}");
            }
            let span = format!("info: score; model=\"small\" part={n} of=\"{title}\"");
            assert!(
                own.iter().any(|line| line.starts_with(&span)),
                "{span}: {own:#?}"
            );
        }
        let in_file = |line: &&str| line.contains(&format!("rayon 7 of {title}"));
        let line = logged.lines().find(in_file).unwrap();
        assert!(line.contains(&format!("task=\"{title}\"")), "{line}");
    }
    assert!(text.contains("\n-: info: after the last task\n"), "{text}");
}

/// All that was logged to files.
fn log_file(dir: &Path) -> String {
    let files = std::fs::read_dir(dir.join(".workbench/log")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.collect()
}

#[test]
fn lines_of_c_have_levels_and_its_errors_their_place_and_causes() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "seed", "--tasks", "1"]);
    let failure = json!({"message": "asking the model", "chain": ["no answer", "timed out"],
        "location": "src/model.c:41", "retry": false});
    let failure = c_text("FAILURE", &failure.to_string());
    let library = c_agent(
        dir.path(),
        "reports",
        &[&failure, "_POSIX_C_SOURCE=200809L"],
    );
    let run = |more: &[&str]| {
        let agents = library.to_str().unwrap();
        let args = [
            "run", "-n", "--json", "--junit", "r.xml", "--report", "r.html", "--agents", agents,
        ];
        workbench(dir.path(), &server, &[&args[..], more].concat())
    };
    let output = run(&["-vv"]);
    let (tasks, _) = lines(&output);
    let text = stderr(&output);
    let own = of_task(&text, tasks[0]["data_title"].as_str().unwrap());
    let levels = [
        "error: in error",
        "warning: in warn",
        "info: in info",
        "debug: in debug",
        "trace: in trace",
    ];
    assert_eq!(own, levels, "{text}");
    assert!(
        text.contains("\n-: warning: of a thread after the call\n"),
        "{text}"
    );
    assert!(text.contains("no answer (at src/model.c:41)"), "{text}");
    let fault = &tasks[0]["fault"];
    assert_eq!(fault["summary"], "asking the model");
    assert_eq!(fault["cause"], "no answer\ntimed out");
    assert_eq!(fault["location"], "src/model.c:41");
    assert_eq!(
        (&fault["retry"], &fault["retried"]),
        (&json!(false), &json!(false))
    );
    for file in ["r.xml", "r.html"] {
        let report = std::fs::read_to_string(dir.path().join(file)).unwrap();
        assert!(
            report.contains("no answer") && report.contains("src/model.c:41"),
            "{file}"
        );
    }

    let text = stderr(&run(&["-vv", "--log", "reports=warn"]));
    assert!(
        text.contains(": in warn") && !text.contains(": in info"),
        "{text}"
    );
}
