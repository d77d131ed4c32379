//! What agents log and where their errors come up, through the whole program: lines of every thread, levels, the
//! place of a `?`, attempts that cannot help; and keys, which stand in no file and on no screen.

use crate::support::{
    Server, Terminal, command, everything_in, fed, lines, rust_agent, stderr, workbench,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// In a variable with a secret name.
const KEY: &str = "planted+key/7f3a9c";
/// In one that does not: only the header that it is sent in is known.
const TOKEN: &str = "planted-header-51d2";

const LOUD: &str = r##"
use agent_abi::prelude::*;
use std::io;

/// What people write to find out why a request fails.
fn dump(client: &ureq::Agent, key: &str, token: &str) -> Result<()> {
    let body = json!({"api_key": token, "auth": {"token": token, "note": "kept"}});
    let request = ureq::http::Request::post(format!("https://model.example/ask?key={token}&page=2"))
        .header("authorization", format!("Bearer {token}"))
        .header("x-api-key", token)
        .header("cookie", format!("session={token}"))
        .header("accept", "text/kept")
        .body(body.to_string())?;
    let path = request.uri().path_and_query().context("no path")?;
    info!("{client:?} {request:?}");
    debug!("{request:#?}");
    trace!("GET {path} of {:#?}", request.headers());
    println!("{request:#?}\nGET {path}");
    eprintln!("{:#?} {path:?}", request.headers());
    println!("{:#?}", [("x-api-key", token)]);
    println!("{}", serde_json::to_string_pretty(&body)?);
    println!("https://h/a.png?X-Amz-Credential=me&X-Amz-Signature={token}");
    let (one, other) = key.split_at(8);
    print!("in two prints: {one}");
    println!("{other}");
    println!("{}Bearer {token}", "x".repeat(8 * 1024 - 10));
    println!("quoted {:?}, encoded {}", format!("\n{key}"), key.replace('+', "%2B").replace('/', "%2F"));
    Ok(())
}

#[stage("Agent 1", idempotent, timeout = "3s")]
fn loud(task: &Task) -> Result<Route> {
    if std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("ENCORD_SSH")) {
        bail!("the key of the workbench is in the environment");
    }
    let (key, token) = (std::env::var("MODEL_KEY")?, std::env::var("PLANTED")?);
    let headers = [("x-api-key", token.as_str()), ("host", "model.example")];
    info!("Authorization: Bearer {token}");
    debug!("request headers: {headers:?}");
    trace!("{}", json!({"authorization": format!("Bearer {token}"), "body": 1}));
    println!("> X-Api-Key: {token}");
    eprintln!("< set-cookie: session={token}; HttpOnly");
    checkpoint("key", &key)?;
    std::thread::spawn(|| warn!("from another thread")).join().ok();
    let client: ureq::Agent = ureq::Agent::config_builder().build().into();
    let url = std::env::var("MODEL_URL")?;
    let answer = client.get(&url).header("authorization", format!("Bearer {token}")).header("x-api-key", &key).call();
    dump(&client, &key, &token)?;
    for _ in 0..2_000 {
        println!("{}", "x".repeat(1_000));
    }
    info!("logged after two megabytes of prints");
    debug!(target: "hyper::proto", "detail of a dependency");
    warn!(target: "hyper::proto", "warning of a dependency");
    match task.uuid().to_string().as_str() {
        "UUID_1" => panic!("rejected {key}, authorization: Bearer {token}"),
        "UUID_2" => loop {
            std::thread::park();
        },
        "UUID_3" => std::process::abort(),
        _ => {}
    }
    answer.map_err(|error| io::Error::other(format!("{error}: rejected {key} of {}", task.title())))
        .context("asking the model")?;
    Ok(Route::stay())
}

export![loud];
"##;

/// Builds a crate with an HTTP client.
fn library(dir: &Path, name: &str, source: &str) -> PathBuf {
    let client = "ureq = { version = \"3.5\", default-features = false }\nserde_json = \"1\"";
    rust_agent(dir, name, client, source)
}

/// A command on a server's project with the planted secrets in its environment.
fn planted(dir: &Path, server: &Server, args: &[&str]) -> Command {
    let mut planted = command(dir);
    planted
        .args(args)
        .args(["--project-hash", &server.project()]);
    planted.envs(server.env()).envs(secrets());
    planted
}

fn secrets() -> [(&'static str, String); 3] {
    [
        ("MODEL_KEY", KEY.to_owned()),
        ("PLANTED", TOKEN.to_owned()),
        // Nothing listens there, so that the client's error is one of the agent's too.
        ("MODEL_URL", format!("http://127.0.0.1:1/ask?api_key={KEY}")),
    ]
}

/// A source with the UUIDs of the tasks in it, and these.
fn for_tasks(source: &str, server: &Server) -> (String, Vec<String>) {
    let uuids: Vec<String> = (server.tasks().iter())
        .map(|task| task["uuid"].as_str().unwrap_or_default().to_owned())
        .collect();
    let numbered = uuids.iter().enumerate();
    let source = numbered.fold(source.to_owned(), |source, (n, uuid)| {
        source.replace(&format!("UUID_{n}"), uuid)
    });
    (source, uuids)
}

fn assert_clean(what: &str, bytes: &[u8]) {
    let encoded = KEY.replace('+', "%2B").replace('/', "%2F");
    // Most of a key is one too.
    for secret in [KEY, TOKEN, &encoded, &TOKEN[..14]] {
        let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!found, "{secret} in {what}");
    }
}

#[test]
fn a_planted_key_is_in_no_file_and_on_no_screen_at_the_most_verbose_level() {
    let (krate, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let library = library(krate.path(), "loud", &for_tasks(LOUD, &server).0);
    let agents = library.to_str().unwrap();
    let verbose = [
        "--agents",
        agents,
        "-vv",
        "--log",
        "trace",
        "--num-retries",
        "1",
    ];
    let reports = [
        "--report", "r.html", "--junit", "r.xml", "--jsonl", "r.jsonl", "--json",
    ];
    let both = ["compare", agents, agents, "--report", "c.html", "--json"];
    let commands = [
        [&["run"], &verbose[..], &reports[..]].concat(),
        [&["plan", "-o", "p.wbplan"], &verbose[..]].concat(),
        vec!["review", "p.wbplan", "--json", "-vv"],
        vec!["journal"],
        [&both[..], &["-vv", "--log", "trace"]].concat(),
    ];
    let commands = commands.iter();
    let mut outputs: Vec<Output> = commands
        .map(|args| planted(dir.path(), &server, args).output().unwrap())
        .collect();
    let linear = ["--plain", "--agents", agents, "--record", "lines.jsonl"];
    let mut linear = planted(dir.path(), &server, &linear);
    outputs.push(fed(&mut linear, "step-the-first\nto-the-end\nread\nquit\n"));
    let shown = String::from_utf8_lossy(&outputs[5].stdout).into_owned();
    assert!(shown.contains("asking the model"), "{shown}");
    let text = stderr(&outputs[0]);
    for line in [
        "info: Authorization: …",
        "(\"x-api-key\", \"…\"), (\"host\", \"model.example\")",
        "> X-Api-Key: …",
        "warning: from another thread",
        "logged after two megabytes of prints",
        "debug: detail of a dependency",
    ] {
        assert!(text.contains(line), "{line}");
    }
    for kept in [
        "text/kept",
        "\"note\": \"kept\"",
        "page=2",
        "in two prints: …",
    ] {
        assert!(text.contains(kept), "{kept}");
    }
    let (tasks, _) = lines(&outputs[0]);
    for (summary, n) in [("panicked", 1), ("took longer", 1), ("crashed", 1)] {
        let with = |task: &&Value| task["fault"]["summary"].to_string().contains(summary);
        assert_eq!(
            tasks.iter().filter(with).count(),
            n,
            "{summary}: {tasks:#?}"
        );
    }
    assert_eq!(
        tasks[0]["fault"]["summary"], "asking the model",
        "{}",
        tasks[0]
    );
    assert!(
        tasks[0]["fault"]["cause"]
            .to_string()
            .contains("rejected …"),
        "{}",
        tasks[0]
    );

    let agents = ["--agents", agents, "--log", "trace", "--project-hash"];
    let project = server.project();
    let record = ["--record", "session.jsonl", "--record-pictures"];
    let args = [&agents[..], &[project.as_str()], &record[..]].concat();
    let env = [&server.env()[..], &secrets()[..]].concat();
    let mut screen = Terminal::start(dir.path(), &args, &env, (120, 36));
    screen.wait("build #1");
    screen.keys("2").wait("stage");
    screen.keys("s").wait("before the call");
    screen.keys("s").wait("▶ call");
    screen.keys("s").wait("▶ at key");
    assert_clean("the value of a checkpoint", screen.text().as_bytes());
    screen.keys("c").wait("asking the model");
    assert_clean("the task screen", screen.text().as_bytes());
    screen.keys("4");
    assert_clean("the run screen", screen.text().as_bytes());
    screen.keys("2").keys("/");
    screen
        .keys(&format!("\x1b[200~title~{KEY}\x1b[201~"))
        .wait("planted+key");
    screen
        .keys("\x1b")
        .wait_until("the end of the filter", |text| !text.contains("as before"));
    screen.keys("=").wait("A upstream");
    screen
        .keys("x")
        .wait_until("the end of the comparison", |text| {
            text.contains("of 4 tasks") && !text.contains("of 4 compared")
        });
    screen.keys("w").wait("saved as compare.json");
    let (_, shown) = screen.quit();
    assert_clean("everything that was drawn", shown.as_bytes());

    for output in &outputs {
        assert_clean("stdout", &output.stdout);
        assert_clean("stderr", &output.stderr);
    }
    let mut files = Vec::new();
    everything_in(dir.path(), &mut files);
    let files: Vec<_> = files.iter().filter(|path| path.is_file()).collect();
    assert!(files.len() > 6, "{files:?}");
    for name in ["c.html", "compare.html", "session.jsonl"] {
        let path = dir.path().join(name);
        assert!(files.contains(&&path), "{name} is among them: {files:?}");
    }
    let recorded = std::fs::read_to_string(dir.path().join("session.jsonl")).unwrap();
    assert!(
        recorded.contains("in two prints: …"),
        "its log lines are recorded"
    );
    for file in files {
        assert_clean(&file.display().to_string(), &std::fs::read(file).unwrap());
    }
}

const PLACES: &str = r#"
use agent_abi::prelude::*;

#[stage("Agent 1", idempotent)]
fn places(task: &Task) -> Result<Route> {
    let number = || "x".parse::<u8>();
    match task.uuid().to_string().as_str() {
        "UUID_0" => number().context("counting")?,
        "UUID_1" => number().map_err(Error::new)?,
        "UUID_2" => std::thread::spawn(move || -> Result<u8> { Ok(number()?) }).join().unwrap()?,
        _ => std::process::abort(),
    };
    Ok(Route::stay())
}

export![places];
"#;

#[test]
fn the_place_of_an_error_is_the_line_of_the_question_mark_in_every_output() {
    let (krate, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(&["--scenario", "seed", "--tasks", "4"]);
    let (source, uuids) = for_tasks(PLACES, &server);
    let line = |part: &str| source.lines().position(|line| line.contains(part)).unwrap() + 1;
    let library = library(krate.path(), "places", &source);
    let args = [
        "run",
        "--json",
        "--agents",
        library.to_str().unwrap(),
        "--num-retries",
        "2",
        "--progress",
        "none",
        "--report",
        "r.html",
        "--junit",
        "r.xml",
    ];
    let output = workbench(dir.path(), &server, &args);
    let (tasks, _) = lines(&output);
    let of = |n: usize| {
        tasks
            .iter()
            .find(|t| t["task_uuid"] == uuids[n].as_str())
            .unwrap()
    };
    for (n, part, attempts) in [(0, "counting", 3), (1, "map_err", 3), (2, "spawn", 3)] {
        let (task, place) = (of(n), format!("src/lib.rs:{}", line(part)));
        assert_eq!(task["fault"]["location"], place.as_str(), "{task}");
        assert_eq!(
            (task["attempts"].as_u64(), &task["fault"]["retried"]),
            (Some(attempts), &Value::Bool(true))
        );
    }
    assert_eq!(of(0)["fault"]["cause"], "invalid digit found in string");
    let crash = of(3);
    assert_eq!(
        (&crash["attempts"], &crash["fault"]["retry"]),
        (&1.into(), &Value::Bool(false)),
        "{crash}"
    );

    let second = format!(
        "invalid digit found in string (at src/lib.rs:{})",
        line("counting")
    );
    assert!(stderr(&output).contains(&second), "{}", stderr(&output));
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let below = format!(
        "counting\ninvalid digit found in string\nat src/lib.rs:{}",
        line("counting")
    );
    assert!(read("r.xml").contains(&below), "{}", read("r.xml"));
    assert!(read("r.html").contains(&second), "{}", read("r.html"));
}

const QUIET: &str = r#"
use agent_abi::prelude::*;

#[stage("Agent 1")]
fn quiet() -> Result<Route> {
    trace!("own trace");
    info!(target: "hyper", "info of a dependency");
    warn!(target: "hyper", "warning of a dependency");
    Ok(Route::stay())
}

export![quiet];
"#;

#[test]
fn own_lines_are_all_kept_and_others_from_warn_until_the_settings_change_it() {
    let (krate, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(&["--scenario", "seed", "--tasks", "1"]);
    let library = library(krate.path(), "quiet", QUIET);
    let logged = |more: &[&str]| {
        let args = ["run", "-vv", "--agents", library.to_str().unwrap()];
        let text = stderr(&workbench(dir.path(), &server, &[&args[..], more].concat()));
        ["own trace", "info of a", "warning of a"].map(|line| text.contains(line))
    };
    assert_eq!(logged(&[]), [true, false, true]);
    assert_eq!(logged(&["--log", "hyper=info"]), [true, true, true]);
    assert_eq!(logged(&["--log", "error"]), [false, false, false]);
    std::fs::write(
        dir.path().join("workbench.toml"),
        "log = \"quiet=info,hyper=off\"\n",
    )
    .unwrap();
    assert_eq!(logged(&[]), [false, false, false]);
    std::fs::write(dir.path().join("workbench.toml"), "log = \"loud\"\n").unwrap();
    let refused = workbench(
        dir.path(),
        &server,
        &["run", "--agents", library.to_str().unwrap()],
    );
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        stderr(&refused).contains("TARGET=LEVEL"),
        "{}",
        stderr(&refused)
    );
}
