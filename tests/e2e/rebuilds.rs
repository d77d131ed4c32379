//! Libraries that are replaced, refused or deleted again and again while commands and the screen use them: what
//! has begun ends on the build it began with, and nothing fails because of it. And the order of several libraries.

use crate::support::{
    DEADLINE, Fed, Server, Terminal, c_agent, c_text, command, lines, lines_of, stderr, workbench,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;

/// A folder with a library in two versions, of which either may take its place.
struct Scene {
    dir: tempfile::TempDir,
    server: Server,
    versions: [PathBuf; 2],
    library: PathBuf,
    /// A line "VERSION TASK" for each call.
    calls: Receiver<String>,
}

impl Scene {
    fn new(tasks: usize, defines: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&["--scenario", "seed", "--tasks", &tasks.to_string()]);
        let log = dir.path().join("calls");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &log, mode).unwrap();
        // For reading and writing: then opening it waits for nobody.
        let mut both = fs::File::options();
        let calls = both.read(true).write(true).open(&log).unwrap();
        let versions = ["v1", "v2"].map(|version| {
            let mut all = vec![
                c_text("LOG", log.to_str().unwrap()),
                c_text("VERSION", version),
            ];
            all.extend(defines.iter().map(|d| (*d).to_owned()));
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            let built = c_agent(dir.path(), "paced", &all);
            let kept = dir.path().join(version);
            fs::rename(built, &kept).unwrap();
            kept
        });
        let folder = dir.path().join("agents");
        fs::create_dir(&folder).unwrap();
        let scene = Self {
            library: folder.join("libpaced.so"),
            calls: lines_of(calls),
            versions,
            dir,
            server,
        };
        scene.put(0);
        scene
    }

    /// A version takes the library's place.
    fn put(&self, version: usize) {
        let next = self.dir.path().join("next");
        fs::copy(&self.versions[version % 2], &next).unwrap();
        fs::rename(next, &self.library).unwrap();
    }

    fn call(&self) -> String {
        self.calls.recv_timeout(DEADLINE).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.dir.path());
        command
            .args(args)
            .args(["--project-hash", &self.server.project(), "--agents"])
            .arg(&self.library)
            .envs(self.server.env());
        command
    }

    /// A command during which `news` happens at every third call; its stderr, and its exit code.
    fn meanwhile(&self, args: &[&str], news: impl Fn(&Self, usize)) -> (String, Option<i32>) {
        let mut child = self
            .command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = lines_of(child.stderr.take().unwrap());
        let mut seen = 0;
        let status = loop {
            match self
                .calls
                .recv_timeout(std::time::Duration::from_millis(20))
            {
                Ok(_) => {
                    seen += 1;
                    if seen % 3 == 0 {
                        news(self, seen / 3);
                    }
                }
                Err(_) => {
                    if let Some(status) = child.try_wait().unwrap() {
                        break status;
                    }
                }
            }
        };
        let errors: Vec<String> = errors.iter().collect();
        (errors.join("\n"), status.code())
    }
}

fn rebuilt(text: &str) -> usize {
    text.matches(" active: ").count()
}

#[test]
fn a_run_outlives_every_rebuild_of_its_library() {
    let scene = Scene::new(90, &["PACE=15", "FAIL=4"]);
    let args = ["run", "--task-batch-size", "10", "--num-retries", "20"];
    let (text, code) = scene.meanwhile(&args, Scene::put);
    assert_eq!(code, Some(0), "{text}");
    assert!(rebuilt(&text) >= 4, "{text}");
    assert_eq!(scene.server.changed("actions"), 90);
}

#[test]
fn a_plan_outlives_every_rebuild_of_its_library() {
    let scene = Scene::new(60, &["PACE=15"]);
    let args = ["plan", "-o", "p.wbplan", "-j", "3"];
    let (text, code) = scene.meanwhile(&args, Scene::put);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("60 outcomes"), "{text}");
}

#[test]
fn a_run_outlives_its_library_and_builds_that_are_refused() {
    for kind in 0..2 {
        let scene = Scene::new(60, &["PACE=60"]);
        let news = |scene: &Scene, n: usize| {
            if kind == 0 {
                let _ = fs::remove_file(&scene.library);
            } else if n == 2 {
                let half = fs::read(&scene.versions[n % 2]).unwrap();
                fs::write(&scene.library, &half[..half.len() / 2]).unwrap();
            }
        };
        let (text, code) = scene.meanwhile(&["run", "--task-batch-size", "5"], news);
        assert_eq!(code, Some(0), "{text}");
        let outcome = if kind == 0 { "is gone" } else { "refused" };
        assert!(text.contains(outcome), "{text}");
        assert_eq!(scene.server.changed("actions"), 60);
    }
}

#[test]
fn a_run_keeps_its_build_when_another_library_takes_its_stage_over() {
    let scene = Scene::new(60, &["PACE=30"]);
    let over = scene.dir.path().join("over");
    let other = scene.library.with_file_name("libother.so");
    for (to, stage, flags) in [
        (&other, "nowhere", "FLAGS=0"),
        (&over, "Agent 1", "FLAGS=WB_FLAG_OVERWRITE"),
    ] {
        let defines = [
            c_text("LOG", "/dev/null"),
            c_text("STAGE", stage),
            flags.to_owned(),
        ];
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        fs::rename(c_agent(scene.dir.path(), "paced", &defines), to).unwrap();
    }
    let named = other.to_str().unwrap().to_owned();
    let news = |_: &Scene, n: usize| {
        if n == 2 {
            fs::rename(&over, &other).unwrap();
        }
    };
    let args = ["run", "--task-batch-size", "10", "-a", &named];
    let (text, code) = scene.meanwhile(&args, news);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(rebuilt(&text), 1, "{text}");
    assert_eq!(scene.server.changed("actions"), 60);
}

#[test]
fn each_pass_of_a_poller_has_the_newest_build() {
    let scene = Scene::new(5, &["OUTCOME=\"{\\\"route\\\":\\\"stay\\\"}\""]);
    let mut child = scene
        .command(&["run", "--refresh-every", "1", "--progress", "none"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = lines_of(child.stderr.take().unwrap());
    assert!((0..5).all(|_| scene.call().starts_with("v1 ")));
    for version in [1, 0, 1] {
        scene.put(version);
        while !errors.recv_timeout(DEADLINE).unwrap().contains(" active: ") {}
        // A pass that was under way may end on the build before.
        let wanted = format!("v{} ", version + 1);
        while !scene.call().starts_with(&wanted) {}
        assert!((0..5).any(|_| scene.call().starts_with(&wanted)));
    }
    stop(child);
}

fn stop(mut child: Child) {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// Specs of all waiting tasks, a line each.
fn specs(scene: &Scene) -> Vec<String> {
    let args = ["tasks", "--json", "--limit", "1000"];
    let output = workbench(scene.dir.path(), &scene.server, &args);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn exec_goes_on_with_the_newest_build() {
    let scene = Scene::new(20, &[]);
    let specs = specs(&scene);
    let mut exec = Fed::start(&mut scene.command(&["exec", "--stage", "Agent 1"]));
    let mut versions = BTreeSet::new();
    for (n, spec) in specs.iter().enumerate() {
        scene.put(n);
        let answer = exec.ask(spec);
        assert!(answer.contains("\"success\":true"), "{answer}");
        versions.insert(scene.call()[..2].to_owned());
    }
    assert_eq!(scene.server.changed("actions"), 20);
    exec.close();
    let output = exec.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_run_on_screen_outlives_rebuilds() {
    let scene = Scene::new(40, &["PACE=40"]);
    let folder = scene.library.parent().unwrap();
    let mut screen = Terminal::open(&scene.server, scene.dir.path(), folder, (140, 40));
    screen.keys("N").wait("Dry-run 40 tasks");
    screen.keys("y").wait("run 1 ");
    let mut n = 0;
    for call in 1..=40 {
        scene.call();
        if call % 4 == 0 {
            n += 1;
            scene.put(n);
        }
    }
    screen.keys("4").wait("FINISHED");
    let text = screen.text();
    assert!(
        !text.contains("not loaded") && !text.contains("failed in"),
        "{text}"
    );
    screen.quit();
}

/// Libraries of a folder whose first one opens last; each is for one stage of the demo.
fn two_stages(dir: &Path, log: &Path) -> PathBuf {
    let folder = dir.join("two");
    fs::create_dir(&folder).unwrap();
    for (name, stage, opens, route) in [
        ("liba.so", "route", "OPENS=700", "complete"),
        ("libb.so", "pre-label", "OPENS=0", "annotate"),
    ] {
        let outcome = format!("{{\"route\":\"{route}\"}}");
        let defines = [
            c_text("LOG", log.to_str().unwrap()),
            c_text("STAGE", stage),
            c_text("OUTCOME", &outcome),
            opens.to_owned(),
        ];
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        fs::rename(c_agent(dir, "paced", &defines), folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn stages_are_worked_through_in_the_order_of_the_libraries_however_slowly_one_opens() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&["--scenario", "demo", "--tasks", "240"]);
    let folder = two_stages(dir.path(), &dir.path().join("calls"));
    let [a, b] = ["liba.so", "libb.so"].map(|name| folder.join(name));
    let order = |agents: &[&Path]| {
        let mut args = vec!["run", "--json", "--dry-run", "--progress", "none"];
        for path in agents {
            args.extend(["-a", path.to_str().unwrap()]);
        }
        let (tasks, _) = lines(&workbench(dir.path(), &server, &args));
        let mut stages: Vec<String> = Vec::new();
        for task in tasks {
            let stage = task["stage_uuid"].as_str().unwrap().to_owned();
            if stages.last() != Some(&stage) {
                stages.push(stage);
            }
        }
        assert_eq!(stages.len(), 2, "tasks wait at both stages");
        stages
    };
    let by_name = order(&[&folder]);
    assert_eq!(by_name, order(&[&a, &b]));
    let mut other = order(&[&b, &a]);
    other.reverse();
    assert_eq!(by_name, other);
}
