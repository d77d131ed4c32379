//! The agents of `sample-agents/real`, each on data of its kind: planned, reviewed, applied and undone.

use crate::support::{Server, build_agents, command, lines, root, stderr};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

/// A detector and a language model: answers every request by its path, and stops with the test.
fn model_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
            stream.read_line(&mut first).unwrap();
            while stream.read_line(&mut line).unwrap() > 2 {
                if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                line.clear();
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            let body = match first.contains("/boxes") {
                true => BOXES.to_owned(),
                false => {
                    let message = serde_json::json!({"content": DOCUMENT});
                    serde_json::json!({"choices": [{"message": message, "finish_reason": "stop"}]})
                        .to_string()
                }
            };
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}");
            write!(stream.get_mut(), "{head}\r\n\r\n{body}").unwrap();
        }
    });
    url
}

/// The project in which people answer questions.
const QUESTIONS: &str = "4ea10000-0000-4000-8004-000000000003";
/// What the detector sees.
const BOXES: &str = r#"{"boxes":[{"label":"Thing","score":0.8,"x":0.1,"y":0.1,"w":0.2,"h":0.2}]}"#;
/// What the language model answers.
const DOCUMENT: &str = r#"{"document": {"choice": {"title": "Invoice", "total": "CHF 1,924.00", "due": "2026-11-04"}}}"#;

/// A command in a folder with the sample's settings, where the model is the one at `url`.
fn workbench(dir: &Path, server: &Server, args: &[&str]) -> Output {
    let output = command(dir)
        .args(args)
        .args(["--project-hash", &server.project()])
        .envs(server.env())
        .env("MODEL_KEY", "key-of-the-model")
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        stderr(&output)
    );
    output
}

/// How many labels of which name, and by which pathway, per data unit.
fn outcomes_of(output: &Output) -> BTreeMap<String, (String, BTreeMap<String, usize>)> {
    let (tasks, _) = lines(output);
    let mut all: BTreeMap<String, (String, BTreeMap<String, usize>)> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task["data_title"].is_string()) {
        let title = task["data_title"].as_str().unwrap().to_owned();
        let (route, labels) = all.entry(title).or_default();
        *route = task["pathway_name"].as_str().unwrap_or("-").to_owned();
        for label in task["patch"]["labels"].as_array().into_iter().flatten() {
            let name = [&label["sign"], &label["name"]].map(|part| part.as_str().unwrap());
            *labels.entry(name.concat()).or_default() += 1;
        }
    }
    all
}

/// Where the tasks of a project are.
fn stages_in(server: &Server, project: &str) -> BTreeMap<String, Value> {
    let stage = |task: &Value| {
        (
            task["data_title"].as_str().unwrap().to_owned(),
            task["stage"].clone(),
        )
    };
    let state = server.admin(&format!("/local/state?project={project}"));
    state["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(stage)
        .collect()
}

#[test]
fn real_agents_are_planned_reviewed_applied_and_undone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = root().join("sample-agents/real");
    let library = build_agents(&folder, None).with_file_name("libreal_agents.so");
    let settings = std::fs::read_to_string(folder.join("workbench.toml")).unwrap();
    let settings = settings
        .replace("\".\"", &format!("{:?}", library.display().to_string()))
        .replace("media/", &format!("{}/media/", folder.display()))
        .replace("http://127.0.0.1:8099", &model_server());
    std::fs::write(dir.path().join("workbench.toml"), settings).unwrap();
    let world = folder.join("world.json");
    let server = Server::start(&["--scenario-file", world.to_str().unwrap()]);
    let twin = server.field("twin_project_hash");
    let places = || {
        (
            stages_in(&server, &server.project()),
            stages_in(&server, &twin),
        )
    };
    let before = places();

    let planned = workbench(dir.path(), &server, &["plan", "-o", "p.wbplan", "--json"]);
    assert_eq!(server.writes(), 0, "a plan writes nothing");
    let all = outcomes_of(&planned);
    let labels = |title: &str| -> Vec<(&str, usize)> {
        all[title].1.iter().map(|(name, n)| (&**name, *n)).collect()
    };
    let route = |title: &str| &*all[title].0;
    assert_eq!(route("form.pdf"), "done");
    assert_eq!(labels("form.pdf"), [("+Field", 2)]);
    assert_eq!(
        labels("letter.txt"),
        [("+Amount", 2), ("+Date", 4), ("+Email", 3)]
    );
    assert_eq!(labels("meadow.mp4"), [("+Glare", 1)]);
    assert_eq!(labels("call.wav"), [("+Voice", 1)]);
    assert_eq!(labels("parking.jpg"), [("+Thing", 1)]);
    assert_eq!(labels("bill.txt"), [("+Document", 1)]);
    assert_eq!(
        (route("night.jpg"), labels("night.jpg").len()),
        ("expert", 0)
    );
    assert_eq!(all.len(), before.0.len());
    other_projects_are_written_too(&planned, &twin);
    assert_eq!(route("claim.txt"), "unsure");

    let reviewed = workbench(dir.path(), &server, &["review", "p.wbplan", "--json"]);
    assert_eq!(outcomes_of(&reviewed), all, "the plan holds what ran");
    workbench(
        dir.path(),
        &server,
        &["apply", "p.wbplan", "--yes", "--json"],
    );
    let (after, published) = places();
    assert_eq!(after["form.pdf"], "Complete");
    assert_eq!(published["form.pdf"], "Experts");
    assert_eq!(after["night.jpg"], "Experts");
    let questions = stages_in(&server, QUESTIONS);
    assert_eq!(questions["question about claim.txt"], "Answer");
    assert!(server.changed("save_labels") > 0);
    workbench(dir.path(), &server, &["undo", "--yes", "--json"]);
    assert_eq!(places(), before);
    assert_eq!(
        stages_in(&server, QUESTIONS).len(),
        0,
        "the question is gone"
    );
    let again = workbench(dir.path(), &server, &["run", "--dry-run", "--json"]);
    assert_eq!(
        outcomes_of(&again),
        all,
        "the labels are gone, and the same ones are added again"
    );
}

/// What `fields` drew is published to the other project, whose task moves, and the question is asked.
fn other_projects_are_written_too(planned: &Output, twin: &str) {
    let (tasks, _) = lines(planned);
    let mut found: Vec<Vec<Value>> = (tasks.iter())
        .filter_map(|task| task["patch"]["changes"].as_array().cloned())
        .filter(|changes| !changes.is_empty())
        .collect();
    found.sort_by_key(Vec::len);
    let [question, published]: [_; 2] = found.try_into().unwrap();
    assert_eq!(question[0]["kind"], "item");
    let kinds = published.iter().map(|c| c["kind"].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), ["labels", "move"]);
    assert!(published.iter().all(|change| change["project"] == *twin));
    assert_eq!(published[0]["labels"].as_array().unwrap().len(), 2);
}
